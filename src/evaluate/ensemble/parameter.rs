//! Quantities that differ from shift to shift, or moment to moment.

use std::f64::consts::LN_10;
use std::fmt;

use crate::simulate::Random;

/// A quantity with its range and where that is known from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameter {
    /// What it is.
    pub what: &'static str,
    /// The least.
    pub low: f64,
    /// The most; the same where it does not vary.
    pub high: f64,
    /// Its unit.
    pub unit: &'static str,
    /// Where that is known from.
    pub source: &'static str,
}

impl Parameter {
    /// Any value of the range, all alike.
    pub(super) fn draw(&self, random: &mut Random) -> f64 {
        self.low + (self.high - self.low) * random.unit()
    }

    /// Any value of the range, as often from 1 to 2 as from 5 to 10.
    pub(super) fn draw_by_ratio(&self, random: &mut Random) -> f64 {
        let decades = (self.high / self.low).log10();
        self.low * (random.unit() * decades * LN_10).exp()
    }

    /// The value of what does not vary.
    pub(super) const fn value(&self) -> f64 {
        self.low
    }
}

/// A row of the table.
impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, low, high, unit, source } = self;
        let range = if low == high { format!("{low}") } else { format!("{low} to {high}") };
        write!(f, "| {what} | {range} {unit} | {source} |")
    }
}

/// A while of this mean length, with no memory of how long it lasted already; at most twenty times as long.
pub(super) fn while_of(mean: f64, random: &mut Random) -> f64 {
    -mean * (1.0 - random.unit()).max(2e-9).ln()
}
