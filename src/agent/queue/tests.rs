use super::*;
use crate::agent::samples::{adapter, auth, ms, presence, tap, trend};
use crate::event::{AdapterPhase, Auth, Presence};

/// What is left of these facts, by what they say.
fn left(facts: Vec<Fact>) -> (Vec<String>, Counters) {
    let (mut queue, mut counters) = (Queue::default(), Counters::default());
    for fact in facts {
        assert_eq!(queue.push(fact, &mut counters), Room::Enough);
    }
    (std::iter::from_fn(|| queue.pop()).map(|item| said(&item)).collect(), counters)
}

fn said(item: &Item) -> String {
    let at = item.at().as_micros() / 1_000;
    match item {
        Item::Fact(Fact::Band(Decision { conclusion, .. })) => match conclusion {
            Conclusion::Presence { before, after, .. } => format!("{at} {before:?}>{after:?}"),
            Conclusion::Trend { before, after, .. } => format!("{at} {before:?}>{after:?}"),
            Conclusion::Auth { before, after } => format!("{at} {before:?}>{after:?}"),
            Conclusion::Tap { .. } => format!("{at} tap"),
        },
        Item::Fact(Fact::Adapter { state, .. }) => format!("{at} {:?}", state.phase),
        other => format!("{at} {}", other.name()),
    }
}

#[test]
fn waiting_state_is_merged_and_taps_never_are() {
    use Presence::{Absent, Present};
    use Side::{Away, Near, Unknown};
    let p = |at, after| presence(ms(at), 1, after);
    let t = |at, before, after| trend(ms(at), 1, before, after);
    let cases: Vec<(&str, Vec<Fact>, &[&str])> = vec![
        ("one", vec![p(1, Present)], &["1 Absent>Present"]),
        ("there and gone again", vec![p(1, Present), p(2, Absent)], &[]),
        ("gone, back, gone", vec![p(1, Absent), p(2, Present), p(3, Absent)], &["3 Present>Absent"]),
        ("two taps", vec![tap(ms(1), 1), tap(ms(2), 1)], &["1 tap", "2 tap"]),
        ("two bands", vec![p(1, Present), presence(ms(2), 2, Present)], &["1 Absent>Present", "2 Absent>Present"]),
        ("near, then away", vec![t(1, Unknown, Trend::Near), t(2, Near, Trend::Away)], &["2 Unknown>Away"]),
        ("near, then held", vec![t(1, Unknown, Trend::Near), t(2, Near, Trend::Hold)], &["2 Unknown>Hold"]),
        (
            "near, held, away, and near anew",
            vec![t(1, Unknown, Trend::Near), t(2, Near, Trend::Hold), t(3, Near, Trend::Away), t(4, Away, Trend::Near)],
            &["4 Unknown>Near"],
        ),
        ("held twice", vec![t(1, Near, Trend::Hold), t(2, Near, Trend::Hold)], &["2 Near>Hold"]),
        ("held, then away", vec![t(1, Near, Trend::Hold), t(2, Near, Trend::Away)], &["2 Near>Away"]),
        ("away and back", vec![t(1, Near, Trend::Away), t(2, Away, Trend::Near)], &[]),
        (
            "away, back, held",
            vec![t(1, Near, Trend::Away), t(2, Away, Trend::Near), t(3, Near, Trend::Hold)],
            &["3 Near>Hold"],
        ),
        (
            "a merged fact moves behind a tap",
            vec![t(1, Unknown, Trend::Near), tap(ms(2), 1), t(3, Near, Trend::Away)],
            &["2 tap", "3 Unknown>Away"],
        ),
        ("kinds are apart", vec![p(1, Present), t(2, Unknown, Trend::Near)], &["1 Absent>Present", "2 Unknown>Near"]),
        (
            "what the roster says",
            vec![
                auth(ms(1), 1, Auth::Unknown, Auth::Unenrolled),
                auth(ms(2), 1, Auth::Unenrolled, Auth::Authenticated),
            ],
            &["2 Unknown>Authenticated"],
        ),
        (
            "a dongle that flaps",
            vec![adapter(ms(1), AdapterPhase::Opening), adapter(ms(2), AdapterPhase::Absent)],
            &["2 Absent"],
        ),
    ];
    for (case, facts, expected) in cases {
        let pushed = facts.len();
        let (left, counters) = left(facts);
        assert_eq!(left, expected, "{case}");
        let gone = counters.facts_merged + counters.facts_cancelled;
        assert_eq!(u64::try_from(pushed - expected.len()).unwrap(), gone, "{case}: {counters:?}");
    }
}

/// As many facts about different bands as asked for.
fn bands(count: usize, listed: bool) -> impl Iterator<Item = Fact> {
    (0..count).map(move |n| {
        let Fact::Band(mut decision) = presence(ms(1), 0, Presence::Present) else { unreachable!() };
        let [low, high, ..] = n.to_le_bytes();
        decision.band.address.bytes.0[..2].copy_from_slice(&[low, high]);
        decision.listed = listed;
        Fact::Band(decision)
    })
}

