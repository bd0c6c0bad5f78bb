//! Facts: numbered, acknowledged, resent, given up.

use super::*;

#[test]
fn the_first_join_begins_with_a_snapshot_and_keeps_live_taps() {
    let mut bench = Bench::new(1);
    bench.fact(adapter(ms(0), AdapterPhase::Scanning));
    bench.fact(presence(ms(1), 1, Presence::Present));
    bench.fact(tap(ms(2), 1));
    assert_eq!(bench.link.status().queued, 3);
    bench.now = ms(2);
    let params = bench.connect(&json!({}));
    assert_eq!(params["next_seq"], 1);
    assert_eq!(params["adapters"][0]["state"], "scanning");
    assert_eq!(bench.events(), events(&[("snapshot", 1), ("band.tap", 2)]));
    assert_eq!(bench.link.counters().facts_folded, 2);
    assert_eq!(bench.notes, [Note::Joined { resumed: false }]);
    assert_eq!(bench.link.status().phase, Phase::Joined { since: ms(2) });
}

#[test]
fn facts_flow_in_order_and_are_acknowledged() {
    let mut bench = Bench::joined(&resume(0));
    bench.fact(presence(ms(1), 1, Presence::Present));
    bench.fact(tap(ms(2), 1));
    bench.fact(trend(ms(3), 1, Side::Unknown, Trend::Near));
    let tapped = bench.frames[1].clone();
    assert_eq!(tapped[4]["sent"], 0, "the bench's clock stands still");
    assert_eq!(bench.events(), events(&[("band.presence", 1), ("band.tap", 2), ("band.trend", 3)]));
    assert_eq!(bench.link.status().in_flight, 3);
    bench.reply(&tapped, "ok", &json!({}));
    assert_eq!(bench.link.status().in_flight, 2);
    bench.reply(&tapped, "ok", &json!({"ack": 3}));
    assert_eq!(bench.link.status().in_flight, 0);
    assert_eq!(bench.link.counters().facts_acked, 3);
}

#[test]
fn the_send_window_holds_thirty_two() {
    let mut bench = Bench::joined(&resume(0));
    for n in 0..40 {
        bench.fact(presence(ms(1), n, Presence::Present));
    }
    assert_eq!((bench.link.status().in_flight, bench.link.status().queued), (32, 8));
    let first = bench.frame("band.presence");
    bench.frames.clear();
    bench.reply(&first, "ok", &json!({"ack": 2}));
    assert_eq!(bench.events(), events(&[("band.presence", 33), ("band.presence", 34)]));
    let mut bench = Bench::joined(&json!({"resume": {"boot": "boot", "ack": 0}, "limits": {"inflight": 2}}));
    for n in 0..5 {
        bench.fact(presence(ms(1), n, Presence::Present));
    }
    assert_eq!(bench.link.status().in_flight, 2);
}

#[test]
fn a_tap_is_resent_once_and_then_the_socket_is_dropped_and_resumed() {
    let mut bench = Bench::joined(&resume(0));
    bench.fact(tap(ms(0), 1));
    assert_eq!(bench.frame("band.tap")[4]["re"], 0);
    bench.pass(SECOND);
    let again = bench.frame("band.tap");
    assert_eq!((&again[4]["re"], &again[4]["seq"], &again[4]["sent"]), (&json!(1), &json!(1), &json!(1_000_000)));
    assert!(!bench.closed());
    bench.pass(SECOND);
    assert!(bench.closed());
    assert_eq!(bench.notes.last(), Some(&lost("it does not acknowledge facts")));
    let params = bench.connect(&resume(0));
    assert_eq!((&params["next_seq"], &params["oldest_seq"]), (&json!(2), &json!(1)));
    assert_eq!(bench.frame("band.tap")[4]["re"], 2);
    assert_eq!(bench.link.counters().ack_timeouts, 2);
}

