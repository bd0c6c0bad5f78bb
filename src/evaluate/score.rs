//! What a detector said, against the truth: locks and taps.
//!
//! Counts and times of several traces are added up; times are whole microseconds, so the sum does not depend on the
//! order.

mod locks;
mod taps;

use crate::time::Time;

pub use locks::{Locks, score_by, score_locks};
pub use taps::{Taps, score_taps};

/// What a detector said, in order of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// From each moment on, locked or unlocked; saying the same again changes nothing.
    pub changes: Vec<(Time, bool)>,
    /// Taps.
    pub taps: Vec<Time>,
}

/// Microseconds from one moment to another, negative if that came before.
fn micros(from: Time, to: Time) -> i64 {
    to.as_micros() as i64 - from.as_micros() as i64
}
