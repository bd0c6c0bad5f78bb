//! A Bluetooth endpoint: from a dongle's bytes to an agent's events.
//!
//! ```text
//! bytes → bgapi → adapter → proximity → event → agent
//! ```
//!
//! Everything between the port and the socket is a plain value: input goes in with the [`time::Time`] it
//! happened, conclusions come out, and nothing in it reads a clock, a port or a file. The same bytes under the
//! same configuration give the same decisions, whether they arrive or are replayed.

pub mod adapter; // the dongle: serial port, scan session, reconnect
pub mod agent; // the agent's side: Phoenix channel, delivery, reconnect
pub mod cli; // the command line
pub mod clock; // the clock and the alarm behind `time`
pub mod commands; // its verbs
pub mod control; // asking a running daemon
pub mod credentials; // the files that nbe.toml names
pub mod endpoint; // engine and link as one value
pub mod evaluate; // how well a detector does
pub mod event; // what the agent is told
pub mod failure; // how a command ends badly
pub mod holder; // who has something open
pub mod identity; // who this endpoint is
pub mod log; // lines for people, or JSON
pub mod migrate; // a vendor's nbe.toml as ours
pub mod permission; // why a file may not be read
pub mod phoenix; // Phoenix Channels on the wire
pub mod proximity; // what readings mean: windows, taps, near and away
pub mod reference; // an agent to develop against
pub mod replay; // recordings through the engine
pub mod roster; // the agent's list of bands
pub mod secret; // what must not get into a log
pub mod service; // the shell: where the parts meet the world
pub mod simulate; // a dongle to develop against
pub mod time; // one clock, in microseconds
pub mod watch; // when it is time to look again
