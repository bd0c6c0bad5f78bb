//! Locks: false ones, missed ones, late ones, and time spent on the wrong side.

use std::time::Duration;

use super::{Said, micros};
use crate::evaluate::trace::{Trace, Truth};
use crate::time::Time;

/// So long after an arrival being locked out does not count.
const ARRIVAL: Duration = Duration::from_secs(5);

/// So long after a departure being unlocked does not count as time unlocked while away; how late a lock is counts for
/// itself.
const DEPARTURE: Duration = Duration::from_secs(30);

/// A stay must last so long for a change that never came to be missed.
const SETTLED: Duration = Duration::from_secs(15);

/// What is counted of locks in one trace, or in many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Locks {
    /// Became locked while present.
    pub false_locks: u64,
    /// Became unlocked while away.
    pub false_unlocks: u64,
    /// Changes of either kind in grey.
    pub grey_edges: u64,
    /// From present to away, as far as they could be judged.
    pub departures: u64,
    /// Departures after which it stayed unlocked.
    pub missed_locks: u64,
    /// Departures before which it was locked already.
    pub pre_locked: u64,
    /// Departures too short to judge.
    pub censored_departures: u64,
    /// From away to present, as far as they could be judged.
    pub approaches: u64,
    /// Approaches after which it stayed locked.
    pub missed_unlocks: u64,
    /// Approaches too short to judge.
    pub censored_approaches: u64,
    /// Time present.
    pub present: Duration,
    /// Of it, locked, the first 5 s after each arrival left out.
    pub locked_out: Duration,
    /// Time in grey.
    pub grey: Duration,
    /// Time away.
    pub away: Duration,
    /// Of it, all but the first 30 s after each departure.
    pub away_late: Duration,
    /// Of that, unlocked.
    pub away_unlocked: Duration,
    /// From the last row present to each lock, in µs.
    pub lock_us: Vec<i64>,
    /// From the first row away to each lock, in µs; 0 where the lock came before.
    pub exposed_us: Vec<i64>,
    /// From the first row present to each unlock, in µs; negative where it came before.
    pub unlock_us: Vec<i64>,
}

impl Locks {
    /// Adds what was counted elsewhere.
    pub fn add(&mut self, other: &Self) {
        let counts = [
            (&mut self.false_locks, other.false_locks),
            (&mut self.false_unlocks, other.false_unlocks),
            (&mut self.grey_edges, other.grey_edges),
            (&mut self.departures, other.departures),
            (&mut self.missed_locks, other.missed_locks),
            (&mut self.pre_locked, other.pre_locked),
            (&mut self.censored_departures, other.censored_departures),
            (&mut self.approaches, other.approaches),
            (&mut self.missed_unlocks, other.missed_unlocks),
            (&mut self.censored_approaches, other.censored_approaches),
        ];
        counts.into_iter().for_each(|(count, more)| *count += more);
        let spans = [
            (&mut self.present, other.present),
            (&mut self.locked_out, other.locked_out),
            (&mut self.grey, other.grey),
            (&mut self.away, other.away),
            (&mut self.away_late, other.away_late),
            (&mut self.away_unlocked, other.away_unlocked),
        ];
        spans.into_iter().for_each(|(span, more)| *span += more);
        self.lock_us.extend(&other.lock_us);
        self.exposed_us.extend(&other.exposed_us);
        self.unlock_us.extend(&other.unlock_us);
    }
}

/// The state as time passes over a trace's rows.
struct Walk {
    counted: Locks,
    now: Time,
    truth: Truth,
    /// Since when that is the truth.
    since: Time,
    began_locked: bool,
    locked: bool,
    /// Each change of the state.
    edges: Vec<(Time, bool)>,
}

impl Walk {
    /// Lets time pass in an unchanged state.
    fn pass(&mut self, until: Time) {
        let beyond = |grace: Duration| until.since(self.now.max(self.since + grace));
        let span = until.since(self.now);
        match self.truth {
            Truth::Present => {
                self.counted.present += span;
                self.counted.locked_out += if self.locked { beyond(ARRIVAL) } else { Duration::ZERO };
            }
            Truth::Grey => self.counted.grey += span,
            Truth::Away => {
                self.counted.away += span;
                self.counted.away_late += beyond(DEPARTURE);
                self.counted.away_unlocked += if self.locked { Duration::ZERO } else { beyond(DEPARTURE) };
            }
        }
        self.now = until;
    }

