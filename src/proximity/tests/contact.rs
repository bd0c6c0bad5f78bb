//! Taps of the adaptive detector.

use proptest::prelude::*;

use super::*;

fn adaptive() -> Settings {
    Settings { detector: Detector::Adaptive, cutoffs: None, ..settings() }
}

fn taps(bench: &mut Bench) -> Vec<String> {
    bench.lines().into_iter().filter(|line| line.contains("Tap")).collect()
}

#[test]
fn a_tap_is_a_hand_that_comes_and_holds() {
    // (situation, runs of ten readings a second: from, how many, level; the taps)
    type Run = (f64, usize, i8);
    let cases: [(&str, &[Run], &[&str]); 9] = [
        ("from the desk", &[(0.0, 20, -60), (2.0, 15, -40)], &["2.2 Tap -4000 tap.contact"]),
        ("a swipe", &[(0.0, 20, -60), (2.0, 2, -38), (2.2, 20, -60)], &[]),
        ("lies there", &[(0.0, 20, -60), (2.0, 600, -40)], &["2.2 Tap -4000 tap.contact"]),
        (
            "tapped twice",
            &[(0.0, 20, -60), (2.0, 15, -40), (3.5, 2, -60), (3.7, 15, -40)],
            &["2.2 Tap -4000 tap.contact", "3.9 Tap -4000 tap.contact"],
        ),
        (
            "lifted by less than 6 dB",
            &[(0.0, 20, -60), (2.0, 15, -40), (3.5, 20, -47), (5.5, 15, -38)],
            &["2.2 Tap -4000 tap.contact"],
        ),
        (
            "lifted by more, for one sample",
            &[(0.0, 20, -60), (2.0, 15, -40), (3.5, 1, -60), (3.6, 15, -38)],
            &["2.2 Tap -4000 tap.contact"],
        ),
        ("at the antenna from the first", &[(0.0, 30, -40)], &["0.9 Tap -4000 tap.mean"]),
        ("there again after silence", &[(0.0, 20, -60), (10.0, 30, -40)], &["10.9 Tap -4000 tap.mean"]),
        ("a phone 20 cm from it", &[(0.0, 20, -60), (2.0, 20, -46), (4.0, 1, -41), (4.1, 1, -45), (4.2, 2, -42)], &[]),
    ];
    for (case, runs, wanted) in cases {
        let mut bench = Bench::new(adaptive());
        for &(from, count, dbm) in runs {
            bench.steady(from, 0.1, count, dbm);
        }
        assert_eq!(taps(&mut bench), wanted, "{case}");
    }
}

#[test]
fn without_a_hand_it_is_the_documented_rule_until_the_band_has_left() {
    let mut bench = Bench::new(adaptive());
    bench.steady(0.0, 0.1, 30, -40);
    bench.steady(3.0, 0.1, 2, -55);
    bench.steady(3.2, 0.1, 10, -40);
    assert_eq!(taps(&mut bench), ["0.9 Tap -4000 tap.mean", "3.4 Tap -4000 tap.contact"]);
    bench.steady(4.2, 0.1, 2, -50);
    bench.steady(4.4, 1.0, 1, -45);
    bench.steady(5.3, 0.9, 2, -44);
    bench.steady(7.0, 0.1, 20, -40);
    assert_eq!(taps(&mut bench), [""; 0], "it crept there, and was away before");
}

#[test]
fn silence_rearms_and_a_pause_does_not() {
    let mut bench = Bench::new(adaptive());
    bench.steady(0.0, 0.1, 20, -60);
    bench.steady(2.0, 0.1, 20, -40);
    bench.steady(20.0, 0.1, 20, -40);
    assert_eq!(taps(&mut bench), ["2.2 Tap -4000 tap.contact"]);
    bench.steady(60.0, 0.1, 20, -40);
    assert_eq!(taps(&mut bench), ["60.9 Tap -4000 tap.mean"]);
}

