//! The whole link with stepped time, from facts and frames to frames and notes.

use std::time::Duration;

use serde_json::json;

use crate::agent::bench::{Bench, resume};
use crate::agent::samples::{adapter, ms, presence, snapshot, tap, trend};
use crate::agent::{Command, Identity, Level, Note, Output, Phase, SocketInput, limits};
use crate::event::{AdapterPhase, Fact, Presence, Side, Telemetry, Trend};

const SECOND: Duration = Duration::from_secs(1);

fn lost(reason: &str) -> Note {
    Note::Lost { reason: reason.to_owned() }
}

fn events(expected: &[(&str, u64)]) -> Vec<(String, Option<u64>)> {
    expected.iter().map(|(name, seq)| ((*name).to_owned(), Some(*seq))).collect()
}

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
fn heartbeats_keep_their_pace_and_a_missing_answer_drops_the_socket() {
    let mut bench = Bench::joined(&resume(0));
    for beat in 1..=3 {
        bench.pass(limits::HEARTBEAT_EVERY);
        let heartbeat = bench.frame("heartbeat");
        assert_eq!(heartbeat[0], json!(null));
        assert_eq!((&heartbeat[2], &heartbeat[4]), (&json!("phoenix"), &json!({})), "beat {beat}");
        if beat < 3 {
            bench.reply(&heartbeat, "ok", &json!({}));
        }
    }
    bench.pass(limits::HEARTBEAT_REPLY - Duration::from_micros(1));
    assert!(!bench.closed());
    bench.pass(Duration::from_micros(1));
    assert!(bench.closed());
    assert_eq!(bench.link.counters().heartbeats_missed, 1);
    bench.await_connect();
}

#[test]
fn a_socket_that_is_lost_for_two_reasons_is_lost_once() {
    let mut bench = Bench::joined(&resume(0));
    bench.pass(limits::HEARTBEAT_EVERY);
    bench.fact(presence(bench.now, 1, Presence::Present));
    bench.pass(limits::FACT_ACK * 2);
    assert_eq!(bench.notes[1..], [lost("a heartbeat was not answered")]);
}

#[test]
fn a_join_without_an_answer_is_left_and_tried_once_more() {
    let mut bench = Bench::new(1);
    bench.await_connect();
    bench.socket(SocketInput::Opened);
    bench.frame("phx_join");
    bench.pass(limits::JOIN_REPLY);
    assert_eq!(bench.frame("phx_leave")[0], "1");
    assert_eq!(bench.notes, [Note::JoinFailed { reason: "no answer".to_owned() }]);
    bench.pass(SECOND * 2);
    let second = bench.frame("phx_join");
    bench.text(&json!(["1", "1", "endpoint:e", "phx_reply", {"status": "ok", "response": {}}]));
    assert_eq!(bench.link.status().phase, Phase::Joining, "the first join's answer comes too late");
    bench.pass(limits::JOIN_REPLY);
    assert!(bench.closed(), "{second}");
}

#[test]
fn a_refused_join_is_tried_again_ever_more_slowly() {
    let mut bench = Bench::new(1);
    bench.await_connect();
    bench.socket(SocketInput::Opened);
    let mut waits = Vec::new();
    for _ in 0..5 {
        let join = bench.frame("phx_join");
        bench.reply(&join, "error", &json!({"reason": "who are you"}));
        let begun = bench.now;
        while !bench.frames.iter().any(|frame| frame[3] == "phx_join") {
            bench.step();
            if let Some(heartbeat) = bench.frames.iter().find(|frame| frame[3] == "heartbeat").cloned() {
                bench.frames.clear();
                bench.reply(&heartbeat, "ok", &json!({}));
            }
        }
        waits.push(bench.now.since(begun).as_millis());
    }
    for (wait, base) in waits.iter().zip([1_000, 2_000, 5_000, 10_000, 10_000]) {
        assert!((base / 2..=base * 3 / 2).contains(wait), "{waits:?}");
    }
    assert_eq!(bench.notes, [Note::JoinFailed { reason: "who are you".to_owned() }], "said once");
}

