//! Phoenix as a server speaks it: sockets, topics, joins, replies.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use super::Now;
use super::endpoint::Endpoint;
use super::ledger::Ledgers;
use super::received::Received;
use super::roster::Roster;
use crate::phoenix::{self, Frame, HEARTBEAT_TOPIC, Payload};
use crate::time::Time;

/// The topic on which every event of every endpoint can be watched, and commands given.
pub const WATCH_TOPIC: &str = "events";

/// What the topic of a daemon begins with; its id follows.
const ENDPOINT_PREFIX: &str = "endpoint:";

/// The longest topic or ref, in bytes: that of Phoenix's binary serializer.
const MAX_NAME: usize = 255;

/// The most channels of one socket, as in Phoenix 1.8.
const MAX_CHANNELS: usize = 100;

/// A socket from which nothing came for so long is closed, as Phoenix does by default.
const IDLE: Duration = Duration::from_secs(60);

/// One websocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Connection(pub u64);

/// What the shell is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a text message.
    Send {
        /// To whom.
        to: Connection,
        /// One Phoenix frame.
        text: String,
    },
    /// Close a socket, which the agent has forgotten already.
    Close {
        /// Which.
        to: Connection,
        /// The websocket close code.
        code: u16,
        /// A few words for a log.
        reason: &'static str,
    },
}

/// The agent as a plain value: messages in, messages and events out.
#[derive(Debug)]
pub struct Agent {
    /// Tells this run's names from those of earlier ones, whose results daemons still remember.
    run: u64,
    named: u64,
    roster: Option<Roster>,
    peers: BTreeMap<Connection, Peer>,
    ledgers: Ledgers,
    outputs: VecDeque<Output>,
    received: VecDeque<Received>,
}

#[derive(Debug)]
struct Peer {
    heard: Time,
    channels: BTreeMap<String, Channel>,
}

#[derive(Debug)]
struct Channel {
    join_ref: Option<String>,
    role: Role,
}

#[derive(Debug)]
enum Role {
    Endpoint(Endpoint),
    Watcher,
}

impl Agent {
    /// An agent that began at `now`, and sends `roster` to every endpoint that has another.
    pub fn new(now: Now, roster: Option<Roster>) -> Self {
        Self {
            run: now.unix_ms,
            named: 0,
            roster,
            peers: BTreeMap::new(),
            ledgers: Ledgers::default(),
            outputs: VecDeque::new(),
            received: VecDeque::new(),
        }
    }

    /// Takes a new socket.
    pub fn handle_open(&mut self, now: Now, from: Connection) {
        self.peers.insert(from, Peer { heard: now.at, channels: BTreeMap::new() });
    }

    /// Takes a sign of life without content, such as a websocket ping.
    pub fn handle_alive(&mut self, now: Now, from: Connection) {
        if let Some(peer) = self.peers.get_mut(&from) {
            peer.heard = now.at;
        }
    }

    /// Takes one text message.
    pub fn handle_text(&mut self, now: Now, from: Connection, text: &str) {
        if !self.peers.contains_key(&from) {
            return;
        }
        self.handle_alive(now, from);
        let Ok(frame) = Frame::parse(text) else {
            return self.close(from, 1011, "not a Phoenix V2 frame");
        };
        if [&frame.join_ref, &frame.reference].into_iter().flatten().any(|name| name.len() > MAX_NAME) {
            return self.close(from, 1011, "a ref longer than 255 bytes");
        }
        let Payload::Json(payload) = frame.payload else {
            return self.close(from, 1011, "not JSON");
        };
        let Ok(payload) = serde_json::from_str::<Value>(payload.get()) else {
            return self.close(from, 1011, "a payload nested too deeply");
        };
        let push = Push {
            from,
            join_ref: frame.join_ref.as_deref(),
            reference: frame.reference.as_deref(),
            topic: &frame.topic,
        };
        match (&*frame.topic, &*frame.event) {
            (HEARTBEAT_TOPIC, phoenix::event::HEARTBEAT) => self.reply(push.unbound(), "ok", &json!({})),
            (_, phoenix::event::JOIN) => self.join(now, push, &payload),
            (_, phoenix::event::LEAVE) => self.leave(push),
            (_, event) => self.event(now, push, event, payload),
        }
    }

    /// Takes one binary message. Phoenix has them, this protocol does not.
    pub fn handle_binary(&mut self, from: Connection) {
        self.close(from, 1011, "binary frames are not spoken here");
    }

    /// Takes the end of a socket.
    pub fn handle_closed(&mut self, from: Connection) {
        for channel in self.peers.remove(&from).into_iter().flat_map(|peer| peer.channels.into_values()) {
            channel.log_end();
        }
    }

