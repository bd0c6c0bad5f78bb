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
mod command; // what the agent asks for
pub mod limits; // every bound and wait, with its reason
mod link; // all parts as one value
mod note; // what there is to log
mod status; // how the link is, and what it counted

pub use command::Command;
pub use link::{Identity, Link, Output, Secret, SocketInput};
pub use note::{Level, Note};
pub use status::{Counters, Phase, Status};