#[test]
fn short_joins_do_not_reset_the_back_off_but_standing_ones_do() {
    let mut bench = Bench::new(1);
    let mut waits = Vec::new();
    for stands in [SECOND, SECOND, SECOND, limits::STABLE] {
        bench.connect(&resume(0));
        bench.pass(stands);
        bench.socket(SocketInput::Closed { code: Some(1012), reason: "restart" });
        let begun = bench.now;
        bench.await_connect();
        bench.outputs.push(Output::Connect);
        waits.push(bench.now.since(begun).as_millis());
    }
    let bases = [10, 50, 100, 10];
    assert!(waits.iter().zip(bases).all(|(wait, base)| (base / 2..=base * 3 / 2).contains(wait)), "{waits:?}");
}

#[test]
fn standing_joins_make_rejoins_quick_again() {
    let mut bench = Bench::joined(&resume(0));
    let mut waits = Vec::new();
    for stands in [SECOND, SECOND, limits::STABLE] {
        bench.pass(stands);
        bench.frames.clear();
        bench.push("phx_close", &json!({}));
        let begun = bench.now;
        while !bench.frames.iter().any(|frame| frame[3] == "phx_join") {
            bench.step();
        }
        waits.push(bench.now.since(begun).as_millis());
        bench.accept(&resume(0));
    }
    let bases = [1_000, 2_000, 1_000];
    assert!(waits.iter().zip(bases).all(|(wait, base)| (base / 2..=base * 3 / 2).contains(wait)), "{waits:?}");
}

#[test]
fn an_open_socket_makes_the_next_refusal_a_first_one() {
    let mut bench = Bench::new(1);
    let refused = SocketInput::Refused { status: 403, error: "no" };
    for _ in 0..4 {
        bench.await_connect();
        bench.socket(refused);
    }
    bench.connect(&resume(0));
    bench.socket(SocketInput::Closed { code: None, reason: "" });
    bench.await_connect();
    bench.socket(refused);
    let Some(Note::Refused { again_in, .. }) = bench.notes.last() else { panic!("{:?}", bench.notes) };
    assert!((10..=15).contains(&again_in.as_secs()), "{again_in:?}");
}

#[test]
fn the_wall_clock_is_told_as_it_is_known() {
    let mut bench = Bench::joined(&resume(0));
    bench.link.handle_wall(1_700_000_000_000, true);
    bench.fact(tap(ms(5), 1));
    let tapped = bench.frame("band.tap");
    assert_eq!((&tapped[4]["wall"], &tapped[4]["clock"]), (&json!(1_700_000_000_005_u64), &json!("ok")));
}

#[test]
fn another_identity_connects_at_once_and_is_the_same_boot() {
    let mut bench = Bench::joined(&resume(0));
    let identity = Identity {
        endpoint_id: "f".to_owned(),
        boot: "another boot".to_owned(),
        host: String::new(),
        addrs: Vec::new(),
        os: String::new(),
        version: String::new(),
        token: None,
    };
    bench.link.handle_identity(bench.now, identity);
    bench.pass(Duration::ZERO);
    assert_eq!(bench.outputs, [Output::Close { code: 1000 }, Output::Connect]);
    bench.socket(SocketInput::Opened);
    let join = bench.frame("phx_join");
    assert_eq!((&join[2], &join[4]["boot"]), (&json!("endpoint:f"), &json!("boot")));
}

#[test]
fn another_daemon_with_our_id_makes_us_wait() {
    let mut bench = Bench::joined(&resume(0));
    bench.push("superseded", &json!({}));
    assert!(bench.closed());
    assert_eq!(bench.link.poll_timeout(), Some(bench.now + limits::SUPERSEDED));
    assert_eq!(bench.notes.last(), Some(&Note::Superseded { again_in: limits::SUPERSEDED }));
    assert_eq!(bench.notes.last().map(Note::level), Some(Level::Error));
    bench.connect(&resume(0));
}

#[test]
fn a_stop_says_goodbye_and_waits_for_acknowledgements() {
    let mut bench = Bench::joined(&resume(0));
    bench.link.stop(bench.now, "SIGTERM");
    bench.pass(Duration::ZERO);
    bench.fact(presence(ms(0), 1, Presence::Present));
    let goodbye = bench.frame("endpoint.state");
    assert_eq!((&goodbye[4]["state"], &goodbye[4]["reason"]), (&json!("stopping"), &json!("SIGTERM")));
    assert!(bench.outputs.is_empty());
    bench.reply(&goodbye, "ok", &json!({"ack": 2}));
    assert_eq!(bench.events().last().unwrap().0, "phx_leave");
    assert_eq!(bench.outputs, [Output::Close { code: 1000 }, Output::Stopped]);
    assert_eq!((bench.link.poll_timeout(), bench.link.status().phase), (None, Phase::Stopped));
}

