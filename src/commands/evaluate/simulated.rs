//! `nbe evaluate --simulated`: how well the detectors do on desk shifts drawn from seeds.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::ValueEnum;

use super::{EvaluateArgs, in_parallel, load_all};
use crate::commands::output;
use crate::evaluate::detectors;
use crate::evaluate::ensemble::{Check, Half, Report, Run, Shift};
use crate::evaluate::trace::Trace;
use crate::failure::{Failure, exit};
use crate::proximity::Settings;

/// So many shifts are put beside recordings.
const CHECKED: u32 = 200;

/// What is said where nothing stands beside the shifts.
const UNCHECKED: &str = "name a folder of recordings to see the shifts beside them\n";

/// Which half of the shifts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Which {
    /// Those that detectors are made with
    Design,
    /// Those that only the final table sees
    Unseen,
}

impl From<Which> for Half {
    fn from(which: Which) -> Self {
        match which {
            Which::Design => Self::Design,
            Which::Unseen => Self::Unseen,
        }
    }
}

/// Runs the shifts and prints the table.
pub(super) fn run(args: &EvaluateArgs, which: Which, settings: &Settings) -> Result<ExitCode, Failure> {
    let run = Run { half: which.into(), shifts: args.shifts, detectors: detectors::all(settings) };
    // What cannot be read is told before all the work, and lets the command end badly though the rest is done.
    let (recordings, unusable) = load_all(&args.paths)?;
    let code = if unusable.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(exit::FOUND) };
    let jobs = run.jobs();
    let outcome = run.outcome(in_parallel(&jobs, |job| run.run(job)));
    let traces: Vec<Trace> = recordings.into_iter().map(|recording| recording.trace).collect();
    let seeds = || run.half.seeds(args.shifts.min(CHECKED));
    let check = (!args.paths.is_empty()).then(|| Check::new(seeds().map(|seed| Shift::new(seed, None, 1)), &traces));
    let report = Report::new(&run, &outcome);
    let mut out = io::stdout().lock();
    let printed = if args.json {
        writeln!(out, "{:#}", report.json(check.as_ref()))
    } else {
        write!(out, "{report}\n{}", check.map_or_else(|| UNCHECKED.to_owned(), |check| check.to_string()))
    };
    Ok(output::unless_unread(printed.and_then(|()| out.flush()).map(|()| code))?)
}
