//! The whole endpoint with stepped time: adverts and frames of an agent in, frames and decisions out.

use bgapi::{AddressType, ByteArray, PacketType};
use serde_json::{Value, json};

use super::*;
use crate::proximity::Matcher;

const BAND: &str = "5c:f3:70:8a:11:02";

fn settings() -> Settings {
    Settings {
        window_long: 4,
        matcher: Matcher { all: true, ..Matcher::default() },
        ..Settings::from(&config::Config::default())
    }
}

/// An endpoint and its agent, which acknowledges nothing and so loses nothing.
struct Bench {
    endpoint: Endpoint,
    frames: Vec<Value>,
    decided: Vec<Decision>,
    notes: Vec<String>,
}

impl Bench {
    fn joined() -> Self {
        let text = |text: &str| text.to_owned();
        let identity = Identity {
            endpoint_id: text("e"),
            boot: text("b"),
            host: text("h"),
            addrs: Vec::new(),
            os: text("linux"),
            version: text("0"),
            token: None,
        };
        let endpoint = Endpoint::new(settings(), Link::new(identity, 1, Time::ZERO), Time::ZERO);
        let mut bench = Self { endpoint, frames: Vec::new(), decided: Vec::new(), notes: Vec::new() };
        bench.drain(Time::ZERO);
        bench.endpoint.handle_socket(Time::ZERO, SocketInput::Opened);
        bench.drain(Time::ZERO);
        let join = bench.frames.pop().unwrap();
        let reply = json!({"status": "ok", "response": {"resume": {"boot": "b", "ack": 0}}});
        bench.frame(Time::ZERO, &json!([join[0], join[1], join[2], "phx_reply", reply]));
        bench.drain(Time::ZERO);
        bench
    }

    /// Hands a frame in without asking what is to be done.
    fn frame(&mut self, at: Time, frame: &Value) {
        self.endpoint.handle_socket(at, SocketInput::Text(&frame.to_string()));
    }

    fn push(&mut self, at: Time, event: &str, payload: &Value) {
        self.frame(at, &json!(["1", null, "endpoint:e", event, payload]));
    }

    fn hear(&mut self, at: Time, rssi: i8) {
        let report = ScanResponse {
            rssi,
            packet_type: PacketType::ADV_IND,
            sender: BAND.parse().unwrap(),
            address_type: AddressType::PUBLIC,
            bond: 0xff,
            data: ByteArray::default(),
        };
        self.endpoint.handle_report(at, AdapterId(0), &report);
    }

    fn drain(&mut self, at: Time) {
        while let Some(output) = self.endpoint.poll_output(at) {
            match output {
                Output::Send(text) => self.frames.push(serde_json::from_str(&text).unwrap()),
                Output::Decided(decision) => self.decided.push(decision),
                Output::Note(note) => self.notes.push(note.to_string()),
                _ => {}
            }
        }
    }

    /// The events since, each with what tells it from others.
    fn told(&mut self, at: Time) -> Vec<String> {
        self.drain(at);
        let word = |value: &Value| value.as_str().map(|word| format!(" {word}")).unwrap_or_default();
        let told = |frame: &Value| {
            let payload = &frame[4];
            let words = [&payload["after"], &payload["why"]["rule"], &payload["status"], &payload["state"]];
            format!("{}{}", frame[3].as_str().unwrap(), words.map(word).concat())
        };
        std::mem::take(&mut self.frames).iter().map(told).collect()
    }
}

fn s(secs: u64) -> Time {
    Time::from_secs(secs)
}

