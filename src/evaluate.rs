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
pub mod score; // what it said, against the truth
pub mod trace; // labelled recordings, and what a detector gets to see of them
