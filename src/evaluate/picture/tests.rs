use std::num::NonZeroU32;
use std::time::Duration;

use super::*;
use crate::evaluate::plan::Asked;
use crate::evaluate::read::read;
use crate::evaluate::tests::settings;
use crate::proximity::Settings;

/// With taps off, and a dongle that hears 30 dB less than it should.
fn configured() -> Settings {
    Settings { tap_threshold: None, offsets: vec![300], ..settings() }
}

/// A minute near, a minute away, a minute near, two samples a second; taps held for 2 s at 10 s and 20 s.
fn trace(name: &str, source: &str, taps: bool) -> Trace {
    let mut text = format!("{source}# near_m: 2.5\n# far_m: 6\n");
    for row in 0..360 {
        let (at, tap) = (f64::from(row) / 2.0, taps && matches!(row, 20..24 | 40..44));
        let line = match row {
            _ if tap => format!("{at},-40,0.02,tap\n"),
            120..240 => format!("{at},-85,9,\n"),
            _ => format!("{at},-60,0.5,\n"),
        };
        text.push_str(&line);
    }
    read(name, &text).unwrap().trace
}

fn asked(shift_db: Option<f64>, thin: Option<f64>) -> Asked {
    Asked { shift_db, thin, seeds: NonZeroU32::new(3).unwrap() }
}

fn one(traces: Vec<Trace>, asked: Asked) -> Picture {
    let plan = Plan::new(traces, &configured(), asked);
    let jobs = plan.jobs();
    let given = jobs.iter().map(|job| plan.run(*job)).collect();
    let mut pictures = pictures(&plan, &plan.results(&jobs, given));
    assert_eq!(pictures.len(), plan.detectors.len());
    pictures.remove(0)
}

fn traces() -> Vec<Trace> {
    vec![
        trace("comp-1", "# source: a.example/x @ 1\n", false),
        trace("static-1", "# source: b.example/y\n", false),
        trace("walk-1", "", false),
        trace("steps-1", "# source: a.example/x @ 2\n", false),
        trace("tapsim-1", "# source: c.example/z\n", true),
    ]
}

#[test]
fn a_trace_counts_where_its_name_says() {
    let picture = one(traces(), asked(None, None));
    let minutes = |of: Duration| of.as_secs() / 60;
    let Counts { desk, human, all, taps, elsewhere } = &picture.counts;
    // Comp and static; comp and walk; all four. The last row has no length.
    assert_eq!([desk, human, all].map(|locks| minutes(locks.present)), [3, 3, 7]);
    assert_eq!([desk, human, all].map(|locks| locks.departures), [2, 2, 4]);
    assert_eq!((taps.contacts, taps.hits), (2, 2), "taps are at -42 where the configuration has none");
    assert_eq!((elsewhere.contacts, elsewhere.span), (0, Duration::from_millis(4 * 179_500)));
    assert_eq!((picture.mean.joint.departures, picture.mean.locks.departures), (2.0, 4.0));
    assert_eq!(picture.runs, 1);
}

#[test]
fn a_dongles_offset_is_not_added_to_a_recording() {
    let picture = one(traces(), asked(None, None));
    assert_eq!(
        (picture.mean.joint.missed_locks, picture.mean.joint.false_locks),
        (0.0, 0.0),
        "30 dB more would never lock"
    );
}

#[test]
fn without_being_asked_for_stress_there_is_the_usual() {
    let picture = one(traces(), asked(None, None));
    let [up, down, thin] = &picture.stressed[..] else { panic!("{:?}", picture.stressed) };
    assert_eq!([up, down].map(|spread| spread.mean.departures), [2.0, 2.0]);
    assert_eq!((thin.mean.departures, thin.worst.departures), (2.0, 2.0));
    assert!(thin.worst.exposed_p95 >= thin.mean.exposed_p95);
    assert!(thin.mean.exposed_p95 > up.mean.exposed_p95, "half of the adverts fill a window half as fast");
    assert_eq!(picture.mean.half.taps, 2.0);
}

#[test]
fn stress_that_is_asked_for_is_put_on_everything() {
    let shifted = one(traces(), asked(Some(-20.0), None));
    assert!(shifted.stressed.is_empty() && shifted.without.is_empty());
    assert_eq!((shifted.runs, shifted.mean.joint.false_locks), (1, 2.0), "20 dB too low locks all");
    let thinned = one(traces(), asked(None, Some(0.5)));
    assert_eq!(thinned.runs, 3, "one for each way to lose them");
    assert!(thinned.stressed.is_empty());
}

#[test]
fn each_source_is_left_out_in_turn() {
    let picture = one(traces(), asked(None, None));
    // Of several commits one source; without a header what the name begins with; taps have no say.
    let left = picture
        .without
        .iter()
        .map(|(source, joint)| (source.as_str(), joint.departures, (joint.desk_h * 60.0).round()));
    let left: Vec<(&str, f64, f64)> = left.collect();
    assert_eq!(left, [("a.example/x", 1.0, 2.0), ("b.example/y", 2.0, 2.0), ("walk", 1.0, 4.0)]);
}

#[test]
fn false_taps_are_measured_by_the_documented_rule() {
    let mut noisy = trace("static-2", "", true);
    noisy.contacts.clear();
    noisy.rows.iter_mut().for_each(|row| row.distance_m = None);
    let picture = one(vec![noisy], asked(None, None));
    assert_eq!(picture.mean.elsewhere.false_taps, 2.0, "a window of three fills in 2 s");
    assert_eq!(picture.documented_false_taps, 0.0, "one of ten does not");
}
