//! How well simulated shifts can be told at all: by an observer who knows all but what the wearer does.
//!
//! ```sh
//! cargo bench --bench ideal -- 24
//! ```
//!
//! Scores so many shifts of the half that detectors are made with, for several odds at which somebody is taken to have
//! gone, or to have come, by the definitions that hold for detectors.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::{env, thread};

use nbe::evaluate::ensemble::{Half, Ideal, LINES, cells};
use nbe::evaluate::score::Locks;

/// So many shifts where nothing else is asked for.
const SHIFTS: u32 = 24;

/// The log odds that are tried.
const ODDS: [f64; 13] = [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 8.0];

/// So many of the rows are about departures, the others about arrivals.
const DEPARTURES: usize = 4;

fn main() {
    // Whoever runs all tests does not want to wait for this.
    if !env::args().any(|argument| argument == "--bench") {
        return;
    }
    let shifts = env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(SHIFTS);
    let seeds = Half::Design.seeds(shifts);
    let (next, scored) = (AtomicU64::new(seeds.start), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(seed) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| seeds.contains(seed)) {
                    let ideal = Ideal::watch(seed);
                    let all = ODDS.map(|odds| (ideal.score_gone(odds), ideal.score_come(odds)));
                    scored.lock().unwrap_or_else(PoisonError::into_inner).push((seed, all));
                }
            });
        }
    });
    let mut scored = scored.into_inner().unwrap_or_else(PoisonError::into_inner);
    scored.sort_unstable_by_key(|(seed, _)| *seed);
    let departures: u64 = scored.iter().map(|(_, all)| all[0].0.departures).sum();
    println!("{shifts} shifts of 4 h with {departures} departures, by the log odds that it takes");
    let what = LINES.map(|line| line.what).join(" | ");
    println!("| log odds | {what} |");
    println!("|---|{}", "---|".repeat(LINES.len()));
    for (place, odds) in ODDS.iter().enumerate() {
        let of = |pick: fn(&(Locks, Locks)) -> &Locks| {
            let locks: Vec<Locks> = scored.iter().map(|(_, all)| pick(&all[place]).clone()).collect();
            cells(&locks)
        };
        let (gone, come) = (of(|(gone, _)| gone), of(|(_, come)| come));
        let all = gone[..DEPARTURES].iter().chain(&come[DEPARTURES..]);
        let row: Vec<String> = all.map(|cell| format!("{:.2}", cell.value)).collect();
        println!("| {odds} | {} |", row.join(" | "));
    }
}