#[test]
fn a_stop_waits_no_longer_than_a_second_nor_for_a_connection() {
    let mut bench = Bench::joined(&resume(0));
    bench.link.stop(bench.now, "SIGTERM");
    bench.pass(SECOND - Duration::from_micros(1));
    assert!(!bench.outputs.contains(&Output::Stopped));
    bench.pass(Duration::from_micros(1));
    assert_eq!(bench.outputs, [Output::Close { code: 1000 }, Output::Stopped]);
    bench.frames.clear();
    bench.notes.clear();
    bench.fact(tap(ms(0), 1));
    bench.link.handle_telemetry(bench.now, &Telemetry::Rssi { levels: &[] });
    bench.socket(SocketInput::Opened);
    bench.socket(SocketInput::Text("nonsense"));
    bench.socket(SocketInput::Closed { code: None, reason: "" });
    assert_eq!(bench.outputs.len(), 2, "nothing follows");
    assert_eq!((&bench.frames[..], &bench.notes[..]), (&[][..], &[][..]));
    assert_eq!(bench.link.counters().connects, 1);

    let mut bench = Bench::joined(&resume(0));
    bench.link.stop(bench.now, "SIGTERM");
    bench.socket(SocketInput::Closed { code: None, reason: "" });
    assert_eq!(bench.outputs, [Output::Stopped], "nobody is left to wait for");

    let mut bench = Bench::new(1);
    bench.await_connect();
    bench.link.stop(bench.now, "SIGTERM");
    bench.pass(Duration::ZERO);
    assert_eq!(bench.outputs, [Output::Close { code: 1000 }, Output::Stopped]);
}

#[test]
fn telemetry_goes_out_only_while_somebody_reads() {
    let levels = Telemetry::Rssi { levels: &[] };
    let mut bench = Bench::new(1);
    bench.link.handle_telemetry(bench.now, &levels);
    bench.connect(&resume(0));
    bench.link.handle_telemetry(bench.now, &levels);
    bench.socket(SocketInput::Congested { bytes: 70_000 });
    bench.link.handle_telemetry(bench.now, &levels);
    bench.fact(tap(ms(0), 1));
    bench.socket(SocketInput::Drained);
    bench.link.handle_telemetry(bench.now, &levels);
    bench.pass(Duration::ZERO);
    bench.socket(SocketInput::Drained);
    let names: Vec<_> = bench.events().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["rssi", "band.tap", "rssi"]);
    assert_eq!((bench.link.counters().telemetry_sent, bench.link.counters().telemetry_dropped), (2, 2));
    assert_eq!(bench.notes.last(), Some(&Note::Congested { bytes: 70_000 }));
}

#[test]
fn answers_to_telemetry_say_only_whether_there_is_a_join() {
    let mut bench = Bench::joined(&resume(0));
    bench.link.handle_telemetry(bench.now, &Telemetry::Rssi { levels: &[] });
    bench.pass(Duration::ZERO);
    let telemetry = bench.frame("rssi");
    bench.reply(&telemetry, "ok", &json!({}));
    assert_eq!(bench.link.counters().frames_ignored, 0);
    bench.text(&json!([null, null, "endpoint:e", "phx_reply",
        {"status": "error", "response": {"reason": "unmatched topic"}}]));
    assert_eq!(bench.link.status().phase, Phase::Joining);
}

#[test]
fn an_answer_without_a_join_acknowledges_nothing() {
    let mut bench = Bench::joined(&resume(0));
    bench.fact(tap(ms(0), 1));
    let tapped = bench.frame("band.tap");
    bench.text(&json!([null, tapped[1], "endpoint:e", "phx_reply", {"status": "ok", "response": {}}]));
    bench.step();
    bench.accept(&resume(0));
    assert_eq!(bench.frame("band.tap")[4]["re"], 1);
}

#[test]
fn nothing_is_pushed_into_a_congested_socket() {
    let mut bench = Bench::new(1);
    bench.bands = 256;
    bench.connect(&json!({"limits": {"inflight": 1}}));
    let part = bench.frame("snapshot");
    bench.socket(SocketInput::Congested { bytes: 70_000 });
    bench.reply(&part, "error", &json!({"code": "retry", "after_ms": 10}));
    bench.fact(tap(ms(0), 1));
    bench.pass(SECOND);
    assert_eq!(bench.events(), []);
    bench.socket(SocketInput::Drained);
    assert_eq!(bench.events(), events(&[("snapshot", 1)]));
}

