//! Desk shifts that nobody worked: a terminal, a band and a person, drawn from a seed.
//!
//! ```text
//! seed ─┬─ site ──── air ──┐             ┌─ inputs ── column ── said ─┐
//!       └─ person ─────────┴─── shift ───┴─ truth ───────────────────┴─ locks
//! ```
//!
//! The same seed gives the same shift anywhere. What each number rests on: `docs/EVALUATE.md`.

mod air; // what an antenna hears
mod check; // beside recordings
mod column; // ways to run them
mod ideal; // what the best observer could make of them
mod keys; // what the terminal's user types
mod parameter; // what is drawn, and from where its range is known
mod person; // what people do
mod rows; // what came of them, and what it proves
mod run; // all of them, job by job
mod shift; // all of it, over some hours
mod site; // the room, the band, the dongles
mod table; // what came of them, printed

pub use check::{Beside, Check, Figure};
pub use column::{COLUMNS, Column};
pub use ideal::Ideal;
pub use parameter::Parameter;
pub use person::{Leg, Person, Pose, Scene};
pub use rows::{Cell, LINES, Line, cells};
pub use run::{Half, Job, Outcome, Run};
pub use shift::{HOURS, Input, Shift, What};
pub use site::{Antenna, Site};
pub use table::Report;

/// Every parameter, in the order of the table in `docs/EVALUATE.md`.
pub fn parameters() -> impl Iterator<Item = &'static Parameter> {
    site::PARAMETERS.iter().chain(&air::PARAMETERS).chain(&person::PARAMETERS).chain(&keys::PARAMETERS).copied()
}

#[cfg(test)]
mod tests;
