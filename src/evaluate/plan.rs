//! Which runs there are to make: every trace under every stress, each a job of its own.

use std::num::NonZeroU32;
use std::ops::Range;

use super::detect::{Scored, score};
use super::detectors::{self, Detector};
use super::trace::{Stress, Thin, Trace};
use crate::proximity::Settings;

/// What share of the adverts is lost in the rows "half lost".
pub const HALF: f64 = 0.5;

/// The error of calibration, in dB, that a detector must bear either way.
pub const SHIFT_DB: f64 = 2.0;

/// What somebody asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Asked {
    /// An error of calibration added to everything, in dB.
    pub shift_db: Option<f64>,
    /// A share of the adverts lost everywhere.
    pub thin: Option<f64>,
    /// In how many ways adverts are lost.
    pub seeds: NonZeroU32,
}

/// One pass over traces.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Run {
    stress: Stress,
    /// Over traces of taps, and no others.
    of_taps: bool,
}

/// One trace in one run; each can be done at any time and anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    run: usize,
    trace: usize,
}

/// What is to be run over which traces.
#[derive(Debug)]
pub struct Plan {
    /// The recordings.
    pub traces: Vec<Trace>,
    /// The detectors.
    pub detectors: Vec<Detector>,
    /// What somebody asked for.
    pub asked: Asked,
    documented: Settings,
    runs: Vec<Run>,
    base: Range<usize>,
    half: Range<usize>,
    stressed: Vec<Range<usize>>,
}

/// What a plan's jobs gave: by detector, run and trace.
#[derive(Debug)]
pub struct Results {
    scored: Vec<Vec<Vec<Option<Scored>>>>,
}

impl Plan {
    /// A plan for these traces; stress that is asked for is put on everything, else the usual stress is added.
    pub fn new(traces: Vec<Trace>, configured: &Settings, asked: Asked) -> Self {
        let shift_db = asked.shift_db.unwrap_or(0.0);
        let thinned = |share| {
            (1..=asked.seeds.get())
                .map(move |seed| Stress { shift_db, thin: Some(Thin { share, seed }) })
                .collect::<Vec<_>>()
        };
        let shifted = |shift_db| vec![Stress { shift_db, thin: None }];
        let mut runs = Vec::new();
        let mut add = |stresses: Vec<Stress>, of_taps| {
            let begin = runs.len();
            runs.extend(stresses.into_iter().map(|stress| Run { stress, of_taps }));
            begin..runs.len()
        };
        let base = add(asked.thin.map_or_else(|| shifted(shift_db), thinned), false);
        let half = add(thinned(HALF), true);
        let stressed = match asked {
            Asked { shift_db: None, thin: None, .. } => {
                [shifted(SHIFT_DB), shifted(-SHIFT_DB), thinned(HALF)].map(|stresses| add(stresses, false)).to_vec()
            }
            _ => Vec::new(),
        };
        let (detectors, documented) = (detectors::all(configured), detectors::documented(configured));
        Self { traces, detectors, asked, documented, runs, base, half, stressed }
    }

    /// The stress of the first run.
    pub fn first(&self) -> Stress {
        self.runs[self.base.start].stress
    }

    /// Every job there is, the longest first.
    pub fn jobs(&self) -> Vec<Job> {
        let all = (0..self.runs.len()).flat_map(|run| (0..self.traces.len()).map(move |trace| Job { run, trace }));
        let mut jobs: Vec<Job> =
            all.filter(|job| !self.runs[job.run].of_taps || self.traces[job.trace].is_tap()).collect();
        jobs.sort_by_key(|job| std::cmp::Reverse(self.traces[job.trace].rows.len()));
        jobs
    }

    /// Does one job: one score for each detector, and in a run of the base one more for the documented rule.
    pub fn run(&self, job: Job) -> Vec<Scored> {
        let stress = self.runs[job.run].stress;
        let trace = stress.thin(&self.traces[job.trace]);
        let documented = self.base.contains(&job.run).then_some(&self.documented);
        let settings = self.detectors.iter().map(|detector| &detector.settings).chain(documented);
        settings.map(|settings| score(&trace, settings, Stress { thin: None, ..stress })).collect()
    }

    /// Puts what the jobs gave, in their order, where it belongs.
    pub fn results(&self, jobs: &[Job], given: Vec<Vec<Scored>>) -> Results {
        let empty = vec![vec![None; self.traces.len()]; self.runs.len()];
        let mut scored = vec![empty; self.detectors.len() + 1];
        for (job, of_detectors) in jobs.iter().zip(given) {
            for (detector, one) in of_detectors.into_iter().enumerate() {
                scored[detector][job.run][job.trace] = Some(one);
            }
        }
        Results { scored }
    }
}

/// The runs of one detector, each with what every trace gave.
type OfDetector = [Vec<Option<Scored>>];

impl Results {
    /// What was asked for: one run, or one for each way to lose adverts.
    pub fn base(&self, plan: &Plan, detector: usize) -> &OfDetector {
        &self.scored[detector][plan.base.clone()]
    }

    /// Traces of taps with half of the adverts lost.
    pub fn half(&self, plan: &Plan, detector: usize) -> &OfDetector {
        &self.scored[detector][plan.half.clone()]
    }

    /// The usual stress: calibrated too high, too low, and half of the adverts lost; nothing where other was asked for.
    pub fn stressed(&self, plan: &Plan, detector: usize) -> Vec<&OfDetector> {
        plan.stressed.iter().map(|runs| &self.scored[detector][runs.clone()]).collect()
    }

    /// The traces too short to score locks in once adverts are lost, each with in how many ways, and of how many.
    pub fn too_thin<'a>(&'a self, plan: &'a Plan) -> impl Iterator<Item = (&'a Trace, usize, usize)> {
        let lossy = |run: &Run| run.stress.thin.is_some() && !run.of_taps;
        // The rows that are left are the same for every detector.
        let ways: Vec<_> = plan.runs.iter().zip(&self.scored[0]).filter(|(run, _)| lossy(run)).collect();
        let lock_traces = plan.traces.iter().enumerate().filter(|(_, trace)| trace.is_lock());
        lock_traces.filter_map(move |(place, trace)| {
            let scored = |scored: &Option<Scored>| scored.as_ref().is_some_and(|scored| scored.locks.is_some());
            let short = ways.iter().filter(|(_, traces)| !scored(&traces[place])).count();
            (short > 0).then_some((trace, short, ways.len()))
        })
    }

    /// The documented rule on what was asked for.
    pub fn documented(&self, plan: &Plan) -> &OfDetector {
        self.base(plan, plan.detectors.len())
    }
}
