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

impl Seat {
    /// The seat before anything is learnt.
    pub(super) fn guessed(model: &Model) -> Self {
        let spread = model.p.seat_spread;
        Self { mean: model.seat_level, variance: spread * spread, known: GUESSED_S }
    }

    /// The seat of somebody who is certainly at it, where the place has this mean.
    pub(super) fn anew(model: &Model, mean: f64) -> Self {
        Self { mean, ..Self::guessed(model) }
    }

    /// Learns from `seconds` at the seat, where the place has this mean.
    pub(super) fn learn(&mut self, model: &Model, mean: f64, seconds: f64) {
        self.known = (self.known + seconds).min(model.p.seat_memory);
        let share = seconds / self.known;
        let off = mean - self.mean;
        self.mean += share * off;
        let least = model.p.seat_least_spread;
        self.variance = (self.variance + share * (off * off - self.variance)).max(least * least);
    }
}
