//! Connecting, joining, heartbeats, slow sockets, stopping.

use super::*;

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