#[test]
fn an_agent_that_acknowledges_nothing_is_known_until_it_does() {
    let mut bench = Bench::joined(&resume(0));
    bench.fact(presence(ms(0), 1, Presence::Present));
    bench.pass(SECOND * 4);
    assert!(!bench.link.status().overdue, "there is still time");
    bench.pass(SECOND);
    assert!(bench.link.status().overdue);
    bench.pass(SECOND * 5);
    assert!(bench.closed());
    bench.connect(&resume(0));
    assert!(!bench.link.status().overdue, "it may be another that joined us, and has all its time");
    bench.pass(SECOND * 5);
    assert!(bench.link.status().overdue);
    let again = bench.frame("band.presence");
    bench.reply(&again, "ok", &json!({}));
    assert!(!bench.link.status().overdue);
    bench.fact(presence(ms(0), 2, Presence::Present));
    assert!(!bench.link.status().overdue, "it is on the way");
}

#[test]
fn other_facts_may_take_five_seconds() {
    let mut bench = Bench::joined(&resume(0));
    bench.fact(presence(ms(0), 1, Presence::Present));
    bench.frames.clear();
    bench.pass(SECOND * 4);
    assert_eq!(bench.events(), []);
    bench.pass(SECOND);
    assert_eq!(bench.frame("band.presence")[4]["re"], 1);
    bench.pass(SECOND * 5);
    assert!(bench.closed());
}

#[test]
fn an_agent_may_ask_for_a_fact_later() {
    let mut bench = Bench::joined(&resume(0));
    bench.fact(presence(ms(0), 1, Presence::Present));
    let first = bench.frame("band.presence");
    bench.reply(&first, "error", &json!({"code": "retry", "after_ms": 7_000}));
    bench.pass(SECOND * 6);
    assert_eq!(bench.events(), []);
    bench.pass(SECOND);
    let again = bench.frame("band.presence");
    assert_eq!(again[4]["re"], 1);
    bench.reply(&again, "error", &json!({"code": "retry"}));
    bench.pass(limits::RETRY_DEFAULT);
    let third = bench.frame("band.presence");
    bench.reply(&third, "ok", &json!({}));
    assert_eq!(bench.link.status().in_flight, 0);
    assert!(!bench.closed());
}

#[test]
fn an_agent_that_asked_for_a_fact_later_may_be_slow_twice_more() {
    let mut bench = Bench::joined(&resume(0));
    bench.fact(tap(ms(0), 1));
    bench.pass(SECOND);
    bench.frame("band.tap");
    let second = bench.frame("band.tap");
    bench.reply(&second, "error", &json!({"code": "retry", "after_ms": 10}));
    bench.pass(SECOND + Duration::from_millis(10));
    assert_eq!(bench.events(), events(&[("band.tap", 1), ("band.tap", 1)]));
    assert!(!bench.closed());
    bench.pass(SECOND);
    assert!(bench.closed());
}

#[test]
fn what_stands_for_a_refused_fact_has_patience_of_its_own() {
    let mut bench = Bench::joined(&resume(0));
    bench.fact(tap(ms(0), 1));
    bench.pass(SECOND);
    bench.frame("band.tap");
    let second = bench.frame("band.tap");
    bench.reply(&second, "error", &json!({"reason": "no"}));
    bench.pass(limits::FACT_ACK);
    assert_eq!(bench.events(), events(&[("fact.dropped", 1), ("fact.dropped", 1)]));
    assert!(!bench.closed());
}

#[test]
fn a_refused_fact_is_given_up_under_its_own_seq() {
    let mut bench = Bench::joined(&resume(0));
    bench.fact(trend(ms(0), 1, Side::Unknown, Trend::Near));
    let refused = bench.frame("band.trend");
    bench.reply(&refused, "error", &json!({"reason": "no such\nband"}));
    let dropped = bench.frame("fact.dropped");
    assert_eq!((&dropped[4]["seq"], &dropped[4]["re"]), (&json!(1), &json!(0)));
    assert_eq!((&dropped[4]["kind"], &dropped[4]["reason"]), (&json!("band.trend"), &json!("no such band")));
    assert!(matches!(bench.notes.last(), Some(Note::FactRefused { kind: "band.trend", .. })));
    bench.reply(&dropped, "error", &json!({"reason": "nor this"}));
    assert_eq!((bench.link.status().in_flight, bench.frames.len()), (0, 0), "refused twice: forgotten");
}

