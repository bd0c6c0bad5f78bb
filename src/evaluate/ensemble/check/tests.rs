use super::*;
use crate::evaluate::trace::{Label, Row};

/// A band that is heard twice a second at some distances, each from a second on.
fn trace(seconds: u64, level: impl Fn(u64) -> f64, distance: impl Fn(f64) -> f64) -> Trace {
    let row = |half: u64| {
        let at = Time::from_millis(500 * half);
        Row { at, dbm: level(half), distance_m: Some(distance(half as f64 / 2.0)), label: Label::Other }
    };
    let rows = (0..2 * seconds).map(row).collect();
    Trace { name: "static-1".into(), near_m: Some(2.5), far_m: Some(6.0), rows, ..Trace::default() }
}

fn figure(check: &Check, key: &str) -> (Figure, Figure) {
    let row = check.0.iter().find(|row| row.key == key).unwrap();
    (row.simulated, row.measured)
}

#[test]
fn figures_of_a_recording_are_what_was_put_into_it() {
    // Up and down by 2 dB from one second to the next, at 1.5 m and then at 7 m.
    let wave = |half: u64| if (half / 2).is_multiple_of(2) { -60.0 } else { -64.0 };
    let still = trace(100, wave, |s| if s < 60.0 { 1.5 } else { 7.0 });
    let gappy = trace(100, wave, |_| 0.8);
    let rows: Vec<Row> =
        gappy.rows.iter().filter(|row| row.at.as_micros() % 20_000_000 >= 5_000_000).copied().collect();
    let gappy = Trace { rows, ..gappy };
    let check = Check::new(std::iter::empty(), &[still, gappy, Trace::default()]);
    let measured = |key| figure(&check, key).1;
    assert_eq!((measured("level_2_m").of, measured("level_2_m").value), (1, -62.0));
    assert_eq!((measured("level_8_m").of, measured("level_8_m").value), (1, -62.0));
    assert_eq!(measured("level_6_m").of, 0);
    assert_eq!(measured("still_sd").p90, 2.0);
    assert!((measured("correlation_1_s").p10 + 1.0).abs() < 0.05, "{:?}", measured("correlation_1_s"));
    // The second is never silent for longer than 5.5 s, four times of 155 gaps: longer than 3 s, not than 10 s.
    assert_eq!(measured("gaps_10_s_pct").p90, 0.0);
    assert!((measured("gaps_3_s_pct").p90 - 100.0 * 4.0 / 149.0).abs() < 0.1, "{:?}", measured("gaps_3_s_pct"));
    assert!((measured("rate").p90 - 2.0).abs() < 0.02);
    assert_eq!(figure(&check, "rate").0.of, 0, "without shifts there is nothing to say of them");
}

#[test]
fn seats_differ_by_what_their_distance_does_not_explain() {
    let seats = [(0.5, -52.0), (1.0, -56.0), (1.0, -64.0), (2.0, -68.0)];
    let traces = seats.map(|(distance, level)| trace(20, |_| level, |_| distance));
    let (_, measured) = figure(&Check::new(std::iter::empty(), &traces), "place_sd");
    assert_eq!(measured.of, 4);
    assert!((measured.value - 8.0_f64.sqrt()).abs() < 1e-9, "{measured:?}");
}

#[test]
fn a_simulated_dongle_is_measured_without_its_error() {
    let shift = |calibration_db| {
        let mut shift = Shift::new(3, Some(5.0), 1);
        shift.site.antennas[0].calibration_db += calibration_db;
        shift
    };
    let level = |calibration_db| figure(&Check::new([shift(calibration_db)].into_iter(), &[]), "level_2_m").0;
    let (right, wrong) = (level(0.0), level(2.0));
    assert!(right.of == wrong.of && (right.value.is_nan() || (right.value - wrong.value - 2.0).abs() < 1e-9));
}
