use std::time::Duration;

use super::*;
use crate::evaluate::tests::settings;
use crate::evaluate::trace::Truth;
use crate::time::Time;

const PLAIN: Column = COLUMNS[0];
const VETO: Column = COLUMNS[4];
const SIGN_IN: Column = COLUMNS[5];
const TWO: Column = COLUMNS[6];

/// A shift with hand-made truth, each from a second on, and readings once a second.
fn shift(truth: &[(u64, Truth)], levels: impl Fn(u64, u8) -> Option<i32>) -> Shift {
    let drawn = Shift::new(1, Some(1.0), 0);
    let end = drawn.end().as_micros() / 1_000_000;
    let ends = truth.iter().skip(1).map(|(at, _)| *at).chain([end]);
    let stays = truth.iter().zip(ends);
    let truth = stays.flat_map(|(&(at, side), until)| [(Time::from_secs(at), side), (Time::from_secs(until), side)]);
    let heard = (0..end).flat_map(|s| [0, 1].map(|dongle| (s, dongle)));
    let inputs = heard.filter_map(|(s, dongle)| {
        let what = What::Reading { adapter: AdapterId(dongle), tenths: 10 * levels(s, dongle)? };
        Some(Input { at: Time::from_secs(s), what })
    });
    Shift { truth: truth.collect(), inputs: inputs.collect(), ..drawn.clone() }
}

/// At the desk for 600 s, away from 604 s on.
const LEAVES: [(u64, Truth); 3] = [(0, Truth::Present), (600, Truth::Grey), (604, Truth::Away)];

#[test]
fn who_leaves_into_silence_is_away_all_the_same() {
    let leaves = shift(&LEAVES, |s, _| (s <= 602).then_some(-60));
    let found = PLAIN.score(&settings(), &leaves);
    let silent = 28_000_001; // 30 s after the last advert, by the timer
    assert_eq!((found.departures, found.exposed_us.as_slice()), (1, &[silent][..]));
    assert_eq!((found.lock_us.as_slice(), found.false_locks), (&[32_000_001][..], 0));
    assert_eq!((found.present, found.grey), (Duration::from_secs(600), Duration::from_secs(4)));
    assert_eq!(found.away, leaves.end().since(Time::from_secs(604)));
}

#[test]
fn silence_up_to_the_end_counts() {
    // The last that is heard is 40 s before the end.
    let end = Shift::new(1, None, 0).end().as_micros() / 1_000_000;
    let found = PLAIN.score(&settings(), &shift(&[(0, Truth::Present)], |s, _| (s < end - 39).then_some(-60)));
    assert_eq!((found.false_locks, found.locked_out), (1, Duration::from_micros(9_999_999)));
}

#[test]
fn who_is_heard_well_far_away_was_missed() {
    let found = PLAIN.score(&settings(), &shift(&LEAVES, |_, _| Some(-60)));
    assert_eq!((found.departures, found.missed_locks), (1, 1));
}

#[test]
fn an_approach_waits_for_what_is_heard() {
    let truth = [(0, Truth::Away), (600, Truth::Grey), (604, Truth::Present)];
    let found = PLAIN.score(&settings(), &shift(&truth, |s, _| (s >= 606).then_some(-60)));
    assert_eq!((found.approaches, found.unlock_us.as_slice()), (1, &[5_000_000][..]), "near at the fourth reading");
    let never = PLAIN.score(&settings(), &shift(&truth, |_, _| None));
    assert_eq!((never.approaches, never.missed_unlocks, never.false_unlocks), (1, 1, 0));
}

#[test]
fn a_second_dongle_hears_what_the_first_does_not() {
    let sits = shift(&[(0, Truth::Present)], |s, dongle| (dongle == 1 || !(600..640).contains(&s)).then_some(-60));
    assert_eq!(PLAIN.score(&settings(), &sits).false_locks, 1);
    assert_eq!(TWO.score(&settings(), &sits).false_locks, 0);
}

/// Adds what is told beside readings, at some seconds.
fn with(mut shift: Shift, what: What, at: impl Iterator<Item = u64>) -> Shift {
    shift.inputs.extend(at.map(|s| Input { at: Time::from_secs(s), what }));
    shift.inputs.sort_by_key(|input| input.at);
    shift
}

#[test]
fn who_types_is_not_locked_out_where_that_is_told() {
    let weak = shift(&[(0, Truth::Present)], |s, _| Some(if (600..640).contains(&s) { -85 } else { -60 }));
    let types = with(weak, What::UserActive, (0..700).step_by(4));
    assert_eq!(PLAIN.score(&settings(), &types).false_locks, 1);
    assert_eq!(VETO.score(&settings(), &types).false_locks, 0);
    assert_eq!(SIGN_IN.score(&settings(), &types).false_locks, 1);
}

#[test]
fn who_signs_in_at_a_seat_in_a_null_is_let_in_where_that_is_told() {
    let truth = [(0, Truth::Away), (600, Truth::Grey), (604, Truth::Present)];
    let weak = shift(&truth, |s, _| Some(if s < 604 { -90 } else { -73 }));
    let signs_in = with(weak, What::SignedIn, std::iter::once(612));
    assert_eq!(PLAIN.score(&settings(), &signs_in).missed_unlocks, 1);
    assert_eq!(SIGN_IN.score(&settings(), &signs_in).unlock_us, [8_000_000]);
    assert_eq!(VETO.score(&settings(), &signs_in).missed_unlocks, 1);
}
