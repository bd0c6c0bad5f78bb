//! How well a detector does: recordings that say where the band truly was, and what was concluded from them.
//!
//! ```text
//! recording ── trace ── stress ── samples ── detect ── said ── score ── locks, taps
//!              (truth)  (shift, thin)        (engine)          (against the truth)
//! ```
//!
//! Everything here is a plain value, so the same recordings give the same numbers anywhere. Definitions:
//! `docs/EVALUATE.md`.

pub mod detect; // what a detector says to samples
pub mod detectors; // which there are
pub mod ensemble; // shifts that nobody worked
pub mod excluded; // what the numbers leave out
pub mod goals; // what must be reached
pub mod interval; // what counts prove
pub mod json; // all of it for a script
pub mod numbers; // rates, shares and percentiles
pub mod picture; // all numbers of a detector
pub mod plan; // which runs to make
pub mod plot; // traces drawn
pub mod read; // recordings as files have them
pub mod score; // what it said, against the truth
pub mod table; // all of it for a person
pub mod trace; // labelled recordings, and what a detector gets to see of them

#[cfg(test)]
mod tests;
