//! The serial port as the shell sees it: found, opened, read, written and lost, in one place to wait at.

pub mod access; // who may open a port, who holds it
pub mod discover; // which ports there are

pub(super) mod claims; // which ports are taken
mod open; // opening a port for this program alone

pub use claims::Claims;

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bgapi::BdAddr;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use self::access::LastHolder;
use self::claims::{By, Claim, Reservation, Use};
use self::discover::{PortKind, Roots, SerialPort, ports};
use self::open::{OpenError, Opened, Opening, Stream};
use super::session::{OpenFailure, PortInput};
use crate::watch::Watch;

/// How often to look for a dongle where the system does not tell: it may take 2 s to be found and scanning.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Which dongle to use: one `[[adapter]]` of nbe.toml, or `--port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Whichever is found and not taken by another.
    Any,
    /// Whatever is behind the port of this name.
    Port(PathBuf),
    /// The one with this address of its own, behind whichever port.
    Address(BdAddr),
}

/// What happened at a port.
#[derive(Debug)]
pub(super) enum PortEvent {
    /// So many bytes were read.
    Read(usize),
    /// There was nothing to read when that was of interest.
    Empty,
    /// Something became of the port itself.
    Port(PortInput),
}

/// One dongle's port, whether there is one or not.
#[derive(Debug)]
pub(super) struct Port {
    choice: Choice,
    roots: Roots,
    claims: Claims,
    _reservation: Option<Reservation>,
    state: State,
    /// Why there is none, as it was told.
    missing: Option<String>,
    /// Devices that are the wrong dongle.
    rejected: Vec<Device>,
    /// Devices that were given up, the last one last: all others come first.
    given_up: Vec<Device>,
    current: PathBuf,
    last_holder: LastHolder,
}

#[derive(Debug)]
enum State {
    /// Not asked for.
    Closed,
    /// Closed for a while; what was there then.
    Resting { watch: Watch, before: Vec<Device> },
    /// Looking for one: when the watch says so, or the claims, with what they had counted at the last look.
    Looking { watch: Watch, changes: Option<u64> },
    /// Found and being opened.
    Opening(Opening),
    /// Open, with what is still to be written; whether that was told.
    Open { stream: Stream, unwritten: Vec<u8>, told: bool, _claim: Claim },
}

impl Port {
    /// A port that is not asked for yet.
    pub(super) fn new(choice: Choice, roots: Roots, claims: Claims) -> Self {
        let reservation = match &choice {
            Choice::Port(port) => Some(claims.reserve(port)),
            Choice::Any | Choice::Address(_) => None,
        };
        Self {
            choice,
            roots,
            claims,
            _reservation: reservation,
            state: State::Closed,
            missing: None,
            rejected: Vec::new(),
            given_up: Vec::new(),
            current: PathBuf::new(),
            last_holder: LastHolder::default(),
        }
    }

    /// Finds a port and opens it, waiting for one as long as it takes.
    pub(super) fn open(&mut self) {
        self.state = State::Looking { watch: self.watch(), changes: None };
        self.missing = None;
    }

    /// Writes as soon as the port takes it.
    pub(super) fn write(&mut self, bytes: &[u8]) {
        if let State::Open { unwritten, .. } = &mut self.state {
            unwritten.extend_from_slice(bytes);
        }
    }

    /// Discards what waits to be read and to be written.
    pub(super) fn flush(&mut self) {
        if let State::Open { stream, unwritten, .. } = &mut self.state {
            unwritten.clear();
            open::flush(stream);
        }
    }

    /// Whether nothing waits to be read, as the system knows: the runtime may not have heard of it yet.
    pub(super) fn is_empty(&self) -> bool {
        match &self.state {
            State::Open { stream, .. } => open::unread(stream) == 0,
            _ => true,
        }
    }

    /// Releases the port at once. What it takes without waiting is still written.
    pub(super) fn close(&mut self) {
        if let State::Open { stream, unwritten, .. } = &mut self.state
            && !unwritten.is_empty()
        {
            let _ = stream.try_write(unwritten);
        }
        self.state = State::Closed;
    }

    /// Releases the port for a while as [`Port::rest`] does, and offers it again after the others.
    pub(super) fn give_up(&mut self) {
        self.rest();
        self.given_up.retain(|device| device.port != self.current);
        self.given_up.extend(Device::at(&self.current));
    }

    /// Releases the port at once, and tells if another device comes in place of the one there.
    fn rest(&mut self) {
        // A write that a sick device never takes would keep the port open on Windows.
        self.flush();
        self.close();
        self.state = State::Resting { watch: self.watch(), before: self.present() };
    }

    /// Releases the port, and offers it again only after all others or when it has been plugged in anew.
    pub(super) fn reject(&mut self) {
        self.close();
        self.rejected.extend(Device::at(&self.current));
    }

