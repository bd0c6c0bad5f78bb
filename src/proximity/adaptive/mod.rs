//! The adaptive detector: where the wearer is, from what is known of signals and people.
//!
//! ```text
//!  samples ── filter (one a dongle) ── belief ──┐
//!             place, seat, habit               ├─ verdict ── side
//!  silence ── interval ─────────────────────────┘
//! ```
//!
//! A fixed rule asks where the level lies; this one asks what would have made these levels: somebody who sits still in
//! some place of the standing waves, stirs there, walks off or comes. `docs/ADAPTIVE.md` has the reasoning.

mod filter;
mod habit;
mod interval;
mod learnt;
mod math;
mod model;
mod motion;
mod parameters;
mod place;
mod seat;
mod tap;
mod verdict;

use std::time::Duration;

use filter::{Belief, Filter};
use interval::Interval;
use learnt::Recalled;
use verdict::Verdict;

pub use learnt::Lesson;
pub use model::Model;
pub use parameters::Parameters;
pub(super) use tap::Contact;

use crate::event::{AdapterId, Reckoning, Side};
use crate::time::Time;

/// What the adaptive detector knows of one band.
#[derive(Clone, Debug, Default)]
pub(super) struct Adaptive {
    dongles: Vec<Dongle>,
    interval: Interval,
    verdict: Verdict,
    belief: Belief,
    /// The newest sample's moment, at any dongle.
    last: Option<Time>,
    /// The newest use of the terminal that was taken for a hint.
    noticed: Option<Time>,
    /// How many such hints there were while the wearer seemed to be elsewhere.
    hints: u8,
    /// How often what was recalled turned out not to fit.
    misfits: u8,
}

/// One band at one dongle.
#[derive(Clone, Debug)]
struct Dongle {
    adapter: AdapterId,
    filter: Filter,
    last: Option<Time>,
    /// What was recalled, until it has shown that it fits.
    recalled: Option<Recalled>,
    /// Whether this was worth keeping before it was learnt anew.
    is_kept: bool,
}

/// How much more likely the terminal is used with its wearer at it than without, as log odds. Assumed: one in three
/// strokes at an open terminal would be another's.
const USED: f64 = 1.0;
/// How often use counts as new.
const NOTICED_EVERY: Duration = Duration::from_secs(5);
/// How many such hints count while the signal says otherwise: it may be another who uses an open terminal.
const HINTS: u8 = 4;
/// So long after the last of them they count again, if the signal agrees by then.
const HINTS_AGAIN: Duration = Duration::from_secs(60);

/// The longest pause that is reckoned with; what happened in a longer one is not known.
const LONGEST: Duration = Duration::from_secs(30);
/// The shortest pause: what came at one moment by the clock was still sent one after another.
const SHORTEST: Duration = Duration::from_millis(10);
/// The pause before the first sample.
const FIRST: Duration = Duration::from_millis(500);

/// The pause that ends at `at`, in s.
fn pause(last: Option<Time>, at: Time) -> f64 {
    last.map_or(FIRST, |last| at.since(last)).clamp(SHORTEST, LONGEST).as_secs_f64()
}

impl Adaptive {
    /// Takes in a level in tenths of a dBm; returns the side asked for, if it is another than `held`.
    ///
    /// Of the dongles, those that `count` have a say; one that hears has one if none does. `active` is when the terminal
    /// was last used, by this wearer for all that is known.
    pub(super) fn observe(
        &mut self,
        model: &Model,
        at: Time,
        (adapter, tenths): (AdapterId, i32),
        held: Side,
        active: Option<Time>,
        counts: impl Fn(AdapterId) -> bool,
    ) -> Option<Side> {
        let level = f64::from(tenths) / 10.0;
        let place = self.dongles.iter().position(|dongle| dongle.adapter == adapter).unwrap_or_else(|| {
            self.dongles.push(Dongle::new(model, adapter));
            self.dongles.len() - 1
        });
        let dongle = &mut self.dongles[place];
        let seconds = pause(dongle.last, at);
        dongle.filter.observe(model, seconds, level, held == Side::Near);
        dongle.last = Some(at);
        self.misfits = self.misfits.saturating_add(dongle.doubt(model, seconds, held == Side::Near).into());
        let seconds = pause(self.last, at);
        self.interval.observe(seconds, level);
        self.notice(model, active);
        self.last = Some(at);
        self.belief = self.believe(model, at, adapter, counts);
        self.verdict.observe(model, seconds, self.belief, held)
    }