#[test]
fn a_socket_that_takes_nothing_is_dead_however_little_waits() {
    let mut bench = Bench::joined(&resume(0));
    bench.socket(SocketInput::Waiting);
    bench.pass(SECOND * 4);
    bench.socket(SocketInput::Waiting);
    bench.socket(SocketInput::Congested { bytes: 70_000 });
    bench.pass(limits::SOCKET_STUCK - Duration::from_micros(1));
    assert!(!bench.closed(), "it took some");
    bench.pass(Duration::from_micros(1));
    assert!(bench.closed());
    assert_eq!(bench.notes.last(), Some(&lost("it does not read")));

    let mut bench = Bench::joined(&resume(0));
    bench.socket(SocketInput::Waiting);
    bench.socket(SocketInput::Drained);
    bench.pass(limits::SOCKET_STUCK);
    assert!(!bench.closed(), "it took all");
}

#[test]
fn a_roster_is_taken_answered_and_handed_on() {
    let mut bench = Bench::joined(&resume(0));
    let bands = json!([{"id": "ada", "addr": "5c:f3:70:8a:11:02"}, {"id": "ben", "irk": "00"}]);
    bench.push("roster.set", &json!({"req": "r1", "rev": 5, "bands": bands}));
    let ack = bench.frame("roster.ack");
    assert_eq!((&ack[4]["accepted"], &ack[4]["have"], &ack[4]["unknown"]), (&json!(true), &json!(5), &json!(["ben"])));
    assert_eq!(bench.frame("cmd.result")[4]["status"], "ok");
    let Some(Output::Command(Command::Roster(roster))) = bench.outputs.pop() else { panic!("{:?}", bench.outputs) };
    assert_eq!((roster.rev, roster.entries.len()), (5, 2));

    bench.push("roster.patch", &json!({"req": "r2", "rev": 7, "base_rev": 6, "bands": []}));
    let ack = bench.frame("roster.ack");
    assert_eq!((&ack[4]["rev"], &ack[4]["accepted"], &ack[4]["have"]), (&json!(7), &json!(false), &json!(5)));
    let result = bench.frame("cmd.result");
    assert_eq!((&result[4]["code"], &result[4]["req"]), (&json!(2000), &json!("r2")));
    assert!(bench.outputs.is_empty());

    bench.socket(SocketInput::Closed { code: None, reason: "" });
    let params = bench.connect(&json!({"resume": {"boot": "boot", "ack": 4}, "roster_rev": 6}));
    assert_eq!(params["roster_rev"], 5);
    let ack = bench.frame("roster.ack");
    assert_eq!((&ack[4]["rev"], &ack[4]["accepted"], &ack[4]["have"]), (&json!(6), &json!(false), &json!(5)));
}

#[test]
fn a_roster_that_names_many_unknown_bands_is_answered_in_one_frame() {
    let mut bench =
        Bench::joined(&json!({"resume": {"boot": "boot", "ack": 0}, "limits": {"frame": limits::FRAME_MIN}}));
    let ids = [|n| format!("0f8fad5b-d9cb-469f-a165-70867728{n:04}"), |n| format!("{n:04}{}", "\"".repeat(124))];
    for (rev, id) in (1..).zip(ids) {
        let bands: Vec<_> = (0..limits::ROSTER).map(|n| json!({"id": id(n)})).collect();
        bench.push("roster.set", &json!({"rev": rev, "bands": bands}));
        let ack = bench.frame("roster.ack");
        let length = ack.to_string().len();
        assert!((limits::FRAME_MIN - 800..=limits::FRAME_MIN).contains(&length), "{length} bytes");
        assert_eq!((&ack[4]["accepted"], &ack[4]["unknown"][0]), (&json!(true), &json!(id(0))));
    }
}

#[test]
fn a_command_said_twice_is_carried_out_once() {
    let mut bench = Bench::joined(&resume(0));
    let reset = json!({"req": "r1", "verb": "adapter.reset"});
    bench.push("cmd", &reset);
    bench.push("cmd", &reset);
    let command = Command::AdapterReset { req: "r1".into(), deadline: limits::DEADLINE };
    assert_eq!(bench.outputs, [Output::Command(command)]);
    assert_eq!(bench.events(), [], "the result will come");
    bench.fact(Fact::CommandResult { at: bench.now, req: "r1".into(), outcome: Ok(()) });
    assert_eq!(bench.frame("cmd.result")[4]["seq"], 1);
    bench.push("cmd", &reset);
    assert_eq!(bench.frame("cmd.result")[4]["seq"], 2);
    assert_eq!(bench.outputs.len(), 1);
}

