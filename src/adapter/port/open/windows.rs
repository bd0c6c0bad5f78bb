//! A COM port, or a named pipe behind which a virtual dongle is.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::windows::named_pipe::{ClientOptions, NamedPipeClient};
use tokio::runtime::Handle;
use tokio_serial::{ClearBuffer, SerialPort as _, SerialStream};

use super::{OpenError, OpenFailure, Refusal, builder, failed};

/// What every pipe's name begins with.
const PIPE: &str = r"\\.\pipe\";

/// ERROR_PIPE_BUSY: another program is at its other end.
const PIPE_BUSY: i32 = 231;

pub(in crate::adapter) type Native = Stream;

/// An open port.
#[derive(Debug)]
pub(in crate::adapter) enum Stream {
    Com(SerialStream),
    Pipe(NamedPipeClient),
}

pub(super) struct Inside(Handle);

impl Inside {
    pub(super) fn current() -> Self {
        Self(Handle::current())
    }

    pub(super) fn open(&self, port: &Path) -> Result<Native, Refusal> {
        let _runtime = self.0.enter();
        if port.to_string_lossy().starts_with(PIPE) {
            return ClientOptions::new().open(port).map(Stream::Pipe).map_err(|error| match error.kind() {
                _ if error.raw_os_error() == Some(PIPE_BUSY) => Refusal::Busy,
                io::ErrorKind::NotFound => gone(port),
                _ => failed(port, OpenFailure::Other, error),
            });
        }
        let opened = SerialStream::open(&builder(port)).map(|mut com| {
            // The library opens the port twice, and the second time without this line.
            if let Err(error) = com.write_data_terminal_ready(true) {
                tracing::debug!(%error, "cannot raise DTR");
            }
            Stream::Com(com)
        });
        opened.map_err(|error| match error.kind {
            // What a port in use gives; a lack of permission hardly exists here.
            tokio_serial::ErrorKind::Io(io::ErrorKind::PermissionDenied) => Refusal::Busy,
            // It is the same to the library, and not to whoever reads the log.
            tokio_serial::ErrorKind::NoDevice if is_denied(port) => Refusal::Busy,
            tokio_serial::ErrorKind::NoDevice | tokio_serial::ErrorKind::Io(io::ErrorKind::NotFound) => gone(port),
            _ => failed(port, OpenFailure::Other, error),
        })
    }
}

fn gone(port: &Path) -> Refusal {
    let message = format!("there is no port {}; plug the dongle in, or choose another port", port.display());
    Refusal::Error(OpenError { failure: OpenFailure::Gone, message })
}

/// Whether the system lets nobody else open the port, which it does while a program has it open.
fn is_denied(port: &Path) -> bool {
    let name = port.to_string_lossy();
    let device = if name.starts_with('\\') { name.into_owned() } else { format!(r"\\.\{name}") };
    let opened = std::fs::File::options().read(true).write(true).open(device);
    opened.is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
}

pub(super) fn attach(native: Native) -> Result<Stream, std::convert::Infallible> {
    Ok(native)
}

/// Discards what waits in the port's queues.
pub(in crate::adapter) fn flush(stream: &Stream) {
    // A new pipe is empty, and its far end no chip whose older words could mislead.
    if let Stream::Com(port) = stream
        && let Err(error) = port.clear(ClearBuffer::All)
    {
        tracing::debug!(%error, "cannot flush the port");
    }
}

/// How many bytes wait to be read, as far as the system tells.
pub(in crate::adapter) fn unread(stream: &Stream) -> u32 {
    match stream {
        Stream::Com(port) => port.bytes_to_read().unwrap_or(0),
        Stream::Pipe(_) => 0,
    }
}

impl Stream {
    /// Writes what the port takes without waiting.
    pub(in crate::adapter) fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Com(port) => port.try_write(bytes),
            Self::Pipe(pipe) => pipe.try_write(bytes),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Com(port) => Pin::new(port).poll_read(cx, buffer),
            Self::Pipe(pipe) => Pin::new(pipe).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Com(port) => Pin::new(port).poll_write(cx, bytes),
            Self::Pipe(pipe) => Pin::new(pipe).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Com(port) => Pin::new(port).poll_flush(cx),
            Self::Pipe(pipe) => Pin::new(pipe).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Com(port) => Pin::new(port).poll_shutdown(cx),
            Self::Pipe(pipe) => Pin::new(pipe).poll_shutdown(cx),
        }
    }
}