    /// Closes sockets that have been silent for too long; call it when `poll_timeout` is due.
    pub fn handle_timeout(&mut self, now: Now) {
        let silent: Vec<_> =
            self.peers.iter().filter(|(_, peer)| peer.heard + IDLE <= now.at).map(|(&to, _)| to).collect();
        for to in silent {
            self.close(to, 1000, "nothing came for 60 s");
        }
    }

    /// The next moment at which a socket has been silent for too long.
    pub fn poll_timeout(&self) -> Option<Time> {
        self.peers.values().map(|peer| peer.heard + IDLE).min()
    }

    /// Drains the events, oldest first. To be taken before the outputs: an ack says that its event was taken.
    pub fn poll_received(&mut self) -> Option<Received> {
        self.received.pop_front()
    }

    /// Drains what is to be sent, oldest first.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn join(&mut self, now: Now, push: Push<'_>, params: &Value) {
        let Some(topic) = Topic::parse(push.topic) else {
            return self.unmatched(push);
        };
        let req = self.name();
        let Some(peer) = self.peers.get_mut(&push.from) else { return };
        let old = peer.channels.remove(push.topic);
        if peer.channels.len() >= MAX_CHANNELS {
            return self.reply(push, "error", &json!({"reason": "too many channels joined"}));
        }
        let (role, response, commands) = match topic {
            Topic::Watch => (Role::Watcher, json!({"proto": 1, "endpoints": self.endpoints()}), Vec::new()),
            Topic::Endpoint(id) => {
                let predecessor = old.as_ref().and_then(|channel| match &channel.role {
                    Role::Endpoint(endpoint) => Some(endpoint),
                    Role::Watcher => None,
                });
                let roster = self.roster.as_ref();
                let (endpoint, response, commands) =
                    Endpoint::join(now, id, params, predecessor, roster, &req, &mut self.ledgers);
                tracing::info!(
                    endpoint = %id.escape_debug(),
                    agent = %params["agent"].as_str().unwrap_or_default().escape_debug(),
                    host = %params["host"].as_str().unwrap_or_default().escape_debug(),
                    resumed = !response["resume"].is_null(),
                    "an endpoint joined"
                );
                (Role::Endpoint(endpoint), response, commands)
            }
        };
        if let Some(peer) = self.peers.get_mut(&push.from) {
            let join_ref = push.join_ref.map(str::to_owned);
            peer.channels.insert(push.topic.to_owned(), Channel { join_ref, role });
        }
        self.reply(push, "ok", &response);
        if let Some(old) = old {
            self.closed(push.from, old.join_ref.as_deref(), push.topic);
        }
        for (event, payload) in commands {
            self.send(push.from, push.join_ref, None, push.topic, event, &payload);
        }
        if matches!(topic, Topic::Endpoint(_)) {
            self.supersede(push.from, push.topic);
        }
    }

    /// Two sockets with one endpoint id: the newer stays.
    fn supersede(&mut self, newest: Connection, topic: &str) {
        let older = self.peers.iter_mut().filter(|&(&to, _)| to != newest);
        let older: Vec<_> = older.filter_map(|(&to, peer)| Some((to, peer.channels.remove(topic)?))).collect();
        for (to, channel) in older {
            tracing::warn!(topic = %topic.escape_debug(), "an older socket of the same endpoint is superseded");
            self.send(to, channel.join_ref.as_deref(), None, topic, "superseded", &json!({}));
            self.closed(to, channel.join_ref.as_deref(), topic);
        }
    }

    fn leave(&mut self, push: Push<'_>) {
        let Some(peer) = self.peers.get_mut(&push.from) else { return };
        let Some(channel) = peer.channels.get(push.topic) else {
            return self.reply(push, "ok", &json!({}));
        };
        if !channel.is_meant_by(push.join_ref) {
            return;
        }
        let join_ref = channel.join_ref.clone();
        channel.log_end();
        peer.channels.remove(push.topic);
        self.reply(push, "ok", &json!({}));
        self.closed(push.from, join_ref.as_deref(), push.topic);
    }

    fn event(&mut self, now: Now, push: Push<'_>, event: &str, payload: Value) {
        let req = self.name();
        let Some(peer) = self.peers.get_mut(&push.from) else { return };
        let Some(channel) = peer.channels.get_mut(push.topic) else {
            return self.unmatched(push);
        };
        if !channel.is_meant_by(push.join_ref) {
            return;
        }
        let join_ref = channel.join_ref.clone();
        let push = Push { join_ref: join_ref.as_deref(), ..push };
        if !payload.is_object() {
            return self.reply(push, "error", &json!({"reason": "the payload must be an object"}));
        }
        let Role::Endpoint(endpoint) = &mut channel.role else {
            return self.command(push, event, payload, req);
        };
        let handled = endpoint.handle_event(now, event, payload, self.roster.as_ref(), &req, &mut self.ledgers);
        self.reply(push, "ok", &handled.reply);
        for (event, payload) in handled.commands {
            self.send(push.from, push.join_ref, None, push.topic, event, &payload);
        }
        if let Some(received) = handled.received {
            self.broadcast(&received);
            self.received.push_back(received);
        }
    }

    /// Hands a watcher's command to the endpoint that it names.
    fn command(&mut self, push: Push<'_>, event: &str, mut payload: Value, req: String) {
        let topic = payload["endpoint"].as_str().map(|id| format!("{ENDPOINT_PREFIX}{id}"));
        let channels = |peer: &Peer| Some(peer.channels.get(topic.as_deref()?)?.join_ref.clone());
        let Some((to, join_ref)) = self.peers.iter().find_map(|(&to, peer)| Some((to, channels(peer)?))) else {
            let response = json!({"reason": "no such endpoint", "endpoints": self.endpoints()});
            return self.reply(push, "error", &response);
        };
        if let Value::Object(fields) = &mut payload {
            fields.remove("endpoint");
            fields.entry("req").or_insert_with(|| req.into());
        }
        self.reply(push, "ok", &json!({"req": payload["req"]}));
        self.send(to, join_ref.as_deref(), None, topic.as_deref().unwrap_or_default(), event, &payload);
    }

    /// A name that no other run and nothing else in this one has.
    fn name(&mut self) -> String {
        self.named += 1;
        format!("{:x}-{}", self.run, self.named)
    }

    fn endpoints(&self) -> Vec<&str> {
        let channels = self.peers.values().flat_map(|peer| peer.channels.values());
        let mut ids: Vec<_> = channels
            .filter_map(|channel| match &channel.role {
                Role::Endpoint(endpoint) => Some(endpoint.id.as_str()),
                Role::Watcher => None,
            })
            .collect();
        ids.sort_unstable();
        ids
    }

    fn broadcast(&mut self, received: &Received) {
        let watches = |peer: &Peer| peer.channels.contains_key(WATCH_TOPIC);
        let watchers: Vec<_> = self.peers.iter().filter(|(_, peer)| watches(peer)).map(|(&to, _)| to).collect();
        for to in watchers {
            self.send(to, None, None, WATCH_TOPIC, &received.event, received);
        }
    }

    fn unmatched(&mut self, push: Push<'_>) {
        self.reply(push.unbound(), "error", &json!({"reason": "unmatched topic"}));
    }

    fn reply(&mut self, push: Push<'_>, status: &str, response: &Value) {
        let payload = json!({"status": status, "response": response});
        self.send(push.from, push.join_ref, push.reference, push.topic, phoenix::event::REPLY, &payload);
    }

    fn closed(&mut self, to: Connection, join_ref: Option<&str>, topic: &str) {
        self.send(to, join_ref, join_ref, topic, phoenix::event::CLOSE, &json!({}));
    }

    fn send(
        &mut self,
        to: Connection,
        join_ref: Option<&str>,
        reference: Option<&str>,
        topic: &str,
        event: &str,
        payload: &impl Serialize,
    ) {
        let text = phoenix::write(join_ref, reference, topic, event, payload);
        self.outputs.push_back(Output::Send { to, text });
    }

    fn close(&mut self, to: Connection, code: u16, reason: &'static str) {
        self.handle_closed(to);
        self.outputs.push_back(Output::Close { to, code, reason });
    }
}

