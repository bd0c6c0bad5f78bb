//! How sharp the levels of a still band are at one receiver, as it is learnt.

use super::math::ln;

/// How well this receiver repeats itself while the band is still.
#[derive(Clone, Copy, Debug)]
pub(super) struct Habit {
    /// The mean log likelihood of levels at known places, above that of any level.
    pub(super) sharpness: f64,
    /// In s.
    known: f64,
}

/// What is remembered, in s of lying still.
const MEMORY_S: f64 = 200.0;
/// What any level is worth, as a negative log likelihood in nats: levels spread over 18 dB.
const ANY_LEVEL: f64 = 2.9;
/// The farthest that one sample may be from what any level is worth, in nats.
const FARTHEST: f64 = 3.0;
/// The share of the usual sharpness, beyond [`DULL`], that samples must beat to speak for stillness.
const SHARE: f64 = 0.6;
/// The sharpness of which nothing must be beaten, in nats.
const DULL: f64 = 0.3;
/// The least that must be beaten, in nats: at a receiver that does not repeat itself, stillness has a little credit.
const LEAST: f64 = -0.1;
/// The most that must be beaten, in nats.
const MOST: f64 = 0.6;
/// Adverts may come often, yet stillness is no surer for that: what must be beaten is asked once in so many s.
const ASKED_S: f64 = 0.5;
/// After a pause it is asked no more often than this.
const ASKED_AT_ONCE: f64 = 2.0;

impl Habit {
    /// Before anything is learnt.
    pub(super) const NEW: Self = Self { sharpness: 1.0, known: 40.0 };

    /// What the samples of so many seconds must beat to speak for stillness, in nats: a share of what is usual here.
    pub(super) fn usual(self, seconds: f64) -> f64 {
        (SHARE * (self.sharpness - DULL)).clamp(LEAST, MOST) * (seconds / ASKED_S).min(ASKED_AT_ONCE)
    }

    /// Learns from how likely a level was, so many seconds after the one before.
    pub(super) fn learn(&mut self, likelihood: f64, seconds: f64) {
        self.known = (self.known + seconds).min(MEMORY_S);
        let above_any = (ln(likelihood) + ANY_LEVEL).clamp(-FARTHEST, FARTHEST);
        self.sharpness += seconds / self.known * (above_any - self.sharpness);
    }
}
