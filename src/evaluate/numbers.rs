//! Counts as rows of numbers: rates, shares and percentiles, of some traces, and over several runs.

use std::time::Duration;

use serde_json::{Map, Value};

use super::score::{Locks, Taps};

/// Traces of sitting, by what their names begin with.
pub const DESK: [&str; 3] = ["static-", "slow-", "comp-"];

/// Traces with departures at walking speed.
pub const HUMAN: [&str; 3] = ["walk-", "comp-", "glitch-"];

/// Whether a name begins with one of these; each does with none.
pub fn is_one_of(name: &str, prefixes: &[&str]) -> bool {
    prefixes.is_empty() || prefixes.iter().any(|prefix| name.starts_with(prefix))
}

/// Which of several runs' numbers stands for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// The mean.
    Mean,
    /// The worst.
    Worst,
}

impl Pick {
    /// One number for several; those where there was nothing to count are left out.
    fn of(self, more_is_better: bool, values: impl Iterator<Item = f64>) -> f64 {
        let values: Vec<f64> = values.filter(|value| !value.is_nan()).collect();
        match (self, more_is_better) {
            (_, _) if values.is_empty() => f64::NAN,
            (Self::Mean, _) => values.iter().sum::<f64>() / values.len() as f64,
            (Self::Worst, true) => values.into_iter().fold(f64::INFINITY, f64::min),
            (Self::Worst, false) => values.into_iter().fold(f64::NEG_INFINITY, f64::max),
        }
    }
}

/// A number as JSON has it: whole ones without a point, none for what cannot be told.
pub fn json_number(number: f64) -> Value {
    let whole = number.fract() == 0.0 && number.abs() < 1e15;
    if whole { Value::from(number as i64) } else { Value::from(number) }
}

/// A row of numbers, each with its key, and whether more or less of it is better.
macro_rules! row {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident $key:literal $better:ident;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: f64,)*
        }

        impl $name {
            /// One row for several runs.
            pub fn over(pick: Pick, runs: &[Self]) -> Self {
                Self { $($field: pick.of(stringify!($better) == "more", runs.iter().map(|run| run.$field)),)* }
            }

            /// The row as an object.
            pub fn to_json(self) -> Map<String, Value> {
                [$(($key.to_owned(), json_number(self.$field)),)*].into_iter().collect()
            }
        }
    };
}

row! {
    /// Locks of some traces. Delays are in seconds; what cannot be told is NaN.
    LockRow {
        /// Became locked while present.
        false_locks "false_locks" less;
        /// The same, per hour present.
        false_locks_per_h "false_locks_per_h" less;
        /// Share of the time present spent locked, in percent.
        locked_out_pct "locked_out_pct" less;
        /// Departures.
        departures "departures" more;
        /// Departures without a lock.
        missed_locks "missed_locks" less;
        /// Departures that found it locked.
        pre_locked "pre_locked" less;
        /// From the last row present to the lock.
        lock_p50 "lock_p50" less;
        /// The same.
        lock_p95 "lock_p95" less;
        /// From the first row away to the lock, of those that locked.
        exposed_p50 "exposed_p50" less;
        /// The same.
        exposed_p95 "exposed_p95" less;
        /// The same, of all: a missed lock takes for ever.
        exposed_p95_all "exposed_p95_all" less;
        /// Approaches.
        approaches "approaches" more;
        /// Approaches without an unlock.
        missed_unlocks "missed_unlocks" less;
        /// From the first row present to the unlock.
        unlock_p50 "unlock_p50" less;
        /// The same.
        unlock_p95 "unlock_p95" less;
        /// Became unlocked while away.
        false_unlocks "false_unlocks" less;
        /// The same, per hour away.
        false_unlocks_per_h "false_unlocks_per_h" less;
        /// Share of the time away spent unlocked, in percent.
        unlocked_away_pct "unlocked_away_pct" less;
        /// Changes of the state in grey, per hour of it.
        grey_flaps_per_h "grey_flaps_per_h" less;
        /// Departures and approaches that were too short to judge.
        censored "censored" less;
        /// Hours present.
        present_h "present_h" more;
        /// Hours away.
        away_h "away_h" more;
        /// Hours in grey.
        grey_h "grey_h" more;
    }
}

