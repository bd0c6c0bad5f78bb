//! A virtual dongle: a BLED112 and the room around it, without either.
//!
//! ```text
//! host's bytes ⇄ Device ← Heard ← radio: who advertises, how loud, on which channel ← Scenario
//! ```
//!
//! The model is pure: it is handed time, draws chance from a seed, and an hour of it takes milliseconds.
//! Around it is one thread with a pseudo-terminal, on Windows a named pipe, behind which programs find what they
//! would find behind a real dongle's port. Attributes of peers are not modelled: a connection is never established.

mod device; // the dongle as its host sees it
mod dongle; // all of it behind a real port
mod error; // why it cannot be
mod fault; // what can go wrong with it
mod firmware; // what it does with each command
mod output; // what it has to say, in USB packets
mod parser; // commands from bytes
mod port; // what carries its bytes
mod radio; // the air: who advertises when
mod random; // chance that repeats
mod scanner; // when it listens and what it lets through
mod scenario; // what happens around it, and to it
mod scenario_file; // that, as TOML
mod shape; // responses that need no state
mod signal; // how loud a band arrives
mod simulation; // all of it together, without a clock or a port
mod store; // its persistent store
mod timers; // its soft timers
mod track; // quantities that change

pub use device::Device;
pub use dongle::VirtualDongle;
pub use error::SimulateError;
pub use fault::{Fault, FaultKind};
pub use firmware::{Identity, MAX_LINKS};
pub use output::USB_PACKET;
pub(crate) use random::Random;
pub use scanner::{Channel, Heard};
pub use scenario::{Advert, BAND_COMPANY, Band, Dongle, Flood, Neighbours, Scenario};
pub use scenario_file::ScenarioError;
pub use signal::Loudness;
pub use simulation::{Simulation, Steer};
pub use track::Track;

#[cfg(test)]
mod tests;
