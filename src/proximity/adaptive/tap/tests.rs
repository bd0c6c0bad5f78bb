use proptest::prelude::*;

use super::*;

const THRESHOLD: Level = Level::from_dbm(-42);

/// Puts readings through, each so many ms after the one before.
fn heard(window: usize, readings: &[(u64, i8)]) -> Contact {
    let (mut contact, mut at) = (Contact::default(), Time::ZERO);
    for &(pause, dbm) in readings {
        at = at + Duration::from_millis(pause);
        contact.push(at, Level::from_dbm(dbm), THRESHOLD, window);
    }
    contact
}

/// A band at the desk, then these readings, ten a second.
fn after_desk(dbm: &[i8]) -> Contact {
    let readings: Vec<_> = [-60, -60].iter().chain(dbm).map(|&dbm| (100, dbm)).collect();
    heard(10, &readings)
}

#[test]
fn evidence_is_what_lies_above_less_what_lies_below() {
    let cases: [(&str, &[i8], Option<(i32, usize)>); 9] = [
        ("two samples", &[-42, -38], None),
        ("three, however far above", &[-42, -38, -40], Some((60, 3))),
        ("one 1 dB below in between", &[-42, -43, -42, -42], Some((50, 4))),
        ("one 2 dB below in between", &[-42, -44, -42, -42], None),
        ("one 2 dB below, later", &[-42, -42, -44, -42, -42], Some((60, 5))),
        ("no less than none: begun anew", &[-42, -60, -42, -42], None),
        ("of which only the new ones count", &[-42, -60, -42, -42, -42], Some((60, 3))),
        ("hardly below, for ever", &[-43; 50], None),
        ("the outlier of a weak band", &[-60, -38, -60, -60, -38, -60], None),
    ];
    for (case, dbm, grip) in cases {
        assert_eq!(after_desk(dbm).grip(10).map(|grip| (grip.evidence, grip.view.n)), grip, "{case}");
    }
}

#[test]
fn a_tap_says_what_it_rests_on() {
    let grip = after_desk(&[-41, -38, -40]).grip(10).unwrap();
    assert_eq!((grip.evidence, grip.need, grip.rise), (60, 50, 220));
    assert_eq!((grip.view.mean.cdb(), grip.view.n, grip.view.span), (-3967, 3, Duration::from_millis(200)));
    assert_eq!(grip.peak, Level::from_dbm(-38));
}

#[test]
fn a_longer_window_asks_for_a_longer_hold() {
    for (window, samples) in [(1, 1), (4, 1), (5, 2), (8, 2), (10, 3), (20, 5), (50, 13), (200, 50)] {
        let taps = |count| {
            let desk = [(100, -60); 2];
            heard(window, &[&desk[..], &vec![(100, -40); count]].concat()).grip(window).is_some()
        };
        assert!(taps(samples) && !taps(samples - 1), "a window of {window} takes {samples} samples");
    }
    assert!(heard(usize::MAX, &[(0, -60), (100, -40)]).grip(usize::MAX).is_none(), "however long it is");
}

#[test]
fn a_pause_of_more_than_a_second_empties_it() {
    let held = |pause| heard(10, &[(0, -60), (100, -60), (100, -40), (100, -40), (pause, -40)]).grip(10);
    assert!(held(1000).is_some());
    assert!(held(1001).is_none());
}

#[test]
fn the_level_must_have_risen_by_8_db_within_2_s() {
    let cases: [(&str, &[(u64, i8)], Option<i32>); 7] = [
        ("by 8 dB", &[(0, -50), (500, -42), (100, -42), (100, -42)], Some(80)),
        ("by 7 dB", &[(0, -49), (500, -42), (100, -42), (100, -42)], None),
        ("by 7, then by 8, in time", &[(0, -49), (500, -42), (100, -42), (100, -41)], Some(80)),
        ("too late", &[(0, -49), (900, -42), (500, -42), (601, -41), (100, -40)], None),
        ("from 2 s ago", &[(0, -60), (1000, -44), (1000, -42), (100, -42), (100, -42)], Some(180)),
        ("from longer ago", &[(0, -60), (1000, -44), (1001, -42), (100, -42), (100, -42)], None),
        ("from nowhere", &[(0, -38), (100, -38), (100, -38), (100, -38)], None),
    ];
    for (case, readings, rise) in cases {
        assert_eq!(heard(10, readings).grip(10).map(|grip| grip.rise), rise, "{case}");
    }
}

#[test]
fn what_fades_while_it_is_held_is_no_rise() {
    let dip = [(0, -44), (100, -38), (100, -38), (100, -38), (100, -46), (100, -38), (100, -38)];
    assert!(heard(10, &dip).grip(10).is_none(), "there was evidence before it faded by 8 dB");
}

#[test]
fn two_samples_in_a_row_far_below_are_a_band_that_left() {
    let cases: [(&str, &[i8], bool); 5] = [
        ("one", &[-40, -40, -48], false),
        ("two, 6 dB below", &[-40, -40, -48, -48], true),
        ("two, a little less", &[-40, -40, -47, -48, -47], false),
        ("two with one between", &[-40, -48, -40, -48], false),
        ("and it stays so", &[-48, -60, -90, -48], true),
    ];
    for (case, dbm, left) in cases {
        assert_eq!(after_desk(dbm).has_left(), left, "{case}");
    }
    let lay_there =
        [vec![(100, -38); 40_000], vec![(100, -49), (100, -49), (100, -40), (100, -40), (100, -40)]].concat();
    assert!(heard(10, &lay_there).grip(10).is_some(), "an hour's evidence is gone with it");
}

#[test]
fn where_a_band_was_is_forgotten_with_two_seconds_of_silence() {
    let away = [(0, -60), (100, -60)];
    assert!(!heard(10, &away[..1]).was_away());
    assert!(heard(10, &away).was_away());
    assert!(heard(10, &[&away[..], &[(2000, -40)]].concat()).was_away());
    assert!(!heard(10, &[&away[..], &[(2001, -40)]].concat()).was_away());
}

#[test]
fn evidence_that_was_used_is_gone() {
    let mut contact = after_desk(&[-40, -40, -40]);
    contact.drop_evidence();
    assert!(contact.grip(10).is_none() && contact.grip(1).is_none());
    assert!(contact.was_away(), "where it was before is still known");
}

proptest! {
    /// The lowest of the last two seconds is kept in a few cells, to within a quarter of a second.
    #[test]
    fn lows_are_those_of_the_last_two_seconds(
        readings in prop::collection::vec((0..700_u64, -103..=-38_i8), 1..200),
    ) {
        let (mut lows, mut at, mut all) = (Lows::default(), Time::ZERO, Vec::new());
        for (pause, dbm) in readings {
            at = at + Duration::from_millis(pause);
            lows.push(at, Level::from_dbm(dbm));
            all.push((at, Level::from_dbm(dbm)));
            let within = |span| all.iter().filter(|(then, _)| at.since(*then) <= span).map(|&(_, level)| level).min();
            let lowest = lows.lowest(at).map(|(_, level)| level);
            prop_assert!(lowest >= within(CONTACT_RISE_WITHIN));
            prop_assert!(lowest <= within(CONTACT_RISE_WITHIN - Lows::CELL));
        }
    }
}
