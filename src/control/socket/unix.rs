//! A Unix socket; who may do what is decided by the account at the other end.

mod lock; // who may have the socket

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect as connect_to, socket_with, sockopt,
};
use tokio::net::UnixListener;

use self::lock::{Lock, identity, permit};
use crate::control::Access;

/// The socket's name in its directory.
const NAME: &str = "control.sock";

/// Where the package's unit has its runtime directory.
const RUNTIME: &str = "/run/nbe";

/// A connection.
pub type Stream = tokio::net::UnixStream;

/// The socket that others connect to; dropped, it is gone from the file system too.
#[derive(Debug)]
pub struct Listener {
    inner: UnixListener,
    path: PathBuf,
    /// By which our own is known from one that has taken its place.
    identity: Option<(u64, u64)>,
    /// Let go after the socket, as fields are dropped last.
    _lock: Lock,
}

/// Why there is no control socket.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// A living daemon has it.
    #[error("nbe runs already{} and answers at {}", process(*.pid), .path.display())]
    Taken {
        /// Where.
        path: PathBuf,
        /// Its process id, where the system tells.
        pid: Option<i32>,
    },
    /// Another one has the lock, and does not answer.
    #[error("another nbe starts or ends just now: it holds {}", .lock.display())]
    Held {
        /// The lock.
        lock: PathBuf,
    },
    /// Whoever owns the directory could answer in the daemon's place.
    #[error(
        "{} belongs to another account (number {owner}), which could answer in its place; name a directory of this \
         account with RUNTIME_DIRECTORY",
        .directory.display()
    )]
    Foreign {
        /// The directory.
        directory: PathBuf,
        /// Its owner.
        owner: u32,
    },
    /// Something else stands there.
    #[error("{} is no socket, and is left alone", .path.display())]
    NoSocket {
        /// Where.
        path: PathBuf,
    },
    /// The system refuses.
    #[error("cannot listen at {}: {source}", .path.display())]
    Failed {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

fn process(pid: Option<i32>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}

impl BindError {
    /// Whether it is another daemon that is in the way.
    pub fn is_by_a_daemon(&self) -> bool {
        matches!(self, Self::Taken { .. } | Self::Held { .. })
    }
}

impl Listener {
    /// Listens at `path`, in place of a daemon that has died there; must be called inside a tokio runtime.
    ///
    /// # Errors
    /// If a living one listens there, or something else is in the way.
    pub fn bind(path: &Path) -> Result<Self, BindError> {
        let failed = |source: io::Error| BindError::Failed { path: path.to_owned(), source };
        // From here on nobody else looks, removes and binds.
        let lock = Lock::take(path)?;
        match fs::symlink_metadata(path) {
            Ok(found) if !found.file_type().is_socket() => return Err(BindError::NoSocket { path: path.to_owned() }),
            Ok(_) => match listening(path).map_err(failed)? {
                Some(pid) => return Err(BindError::Taken { path: path.to_owned(), pid }),
                None => fs::remove_file(path).map_err(failed)?,
            },
            Err(_) => {}
        }
        let inner = UnixListener::bind(path).map_err(failed)?;
        let identity = fs::symlink_metadata(path).ok().map(|found| identity(&found));
        let mut listener = Self { inner, path: path.to_owned(), identity, _lock: lock };
        // Everybody may connect: who it is decides what they may do.
        listener.identity = Some(permit(path, FileTypeExt::is_socket, 0o666).map_err(failed)?);
        Ok(listener)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for somebody, and says what they may do. May be dropped and called again at any time.
    ///
    /// # Errors
    /// If the system cannot let them in.
    pub async fn accept(&self) -> io::Result<(Stream, Access)> {
        let (stream, _) = self.inner.accept().await?;
        let own = rustix::process::geteuid().as_raw();
        let access = stream.peer_cred().map_or(Access::Look, |peer| Access::of_account(peer.uid(), own));
        Ok((stream, access))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let found = fs::symlink_metadata(&self.path).ok().map(|found| identity(&found));
        if found.is_some() && found == self.identity {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Whether somebody listens at a socket, and which process if that can be told.
fn listening(path: &Path) -> io::Result<Option<Option<i32>>> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    match connect_to(&socket, &SocketAddrUnix::new(path)?) {
        Ok(()) => Ok(Some(peer(&socket))),
        // As many wait there as may.
        Err(Errno::AGAIN) => Ok(Some(None)),
        // Nobody has the other end, which is what a daemon that was killed leaves behind.
        Err(Errno::CONNREFUSED | Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(target_os = "linux")]
fn peer(socket: &impl std::os::fd::AsFd) -> Option<i32> {
    sockopt::socket_peercred(socket).ok().map(|peer| peer.pid.as_raw_nonzero().get())
}

#[cfg(not(target_os = "linux"))]
fn peer(_: &impl std::os::fd::AsFd) -> Option<i32> {
    None
}

/// Where a daemon of this account has its socket: the service manager's runtime directory, else the package's where it
/// may be written or made, else that of the login; else nowhere.
pub fn own_place() -> Option<PathBuf> {
    let is_writable = |path: &&Path| rustix::fs::access(*path, rustix::fs::Access::WRITE_OK).is_ok();
    let packaged = || Some(Path::new(RUNTIME)).filter(is_writable).map(Path::to_owned);
    let makeable = || {
        let runtime = Path::new(RUNTIME);
        runtime.parent().filter(|_| !runtime.exists()).filter(is_writable).map(|_| runtime.to_owned())
    };
    given().or_else(packaged).or_else(makeable).or_else(of_login).map(|directory| directory.join(NAME))
}

/// Where a command looks for a daemon's socket, in this order.
pub fn places() -> Vec<PathBuf> {
    let directories = given().into_iter().chain([PathBuf::from(RUNTIME)]).chain(of_login());
    directories.map(|directory| directory.join(NAME)).collect()
}

/// A daemon that lives at another of the places; not looked for where the service manager has given this one its own.
pub fn elsewhere(own: Option<&Path>) -> Option<BindError> {
    let others = if given().is_some() { Vec::new() } else { places() };
    others.into_iter().filter(|path| Some(path.as_path()) != own).find_map(|path| match listening(&path) {
        Ok(Some(pid)) => Some(BindError::Taken { path, pid }),
        // Nobody, or not to be told by this account.
        Ok(None) | Err(_) => None,
    })
}

/// The runtime directory that the service manager has made; of several, the first.
fn given() -> Option<PathBuf> {
    let directories = std::env::var_os("RUNTIME_DIRECTORY")?;
    let first = std::env::split_paths(&directories).next()?;
    first.is_absolute().then_some(first)
}

/// That of the login, unless it is another account's, as it can be after `su` and `sudo -E`.
fn of_login() -> Option<PathBuf> {
    let directory = PathBuf::from(std::env::var_os("XDG_RUNTIME_DIR")?);
    let is_own = || fs::metadata(&directory).is_ok_and(|found| found.uid() == rustix::process::geteuid().as_raw());
    (directory.is_absolute() && is_own()).then(|| directory.join("nbe"))
}

/// Connects to a daemon.
///
/// # Errors
/// If none listens there, or it may not be asked.
pub(super) async fn connect(path: &Path) -> io::Result<Stream> {
    Stream::connect(path).await
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn place() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nbe").join(NAME);
        (folder, path)
    }

    #[tokio::test]
    async fn a_dead_daemons_socket_is_replaced_and_a_living_ones_is_not() {
        let (_folder, path) = place();
        let first = Listener::bind(&path).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o666, 0o755));
        let error = Listener::bind(&path).unwrap_err().to_string();
        assert!(error.contains("nbe runs already") && error.contains(path.to_str().unwrap()), "{error}");
        #[cfg(target_os = "linux")]
        assert!(error.contains(&format!("process {}", std::process::id())), "{error}");
        drop(first);
        assert!(!path.parent().unwrap().exists(), "it is gone with its daemon, and what was made for it");
        fs::create_dir(path.parent().unwrap()).unwrap();
        // A daemon that is killed leaves its socket behind.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        Listener::bind(&path).unwrap();
    }

    #[tokio::test]
    async fn nothing_but_our_own_socket_is_removed() {
        let (_folder, path) = place();
        fs::create_dir(path.parent().unwrap()).unwrap();
        fs::write(&path, "a file").unwrap();
        assert!(matches!(Listener::bind(&path), Err(BindError::NoSocket { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), "a file");
        fs::remove_file(&path).unwrap();
        let ours = Listener::bind(&path).unwrap();
        fs::remove_file(&path).unwrap();
        assert!(matches!(Listener::bind(&path), Err(BindError::Held { .. })), "it is not done yet");
        fs::remove_file(path.with_extension("lock")).unwrap();
        let theirs = Listener::bind(&path).unwrap();
        drop(ours);
        assert!(path.exists() && path.with_extension("lock").exists(), "another has taken the place");
        drop(theirs);
        fs::remove_dir(path.parent().unwrap()).unwrap();
        let long = path.parent().unwrap().join("x".repeat(120));
        assert!(Listener::bind(&long).unwrap_err().to_string().contains("cannot listen at"));
        assert!(!path.parent().unwrap().exists(), "what was made for nothing is removed");
    }

    #[test]
    fn of_many_that_start_together_one_has_the_socket() {
        let (_folder, path) = place();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let start = std::sync::Barrier::new(4);
        let bind = || {
            let _inside = runtime.enter();
            start.wait();
            Listener::bind(&path)
        };
        for round in 0..50 {
            // In place of one that was killed.
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
            let bound: Vec<_> = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..4).map(|_| scope.spawn(bind)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            let others: Vec<_> = bound.iter().filter_map(|bound| bound.as_ref().err()).collect();
            assert!(others.len() == 3 && others.iter().all(|error| error.is_by_a_daemon()), "{round}: {others:?}");
        }
    }

    #[tokio::test]
    async fn who_is_at_the_other_end_decides() {
        let (_folder, path) = place();
        let listener = Listener::bind(&path).unwrap();
        let (ours, theirs) = tokio::join!(connect(&path), listener.accept());
        assert!(ours.is_ok());
        assert_eq!(theirs.unwrap().1, Access::Change, "the daemon's own account");
    }
}
