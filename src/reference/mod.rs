//! The reference agent: a small Phoenix V2 server for development and small sites.
//!
//! ```text
//! endpoint ──websocket──▶ server ──text──▶ Agent ──Received──▶ sink: one JSON line each
//!          ◀────────────         ◀─Output─      └─Received──▶ topic `events`: whoever watches
//! ```
//!
//! [`Agent`] is a plain value that knows Phoenix and the agent's duties; [`Server`] is the thin shell around it.
//! On the wire it behaves as a Phoenix server does: the same status codes, replies, close codes and order.
//!
//! # Topics
//! - `endpoint:<id>`: one daemon. Of two sockets with one id the newer stays; the older is pushed `superseded` and
//!   its channel is closed.
//! - `events`: whoever watches. Every event of every endpoint is broadcast under its own name, its payload being the
//!   JSON object that standard output shows. What a watcher pushes is a command: the event is the command's name, and
//!   the payload names the `endpoint` beside the command's own fields. The reply carries the command's `req`.

mod agent; // Phoenix: sockets, topics, joins, replies
mod delay; // how old a tap is
mod endpoint; // one daemon's channel: acks, holes, roster
mod handshake; // who may upgrade to a websocket
mod holder; // which program has the port
mod ledger; // which facts were received
mod received; // one event as one line
mod roster; // the list of bands to send
mod server; // the shell: listener, sockets, clock

pub use agent::{Agent, Connection, Output, WATCH_TOPIC};
pub use received::{Received, Verdict};
pub use roster::{AddrType, Band, Mode, Roster, RosterError};
pub use server::{Server, ServerError};

use crate::time::Time;

/// A moment on both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Since the agent started; ages are judged by it.
    pub at: Time,
    /// Milliseconds since 1970, UTC; shown only, since it may step.
    pub unix_ms: u64,
}
