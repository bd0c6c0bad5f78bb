//! A link on a bench: time is stepped, the agent is played by the test.

use std::time::Duration;

use serde_json::{Value, json};

use super::samples::snapshot;
use super::{Identity, Link, Note, Output, SocketInput};
use crate::event::Fact;
use crate::time::Time;

/// The link under test and everything it said.
pub(super) struct Bench {
    pub(super) link: Link,
    pub(super) now: Time,
    /// Frames written to the socket at hand and not looked at yet.
    pub(super) frames: Vec<Value>,
    pub(super) notes: Vec<Note>,
    /// All other outputs, snapshots excepted: those are answered at once.
    pub(super) outputs: Vec<Output>,
    /// Bands in each snapshot.
    pub(super) bands: usize,
}

impl Bench {
    pub(super) fn new(seed: u64) -> Self {
        let identity = Identity {
            endpoint_id: "e".to_owned(),
            boot: "boot".to_owned(),
            host: "h".to_owned(),
            addrs: Vec::new(),
            os: "linux".to_owned(),
            version: "0".to_owned(),
            token: None,
        };
        let link = Link::new(identity, seed, Time::ZERO);
        let mut bench =
            Self { link, now: Time::ZERO, frames: Vec::new(), notes: Vec::new(), outputs: Vec::new(), bands: 0 };
        bench.drain();
        bench
    }

    /// A bench whose link is joined with this reply.
    pub(super) fn joined(reply: &Value) -> Self {
        let mut bench = Self::new(1);
        bench.connect(reply);
        bench
    }

    /// Waits for the link to connect, and joins it with this reply; says its join's params.
    pub(super) fn connect(&mut self, reply: &Value) -> Value {
        self.await_connect();
        self.socket(SocketInput::Opened);
        self.accept(reply)
    }

    /// Answers the join that was just written; says its params.
    pub(super) fn accept(&mut self, reply: &Value) -> Value {
        let join = self.frame("phx_join");
        assert_eq!(join[0], join[1], "a join's ref is its join_ref: {join}");
        self.reply(&join, "ok", reply);
        join[4].clone()
    }

    /// Steps until the link wants a connection.
    pub(super) fn await_connect(&mut self) {
        for _ in 0..100 {
            if let Some(place) = self.outputs.iter().position(|output| *output == Output::Connect) {
                self.outputs.remove(place);
                self.frames.clear();
                return;
            }
            self.step();
        }
        panic!("the link never connects: {:?}", self.link.status());
    }

    pub(super) fn socket(&mut self, input: SocketInput<'_>) {
        self.link.handle_socket(self.now, input);
        self.drain();
    }

    pub(super) fn text(&mut self, frame: &Value) {
        self.socket(SocketInput::Text(&frame.to_string()));
    }

    pub(super) fn reply(&mut self, to: &Value, status: &str, response: &Value) {
        self.text(&json!([to[0], to[1], to[2], "phx_reply", {"status": status, "response": response}]));
    }

    /// Pushes as the agent, on the join in force.
    pub(super) fn push(&mut self, event: &str, payload: &Value) {
        self.text(&json!([null, null, "endpoint:e", event, payload]));
    }

    pub(super) fn fact(&mut self, fact: Fact) {
        self.link.handle_fact(self.now, fact);
        self.drain();
    }

    /// Lets time pass, timers running as they are due.
    pub(super) fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(due) = self.link.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.link.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
        self.drain();
    }

    /// Lets time pass until the next timer is due.
    pub(super) fn step(&mut self) {
        let due = self.link.poll_timeout().expect("something is due");
        self.now = self.now.max(due);
        self.link.handle_timeout(self.now);
        self.drain();
    }

    /// Takes the oldest frame of this event, and all before it.
    pub(super) fn frame(&mut self, event: &str) -> Value {
        let place = self.frames.iter().position(|frame| frame[3] == event);
        let place = place.unwrap_or_else(|| panic!("no {event} in {:?}", self.frames));
        self.frames.drain(..=place).next_back().unwrap()
    }

    /// Takes all frames; says their events and seqs.
    pub(super) fn events(&mut self) -> Vec<(String, Option<u64>)> {
        let events = self.frames.drain(..);
        events.map(|frame| (frame[3].as_str().unwrap().to_owned(), frame[4]["seq"].as_u64())).collect()
    }

    pub(super) fn closed(&mut self) -> bool {
        let place = self.outputs.iter().position(|output| matches!(output, Output::Close { .. }));
        place.map(|place| self.outputs.remove(place)).is_some()
    }

    fn drain(&mut self) {
        while let Some(output) = self.link.poll_output() {
            match output {
                Output::Send(text) => self.frames.push(serde_json::from_str(&text).unwrap()),
                Output::Note(note) => self.notes.push(note),
                Output::NeedSnapshot => self.link.handle_snapshot(self.now, snapshot(self.now, self.bands)),
                output => self.outputs.push(output),
            }
        }
    }
}

/// The answer of an agent that has everything of this boot up to `ack`.
pub(super) fn resume(ack: u64) -> Value {
    json!({"resume": {"boot": "boot", "ack": ack}})
}
