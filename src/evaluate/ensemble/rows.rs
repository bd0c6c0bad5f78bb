//! What came of shifts as rows of numbers, each with what it proves and what it must reach.

use std::time::Duration;

use crate::evaluate::interval;
use crate::evaluate::score::Locks;
use crate::simulate::Random;

/// What a row says, and where it must be.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// Its key in JSON.
    pub key: &'static str,
    /// Its words.
    pub what: &'static str,
    /// The most it may be.
    pub must: f64,
    /// The most it is to be.
    pub aim: f64,
    of: Of,
}

impl Line {
    /// Whether the row is seconds, which may be below zero.
    pub(super) fn is_delay(&self) -> bool {
        matches!(self.of, Of::Delay(..))
    }
}

/// What a row is made of.
#[derive(Clone, Copy, Debug)]
enum Of {
    /// Events per so many hours.
    Events(fn(&Locks) -> u64, fn(&Locks) -> Duration, f64),
    /// Percent of so many.
    Share(fn(&Locks) -> u64, fn(&Locks) -> u64),
    /// Percent of a time.
    Time(fn(&Locks) -> Duration, fn(&Locks) -> Duration),
    /// Of delays, and of so many that never ended, this share is shorter.
    Delay(fn(&Locks) -> &[i64], fn(&Locks) -> u64, f64),
}

/// The rows.
pub const LINES: [Line; 8] = [
    Line {
        key: "false_locks_per_8h",
        what: "false locks per 8 h",
        must: 1.0,
        aim: 0.2,
        of: Of::Events(|locks| locks.false_locks, |locks| locks.present, 8.0),
    },
    Line {
        key: "locked_out_pct",
        what: "locked out, %",
        must: 1.0,
        aim: 0.2,
        of: Of::Time(|locks| locks.locked_out, |locks| locks.present),
    },
    Line {
        key: "missed_departures_pct",
        what: "missed departures, %",
        must: 2.0,
        aim: 0.3,
        of: Of::Share(|locks| locks.missed_locks, |locks| locks.departures),
    },
    Line {
        key: "exposed_p95_all",
        what: "exposed, p95, s",
        must: 10.0,
        aim: 5.0,
        of: Of::Delay(|locks| &locks.exposed_us, |locks| locks.missed_locks, 0.95),
    },
    Line {
        key: "unlock_p50",
        what: "unlock, p50, s",
        must: 1.0,
        aim: 0.0,
        of: Of::Delay(|locks| &locks.unlock_us, |_| 0, 0.5),
    },
    Line {
        key: "unlock_p95",
        what: "unlock, p95, s",
        must: 6.0,
        aim: 3.0,
        of: Of::Delay(|locks| &locks.unlock_us, |_| 0, 0.95),
    },
    Line {
        key: "never_unlocked_pct",
        what: "never unlocked, %",
        must: 1.0,
        aim: 0.0,
        of: Of::Share(|locks| locks.missed_unlocks, |locks| locks.approaches),
    },
    Line {
        key: "false_unlocks_per_h",
        what: "false unlocks per h",
        must: 0.5,
        aim: 0.05,
        of: Of::Events(|locks| locks.false_unlocks, |locks| locks.away, 1.0),
    },
];

/// A number with what it proves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// The number; NaN where there was nothing to count, infinite where it has no end.
    pub value: f64,
    /// What it may truly be; `None` where that cannot be told.
    pub interval: Option<(f64, f64)>,
}

/// How often the shifts are drawn anew.
const DRAWS: usize = 1_000;

/// Fewer shifts do not tell how much shifts differ.
const FEW: usize = 20;

/// The seed that they are drawn with; which does not matter.
const SEED: u64 = 1;

/// What is left out at either end.
const TAIL: f64 = 0.025;

