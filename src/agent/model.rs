//! Random schedules: a world of bands, an agent that fails in every way it can, and what must hold nevertheless.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use rand_xoshiro::Xoshiro128PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};

use super::samples::{presence, snapshot, tap, trend};
use super::{Identity, Link, Output, SocketInput, limits};
use crate::event::{Auth, Fact, Presence, Side, Trend};
use crate::time::Time;

const BANDS: usize = 24;
const SEEDS: u64 = 150;
const STEPS: usize = 400;

/// What really is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Truth {
    presence: Presence,
    side: Side,
}

/// What an agent believes, with the seq it believes it from.
#[derive(Clone, Copy, Debug, Default)]
struct Belief {
    present: (u64, bool),
    near: (u64, bool),
}

/// One life of an agent's process; a restart forgets everything.
#[derive(Debug, Default)]
struct Memory {
    seen: BTreeSet<u64>,
    /// Everything up to here was seen, or is in a snapshot that was.
    ack: u64,
    knows: bool,
    bands: BTreeMap<String, Belief>,
}

/// What the connection is doing.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    Down,
    /// The link waits for its connection.
    Wanted,
    Up,
}

struct World {
    seed: u64,
    random: Xoshiro128PlusPlus,
    now: Time,
    link: Link,
    line: Line,
    /// On their way to the agent.
    up: VecDeque<Value>,
    /// On their way back, each not before its time.
    down: VecDeque<(Time, Value)>,
    join_ref: Option<Value>,
    agent: Memory,
    truth: [Truth; BANDS],
    /// The highest seq that was ever written.
    newest: u64,
    /// The longest frame that the agent takes, in bytes.
    longest: usize,
    /// An agent that takes everything at once.
    good: bool,
}

impl World {
    fn new(seed: u64) -> Self {
        let identity = Identity {
            endpoint_id: "e".to_owned(),
            boot: "b".to_owned(),
            host: String::new(),
            addrs: Vec::new(),
            os: String::new(),
            version: String::new(),
            token: None,
        };
        Self {
            seed,
            random: Xoshiro128PlusPlus::seed_from_u64(seed),
            now: Time::ZERO,
            link: Link::new(identity, seed, Time::ZERO),
            line: Line::Down,
            up: VecDeque::new(),
            down: VecDeque::new(),
            join_ref: None,
            agent: Memory::default(),
            truth: [Truth::default(); BANDS],
            newest: 0,
            longest: limits::FRAME_MIN,
            good: false,
        }
    }

    /// A number below `n`.
    fn below(&mut self, n: u32) -> u32 {
        self.random.next_u32() % n
    }

    fn step(&mut self) {
        match self.below(30) {
            0..=9 => self.something_happens(),
            10..=22 => self.agent_works(),
            23 => self.agent_fails(),
            _ => {
                let millis = [1, 20, 300, 1_500, 12_000][self.below(5) as usize];
                let span = Duration::from_millis(u64::from(self.below(millis) + 1));
                self.pass(span);
            }
        }
        self.drain();
    }

    fn something_happens(&mut self) {
        let n = self.below(24) as u8;
        let band = self.truth[usize::from(n)];
        let facts = match (band.presence, band.side, self.below(4)) {
            (Presence::Absent, ..) => vec![presence(self.now, n, Presence::Present)],
            (Presence::Present, _, 0) => vec![tap(self.now, n)],
            (Presence::Present, Side::Near, 1) => vec![trend(self.now, n, Side::Near, Trend::Away)],
            (Presence::Present, Side::Near, 2) => vec![trend(self.now, n, Side::Near, Trend::Hold)],
            (Presence::Present, Side::Near, _) => {
                vec![trend(self.now, n, Side::Near, Trend::Away), presence(self.now, n, Presence::Absent)]
            }
            (Presence::Present, before, 1 | 2) => vec![trend(self.now, n, before, Trend::Near)],
            (Presence::Present, ..) => vec![presence(self.now, n, Presence::Absent)],
        };
        for fact in facts {
            let truth = &mut self.truth[usize::from(n)];
            if let Fact::Band(decision) = &fact {
                match decision.conclusion {
                    crate::event::Conclusion::Presence { after: Presence::Absent, .. } => *truth = Truth::default(),
                    crate::event::Conclusion::Presence { after, .. } => truth.presence = after,
                    crate::event::Conclusion::Trend { after: Trend::Away, .. } => truth.side = Side::Away,
                    crate::event::Conclusion::Trend { .. } => truth.side = Side::Near,
                    _ => {}
                }
            }
            self.link.handle_fact(self.now, fact);
            self.drain();
        }
    }

