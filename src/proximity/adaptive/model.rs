//! The model of distance, motion and level that the filter reckons with, made once from parameters and cutoffs.

use super::math::{exp, exps, ln};
use super::parameters::Parameters;
use crate::proximity::{Cutoffs, Level, Pace};

/// Distances, each 2^(1/3) of the one before: the level tells ratios, not metres.
pub(super) const BINS: usize = 17;
/// How noisy a known place is.
pub(super) const NOISES: usize = 2;
/// How loud receiver and band are together: too low, as the cutoffs say, too loud.
pub(super) const GAINS: usize = 3;
/// Every noise with every gain; the noise changes fastest.
pub(super) const CLASSES: usize = NOISES * GAINS;

/// Something by distance.
pub(super) type Row = [f64; BINS];

/// Levels a dongle can report, in whole dB.
pub(super) const LEVELS: usize = 66;
/// The lowest of them, in dBm.
pub(super) const LOWEST: f64 = -103.0;

/// The nearest distance, in m.
const NEAREST_M: f64 = 0.5;
/// Where the mean level lies midway between the cutoffs, in m: between the farthest seat, 2.5 m, and the nearest place
/// that is away, 6 m.
const MIDWAY_M: f64 = 4.0;
/// Between seat and room, where nobody settles, in m.
const BETWEEN: std::ops::Range<f64> = 2.8..4.8;
/// The share of levels that follow no rule, spread over all there are.
const STRAY: f64 = 0.02;
/// The same where the bell is so wide that most of them are in it.
const STRAY_WIDE: f64 = 1e-4;
/// What strays are spread over, in dB: about all the levels that a dongle can report.
const SPAN: f64 = 60.0;

/// Everything about a distance that time does not change.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bin {
    /// How often a walker passes to the next bin, per second.
    pub(super) pass: f64,
    /// How often a walker stops here, per second.
    pub(super) stop: f64,
    /// How much of it lies beyond midway, 0 to 1.
    pub(super) away: f64,
}

/// The model under one pair of cutoffs.
#[derive(Clone, Debug)]
pub struct Model {
    pub(super) p: Parameters,
    pub(super) bins: [Bin; BINS],
    /// How many of the nearest bins are the seat: they lie above close.
    pub(super) seat_bins: usize,
    /// The level of path loss by gain and bin, in dBm.
    pub(super) levels: [Row; GAINS],
    /// How levels of walkers spread about path loss.
    pub(super) walking: Bells<BINS>,
    /// How likely each gain is at first.
    pub(super) gains: [f64; GAINS],
    /// The shape of a known level by noise: how likely a level is that many dB off.
    pub(super) kernels: [Vec<f64>; NOISES],
    /// The seat's level before it is learnt, in dBm.
    pub(super) seat_level: f64,
    /// The lowest level that a seat is learnt at, in dBm.
    pub(super) seat_lowest: f64,
    /// The level below which silence is soon taken for departure, in dBm.
    pub(super) faint: f64,
    /// What away takes, in log odds.
    pub(super) away_odds: f64,
}

impl Model {
    /// The model that these parameters make of the cutoffs.
    pub fn new(p: Parameters, cutoffs: Cutoffs, pace: Pace) -> Self {
        let dbm = |level: Level| f64::from(level.tenths()) / 10.0;
        let (close, far) = (dbm(cutoffs.close()), dbm(cutoffs.far()));
        let midway = (close + far) / 2.0;
        let metres = std::array::from_fn::<f64, BINS, _>(|i| NEAREST_M * exp(i as f64 * std::f64::consts::LN_2 / 3.0));
        let per_natural = p.path_loss / std::f64::consts::LN_10;
        let below_midway = metres.map(|m| per_natural * ln(m / MIDWAY_M));
        let level = |i: usize| midway - below_midway[i];
        let step = per_natural * std::f64::consts::LN_2 / 3.0;
        let bins = std::array::from_fn(|i| Bin {
            pass: if i + 1 < BINS { p.walking_speed / (metres[i + 1] - metres[i]) } else { 0.0 },
            stop: if BETWEEN.contains(&metres[i]) { 0.0 } else { p.stop },
            // A bin reaches half a step to either side of its level.
            away: ((midway - level(i)) / step + 0.5).clamp(0.0, 1.0),
        });
        let gain = |g: usize| (g as f64 - (GAINS / 2) as f64) * GAIN_STEP;
        let weights = std::array::from_fn::<f64, GAINS, _>(|g| exp(-0.5 * (gain(g) / p.gain) * (gain(g) / p.gain)));
        let sum: f64 = weights.iter().sum();
        let kernel = |spread: f64| {
            let height = 1.0 / (spread * std::f64::consts::TAU.sqrt()).max(1.0);
            let reach = (3.0 * spread).ceil() as i32;
            (0..=reach).map(|off| height * exp(-0.5 * (f64::from(off) / spread) * (f64::from(off) / spread))).collect()
        };
        Self {
            p,
            bins,
            // However far close is above midway, the nearest is the seat.
            seat_bins: (0..BINS).take_while(|&i| level(i) >= close).count().max(1),
            levels: std::array::from_fn(|g| std::array::from_fn(|i| level(i) + gain(g))),
            walking: Bells::new([p.walking_spread * p.walking_spread; BINS]),
            gains: weights.map(|weight| weight / sum),
            kernels: p.noises.map(kernel),
            seat_level: close + p.seat_above_close,
            seat_lowest: far - super::seat::LOWEST_BELOW_FAR,
            faint: midway - FAINT,
            away_odds: match pace {
                Pace::Sooner => p.away_odds - PACE,
                Pace::Balanced => p.away_odds,
                Pace::Calmer => p.away_odds + PACE,
            },
        }
    }

    /// The one value for every bin of the seat, and those of their own for the bins beyond.
    pub(super) fn by_bin(&self, seat: f64, mut beyond: Row) -> Row {
        beyond[..self.seat_bins].fill(seat);
        beyond
    }
}

/// What a pace makes of the log odds that away takes.
const PACE: f64 = 1.0;
/// From one gain to the next, in dB.
const GAIN_STEP: f64 = 4.0;
/// So far below midway a band may well be out of reach, in dB.
const FAINT: f64 = 6.0;

/// Normal densities over how far levels lie off, each of its own width, and a little of every level beside them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bells<const N: usize> {
    /// -1 / (2 variance).
    curves: [f64; N],
    heights: [f64; N],
    floor: f64,
}

impl<const N: usize> Bells<N> {
    /// Bells with the usual share of strays.
    pub(super) fn new(variances: [f64; N]) -> Self {
        Self::with_strays(variances, STRAY)
    }

    /// Bells without strays: so wide that they are in them.
    pub(super) fn wide(variances: [f64; N]) -> Self {
        Self::with_strays(variances, STRAY_WIDE)
    }

    fn with_strays(variances: [f64; N], strays: f64) -> Self {
        let heights = variances.map(|variance| (1.0 - strays) / (variance * std::f64::consts::TAU).sqrt());
        Self { curves: variances.map(|variance| -0.5 / variance), heights, floor: strays / SPAN }
    }

    /// How likely levels are that lie so many dB off.
    pub(super) fn at(&self, offs: [f64; N]) -> [f64; N] {
        let exponents: [f64; N] = std::array::from_fn(|i| self.curves[i] * offs[i] * offs[i]);
        let powers = exps(exponents);
        std::array::from_fn(|i| self.heights[i] * powers[i] + self.floor)
    }
}