/// Crashes the agent's channel on this fact as often as it takes; says how many joins that were.
fn crash_on(bench: &mut Bench, event: &str) -> u64 {
    let joins = bench.link.counters().joins;
    while let Some(poison) = bench.frames.iter().find(|frame| frame[3] == event).cloned() {
        assert_eq!(bench.frames.iter().find(|frame| frame[4]["seq"].is_u64()), Some(&poison), "it is the first");
        bench.frames.clear();
        bench.text(&json!([poison[0], poison[0], poison[2], "phx_error", {}]));
        let join = loop {
            bench.step();
            let Some(frame) = bench.frames.last().cloned() else { continue };
            match frame[3].as_str() {
                Some("heartbeat") => bench.reply(&frame, "ok", &json!({})),
                _ => break frame,
            }
        };
        bench.accept(&resume(join[4]["oldest_seq"].as_u64().unwrap() - 1));
    }
    bench.link.counters().joins - joins
}

#[test]
fn a_fact_on_which_the_agent_crashes_is_given_up_and_the_next_arrives() {
    let mut bench = Bench::joined(&resume(0));
    bench.fact(tap(ms(0), 1));
    bench.fact(trend(ms(1), 2, Side::Unknown, Trend::Near));
    assert_eq!(crash_on(&mut bench, "band.tap"), 3);
    let dropped = bench.frame("fact.dropped");
    assert_eq!((&dropped[4]["seq"], &dropped[4]["kind"]), (&json!(1), &json!("band.tap")));
    assert_eq!(dropped[4]["reason"], "one join after the other ended on it");
    assert_eq!(bench.events(), events(&[("band.trend", 2)]));
    assert_eq!(bench.link.counters().facts_refused, 1);
    assert!(bench.notes.iter().any(|note| matches!(note, Note::FactRefused { kind: "band.tap", .. })));
}

#[test]
fn an_agent_that_crashes_on_everything_is_told_less_and_less() {
    let mut bench = Bench::joined(&resume(0));
    bench.fact(presence(ms(0), 1, Presence::Present));
    assert_eq!(crash_on(&mut bench, "band.presence"), 3);
    assert_eq!(crash_on(&mut bench, "fact.dropped"), 3);
    assert_eq!(crash_on(&mut bench, "snapshot"), 3, "what was given up is state, which a snapshot says too");
    assert_eq!(crash_on(&mut bench, "fact.dropped"), 3);
    assert_eq!((bench.events(), bench.link.status().in_flight), (Vec::new(), 0));
}

#[test]
fn joins_that_end_between_acknowledgements_are_nobodys_fault() {
    let mut bench = Bench::joined(&resume(0));
    for n in 1..=5 {
        bench.fact(presence(ms(0), n, Presence::Present));
        bench.fact(tap(ms(0), n));
        let tapped = bench.frame("band.tap");
        bench.reply(&tapped, "ok", &json!({}));
        bench.socket(SocketInput::Closed { code: Some(1009), reason: "" });
        bench.connect(&resume(0));
    }
    assert_eq!(bench.link.counters().facts_refused, 0);
}

#[test]
fn every_fact_that_no_agent_acknowledged_counts_once() {
    let mut bench = Bench::new(1);
    bench.fact(tap(ms(0), 1));
    bench.fact(tap(ms(0), 2));
    bench.now = ms(3_000);
    bench.connect(&resume(0));
    assert_eq!(bench.link.unacknowledged(), 2, "both expired, and wait for their acknowledgement");
    let (first, second) = (bench.frame("band.tap.expired"), bench.frame("band.tap.expired"));
    bench.reply(&first, "ok", &json!({}));
    assert_eq!(bench.link.unacknowledged(), 1);
    bench.reply(&second, "error", &json!({"reason": "no"}));
    assert_eq!(bench.link.unacknowledged(), 1, "given up");
    let dropped = bench.frame("fact.dropped");
    bench.reply(&dropped, "ok", &json!({}));
    assert_eq!(bench.link.unacknowledged(), 1);
}

