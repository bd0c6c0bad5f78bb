use super::*;
use crate::evaluate::trace::{Label, Row};

const NEAR: Option<f64> = Some(0.5);
const GREY: Option<f64> = Some(3.0);
const AWAY: Option<f64> = Some(9.0);

/// Rows from seconds and distances.
fn trace(rows: &[(f64, Option<f64>)]) -> Trace {
    let row = |&(s, distance_m): &(f64, Option<f64>)| Row { at: at(s), dbm: -60.0, distance_m, label: Label::Other };
    Trace { near_m: Some(1.0), far_m: Some(5.0), rows: rows.iter().map(row).collect(), ..Trace::default() }
}

fn at(seconds: f64) -> Time {
    Time::from_micros((seconds * 1e6).round() as u64)
}

/// Scores changes given in seconds; true is locked.
fn scored(rows: &[(f64, Option<f64>)], changes: &[(f64, bool)]) -> Locks {
    let changes = changes.iter().map(|&(s, locked)| (at(s), locked)).collect();
    score_locks(&trace(rows), &Said { changes, taps: Vec::new() })
}

fn seconds(s: f64) -> Duration {
    Duration::from_micros((s * 1e6) as u64)
}

#[test]
fn an_edge_counts_where_it_happens() {
    let rows = [(0.0, NEAR), (10.0, GREY), (20.0, AWAY), (40.0, AWAY)];
    let cases: [(&str, &[(f64, bool)], (u64, u64, u64)); 8] = [
        ("locked while present", &[(5.0, true)], (1, 0, 0)),
        ("said again, or as it began", &[(1.0, false), (5.0, true), (6.0, true)], (1, 0, 0)),
        ("locked and unlocked in grey", &[(12.0, true), (13.0, false)], (0, 0, 2)),
        ("locked while away, as it should", &[(25.0, true)], (0, 0, 0)),
        ("locked, then unlocked while away", &[(25.0, true), (30.0, false)], (0, 1, 0)),
        ("at the very moment of a row: that row's truth", &[(10.0, true), (20.0, false)], (0, 1, 1)),
        ("at the moment of the last row", &[(25.0, true), (40.0, false)], (0, 1, 0)),
        ("after the last row", &[(25.0, true), (40.1, false)], (0, 0, 0)),
    ];
    for (case, changes, wanted) in cases {
        let found = scored(&rows, changes);
        assert_eq!((found.false_locks, found.false_unlocks, found.grey_edges), wanted, "{case}");
    }
}

#[test]
fn of_several_rows_of_one_moment_the_first_takes_what_is_said_then() {
    let rows = [(0.0, NEAR), (10.0, GREY), (10.0, AWAY), (20.0, AWAY)];
    assert_eq!(scored(&rows, &[(10.0, true)]).grey_edges, 1);
    assert_eq!(scored(&rows, &[(10.0, true)]).grey, Duration::ZERO, "a moment has no length");
}

#[test]
fn at_first_the_state_is_right() {
    let away_first = [(0.0, GREY), (5.0, AWAY), (15.0, AWAY)];
    assert_eq!(scored(&away_first, &[(10.0, false)]).false_unlocks, 1, "it began locked");
    assert_eq!(scored(&away_first, &[(2.0, false)]).grey_edges, 1);
    let near_first = [(0.0, GREY), (5.0, NEAR), (15.0, NEAR)];
    assert_eq!(scored(&near_first, &[(10.0, true)]).false_locks, 1, "it began unlocked");
    let unknown = [(0.0, None), (5.0, None)];
    assert_eq!(scored(&unknown, &[(1.0, true)]).grey_edges, 1, "where nobody knows, it begins unlocked");
    assert_eq!(scored(&[], &[(1.0, true)]), Locks::default());
}

#[test]
fn time_belongs_to_the_row_before_and_the_first_5_seconds_after_an_arrival_do_not_count() {
    let rows = [(0.0, AWAY), (10.0, NEAR), (30.0, GREY), (32.0, NEAR), (40.0, NEAR)];
    // Locked until 17.5 s, and again from 31 s on: 2.5 s beyond the first 5, then 3 s beyond the second 5.
    let found = scored(&rows, &[(17.5, false), (31.0, true)]);
    assert_eq!((found.away, found.grey, found.present), (seconds(10.0), seconds(2.0), seconds(28.0)));
    assert_eq!(found.locked_out, seconds(5.5));
    assert_eq!(scored(&rows, &[(15.0, false)]).locked_out, Duration::ZERO, "exactly 5 s");
    assert_eq!(scored(&rows, &[(15.1, false)]).locked_out, seconds(0.1), "to the microsecond");
}

#[test]
fn being_locked_at_the_first_row_is_an_arrival_too() {
    let rows = [(0.0, NEAR), (20.0, NEAR)];
    assert_eq!(scored(&rows, &[(0.0, true)]).locked_out, seconds(15.0));
    assert_eq!(scored(&rows, &[(0.0, true)]).false_locks, 1);
}

#[test]
fn of_each_time_away_the_first_30_seconds_may_be_unlocked() {
    let rows = [(0.0, NEAR), (10.0, AWAY), (60.0, GREY), (61.0, AWAY), (100.0, AWAY)];
    let found = scored(&rows, &[(45.0, true)]);
    assert_eq!((found.away, found.away_late), (seconds(89.0), seconds(20.0 + 9.0)));
    assert_eq!(found.away_unlocked, seconds(5.0), "40 s to 45 s");
    let never = scored(&rows, &[]);
    assert_eq!(never.away_unlocked, seconds(29.0), "grey begins the 30 s anew");
}

