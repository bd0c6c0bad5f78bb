use super::*;
use crate::reference::Mode;

const A: Connection = Connection(1);
const B: Connection = Connection(2);

/// An agent whose time is stepped, and everything it says.
struct Bench {
    agent: Agent,
    now: Now,
}

impl Bench {
    fn new(roster: Option<Roster>) -> Self {
        let now = Now { at: Time::from_secs(1_000), unix_ms: 1_700_000_000_000 };
        let mut bench = Self { agent: Agent::new(now, roster), now };
        bench.agent.handle_open(now, A);
        bench.agent.handle_open(now, B);
        bench
    }

    fn pass(&mut self, span: Duration) {
        self.now.at = self.now.at + span;
    }

    /// Says one thing, and gives every answer as `connection message`.
    fn say(&mut self, from: Connection, text: &str) -> Vec<String> {
        self.agent.handle_text(self.now, from, text);
        self.outputs()
    }

    fn push(&mut self, from: Connection, reference: &str, event: &str, payload: Value) -> Vec<String> {
        self.say(from, &phoenix::write(Some("1"), Some(reference), "endpoint:e", event, &payload))
    }

    fn outputs(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.agent.poll_output())
            .map(|output| match output {
                Output::Send { to, text } => format!("{} {text}", to.0),
                Output::Close { to, code, .. } => format!("{} close {code}", to.0),
            })
            .collect()
    }

    fn received(&mut self) -> Vec<(String, Option<bool>)> {
        std::iter::from_fn(|| self.agent.poll_received())
            .map(|received| (received.event, received.verdict.map(|verdict| verdict.acted)))
            .collect()
    }
}

fn roster() -> Roster {
    Roster { rev: 7, mode: Mode::Listed, bands: Vec::new() }
}

/// The response in the first answer.
fn response(answers: &[String]) -> Value {
    let frame: Value = serde_json::from_str(answers[0].split_once(' ').unwrap().1).unwrap();
    frame[4]["response"].clone()
}

