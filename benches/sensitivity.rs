//! What the adaptive detector would do if one of its numbers were a fifth less or more.
//!
//! ```sh
//! cargo bench --bench sensitivity -- traces/ 24
//! ```
//!
//! Scores recordings of a folder, if one is named, and so many simulated shifts of the half that detectors are made with.
//! A number on which much depends must be known well; one on which nothing depends could go.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::{env, fs, thread};

use nbe::evaluate::detect::score;
use nbe::evaluate::ensemble::{COLUMNS, Half, Shift, cells};
use nbe::evaluate::numbers::{DESK, HUMAN, Joint, is_one_of};
use nbe::evaluate::read::read;
use nbe::evaluate::score::Locks;
use nbe::evaluate::trace::{Stress, Trace};
use nbe::proximity::{Detector, Parameters, Settings};

/// So many shifts where nothing else is asked for.
const SHIFTS: u32 = 24;

/// Multiplies one number.
type Change = fn(&mut Parameters, f64);

/// Every number by its name; the compiler tells which is left out.
macro_rules! numbers {
    ($($name:ident)*) => {{
        let Parameters { noises: _, $($name: _),* } = Parameters::SETTLED;
        let mut numbers: Vec<(&str, Change)> = vec![$((stringify!($name), |numbers, by| numbers.$name *= by)),*];
        numbers.push(("noises", |numbers, by| numbers.noises = numbers.noises.map(|noise| noise * by)));
        numbers
    }};
}

fn numbers() -> Vec<(&'static str, Change)> {
    numbers! {
        path_loss walking_speed rise stir settle set_off stop turn_round displace place_memory place_spread shadow
        shadow_kept body place_mean level_noise walking_spread stirring_spread gain seat_above_close seat_spread
        seat_least_spread seat_memory apart away_odds away_evidence near_probability
    }
}

fn main() {
    // Whoever runs all tests does not want to wait for this.
    if !env::args().any(|argument| argument == "--bench") {
        return;
    }
    let (mut traces, mut shifts) = (Vec::new(), SHIFTS);
    for argument in env::args().skip(1).filter(|argument| argument != "--bench") {
        match argument.parse() {
            Ok(count) => shifts = count,
            Err(_) => traces.extend(recordings(Path::new(&argument))),
        }
    }
    let shifts: Vec<Shift> = Half::Design.seeds(shifts).map(|seed| Shift::new(seed, None, 1)).collect();
    let mut variants = vec![("as settled".to_owned(), Parameters::SETTLED)];
    for (name, change) in numbers() {
        for by in [0.8, 1.2] {
            let mut parameters = Parameters::SETTLED;
            change(&mut parameters, by);
            variants.push((format!("`{name}` x {by}"), parameters));
        }
    }
    println!("{} recordings, {} shifts of 4 h; false locks are per 8 h, exposed is p95", traces.len(), shifts.len());
    println!(
        "| | false locks | locked out | missed | exposed | simulated: false locks | locked out | missed | exposed |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let (next, rows) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((place, (name, parameters))) = nth(&next, &variants) {
                    let row = row(name, *parameters, &traces, &shifts);
                    rows.lock().unwrap_or_else(PoisonError::into_inner).push((place, row));
                }
            });
        }
    });
    let mut rows = rows.into_inner().unwrap_or_else(PoisonError::into_inner);
    rows.sort_unstable();
    rows.iter().for_each(|(_, row)| println!("{row}"));
}

/// The next one that nobody has taken, with its place.
fn nth<'a, T>(next: &AtomicUsize, all: &'a [T]) -> Option<(usize, &'a T)> {
    let place = next.fetch_add(1, Ordering::Relaxed);
    Some((place, all.get(place)?))
}

/// What came of all recordings and shifts under these numbers, as a row of the table.
fn row(name: &str, parameters: Parameters, traces: &[Trace], shifts: &[Shift]) -> String {
    let documented = Settings::from(&config::Config::default());
    let settings = documented.with_detector(Detector::Adaptive, parameters);
    let (mut desk, mut human, mut all) = (Locks::default(), Locks::default(), Locks::default());
    for trace in traces {
        let Some(locks) = score(trace, &settings, Stress { shift_db: 0.0, thin: None }).locks else { continue };
        all.add(&locks);
        [(&mut desk, &DESK[..]), (&mut human, &HUMAN[..])]
            .into_iter()
            .filter(|(_, prefixes)| is_one_of(&trace.name, prefixes))
            .for_each(|(sum, _)| sum.add(&locks));
    }
    let joint = Joint::new(&desk, &human, &all);
    let simulated: Vec<Locks> = shifts.iter().map(|shift| COLUMNS[0].score(&settings, shift)).collect();
    let [false_locks, locked_out, missed, exposed, ..] = cells(&simulated).map(|cell| cell.value);
    let mut row = format!("| {name} | {:.2} | {:.2} % ", joint.false_locks_per_8h, joint.locked_out_pct);
    let recorded = write!(row, "| {} of {} | {:.1} s ", joint.missed_locks, joint.departures, joint.exposed_p95);
    let drawn = write!(row, "| {false_locks:.1} | {locked_out:.1} % | {missed:.1} % | {exposed:.0} s |");
    recorded.and(drawn).map_or_else(|error| error.to_string(), |()| row)
}

/// The recordings of a folder, in order; what cannot be read is told and left out.
fn recordings(folder: &Path) -> Vec<Trace> {
    let listed = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = listed.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "csv"));
    files.sort();
    let load = |file: &Path| {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(file).map_err(|error| error.to_string())?;
        read(&name, &text).map(|recording| recording.trace).map_err(|error| error.to_string())
    };
    let told = |file: &Path| load(file).inspect_err(|why| eprintln!("{}: {why}", file.display())).ok();
    files.iter().filter_map(|file| told(file)).collect()
}
