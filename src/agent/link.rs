//! The link to the agent as one plain value.

use std::fmt;
use std::net::IpAddr;

use super::command::Command;
use super::note::Note;
use super::status::{Counters, Phase, Status};
use crate::event::{Fact, Snapshot, Telemetry};
use crate::time::Time;

/// Who this daemon is, as the agent gets to know it.
#[derive(Clone, Debug)]
pub struct Identity {
    /// A UUID; the topic is `endpoint:<endpoint_id>`.
    pub endpoint_id: String,
    /// Random, new at every start of the daemon.
    pub boot: String,
    /// The machine's name.
    pub host: String,
    /// The machine's addresses.
    pub addrs: Vec<IpAddr>,
    /// The operating system, as a short text.
    pub os: String,
    /// The daemon's version.
    pub version: String,
    /// What proves us to the agent; travels in the join over `wss` only.
    pub token: Option<Secret>,
}

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// What the socket has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketInput<'a> {
    /// The websocket is open.
    Opened,
    /// A text message.
    Text(&'a str),
    /// A binary message.
    Binary(&'a [u8]),
    /// The peer closed it, with a close code or without a word.
    Closed {
        /// The close code; `None` where the connection just ended.
        code: Option<u16>,
        /// The peer's own words; may be empty.
        reason: &'a str,
    },
    /// The upgrade was answered with a status that means no: 401, 403 or 429.
    Refused {
        /// The HTTP status.
        status: u16,
        /// What that means, as a sentence.
        error: &'a str,
    },
    /// No connection came about, or it broke.
    Failed {
        /// Why, as a sentence.
        error: &'a str,
    },
    /// More than [`super::limits::SOCKET_BACKLOG`] bytes wait to be written.
    Congested {
        /// How many.
        bytes: usize,
    },
    /// Everything is written.
    Drained,
}

/// What the shell is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Open a websocket; its story comes back as [`SocketInput`]s.
    Connect,
    /// Write this text message.
    Send(String),
    /// Close and forget the socket, or the attempt to connect; nothing more is to be heard of it.
    Close {
        /// The close code to say, where there is someone to say it to.
        code: u16,
    },
    /// Take a snapshot and hand it to [`Link::handle_snapshot`], before anything else is handed in.
    NeedSnapshot,
    /// Do what the agent asks.
    Command(Command),
    /// Log this.
    Note(Note),
    /// All is said after [`Link::stop`]; nothing follows.
    Stopped,
}

/// The link to the agent: joins, delivers, resumes; never waits.
#[derive(Debug)]
pub struct Link {
    identity: Identity,
}

impl Link {
    /// A link that wants to connect at once; the seed decides its jitter.
    pub fn new(identity: Identity, seed: u64, now: Time) -> Self {
        let _ = (seed, now);
        Self { identity }
    }

    /// Queues a fact; it goes out at once when joined.
    pub fn handle_fact(&mut self, now: Time, fact: Fact) {
        let _ = (now, fact, &self.identity);
    }

    /// Sends telemetry if the agent listens and keeps up; otherwise it is counted and gone.
    pub fn handle_telemetry(&mut self, now: Time, telemetry: &Telemetry<'_>) {
        let _ = (now, telemetry);
    }

    /// Takes what the socket says.
    pub fn handle_socket(&mut self, now: Time, input: SocketInput<'_>) {
        let _ = (now, input);
    }

    /// Takes the snapshot that [`Output::NeedSnapshot`] asked for.
    pub fn handle_snapshot(&mut self, now: Time, snapshot: Snapshot) {
        let _ = (now, snapshot);
    }

    /// Learns the wall clock: UTC in ms at [`Time::ZERO`], and whether something keeps it right.
    pub fn handle_wall(&mut self, offset_ms: i64, synced: bool) {
        let _ = (offset_ms, synced);
    }

    /// Learns the machine's addresses anew; the agent hears of them at the next join.
    pub fn handle_addrs(&mut self, addrs: Vec<IpAddr>) {
        let _ = addrs;
    }

    /// Does what is due; call it when [`Link::poll_timeout`] has come.
    pub fn handle_timeout(&mut self, now: Time) {
        let _ = now;
    }

    /// Says goodbye: what is queued goes out, acknowledgements are awaited for up to 1 s, then the socket closes and
    /// [`Output::Stopped`] follows.
    pub fn stop(&mut self, now: Time, reason: &str) {
        let _ = (now, reason);
    }

    /// The next moment something is due.
    pub fn poll_timeout(&self) -> Option<Time> {
        None
    }

    /// Drains what the shell is to do, oldest first.
    pub fn poll_output(&mut self) -> Option<Output> {
        None
    }

    /// How it is.
    pub fn status(&self) -> Status {
        Status { phase: Phase::Waiting, queued: 0, in_flight: 0 }
    }

    /// What it has counted.
    pub fn counters(&self) -> Counters {
        Counters::default()
    }
}
