//! A terminal, locked against others.

use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{ControlModes, OptionalActions};
use tokio_serial::{ClearBuffer, SerialPort as _, SerialStream};

use super::{OpenFailure, Refusal, access, builder, denied, failed};

pub(in crate::adapter) type Native = serialport::TTYPort;

/// An open port.
pub(in crate::adapter) type Stream = SerialStream;

pub(super) struct Inside;

impl Inside {
    pub(super) fn current() -> Self {
        Self
    }

    pub(super) fn open(&self, port: &Path) -> Result<Native, Refusal> {
        let _first = prepare(port)?;
        if access::is_shared(port) {
            return Err(Refusal::Busy);
        }
        Native::open(&builder(port)).map_err(|error| match error.kind {
            serialport::ErrorKind::NoDevice => Refusal::Busy,
            _ => failed(port, OpenFailure::Other, error),
        })
    }
}

pub(super) fn attach(native: Native) -> Result<Stream, impl std::fmt::Display> {
    SerialStream::try_from(native)
}

/// Discards what waits in the port's queues.
pub(in crate::adapter) fn flush(stream: &Stream) {
    if let Err(error) = stream.clear(ClearBuffer::All) {
        tracing::debug!(%error, "cannot flush the port");
    }
}

/// How many bytes wait to be read, as far as the system tells.
pub(in crate::adapter) fn unread(stream: &Stream) -> u32 {
    stream.bytes_to_read().unwrap_or(0)
}

/// Opens the port a first time: for the exact reason if that fails, and to keep its lines as they are at the end.
fn prepare(port: &Path) -> Result<OwnedFd, Refusal> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let fd = rustix::fs::open(port, flags, Mode::empty()).map_err(|errno| match errno {
        Errno::BUSY => Refusal::Busy,
        Errno::ACCESS | Errno::PERM => denied(port),
        Errno::NOENT | Errno::NXIO | Errno::NODEV | Errno::IO => failed(port, OpenFailure::Gone, errno),
        _ => failed(port, OpenFailure::Other, errno),
    })?;
    if !rustix::termios::isatty(&fd) {
        let why = "it is no serial port; `nbe ports` lists those there are";
        return Err(failed(port, OpenFailure::Other, why));
    }
    // Whoever may do everything gets past TIOCEXCL, but not unnoticed past this.
    if rustix::fs::flock(&fd, FlockOperation::NonBlockingLockExclusive) == Err(Errno::WOULDBLOCK) {
        return Err(Refusal::Busy);
    }
    if let Ok(mut termios) = rustix::termios::tcgetattr(&fd) {
        termios.control_modes.remove(ControlModes::HUPCL);
        let _ = rustix::termios::tcsetattr(&fd, OptionalActions::Now, &termios);
    }
    let _ = rustix::fs::flock(&fd, FlockOperation::Unlock);
    Ok(fd)
}
