//! What is learnt of a band at a dongle, in whole numbers that outlive a restart, and when it no longer fits.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::filter::Filter;
use super::interval::Interval;
use super::model::Model;
use super::parameters::Parameters;
use super::seat::{HIGHEST, LOWEST_BELOW_FAR, Seat, WIDEST};
use super::{Adaptive, Dongle};
use crate::event::AdapterId;
use crate::time::Time;

/// What was learnt of one band at one dongle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lesson {
    /// The seat's mean level, in hundredths of a dBm.
    pub seat_cdb: i32,
    /// Its spread, in hundredths of a dB.
    pub seat_spread_cdb: i32,
    /// How much was learnt of it, in seconds at the seat.
    pub seat_known_s: u32,
    /// How much likelier levels at a known place are than any level, in thousandths of a nat.
    pub habit_millinats: i32,
    /// The mean pause between samples, in ms.
    pub interval_ms: u32,
}

/// What a habit may be, in thousandths of a nat.
const HABITS: RangeInclusive<i32> = -3_000..=3_000;
/// The longest time that any seat is known for, in s: a day, far more than is remembered.
const KNOWN_S: RangeInclusive<u32> = 1..=86_400;
/// What a mean pause may be, in ms.
const INTERVALS_MS: RangeInclusive<u32> = 1..=10_000;

impl Lesson {
    /// Whether all of it can have been learnt where far is at this level, in hundredths of a dBm.
    pub fn is_possible(&self, far_cdb: i32) -> bool {
        let lowest = far_cdb.saturating_sub(cdb(LOWEST_BELOW_FAR));
        let spreads = cdb(Parameters::SETTLED.seat_least_spread)..=cdb(WIDEST);
        (lowest..=cdb(HIGHEST)).contains(&self.seat_cdb)
            && spreads.contains(&self.seat_spread_cdb)
            && KNOWN_S.contains(&self.seat_known_s)
            && HABITS.contains(&self.habit_millinats)
            && INTERVALS_MS.contains(&self.interval_ms)
    }
}

fn cdb(db: f64) -> i32 {
    (db * 100.0).round() as i32
}

/// How far a place at the seat may lie from what was recalled, in dB.
const NEAR_ENOUGH: f64 = 10.0;
/// The same in spreads of what was recalled, if that is more, while the wearer is taken for being at the seat.
const NEAR_ENOUGH_SPREADS: f64 = 3.0;
/// For how long they must lie farther off before it is forgotten, in s.
const MISFIT_S: f64 = 60.0;
/// For how long they must not before it is believed, in s.
const FITS_S: f64 = 120.0;
/// One sample counts for no more than as many seconds.
const AT_ONCE_S: f64 = 2.0;

/// What was recalled of a seat, and for how long it did and did not fit what was heard since.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recalled {
    seat: Seat,
    fits_s: f64,
    misfit_s: f64,
}

impl Recalled {
    fn new(seat: Seat) -> Self {
        Self { seat, fits_s: 0.0, misfit_s: 0.0 }
    }

    /// Takes in the mean of a place at the seat; returns whether what was recalled fits, once that is known.
    fn compare(&mut self, mean: f64, is_seat: bool, seconds: f64) -> Option<bool> {
        let spreads = if is_seat { NEAR_ENOUGH_SPREADS * self.seat.variance.sqrt() } else { 0.0 };
        if (mean - self.seat.mean).abs() > spreads.max(NEAR_ENOUGH) {
            self.misfit_s += seconds;
        } else {
            self.fits_s += seconds;
            self.misfit_s = 0.0;
        }
        if self.misfit_s >= MISFIT_S { Some(false) } else { (self.fits_s >= FITS_S).then_some(true) }
    }
}

impl Dongle {
    /// A dongle that has not heard the band.
    pub(super) fn new(model: &Model, adapter: AdapterId) -> Self {
        Self { adapter, filter: Filter::new(model), last: None, recalled: None, is_kept: false }
    }

