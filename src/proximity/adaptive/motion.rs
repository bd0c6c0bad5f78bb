//! Where the wearer may be and how they may move, before anything is heard.
//!
//! ```text
//!             stir                   set off
//!   still ───────────► stirring ───────────────┐
//!     ▲  ◄───────────                          ▼
//!     │      settle              out ◄──────► coming     each second: on to the next
//!     └───────────────────────── stop ───────────┘       distance at walking speed
//! ```

use super::math::exp;
use super::model::{BINS, CLASSES, Model, NOISES};

/// A share of probability by class and distance.
pub(super) type Shares = [[f64; BINS]; CLASSES];

/// The probability of every distance and motion; all of it adds up to 1.
#[derive(Clone, Debug)]
pub(super) struct Motion {
    pub(super) still: Shares,
    pub(super) stirring: Shares,
    pub(super) out: Shares,
    pub(super) coming: Shares,
    /// For how long the wearer has not walked, in s.
    sat: f64,
}

/// Nobody sits for a shorter time, in s.
const SAT_AT_LEAST_S: f64 = 30.0;
/// Nobody sits still for ever: at least so often somebody is next noticed walking, per second.
const RISE_AT_LEAST: f64 = 0.001;
/// How fast it may become another how noisy the receiver is, per second: enough for none to die out.
const FORGET_NOISE: f64 = 1e-6;
/// A probability that will never matter.
const NOTHING: f64 = 1e-200;
/// The longest step, in s; more happens in several.
const STEP_S: f64 = 1.0;

/// What happens at this rate within so many seconds, as a probability, if it can be undone meanwhile.
fn happens(rate: f64, seconds: f64) -> f64 {
    rate * seconds / (1.0 + rate * seconds)
}

impl Motion {
    /// Still, at any distance.
    pub(super) fn still(model: &Model) -> Self {
        Self::within(model, BINS)
    }

    /// Still, at the seat.
    pub(super) fn seated(model: &Model) -> Self {
        Self::within(model, model.seat_bins)
    }

    /// Still, at any of the nearest so many distances.
    fn within(model: &Model, bins: usize) -> Self {
        let share = |class: usize| model.gains[class / NOISES] / (NOISES * bins) as f64;
        let still = |class, bin| if bin < bins { share(class) } else { 0.0 };
        let none = [[0.0; BINS]; CLASSES];
        let still = std::array::from_fn(|class| std::array::from_fn(|bin| still(class, bin)));
        Self { still, stirring: none, out: none, coming: none, sat: 0.0 }
    }

    /// Lets time pass; returns how much came to lie still meanwhile, by class.
    pub(super) fn pass(&mut self, model: &Model, seconds: f64) -> [f64; CLASSES] {
        let mut stopped = [0.0; CLASSES];
        let mut left = seconds;
        while left > 0.0 {
            let step = left.min(STEP_S);
            left -= step;
            self.walk(model, step);
            self.change(model, step, &mut stopped);
        }
        self.forget_noise(FORGET_NOISE * seconds);
        stopped
    }

    /// Lets a share of those still forget how noisy the receiver is.
    fn forget_noise(&mut self, share: f64) {
        for noises in self.still.chunks_exact_mut(NOISES) {
            for bin in 0..BINS {
                let mean = noises.iter().map(|bins| bins[bin]).sum::<f64>() / NOISES as f64;
                for bins in &mut *noises {
                    bins[bin] += share * (mean - bins[bin]);
                }
            }
        }
    }

    /// Moves walkers on, all classes abreast: each alone would wait for its divisions, one after another.
    fn walk(&mut self, model: &Model, step: f64) {
        let mut carried = [0.0; CLASSES];
        for (i, bin) in model.bins.iter().enumerate() {
            for (bins, carried) in self.out.iter_mut().zip(&mut carried) {
                (bins[i], *carried) = pass_on(bins[i] + *carried, bin.pass * step);
            }
        }
        carried = [0.0; CLASSES];
        for i in (0..BINS).rev() {
            let pass = if i > 0 { model.bins[i - 1].pass } else { 0.0 };
            for (bins, carried) in self.coming.iter_mut().zip(&mut carried) {
                (bins[i], *carried) = pass_on(bins[i] + *carried, pass * step);
            }
        }
    }

