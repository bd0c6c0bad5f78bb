//! The level at the seat, as it is learnt.

use super::model::Model;

/// Mean and spread of the levels that one dongle hears of a band at its seat.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Seat {
    /// In dBm.
    pub(super) mean: f64,
    /// In dB squared.
    pub(super) variance: f64,
    /// How much was learnt, in seconds at the seat.
    pub(super) known: f64,
}

/// What the first guess is worth, in seconds at the seat.
const GUESSED_S: f64 = 120.0;
/// So far below far a seat may lie, in dB: a seat in a null. Beyond that, levels of those who are gone would be the seat's.
pub(super) const LOWEST_BELOW_FAR: f64 = 10.0;
/// No seat is louder, in dBm: the receiver saturates.
pub(super) const HIGHEST: f64 = -38.0;
/// The widest spread of a learnt seat, in dB: a third more than is guessed. A wider one would fit everything.
pub(super) const WIDEST: f64 = 8.0;
/// What must be learnt beside the guess before it is worth keeping, in seconds at the seat.
const WORTH_KEEPING_S: f64 = 60.0;

impl Seat {
    /// The seat before anything is learnt.
    pub(super) fn guessed(model: &Model) -> Self {
        let spread = model.p.seat_spread;
        Self { mean: model.seat_level, variance: spread * spread, known: GUESSED_S }
    }

    /// The seat of somebody who is certainly at it, where the place has this mean.
    pub(super) fn anew(model: &Model, mean: f64) -> Self {
        Self { mean: bounded(model, mean), ..Self::guessed(model) }
    }

    /// A seat of which this was learnt at another time: worth no more than the guess and no
    /// wider, so that it is soon learnt anew.
    pub(super) fn recalled(model: &Model, mean: f64, spread: f64, known: f64) -> Self {
        let spread = spread.max(model.p.seat_least_spread).min(model.p.seat_spread);
        Self { mean: bounded(model, mean), variance: spread * spread, known: known.min(GUESSED_S) }
    }

    /// Whether enough was learnt to be worth keeping: a band that only passes teaches nothing.
    pub(super) fn is_worth_keeping(&self) -> bool {
        self.known >= GUESSED_S + WORTH_KEEPING_S
    }

    /// Learns from `seconds` at the seat, where the place has this mean.
    pub(super) fn learn(&mut self, model: &Model, mean: f64, seconds: f64) {
        self.known = (self.known + seconds).min(model.p.seat_memory);
        let share = seconds / self.known;
        let off = mean - self.mean;
        self.mean = bounded(model, self.mean + share * off);
        let least = model.p.seat_least_spread;
        self.variance = (self.variance + share * (off * off - self.variance)).max(least * least).min(WIDEST * WIDEST);
    }
}

/// The level nearest to `mean` that a seat may have.
fn bounded(model: &Model, mean: f64) -> f64 {
    mean.max(model.seat_lowest).min(HIGHEST)
}
