//! The shell's websocket: one connection at a time, polled by the one task, no task or queue of its own.

mod open;
mod target;

pub use target::{Target, TargetError};

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use futures_util::{Sink, Stream as _};
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message, Utf8Bytes};

use self::open::{Failure, Stream, open};
use super::interface::SocketInput;
use super::limits;

/// Close code 1009: the message is too big.
const TOO_BIG: u16 = 1009;

/// The longest header of a frame that we write, mask included, in bytes.
const FRAME_HEADER: u64 = 14;

/// The one connection to the agent, or the attempt at it.
pub struct Socket {
    target: Target,
    state: State,
    /// What the last [`Socket::next`] lends out.
    said: Said,
}

enum State {
    Idle,
    Opening(Pin<Box<dyn Future<Output = Result<Stream, Failure>> + Send>>),
    Open(Box<Open>),
}

struct Open {
    stream: Stream,
    /// What was handed to the stream, headers included: beyond what it has written, this waits.
    accepted: u64,
    /// Whether something may wait to be written.
    unflushed: bool,
    /// What was written when it was last said that something waits; `None` where nothing does.
    waiting: Option<u64>,
    congested: bool,
    /// A write that failed between two polls.
    broken: Option<Error>,
}

/// [`SocketInput`], owned.
enum Said {
    Opened,
    Text(Utf8Bytes),
    Binary(Bytes),
    Closed { code: Option<u16>, reason: Utf8Bytes },
    Refused { status: u16, error: String },
    Failed { error: String },
    Waiting,
    Congested { bytes: usize },
    Drained,
}

impl Socket {
    /// A socket that is not connected.
    pub fn new(target: Target) -> Self {
        Self { target, state: State::Idle, said: Said::Drained }
    }

    /// Begins to connect, in place of any connection there is; [`Socket::next`] tells how it goes.
    pub fn connect(&mut self) {
        self.state = State::Opening(Box::pin(open(self.target.clone())));
    }

    /// Takes a message; it is written by [`Socket::flush`], or when [`Socket::next`] is polled, together with others.
    pub fn send(&mut self, text: String) {
        if let State::Open(open) = &mut self.state {
            open.send(text);
        }
    }

    /// Writes what the system takes at once; [`Socket::next`] does the rest.
    pub fn flush(&mut self) {
        if let State::Open(open) = &mut self.state {
            open.flush();
        }
    }

    /// Closes without waiting; the code is said if the connection takes it at once.
    pub fn close(&mut self, code: u16) {
        if let State::Open(mut open) = std::mem::replace(&mut self.state, State::Idle) {
            open.close(code);
        }
    }

    /// Connects, writes and reads until there is something to say; never while there is no connection.
    ///
    /// It may be dropped at any time; nothing is lost.
    pub async fn next(&mut self) -> SocketInput<'_> {
        self.said = poll_fn(|cx| self.poll(cx)).await;
        match &self.said {
            Said::Opened => SocketInput::Opened,
            Said::Text(text) => SocketInput::Text(text),
            Said::Binary(bytes) => SocketInput::Binary(bytes),
            Said::Closed { code, reason } => SocketInput::Closed { code: *code, reason },
            Said::Refused { status, error } => SocketInput::Refused { status: *status, error },
            Said::Failed { error } => SocketInput::Failed { error },
            Said::Waiting => SocketInput::Waiting,
            Said::Congested { bytes } => SocketInput::Congested { bytes: *bytes },
            Said::Drained => SocketInput::Drained,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Said> {
        let said = match &mut self.state {
            State::Idle => return Poll::Pending,
            State::Opening(opening) => match ready!(opening.as_mut().poll(cx)) {
                Ok(stream) => {
                    self.state = State::Open(Box::new(Open::new(stream)));
                    Said::Opened
                }
                Err(Failure::Refused { status, error }) => Said::Refused { status, error },
                Err(Failure::Failed { error }) => Said::Failed { error },
            },
            State::Open(open) => ready!(open.poll(cx)),
        };
        if matches!(said, Said::Closed { .. } | Said::Refused { .. } | Said::Failed { .. }) {
            self.state = State::Idle;
        }
        Poll::Ready(said)
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Idle => "idle",
            State::Opening(_) => "opening",
            State::Open(_) => "open",
        };
        f.debug_struct("Socket").field("target", &self.target).field("state", &state).finish_non_exhaustive()
    }
}