#[test]
fn an_agent_that_begins_anew_may_name_its_commands_anew() {
    let mut bench = Bench::joined(&resume(0));
    let reset = json!({"req": "1", "verb": "adapter.reset"});
    for (reply, done) in [(resume(0), 1), (json!({}), 2)] {
        bench.push("cmd", &reset);
        bench.socket(SocketInput::Closed { code: None, reason: "" });
        bench.connect(&reply);
        bench.push("cmd", &reset);
        let command = |output: &&Output| matches!(output, Output::Command(_));
        assert_eq!(bench.outputs.iter().filter(command).count(), done);
    }
}

#[test]
fn what_cannot_be_done_is_refused_with_the_reason() {
    let mut bench = Bench::joined(&resume(0));
    bench.push("cmd", &json!({"req": "r1", "verb": "gatt.connect"}));
    let result = bench.frame("cmd.result");
    assert_eq!((&result[4]["status"], &result[4]["code"]), (&json!("error"), &json!(2000)));
    assert!(result[4]["data"]["message"].as_str().unwrap().contains("gatt.connect"));
    bench.push("user.signed_in", &json!({"band": {"addr": "5c:f3:70:8a:11:02"}}));
    bench.push("user.signed_in", &json!({"req": 7, "band": {"addr": "5c:f3:70:8a:11:02"}}));
    assert_eq!((bench.events(), bench.outputs.len()), (Vec::new(), 0), "nobody to answer to");
    assert_eq!(bench.link.counters().commands_refused, 3);
    assert_eq!(bench.notes.len(), 3, "joined, and each mistake once: {:?}", bench.notes);
}

#[test]
fn levels_are_asked_for_within_the_agreed_rate() {
    let mut bench = Bench::joined(&json!({"resume": {"boot": "boot", "ack": 0}, "limits": {"rssi_hz": 3}}));
    bench.push("telemetry.set", &json!({"req": "r", "rssi_hz": 50, "for_ms": 1_000}));
    let command = Command::Telemetry { req: "r".into(), rssi_hz: 3, bands: None, lasting: SECOND };
    assert_eq!(bench.outputs, [Output::Command(command)]);
}

#[test]
fn a_snapshot_is_there_for_the_asking() {
    let mut bench = Bench::joined(&resume(0));
    bench.fact(presence(ms(0), 1, Presence::Present));
    bench.push("snapshot.get", &json!({"req": "r"}));
    bench.frame("band.presence");
    let state = bench.frame("snapshot");
    assert_eq!((&state[4]["seq"], &state[4]["as_of"]), (&json!(2), &json!(1)));
    assert_eq!(bench.events(), events(&[("cmd.result", 3)]));
    bench.link.handle_snapshot(bench.now, snapshot(bench.now, 3));
    bench.pass(Duration::ZERO);
    assert_eq!(bench.events(), [], "nobody asked");
}

#[test]
fn the_same_trouble_is_said_once_until_it_changes() {
    let mut bench = Bench::new(1);
    for error in ["nothing listens on h:1", "nothing listens on h:1", "cannot reach h:1", "nothing listens on h:1"] {
        bench.await_connect();
        bench.socket(SocketInput::Failed { error });
    }
    assert_eq!(bench.notes.len(), 3);
    assert_eq!(bench.notes[0].to_string(), "no agent: nothing listens on h:1; trying again");
}

#[test]
fn nonsense_is_counted_and_said_once() {
    let mut bench = Bench::joined(&json!({"resume": "yesterday", "limits": []}));
    assert!(matches!(bench.notes[0], Note::Nonsense { .. }));
    assert!(matches!(bench.notes[1], Note::Joined { resumed: false }));
    bench.notes.clear();
    for _ in 0..100 {
        bench.socket(SocketInput::Text("{}"));
        bench.socket(SocketInput::Text("[[[[[["));
        bench.text(&json!(["1", "2", "endpoint:e", "phx_reply", 7]));
    }
    assert_eq!(bench.notes.len(), 2);
    assert_eq!(bench.link.counters().frames_ignored, 300);
    assert!(bench.link.status().phase == Phase::Joined { since: ms(0) });
}