    /// Lets some of each class begin and end to move; adds how much came to lie still.
    fn change(&mut self, model: &Model, step: f64, stopped: &mut [f64; CLASSES]) {
        let p = &model.p;
        let rise = (p.rise / (self.sat + SAT_AT_LEAST_S)).max(RISE_AT_LEAST);
        let (rise, stir) = (happens(rise, step), happens(p.stir, step));
        let (settle, set_off, turn) = (happens(p.settle, step), happens(p.set_off, step), happens(p.turn_round, step));
        let stops = model.bins.map(|bin| happens(bin.stop, step));
        let mut come_to_rest = [0.0; BINS];
        for (class, stopped) in stopped.iter_mut().enumerate() {
            for (i, stop) in stops.into_iter().enumerate() {
                let (still, stirring) = (self.still[class][i], self.stirring[class][i]);
                let (out, coming) = (self.out[class][i], self.coming[class][i]);
                let starting = (still * rise + stirring * set_off) / 2.0;
                let (go_on, come_on) = (out * (1.0 - stop), coming * (1.0 - stop));
                self.out[class][i] = go_on * (1.0 - turn) + come_on * turn + starting;
                self.coming[class][i] = come_on * (1.0 - turn) + go_on * turn + starting;
                self.stirring[class][i] = stirring * (1.0 - set_off) * (1.0 - settle) + still * (1.0 - rise) * stir;
                come_to_rest[i] = (out + coming) * stop + stirring * (1.0 - set_off) * settle;
                self.still[class][i] = still * (1.0 - rise) * (1.0 - stir) + come_to_rest[i];
            }
            *stopped += come_to_rest.iter().sum::<f64>();
        }
    }

    /// Takes note of how likely the wearer walked for the last so many seconds.
    pub(super) fn sit(&mut self, seconds: f64) {
        let walking: f64 = self.out.iter().chain(&self.coming).flatten().sum();
        self.sat = if walking > 0.5 { 0.0 } else { self.sat + seconds * (1.0 - walking) };
    }

    /// How much lies still, by class.
    pub(super) fn still_by_class(&self) -> [f64; CLASSES] {
        std::array::from_fn(|class| self.still[class].iter().sum())
    }

    /// How much lies still at the seat.
    pub(super) fn at_seat(&self, model: &Model) -> f64 {
        self.still.iter().flat_map(|bins| &bins[..model.seat_bins]).sum()
    }

    /// Makes every distance beyond the seat less likely by this factor, and walking too.
    pub(super) fn dim_beyond_seat(&mut self, model: &Model, factor: f64) {
        for shares in [&mut self.still, &mut self.stirring] {
            for bins in shares.iter_mut() {
                for share in &mut bins[model.seat_bins..] {
                    *share *= factor;
                }
            }
        }
        for share in self.out.iter_mut().chain(&mut self.coming).flatten() {
            *share *= factor;
        }
        self.normalize();
    }

    /// Makes all of it add up to 1 again. What is next to nothing becomes nothing: numbers that small are slow.
    pub(super) fn normalize(&mut self) {
        let mut sum = 0.0;
        for shares in [&self.still, &self.stirring, &self.out, &self.coming] {
            shares.as_flattened().iter().for_each(|share| sum += share);
        }
        let factor = 1.0 / sum;
        for shares in [&mut self.still, &mut self.stirring, &mut self.out, &mut self.coming] {
            for share in shares.as_flattened_mut() {
                *share *= factor;
                if *share < NOTHING {
                    *share = 0.0;
                }
            }
        }
    }
}

/// What stays of a share at this many passings a step, and what goes on; implicit, so that any step is stable.
fn pass_on(share: f64, passings: f64) -> (f64, f64) {
    let stays = share / (1.0 + passings);
    (stays, stays * passings)
}

/// How likely something that happens at this rate has happened within so many seconds.
pub(super) fn happened(rate: f64, seconds: f64) -> f64 {
    1.0 - exp(-rate * seconds)
}