    /// The agent answers, or not, what it has received; and what it said arrives.
    fn agent_works(&mut self) {
        if self.line == Line::Wanted {
            match if self.good { 0 } else { self.below(5) } {
                0..=2 => {
                    self.line = Line::Up;
                    self.link.handle_socket(self.now, SocketInput::Opened);
                }
                3 => self.hang_up(SocketInput::Failed { error: "nobody" }),
                _ => self.hang_up(SocketInput::Refused { status: 403, error: "no" }),
            }
            self.drain();
        }
        while let Some(frame) = self.up.pop_front() {
            self.receive(&frame);
            if !self.good && self.below(3) == 0 {
                break;
            }
        }
        while let Some((_, frame)) = self.down.pop_front_if(|(due, _)| *due <= self.now) {
            self.link.handle_socket(self.now, SocketInput::Text(&frame.to_string()));
            self.drain();
        }
        if self.good && !self.up.is_empty() {
            // It has made room for more.
            self.agent_works();
        }
    }

    fn receive(&mut self, frame: &Value) {
        let ok = |response: Value| json!({"status": "ok", "response": response});
        if frame[2] == "phoenix" {
            if !self.good && self.below(3) == 0 {
                return;
            }
            return self.say(json!([null, frame[1], "phoenix", "phx_reply", ok(json!({}))]));
        }
        if frame[3] == "phx_join" {
            if !self.good && self.below(8) == 0 {
                let no = json!({"status": "error", "response": {"reason": "no"}});
                return self.say(json!([frame[0], frame[1], frame[2], "phx_reply", no]));
            }
            self.join_ref = Some(frame[0].clone());
            let resume = self.agent.knows.then(|| json!({"boot": "b", "ack": self.agent.ack}));
            let in_flight = [1, 2, 8, 32][self.below(4) as usize];
            let terms = json!({"resume": resume, "limits": {"inflight": in_flight, "frame": 4096}});
            self.agent.knows = true;
            return self.say(json!([frame[0], frame[1], frame[2], "phx_reply", ok(terms)]));
        }
        if self.join_ref.as_ref() != Some(&frame[0]) || frame[3] == "phx_leave" {
            return;
        }
        let reply = |world: &mut Self, response: Value| {
            world.say(json!([frame[0], frame[1], frame[2], "phx_reply", response]));
        };
        match if self.good { 9 } else { self.below(12) } {
            0 => {} // not even looked at
            1 => reply(self, json!({"status": "error", "response": {"code": "retry", "after_ms": 700}})),
            2 | 5 if frame[3] == "band.tap" => reply(self, json!({"status": "error", "response": {"reason": "no"}})),
            3 => self.take(frame), // and the answer is lost
            4 => {
                self.take(frame);
                let ack = self.agent.ack;
                reply(self, ok(json!({"ack": ack})));
            }
            _ => {
                self.take(frame);
                reply(self, ok(json!({})));
            }
        }
    }

    fn take(&mut self, frame: &Value) {
        let (event, payload) = (frame[3].as_str().unwrap(), &frame[4]);
        let seq = payload["seq"].as_u64().unwrap();
        let agent = &mut self.agent;
        let mut believe = |band: &Value, present: Option<bool>, near: Option<bool>| {
            let belief = agent.bands.entry(band["addr"].as_str().unwrap().to_owned()).or_default();
            if let Some(present) = present.filter(|_| seq > belief.present.0) {
                belief.present = (seq, present);
            }
            if let Some(near) = near.filter(|_| seq > belief.near.0) {
                belief.near = (seq, near);
            }
        };
        match event {
            "band.presence" => {
                let absent = payload["after"] == "absent";
                believe(&payload["band"], Some(!absent), absent.then_some(false));
            }
            "band.trend" => believe(&payload["band"], None, Some(payload["after"] != "away")),
            "snapshot" => {
                for state in payload["bands"].as_array().unwrap() {
                    believe(&state["band"], Some(state["presence"] == "present"), Some(state["side"] == "near"));
                }
                agent.ack = agent.ack.max(payload["as_of"].as_u64().unwrap());
            }
            _ => {}
        }
        agent.seen.insert(seq);
        while agent.seen.contains(&(agent.ack + 1)) {
            agent.ack += 1;
        }
        if payload["kind"] == "snapshot" {
            // It begins anew, on this join or, if the wish is lost, on the next.
            agent.knows = false;
            self.say(json!([null, null, "endpoint:e", "snapshot.get", {"req": format!("after {seq}")}]));
        }
    }

