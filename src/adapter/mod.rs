//! The dongle: found, opened, made to scan, and brought back whatever happens to it.
//!
//! ```text
//! port ──bytes──► Session ──believed scan reports──► the engine
//!   ▲               │
//!   └───commands────┴──state and log lines
//! ```
//!
//! [`Session`] decides and knows no port.

mod constants;
mod counters; // what is counted
mod dongle; // the session's stages
mod evidence; // what a port is that is no dongle
mod note; // what the log is told
mod session; // the session's face
mod startup; // the start-up sequence
mod traffic; // what comes in, judged
mod trouble; // what is wrong, and the ladder

pub use counters::Counters;
pub use note::{Level, Note};
pub use session::{OpenFailure, Output, PortInput, ScanSettings, Session, Wanted};
pub use trouble::{Rung, Trouble};

#[cfg(test)]
mod tests;
