//! `nbe evaluate`: how well the detectors do, on recordings that say where the band truly was or on simulated shifts.

mod simulated;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Write};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use clap::Args;

use self::simulated::Which;
use super::{configuration, output};
use crate::evaluate::detectors::USUAL_TAP_DBM;
use crate::evaluate::excluded::Excluded;
use crate::evaluate::json::json;
use crate::evaluate::picture::pictures;
use crate::evaluate::plan::{Asked, Plan};
use crate::evaluate::plot::{document, panel};
use crate::evaluate::read::{Recording, read};
use crate::evaluate::table::Report;
use crate::failure::{Failure, exit};
use crate::proximity::Settings;

/// Score the detectors on recordings that say where the band truly was, or on simulated desk shifts.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  nbe evaluate traces/                       the whole picture: goals, stress, each source left out
  nbe evaluate --config new.toml traces/     what another nbe.toml would do
  nbe evaluate --shift -3 traces/            at a dongle that hears 3 dB less than it should
  nbe evaluate --plot desk.svg static-1.csv  what was heard and decided, drawn
  nbe evaluate --thin 0.3 traces/            with 3 of 10 adverts lost, in 20 ways: mean and worst
  nbe evaluate --simulated                   on 500 simulated shifts at a desk, always the same

A recording is lines `t_s,rssi_dbm,distance_m,label` under `# near_m: 2.5` and `# far_m: 6`: up to near_m the band is \
present, from far_m on it is away, between either state is right. Rows labelled `tap` are contact. What a file's name \
begins with says where it counts: static-, slow-, comp- at the desk; walk-, comp-, glitch- where people leave; \
tapsim- for taps.")]
pub struct EvaluateArgs {
    /// Recordings, or folders of *.csv
    #[arg(required_unless_present = "simulated", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The configuration to decide by
    #[arg(long, value_name = "PATH")]
    config: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Draw every recording into this file, under the stress asked for; of --thin the first way to lose adverts
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// Lose this share of the adverts, above 0 and below 1
    #[arg(long, value_name = "SHARE", value_parser = share)]
    thin: Option<f64>,
    /// In how many ways adverts are lost, each the same at every run
    #[arg(long, value_name = "K", default_value = "20", value_parser = clap::value_parser!(u32).range(1..=1000))]
    thin_seeds: u32,
    /// Add this to every level, in dB: an error of calibration
    #[arg(long, value_name = "DB", allow_hyphen_values = true, value_parser = shift)]
    shift: Option<f64>,
    /// Simulated desk shifts in place of recordings, which only stand beside them; `design` is the half of them that
    /// detectors may be made with
    #[arg(
        long,
        value_name = "HALF",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "unseen",
        conflicts_with_all = ["plot", "thin", "shift"],
    )]
    simulated: Option<Which>,
    /// How many shifts of 4 h
    #[arg(
        long,
        value_name = "N",
        default_value = "500",
        requires = "simulated",
        value_parser = clap::value_parser!(u32).range(1..=100_000),
    )]
    shifts: u32,
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| *share > 0.0 && *share < 1.0);
    share.ok_or_else(|| "a share lies above 0 and below 1, such as 0.5".into())
}

fn shift(text: &str) -> Result<f64, String> {
    let shift = text.parse().ok().filter(|shift| (-60.0..=60.0).contains(shift));
    shift.ok_or_else(|| "a shift lies within -60 and 60 dB".into())
}

/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 512 * 1024 * 1024;

/// The most rows of all recordings together: they are kept in memory.
const MAX_ROWS: usize = 10_000_000;

/// There was nothing to evaluate.
#[derive(Debug, thiserror::Error)]
#[error("none of the recordings can be used")]
struct Nothing;

#[derive(Debug, thiserror::Error)]
#[error("cannot read {path}")]
struct FolderError {
    path: String,
    source: io::Error,
}

#[derive(Debug, thiserror::Error)]
#[error("cannot write {path}")]
struct PlotError {
    path: String,
    source: io::Error,
}

