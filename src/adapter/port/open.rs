//! Opening a serial port for this program alone, as the dongle wants it.

#[cfg(unix)]
mod unix; // a terminal
#[cfg(windows)]
mod windows; // a COM port, or a pipe

use std::path::{Path, PathBuf};

use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_serial::{DataBits, FlowControl, Parity, StopBits};

#[cfg(unix)]
use self::unix as system;
#[cfg(windows)]
use self::windows as system;
#[cfg(unix)]
use super::access;
use super::access::LastHolder;
use super::claims::{By, Claim, Claims};
use crate::adapter::session::OpenFailure;

/// Baud. By convention: a BLED112 ignores it.
const RATE: u32 = 115_200;

/// Why a port could not be opened.
#[derive(Debug)]
pub(super) struct OpenError {
    pub(super) failure: OpenFailure,
    pub(super) message: String,
}

/// Why the system does not open a port.
#[derive(Debug)]
enum Refusal {
    /// Somebody has it open.
    Busy,
    /// Something else.
    Error(OpenError),
}

/// A port that was opened.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) port: PathBuf,
    pub(super) native: Native,
    pub(super) claim: Claim,
}

/// A port on its way to being open.
pub(super) type Opening = oneshot::Receiver<Result<Opened, OpenError>>;

/// Opens the first of the ports that can be, in a thread of its own, since a sick device can hold that up for seconds.
pub(super) fn open(ports: Vec<PathBuf>, claims: Claims, by: By, last_holder: LastHolder) -> Opening {
    let (send, opening) = oneshot::channel();
    let inside = system::Inside::current();
    // Taken before the thread runs, or another that looks meanwhile would find it free.
    let claim = ports.first().and_then(|port| claims.claim(port, by));
    // A thread of the runtime would hold up its end.
    let started = std::thread::Builder::new().name("open port".into()).spawn(move || {
        let _ = send.send(first(&inside, ports, claim, |port| claims.claim(port, by), &last_holder)); // if nobody waits any more it is closed again
    });
    if let Err(error) = started {
        tracing::error!("cannot start a thread: {error}");
    }
    opening
}

/// Tries the ports in turn, of which the first may be taken already; if none can be opened, what is wrong with the first counts.
fn first(
    inside: &system::Inside,
    ports: Vec<PathBuf>,
    mut taken: Option<Claim>,
    take: impl Fn(&Path) -> Option<Claim>,
    last_holder: &LastHolder,
) -> Result<Opened, OpenError> {
    let mut wrong = None;
    for port in ports {
        let Some(claim) = taken.take().or_else(|| take(&port)) else { continue };
        match inside.open(&port) {
            Ok(native) => return Ok(Opened { port, native, claim }),
            Err(refusal) => _ = wrong.get_or_insert((port, refusal)),
        }
    }
    Err(match wrong {
        Some((port, Refusal::Busy)) => busy(&port, last_holder.of(&port, Instant::now())),
        Some((_, Refusal::Error(error))) => error,
        None => OpenError { failure: OpenFailure::Gone, message: "another [[adapter]] was quicker".into() },
    })
}

/// Hands the open port to the runtime.
pub(super) fn attach(native: Native, port: &Path) -> Result<Stream, OpenError> {
    let stream = system::attach(native).map_err(|error| OpenError {
        failure: OpenFailure::Other,
        message: format!("cannot wait for {}: {error}", port.display()),
    })?;
    flush(&stream);
    Ok(stream)
}

fn builder(port: &Path) -> tokio_serial::SerialPortBuilder {
    tokio_serial::new(port.to_string_lossy(), RATE)
        .data_bits(DataBits::Eight)
        .parity(Parity::None)
        .stop_bits(StopBits::One)
        // Software flow control would eat 0x11 and 0x13.
        .flow_control(FlowControl::None)
        // Best effort: a pty has no such line.
        .dtr_on_open(true)
}

fn busy(port: &Path, holder: Option<String>) -> OpenError {
    let who = holder.as_deref().unwrap_or("another program");
    let message = format!("{} is held by {who}; end that program, or choose another port", port.display());
    OpenError { failure: OpenFailure::Busy { holder }, message }
}

fn failed(port: &Path, failure: OpenFailure, error: impl std::fmt::Display) -> Refusal {
    Refusal::Error(OpenError { failure, message: format!("cannot open {}: {error}", port.display()) })
}

#[cfg(unix)]
fn denied(port: &Path) -> Refusal {
    Refusal::Error(OpenError { failure: OpenFailure::Denied, message: access::remedy(port) })
}

pub(super) use system::{Native, Stream, flush, unread};
