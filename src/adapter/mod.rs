//! The dongle: found, opened, made to scan, and brought back whatever happens to it.
//!
//! ```text
//! port ──bytes──► Session ──believed scan reports──► the engine
//!   ▲               │
//!   └───commands────┴──state and log lines
//! ```
//!
//! [`Session`] decides and knows no port; [`Driver`] couples it with one, and [`next_of`] is where the daemon waits.

pub mod port; // the serial port: finding, opening, reading, writing

mod constants;
mod counters; // what is counted
mod dongle; // the session's stages
mod driver; // a session with its port
mod evidence; // what a port is that is no dongle
mod note; // what the log is told
mod session; // the session's face
mod startup; // the start-up sequence
mod traffic; // what comes in, judged
mod trouble; // what is wrong, and the ladder

pub use counters::Counters;
pub use driver::{Driver, Happened, Said, next_of};
pub use note::{Level, Note};
pub use port::{Choice, Claims};
pub use session::{OpenFailure, Output, PortInput, ScanSettings, Session, Wanted};
pub use trouble::{Rung, Trouble};

#[cfg(test)]
mod tests;