/// One cell for each of [`LINES`], of these shifts.
///
/// An interval is the exact one of a count, made wider where the shifts differ by more than such counts do: events at
/// one bad seat hang together, shifts do not. So as many shifts are drawn from these, again and again.
pub fn cells(shifts: &[Locks]) -> [Cell; LINES.len()] {
    let sums = LINES.map(|line| Sum::new(line.of, shifts));
    let mut drawn = LINES.map(|_| Vec::with_capacity(DRAWS));
    let mut random = Random::new(SEED, 0);
    for _ in 0..DRAWS {
        let mut times = vec![0_u32; shifts.len()];
        shifts.iter().for_each(|_| times[random.below(shifts.len() as u64) as usize] += 1);
        for (sum, drawn) in sums.iter().zip(&mut drawn) {
            drawn.extend(Some(sum.value(&times)).filter(|value| !value.is_nan()));
        }
    }
    let once = vec![1; shifts.len()];
    let drawn = drawn.map(|mut values| {
        values.sort_by(f64::total_cmp);
        let rank = |share: f64| values.get((share * values.len() as f64) as usize).copied();
        rank(TAIL).zip(rank(1.0 - TAIL)).filter(|_| shifts.len() >= FEW)
    });
    std::array::from_fn(|place| {
        let (sum, spread) = (&sums[place], drawn[place]);
        let interval = match (sum.exact(), spread) {
            (Some(exact), Some(spread)) => Some((exact.0.min(spread.0), exact.1.max(spread.1))),
            // No time at all proves nothing about how long one may be.
            (None, Some((_, 0.0))) => None,
            (exact, spread) => exact.or(spread),
        };
        Cell { value: sum.value(&once), interval }
    })
}

/// A row's parts, shift by shift.
enum Sum {
    Ratio {
        parts: Vec<(f64, f64)>,
        factor: f64,
        of: Of,
    },
    /// Delays in order, each with its shift, and how many of each shift never ended.
    Delay {
        sorted: Vec<(i64, usize)>,
        endless: Vec<u64>,
        share: f64,
    },
}

impl Sum {
    fn new(of: Of, shifts: &[Locks]) -> Self {
        let ratio = |part: &dyn Fn(&Locks) -> (f64, f64), factor| {
            let parts = shifts.iter().map(part).collect();
            Self::Ratio { parts, factor, of }
        };
        match of {
            Of::Events(events, span, hours) => {
                ratio(&|locks| (events(locks) as f64, span(locks).as_secs_f64() / 3600.0 / hours), 1.0)
            }
            Of::Share(part, whole) => ratio(&|locks| (part(locks) as f64, whole(locks) as f64), 100.0),
            Of::Time(part, whole) => ratio(&|locks| (part(locks).as_secs_f64(), whole(locks).as_secs_f64()), 100.0),
            Of::Delay(delays, endless, share) => {
                let of_shift = |(place, locks)| delays(locks).iter().map(move |us| (*us, place));
                let mut sorted: Vec<(i64, usize)> = shifts.iter().enumerate().flat_map(of_shift).collect();
                sorted.sort_unstable();
                Self::Delay { sorted, endless: shifts.iter().map(endless).collect(), share }
            }
        }
    }

    /// The number, where each shift counts so many times.
    fn value(&self, times: &[u32]) -> f64 {
        match self {
            Self::Ratio { parts, factor, .. } => {
                let (part, whole) = parts.iter().zip(times).fold((0.0, 0.0), |sum, (parts, times)| {
                    (sum.0 + parts.0 * f64::from(*times), sum.1 + parts.1 * f64::from(*times))
                });
                factor * part / whole
            }
            Self::Delay { sorted, endless, share } => {
                let ended: u64 = sorted.iter().map(|(_, shift)| u64::from(times[*shift])).sum();
                let never: u64 = endless.iter().zip(times).map(|(endless, times)| endless * u64::from(*times)).sum();
                if ended + never == 0 {
                    return f64::NAN;
                }
                // Nearest rank.
                let mut left = (share * (ended + never) as f64).ceil() as u64;
                for (us, shift) in sorted {
                    left = left.saturating_sub(times[*shift].into());
                    if left == 0 {
                        return *us as f64 / 1e6;
                    }
                }
                f64::INFINITY
            }
        }
    }

    /// What its counts prove if they do not hang together; `None` where it counts nothing.
    fn exact(&self) -> Option<(f64, f64)> {
        match self {
            Self::Ratio { parts, factor, of } => {
                let (part, whole) = parts.iter().fold((0.0, 0.0), |sum, parts| (sum.0 + parts.0, sum.1 + parts.1));
                let proved = match of {
                    Of::Events(..) => interval::rate(part as u64, whole),
                    Of::Share(..) => interval::share(part as u64, whole as u64),
                    Of::Time(..) | Of::Delay(..) => None,
                };
                proved.map(|(low, high)| (factor * low, factor * high))
            }
            Self::Delay { sorted, endless, share } => {
                let all = sorted.len() as u64 + endless.iter().sum::<u64>();
                let (low, high) = interval::ranks(all, *share)?;
                let at = |rank: u64| sorted.get(rank as usize - 1).map_or(f64::INFINITY, |(us, _)| *us as f64 / 1e6);
                Some((low.map_or(f64::NEG_INFINITY, at), high.map_or(f64::INFINITY, at)))
            }
        }
    }
}

#[cfg(test)]
mod tests;