impl Channel {
    /// A stale join_ref means an earlier join; since Phoenix 1.8.3 it is dropped without an answer.
    fn is_meant_by(&self, join_ref: Option<&str>) -> bool {
        join_ref.is_none_or(|join_ref| self.join_ref.as_deref() == Some(join_ref))
    }

    fn log_end(&self) {
        if let Role::Endpoint(endpoint) = &self.role {
            tracing::info!(endpoint = %endpoint.id.escape_debug(), "the endpoint is gone");
        }
    }
}

/// Whose message is being answered, and as what.
#[derive(Clone, Copy)]
struct Push<'a> {
    from: Connection,
    join_ref: Option<&'a str>,
    reference: Option<&'a str>,
    topic: &'a str,
}

impl Push<'_> {
    /// The same without a channel.
    fn unbound(self) -> Self {
        Self { join_ref: None, ..self }
    }
}

#[derive(Clone, Copy)]
enum Topic<'a> {
    Endpoint(&'a str),
    Watch,
}

impl<'a> Topic<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        match text.strip_prefix(ENDPOINT_PREFIX) {
            Some(id) if !id.is_empty() && text.len() <= MAX_NAME => Some(Self::Endpoint(id)),
            _ => (text == WATCH_TOPIC).then_some(Self::Watch),
        }
    }
}

#[cfg(test)]
mod tests;
