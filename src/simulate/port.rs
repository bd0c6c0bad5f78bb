//! What carries a virtual dongle's bytes.

use std::io;
use std::os::fd::BorrowedFd;

use super::pty::Pty;
use super::tty::Tty;

/// The dongle's end of the wire.
#[derive(Debug)]
pub(super) enum Port {
    /// A pseudo-terminal, which knows whether a host has it open.
    Pty(Pty),
    /// A given device, behind which there may always be a host.
    Tty(Tty),
}

impl Port {
    /// What to wait on: the host's bytes, and who opens and closes.
    pub(super) fn descriptors(&self) -> (BorrowedFd<'_>, Option<BorrowedFd<'_>>) {
        match self {
            Self::Pty(pty) => pty.descriptors(),
            Self::Tty(tty) => (tty.descriptor(), None),
        }
    }

    /// Takes the host's bytes, none if there are none.
    pub(super) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Pty(pty) => pty.read(buffer),
            Self::Tty(tty) => tty.read(buffer),
        }
    }

    /// Gives the host bytes; how many it could take.
    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Pty(pty) if pty.has_room() => pty.write(bytes),
            Self::Pty(_) => Ok(0),
            Self::Tty(tty) => tty.write(bytes),
        }
    }

    /// Whether a program may have the port open.
    pub(super) fn has_host(&mut self) -> io::Result<bool> {
        match self {
            Self::Pty(pty) => pty.has_host(),
            Self::Tty(_) => Ok(true),
        }
    }
}