/// Runs `nbe evaluate`.
///
/// # Errors
/// If no recording or the configuration cannot be used.
pub fn run(args: &EvaluateArgs) -> Result<ExitCode, Failure> {
    let config = configuration::load(args.config.as_deref(), Vec::new())?;
    let settings = Settings::from(&config);
    if let Some(which) = args.simulated {
        return simulated::run(args, which, &settings);
    }
    let (recordings, unusable) = load_all(&args.paths)?;
    if recordings.is_empty() {
        return Err(Failure::new(exit::FOUND, Nothing).advise("`nbe evaluate --help` says what a recording looks like"));
    }
    if settings.tap_threshold.is_none() {
        eprintln!(
            "taps are off in this configuration (rssi_tap_threshold = 0): they are evaluated as if it were {USUAL_TAP_DBM}"
        );
    }
    let code = if unusable.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(exit::FOUND) };
    let excluded = Excluded::new(&recordings, unusable);
    let traces = recordings.into_iter().map(|recording| recording.trace).collect();
    let seeds = NonZeroU32::new(args.thin_seeds).unwrap_or(NonZeroU32::MIN);
    let plan = Plan::new(traces, &settings, Asked { shift_db: args.shift, thin: args.thin, seeds });
    let jobs = plan.jobs();
    let results = plan.results(&jobs, in_parallel(&jobs, |job| plan.run(*job)));
    let pictures = pictures(&plan, &results);
    let excluded = excluded.with_lost(&plan, &results);
    if let Some(file) = &args.plot {
        plot(file, &plan)?;
    }
    let mut out = io::stdout().lock();
    let printed = if args.json {
        writeln!(out, "{:#}", json(&plan, &pictures, &excluded))
    } else {
        write!(out, "{}", Report { plan: &plan, pictures: &pictures, excluded: &excluded })
    };
    Ok(output::unless_unread(printed.and_then(|()| out.flush()).map(|()| code))?)
}

/// Draws every trace into one file.
fn plot(file: &Path, plan: &Plan) -> Result<(), Failure> {
    let panels = in_parallel(&plan.traces, |trace| panel(trace, &plan.detectors, plan.first()));
    let svg = document(&panels, plan.detectors.len());
    std::fs::write(file, svg).map_err(|source| PlotError { path: file.display().to_string(), source }.into())
}

/// Reads every recording; says which cannot be used, and why.
fn load_all(paths: &[PathBuf]) -> Result<(Vec<Recording>, Vec<(String, String)>), Failure> {
    let (mut recordings, mut unusable, mut left) = (Vec::new(), Vec::new(), MAX_ROWS);
    for file in files(paths)? {
        let why = match load(&file) {
            Ok(recording) if recording.trace.rows.len() <= left => {
                left -= recording.trace.rows.len();
                recordings.push(recording);
                continue;
            }
            Ok(_) => format!("more than {MAX_ROWS} rows with the files before it\n  try: evaluate fewer at a time"),
            Err(why) => why,
        };
        eprintln!("{}: {why}", file.display());
        unusable.push((file.display().to_string(), why.lines().next().unwrap_or_default().to_owned()));
    }
    Ok((recordings, unusable))
}

/// The files that the paths name, each once however it is named, and in order: of a folder every *.csv in it.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let failed = |source| FolderError { path: path.display().to_string(), source };
        for entry in std::fs::read_dir(path).map_err(failed)? {
            let file = entry.map_err(failed)?.path();
            // A pipe or a folder of that name is none; what cannot be looked at is told of when it is read.
            let could_be = std::fs::metadata(&file).map_or(true, |metadata| metadata.is_file());
            if could_be && file.extension().is_some_and(|extension| extension == "csv") {
                files.push(file);
            }
        }
    }
    files.sort();
    // What cannot be followed is told of when it is read.
    let mut known = BTreeSet::new();
    files.retain(|file| known.insert(file.canonicalize().unwrap_or_else(|_| file.clone())));
    Ok(files)
}

/// Reads one recording, or says why not.
fn load(file: &Path) -> Result<Recording, String> {
    let mut bytes = Vec::new();
    File::open(file)
        .and_then(|opened| opened.take(MAX_FILE + 1).read_to_end(&mut bytes))
        .map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(format!("larger than {} MiB\n  try: cut it into several files", MAX_FILE / 1024 / 1024));
    }
    let name = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    read(&name, &String::from_utf8_lossy(&bytes)).map_err(|error| error.to_string())
}

/// Does all jobs on all processors; what they give is in the order of the jobs.
fn in_parallel<J: Sync, R: Send>(jobs: &[J], run: impl Fn(&J) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(jobs.len()));
    let threads = std::thread::available_parallelism().map_or(1, |processors| processors.get().min(16));
    std::thread::scope(|scope| {
        for _ in 0..threads.min(jobs.len()) {
            scope.spawn(|| {
                let mut mine = Vec::new();
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = jobs.get(place) else { break };
                    mine.push((place, run(job)));
                }
                done.lock().unwrap_or_else(PoisonError::into_inner).append(&mut mine);
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}