    /// Waits for the next thing to happen. Nothing is lost if the waiting is given up.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<PortEvent> {
        match &mut self.state {
            State::Closed => Poll::Pending,
            State::Resting { .. } => self.poll_rest(cx).map(PortEvent::Port),
            State::Looking { .. } => self.poll_look(cx).map(PortEvent::Port),
            State::Opening(opening) => {
                let opened = ready!(Pin::new(opening).poll(cx)).unwrap_or_else(|_| {
                    let message = format!("cannot open {}: the attempt failed", self.current.display());
                    Err(OpenError { failure: OpenFailure::Other, message })
                });
                Poll::Ready(PortEvent::Port(self.handle_opened(opened)))
            }
            State::Open { told, .. } if !*told => {
                *told = true;
                Poll::Ready(PortEvent::Port(PortInput::Opened))
            }
            State::Open { stream, unwritten, .. } => {
                let message = match ready!(poll_io(stream, unwritten, cx, buffer)) {
                    Ok(0) => "it was unplugged".into(),
                    Ok(len) => return Poll::Ready(PortEvent::Read(len)),
                    Err(error) => error.to_string(),
                };
                self.rest();
                Poll::Ready(PortEvent::Port(PortInput::Lost { message }))
            }
        }
    }

    fn handle_opened(&mut self, opened: Result<Opened, OpenError>) -> PortInput {
        let attach = |opened: Opened| Ok((open::attach(opened.native, &opened.port)?, opened.port, opened.claim));
        match opened.and_then(attach) {
            Ok((stream, port, claim)) => {
                self.last_holder.forget();
                claim.keep();
                let told = port == self.current;
                self.state = State::Open { stream, unwritten: Vec::new(), told, _claim: claim };
                if told {
                    return PortInput::Opened;
                }
                self.current = port;
                PortInput::Found { port: self.current.display().to_string() }
            }
            Err(OpenError { failure, message }) => {
                self.rest();
                PortInput::OpenFailed { failure, message }
            }
        }
    }

    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<PortInput> {
        loop {
            let State::Resting { watch, .. } = &mut self.state else { return Poll::Pending };
            ready!(watch.poll_changed(cx));
            let now = self.present();
            let State::Resting { before, .. } = &mut self.state else { return Poll::Pending };
            let is_new = now.iter().any(|device| !before.contains(device));
            *before = now;
            if is_new {
                return Poll::Ready(PortInput::Replugged);
            }
        }
    }

    fn poll_look(&mut self, cx: &mut Context<'_>) -> Poll<PortInput> {
        loop {
            let State::Looking { watch, changes } = &mut self.state else { return Poll::Pending };
            // Both are asked, so that either wakes; a look itself costs a walk through all devices.
            if watch.poll_changed(cx).is_pending() & self.claims.poll_changed(cx, changes).is_pending() {
                return Poll::Pending;
            }
            let reason = match self.look() {
                Ok(ports) => {
                    self.current.clone_from(&ports[0]);
                    let (claims, by, last_holder) = (self.claims.clone(), self.choice.by(), self.last_holder.clone());
                    self.state = State::Opening(open::open(ports, claims, by, last_holder));
                    return Poll::Ready(PortInput::Found { port: self.current.display().to_string() });
                }
                Err(Missing::ForNow) => continue,
                Err(Missing::Reason(reason)) => reason,
            };
            if self.missing.as_ref() != Some(&reason) {
                self.missing = Some(reason.clone());
                return Poll::Ready(PortInput::Missing { reason });
            }
        }
    }

    /// What is there now that will do.
    fn present(&self) -> Vec<Device> {
        match &self.choice {
            Choice::Port(port) => Device::at(port).into_iter().collect(),
            Choice::Any | Choice::Address(_) => {
                let dongles = ports(&self.roots).into_iter().filter(|port| port.kind == PortKind::Dongle);
                dongles.filter_map(|port| Device::of(&port)).collect()
            }
        }
    }

    fn watch(&self) -> Watch {
        let port = self.choice.port().and_then(|port| std::path::absolute(port).ok());
        let node = self.roots.dev.join("ttyACM0"); // any: it is the directory that counts
        let paths = [Some(node.as_path()), port.as_deref()];
        Watch::new(&paths.into_iter().flatten().collect::<Vec<_>>(), LOOK_EVERY)
    }

    /// Finds the ports that will do, at least one, or says why there is none.
    fn look(&mut self) -> Result<Vec<PathBuf>, Missing> {
        if let Choice::Port(port) = &self.choice {
            let shown = port.display();
            return match self.claims.usage(port, By::Name) {
                _ if !exists(port) => {
                    Err(format!("there is no port {shown}; plug the dongle in, or choose another port").into())
                }
                Use::Free => Ok(vec![port.clone()]),
                _ if self.claims.is_named_twice(port) => {
                    Err(format!("another [[adapter]] of this program has {shown} already; correct one of them").into())
                }
                Use::Opening => Err(format!(
                    "this program is still opening {shown}; if this stays, unplug the dongle and plug it in again"
                )
                .into()),
                Use::Taken => Err(format!(
                    "this program has {shown} open for an [[adapter]] without a port; give that one a port too"
                )
                .into()),
            };
        }
        let found = ports(&self.roots);
        let present: Vec<Device> = found.iter().filter_map(Device::of).collect();
        self.rejected.retain(|device| present.contains(device));
        self.given_up.retain(|device| present.contains(device));
        let dongles = || found.iter().filter(|port| port.kind == PortKind::Dongle);
        let is_rejected = |path: &Path| self.rejected.iter().any(|device| device.port == path);
        let fit = dongles().map(|port| &port.path).filter(|path| !is_rejected(path));
        let fit: Vec<_> = fit.map(|path| (self.claims.usage(path, By::Search), path)).collect();
        let mut ports: Vec<PathBuf> =
            fit.iter().filter(|(usage, _)| *usage == Use::Free).map(|(_, path)| path.to_path_buf()).collect();
        ports.sort_by_key(|path| self.given_up.iter().position(|device| device.port == *path));
        if !ports.is_empty() {
            return Ok(ports);
        }
        if fit.iter().any(|(usage, _)| *usage == Use::Opening) {
            return Err(Missing::ForNow);
        }
        let reason: String = match (&self.choice, dongles().count()) {
            (Choice::Address(address), 1..) => {
                format!("no dongle found with the address {address}; plug it in, or correct the address")
            }
            (_, 1..) => "no further dongle found: those there are belong to other [[adapter]] tables".into(),
            _ if found.iter().any(|port| port.kind == PortKind::Bootloader) => {
                "the dongle waits for new firmware (2458:fffe): unplug it and plug it in again; if it stays so, flash \
                 it with the vendor's stock \"usbcdc\" firmware"
                    .into()
            }
            _ => "no dongle found: plug a BLED112 in (2458:0001), or name its port".into(),
        };
        Err(reason.into())
    }
}

