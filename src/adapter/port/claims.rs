//! Which ports this daemon's dongles have taken, so that no two take the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// The ports taken by all dongles of one daemon; to be cloned for each of them.
#[derive(Clone, Debug, Default)]
pub struct Claims(Arc<Mutex<Taken>>);

#[derive(Debug, Default)]
struct Taken {
    /// By their real names.
    claimed: BTreeMap<PathBuf, Use>,
    /// By the names in nbe.toml, which nobody else is to take.
    named: Vec<PathBuf>,
    /// How often it became another port's turn: one was given back, or one that might have been is kept.
    changes: u64,
    /// Who waits for that.
    waiting: Vec<Waker>,
}

/// How far somebody is with a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Nobody has it.
    Free,
    /// Somebody tries to open it, which may fail.
    Opening,
    /// Somebody has it open, or names it.
    Taken,
}

/// One port, taken until this is dropped.
#[derive(Debug)]
pub(in crate::adapter) struct Claim {
    claims: Claims,
    port: PathBuf,
}

/// One port's name, kept for its owner until this is dropped.
#[derive(Debug)]
pub(super) struct Reservation {
    claims: Claims,
    port: PathBuf,
}

/// How somebody came to a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::adapter) enum By {
    /// It was named.
    Name,
    /// It was found; what others name is left to them.
    Search,
}

impl Claims {
    /// Takes a port; `None` if it is not to be had.
    pub(in crate::adapter) fn claim(&self, port: &Path, by: By) -> Option<Claim> {
        let port = real(port);
        let mut taken = self.taken();
        if taken.usage(&port, by) != Use::Free {
            return None;
        }
        taken.claimed.insert(port.clone(), Use::Opening);
        Some(Claim { claims: self.clone(), port })
    }

    /// Whether the port is to be had.
    pub(super) fn usage(&self, port: &Path, by: By) -> Use {
        self.taken().usage(&real(port), by)
    }

    /// Whether the port is named more than once.
    pub(super) fn is_named_twice(&self, port: &Path) -> bool {
        let port = real(port);
        self.taken().named.iter().filter(|named| real(named) == port).count() > 1
    }

    /// Keeps a port for the one that names it.
    pub(super) fn reserve(&self, port: &Path) -> Reservation {
        self.taken().named.push(port.to_owned());
        Reservation { claims: self.clone(), port: port.to_owned() }
    }

    /// Ready when something has changed since `seen`, the count when that was last asked; at once if it never was.
    pub(super) fn poll_changed(&self, cx: &mut Context<'_>, seen: &mut Option<u64>) -> Poll<()> {
        let mut taken = self.taken();
        if seen.replace(taken.changes) != Some(taken.changes) {
            return Poll::Ready(());
        }
        if !taken.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            taken.waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn usage(&self, port: &Path, by: By) -> Use {
        let is_named = || self.named.iter().any(|named| real(named) == port);
        match self.claimed.get(port) {
            _ if by == By::Search && is_named() => Use::Taken,
            Some(usage) => *usage,
            None => Use::Free,
        }
    }

    fn handle_change(&mut self) {
        self.changes += 1;
        self.waiting.drain(..).for_each(Waker::wake);
    }
}

impl Claim {
    /// The port is open, and is to stay so.
    pub(in crate::adapter) fn keep(&self) {
        let mut taken = self.claims.taken();
        taken.claimed.insert(self.port.clone(), Use::Taken);
        taken.handle_change();
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut taken = self.claims.taken();
        taken.claimed.remove(&self.port);
        taken.handle_change();
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut taken = self.claims.taken();
        if let Some(place) = taken.named.iter().position(|named| *named == self.port) {
            taken.named.swap_remove(place);
            taken.handle_change();
        }
    }
}

/// The port's name with links followed, so that one port has one name.
#[cfg(unix)]
fn real(port: &Path) -> PathBuf {
    std::fs::canonicalize(port).unwrap_or_else(|_| port.to_owned())
}

/// The port's name as Windows takes it, so that one port has one name: `COM3`, `com3` and `\\.\COM3` are one. It is not
/// asked for, since that would open the port.
#[cfg(not(unix))]
fn real(port: &Path) -> PathBuf {
    let name = port.to_string_lossy().to_ascii_uppercase();
    name.strip_prefix(r"\\.\").unwrap_or(&name).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A port under two names.
    #[cfg(unix)]
    fn names() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let (port, link) = (dir.path().join("port"), dir.path().join("link"));
        std::fs::write(&port, "").unwrap();
        std::os::unix::fs::symlink(&port, &link).unwrap();
        (dir, port, link)
    }

    #[cfg(not(unix))]
    fn names() -> ((), PathBuf, PathBuf) {
        ((), PathBuf::from("COM12"), PathBuf::from(r"\\.\com12"))
    }

    #[test]
    fn a_port_is_taken_once_under_all_its_names() {
        let (_dir, port, link) = names();

        let claims = Claims::default();
        let claim = claims.claim(&port, By::Search).unwrap();
        assert!(claims.clone().claim(&port, By::Name).is_none());
        assert_eq!(claims.usage(&port, By::Search), Use::Opening);
        claim.keep();
        assert_eq!(claims.usage(&port, By::Search), Use::Taken);
        assert!(claims.claim(&link, By::Name).is_none());
        drop(claim);

        let reservation = claims.reserve(&link);
        assert!(claims.claim(&port, By::Search).is_none(), "kept for the one who names it");
        assert!(claims.claim(&link, By::Name).is_some());
        assert!(!claims.is_named_twice(&port));
        let second = claims.reserve(&port);
        assert!(claims.is_named_twice(&port) && claims.is_named_twice(&link));
        drop(second);
        drop(reservation);
        assert!(claims.claim(&port, By::Search).is_some());
    }
}
