//! What readings mean: from levels of adverts to taps, sides and presence.
//!
//! ```text
//! report ── matcher ── table ── band ─┬─ window ── classic ── user ── decision
//!  (who is a band)   (bounded)        │                     (holds away back)
//!                                     └─ timers: absent, hold, held back
//! ```
//!
//! Everything here is a plain value. The rules and their numbers: `docs/DETECTION.md`.

mod adaptive;
mod band;
mod classic;
mod constants;
mod engine;
mod level;
mod matcher;
mod memory;
mod settings;
mod table;
mod user;
mod window;

pub use adaptive::{Lesson, Model, Parameters};
pub use classic::Cutoffs;
pub use constants::{HOLD_EVERY, MAX_UNLISTED, PRESENT_SAMPLES, PRESENT_WITHIN, TAP_GAP, TREND_MIN_SAMPLES};
pub use engine::{Counters, Engine};
pub use level::{Level, Mean, RANGE};
pub use matcher::Matcher;
pub use memory::{Learnt, MAX_BYTES, MAX_LEARNT, Under, Unreadable, from_json, to_json};
pub use settings::{Detector, Pace, Settings};
pub use user::SignInError;

#[cfg(test)]
mod tests;