impl Open {
    fn new(stream: Stream) -> Self {
        let accepted = stream.get_ref().written;
        Self { stream, accepted, unflushed: false, waiting: None, congested: false, broken: None }
    }

    fn send(&mut self, text: String) {
        self.accepted += FRAME_HEADER + u64::try_from(text.len()).unwrap_or(u64::MAX);
        self.put(Message::text(text));
    }

    fn close(&mut self, code: u16) {
        self.put(Message::Close(Some(CloseFrame { code: code.into(), reason: Utf8Bytes::default() })));
        // Whoever does not take a few bytes at once is not worth waiting for.
        self.flush();
    }

    fn flush(&mut self) {
        // Nobody is woken: whoever polls next asks again.
        if let Poll::Ready(Err(error)) = self.poll_flush(&mut Context::from_waker(Waker::noop())) {
            self.broken.get_or_insert(error);
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.unflushed {
            ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
            self.unflushed = false;
            self.accepted = self.stream.get_ref().written;
        }
        Poll::Ready(Ok(()))
    }

    /// Hands a message to the stream, which keeps what it cannot write yet.
    fn put(&mut self, message: Message) {
        self.unflushed = true;
        if let Err(error) = Pin::new(&mut self.stream).start_send(message) {
            self.broken.get_or_insert(error);
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Said> {
        loop {
            match self.poll_flush(cx) {
                Poll::Ready(Ok(())) if self.waiting.take().is_some() => {
                    self.congested = false;
                    return Poll::Ready(Said::Drained);
                }
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => {
                    self.broken.get_or_insert(error);
                }
                Poll::Pending => {
                    let written = self.stream.get_ref().written;
                    if self.waiting.replace(written) != Some(written) {
                        return Poll::Ready(Said::Waiting);
                    }
                    let bytes = self.backlog();
                    if bytes > limits::SOCKET_BACKLOG && !self.congested {
                        self.congested = true;
                        return Poll::Ready(Said::Congested { bytes });
                    }
                }
            }
            let Poll::Ready(message) = Pin::new(&mut self.stream).poll_next(cx) else {
                // What the peer said before it went has been heard out.
                return self.broken.take().map_or(Poll::Pending, |error| Poll::Ready(self.end(&error)));
            };
            return Poll::Ready(match message {
                Some(Ok(Message::Text(text))) => Said::Text(text),
                Some(Ok(Message::Binary(bytes))) => Said::Binary(bytes),
                Some(Ok(Message::Close(close))) => {
                    // The answer to it waits to be written.
                    self.unflushed = true;
                    self.flush();
                    match close {
                        Some(CloseFrame { code, reason }) => Said::Closed { code: Some(code.into()), reason },
                        None => Said::Closed { code: None, reason: Utf8Bytes::default() },
                    }
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {
                    // The answer to a ping waits to be written.
                    self.unflushed = true;
                    continue;
                }
                Some(Err(error)) => self.end(&error),
                None => Said::Closed { code: None, reason: Utf8Bytes::default() },
            });
        }
    }

    /// Bytes that were handed to the stream and not yet to the system, give or take a header.
    fn backlog(&self) -> usize {
        usize::try_from(self.accepted.saturating_sub(self.stream.get_ref().written)).unwrap_or(usize::MAX)
    }

    /// How a connection that cannot go on has ended.
    fn end(&mut self, error: &Error) -> Said {
        let error = match error {
            Error::ConnectionClosed
            | Error::AlreadyClosed
            | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
                return Said::Closed { code: None, reason: Utf8Bytes::default() };
            }
            Error::Capacity(CapacityError::MessageTooLong { size, max_size }) => {
                self.close(TOO_BIG);
                format!("it sent a message of {size} bytes or more; {max_size} are the most that is taken")
            }
            Error::Io(error) => format!("the connection broke: {error}"),
            error => format!("it does not speak websocket: {error}"),
        };
        Said::Failed { error }
    }
}
