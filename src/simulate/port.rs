//! What carries a virtual dongle's bytes, and what its thread waits for.

#[cfg(windows)]
mod pipe; // a named pipe
#[cfg(unix)]
mod pty; // a port of its own
#[cfg(unix)]
mod tty; // a port that is there already
#[cfg(unix)]
mod unix;

use std::path::{Path, PathBuf};

#[cfg(windows)]
pub(super) use self::pipe::{Port, Ringer, Waiter};
#[cfg(unix)]
pub(super) use self::unix::{Port, Ringer, Waiter};

/// Where the port is.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// At one of its own, which this leads to: the link to a pseudo-terminal, or the name of a pipe.
    Link(PathBuf),
    /// At this device.
    #[cfg(unix)]
    Device(PathBuf),
}

impl Place {
    /// Its name.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Link(path) => path,
            #[cfg(unix)]
            Self::Device(path) => path,
        }
    }

    /// Whether it is there without the dongle, so that it may hang up and come back.
    pub(super) fn is_given(&self) -> bool {
        !matches!(self, Self::Link(_))
    }
}
