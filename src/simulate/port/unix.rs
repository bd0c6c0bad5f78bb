//! A terminal, and poll(2).

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::Place;
use super::pty::Pty;
use super::tty::Tty;
use crate::simulate::error::SimulateError;

/// The dongle's end of the wire.
#[derive(Debug)]
pub(in crate::simulate) enum Port {
    /// A pseudo-terminal, which knows whether a host has it open.
    Pty(Pty),
    /// A given device, behind which there may always be a host.
    Tty(Tty),
}

impl Port {
    /// What to wait on: the host's bytes, and who opens and closes.
    fn descriptors(&self) -> (BorrowedFd<'_>, Option<BorrowedFd<'_>>) {
        match self {
            Self::Pty(pty) => pty.descriptors(),
            Self::Tty(tty) => (tty.descriptor(), None),
        }
    }

    /// Takes the host's bytes, none if there are none.
    pub(in crate::simulate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Pty(pty) => pty.read(buffer),
            Self::Tty(tty) => tty.read(buffer),
        }
    }

    /// Gives the host bytes; how many it could take.
    pub(in crate::simulate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Pty(pty) if pty.has_room() => pty.write(bytes),
            Self::Pty(_) => Ok(0),
            Self::Tty(tty) => tty.write(bytes),
        }
    }

    /// Whether a program may have the port open.
    pub(in crate::simulate) fn has_host(&mut self) -> io::Result<bool> {
        match self {
            Self::Pty(pty) => pty.has_host(),
            Self::Tty(_) => Ok(true),
        }
    }
}

/// Wakes the thread; when it is dropped the thread ends.
#[derive(Debug)]
pub(in crate::simulate) struct Ringer(PipeWriter);

impl Ringer {
    pub(in crate::simulate) fn ring(&self) {
        // A thread that has ended needs no waking.
        let _ = (&self.0).write(&[0]);
    }
}

/// What the thread waits with.
#[derive(Debug)]
pub(in crate::simulate) struct Waiter(PipeReader);

impl Waiter {
    pub(in crate::simulate) fn new() -> io::Result<(Self, Ringer)> {
        let (woken, wake) = io::pipe()?;
        Ok((Self(woken), Ringer(wake)))
    }

    /// Opens the port, under another name beside a link's own if there is one.
    pub(in crate::simulate) fn open(&self, place: &Place, name: Option<&Path>) -> Result<Port, SimulateError> {
        match place {
            Place::Link(link) => {
                let beside = |name: &Path| link.parent().map_or_else(|| name.to_owned(), |folder| folder.join(name));
                Pty::open(&name.map_or_else(|| link.clone(), beside)).map(Port::Pty)
            }
            Place::Device(device) => {
                let failed = |source| SimulateError::Device { device: device.clone(), source };
                Tty::open(device).map(Port::Tty).map_err(failed)
            }
        }
    }

    /// Sleeps until the port has something, the thread is woken, or the time is over. False when the thread is to end.
    pub(in crate::simulate) fn wait(
        &mut self,
        port: Option<&mut Port>,
        wants_bytes: bool,
        timeout: Option<Duration>,
    ) -> io::Result<bool> {
        let timeout = timeout.map(|span| Timespec {
            tv_sec: i64::try_from(span.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: span.subsec_nanos().into(),
        });
        let mut waiting = vec![PollFd::new(&self.0, PollFlags::IN)];
        if let Some(port) = &port {
            let (bytes, hosts) = port.descriptors();
            if wants_bytes {
                waiting.push(PollFd::from_borrowed_fd(bytes, PollFlags::IN));
            }
            waiting.extend(hosts.map(|hosts| PollFd::from_borrowed_fd(hosts, PollFlags::IN)));
        }
        match poll(&mut waiting, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let is_woken = !waiting[0].revents().is_empty();
        Ok(!is_woken || self.0.read(&mut [0; 64])? > 0)
    }
}