    fn change(&mut self, at: Time, locked: bool) {
        if locked == self.locked {
            return;
        }
        match (self.truth, locked) {
            (Truth::Present, true) => self.counted.false_locks += 1,
            (Truth::Away, false) => self.counted.false_unlocks += 1,
            (Truth::Grey, _) => self.counted.grey_edges += 1,
            (Truth::Present, false) | (Truth::Away, true) => {}
        }
        self.locked = locked;
        self.edges.push((at, locked));
    }

    /// The state once all that happened up to and including a moment has.
    fn locked_at(&self, at: Time) -> bool {
        let until = self.edges.partition_point(|(edge, _)| *edge <= at);
        until.checked_sub(1).map_or(self.began_locked, |last| self.edges[last].1)
    }
}

/// A time on one side, from its first to its last row; grey does not end it.
struct Stay {
    truth: Truth,
    begin: Time,
    end: Time,
}

fn stays(truths: &[(Time, Truth)]) -> Vec<Stay> {
    let mut stays: Vec<Stay> = Vec::new();
    for &(at, truth) in truths.iter().filter(|(_, truth)| *truth != Truth::Grey) {
        match stays.last_mut() {
            Some(stay) if stay.truth == truth => stay.end = at,
            _ => stays.push(Stay { truth, begin: at, end: at }),
        }
    }
    stays
}

/// Scores what a detector said to a trace, by the truth of its rows.
pub fn score_locks(trace: &Trace, said: &Said) -> Locks {
    let truths: Vec<(Time, Truth)> = trace.rows.iter().map(|row| (row.at, trace.truth(row))).collect();
    score_by(&truths, said)
}

/// Scores what a detector said, by the truth at some moments, in order of time.
///
/// A moment's truth holds until the next one. Before its first decision a detector has the state that is right at the
/// first moment that is not grey. What is said at the very moment belongs to that truth, and where one moment has
/// several to the first. What is said after the last moment counts no more.
pub fn score_by(truths: &[(Time, Truth)], said: &Said) -> Locks {
    let Some((&(begin, first), &(end, _))) = truths.first().zip(truths.last()) else { return Locks::default() };
    let began_locked = truths.iter().map(|(_, truth)| *truth).find(|truth| *truth != Truth::Grey) == Some(Truth::Away);
    let mut walk = Walk {
        counted: Locks::default(),
        now: begin,
        truth: first,
        since: begin,
        began_locked,
        locked: began_locked,
        edges: Vec::new(),
    };
    let mut changes = said.changes.iter().map(|&(at, locked)| (at.max(begin), locked)).peekable();
    for &(moment, truth) in truths {
        while let Some((at, locked)) = changes.next_if(|(at, _)| *at < moment) {
            walk.pass(at);
            walk.change(at, locked);
        }
        walk.pass(moment);
        if truth != walk.truth {
            (walk.truth, walk.since) = (truth, moment);
        }
        while let Some((at, locked)) = changes.next_if(|(at, _)| *at <= moment) {
            walk.change(at, locked);
        }
    }
    judge(&stays(truths), end, walk)
}

/// Judges each change from one stay to the next.
fn judge(stays: &[Stay], end: Time, mut walk: Walk) -> Locks {
    let mut counted = std::mem::take(&mut walk.counted);
    for (place, pair) in stays.windows(2).enumerate() {
        let (before, stay) = (&pair[0], &pair[1]);
        let until = stays.get(place + 2).map_or(end, |next| next.begin);
        let away = stay.truth == Truth::Away;
        let was_locked = walk.locked_at(before.end);
        let later = walk.edges.partition_point(|(at, _)| *at < before.end);
        let settled = walk.edges[later..].iter().find(|(_, locked)| *locked == away).filter(|(at, _)| *at <= until);
        match (away, settled) {
            (true, _) if was_locked => {
                counted.pre_locked += 1;
                counted.departures += 1;
            }
            (true, Some(&(at, _))) => {
                counted.lock_us.push(micros(before.end, at));
                counted.exposed_us.push(micros(stay.begin, at).max(0));
                counted.departures += 1;
            }
            (true, None) if until.since(stay.begin) >= SETTLED => {
                counted.missed_locks += 1;
                counted.departures += 1;
            }
            (true, None) => counted.censored_departures += 1,
            // Who was not locked out needs no unlock.
            (false, _) if !was_locked => {}
            (false, Some(&(at, _))) => {
                counted.unlock_us.push(micros(stay.begin, at));
                counted.approaches += 1;
            }
            (false, None) if stay.end.since(stay.begin) >= SETTLED => {
                counted.missed_unlocks += 1;
                counted.approaches += 1;
            }
            (false, None) => counted.censored_approaches += 1,
        }
    }
    counted
}

#[cfg(test)]
mod tests;