    /// Takes use of the terminal for a hint that the wearer is at it, where that is in doubt; only now and then, since
    /// the next stroke of a key says little that the one before has not said. What was before the last sample says where
    /// the wearer was then, which that sample was told.
    fn notice(&mut self, model: &Model, active: Option<Time>) {
        if self.belief.away < 0.5 {
            // It may be the hints that made it so.
            if self.last >= self.noticed.map(|noticed| noticed + HINTS_AGAIN) {
                self.hints = 0;
            }
            return;
        }
        let is_new = |active: &Time| {
            Some(*active) >= self.last && self.noticed.is_none_or(|noticed| *active >= noticed + NOTICED_EVERY)
        };
        let Some(active) = active.filter(is_new) else { return };
        if self.hints < HINTS {
            (self.noticed, self.hints) = (Some(active), self.hints + 1);
            for dongle in &mut self.dongles {
                dongle.filter.hint(model, USED);
            }
        }
    }

    /// Takes the agent's word that the wearer is at the terminal. Where that was not known, the seat is learnt anew, from
    /// where the band is now.
    pub(super) fn arrive(&mut self, model: &Model, held: Side) {
        if held == Side::Near && self.belief.away < 0.5 {
            return;
        }
        let lately = self.interval.lately();
        for dongle in &mut self.dongles {
            dongle.is_kept |= dongle.filter.seat.is_worth_keeping();
            // One that has not heard the band for long cannot say where the seat is.
            if dongle.last.zip(self.last).is_some_and(|(heard, last)| last.since(heard) <= lately) {
                dongle.filter.arrive(model);
                dongle.recalled = None;
            } else {
                dongle.filter.lose(model);
            }
        }
        self.verdict = Verdict::default();
        self.belief = Belief { away: 0.0, walking: 0.0 };
    }

    /// The belief of all dongles that heard the band lately: what they say adds up.
    fn believe(&self, model: &Model, at: Time, heard: AdapterId, counts: impl Fn(AdapterId) -> bool) -> Belief {
        let fresh = |dongle: &&Dongle| dongle.last.is_some_and(|last| at.since(last) <= self.interval.lately());
        let well = |dongle: &&Dongle| counts(dongle.adapter);
        let alone = !self.dongles.iter().filter(fresh).any(|dongle| well(&dongle));
        let has_say = |dongle: &&Dongle| if alone { dongle.adapter == heard } else { fresh(dongle) && well(dongle) };
        Belief::together(self.dongles.iter().filter(has_say).map(|dongle| dongle.filter.belief(model)))
    }

    /// The band is gone: nobody knows where. What was learnt stays.
    pub(super) fn lose(&mut self, model: &Model) {
        for dongle in &mut self.dongles {
            dongle.filter.lose(model);
        }
        (self.verdict, self.belief) = Default::default();
    }

    /// How long a silence may last while the wearer is taken to be near.
    pub(super) fn patience(&self, model: &Model, absent_after: Duration) -> Duration {
        let leaving = self.belief.away > 0.3 || self.belief.walking > 0.5 || self.interval.is_faint(model);
        if leaving { self.interval.leaving() } else { self.interval.staying(absent_after) }
    }

    /// How long a silence may last until the band is absent.
    pub(super) fn absent_after(&self, absent_after: Duration) -> Duration {
        self.interval.staying(absent_after)
    }

    /// What the side rests on.
    pub(super) fn reckoning(&self, model: &Model) -> Reckoning {
        let permille = |share: f64| (share * 1000.0 + 0.5) as u16;
        Reckoning {
            away_permille: permille(self.belief.away),
            walking_permille: permille(self.belief.walking),
            gathered_permille: permille((self.verdict.gathered() / model.p.away_evidence).min(60.0)),
            interval_ms: self.interval.mean().as_millis() as u64,
        }
    }
}

#[cfg(test)]
mod tests;
