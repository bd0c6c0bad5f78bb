use std::time::Duration;

use super::*;
use crate::evaluate::numbers::{LockRow, TapRow};
use crate::evaluate::picture::Counts;
use crate::evaluate::score::{Locks, Taps};

/// Eight hours at a desk with one false lock, twenty departures of which two were missed, ten contacts.
fn counts() -> Counts {
    let desk = Locks { false_locks: 1, present: Duration::from_secs(8 * 3600), ..Locks::default() };
    let human = Locks {
        departures: 20,
        missed_locks: 2,
        exposed_us: vec![1_000_000; 18],
        away: Duration::from_secs(3600),
        ..Locks::default()
    };
    let taps = Taps { contacts: 10, hits: 10, latency_us: vec![100_000; 10], ..Taps::default() };
    let elsewhere = Taps { false_taps: 4, span: Duration::from_secs(7200), ..Taps::default() };
    Counts { all: human.clone(), desk, human, taps, elsewhere }
}

fn picture(counts: Counts) -> Picture {
    let joint = Joint::new(&counts.desk, &counts.human, &counts.all);
    let taps = TapRow::from(&counts.taps);
    let half = TapRow { hits: 8.5, ..taps };
    let elsewhere = TapRow::from(&counts.elsewhere);
    let mean = Numbers { locks: LockRow::from(&counts.all), joint, taps, half, elsewhere };
    let worst = Numbers { half: TapRow { hits: 5.0, ..taps }, joint: Joint { missed_locks: 7.0, ..joint }, ..mean };
    let spread = Spread { mean: joint, worst: worst.joint };
    let stressed = vec![spread; 3];
    Picture { name: "x", runs: 1, counts, mean, worst, stressed, without: Vec::new(), documented_false_taps: 4.0 }
}

fn find(picture: &Picture, group: Group, key: &str) -> Goal {
    let found = goals(picture).into_iter().find(|goal| goal.group == group && goal.key == key);
    found.unwrap_or_else(|| panic!("no {key}"))
}

#[test]
fn the_same_value_can_do_for_the_joint_claim_and_not_alone() {
    let mut counts = counts();
    counts.human.exposed_us = vec![9_500_000; 18];
    let picture = picture(counts);
    assert_eq!(find(&picture, Group::Joint, "exposed_p95").is_met(), Some(true), "10 s with the others");
    assert_eq!(find(&picture, Group::Locks, "exposed_p95").is_met(), Some(false), "9 s alone");
    assert_eq!(find(&picture, Group::Locks, "exposed_p95_all").is_met(), None, "no limit is set");
    assert_eq!(find(&picture, Group::Locks, "exposed_p95_all").value, f64::INFINITY, "two of 20 never locked");
}

#[test]
fn what_was_not_tried_is_not_judged_and_what_failed_throughout_is_not_met() {
    let nothing = picture(Counts::default());
    assert!(goals(&nothing).iter().all(|goal| goal.is_met().is_none()), "{:?}", goals(&nothing));
    let mut counts = counts();
    (counts.human.missed_locks, counts.human.exposed_us) = (20, Vec::new());
    let never = find(&picture(counts), Group::Locks, "exposed_p95");
    assert!(never.value.is_nan(), "there is no delay of locks that never came");
    assert_eq!(never.is_met(), Some(false));
}

#[test]
fn a_delay_is_not_judged_where_everybody_found_it_locked() {
    let mut counts = counts();
    (counts.human.missed_locks, counts.human.pre_locked, counts.human.exposed_us) = (0, 20, Vec::new());
    let picture = picture(counts);
    for group in [Group::Joint, Group::Locks, Group::ShiftUp, Group::Thin] {
        assert_eq!(find(&picture, group, "exposed_p95").is_met(), None, "{group:?}");
    }
    assert_eq!(find(&picture, Group::Joint, "missed_locks").is_met(), Some(true), "none of the twenty was missed");
    assert_eq!(picture.mean.joint.held, 0.0, "a claim without a delay does not hold");
}

#[test]
fn events_have_an_interval_and_times_have_none() {
    let picture = picture(counts());
    match find(&picture, Group::Joint, "false_locks_per_8h").beside {
        Beside::Rate { low, high, hours: 8 } => assert!((low - 0.0253).abs() < 1e-3 && (high - 5.5716).abs() < 1e-3),
        other => panic!("{other:?}"),
    }
    match find(&picture, Group::Joint, "missed_locks").beside {
        Beside::Share { low, high } => assert!((low - 0.0123).abs() < 1e-3 && (high - 0.3170).abs() < 1e-3),
        other => panic!("{other:?}"),
    }
    match find(&picture, Group::Taps, "false_taps").beside {
        Beside::Rate { low, high, hours: 1 } => assert!(low < 2.0 && 2.0 < high, "4 in 2 h: {low} to {high}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(find(&picture, Group::Locks, "locked_out_pct").beside, Beside::Nothing);
    assert_eq!(find(&picture, Group::Locks, "exposed_p95").beside, Beside::Nothing);
}

#[test]
fn over_several_runs_the_worst_stands_beside_the_mean() {
    let single = picture(counts());
    assert_eq!(find(&single, Group::Taps, "half_hits").beside, Beside::Worst(5.0), "in as many ways as ever");
    assert_eq!(find(&single, Group::Thin, "missed_locks").beside, Beside::Worst(7.0));
    let several = Picture { runs: 3, stressed: Vec::new(), ..single };
    assert_eq!(find(&several, Group::Joint, "missed_locks").beside, Beside::Worst(7.0));
    assert!(goals(&several).iter().all(|goal| goal.must.is_none()), "under stress of one's own nothing is judged");
}

#[test]
fn taps_must_all_be_hit_and_nine_of_ten_with_half_lost() {
    let picture = picture(counts());
    assert_eq!(find(&picture, Group::Taps, "hits").is_met(), Some(true));
    let half = find(&picture, Group::Taps, "half_hits");
    assert_eq!((half.must, half.is_met()), (Some(Must::AtLeast(9.0)), Some(false)), "8.5 of 10");
    assert_eq!(find(&picture, Group::Taps, "false_taps").is_met(), Some(true), "no more than the documented rule");
}

#[test]
fn under_stress_the_limits_are_wider() {
    let picture = picture(counts());
    for (group, key, limit) in [
        (Group::ShiftUp, "false_locks_per_8h", 2.0),
        (Group::ShiftDown, "locked_out_pct", 2.0),
        (Group::ShiftDown, "exposed_p95", 15.0),
        (Group::Thin, "missed_locks", 2.0),
        (Group::Thin, "exposed_p95", 25.0),
    ] {
        assert_eq!(find(&picture, group, key).must, Some(Must::AtMost(limit)), "{group:?} {key}");
    }
}