row! {
    /// What must hold together: quiet at the desk, and quick when its user walks away.
    Joint {
        /// False locks at the desk.
        false_locks "false_locks" less;
        /// The same, per 8 h present.
        false_locks_per_8h "false_locks_per_8h" less;
        /// Share of the time at the desk spent locked, in percent.
        locked_out_pct "locked_out_pct" less;
        /// Hours at the desk.
        desk_h "desk_h" more;
        /// Departures of people.
        departures "departures" more;
        /// Of them, those that found it locked.
        pre_locked "pre_locked" less;
        /// Departures without a lock.
        missed_locks "missed_locks" less;
        /// From the first row away to the lock.
        exposed_p50 "exposed_p50" less;
        /// The same.
        exposed_p95 "exposed_p95" less;
        /// The same, with each missed lock as endless.
        exposed_p95_all "exposed_p95_all" less;
        /// Unlocked while people were away.
        false_unlocks "false_unlocks" less;
        /// The same, per hour away.
        false_unlocks_per_h "false_unlocks_per_h" less;
        /// Hours that people were away.
        away_h "away_h" more;
        /// From the arrival to the unlock.
        unlock_p50 "unlock_p50" less;
        /// The same.
        unlock_p95 "unlock_p95" less;
        /// Approaches of people.
        approaches "approaches" more;
        /// Approaches without an unlock.
        missed_unlocks "missed_unlocks" less;
        /// Unlocked while away, in all traces.
        false_unlocks_everywhere "false_unlocks_everywhere" less;
        /// 1 where all four goals are met at once, else 0; over several runs the share that meet them.
        held "held" more;
    }
}

row! {
    /// Taps of some traces.
    TapRow {
        /// Contacts that were told.
        hits "hits" more;
        /// Contacts.
        taps "taps" less;
        /// Further taps for a contact.
        repeats "repeats" less;
        /// From the contact to the tap.
        latency_p50 "latency_p50" less;
        /// The same.
        latency_p95 "latency_p95" less;
        /// Taps where there was none.
        false_taps "false" less;
        /// Of them, while held near the antenna.
        near_miss_false "near_miss_false" less;
        /// False ones per hour.
        false_per_h "false_per_h" less;
    }
}

/// So many per so many hours.
fn per_hour(count: u64, span: Duration) -> f64 {
    count as f64 / hours(span).max(1e-9)
}

fn percent(part: Duration, whole: Duration) -> f64 {
    100.0 * part.as_secs_f64() / whole.as_secs_f64().max(1e-9)
}

fn hours(span: Duration) -> f64 {
    span.as_secs_f64() / 3600.0
}

/// The nearest-rank percentile of delays in µs, in seconds; `endless` more of them never ended.
fn percentile(delays_us: &[i64], endless: u64, share: f64) -> f64 {
    let mut sorted = delays_us.to_vec();
    sorted.sort_unstable();
    let all = sorted.len() + endless as usize;
    let Some(last) = all.checked_sub(1) else { return f64::NAN };
    let rank = (share * all as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1).min(last)).map_or(f64::INFINITY, |us| *us as f64 / 1e6)
}

impl From<&Locks> for LockRow {
    fn from(sum: &Locks) -> Self {
        Self {
            false_locks: sum.false_locks as f64,
            false_locks_per_h: per_hour(sum.false_locks, sum.present),
            locked_out_pct: percent(sum.locked_out, sum.present),
            departures: sum.departures as f64,
            missed_locks: sum.missed_locks as f64,
            pre_locked: sum.pre_locked as f64,
            lock_p50: percentile(&sum.lock_us, 0, 0.5),
            lock_p95: percentile(&sum.lock_us, 0, 0.95),
            exposed_p50: percentile(&sum.exposed_us, 0, 0.5),
            exposed_p95: percentile(&sum.exposed_us, 0, 0.95),
            exposed_p95_all: percentile(&sum.exposed_us, sum.missed_locks, 0.95),
            approaches: sum.approaches as f64,
            missed_unlocks: sum.missed_unlocks as f64,
            unlock_p50: percentile(&sum.unlock_us, 0, 0.5),
            unlock_p95: percentile(&sum.unlock_us, 0, 0.95),
            false_unlocks: sum.false_unlocks as f64,
            false_unlocks_per_h: per_hour(sum.false_unlocks, sum.away),
            unlocked_away_pct: percent(sum.away_unlocked, sum.away_late),
            grey_flaps_per_h: per_hour(sum.grey_edges, sum.grey),
            censored: (sum.censored_departures + sum.censored_approaches) as f64,
            present_h: hours(sum.present),
            away_h: hours(sum.away),
            grey_h: hours(sum.grey),
        }
    }
}

/// How much may be at most for the joint claim to hold: false locks per 8 h, percent locked out, missed locks, and
/// seconds of exposure, p95.
pub const JOINT_LIMITS: [f64; 4] = [1.0, 1.0, 1.0, 10.0];