    fn agent_fails(&mut self) {
        if self.line != Line::Up {
            return;
        }
        match self.below(7) {
            0 => self.hang_up(SocketInput::Closed { code: Some(1000), reason: "" }),
            1 => self.hang_up(SocketInput::Closed { code: None, reason: "" }),
            2 => {
                self.agent = Memory::default();
                self.hang_up(SocketInput::Closed { code: Some(1012), reason: "" });
            }
            3 => {
                let join_ref = self.join_ref.take();
                self.say(json!([join_ref, join_ref, "endpoint:e", "phx_error", {}]));
            }
            4 => {
                self.join_ref = None;
                let no = json!({"status": "error", "response": {"reason": "unmatched topic"}});
                self.say(json!([null, "4", "endpoint:e", "phx_reply", no]));
            }
            5 => self.say(json!([null, null, "endpoint:e", "snapshot.get", {"req": self.now.as_micros().to_string()}])),
            _ => self.say(json!(["0", "1", "endpoint:e", "phx_close", {}])),
        }
    }

    fn hang_up(&mut self, input: SocketInput<'_>) {
        self.hung_up();
        self.link.handle_socket(self.now, input);
    }

    fn hung_up(&mut self) {
        self.line = Line::Down;
        self.up.clear();
        self.down.clear();
        self.join_ref = None;
    }

    /// Says something that arrives at once or a little later, and in order.
    fn say(&mut self, frame: Value) {
        let delay = if self.good { 0 } else { [0, 0, 200, 3_000][self.below(4) as usize] };
        let due = self.now + Duration::from_millis(delay);
        let due = self.down.back().map_or(due, |(last, _)| due.max(*last));
        self.down.push_back((due, frame));
    }

    fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        let mut at_once = 0;
        while let Some(due) = self.link.poll_timeout().filter(|due| *due <= end) {
            at_once = if due > self.now { 0 } else { at_once + 1 };
            assert!(at_once < 100, "seed {}: a timer runs for ever: {:?}", self.seed, self.link);
            self.now = self.now.max(due);
            self.link.handle_timeout(self.now);
            self.drain();
            if self.good {
                self.agent_works();
            }
        }
        self.now = end;
    }

    fn drain(&mut self) {
        while let Some(output) = self.link.poll_output() {
            match output {
                Output::Connect => self.line = Line::Wanted,
                Output::Close { .. } => self.hung_up(),
                Output::NeedSnapshot => {
                    let mut state = snapshot(self.now, BANDS);
                    for (band, truth) in state.bands.iter_mut().zip(&self.truth) {
                        (band.presence, band.side, band.auth) = (truth.presence, truth.side, Auth::Unknown);
                    }
                    self.link.handle_snapshot(self.now, state);
                }
                Output::Send(text) => {
                    let frame: Value = serde_json::from_str(&text).unwrap();
                    self.check_frame(&frame);
                    self.up.push_back(frame);
                }
                _ => {}
            }
        }
    }

    fn check_frame(&mut self, frame: &Value) {
        let (seed, payload) = (self.seed, &frame[4]);
        let Some(seq) = payload["seq"].as_u64() else { return };
        assert!(frame.to_string().len() <= self.longest, "seed {seed}");
        let first = payload["re"] == 0 && frame[3] != "fact.dropped";
        assert_eq!(first, seq > self.newest, "seed {seed}: {frame}");
        if first {
            assert_eq!(seq, self.newest + 1, "seed {seed}: seqs are dense");
            self.newest = seq;
        }
        let age = payload["sent"].as_u64().unwrap() - payload["t"].as_u64().unwrap();
        let ttl = u64::try_from(limits::TAP_TTL.as_micros()).unwrap();
        if first && frame[3] == "band.tap" {
            assert!(age < ttl, "seed {seed}: a tap of {age} µs was written for the first time");
        }
        assert!(frame[3] != "band.tap.expired" || age >= ttl, "seed {seed}: a live tap was called expired");
    }

    fn check_books(&self) {
        let (seed, counters, status) = (self.seed, self.link.counters(), self.link.status());
        let gone = counters.facts_acked
            + counters.facts_merged
            + counters.facts_cancelled
            + counters.facts_folded
            + counters.facts_dropped
            + counters.facts_refused;
        // Some of what is in flight (snapshots, what stands for a refused fact) was never handed in.
        let waiting = u64::try_from(status.queued + status.in_flight).unwrap();
        assert!(gone <= counters.facts_accepted, "seed {seed}: {counters:?}");
        assert!(gone + waiting >= counters.facts_accepted, "seed {seed}: {counters:?} {status:?}");
    }

    fn check_end(&self) {
        let (seed, status) = (self.seed, self.link.status());
        assert_eq!((status.queued, status.in_flight), (0, 0), "seed {seed}: {status:?}");
        for (n, truth) in self.truth.iter().enumerate() {
            let belief = self.agent.bands.get(&format!("5c:f3:70:8a:11:{n:02x}")).copied().unwrap_or_default();
            let believed = (belief.present.1, belief.near.1);
            let real = (truth.presence == Presence::Present, truth.side == Side::Near);
            assert_eq!(believed, real, "seed {seed}: band {n} after {:?}", self.link.counters());
        }
    }
}

