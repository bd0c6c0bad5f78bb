//! Two named pipes; who may do what is decided by the one that their access list lets them open.

use std::fs::{File, OpenOptions};
use std::io;
use std::num::NonZeroU8;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::OwnedHandle;
use std::path::{Path, PathBuf};
use std::time::Duration;

use interprocess::os::windows::named_pipe::pipe_mode::Bytes;
use interprocess::os::windows::named_pipe::tokio::{DuplexPipeStream, PipeListener};
use interprocess::os::windows::named_pipe::{PipeListenerOptions, PipeMode};
use interprocess::os::windows::security_descriptor::SecurityDescriptor;
use tokio::time::Instant;
use widestring::U16CString;

use crate::control::Access;

/// Where everybody who has logged in may look.
const NAME: &str = r"\\.\pipe\nbe-control";

/// What is added to the name of the pipe for those who may change.
const ADMIN: &str = "-admin";

/// FILE_GENERIC_READ | FILE_WRITE_DATA | FILE_WRITE_ATTRIBUTES: to talk through a pipe, but not to make another one of
/// the same name, behind which others would then be answered.
const TALK: u32 = 0x0012_018b;

/// FILE_FLAG_OVERLAPPED: reading and writing can be waited for.
const OVERLAPPED: u32 = 0x4000_0000;

/// SECURITY_IDENTIFICATION: whoever is at the other end may see who this is, and not act as them.
const IDENTIFICATION: u32 = 0x0001_0000;

/// ERROR_PIPE_BUSY: everybody's end of it is taken just now.
const PIPE_BUSY: i32 = 231;

/// The most ends of one pipe: all that may be connected, one that is told that they are too many, one that waits.
const INSTANCES: NonZeroU8 = NonZeroU8::new(10).unwrap();

/// How long somebody waits for an end of the pipe, and how often they look for one.
const PATIENCE: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A connection.
pub type Stream = DuplexPipeStream<Bytes>;

/// The pipes that others connect to.
#[derive(Debug)]
pub struct Listener {
    path: PathBuf,
    look: PipeListener<Bytes, Bytes>,
    change: PipeListener<Bytes, Bytes>,
}

/// Why there is no control pipe.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another program has the name; which one is not asked.
    #[error("something answers at {}; it may be nbe", .path.display())]
    Taken {
        /// The name.
        path: PathBuf,
    },
    /// The system refuses.
    #[error("cannot listen at {}: {source}", .path.display())]
    Failed {
        /// The name.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl BindError {
    /// Whether it is another daemon that is in the way.
    pub fn is_by_a_daemon(&self) -> bool {
        matches!(self, Self::Taken { .. })
    }
}

impl Listener {
    /// Makes the pipe of this name, and the one beside it for those who may change; must be called inside a tokio
    /// runtime.
    ///
    /// # Errors
    /// If another program has the name, or the system refuses.
    pub fn bind(path: &Path) -> Result<Self, BindError> {
        // Both: the system, administrators, and the account that makes the pipe. To look: everybody who has logged in.
        let everything = "(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;OW)";
        let look = listen(path, &format!("D:P{everything}(A;;{TALK:#x};;;AU)"))?;
        let change = listen(&admin(path), &format!("D:P{everything}"))?;
        Ok(Self { path: path.to_owned(), look, change })
    }

    /// The name of the one for everybody.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for somebody, and says what they may do. May be dropped and called again at any time.
    ///
    /// # Errors
    /// If the system cannot let them in.
    pub async fn accept(&self) -> io::Result<(Stream, Access)> {
        tokio::select! {
            stream = self.look.accept() => Ok((stream?, Access::Look)),
            stream = self.change.accept() => Ok((stream?, Access::Change)),
        }
    }
}

/// Makes a pipe on which nobody from another machine is let in; `sddl` is its access list as text.
fn listen(path: &Path, sddl: &str) -> Result<PipeListener<Bytes, Bytes>, BindError> {
    // The system refuses a second pipe of the name too, but older Wine does not.
    if !open(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        return Err(BindError::Taken { path: path.to_owned() });
    }
    let try_it = || {
        let sddl = U16CString::from_str(sddl).map_err(io::Error::other)?;
        let name = U16CString::from_os_str(path.as_os_str()).map_err(io::Error::other)?;
        let mut options = PipeListenerOptions::new();
        options.path = name.into();
        options.mode = PipeMode::Bytes;
        // Whoever does not read what was last written to them has their end kept open: not more of them than this.
        options.instance_limit = Some(INSTANCES);
        options.security_descriptor = Some(SecurityDescriptor::deserialize(&sddl)?);
        options.create_tokio_duplex::<Bytes>()
    };
    try_it().map_err(|source| match source.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::AddrInUse => BindError::Taken { path: path.to_owned() },
        _ => BindError::Failed { path: path.to_owned(), source },
    })
}

fn admin(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ADMIN);
    name.into()
}

/// Where a daemon has its pipes.
pub fn own_place() -> Option<PathBuf> {
    Some(NAME.into())
}

/// Where a command looks for a daemon, in this order: a pipe on which it may change, else one on which it may look.
pub fn places() -> Vec<PathBuf> {
    vec![admin(Path::new(NAME)), NAME.into()]
}

/// A daemon that lives at another of the places; here is only one.
pub fn elsewhere(_: Option<&Path>) -> Option<BindError> {
    None
}

/// Connects to a daemon; must be called inside a tokio runtime.
///
/// # Errors
/// If none listens there, or it may not be asked.
pub(super) async fn connect(path: &Path) -> io::Result<Stream> {
    let since = Instant::now();
    let opened = loop {
        match open(path) {
            Err(error) if error.raw_os_error() == Some(PIPE_BUSY) && since.elapsed() < PATIENCE => {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            opened => break opened?,
        }
    };
    Stream::try_from(OwnedHandle::from(opened)).map_err(|_| io::Error::other("it is no pipe of bytes"))
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.access_mode(TALK).custom_flags(OVERLAPPED).security_qos_flags(IDENTIFICATION).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str) -> PathBuf {
        format!(r"\\.\pipe\nbe-test-{}-{name}", std::process::id()).into()
    }

    #[tokio::test]
    async fn the_pipe_decides_what_one_may_do() {
        let path = place("access");
        let listener = Listener::bind(&path).unwrap();
        let (ours, theirs) = tokio::join!(connect(&path), listener.accept());
        assert_eq!((ours.is_ok(), theirs.unwrap().1), (true, Access::Look));
        let admin = admin(&path);
        let (ours, theirs) = tokio::join!(connect(&admin), listener.accept());
        assert_eq!((ours.is_ok(), theirs.unwrap().1), (true, Access::Change));
    }

    #[tokio::test]
    async fn a_living_daemons_name_is_not_taken() {
        let path = place("taken");
        assert_eq!(connect(&path).await.unwrap_err().kind(), io::ErrorKind::NotFound);
        let first = Listener::bind(&path).unwrap();
        let second = Listener::bind(&path);
        assert!(matches!(second, Err(BindError::Taken { .. })), "{second:?}");
        drop(first);
        Listener::bind(&path).unwrap();
    }
}