#[test]
fn a_tap_belongs_to_its_antenna() {
    let mut bench = Bench::new(adaptive());
    // (from, how many, at the first, at the other)
    let moves = [(0, 20, -60, -60), (20, 20, -40, -65), (40, 10, -60, -65), (50, 10, -60, -40), (60, 10, -40, -40)];
    for (from, count, first, other) in moves {
        for i in from..from + count {
            bench.hear_at(f64::from(i) * 0.1, DONGLE, 1, first);
            bench.hear_at(f64::from(i) * 0.1 + 0.05, OTHER_DONGLE, 1, other);
        }
    }
    let told = |decision: &Decision| {
        matches!(decision.conclusion, Conclusion::Tap { .. }).then(|| (line(decision), decision.adapter.unwrap()))
    };
    let taps: Vec<_> = bench.noted.iter().filter_map(told).collect();
    // What the first hears at 6 s is another approach, but the other one's is not over.
    let wanted = [("2.2 Tap -4000 tap.contact", DONGLE), ("5.25 Tap -4000 tap.contact", OTHER_DONGLE)];
    assert_eq!(taps, wanted.map(|(line, at)| (line.to_owned(), at)));
}

#[test]
fn two_antennas_side_by_side_hear_one_tap() {
    let mut bench = Bench::new(adaptive());
    for (from, count, dbm) in [(0, 20, -60), (20, 15, -40), (35, 20, -60)] {
        for i in from..from + count {
            bench.hear_at(f64::from(i) * 0.1, DONGLE, 1, dbm);
            // It hears the band leave a little later.
            bench.hear_at(f64::from(i) * 0.1 + 0.05, OTHER_DONGLE, 1, if i < 38 { dbm.max(-41) } else { dbm });
        }
    }
    assert_eq!(taps(&mut bench).len(), 1);
}

#[test]
fn a_dongle_that_is_not_well_does_not_tap_while_another_hears() {
    for (sick, wanted) in [(OTHER_DONGLE, 1), (DONGLE, 0)] {
        let mut bench = Bench::new(adaptive());
        bench.engine.handle_adapter(secs(0.0), sick, false);
        for i in 0..40 {
            bench.hear_at(f64::from(i) * 0.1, DONGLE, 1, if i < 20 { -60 } else { -40 });
            bench.hear_at(f64::from(i) * 0.1 + 0.05, OTHER_DONGLE, 1, -60);
        }
        assert_eq!(taps(&mut bench).len(), wanted, "{sick}");
    }
    let mut bench = Bench::new(adaptive());
    bench.engine.handle_adapter(secs(0.0), DONGLE, false);
    bench.steady(0.0, 0.1, 20, -60);
    bench.steady(2.0, 0.1, 5, -40);
    assert_eq!(taps(&mut bench), ["2.2 Tap -4000 tap.contact"], "alone it has its say");
}

#[test]
fn a_reload_taps_nobody_by_evidence_either() {
    let mut bench = Bench::new(adaptive());
    bench.steady(0.0, 0.1, 20, -60);
    bench.steady(2.0, 0.1, 20, -46);
    let lower = Settings { tap_threshold: Some(Level::from_dbm(-50)), ..adaptive() };
    bench.engine.handle_settings(secs(4.0), lower.clone());
    bench.steady(4.0, 0.1, 20, -46);
    assert_eq!(taps(&mut bench), [""; 0], "it was there before -50 counted as a tap");
    bench.steady(6.0, 0.1, 12, -60);
    bench.steady(7.2, 0.1, 2, -46);
    bench.engine.handle_settings(secs(7.4), lower);
    bench.steady(7.4, 0.1, 2, -46);
    assert_eq!(taps(&mut bench), [""; 0], "what was heard before the reload is no evidence after it");
    bench.steady(7.6, 0.1, 1, -46);
    assert_eq!(taps(&mut bench), ["7.6 Tap -4600 tap.contact"]);
    // And from one detector to the other.
    bench.steady(7.7, 0.1, 20, -38);
    bench.engine.handle_settings(secs(9.7), Settings { detector: Detector::Classic, ..adaptive() });
    bench.steady(9.7, 0.1, 20, -38);
    bench.engine.handle_settings(secs(11.7), adaptive());
    bench.steady(11.7, 0.1, 20, -38);
    assert_eq!(taps(&mut bench), [""; 0]);
}