#[test]
fn nothing_is_lost_uncounted_and_the_agent_ends_up_knowing() {
    let mut sums = BTreeMap::<&str, u64>::new();
    for seed in 0..SEEDS {
        let mut world = World::new(seed);
        world.drain();
        for _ in 0..STEPS {
            world.step();
            world.check_books();
        }
        world.good = true;
        for _ in 0..300 {
            world.agent_works();
            world.pass(Duration::from_secs(1));
        }
        world.check_books();
        world.check_end();
        for (name, count) in world.link.counters().named() {
            *sums.entry(name).or_default() += count;
        }
    }
    // A schedule that never gets to something proves nothing about it.
    for name in ["facts_acked", "facts_resent", "facts_merged", "facts_cancelled", "facts_folded", "facts_dropped"]
        .into_iter()
        .chain(["facts_refused", "taps_expired", "ack_timeouts", "snapshots", "joins"])
    {
        assert!(sums[name] > 0, "{name} came up {} times in {SEEDS} seeds: {sums:?}", sums[name]);
    }
}

/// Frames of an agent that mean something, to be damaged.
const MEANINGFUL: &[&str] = &[
    r#"["1","1","endpoint:e","phx_reply",{"status":"ok","response":{"resume":{"boot":"b","ack":0},"roster_rev":4}}]"#,
    r#"["1","5","endpoint:e","phx_reply",{"status":"error","response":{"code":"retry","after_ms":5}}]"#,
    r#"["1",null,"endpoint:e","roster.set",{"req":"1","rev":7,"bands":[{"id":"a","addr":"5c:f3:70:8a:11:02"}]}]"#,
    r#"["1",null,"endpoint:e","roster.patch",{"req":"2","rev":8,"base_rev":7,"bands":[{"id":"a","removed":true}]}]"#,
    r#"[null,null,"endpoint:e","telemetry.set",{"req":"3","rssi_hz":2,"for_ms":18446744073709551615}]"#,
    r#"["1",null,"endpoint:e","cmd",{"req":"4","verb":"adapter.reset","deadline_ms":18446744073709551615}]"#,
    r#"["1",null,"endpoint:e","user.signed_in",{"req":"5","band":{"id":"a"}}]"#,
    r#"["1",null,"endpoint:e","user.active",{"band":{"id":"a"},"age_ms":18446744073709551615}]"#,
    r#"["1","1","endpoint:e","phx_error",{}]"#,
    "\u{1}\u{1}\u{1}\u{b}\u{2}15endpoint:eok",
];

#[test]
fn no_damage_to_a_frame_does_more_than_be_counted() {
    for seed in 0..20 {
        let mut world = World::new(seed);
        // Its joins say nothing of it.
        world.longest = limits::FRAME;
        world.drain();
        for _ in 0..2_000 {
            if world.line == Line::Wanted {
                world.line = Line::Up;
                world.link.handle_socket(world.now, SocketInput::Opened);
                let join = MEANINGFUL[0];
                world.link.handle_socket(world.now, SocketInput::Text(join));
            }
            let frame = MEANINGFUL[world.below(10) as usize];
            let mut bytes = frame.as_bytes().to_vec();
            for _ in 0..world.below(4) {
                let place = world.below(u32::try_from(bytes.len()).unwrap()) as usize;
                match world.below(3) {
                    0 => bytes[place] = world.random.next_u32().to_le_bytes()[0],
                    1 => bytes.truncate(place + 1),
                    _ => bytes.insert(place, b"[]{}\"0,:-e\\"[world.random.next_u32() as usize % 11]),
                }
            }
            let input = match std::str::from_utf8(&bytes) {
                Ok(text) if frame.starts_with('[') => SocketInput::Text(text),
                _ => SocketInput::Binary(&bytes),
            };
            world.link.handle_socket(world.now, input);
            world.something_happens();
            world.pass(Duration::from_millis(50));
        }
        assert!(world.link.counters().frames_ignored > 100, "seed {seed}");
        world.good = true;
        for _ in 0..300 {
            world.agent_works();
            world.pass(Duration::from_secs(1));
        }
        world.check_end();
    }
}
