//! Which ports this daemon's dongles have taken, so that no two take the same.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// The ports taken by all dongles of one daemon; to be cloned for each of them.
#[derive(Clone, Debug, Default)]
pub struct Claims(Arc<Mutex<Taken>>);

#[derive(Debug, Default)]
struct Taken {
    /// By their real names.
    open: BTreeSet<PathBuf>,
    /// By the names in nbe.toml, which nobody else is to take.
    named: Vec<PathBuf>,
    /// How often a port was given back.
    releases: u64,
    /// Who waits for that.
    waiting: Vec<Waker>,
}

/// One port, taken until this is dropped.
#[derive(Debug)]
pub(super) struct Claim {
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
pub(super) enum By {
    /// It was named.
    Name,
    /// It was found; what others name is left to them.
    Search,
}

impl Claims {
    /// Takes a port; `None` if it is not to be had.
    pub(super) fn claim(&self, port: &Path, by: By) -> Option<Claim> {
        let port = real(port);
        let mut taken = self.taken();
        let free = taken.is_free(&port, by) && taken.open.insert(port.clone());
        free.then(|| Claim { claims: self.clone(), port })
    }

    /// Whether the port is to be had.
    pub(super) fn is_free(&self, port: &Path, by: By) -> bool {
        self.taken().is_free(&real(port), by)
    }

    /// Keeps a port for the one that names it.
    pub(super) fn reserve(&self, port: &Path) -> Reservation {
        self.taken().named.push(port.to_owned());
        Reservation { claims: self.clone(), port: port.to_owned() }
    }

    /// Ready when a port was given back since `seen`, the count when that was last asked; at once if it never was.
    pub(super) fn poll_released(&self, cx: &mut Context<'_>, seen: &mut Option<u64>) -> Poll<()> {
        let mut taken = self.taken();
        if seen.replace(taken.releases) != Some(taken.releases) {
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
    fn is_free(&self, port: &Path, by: By) -> bool {
        let is_named = || self.named.iter().any(|named| real(named) == port);
        !self.open.contains(port) && (by == By::Name || !is_named())
    }

    fn handle_release(&mut self) {
        self.releases += 1;
        self.waiting.drain(..).for_each(Waker::wake);
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut taken = self.claims.taken();
        taken.open.remove(&self.port);
        taken.handle_release();
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut taken = self.claims.taken();
        if let Some(place) = taken.named.iter().position(|named| *named == self.port) {
            taken.named.swap_remove(place);
            taken.handle_release();
        }
    }
}

/// The port's name with links followed, so that one port has one name.
fn real(port: &Path) -> PathBuf {
    std::fs::canonicalize(port).unwrap_or_else(|_| port.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_taken_once_under_all_its_names() {
        let dir = tempfile::tempdir().unwrap();
        let (port, link) = (dir.path().join("port"), dir.path().join("link"));
        std::fs::write(&port, "").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(&port, &link).unwrap();
        #[cfg(not(unix))]
        std::fs::hard_link(&port, &link).unwrap();

        let claims = Claims::default();
        let claim = claims.claim(&port, By::Search).unwrap();
        assert!(claims.clone().claim(&port, By::Name).is_none() && !claims.is_free(&port, By::Search));
        #[cfg(unix)]
        assert!(claims.claim(&link, By::Name).is_none());
        drop(claim);

        let reservation = claims.reserve(&link);
        #[cfg(unix)]
        assert!(claims.claim(&port, By::Search).is_none(), "kept for the one who names it");
        assert!(claims.claim(&link, By::Name).is_some());
        drop(reservation);
        assert!(claims.claim(&port, By::Search).is_some());
    }
}