#[test]
fn departures_are_in_time_late_missed_or_too_short_to_judge() {
    let left_for = |away: f64| vec![(0.0, NEAR), (10.0, NEAR), (12.0, GREY), (14.0, AWAY), (14.0 + away, AWAY)];
    let long = left_for(40.0);
    let found = scored(&long, &[(20.0, true)]);
    assert_eq!((found.departures, found.missed_locks, found.pre_locked), (1, 0, 0));
    assert_eq!((&*found.lock_us, &*found.exposed_us), (&[10_000_000][..], &[6_000_000][..]));

    let early = scored(&long, &[(13.0, true)]);
    assert_eq!((&*early.lock_us, &*early.exposed_us), (&[3_000_000][..], &[0][..]), "locked in grey: not exposed");

    let at_the_last_row = scored(&long, &[(54.0, true)]);
    assert_eq!((at_the_last_row.exposed_us.as_slice(), at_the_last_row.missed_locks), (&[40_000_000][..], 0));

    let before = scored(&long, &[(9.0, true)]);
    assert_eq!((before.departures, before.pre_locked, before.lock_us.len()), (1, 1, 0));
    assert_eq!(scored(&long, &[(10.0, true)]).pre_locked, 1, "at the last row present it is locked before");

    let missed = scored(&left_for(15.0), &[]);
    assert_eq!((missed.departures, missed.missed_locks, missed.censored_departures), (1, 1, 0));
    let short = scored(&left_for(14.9), &[]);
    assert_eq!((short.departures, short.missed_locks, short.censored_departures), (0, 0, 1));
    assert_eq!(scored(&left_for(1.0), &[(14.5, true)]).departures, 1, "however short, if it locked");
}

#[test]
fn a_departure_can_be_settled_until_the_first_row_of_the_return() {
    let rows = [(0.0, NEAR), (10.0, NEAR), (12.0, AWAY), (14.0, AWAY), (20.0, GREY), (30.0, NEAR), (60.0, NEAR)];
    let grey = scored(&rows, &[(25.0, true), (31.0, false)]);
    assert_eq!((grey.departures, &*grey.exposed_us), (1, &[13_000_000][..]));
    assert_eq!(grey.approaches, 0, "at the last row away it was not locked, so no unlock was needed");
    assert_eq!(scored(&rows, &[]).missed_locks, 1, "away lasts until the return: 18 s");
    let at_return = scored(&rows, &[(30.0, true)]);
    assert_eq!((at_return.missed_locks, at_return.false_locks), (0, 1), "late and, by then, false as well");
}

#[test]
fn grey_between_two_rows_of_one_side_ends_no_stay() {
    let rows = [(0.0, NEAR), (10.0, GREY), (20.0, NEAR), (30.0, NEAR)];
    let found = scored(&rows, &[]);
    assert_eq!((found.departures, found.approaches), (0, 0));
}

#[test]
fn approaches_are_in_time_late_missed_or_too_short_to_judge() {
    let back_for = |near: f64| vec![(0.0, AWAY), (10.0, AWAY), (12.0, GREY), (14.0, NEAR), (14.0 + near, NEAR)];
    let found = scored(&back_for(40.0), &[(20.0, false)]);
    assert_eq!((found.approaches, found.missed_unlocks, &*found.unlock_us), (1, 0, &[6_000_000][..]));
    let early = scored(&back_for(40.0), &[(13.0, false)]);
    assert_eq!(early.unlock_us, [-1_000_000], "unlocked in grey, before the arrival");

    let missed = scored(&back_for(15.0), &[]);
    assert_eq!((missed.approaches, missed.missed_unlocks), (1, 1));
    let short = scored(&back_for(14.9), &[]);
    assert_eq!((short.approaches, short.missed_unlocks, short.censored_approaches), (0, 0, 1));
    let mut grey_after = back_for(14.9);
    grey_after.push((90.0, GREY));
    assert_eq!(scored(&grey_after, &[]).censored_approaches, 1, "present until its last row, not until the next");

    let unlocked_before = scored(&back_for(40.0), &[(9.0, false)]);
    assert_eq!((unlocked_before.approaches, unlocked_before.false_unlocks), (0, 1), "no unlock was needed");
}

#[test]
fn counts_of_several_traces_add_up() {
    let rows = [(0.0, NEAR), (10.0, NEAR), (12.0, GREY), (14.0, AWAY), (60.0, AWAY), (61.0, NEAR), (90.0, NEAR)];
    let one = scored(&rows, &[(5.0, true), (6.0, false), (20.0, true), (30.0, false), (31.0, true), (70.0, false)]);
    let mut two = one.clone();
    two.add(&one);
    assert_eq!((two.false_locks, two.false_unlocks), (2, 2));
    assert_eq!((two.departures, two.approaches), (2, 2));
    assert_eq!((two.present, two.locked_out), (one.present * 2, one.locked_out * 2));
    assert_eq!((two.exposed_us.len(), two.unlock_us.len()), (2, 2));
}
