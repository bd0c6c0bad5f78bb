//! `nbe evaluate --simulated`: how well the detectors do on desk shifts drawn from seeds.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::ValueEnum;

use super::{EvaluateArgs, in_parallel};
use crate::commands::output;
use crate::evaluate::detectors;
use crate::evaluate::ensemble::{Half, Report, Run};
use crate::failure::Failure;
use crate::proximity::Settings;

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
    let jobs = run.jobs();
    let outcome = run.outcome(in_parallel(&jobs, |job| run.run(job)));
    let report = Report::new(&run, &outcome);
    let mut out = io::stdout().lock();
    let printed = if args.json { writeln!(out, "{:#}", report.json()) } else { write!(out, "{report}") };
    Ok(output::unless_unread(printed.and_then(|()| out.flush()).map(|()| ExitCode::SUCCESS))?)
}