const COMMON: usize = limits::QUEUE - limits::QUEUE_FOR_TAPS;

#[test]
fn a_full_queue_gives_up_the_presence_of_unlisted_bands_first() {
    let (mut queue, mut counters) = (Queue::default(), Counters::default());
    for fact in bands(COMMON, false) {
        assert_eq!(queue.push(fact, &mut counters), Room::Enough);
    }
    assert_eq!(queue.push(trend(ms(2), 1, Side::Unknown, Trend::Near), &mut counters), Room::Enough);
    assert_eq!((queue.len(), counters.facts_dropped), (COMMON, 1));
}

#[test]
fn a_queue_full_of_state_becomes_a_snapshot() {
    let (mut queue, mut counters) = (Queue::default(), Counters::default());
    assert_eq!(queue.push(tap(ms(1), 1), &mut counters), Room::Enough);
    for fact in bands(COMMON, true) {
        assert_eq!(queue.push(fact, &mut counters), Room::Enough);
    }
    assert_eq!(queue.push(trend(ms(2), 1, Side::Unknown, Trend::Near), &mut counters), Room::StateFolded);
    assert_eq!((queue.len(), counters.facts_folded), (2, 960), "the tap and the newest fact are left");
    assert_eq!(counters.facts_dropped, 0);
}

#[test]
fn a_tap_goes_by_age_or_when_nothing_else_is_left() {
    let (mut queue, mut counters) = (Queue::default(), Counters::default());
    let answer = |n: usize| Fact::CommandResult { at: ms(1), req: n.to_string().into(), outcome: Ok(()) };
    for n in 0..COMMON {
        let _ = queue.push(answer(n), &mut counters);
    }
    for n in 0..limits::QUEUE_FOR_TAPS {
        let _ = queue.push(tap(ms(n as u64), 1), &mut counters);
    }
    assert_eq!((queue.len(), counters.facts_dropped), (limits::QUEUE, 0));
    assert_eq!(queue.push(tap(ms(2_000), 1), &mut counters), Room::Enough);
    assert_eq!((queue.taps, queue.pop()), (limits::QUEUE_FOR_TAPS + 1, Some(Item::Fact(answer(1)))));
    let _ = queue.push(tap(ms(2_001), 1), &mut counters);
    let _ = queue.push(tap(ms(3_001), 1), &mut counters);
    assert_eq!((queue.taps, queue.pop()), (limits::QUEUE_FOR_TAPS + 2, Some(Item::Fact(answer(2)))));
    assert_eq!(counters.facts_dropped, 2, "an answer, and the oldest tap once it could not act any more");

    let (mut queue, mut counters) = (Queue::default(), Counters::default());
    for n in 0..=limits::QUEUE {
        let _ = queue.push(tap(ms(0), u8::try_from(n % 256).unwrap()), &mut counters);
    }
    assert_eq!((queue.len(), counters.facts_dropped), (limits::QUEUE, 1));
}

#[test]
fn state_makes_room_for_taps() {
    let (mut queue, mut counters) = (Queue::default(), Counters::default());
    for fact in bands(COMMON, true) {
        let _ = queue.push(fact, &mut counters);
    }
    let rooms: Vec<Room> = (0..100).map(|at| queue.push(tap(ms(at), 1), &mut counters)).collect();
    assert_eq!(rooms.iter().filter(|room| **room == Room::StateFolded).count(), 1);
    assert_eq!((queue.len(), counters.facts_dropped, counters.facts_folded), (100, 0, 960));
}

#[test]
fn answers_only_make_room_for_answers() {
    let (mut queue, mut counters) = (Queue::default(), Counters::default());
    let answer = |n: usize| Fact::CommandResult { at: ms(1), req: n.to_string().into(), outcome: Ok(()) };
    for n in 0..COMMON + 5 {
        let _ = queue.push(answer(n), &mut counters);
    }
    assert_eq!((queue.len(), counters.facts_dropped), (COMMON, 5));
    assert_eq!(queue.pop(), Some(Item::Fact(answer(5))));
}

#[test]
fn folding_keeps_what_is_newer_and_what_is_no_state() {
    let (mut queue, mut counters) = (Queue::default(), Counters::default());
    for fact in [presence(ms(1), 1, Presence::Present), tap(ms(1), 1), presence(ms(9), 2, Presence::Present)] {
        let _ = queue.push(fact, &mut counters);
    }
    queue.fold(ms(5), &mut counters);
    let left: Vec<String> = std::iter::from_fn(|| queue.pop()).map(|item| said(&item)).collect();
    assert_eq!(left, ["1 tap", "9 Absent>Present"]);
    let folded = queue.push(presence(ms(10), 1, Presence::Absent), &mut counters);
    assert_eq!((folded, counters.facts_folded, counters.facts_merged), (Room::Enough, 1, 0));
}
