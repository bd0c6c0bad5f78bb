//! The control socket: how a person and their scripts ask a running daemon, and what they may change.
//!
//! ```text
//! bytes → Session (lines, requests, access) → Command → the daemon → Reply → bytes
//! ```
//!
//! [`Session`] is one connection as a plain value, [`socket`] the shell's end of them all. `docs/CONTROL.md` shows the protocol.

mod pace; // how much asking is too much
mod reply; // what is answered
mod request; // what can be asked, and who may
mod session; // one connection
pub mod socket; // the shell's end
pub mod status; // how the daemon is

pub use pace::Pace;
pub use reply::{Code, Garbled, Refusal, Reply};
pub use request::{Access, Command, LogWish, Request, VERSION, log_level};
pub use session::{LONGEST_LINE, Session};
