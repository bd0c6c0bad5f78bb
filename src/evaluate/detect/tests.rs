use super::*;
use crate::evaluate::tests::settings;
use crate::evaluate::trace::{Label, Row, Thin};

/// Ten seconds near with a tap in it, ten away, and a sample 100 s later.
fn trace(name: &str) -> Trace {
    let row = |s: u64| {
        let (dbm, distance_m) = match s {
            5..8 => (-38.0, 0.02),
            0..10 => (-60.0, 0.5),
            _ => (-90.0, 9.0),
        };
        let label = if (5..8).contains(&s) { Label::Tap } else { Label::Other };
        Row { at: Time::from_secs(s), dbm, distance_m: Some(distance_m), label }
    };
    let rows: Vec<Row> = (0..20).chain([120]).map(row).collect();
    let contacts = Trace::contacts_in(&rows);
    Trace { name: name.into(), rows, contacts, near_m: Some(1.0), far_m: Some(5.0), ..Trace::default() }
}

#[test]
fn the_engine_says_locks_unlocks_and_taps_in_order() {
    let said = detect(&settings(), trace("walk-1").samples(0.0));
    assert_eq!(said.taps, [Time::from_secs(7)]);
    assert!(said.changes.is_sorted_by_key(|(at, _)| *at), "{:?}", said.changes);
    // Near once four samples are there; away once they have sunk; absent 30 s after the last.
    assert_eq!(said.changes.first(), Some(&(Time::from_secs(3), false)));
    let silent = Time::from_micros(19_000_000 + 30_000_001);
    let locks: Vec<Time> = said.changes.iter().filter(|(_, locked)| *locked).map(|(at, _)| *at).collect();
    assert_eq!(locks.last(), Some(&silent), "by the timer, at the moment it was due");
}

#[test]
fn time_ends_with_the_last_sample() {
    let samples = (0..4).map(|s| (Time::from_secs(s), -600));
    assert_eq!(detect(&settings(), samples).changes, [(Time::from_secs(3), false)], "no absence is said");
}

#[test]
fn locks_are_scored_where_there_is_truth_enough() {
    let scored = score(&trace("walk-1"), &settings(), Stress::default());
    assert_eq!(scored.locks.as_ref().map(|locks| (locks.departures, locks.missed_locks)), Some((1, 0)));
    assert_eq!((scored.taps.hits, scored.taps.contacts), (1, 1));
    assert_eq!(score(&trace("tapsim-1"), &settings(), Stress::default()).locks, None, "a trace of taps");
    let half = Stress { shift_db: 0.0, thin: Some(Thin { share: 0.5, seed: 1 }) };
    assert_eq!(score(&trace("walk-1"), &settings(), half).locks, None, "fewer than 20 rows are left");
    let low = Stress { shift_db: -40.0, thin: None };
    assert_eq!(score(&trace("walk-1"), &settings(), low).locks.unwrap().false_locks, 1, "40 dB too low");
}
