//! The agent's side: what is concluded becomes acknowledged events on a Phoenix channel.
//!
//! ```text
//! Fact → outbox (queue, send window) → wire → channel (join, heartbeat, back-off) → socket
//! ```
//!
//! [`Link`] is the whole of it as one plain value: facts, frames and moments go in, text to send and commands come
//! out. [`socket`] is the part of the shell that owns the websocket.

mod address; // addresses as the agent writes them
mod backoff; // waits between tries
#[cfg(test)]
mod bench; // a link on a bench, for tests
mod channel; // the Phoenix channel: join, heartbeat, rejoin
mod command; // what the rest of the daemon is asked to do
mod directory; // the roster as the agent maintains it
mod interface; // what goes into the link and comes out
mod item; // what takes a place in the send window
pub mod limits; // every bound and wait, with its reason
mod link; // all parts as one value
#[cfg(test)]
mod model; // random schedules against a failing agent
mod note; // what there is to log
mod outbox; // the delivery contract
mod queue; // facts that wait
mod reply; // what an agent's "ok" says
mod request; // what the agent pushes
mod results; // commands that were carried out
#[cfg(test)]
mod samples; // facts for tests
pub mod socket; // the shell's websocket
mod status; // how the link is, and what it counted
mod window; // facts in flight
mod wire; // names, envelope, payloads

pub use command::Command;
pub use interface::{Identity, Output, SocketInput};
pub use link::Link;
pub use note::{Level, Note};
pub use status::{Counters, Phase, Status};
