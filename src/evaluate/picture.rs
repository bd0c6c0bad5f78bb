//! The whole picture of a detector: every number, from the scores of all runs.

use std::collections::BTreeMap;

use super::detect::Scored;
use super::numbers::{DESK, HUMAN, Joint, LockRow, Pick, TapRow, is_one_of};
use super::plan::{Plan, Results};
use super::score::{Locks, Taps};
use super::trace::Trace;

/// Counts, added up over traces.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Traces of sitting.
    pub desk: Locks,
    /// Traces with departures at walking speed.
    pub human: Locks,
    /// All traces.
    pub all: Locks,
    /// Traces of taps.
    pub taps: Taps,
    /// Taps in all other traces.
    pub elsewhere: Taps,
}

/// One run's numbers.
#[derive(Clone, Copy, Debug)]
pub struct Numbers {
    /// Locks in all traces.
    pub locks: LockRow,
    /// What must hold together.
    pub joint: Joint,
    /// Taps.
    pub taps: TapRow,
    /// Taps with half of the adverts lost.
    pub half: TapRow,
    /// Taps in all other traces.
    pub elsewhere: TapRow,
}

/// The joint claim's numbers over several runs.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    /// The mean.
    pub mean: Joint,
    /// The worst.
    pub worst: Joint,
}

/// What is known of one detector.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Its name.
    pub name: &'static str,
    /// In how many ways adverts were lost; 1 where none was.
    pub runs: usize,
    /// The counts of the first run.
    pub counts: Counts,
    /// The mean of the runs.
    pub mean: Numbers,
    /// The worst of them.
    pub worst: Numbers,
    /// Calibrated too high, too low, and with half of the adverts lost; empty where other stress was asked for.
    pub stressed: Vec<Spread>,
    /// Without the traces of one source at a time, by that source; empty where stress was asked for.
    pub without: Vec<(String, Joint)>,
    /// False taps of the documented rule, in all traces.
    pub documented_false_taps: f64,
}

/// Adds up what some traces gave.
fn counts<'a>(of: impl Iterator<Item = (&'a Trace, &'a Scored)>) -> Counts {
    let mut sum = Counts::default();
    for (trace, scored) in of {
        if let Some(locks) = &scored.locks {
            sum.all.add(locks);
            if is_one_of(&trace.name, &DESK) {
                sum.desk.add(locks);
            }
            if is_one_of(&trace.name, &HUMAN) {
                sum.human.add(locks);
            }
        }
        let taps = if trace.is_tap() { &mut sum.taps } else { &mut sum.elsewhere };
        taps.add(&scored.taps);
    }
    sum
}

/// What the traces of one run gave, with the traces.
fn of_run<'a>(traces: &'a [Trace], run: &'a [Option<Scored>]) -> impl Iterator<Item = (&'a Trace, &'a Scored)> {
    traces.iter().zip(run).filter_map(|(trace, scored)| Some((trace, scored.as_ref()?)))
}

impl Counts {
    fn joint(&self) -> Joint {
        Joint::new(&self.desk, &self.human, &self.all)
    }
}

/// The source of a trace: its header's first word, else what its name begins with.
pub fn source(trace: &Trace) -> &str {
    let said = trace.source.as_deref().and_then(|source| source.split_whitespace().next());
    said.unwrap_or_else(|| trace.name.split('-').next().unwrap_or_default())
}

/// The picture of every detector.
pub fn pictures(plan: &Plan, results: &Results) -> Vec<Picture> {
    (0..plan.detectors.len()).map(|detector| picture(plan, results, detector)).collect()
}

fn picture(plan: &Plan, results: &Results, detector: usize) -> Picture {
    let traces = &plan.traces;
    let all = |runs: &[Vec<Option<Scored>>]| runs.iter().map(|run| counts(of_run(traces, run))).collect::<Vec<_>>();
    let base = all(results.base(plan, detector));
    let half: Vec<TapRow> = all(results.half(plan, detector)).iter().map(|counts| TapRow::from(&counts.taps)).collect();
    let locks: Vec<LockRow> = base.iter().map(|counts| LockRow::from(&counts.all)).collect();
    let joints: Vec<Joint> = base.iter().map(Counts::joint).collect();
    let taps: Vec<TapRow> = base.iter().map(|counts| TapRow::from(&counts.taps)).collect();
    let elsewhere: Vec<TapRow> = base.iter().map(|counts| TapRow::from(&counts.elsewhere)).collect();
    let over = |pick| Numbers {
        locks: LockRow::over(pick, &locks),
        joint: Joint::over(pick, &joints),
        taps: TapRow::over(pick, &taps),
        half: TapRow::over(pick, &half),
        elsewhere: TapRow::over(pick, &elsewhere),
    };
    let spread = |runs: &[Vec<Option<Scored>>]| {
        let joints: Vec<Joint> = all(runs).iter().map(Counts::joint).collect();
        Spread { mean: Joint::over(Pick::Mean, &joints), worst: Joint::over(Pick::Worst, &joints) }
    };
    let stressed: Vec<Spread> = results.stressed(plan, detector).into_iter().map(spread).collect();
    let documented = all(results.documented(plan));
    let false_taps = documented.iter().map(|counts| (counts.taps.false_taps + counts.elsewhere.false_taps) as f64);
    Picture {
        name: plan.detectors[detector].name,
        runs: base.len(),
        counts: base[0].clone(),
        mean: over(Pick::Mean),
        worst: over(Pick::Worst),
        without: if stressed.is_empty() { Vec::new() } else { without(traces, &results.base(plan, detector)[0]) },
        stressed,
        documented_false_taps: false_taps.sum::<f64>() / documented.len() as f64,
    }
}

/// The joint claim without the traces of one source at a time.
fn without(traces: &[Trace], run: &[Option<Scored>]) -> Vec<(String, Joint)> {
    let scored = || of_run(traces, run).filter(|(_, scored)| scored.locks.is_some());
    let sources: BTreeMap<&str, ()> = scored().map(|(trace, _)| (source(trace), ())).collect();
    let rest = |left_out: &str| counts(scored().filter(|(trace, _)| source(trace) != left_out)).joint();
    sources.into_keys().map(|left_out| (left_out.to_owned(), rest(left_out))).collect()
}

#[cfg(test)]
mod tests;
