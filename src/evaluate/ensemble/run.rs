//! All shifts in all ways, each a job of its own.

use std::ops::Range;

use super::column::COLUMNS;
use super::shift::Shift;
use crate::evaluate::detectors::Detector;
use crate::evaluate::score::Locks;

/// Which shifts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// Those that detectors are made with.
    Design,
    /// Those that only the final table sees.
    Unseen,
}

impl Half {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Design => "design",
            Self::Unseen => "unseen",
        }
    }

    /// The seeds of so many shifts; the halves have none in common.
    pub fn seeds(self, shifts: u32) -> Range<u64> {
        let first = match self {
            Self::Design => 0,
            Self::Unseen => 1 << 32,
        };
        first..first + u64::from(shifts)
    }
}

/// What is to be run.
#[derive(Clone, Debug)]
pub struct Run {
    /// Of which half.
    pub half: Half,
    /// How many shifts.
    pub shifts: u32,
    /// By which detectors.
    pub detectors: Vec<Detector>,
}

/// One shift at one rate of adverts, in all the ways that it is run in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Job {
    seed: u64,
    /// Of [`COLUMNS`], those it is for.
    columns: [bool; COLUMNS.len()],
}

/// What came of all shifts: by detector and column, in the order of the seeds.
pub type Outcome = Vec<[Vec<Locks>; COLUMNS.len()]>;

impl Run {
    /// Every job there is, in the order of the seeds.
    pub fn jobs(&self) -> Vec<Job> {
        let mut rates: Vec<Option<f64>> = COLUMNS.iter().map(|column| column.rate).collect();
        rates.sort_by_key(|rate| rate.map(f64::to_bits));
        rates.dedup();
        let seeds = self.half.seeds(self.shifts).zip(0..);
        let job = |seed, place, rate| {
            let columns = COLUMNS.map(|column| column.rate == rate && column.has(place));
            columns.contains(&true).then_some(Job { seed, columns })
        };
        seeds.flat_map(|(seed, place)| rates.iter().filter_map(move |rate| job(seed, place, *rate))).collect()
    }

    /// Does one job: of each detector what came of each column that the job is for.
    pub fn run(&self, job: &Job) -> Vec<[Option<Locks>; COLUMNS.len()]> {
        let columns = || COLUMNS.iter().zip(job.columns).filter_map(|(column, has)| has.then_some(column));
        let rate = columns().next().and_then(|column| column.rate);
        let dongles = columns().map(|column| column.dongles).max().unwrap_or(0);
        let shift = Shift::new(job.seed, rate, dongles.into());
        let score = |detector: &Detector| {
            let mut scored: [Option<Locks>; COLUMNS.len()] = Default::default();
            for (place, column) in COLUMNS.iter().enumerate().filter(|(place, _)| job.columns[*place]) {
                // The few shifts of the plain way are among all of it already.
                let known = COLUMNS[..place].iter().position(|earlier| earlier.is_as(column));
                let known = known.and_then(|place| scored[place].clone());
                scored[place] = known.or_else(|| Some(column.score(&detector.settings, &shift)));
            }
            scored
        };
        self.detectors.iter().map(score).collect()
    }

    /// Puts what the jobs gave, in their order, where it belongs.
    pub fn outcome(&self, given: Vec<Vec<[Option<Locks>; COLUMNS.len()]>>) -> Outcome {
        let mut outcome: Outcome = self.detectors.iter().map(|_| Default::default()).collect();
        for of_detectors in given {
            for (columns, of_columns) in outcome.iter_mut().zip(of_detectors) {
                for (column, locks) in columns.iter_mut().zip(of_columns) {
                    column.extend(locks);
                }
            }
        }
        outcome
    }
}
