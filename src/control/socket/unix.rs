//! A Unix socket; who may do what is decided by the account at the other end.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect as connect_to, socket_with, sockopt,
};
use tokio::net::UnixListener;

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
    /// Device and inode, by which our own is known from one that has taken its place.
    identity: Option<(u64, u64)>,
}

/// Why there is no control socket.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// A living daemon has it.
    #[error("another daemon{} answers at {}", process(*.pid), .path.display())]
    Taken {
        /// Where.
        path: PathBuf,
        /// Its process id, where the system tells.
        pid: Option<i32>,
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

impl Listener {
    /// Listens at `path`, in place of a daemon that has died there; must be called inside a tokio runtime.
    ///
    /// # Errors
    /// If a living one listens there, or something else is in the way.
    pub fn bind(path: &Path) -> Result<Self, BindError> {
        let failed = |source: io::Error| BindError::Failed { path: path.to_owned(), source };
        match fs::symlink_metadata(path) {
            Ok(found) if !found.file_type().is_socket() => return Err(BindError::NoSocket { path: path.to_owned() }),
            Ok(_) => match listening(path) {
                Some(pid) => return Err(BindError::Taken { path: path.to_owned(), pid }),
                None => fs::remove_file(path).map_err(failed)?,
            },
            Err(_) => make_directory(path).map_err(failed)?,
        }
        let inner = UnixListener::bind(path).map_err(failed)?;
        let identity = fs::symlink_metadata(path).ok().map(|found| (found.dev(), found.ino()));
        let listener = Self { inner, path: path.to_owned(), identity };
        // Everybody may connect: who it is decides what they may do.
        fs::set_permissions(path, fs::Permissions::from_mode(0o666)).map_err(failed)?;
        Ok(listener)
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
        let found = fs::symlink_metadata(&self.path).ok().map(|found| (found.dev(), found.ino()));
        if found.is_some() && found == self.identity {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Whether somebody listens at a socket, and which process if that can be told.
fn listening(path: &Path) -> Option<Option<i32>> {
    let try_it = || {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        let connected = connect_to(&socket, &SocketAddrUnix::new(path)?);
        Ok((socket, connected))
    };
    match try_it() {
        Ok((socket, Ok(()))) => Some(peer(&socket)),
        // Nobody has the other end, which is what a daemon that was killed leaves behind.
        Ok((_, Err(Errno::CONNREFUSED | Errno::NOENT))) => None,
        // Alive and busy, or not to be told apart from that.
        Ok((_, Err(_))) | Err::<_, Errno>(_) => Some(None),
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

/// Makes the socket's own directory where it is missing, for this account alone.
fn make_directory(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(directory) if !directory.is_dir() => fs::DirBuilder::new().mode(0o700).create(directory),
        _ => Ok(()),
    }
}

/// Where a daemon of this account has its socket: the service manager's runtime directory, else the package's where it
/// may be written, else that of the login; else nowhere.
pub fn own_place() -> Option<PathBuf> {
    let packaged = Some(PathBuf::from(RUNTIME));
    let packaged = packaged.filter(|path| rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok());
    given().or(packaged).or_else(of_login).map(|directory| directory.join(NAME))
}

/// Where a command looks for a daemon's socket, in this order.
pub fn places() -> Vec<PathBuf> {
    let directories = given().into_iter().chain([PathBuf::from(RUNTIME)]).chain(of_login());
    directories.map(|directory| directory.join(NAME)).collect()
}

/// The runtime directory that the service manager has made; of several, the first.
fn given() -> Option<PathBuf> {
    let directories = std::env::var_os("RUNTIME_DIRECTORY")?;
    let first = std::env::split_paths(&directories).next()?;
    first.is_absolute().then_some(first)
}

fn of_login() -> Option<PathBuf> {
    let directory = PathBuf::from(std::env::var_os("XDG_RUNTIME_DIR")?);
    directory.is_absolute().then(|| directory.join("nbe"))
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
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o666);
        let error = Listener::bind(&path).unwrap_err().to_string();
        assert!(error.contains("another daemon") && error.contains(path.to_str().unwrap()), "{error}");
        #[cfg(target_os = "linux")]
        assert!(error.contains(&format!("process {}", std::process::id())), "{error}");
        drop(first);
        assert!(!path.exists(), "it is gone with its daemon");
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
        let theirs = Listener::bind(&path).unwrap();
        drop(ours);
        assert!(path.exists(), "another has taken the place");
        drop(theirs);
        let long = path.parent().unwrap().join("x".repeat(120));
        assert!(Listener::bind(&long).unwrap_err().to_string().contains("cannot listen at"));
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
