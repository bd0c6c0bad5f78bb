//! What goes into the link and what comes out of it.

use std::net::IpAddr;

use super::command::Command;
use super::note::Note;
use crate::secret::Secret;

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
    /// Something waits to be written; said anew whenever some of it was.
    Waiting,
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
    /// Take a snapshot and hand it to [`super::Link::handle_snapshot`], before anything else is handed in.
    NeedSnapshot,
    /// Do what the agent asks.
    Command(Command),
    /// Log this.
    Note(Note),
    /// All is said after [`super::Link::stop`]; nothing follows.
    Stopped,
}
