//! What a detector must reach: the rows of the goal table, each with its value, what that proves, and whether it does.

use super::interval;
use super::numbers::{JOINT_LIMITS, Joint};
use super::picture::{Numbers, Picture, Spread};

/// What a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// The four that must hold together.
    Joint,
    /// Locks, each row alone.
    Locks,
    /// Taps.
    Taps,
    /// Calibrated too high.
    ShiftUp,
    /// Calibrated too low.
    ShiftDown,
    /// Half of the adverts lost.
    Thin,
}

/// The unit of a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unit {
    /// Per 8 h present; so many in all.
    Per8h(f64),
    /// Percent of a time.
    Percent,
    /// Seconds.
    Seconds,
    /// Events.
    Events,
    /// Events out of so many.
    Of(f64),
}

/// Where a value must be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Must {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
}

/// What stands beside a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Beside {
    /// Nothing: it is no count.
    Nothing,
    /// Rates that are not unlikely, per 8 h or per hour.
    Rate {
        /// The lower end.
        low: f64,
        /// The upper end.
        high: f64,
        /// Hours of the unit.
        hours: u8,
    },
    /// Shares that are not unlikely, 0 to 1.
    Share {
        /// The lower end.
        low: f64,
        /// The upper end.
        high: f64,
    },
    /// The worst of several runs.
    Worst(f64),
}

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub struct Goal {
    /// What it is about.
    pub group: Group,
    /// Its key in JSON.
    pub key: &'static str,
    /// What it says.
    pub what: &'static str,
    /// Which traces.
    pub traces: &'static str,
    /// The value; NaN where it cannot be told.
    pub value: f64,
    /// Its unit.
    pub unit: Unit,
    /// What stands beside it.
    pub beside: Beside,
    /// Where it must be.
    pub must: Option<Must>,
    /// Whether there was anything to judge by.
    pub judged: bool,
}

impl Goal {
    /// Whether the value is where it must be; `None` where there is no such place or nothing to judge by.
    pub fn is_met(&self) -> Option<bool> {
        let must = self.must.filter(|_| self.judged)?;
        // What cannot be told though there was something to judge by, such as the delay of locks that all were
        // missed, is not met.
        Some(match must {
            Must::AtMost(limit) => self.value <= limit,
            Must::AtLeast(limit) => self.value >= limit,
        })
    }
}

/// The rows of a detector. Where stress was asked for, they say what it does, once each, and are judged by nothing.
pub fn goals(picture: &Picture) -> Vec<Goal> {
    let mut goals = joint(picture);
    goals.extend(locks(picture));
    goals.extend(taps(picture));
    for (group, spread) in [Group::ShiftUp, Group::ShiftDown, Group::Thin].into_iter().zip(&picture.stressed) {
        goals.extend(stressed(group, spread));
    }
    if picture.stressed.is_empty() {
        let four: Vec<&str> = joint(picture).iter().map(|goal| goal.key).collect();
        goals.retain(|goal| goal.group != Group::Locks || !four.contains(&goal.key));
        goals.iter_mut().for_each(|goal| goal.must = None);
    }
    goals
}