#[test]
fn a_resumed_join_sends_the_rest_in_order_then_new_facts() {
    let mut bench = Bench::joined(&resume(0));
    for n in 1..=4 {
        bench.fact(presence(ms(0), n, Presence::Present));
    }
    bench.socket(SocketInput::Closed { code: Some(1000), reason: "" });
    bench.fact(presence(ms(0), 5, Presence::Present));
    bench.connect(&resume(2));
    assert_eq!(bench.events(), events(&[("band.presence", 3), ("band.presence", 4), ("band.presence", 5)]));
    assert_eq!(bench.notes.last(), Some(&Note::Joined { resumed: true }));
}

#[test]
fn an_agent_that_forgot_gets_live_taps_and_a_snapshot() {
    let mut bench = Bench::joined(&resume(0));
    bench.fact(tap(ms(0), 1));
    bench.fact(presence(ms(0), 1, Presence::Present));
    bench.pass(SECOND / 2);
    bench.fact(tap(ms(500), 2));
    bench.socket(SocketInput::Closed { code: None, reason: "" });
    bench.now = ms(3_200);
    bench.connect(&json!({"resume": {"boot": "another", "ack": 9}}));
    let tapped = bench.frame("band.tap");
    assert_eq!((&tapped[4]["seq"], &tapped[4]["re"]), (&json!(3), &json!(1)));
    let state = bench.frame("snapshot");
    assert_eq!((&state[4]["seq"], &state[4]["as_of"]), (&json!(4), &json!(3)));
    assert_eq!(bench.link.counters().facts_folded, 1);
    assert_eq!(bench.link.counters().facts_dropped, 1, "the first tap is too old for an agent that begins anew");
}

#[test]
fn an_agent_that_fell_back_behind_what_it_acknowledged_gets_a_snapshot_too() {
    let mut bench = Bench::joined(&resume(0));
    for n in 1..=3 {
        bench.fact(presence(ms(0), n, Presence::Present));
    }
    let last = bench.frames.last().unwrap().clone();
    bench.reply(&last, "ok", &json!({"ack": 3}));
    bench.socket(SocketInput::Closed { code: None, reason: "" });
    bench.connect(&resume(1));
    assert_eq!(bench.events(), events(&[("snapshot", 4)]));
}

#[test]
fn a_tap_that_waited_too_long_is_told_as_expired() {
    let mut bench = Bench::new(1);
    bench.fact(tap(ms(0), 1));
    bench.fact(tap(ms(1), 2));
    bench.now = ms(3_000);
    bench.connect(&resume(0));
    assert_eq!(bench.events(), events(&[("band.tap.expired", 1), ("band.tap", 2)]));
    assert_eq!(bench.link.counters().taps_expired, 1);
}

#[test]
fn a_large_snapshot_comes_in_parts_of_one_moment() {
    let mut bench = Bench::new(1);
    bench.bands = 256;
    bench.connect(&json!({"limits": {"frame": 8_192}}));
    let parts = bench.frames.len();
    assert!(parts > 4, "{parts}");
    for (n, part) in bench.frames.iter().enumerate() {
        assert_eq!((&part[4]["part"], &part[4]["parts"], &part[4]["as_of"]), (&json!(n + 1), &json!(parts), &json!(0)));
        assert!(part.to_string().len() <= 8_192);
    }
    let bands: usize = bench.frames.iter().map(|part| part[4]["bands"].as_array().unwrap().len()).sum();
    assert_eq!(bands, 256);
}

#[test]
fn the_wall_clock_is_told_as_it_is_known() {
    let mut bench = Bench::joined(&resume(0));
    bench.link.handle_wall(1_700_000_000_000, true);
    bench.fact(tap(ms(5), 1));
    let tapped = bench.frame("band.tap");
    assert_eq!((&tapped[4]["wall"], &tapped[4]["clock"]), (&json!(1_700_000_000_005_u64), &json!("ok")));
}
