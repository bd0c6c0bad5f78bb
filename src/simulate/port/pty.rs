//! A port of its own: a pseudo-terminal under a name of its own, which behaves as a dongle's would.

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, QueueSelector, ioctl_tiocnxcl, tcflush, tcgetattr, tcsetattr};

use crate::simulate::error::SimulateError;

/// A pseudo-terminal and the link that leads to it.
#[derive(Debug)]
pub(in crate::simulate) struct Pty {
    /// First, so that the name is gone before a host learns that the dongle is.
    _link: Link,
    controller: OwnedFd,
    /// Held open so that a host that closes the port does not end it.
    terminal: OwnedFd,
    hosts: Hosts,
}

impl Pty {
    /// How much may lie unread at the host before the dongle has to keep it, in bytes: a terminal's input queue.
    const UNREAD: u64 = 2048;

    /// Makes a pseudo-terminal and has `link` lead to it.
    pub(super) fn open(link: &Path) -> Result<Self, SimulateError> {
        let (controller, terminal, path) = open_pair().map_err(|error| SimulateError::Pty(error.into()))?;
        let hosts = Hosts::watch(&path).map_err(|error| SimulateError::Pty(error.into()))?;
        let link = Link::place(link, &path)?;
        Ok(Self { _link: link, controller, terminal, hosts })
    }

    /// What to wait on: the host's bytes, and who opens and closes.
    pub(super) fn descriptors(&self) -> (BorrowedFd<'_>, Option<BorrowedFd<'_>>) {
        (self.controller.as_fd(), self.hosts.descriptor())
    }

    /// Takes the host's bytes, none if there are none.
    pub(super) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match rustix::io::read(&self.controller, buffer) {
            Err(Errno::AGAIN | Errno::INTR) => Ok(0),
            result => Ok(result?),
        }
    }

    /// Gives the host bytes; how many it could take.
    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        match rustix::io::write(&self.controller, bytes) {
            Err(Errno::AGAIN | Errno::INTR) => Ok(0),
            result => Ok(result?),
        }
    }

    /// Whether the host reads what it is given, or at least has room for it.
    pub(super) fn has_room(&self) -> bool {
        rustix::io::ioctl_fionread(&self.terminal).is_ok_and(|unread| unread < Self::UNREAD)
    }

    /// Whether a program has the port open. When the last one closes it, what it has not read is lost and the next
    /// finds the port as new.
    pub(super) fn has_host(&mut self) -> io::Result<bool> {
        let (before, after) = self.hosts.count()?;
        if before && !after {
            tcflush(&self.terminal, QueueSelector::IFlush)?;
            ioctl_tiocnxcl(&self.terminal)?;
            make_raw(&self.terminal)?;
        }
        Ok(after)
    }
}

/// A controller that does not block, its terminal in raw mode, and the terminal's path.
fn open_pair() -> rustix::io::Result<(OwnedFd, OwnedFd, PathBuf)> {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    rustix::io::fcntl_setfd(&controller, rustix::io::FdFlags::CLOEXEC)?;
    rustix::io::ioctl_fionbio(&controller, true)?;
    grantpt(&controller)?;
    unlockpt(&controller)?;
    let name = ptsname(&controller, Vec::new())?;
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let terminal = rustix::fs::open(name.as_c_str(), flags, Mode::empty())?;
    make_raw(&terminal)?;
    Ok((controller, terminal, PathBuf::from(name.to_string_lossy().as_ref())))
}

fn make_raw(terminal: &OwnedFd) -> rustix::io::Result<()> {
    let mut termios = tcgetattr(terminal)?;
    termios.make_raw();
    tcsetattr(terminal, OptionalActions::Now, &termios)
}

/// The name under which programs find the port; gone when dropped.
#[derive(Debug)]
struct Link {
    path: PathBuf,
    target: PathBuf,
}

impl Link {
    /// Puts the link there at once, in the place of an older link but of nothing else.
    fn place(path: &Path, target: &Path) -> Result<Self, SimulateError> {
        let failed = |source| SimulateError::Link { link: path.to_owned(), source };
        match fs::symlink_metadata(path) {
            Ok(found) if !found.file_type().is_symlink() => {
                return Err(SimulateError::NotALink { link: path.to_owned() });
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            Ok(_) | Err(_) => {}
        }
        let Some(name) = path.file_name() else { return Err(failed(io::ErrorKind::InvalidInput.into())) };
        let mut temporary = std::ffi::OsString::from(".");
        temporary.push(name);
        temporary.push(format!(".{}", std::process::id()));
        let temporary = path.with_file_name(temporary);
        let _ = fs::remove_file(&temporary); // left by a process that was killed
        std::os::unix::fs::symlink(target, &temporary).map_err(failed)?;
        fs::rename(&temporary, path).map_err(|error| {
            let _ = fs::remove_file(&temporary);
            failed(error)
        })?;
        Ok(Self { path: path.to_owned(), target: target.to_owned() })
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // Another dongle may have taken the name over.
        if fs::read_link(&self.path).is_ok_and(|target| target == self.target) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The programs that have the terminal open.
#[cfg(target_os = "linux")]
#[derive(Debug)]
struct Hosts {
    inotify: OwnedFd,
    terminal: PathBuf,
    open: usize,
}

#[cfg(target_os = "linux")]
impl Hosts {
    fn watch(terminal: &Path) -> rustix::io::Result<Self> {
        use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};
        let inotify = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        add_watch(&inotify, terminal, WatchFlags::OPEN | WatchFlags::CLOSE_WRITE | WatchFlags::CLOSE_NOWRITE)?;
        Ok(Self { inotify, terminal: terminal.to_owned(), open: 0 })
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.inotify.as_fd())
    }

    /// Whether there was one at some time since the last call, and whether there is one now.
    fn count(&mut self) -> rustix::io::Result<(bool, bool)> {
        use rustix::fs::inotify::{ReadFlags, Reader};
        let mut was_open = self.open > 0;
        let mut last = None;
        let mut buffer = [std::mem::MaybeUninit::uninit(); 1024];
        let mut events = Reader::new(&self.inotify, &mut buffer);
        loop {
            match events.next() {
                Ok(event) => {
                    let is_open = event.events().contains(ReadFlags::OPEN);
                    was_open |= is_open;
                    last = Some(is_open);
                }
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
        if let Some(was_opened_last) = last {
            // Like events in a row come as one, so events cannot be counted; the descriptors can, less our own. Those of
            // another account cannot either: then the last event has to do.
            let others = crate::holder::holders(|target| target == self.terminal).count().saturating_sub(1);
            self.open = others.max(usize::from(was_opened_last));
        }
        Ok((was_open, self.open > 0))
    }
}

/// Elsewhere nobody tells who opens a terminal: there is always a host.
#[cfg(not(target_os = "linux"))]
#[derive(Debug)]
struct Hosts;

#[cfg(not(target_os = "linux"))]
impl Hosts {
    fn watch(_: &Path) -> rustix::io::Result<Self> {
        Ok(Self)
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    fn count(&mut self) -> rustix::io::Result<(bool, bool)> {
        Ok((true, true))
    }
}