#[test]
fn a_sign_in_makes_near_and_is_answered_the_same_each_time() {
    let mut bench = Bench::joined();
    bench.told(s(0));
    let signed_in = json!({"req": "1", "band": {"addr": BAND}});
    bench.push(s(1), "user.signed_in", &signed_in);
    assert_eq!(
        bench.told(s(1)),
        ["band.presence present", "band.trend near near.signed_in", "cmd.result ok"],
        "what follows from it comes before its result"
    );
    bench.push(s(2), "user.signed_in", &signed_in);
    assert_eq!(bench.told(s(2)), ["cmd.result ok"]);
    let listed = json!({"req": "2", "rev": 1, "bands": []});
    bench.push(s(3), "roster.set", &listed);
    bench.told(s(3));
    for req in ["3", "4"] {
        bench.push(s(4), "user.signed_in", &json!({"req": req, "band": {"addr": BAND}}));
    }
    bench.drain(s(4));
    let refused = bench.frames.pop().unwrap();
    assert_eq!(refused[4]["req"], "4");
    assert_eq!((&refused[3], &refused[4]["code"]), (&json!("cmd.result"), &json!(2000)));
    assert_eq!(refused[4]["data"]["message"], "the roster does not list this band: list it first");
    let said = "refused the agent's user.signed_in: the roster does not list this band: list it first";
    assert_eq!(bench.notes, ["joined the agent again; it remembers this run", said], "once");
}

#[test]
fn what_the_agent_asks_for_is_done_at_its_moment_whenever_the_shell_looks() {
    let decided = |polled_between: bool| {
        let mut bench = Bench::joined();
        let inputs: [fn(&mut Bench); 5] = [
            |bench| (0..4).for_each(|at| bench.hear(s(at), -60)),
            |bench| bench.push(s(4), "user.active", &json!({"age_ms": 500})),
            |bench| (5..9).for_each(|at| bench.hear(s(at), -95)),
            |bench| bench.push(s(9), "user.signed_in", &json!({"req": "1", "band": {"addr": BAND}})),
            |bench| bench.endpoint.handle_timeout(s(60)),
        ];
        for input in inputs {
            input(&mut bench);
            if polled_between {
                bench.drain(s(60));
            }
        }
        bench.drain(s(60));
        bench.decided
    };
    let (eager, lazy) = (decided(true), decided(false));
    assert_eq!(eager, lazy);
    let signed_in: Vec<_> = eager.iter().filter(|decision| decision.why.rule.name() == "near.signed_in").collect();
    assert_eq!(signed_in.len(), 1);
    assert_eq!(signed_in[0].at, s(9));
}

#[test]
fn keys_that_are_used_hold_away_back() {
    let away = |keys: &[Value]| {
        let mut bench = Bench::joined();
        (0..4).for_each(|at| bench.hear(s(at), -60));
        for payload in keys {
            bench.push(s(4), "user.active", payload);
        }
        (5..9).for_each(|at| bench.hear(s(at), -95));
        bench.endpoint.handle_timeout(s(20));
        bench.drain(s(20));
        let away = bench.decided.iter().find(|decision| decision.why.rule.name().starts_with("away")).unwrap();
        (away.at.as_micros() / 1_000, away.why.held_ms)
    };
    assert_eq!(away(&[]), (6_000, None));
    assert_eq!(away(&[json!({"age_ms": 1_000})]), (13_000, Some(7_000)));
    assert_eq!(away(&[json!({}), json!({"age_ms": 3_000})]), (14_000, Some(8_000)), "the newest counts");
    assert_eq!(away(&[json!({"band": {"addr": BAND}, "req": "1"})]), (14_000, Some(8_000)));
    assert_eq!(away(&[json!({"band": {"addr": "5c:f3:70:8a:11:03"}})]), (6_000, None), "another wearer");
}

#[test]
fn a_flood_of_keys_is_told_to_nobody() {
    let mut bench = Bench::joined();
    (0..4).for_each(|at| bench.hear(s(at), -60));
    bench.told(s(4));
    for n in 0..10_000 {
        bench.push(s(4) + Duration::from_micros(n), "user.active", &json!({"req": n.to_string()}));
        assert!(bench.endpoint.poll_output(s(5)).is_none());
    }
}

#[test]
fn two_resets_at_once_are_two() {
    let mut bench = Bench::joined();
    for req in ["1", "2"] {
        bench.push(s(1), "cmd", &json!({"req": req, "verb": "adapter.reset"}));
    }
    let mut resets = Vec::new();
    while let Some(output) = bench.endpoint.poll_output(s(1)) {
        if let Output::ResetAdapters { req } = output {
            resets.push(req.to_string());
        }
    }
    assert_eq!(resets, ["1", "2"]);
}
