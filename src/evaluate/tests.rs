//! Recordings that nobody meant to be evaluated: nothing in one breaks the reader, the scores or the drawing.

use proptest::prelude::*;

use crate::evaluate::read::read;
use crate::evaluate::score::{Said, score_locks, score_taps};
use crate::evaluate::trace::{Stress, Thin, Trace, Truth};
use crate::proximity::{Level, Settings};
use crate::time::Time;

/// Short windows, near from -70 dBm on, away at -75, a tap at -42.
pub(super) fn settings() -> Settings {
    Settings {
        window_tap: 3,
        window_long: 4,
        tap_threshold: Some(Level::from_dbm(-42)),
        ..Settings::from(&config::Config::default())
    }
}

/// Pieces of lines, sound and not.
fn line() -> impl Strategy<Value = String> {
    let field = prop_oneof![
        4 => (-200i32..200).prop_map(|n| n.to_string()),
        4 => (0u32..2000).prop_map(|n| format!("{}.{}", n / 10, n % 10)),
        1 => prop::sample::select(vec!["", "NaN", "inf", "-inf", "1e308", "-1e-320", "9e18", "tap", "nearmiss", "t_s", "\u{0}"])
            .prop_map(str::to_owned),
    ];
    let row = prop::collection::vec(field.clone(), 0..6).prop_map(|fields| fields.join(","));
    let keys = vec!["near_m", "far_m", "site_offset_db", "tap_offset_db", "source", "x"];
    let header = (prop::sample::select(keys), field).prop_map(|(key, value)| format!("# {key}: {value}"));
    prop_oneof![6 => row, 2 => header, 1 => Just("t_s,rssi_dbm,distance_m,label".to_owned()), 1 => any::<String>()]
}

/// Rows in order, with every truth and label.
fn trace() -> impl Strategy<Value = Trace> {
    let row = (0u64..40, -126i32..0, prop::option::of(0u32..12), prop::sample::select(vec!["", "tap", "nearmiss"]));
    let rows = prop::collection::vec(row, 1..200);
    (rows, prop::sample::select(vec!["walk-1", "tapsim-1"])).prop_map(|(rows, name)| {
        let (mut text, mut tenths) = (String::from("# near_m: 3\n# far_m: 6\n0,-60,1,\n"), 0);
        for (step, level, distance, label) in rows {
            tenths += step;
            let distance = distance.map(|distance| distance.to_string()).unwrap_or_default();
            text += &format!("{}.{},{level},{distance},{label}\n", tenths / 10, tenths % 10);
        }
        read(name, &text).unwrap().trace
    })
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(lines in prop::collection::vec(line(), 0..30)) {
        match read("x", &lines.join("\n")) {
            Ok(recording) => {
                prop_assert!(recording.trace.rows.is_sorted_by_key(|row| row.at));
                prop_assert!(recording.trace.samples(0.0).all(|(_, tenths)| (-1030..=-380).contains(&tenths)));
            }
            Err(error) => prop_assert!(error.line >= 1 && error.to_string().contains("try: ")),
        }
    }

    #[test]
    fn whatever_is_said_the_counts_fit_together(
        trace in trace(),
        changes in prop::collection::vec((0u64..900_000_000, any::<bool>()), 0..60),
        taps in prop::collection::vec(0u64..900_000_000, 0..60),
        seed in 1u32..4,
    ) {
        let trace = Stress { shift_db: 0.0, thin: Some(Thin { share: 0.3, seed }) }.thin(&trace).into_owned();
        let (mut changes, mut taps) = (changes, taps);
        changes.sort_unstable();
        taps.sort_unstable();
        let at = Time::from_micros;
        let said = Said {
            changes: changes.into_iter().map(|(us, locked)| (at(us), locked)).collect(),
            taps: taps.into_iter().map(at).collect(),
        };
        let (locks, taps) = (score_locks(&trace, &said), score_taps(&trace, &said));
        let span = trace.rows.last().map_or(Time::ZERO, |row| row.at).since(trace.rows.first().map_or(Time::ZERO, |row| row.at));
        prop_assert_eq!(locks.present + locks.grey + locks.away, span);
        prop_assert!(locks.locked_out <= locks.present);
        prop_assert!(locks.away_unlocked <= locks.away_late && locks.away_late <= locks.away);
        let locked = locks.lock_us.len() as u64;
        prop_assert_eq!(locks.departures, locked + locks.missed_locks + locks.pre_locked);
        prop_assert_eq!(locks.approaches, locks.unlock_us.len() as u64 + locks.missed_unlocks);
        prop_assert!(locks.exposed_us.iter().all(|us| *us >= 0));
        let sides: Vec<Truth> = trace.rows.iter().map(|row| trace.truth(row)).filter(|truth| *truth != Truth::Grey).collect();
        let turns = sides.windows(2).filter(|pair| pair[0] != pair[1]).count() as u64;
        let judged = locks.departures + locks.censored_departures + locks.approaches + locks.censored_approaches;
        prop_assert!(judged <= turns, "{judged} of {turns}");
        prop_assert!(taps.hits <= taps.contacts && taps.near_misses <= taps.false_taps);
        prop_assert!(taps.hits + taps.repeats + taps.false_taps <= said.taps.len() as u64);
        prop_assert_eq!(taps.latency_us.len() as u64, taps.hits);
    }
}
