//! The ideal observer: what could be told by someone who knows the generator of the shifts and the workplace, though not
//! what the wearer does.
//!
//! It knows level, fall, body, null, seat and error of calibration, this wearer's habits, on which channel each advert
//! came, when those were sent that nobody heard, and, each time, that the wearer has just sat down or is just away, and
//! how far. What is left is Bayes' rule over everything that a wearer may be doing, by particles.
//!
//! No detector knows half as much, so what this one misses is probably out of reach. That is no proof: sides are said at
//! fixed odds, where a rule that also waits might do a little better, and so might more particles.

mod fading; // what is known of the place's level
mod particle; // one thing that may be going on
mod watch; // all that may be going on

use std::iter;
use std::time::Duration;

use watch::Watch;

use super::air::Heard;
use super::person::{Person, Scene};
use super::shift::{Shift, moment};
use crate::evaluate::score::{Locks, Said, score_by};
use crate::evaluate::trace::Truth;
use crate::simulate::Random;
use crate::time::Time;

/// So long after a departure or an arrival nothing is to be learnt any more.
const WATCHED: Duration = Duration::from_secs(180);

/// Odds at which it is taken back that the wearer has gone, or come: below even.
const BACK: f64 = -0.85;

/// Log odds from moment to moment; `None` where the observer is told that they are low.
type Odds = Vec<(Time, Option<f64>)>;

/// How sure it was over a shift that the wearer had gone, and had come.
#[derive(Clone, Debug)]
pub struct Ideal {
    truth: Vec<(Time, Truth)>,
    gone: Odds,
    come: Odds,
}

impl Ideal {
    /// Watches the shift of a seed.
    pub fn watch(seed: u64) -> Self {
        let overheard = Overheard::new(seed, None);
        let gone = told(overheard.stays(), |stay| overheard.gone(stay).collect());
        let come = told(overheard.absences(), |absence| overheard.come(absence).collect());
        Self { truth: overheard.shift.truth, gone, come }
    }

    /// What comes of departures if these log odds are taken for gone. Unlocks are what it was told.
    pub fn score_gone(&self, enough: f64) -> Locks {
        score_by(&self.truth, &said(&self.gone, enough, true))
    }

    /// What comes of arrivals if these log odds are taken for come. Locks are what it was told.
    pub fn score_come(&self, enough: f64) -> Locks {
        score_by(&self.truth, &said(&self.come, enough, false))
    }
}

/// What was seen in each time, after what was told at its begin.
fn told(times: Vec<(Time, Time)>, see: impl Fn((Time, Time)) -> Vec<(Time, f64)>) -> Odds {
    let seen = |time: (Time, Time)| see(time).into_iter().map(|(at, odds)| (at, Some(odds)));
    times.into_iter().flat_map(|time| iter::once((time.0, None)).chain(seen(time))).collect()
}

/// Says a side when so sure of it, and the other one when not any more.
fn said(odds: &Odds, enough: f64, side: bool) -> Said {
    let mut said = Said::default();
    let mut on = false;
    for &(at, odds) in odds {
        let now = odds.is_some_and(|odds| odds > if on { BACK } else { enough });
        if now != on || odds.is_none() {
            on = now;
            said.changes.push((at, on == side));
        }
    }
    said
}

/// A shift, and what nobody can know of it.
struct Overheard {
    shift: Shift,
    person: Person,
    sent: Vec<(f64, Option<Heard>)>,
}

impl Overheard {
    fn new(seed: u64, rate: Option<f64>) -> Self {
        let (shift, sent) = Shift::overheard(seed, rate, 1);
        Self { person: Shift::person(seed, &shift.site), shift, sent }
    }

    /// When a scene ends and another one begins.
    fn ends(&self, of: Scene) -> impl Iterator<Item = Time> {
        self.shift.scenes.windows(2).filter(move |pair| pair[0].1 == of).map(|pair| pair[1].0)
    }

    /// The first moment on a side after another one; else the end of the shift.
    fn first(&self, side: Truth, after: Time) -> Time {
        let first = self.shift.truth.iter().find(|(at, truth)| *at > after && *truth == side);
        first.map_or(self.shift.end(), |(at, _)| *at)
    }

    /// From each sitting down until nothing is to be learnt any more, or the next.
    fn stays(&self) -> Vec<(Time, Time)> {
        let begins: Vec<Time> = iter::once(Time::ZERO).chain(self.ends(Scene::SitDown)).collect();
        let next = begins[1..].iter().copied().chain([self.shift.end()]);
        let stay = |(&begin, next): (&Time, Time)| (begin, (self.first(Truth::Away, begin) + WATCHED).min(next));
        begins.iter().zip(next).map(stay).collect()
    }

    /// From each departure's end until nothing is to be learnt any more, or the next departure.
    fn absences(&self) -> Vec<(Time, Time)> {
        let away = |pair: &[(Time, Scene)]| pair[0].1 == Scene::Leave && pair[1].1 == Scene::Away;
        let begins = self.shift.scenes.windows(2).filter(|pair| away(pair)).map(|pair| pair[1].0);
        let absence = |begin: Time| {
            let here = self.first(Truth::Present, begin);
            (begin, (here + WATCHED).min(self.first(Truth::Away, here)))
        };
        begins.map(absence).collect()
    }

    /// The log odds of being gone after each advert of a stay.
    fn gone(&self, (begin, end): (Time, Time)) -> impl Iterator<Item = (Time, f64)> {
        let came_back = begin > Time::ZERO;
        self.see((begin, end), Watch::sitting(&self.shift.site, &self.person, stream(begin), seconds(begin), came_back))
    }

    /// The log odds of being back after each advert of an absence.
    fn come(&self, (begin, end): (Time, Time)) -> impl Iterator<Item = (Time, f64)> {
        let point = self.shift.course.partition_point(|(at, _)| *at < begin);
        let distance_m = self.shift.course.get(point).map_or(0.0, |(_, distance_m)| *distance_m);
        self.see((begin, end), Watch::away(&self.shift.site, &self.person, stream(begin), seconds(begin), distance_m))
    }

    fn see<'a>(&'a self, (begin, end): (Time, Time), mut watch: Watch<'a>) -> impl Iterator<Item = (Time, f64)> {
        let first = self.sent.partition_point(|(at, _)| *at < seconds(begin));
        let sent = self.sent[first..].iter().take_while(move |(at, _)| *at < seconds(end));
        sent.map(move |&(at, heard)| (moment(at), watch.observe(at, heard)))
    }
}

fn seconds(at: Time) -> f64 {
    at.as_micros() as f64 / 1e6
}

/// Chance of its own for each time that is watched.
fn stream(begin: Time) -> Random {
    Random::new(begin.as_micros(), 0)
}

#[cfg(test)]
mod tests;