/// What a row is called: its key, its words, its traces.
type Line = (&'static str, &'static str, &'static str);

const FALSE_LOCKS: Line = ("false_locks_per_8h", "false locks per 8 h (how many)", "desk");
const LOCKED_OUT: Line = ("locked_out_pct", "locked out while present", "desk");
const MISSED_LOCKS: Line = ("missed_locks", "missed locks", "human");
const EXPOSED: Line = ("exposed_p95", "exposed after leaving, p95", "human");
const EXPOSED_ALL: Line = ("exposed_p95_all", "the same, a missed lock as endless", "human");
const UNLOCK_P50: Line = ("unlock_p50", "unlock from arrival, p50", "human");
const UNLOCK_P95: Line = ("unlock_p95", "unlock from arrival, p95", "human");
const MISSED_UNLOCKS: Line = ("missed_unlocks", "missed unlocks", "human");
const FALSE_UNLOCKS: Line = ("false_unlocks", "false unlocks, events", "human");
const FALSE_UNLOCKS_ALL: Line = ("false_unlocks_everywhere", "false unlocks, events", "all");
const HITS: Line = ("hits", "tap hits", "taps");
const DELAY_P50: Line = ("latency_p50", "tap delay, p50", "taps");
const DELAY_P95: Line = ("latency_p95", "tap delay, p95", "taps");
const HALF_HITS: Line = ("half_hits", "tap hits", "taps, half lost");
const FALSE_TAPS: Line = ("false_taps", "false taps, events", "all");
const REPEATS: Line = ("repeats", "repeats for one contact", "taps");
const HALF_REPEATS: Line = ("half_repeats", "repeats for one contact", "taps, half lost");

/// A value with what stands beside it.
type Value = (f64, Beside);

fn goal(group: Group, line: Line, value: Value, unit: Unit, must: Must, judged: bool) -> Goal {
    let ((key, what, traces), (value, beside)) = (line, value);
    Goal { group, key, what, traces, value, unit, beside, must: Some(must), judged }
}

/// A number over all runs: of one run with what it proves, of several with the worst.
fn over(picture: &Picture, pick: impl Fn(&Numbers) -> f64, proves: Beside) -> Value {
    let value = pick(&picture.mean);
    if picture.runs > 1 { (value, Beside::Worst(pick(&picture.worst))) } else { (value, proves) }
}

fn rate(count: u64, hours: f64, per: u8) -> Beside {
    match interval::rate(count, hours / f64::from(per)) {
        Some((low, high)) => Beside::Rate { low, high, hours: per },
        None => Beside::Nothing,
    }
}

fn share(count: u64, of: u64) -> Beside {
    interval::share(count, of).map_or(Beside::Nothing, |(low, high)| Beside::Share { low, high })
}

/// The four of the joint claim, with these limits.
fn four(picture: &Picture, group: Group, limits: [f64; 4]) -> Vec<Goal> {
    let (joint, counts) = (&picture.mean.joint, &picture.counts);
    let (at_desk, people_left) = (joint.desk_h > 0.0, joint.departures > 0.0);
    let missed = share(counts.human.missed_locks, counts.human.departures);
    let [false_locks, locked_out, missed_locks, exposed] = [
        over(picture, |of| of.joint.false_locks_per_8h, rate(counts.desk.false_locks, joint.desk_h, 8)),
        over(picture, |of| of.joint.locked_out_pct, Beside::Nothing),
        over(picture, |of| of.joint.missed_locks, missed),
        over(picture, |of| of.joint.exposed_p95, Beside::Nothing),
    ];
    let [per_8h, out_pct, misses, exposed_s] = limits.map(Must::AtMost);
    vec![
        goal(group, FALSE_LOCKS, false_locks, Unit::Per8h(joint.false_locks), per_8h, at_desk),
        goal(group, LOCKED_OUT, locked_out, Unit::Percent, out_pct, at_desk),
        goal(group, MISSED_LOCKS, missed_locks, Unit::Of(joint.departures), misses, people_left),
        goal(group, EXPOSED, exposed, Unit::Seconds, exposed_s, joint.left_unlocked()),
    ]
}

fn joint(picture: &Picture) -> Vec<Goal> {
    four(picture, Group::Joint, JOINT_LIMITS)
}

fn locks(picture: &Picture) -> Vec<Goal> {
    let (joint, counts) = (&picture.mean.joint, &picture.counts);
    let all_away_h = picture.mean.locks.away_h;
    let people_came = joint.approaches > 0.0;
    let missed = share(counts.human.missed_unlocks, counts.human.approaches);
    let human = rate(counts.human.false_unlocks, joint.away_h, 1);
    let all = rate(counts.all.false_unlocks, all_away_h, 1);
    let endless = over(picture, |of| of.joint.exposed_p95_all, Beside::Nothing);
    let of = |pick: fn(&Joint) -> f64, proves| over(picture, |of| pick(&of.joint), proves);
    let add = |line, value, unit, limit, judged| goal(Group::Locks, line, value, unit, Must::AtMost(limit), judged);
    let mut goals = four(picture, Group::Locks, [1.0, 0.5, 1.0, 9.0]);
    // Beside the delay of those that locked stands what it leaves out; no limit is set for it.
    goals.push(Goal { must: None, ..add(EXPOSED_ALL, endless, Unit::Seconds, 0.0, joint.left_unlocked()) });
    let came = Unit::Of(joint.approaches);
    goals.extend([
        add(UNLOCK_P50, of(|joint| joint.unlock_p50, Beside::Nothing), Unit::Seconds, 0.0, people_came),
        add(UNLOCK_P95, of(|joint| joint.unlock_p95, Beside::Nothing), Unit::Seconds, 4.0, people_came),
        add(MISSED_UNLOCKS, of(|joint| joint.missed_unlocks, missed), came, 1.0, people_came),
        add(FALSE_UNLOCKS, of(|joint| joint.false_unlocks, human), Unit::Events, 0.0, joint.away_h > 0.0),
        add(FALSE_UNLOCKS_ALL, of(|joint| joint.false_unlocks_everywhere, all), Unit::Events, 2.0, all_away_h > 0.0),
    ]);
    goals
}

fn taps(picture: &Picture) -> Vec<Goal> {
    let Picture { mean, worst, counts, .. } = picture;
    let false_taps = counts.taps.false_taps + counts.elsewhere.false_taps;
    let span = counts.taps.span + counts.elsewhere.span;
    let proves = rate(false_taps, span.as_secs_f64() / 3600.0, 1);
    let hits = share(counts.taps.hits, counts.taps.contacts);
    let (tapped, none) = (mean.taps.taps > 0.0, Must::AtMost(0.0));
    let (of, seconds, events) = (Unit::Of(mean.taps.taps), Unit::Seconds, Unit::Events);
    let add = |line, value, unit, must| goal(Group::Taps, line, value, unit, must, tapped);
    let (half_hits, half_repeats) = (Beside::Worst(worst.half.hits), Beside::Worst(worst.half.repeats));
    let all_false = over(picture, |of| of.taps.false_taps + of.elsewhere.false_taps, proves);
    let documented = Must::AtMost(picture.documented_false_taps);
    vec![
        add(HITS, over(picture, |of| of.taps.hits, hits), of, Must::AtLeast(mean.taps.taps)),
        add(DELAY_P50, over(picture, |of| of.taps.latency_p50, Beside::Nothing), seconds, Must::AtMost(0.15)),
        add(DELAY_P95, over(picture, |of| of.taps.latency_p95, Beside::Nothing), seconds, Must::AtMost(0.35)),
        add(HALF_HITS, (mean.half.hits, half_hits), of, Must::AtLeast(0.9 * mean.half.taps)),
        goal(Group::Taps, FALSE_TAPS, all_false, events, documented, !span.is_zero()),
        add(REPEATS, over(picture, |of| of.taps.repeats, Beside::Nothing), events, none),
        add(HALF_REPEATS, (mean.half.repeats, half_repeats), events, none),
    ]
}

/// What a detector must bear of an error of calibration, or of lost adverts.
fn stressed(group: Group, spread: &Spread) -> Vec<Goal> {
    let Spread { mean, worst } = spread;
    let thin = group == Group::Thin;
    let of = |pick: fn(&Joint) -> f64, proves| (pick(mean), if thin { Beside::Worst(pick(worst)) } else { proves });
    let (at_desk, people_left) = (mean.desk_h > 0.0, mean.departures > 0.0);
    // Of one run the mean is a count.
    let proves = rate(mean.false_locks as u64, mean.desk_h, 8);
    let (false_locks, exposed) =
        (of(|joint| joint.false_locks_per_8h, proves), of(|joint| joint.exposed_p95, Beside::Nothing));
    let (missed, departures) = (of(|joint| joint.missed_locks, Beside::Nothing), Unit::Of(mean.departures));
    let locked_out = of(|joint| joint.locked_out_pct, Beside::Nothing);
    let two = Must::AtMost(2.0);
    let middle = if thin {
        goal(group, MISSED_LOCKS, missed, departures, two, people_left)
    } else {
        goal(group, LOCKED_OUT, locked_out, Unit::Percent, two, at_desk)
    };
    let late = Must::AtMost(if thin { 25.0 } else { 15.0 });
    vec![
        goal(group, FALSE_LOCKS, false_locks, Unit::Per8h(mean.false_locks), two, at_desk),
        middle,
        goal(group, EXPOSED, exposed, Unit::Seconds, late, mean.left_unlocked()),
    ]
}

#[cfg(test)]
mod tests;