/// Why there is no port to open.
#[derive(Debug)]
enum Missing {
    /// Another is about to open it, and may fail.
    ForNow,
    /// As a sentence.
    Reason(String),
}

impl From<String> for Missing {
    fn from(reason: String) -> Self {
        Self::Reason(reason)
    }
}

impl Choice {
    fn by(&self) -> By {
        if self.port().is_some() { By::Name } else { By::Search }
    }

    fn port(&self) -> Option<&Path> {
        match self {
            Self::Port(port) => Some(port),
            Self::Any | Self::Address(_) => None,
        }
    }
}

/// Writes what the port takes, then reads.
fn poll_io(
    stream: &mut Stream,
    unwritten: &mut Vec<u8>,
    cx: &mut Context<'_>,
    buffer: &mut [u8],
) -> Poll<std::io::Result<usize>> {
    while !unwritten.is_empty() {
        match Pin::new(&mut *stream).poll_write(cx, unwritten) {
            Poll::Ready(Ok(0)) | Poll::Pending => break,
            Poll::Ready(Ok(written)) => drop(unwritten.drain(..written)),
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
        }
    }
    let mut buffer = ReadBuf::new(buffer);
    ready!(Pin::new(stream).poll_read(cx, &mut buffer))?;
    Poll::Ready(Ok(buffer.filled().len()))
}

/// Ports are files, but on Windows, where trying tells.
fn exists(port: &Path) -> bool {
    cfg!(windows) || port.exists()
}

/// Number and time of a port's node.
type Node = (u64, i64, i64);

/// A device behind a port, told from the next one under the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Device {
    port: PathBuf,
    node: Node,
}

impl Device {
    /// The one that is there now.
    fn at(port: &Path) -> Option<Self> {
        Some(Self { port: port.to_owned(), node: node(port)? })
    }

    /// The one behind a port that was found just now.
    fn of(port: &SerialPort) -> Option<Self> {
        // Where ports are no files, asking for the node would list all ports once more for each of them.
        let node = if cfg!(unix) { node(&port.path)? } else { NO_NODE };
        Some(Self { port: port.path.clone(), node })
    }
}

/// What tells nothing, where ports are no files.
const NO_NODE: Node = (0, 0, 0);

#[cfg(unix)]
fn node(port: &Path) -> Option<Node> {
    use std::os::unix::fs::MetadataExt;
    let node = std::fs::metadata(port).ok()?;
    Some((node.ino(), node.ctime(), node.ctime_nsec()))
}

#[cfg(not(unix))]
fn node(port: &Path) -> Option<Node> {
    ports(&Roots::default()).iter().any(|found| found.path == port).then_some(NO_NODE)
}