#[test]
fn every_tap_says_what_was_compared() {
    let mut bench = Bench::new(adaptive());
    bench.steady(0.0, 0.1, 20, -60);
    bench.hear(2.0, -41);
    bench.hear(2.1, -43);
    bench.steady(2.2, 0.1, 3, -39);
    let tap = bench.noted.pop().unwrap();
    assert_eq!(
        serde_json::to_string(&tap.why).unwrap(),
        r#"{"rule":"tap.contact","mean_cdb":-4050,"threshold_cdb":-4200,"contact":{"evidence_cdb":500,"need_cdb":500,"rise_cdb":2100},"n":4,"span_ms":300,"age_ms":0}"#
    );
    let Conclusion::Tap { mean_cdb, peak_cdb, samples, span_ms, threshold_cdb } = tap.conclusion else {
        unreachable!()
    };
    assert_eq!((mean_cdb, peak_cdb, samples, span_ms, threshold_cdb), (-4050, -3900, 4, 300, -4200));
    assert!(
        tap.to_string().ends_with(
            "TAP       mean -40.5 dBm of 4 samples in 0.3 s, 21.0 dB up, 5.0 dB of 5.0 dB evidence at -42.0 dBm"
        ),
        "{tap}"
    );
}

/// Readings in tenths of a dBm, each so many ms after the one before.
fn told(readings: &[(u64, i32)], begin: u64, window_tap: usize) -> Vec<(u64, &'static str)> {
    let (mut engine, mut at) = (Engine::new(Settings { window_tap, ..adaptive() }), begin);
    let mut taps = Vec::new();
    for &(pause, tenths) in readings {
        at += pause;
        engine.handle_reading(Time::from_millis(at), DONGLE, address(1), tenths);
        while let Some(decision) = engine.poll_decision() {
            if matches!(decision.conclusion, Conclusion::Tap { .. }) {
                taps.push((at - begin, decision.why.rule.name()));
            }
        }
    }
    taps
}

/// A stay at the desk, at most 2 s ago as the hand comes; and one at the antenna, with dips of a sample each.
fn approach() -> impl Strategy<Value = Vec<(u64, i32)>> {
    let desk = prop::collection::vec((20..1500_u64, -1030..=-481_i32), 2..12);
    let held = prop::collection::vec((20..25_000_u64, -479..=-380_i32, any::<prop::sample::Index>()), 1..60);
    (desk, held).prop_map(|(mut readings, held)| {
        for (pause, tenths, dip) in held {
            readings.push((pause, tenths));
            if dip.index(8) == 0 {
                readings.extend([(50, -700), (50, tenths)]);
            }
        }
        readings
    })
}

proptest! {
    /// Whatever its level and its pauses: nobody came.
    #[test]
    fn a_steady_level_never_taps(
        level in -1030..=-380_i32,
        jitter in prop::collection::vec((1..40_000_u64, 0..80_i32), 1..300),
        window in 1..=50_usize,
    ) {
        let readings: Vec<_> = jitter.iter().map(|&(pause, above)| (pause, (level + above).min(-380))).collect();
        let taps = told(&readings, 0, window);
        prop_assert!(taps.iter().all(|&(_, rule)| rule == "tap.mean"), "{:?}", taps);
        let unbroken: Vec<_> = readings.iter().map(|&(pause, tenths)| (pause.min(900), tenths)).collect();
        let taps = told(&unbroken, 0, window);
        prop_assert!(taps.len() <= 1, "{:?}", taps);
    }

    #[test]
    fn no_approach_taps_twice(approaches in prop::collection::vec(approach(), 1..6), window in 1..=50_usize) {
        let mut readings = Vec::new();
        for approach in &approaches {
            readings.extend(approach);
            prop_assert!(told(approach, 0, window).len() <= 1);
        }
        prop_assert!(told(&readings, 0, window).len() <= approaches.len());
    }

    /// The same samples give the same taps, whenever they come.
    #[test]
    fn the_clock_does_not_matter(
        readings in prop::collection::vec((0..1200_u64, -620..=-380_i32), 1..300),
        begin in 0..1_u64 << 40,
        window in 1..=20_usize,
    ) {
        prop_assert_eq!(told(&readings, 0, window), told(&readings, begin, window));
    }
}