    /// Compares what was recalled with where the band lies; forgets it where the dongle or the seat must have been moved
    /// since, and says so.
    ///
    /// A recalled seat that is too loud would never take the wearer for being at it. So a place above far counts, too.
    pub(super) fn doubt(&mut self, model: &Model, seconds: f64, near: bool) -> bool {
        let Some(recalled) = &mut self.recalled else { return false };
        let Some((mean, is_seat)) = self.filter.lies(model) else { return false };
        if !(near && is_seat || mean > model.seat_lowest + LOWEST_BELOW_FAR) {
            return false;
        }
        let Some(fits) = recalled.compare(mean, is_seat, seconds.min(AT_ONCE_S)) else { return false };
        self.recalled = None;
        if !fits {
            self.forget(model);
        }
        !fits
    }

    /// Begins with the guess again; where the wearer is was believed from another seat.
    fn forget(&mut self, model: &Model) {
        self.filter.lose(model);
        (self.filter.seat, self.recalled, self.is_kept) = (Seat::guessed(model), None, false);
    }
}

impl Adaptive {
    /// Whether a dongle has heard the band.
    pub(in crate::proximity) fn knows(&self, adapter: AdapterId) -> bool {
        self.dongles.iter().any(|dongle| dongle.adapter == adapter)
    }

    /// Begins at a dongle with what was learnt at another time.
    pub(in crate::proximity) fn recall(&mut self, model: &Model, adapter: AdapterId, lesson: Lesson) {
        let db = |cdb: i32| f64::from(cdb) / 100.0;
        let seat = Seat::recalled(model, db(lesson.seat_cdb), db(lesson.seat_spread_cdb), lesson.seat_known_s.into());
        let mut dongle = Dongle { recalled: Some(Recalled::new(seat)), is_kept: true, ..Dongle::new(model, adapter) };
        dongle.filter.seat = seat;
        dongle.filter.habit.sharpness = f64::from(lesson.habit_millinats) / 1000.0;
        self.dongles.push(dongle);
        if self.last.is_none() {
            self.interval = Interval::recalled(f64::from(lesson.interval_ms) / 1000.0);
        }
    }

    /// What was learnt at each dongle, and when that last heard the band.
    pub(in crate::proximity) fn lessons(&self) -> impl Iterator<Item = (AdapterId, Option<Time>, Lesson)> {
        let interval_ms = self.interval.mean().as_millis() as u32;
        let is_learnt = |dongle: &&Dongle| dongle.is_kept || dongle.filter.seat.is_worth_keeping();
        self.dongles.iter().filter(is_learnt).map(move |dongle| {
            let Filter { seat, habit, .. } = &dongle.filter;
            let lesson = Lesson {
                seat_cdb: cdb(seat.mean),
                seat_spread_cdb: cdb(seat.variance.sqrt()),
                seat_known_s: seat.known as u32,
                habit_millinats: (habit.sharpness * 1000.0).round() as i32,
                interval_ms: interval_ms.clamp(*INTERVALS_MS.start(), *INTERVALS_MS.end()),
            };
            (dongle.adapter, dongle.last, lesson)
        })
    }

    /// Begins with the guess again at the dongles that are meant.
    pub(in crate::proximity) fn forget(&mut self, model: &Model, is_meant: impl Fn(AdapterId) -> bool) {
        self.dongles.iter_mut().filter(|dongle| is_meant(dongle.adapter)).for_each(|dongle| dongle.forget(model));
    }

    /// Drops everything that a dongle has heard: there is another in its place.
    pub(in crate::proximity) fn drop_dongle(&mut self, adapter: AdapterId) {
        self.dongles.retain(|dongle| dongle.adapter != adapter);
    }

    /// How often what was recalled did not fit, since that was last asked.
    pub(in crate::proximity) fn take_misfits(&mut self) -> u64 {
        std::mem::take(&mut self.misfits).into()
    }
}

#[cfg(test)]
mod tests;
