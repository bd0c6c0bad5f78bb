//! `nbe replay`: a recording through any nbe.toml.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use config::Flag;

use super::hex::HexLines;
use super::{configuration, input};
use crate::failure::{Failure, exit};
use crate::proximity::Settings;
use crate::replay::{Json, Kind, Outcome, ReplayError, Silent, Sink, Text, replay_raw, replay_readings};

/// Put a recording through the detectors and print what they decide.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  nbe replay desk.csv                        what nbe.toml makes of a list of readings
  nbe replay --config new.toml desk.csv      what another nbe.toml would
  nbe replay --rssi-offset -3.5 desk.csv     the same at a dongle that hears 3.5 dB less
  nbe replay --rate 100 --count dongle.bin   raw bytes, as if 100 frames came each second")]
pub struct ReplayArgs {
    /// Raw bytes of a dongle, or a list of readings: lines `t_s,rssi_dbm,…`, `#` lines ignored; `-` is standard input
    file: PathBuf,
    /// The configuration to decide by
    #[arg(long, value_name = "PATH")]
    config: Option<PathBuf>,
    /// Print one JSON object per decision
    #[arg(long)]
    json: bool,
    /// Print only what was counted
    #[arg(long, conflicts_with = "json")]
    count: bool,
    /// Frames per second of raw bytes, which hold no times
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rate: Option<u32>,
    /// Added to every reading in place of the configured offset, in dB
    #[arg(long, value_name = "DB", allow_hyphen_values = true)]
    rssi_offset: Option<String>,
}

#[derive(Debug, thiserror::Error)]
#[error("a stream of raw bytes holds no times")]
struct NoRate;

/// Runs `nbe replay`.
///
/// # Errors
/// If the recording or the configuration cannot be used.
pub fn run(args: ReplayArgs) -> Result<ExitCode, Failure> {
    let offset =
        args.rssi_offset.clone().map(|value| Flag { name: "--rssi-offset", key: "adapter.rssi_offset_db", value });
    let config = configuration::load(args.config.as_deref(), offset.into_iter().collect())?;
    let settings = Settings::from(&config);
    let out = BufWriter::new(std::io::stdout().lock());
    match run_into(&args, settings, out) {
        Err(ReplayFailure::Replay(ReplayError::Write(error))) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            Ok(ExitCode::SUCCESS) // whoever read has seen enough
        }
        Err(ReplayFailure::Replay(error)) => Err(error.into()),
        Err(ReplayFailure::Other(failure)) => Err(failure),
        Ok(code) => Ok(code),
    }
}

enum ReplayFailure {
    Replay(ReplayError),
    Other(Failure),
}

impl From<ReplayError> for ReplayFailure {
    fn from(error: ReplayError) -> Self {
        Self::Replay(error)
    }
}

fn run_into(args: &ReplayArgs, settings: Settings, mut out: impl Write) -> Result<ExitCode, ReplayFailure> {
    let outcome = if args.count {
        replay(args, settings, &mut Silent)?
    } else if args.json {
        replay(args, settings, &mut Json(&mut out))?
    } else {
        replay(args, settings, &mut Text(&mut out))?
    };
    let Outcome { totals, readings, taps, trends, presences, mistakes, unreadable, invalid, backward } = &outcome;
    let read = if *readings > 0 { format!("readings={readings}") } else { totals.to_string() };
    let written =
        if args.count { writeln!(out, "{read} taps={taps} trends={trends} presences={presences}") } else { Ok(()) };
    written.and_then(|()| out.flush()).map_err(ReplayError::Write)?;
    for mistake in mistakes {
        eprintln!("{}: {mistake}; left out", args.file.display());
    }
    if *unreadable > mistakes.len() as u64 {
        eprintln!("{}: {unreadable} lines in all were left out", args.file.display());
    }
    // Real recordings have both, so neither is a failure.
    if *invalid > 0 {
        let name = args.file.display();
        eprintln!(
            "{name}: readings that are no level, and were passed over: {invalid} (below 0 and above -127 is one)"
        );
    }
    if *backward > 0 {
        let name = args.file.display();
        eprintln!("{name}: readings whose time goes back, and which were taken as heard at the latest: {backward}");
    }
    Ok(if *unreadable == 0 { ExitCode::SUCCESS } else { ExitCode::from(exit::FOUND) })
}

fn replay(args: &ReplayArgs, settings: Settings, sink: &mut impl Sink) -> Result<Outcome, ReplayFailure> {
    let file = input::open(&args.file).map_err(ReplayFailure::Other)?;
    let mut file = BufReader::with_capacity(64 * 1024, file);
    let kind = Kind::of(file.fill_buf().map_err(ReplayError::Read)?);
    match (kind, args.rate) {
        (Kind::Readings, _) => {
            let is_hex = HexLines::new(file.buffer()).next().is_ok_and(|line| matches!(line, Some(Ok(_))));
            replay_readings(file, settings, sink).map_err(|error| match error {
                ReplayError::Empty { .. } if is_hex => ReplayFailure::Other(
                    Failure::from(error).advise("the file looks like lines of hex: `nbe decode --hex` reads them"),
                ),
                error => error.into(),
            })
        }
        (Kind::Raw, Some(rate)) => Ok(replay_raw(file, rate, settings, sink)?),
        (Kind::Raw, None) => Err(ReplayFailure::Other(
            Failure::new(exit::USAGE, NoRate).advise("--rate N, the frames per second to give it"),
        )),
    }
}
