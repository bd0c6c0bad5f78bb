use super::*;
use crate::evaluate::tests::settings;
use crate::evaluate::trace::{Label, Row};
use crate::time::Time;

fn classic() -> Vec<Detector> {
    vec![Detector { name: "classic", settings: settings() }]
}

/// So many seconds, two samples each; the first half near, with a tap in it, then away.
fn trace(seconds: u64) -> Trace {
    let row = |i: u64| {
        let tap = (20..26).contains(&i);
        let near = i < seconds;
        let dbm = if tap {
            -39.0
        } else if near {
            -60.0 - (i % 7) as f64
        } else {
            -88.0
        };
        let label = if tap { Label::Tap } else { Label::Other };
        Row { at: Time::from_millis(i * 500), dbm, distance_m: Some(if near { 0.5 } else { 9.0 }), label }
    };
    let rows: Vec<Row> = (0..2 * seconds).map(row).collect();
    let contacts = Trace::contacts_in(&rows);
    Trace { name: "comp-1".into(), rows, contacts, near_m: Some(2.5), far_m: Some(6.0), ..Trace::default() }
}

fn drawn(trace: &Trace) -> String {
    panel(trace, &classic(), Stress::default())
}

/// What stands between tags of an SVG, and how often a class is used.
fn uses(svg: &str, class: &str) -> usize {
    svg.matches(&format!("class=\"{class}\"")).count()
}

#[test]
fn a_panel_shows_levels_truth_state_decisions_taps_and_limits() {
    let svg = drawn(&trace(100));
    assert_eq!(uses(&svg, "k"), 1, "one tap: {svg}");
    assert_eq!(uses(&svg, "o"), 1, "one contact");
    assert_eq!((uses(&svg, "p"), uses(&svg, "a"), uses(&svg, "g")), (2, 2, 1), "truth and state; at first no state");
    for text in [
        "comp-1",
        "200 rows, 99.5 s",
        "level, dBm",
        "distance, m",
        "close -70",
        "far -75",
        "tap -42",
        "near_m 2.5",
        "far_m 6",
        ">classic<",
        ">truth<",
    ] {
        assert!(svg.contains(text), "{text} is missing: {svg}");
    }
    let marks = svg.lines().find(|line| line.contains("class=\"m\"")).unwrap();
    assert_eq!(marks.matches('M').count(), 2, "near, then away: {marks}");
    let levels = svg.lines().find(|line| line.contains("class=\"s w\"")).unwrap();
    assert_eq!(levels.matches('M').count(), 200, "every level has its own column");
}

#[test]
fn the_lines_are_where_it_is_decided() {
    let off = Settings { tap_threshold: None, cutoffs: None, ..settings() };
    let svg = panel(&trace(100), &crate::evaluate::detectors::all(&off), Stress::default());
    assert!(svg.contains(">tap -42<"), "taps that are off are evaluated all the same: {svg}");
    assert!(!svg.contains(">close ") && !svg.contains(">far "), "trends are not: {svg}");
    let half = Settings { tap_threshold: Some(Level::from_tenths(-445)), ..settings() };
    assert_eq!(Lines::from(&half), Lines { close: Some(-70.0), far: Some(-75.0), tap: Some(-44.5) });
}

#[test]
fn a_long_trace_takes_no_more_than_a_wide_one() {
    let long = drawn(&trace(200_000));
    assert!(long.len() < 100_000, "{} bytes", long.len());
    let levels = long.lines().find(|line| line.contains("class=\"s\"")).unwrap();
    assert!(levels.matches('M').count() <= WIDTH);
}

#[test]
fn nothing_in_a_trace_breaks_the_drawing() {
    let mut strange = trace(20);
    strange.name = "<script>&\u{1b}\n\"x".into();
    strange.begin_us = -1_500_000;
    strange.rows.iter_mut().for_each(|row| row.distance_m = None);
    let mut short = trace(1);
    short.rows.truncate(1);
    let empty = Trace::default();
    let panels = [&strange, &short, &empty].map(drawn);
    let svg = document(&panels, 1);
    assert!(svg.contains("&lt;script&gt;&amp;\"x") && svg.contains("from t_s = -1.5 on"), "{svg}");
    assert!(!svg.contains("NaN") && !svg.contains("inf") && !svg.contains('\u{1b}'), "{svg}");
    let opened = svg.matches('<').count();
    let closed = svg.matches("</").count() + svg.matches("/>").count();
    assert_eq!(opened - svg.matches("</").count(), closed, "every element is closed");
    let step = panel::height(1);
    assert!(
        svg.contains(&format!("height=\"{}\"", KEY + 3 * step))
            && svg.contains(&format!("translate(0 {})", KEY + 2 * step))
    );
}

#[test]
fn stress_is_drawn_too() {
    let thin = Stress { shift_db: 0.0, thin: Some(crate::evaluate::trace::Thin { share: 0.5, seed: 1 }) };
    let svg = panel(&trace(100), &classic(), thin);
    let kept = thin.thin(&trace(100)).rows.len();
    assert!(svg.contains(&format!("{kept} rows")) && kept < 130, "{kept}");
}