impl Joint {
    /// What was counted at the desk, where people walk, and in all traces.
    pub fn new(desk: &Locks, human: &Locks, all: &Locks) -> Self {
        let (at_desk, walking) = (LockRow::from(desk), LockRow::from(human));
        let mut joint = Self {
            false_locks: at_desk.false_locks,
            false_locks_per_8h: 8.0 * at_desk.false_locks_per_h,
            locked_out_pct: at_desk.locked_out_pct,
            desk_h: at_desk.present_h,
            departures: walking.departures,
            pre_locked: walking.pre_locked,
            missed_locks: walking.missed_locks,
            exposed_p50: walking.exposed_p50,
            exposed_p95: walking.exposed_p95,
            exposed_p95_all: walking.exposed_p95_all,
            false_unlocks: walking.false_unlocks,
            false_unlocks_per_h: walking.false_unlocks_per_h,
            away_h: walking.away_h,
            unlock_p50: walking.unlock_p50,
            unlock_p95: walking.unlock_p95,
            approaches: walking.approaches,
            missed_unlocks: walking.missed_unlocks,
            false_unlocks_everywhere: all.false_unlocks as f64,
            held: 0.0,
        };
        let four = [joint.false_locks_per_8h, joint.locked_out_pct, joint.missed_locks, joint.exposed_p95];
        // A delay that cannot be told is within no limit.
        let held = joint.desk_h > 0.0 && four.iter().zip(JOINT_LIMITS).all(|(value, limit)| *value <= limit);
        joint.held = f64::from(u8::from(held));
        joint
    }

    /// Whether anybody left an unlocked terminal: only then is there a delay to judge.
    pub fn left_unlocked(&self) -> bool {
        self.departures > self.pre_locked
    }
}

impl From<&Taps> for TapRow {
    fn from(sum: &Taps) -> Self {
        Self {
            hits: sum.hits as f64,
            taps: sum.contacts as f64,
            repeats: sum.repeats as f64,
            latency_p50: percentile(&sum.latency_us, 0, 0.5),
            latency_p95: percentile(&sum.latency_us, 0, 0.95),
            false_taps: sum.false_taps as f64,
            near_miss_false: sum.near_misses as f64,
            false_per_h: per_hour(sum.false_taps, sum.span),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_rank_and_what_never_ends_comes_last() {
        let delays: Vec<i64> = (1..=20).rev().map(|s| s * 1_000_000).collect();
        let cases = [
            ("half of 20: the tenth", &delays[..], 0, 0.5, 10.0),
            ("95 % of 20: the nineteenth", &delays, 0, 0.95, 19.0),
            ("one of one", &delays[19..], 0, 0.95, 1.0),
            ("one more that is endless: the twentieth of 21", &delays, 1, 0.95, 20.0),
            ("two: the endless one", &delays, 2, 0.95, f64::INFINITY),
            ("none but endless ones", &[], 1, 0.5, f64::INFINITY),
        ];
        for (case, delays, endless, share, wanted) in cases {
            assert_eq!(percentile(delays, endless, share), wanted, "{case}");
        }
        assert!(percentile(&[], 0, 0.5).is_nan(), "nothing to count");
    }

    #[test]
    fn the_joint_claim_needs_all_four_at_once() {
        let desk = Locks { present: Duration::from_secs(8 * 3600), false_locks: 1, ..Locks::default() };
        let human = Locks { departures: 20, missed_locks: 1, exposed_us: vec![10_000_000; 19], ..Locks::default() };
        assert_eq!(Joint::new(&desk, &human, &desk).held, 1.0, "at the very limits");
        let broken = [
            (Locks { false_locks: 2, ..desk.clone() }, human.clone()),
            (Locks { locked_out: Duration::from_secs(289), ..desk.clone() }, human.clone()),
            (desk.clone(), Locks { missed_locks: 2, ..human.clone() }),
            (desk.clone(), Locks { exposed_us: vec![10_000_001; 19], ..human.clone() }),
            (desk.clone(), Locks::default()),
            (Locks::default(), human.clone()),
        ];
        for (desk, human) in broken {
            assert_eq!(Joint::new(&desk, &human, &desk).held, 0.0, "{desk:?} {human:?}");
        }
    }

    #[test]
    fn over_several_runs_the_mean_leaves_out_what_was_not_there_and_the_worst_knows_which_way_is_worse() {
        let row = |hits, latency_p50| TapRow { hits, latency_p50, ..TapRow::from(&Taps::default()) };
        let runs = [row(20.0, 0.5), row(10.0, f64::NAN), row(12.0, 1.5)];
        let (mean, worst) = (TapRow::over(Pick::Mean, &runs), TapRow::over(Pick::Worst, &runs));
        assert_eq!((mean.hits, mean.latency_p50), (14.0, 1.0));
        assert_eq!((worst.hits, worst.latency_p50), (10.0, 1.5));
        assert!(mean.latency_p95.is_nan());
    }

    #[test]
    fn json_has_whole_numbers_whole_and_nothing_for_what_cannot_be_told() {
        let row = TapRow { false_per_h: 0.25, ..TapRow::from(&Taps { hits: 3, ..Taps::default() }) };
        let json = Value::Object(row.to_json());
        assert_eq!(json["hits"].to_string(), "3");
        assert_eq!(json["false_per_h"], 0.25);
        assert_eq!(json["latency_p50"], Value::Null);
    }
}