#[test]
fn frames_are_answered_as_phoenix_does() {
    let join = r#"["1","1","endpoint:e","phx_join",{}]"#;
    let cases: [(&str, &[&str], &str, &[&str]); 16] = [
        (
            "a heartbeat",
            &[],
            r#"[null,"9","phoenix","heartbeat",{}]"#,
            &[r#"1 [null,"9","phoenix","phx_reply",{"response":{},"status":"ok"}]"#],
        ),
        (
            "anything else there",
            &[],
            r#"[null,"9","phoenix","x",{}]"#,
            &[r#"1 [null,"9","phoenix","phx_reply",{"response":{"reason":"unmatched topic"},"status":"error"}]"#],
        ),
        (
            "a join of an unknown topic",
            &[],
            r#"["2","2","room:1","phx_join",{}]"#,
            &[r#"1 [null,"2","room:1","phx_reply",{"response":{"reason":"unmatched topic"},"status":"error"}]"#],
        ),
        (
            "an endpoint without a name",
            &[],
            r#"["2","2","endpoint:","phx_join",{}]"#,
            &[r#"1 [null,"2","endpoint:","phx_reply",{"response":{"reason":"unmatched topic"},"status":"error"}]"#],
        ),
        (
            "a push before the join",
            &[],
            r#"["1","3","endpoint:e","x",{}]"#,
            &[r#"1 [null,"3","endpoint:e","phx_reply",{"response":{"reason":"unmatched topic"},"status":"error"}]"#],
        ),
        (
            "a push",
            &[join],
            r#"["1","3","endpoint:e","x",{}]"#,
            &[r#"1 ["1","3","endpoint:e","phx_reply",{"response":{},"status":"ok"}]"#],
        ),
        (
            "a push without join_ref",
            &[join],
            r#"[null,"3","endpoint:e","x",{}]"#,
            &[r#"1 ["1","3","endpoint:e","phx_reply",{"response":{},"status":"ok"}]"#],
        ),
        (
            "a push without ref",
            &[join],
            r#"["1",null,"endpoint:e","x",{}]"#,
            &[r#"1 ["1",null,"endpoint:e","phx_reply",{"response":{},"status":"ok"}]"#],
        ),
        ("a push of an earlier join", &[join], r#"["0","3","endpoint:e","x",{}]"#, &[]),
        (
            "a payload that is no object",
            &[join],
            r#"["1","3","endpoint:e","x",[1]]"#,
            &[concat!(
                r#"1 ["1","3","endpoint:e","phx_reply","#,
                r#"{"response":{"reason":"the payload must be an object"},"status":"error"}]"#
            )],
        ),
        (
            "a leave",
            &[join],
            r#"["1","4","endpoint:e","phx_leave",{}]"#,
            &[
                r#"1 ["1","4","endpoint:e","phx_reply",{"response":{},"status":"ok"}]"#,
                r#"1 ["1","1","endpoint:e","phx_close",{}]"#,
            ],
        ),
        ("a leave of an earlier join", &[join], r#"["0","4","endpoint:e","phx_leave",{}]"#, &[]),
        (
            "a leave of what was not joined",
            &[],
            r#"["1","4","endpoint:e","phx_leave",{}]"#,
            &[r#"1 ["1","4","endpoint:e","phx_reply",{"response":{},"status":"ok"}]"#],
        ),
        ("an object, as V1 sends", &[join], r#"{"topic":"t","event":"e","payload":{},"ref":"1"}"#, &["1 close 1011"]),
        ("no JSON", &[], "hello", &["1 close 1011"]),
        ("too few elements", &[], r#"["1","1","endpoint:e","phx_join"]"#, &["1 close 1011"]),
    ];
    for (case, before, text, expected) in cases {
        let mut bench = Bench::new(None);
        before.iter().for_each(|text| drop(bench.say(A, text)));
        assert_eq!(bench.say(A, text), expected, "{case}");
    }
}

#[test]
fn a_join_is_answered_with_everything_the_daemon_may_know() {
    let mut bench = Bench::new(Some(roster()));
    let answers = bench.say(A, r#"["1","1","endpoint:e","phx_join",{"boot":"b","next_seq":1,"oldest_seq":1}]"#);
    let expected = [
        concat!(
            r#"1 ["1","1","endpoint:e","phx_reply",{"response":{"#,
            r#""limits":{"frame":32768,"inflight":32,"rssi_hz":2},"proto":1,"resume":null,"#,
            r#""roster_rev":7,"session":"18bcfe56800-1","time_ms":1700000000000},"status":"ok"}]"#
        ),
        concat!(
            r#"1 ["1",null,"endpoint:e","roster.set","#,
            r#"{"bands":[],"mode":"listed","req":"roster-18bcfe56800-1","rev":7}]"#
        ),
    ];
    assert_eq!(answers, expected);
}

#[test]
fn a_second_join_on_one_socket_closes_the_first_after_its_own_reply() {
    let mut bench = Bench::new(None);
    bench.say(A, r#"["1","1","endpoint:e","phx_join",{}]"#);
    let answers = bench.say(A, r#"["5","5","endpoint:e","phx_join",{}]"#);
    assert!(answers[0].starts_with(r#"1 ["5","5","endpoint:e","phx_reply","#));
    assert_eq!(answers[1..], [r#"1 ["1","1","endpoint:e","phx_close",{}]"#]);
}

#[test]
fn of_two_sockets_with_one_id_the_newer_stays() {
    let mut bench = Bench::new(None);
    bench.say(A, r#"["1","1","endpoint:e","phx_join",{}]"#);
    let answers = bench.say(B, r#"["8","8","endpoint:e","phx_join",{}]"#);
    assert!(answers[0].starts_with(r#"2 ["8","8","endpoint:e","phx_reply","#));
    let to_older = [r#"1 ["1",null,"endpoint:e","superseded",{}]"#, r#"1 ["1","1","endpoint:e","phx_close",{}]"#];
    assert_eq!(answers[1..], to_older);
    assert!(bench.push(A, "2", "x", json!({}))[0].contains("unmatched topic"));
}

#[test]
fn one_socket_has_several_topics_and_not_too_many() {
    let mut bench = Bench::new(None);
    for n in 0..MAX_CHANNELS {
        let answers = bench.say(A, &format!(r#"["{n}","{n}","endpoint:{n}","phx_join",{{}}]"#));
        assert!(answers[0].contains(r#""status":"ok""#));
    }
    let answers = bench.say(A, r#"["x","x","endpoint:x","phx_join",{}]"#);
    assert!(answers[0].contains("too many channels joined"), "{answers:?}");
    let answers = bench.say(A, r#"["x","x","endpoint:0","phx_join",{}]"#);
    assert!(answers[0].contains(r#""status":"ok""#), "a rejoin needs no room");
}

#[test]
fn a_rejoin_resumes_where_the_facts_ended() {
    let mut bench = Bench::new(None);
    let join = r#"["1","1","endpoint:e","phx_join",{"boot":"b1","next_seq":1,"oldest_seq":1}]"#;
    assert_eq!(response(&bench.say(A, join))["resume"], Value::Null);
    for seq in 1..=3 {
        let answers = bench.push(A, "2", "band.trend", json!({"boot": "b1", "seq": seq}));
        assert_eq!(response(&answers), json!({"ack": seq}));
    }
    bench.agent.handle_closed(A);
    assert_eq!(response(&bench.say(B, join))["resume"], json!({"boot": "b1", "ack": 3}));
    assert_eq!(response(&bench.push(B, "2", "band.trend", json!({"boot": "b1", "seq": 3}))), json!({"ack": 3}));
    assert_eq!(bench.received().len(), 3, "the resent one is no news");

    let other_boot = r#"["2","2","endpoint:e","phx_join",{"boot":"b2"}]"#;
    assert_eq!(response(&bench.say(B, other_boot))["resume"], Value::Null);
    let no_boot = r#"["4","4","endpoint:g","phx_join",{}]"#;
    for _ in 0..2 {
        assert_eq!(response(&bench.say(B, no_boot))["resume"], Value::Null);
        bench.received();
        bench.say(B, r#"["4","5","endpoint:g","x",{"seq":1}]"#);
        assert_eq!(bench.received().len(), 1, "without a boot, every join begins anew");
    }
    let other_endpoint = r#"["3","3","endpoint:f","phx_join",{"boot":"b1"}]"#;
    assert_eq!(response(&bench.say(B, other_endpoint))["resume"], Value::Null);
}

#[test]
fn a_hole_is_asked_about_once_until_a_snapshot_comes() {
    let mut bench = Bench::new(None);
    bench.say(A, r#"["1","1","endpoint:e","phx_join",{"boot":"b"}]"#);
    let mut fact = |event: &str, seq: u64, as_of: u64| {
        let answers = bench.push(A, "2", event, json!({"boot": "b", "seq": seq, "as_of": as_of}));
        (response(&answers)["ack"].as_u64().unwrap(), answers.iter().any(|answer| answer.contains("snapshot.get")))
    };
    assert_eq!(fact("band.trend", 1, 0), (1, false));
    assert_eq!(fact("band.trend", 4, 0), (1, true));
    assert_eq!(fact("band.trend", 7, 0), (1, false), "one question at a time");
    assert_eq!(fact("snapshot", 10, 9), (1, false), "the snapshot accounts for the hole before it");
    assert_eq!(fact("band.trend", 11, 0), (1, false));
    assert_eq!(fact("band.trend", 13, 0), (1, true), "a new hole is a new question");
    for seq in [2, 3, 5, 6, 8, 9] {
        fact("fact.dropped", seq, 0);
    }
    assert_eq!(fact("fact.dropped", 12, 0), (13, false));
}

#[test]
fn a_daemon_older_than_the_agent_leaves_no_hole_before_its_snapshot() {
    let mut bench = Bench::new(None);
    let join = r#"["1","1","endpoint:e","phx_join",{"boot":"b","next_seq":1001,"oldest_seq":998}]"#;
    assert_eq!(response(&bench.say(A, join))["resume"], Value::Null);
    let tap = json!({"boot": "b", "seq": 999, "t": 1, "sent": 2, "re": 1});
    assert_eq!(bench.push(A, "2", "band.tap", tap).len(), 1, "a tap from before the snapshot is no hole");
    let answers = bench.push(A, "3", "snapshot", json!({"boot": "b", "seq": 1001, "as_of": 1000}));
    assert_eq!((answers.len(), response(&answers)), (1, json!({"ack": 997})), "1000 was never received");
}

#[test]
fn a_tap_that_was_held_up_on_the_way_opens_nothing() {
    let mut bench = Bench::new(None);
    bench.say(A, r#"["1","1","endpoint:e","phx_join",{"boot":"b"}]"#);
    let tap = |seq: u64, t: u64, sent: u64| json!({"boot": "b", "seq": seq, "t": t, "sent": sent, "ttl_ms": 3000});
    bench.push(A, "2", "stats", json!({"sent": 0}));
    bench.push(A, "2", "band.tap", tap(1, 0, 1_000));
    bench.pass(Duration::from_secs(10));
    bench.push(A, "3", "band.tap", tap(2, 6_999_000, 7_000_000));
    bench.push(A, "4", "band.tap", tap(3, 9_999_000, 10_000_000));
    bench.push(A, "5", "band.tap", tap(4, 6_000_000, 10_000_000));
    bench.push(A, "6", "band.tap.expired", tap(5, 0, 10_000_000));
    let expected = [
        ("stats", None),
        ("band.tap", Some(true)),
        ("band.tap", Some(true)), // 3 s late less what two clocks may drift in 10 s
        ("band.tap", Some(true)),
        ("band.tap", Some(false)),
        ("band.tap.expired", None),
    ];
    assert_eq!(bench.received(), expected.map(|(event, acted)| (event.to_owned(), acted)));
    bench.pass(Duration::from_secs(4));
    bench.push(A, "7", "band.tap", tap(6, 10_000_000, 10_000_000));
    assert_eq!(bench.received(), [("band.tap".to_owned(), Some(false))]);
}

#[test]
fn the_roster_is_offered_until_it_is_taken_or_twice_refused() {
    let offers = |answers: &[String]| answers.iter().filter(|answer| answer.contains("roster.set")).count();
    let ack = |seq: u64, accepted: bool, have: u64| json!({"seq": seq, "rev": 7, "accepted": accepted, "have": have});

    let mut bench = Bench::new(Some(roster()));
    assert_eq!(offers(&bench.say(A, r#"["1","1","endpoint:e","phx_join",{"roster_rev":7}]"#)), 0, "it has it");

    let mut bench = Bench::new(Some(roster()));
    assert_eq!(offers(&bench.say(A, r#"["1","1","endpoint:e","phx_join",{"roster_rev":6}]"#)), 1);
    assert_eq!(offers(&bench.push(A, "2", "roster.ack", ack(1, false, 6))), 1, "it may be older than the offer");
    assert_eq!(offers(&bench.push(A, "3", "roster.ack", ack(2, true, 7))), 0);

    let mut bench = Bench::new(Some(roster()));
    bench.say(A, r#"["1","1","endpoint:e","phx_join",{}]"#);
    let refused: Vec<_> = (1..5).map(|seq| offers(&bench.push(A, "2", "roster.ack", ack(seq, false, 0)))).collect();
    assert_eq!(refused, [1, 0, 0, 0]);
}

#[test]
fn a_watcher_sees_every_event_and_gives_commands() {
    let mut bench = Bench::new(None);
    bench.say(A, r#"["1","1","endpoint:e","phx_join",{}]"#);
    let answers = bench.say(B, r#"["1","1","events","phx_join",{}]"#);
    assert_eq!(response(&answers), json!({"proto": 1, "endpoints": ["e"]}));
    let answers = bench.push(A, "2", "rssi", json!({"list": []}));
    let line = r#"{"time":"2023-11-14T22:13:20.000Z","endpoint":"e","event":"rssi","payload":{"list":[]}}"#;
    assert_eq!(answers[1], format!(r#"2 [null,null,"events","rssi",{line}]"#));

    let answers = bench.say(B, r#"["1","2","events","snapshot.get",{"endpoint":"e","req":"r1"}]"#);
    let expected = [
        r#"2 ["1","2","events","phx_reply",{"response":{"req":"r1"},"status":"ok"}]"#,
        r#"1 ["1",null,"endpoint:e","snapshot.get",{"req":"r1"}]"#,
    ];
    assert_eq!(answers, expected);
    let answers = bench.say(B, r#"["1","3","events","tune",{"endpoint":"e"}]"#);
    assert!(response(&answers)["req"].is_string() && answers[1].contains(r#""tune",{"req":""#), "{answers:?}");
    for nobody in [r#"{"endpoint":"f"}"#, r#"{"endpoint":5}"#, "{}"] {
        let answers = bench.say(B, &format!(r#"["1","4","events","snapshot.get",{nobody}]"#));
        assert_eq!(response(&answers), json!({"reason": "no such endpoint", "endpoints": ["e"]}));
    }
}

#[test]
fn silence_ends_a_socket_and_a_ping_is_none() {
    let mut bench = Bench::new(None);
    bench.pass(Duration::from_secs(59));
    bench.agent.handle_alive(bench.now, B);
    assert_eq!(bench.agent.poll_timeout(), Some(bench.now.at + Duration::from_secs(1)));
    bench.agent.handle_timeout(bench.now);
    assert_eq!(bench.outputs(), [""; 0]);
    bench.pass(Duration::from_secs(1));
    bench.agent.handle_timeout(bench.now);
    assert_eq!(bench.outputs(), ["1 close 1000"]);
    assert_eq!(bench.say(A, r#"[null,"9","phoenix","heartbeat",{}]"#), [""; 0], "it is forgotten");
}

#[test]
fn hostile_messages_are_answered_or_closed_and_never_panic() {
    let mut bench = Bench::new(Some(roster()));
    bench.say(A, r#"["1","1","endpoint:e","phx_join",{"boot":"b","next_seq":-1,"oldest_seq":1e300}]"#);
    for payload in [
        r#"{"seq":18446744073709551615,"boot":[],"sent":-1}"#,
        r#"{"seq":0,"boot":5}"#,
        r#"{"seq":"1","as_of":{}}"#,
        r#"{"seq":3,"as_of":18446744073709551615,"t":18446744073709551615,"sent":0,"ttl_ms":18446744073709551615}"#,
        r#"{"accepted":"yes","unknown":7}"#,
    ] {
        for event in ["band.tap", "snapshot", "roster.ack", "", "phx_reply", "\u{1b}[2J"] {
            let frame = format!(r#"["1","2","endpoint:e",{},{payload}]"#, json!(event));
            let answers = bench.say(A, &frame);
            assert!(answers[0].contains("phx_reply"), "{frame} {answers:?}");
        }
    }
    let long = format!(r#"["{0}","{0}","endpoint:e","phx_join",{{}}]"#, "1".repeat(256));
    let third = Connection(3);
    bench.agent.handle_open(bench.now, third);
    assert_eq!(bench.say(third, &long), ["3 close 1011"]);
    let deep = format!(r#"["1","2","endpoint:e","x",{}{}]"#, "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(bench.say(A, &deep), ["1 close 1011"]);
    bench.agent.handle_binary(B);
    assert_eq!(bench.outputs(), ["2 close 1011"]);
}
