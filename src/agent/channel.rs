//! The Phoenix channel as a client sees it: connect, join, heartbeat, rejoin, back off.
//!
//! It knows no payloads but those of Phoenix itself; what to say in a join is the link's business.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::time::Duration;

use serde_json::Value;
use serde_json::value::RawValue;

use super::backoff::Backoff;
use super::limits;
use super::note::clip;
use crate::phoenix::{self, Frame, HEARTBEAT_TOPIC, Payload, event};
use crate::time::Time;

/// Close code 1000: nothing is wrong, or nobody is there to be told what is.
const NORMAL: u16 = 1000;

/// One channel on one socket at a time.
#[derive(Debug)]
pub(super) struct Channel {
    topic: String,
    state: State,
    reconnect: Backoff,
    rejoin: Backoff,
    refused: Backoff,
    actions: VecDeque<Action>,
}

#[derive(Debug)]
enum State {
    Waiting { until: Time },
    Connecting,
    Open(Open),
    Stopped,
}

/// What is known of the socket at hand.
#[derive(Debug)]
struct Open {
    /// The last ref given; refs are never used twice on a socket.
    last_ref: u64,
    join: Join,
    unanswered_joins: u32,
    next_heartbeat: Time,
    heartbeat: Option<Heartbeat>,
}

/// A heartbeat that is not answered yet.
#[derive(Clone, Copy, Debug)]
struct Heartbeat {
    reference: u64,
    due: Time,
}

#[derive(Clone, Copy, Debug)]
enum Join {
    Waiting { until: Time },
    Pending { reference: u64, due: Time },
    Joined { reference: u64, since: Time },
}

/// What the link is to do for the channel.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Have a socket opened.
    Connect,
    /// Send a join under this ref.
    Join(u64),
    /// Send this text.
    Send(String),
    /// Close the socket.
    Close(u16),
}

/// What a frame, or the lack of one, meant.
#[derive(Debug)]
pub(super) enum Received<'a> {
    /// The join was accepted.
    Joined(Option<&'a RawValue>),
    /// The join was refused; it is tried again.
    JoinRefused(String),
    /// The channel is gone on a socket that lives; it is joined again.
    Gone(String),
    /// A push of ours was answered.
    Reply(u64, Answer<'a>),
    /// The server has something to say.
    Push(Cow<'a, str>, Payload<'a>),
    /// An answer to a heartbeat or to telemetry; nothing to do.
    Nothing,
    /// Of an earlier join, of another topic, or out of place.
    Ignored,
    /// A reply that cannot be read.
    Nonsense,
}

/// What became due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overdue {
    /// A heartbeat was not answered; the socket is dropped.
    Heartbeat,
    /// A join was not answered; it is tried again.
    Join,
    /// Joins were not answered for so long that the socket is dropped.
    Socket,
}

/// The answer to a push: what the handler said with its "ok", if it said something in JSON; or its no.
pub(super) type Answer<'a> = Result<Option<&'a RawValue>, Refusal>;

/// What a handler says besides "no"; every part may be missing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// To be asked again, and when.
    pub(super) retry: Option<Duration>,
    /// In the server's words.
    pub(super) reason: String,
}

impl Channel {
    /// A channel that wants to be connected at once.
    pub(super) fn new(topic: String, seed: u64) -> Self {
        Self {
            topic,
            state: State::Connecting,
            // Any three different streams of one seed.
            reconnect: Backoff::reconnect(seed),
            rejoin: Backoff::rejoin(seed.wrapping_add(1)),
            refused: Backoff::refused(seed.wrapping_add(2)),
            actions: VecDeque::from([Action::Connect]),
        }
    }

    pub(super) fn topic(&self) -> &str {
        &self.topic
    }

    /// The ref of the join in force.
    pub(super) fn joined(&self) -> Option<(u64, Time)> {
        match &self.state {
            State::Open(Open { join: Join::Joined { reference, since }, .. }) => Some((*reference, *since)),
            _ => None,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    pub(super) fn is_connecting(&self) -> bool {
        matches!(self.state, State::Connecting)
    }

    /// A ref for a push; only while a socket is open.
    pub(super) fn next_ref(&mut self) -> u64 {
        match &mut self.state {
            State::Open(open) => open.next_ref(),
            _ => 0,
        }
    }

    /// The socket is open: join at once. False if none was asked for.
    pub(super) fn handle_opened(&mut self, now: Time) -> bool {
        if !self.is_connecting() {
            return false;
        }
        self.refused.reset();
        self.state = State::Open(Open {
            last_ref: 0,
            join: Join::Waiting { until: now },
            unanswered_joins: 0,
            next_heartbeat: now + limits::HEARTBEAT_EVERY,
            heartbeat: None,
        });
        self.handle_timeout(now);
        true
    }

    /// The socket ended or never came about; every reason leads to another try. False if there was none.
    pub(super) fn handle_lost(&mut self, now: Time) -> bool {
        if !matches!(self.state, State::Connecting | State::Open(_)) {
            return false;
        }
        self.forgive(now);
        self.state = State::Waiting { until: now + self.reconnect.next() };
        true
    }

    /// The upgrade was answered with a no; says how long it stays at that.
    pub(super) fn handle_refused(&mut self, now: Time) -> Option<Duration> {
        if !self.is_connecting() {
            return None;
        }
        let wait = self.refused.next();
        self.state = State::Waiting { until: now + wait };
        Some(wait)
    }

    /// Gives the socket up and tries anew: after the back-off, or after a wait of its own. False if there was none.
    pub(super) fn drop_socket(&mut self, now: Time, wait: Option<Duration>) -> bool {
        let dropped = self.handle_lost(now);
        if dropped {
            self.actions.push_back(Action::Close(NORMAL));
            if let Some(wait) = wait {
                self.state = State::Waiting { until: now + wait };
            }
        }
        dropped
    }

    /// Goes over to another topic, at another place perhaps, at once.
    pub(super) fn move_to(&mut self, now: Time, topic: String) {
        self.topic = topic;
        self.drop_socket(now, None);
        if let State::Waiting { until } = &mut self.state {
            *until = now;
        }
    }

    /// Leaves and closes for good.
    pub(super) fn stop(&mut self) {
        if let Some((reference, _)) = self.joined() {
            self.leave(reference);
        }
        if matches!(self.state, State::Connecting | State::Open(_)) {
            self.actions.push_back(Action::Close(NORMAL));
        }
        self.state = State::Stopped;
    }

    /// Does what is due.
    pub(super) fn handle_timeout(&mut self, now: Time) -> Option<Overdue> {
        match &mut self.state {
            State::Waiting { until } if *until <= now => {
                self.state = State::Connecting;
                self.actions.push_back(Action::Connect);
                None
            }
            State::Open(open) => match open.join {
                Join::Pending { reference, due } if due <= now => Some(self.handle_join_unanswered(now, reference)),
                // The server answers nothing while it works on a join, heartbeats least of all.
                Join::Pending { .. } => None,
                Join::Waiting { until } if until <= now => {
                    let reference = open.next_ref();
                    open.join = Join::Pending { reference, due: now + limits::JOIN_REPLY };
                    self.actions.push_back(Action::Join(reference));
                    None
                }
                _ => self.handle_heartbeat(now),
            },
            _ => None,
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        match &self.state {
            State::Waiting { until } => Some(*until),
            State::Open(open) => {
                let heartbeat = open.heartbeat.map_or(open.next_heartbeat, |heartbeat| heartbeat.due);
                Some(match open.join {
                    Join::Pending { due, .. } => due,
                    Join::Waiting { until } => until.min(heartbeat),
                    Join::Joined { .. } => heartbeat,
                })
            }
            State::Connecting | State::Stopped => None,
        }
    }

    pub(super) fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Takes a frame.
    pub(super) fn handle_frame<'a>(&mut self, now: Time, frame: &Frame<'a>) -> Received<'a> {
        let State::Open(open) = &mut self.state else { return Received::Ignored };
        let reference = frame.reference.as_deref().and_then(|text| text.parse::<u64>().ok());
        if frame.topic == HEARTBEAT_TOPIC {
            open.heartbeat = open.heartbeat.filter(|heartbeat| Some(heartbeat.reference) != reference);
            return Received::Nothing;
        }
        let join_ref = match open.join {
            Join::Pending { reference, .. } | Join::Joined { reference, .. } => reference,
            Join::Waiting { .. } => return Received::Ignored,
        };
        // After a join in place of an earlier one, the earlier one's close still comes: it is not ours any more.
        let stale = frame.join_ref.as_deref().is_some_and(|text| text.parse() != Ok(join_ref));
        if frame.topic != self.topic || stale {
            return Received::Ignored;
        }
        match frame.event.as_ref() {
            event::REPLY => self.handle_reply(now, frame, reference),
            event::ERROR => self.handle_gone(now, "the channel crashed"),
            event::CLOSE => self.handle_gone(now, "the channel was closed"),
            _ if self.joined().is_some() => Received::Push(frame.event.clone(), frame.payload),
            _ => Received::Ignored,
        }
    }

    fn handle_reply<'a>(&mut self, now: Time, frame: &Frame<'a>, reference: Option<u64>) -> Received<'a> {
        let (status, response) = match frame.payload {
            Payload::BinaryReply { status, .. } => (Cow::Borrowed(status), None),
            Payload::Binary(_) => return Received::Nonsense,
            Payload::Json(_) => match frame.reply() {
                Some(reply) => (reply.status, reply.response),
                None => return Received::Nonsense,
            },
        };
        let answer = if status == "ok" { Ok(response) } else { Err(refusal(&status, response)) };
        let State::Open(open) = &mut self.state else { return Received::Ignored };
        match (open.join, reference) {
            (Join::Pending { reference: join_ref, .. }, Some(reference)) if reference == join_ref => {
                open.join_answered(now);
                match answer {
                    Ok(response) => {
                        open.join = Join::Joined { reference, since: now };
                        Received::Joined(response)
                    }
                    Err(Refusal { reason, .. }) => {
                        self.rejoin_later(now);
                        Received::JoinRefused(reason)
                    }
                }
            }
            // Whatever it answers, telemetry included: the server knows of no join.
            (Join::Joined { .. }, _) if frame.join_ref.is_none() => {
                let reason = answer.map_or_else(|refusal| refusal.reason, |_| "it knows of no join".to_owned());
                self.handle_gone(now, &reason)
            }
            (Join::Joined { .. }, _) if answer.as_ref().is_err_and(|refusal| refusal.reason == "unmatched topic") => {
                self.handle_gone(now, "unmatched topic")
            }
            (Join::Joined { .. }, Some(reference)) => Received::Reply(reference, answer),
            (Join::Joined { .. }, None) if frame.reference.is_none() => Received::Nothing,
            _ => Received::Ignored,
        }
    }

    fn handle_gone<'a>(&mut self, now: Time, reason: &str) -> Received<'a> {
        self.forgive(now);
        if let State::Open(open) = &mut self.state {
            open.join_answered(now);
        }
        self.rejoin_later(now);
        Received::Gone(reason.to_owned())
    }

    fn handle_join_unanswered(&mut self, now: Time, reference: u64) -> Overdue {
        self.leave(reference);
        let tries = match &mut self.state {
            State::Open(open) => {
                let tries = open.unanswered_joins + 1;
                open.join_answered(now);
                open.unanswered_joins = tries;
                tries
            }
            _ => 0,
        };
        if tries >= limits::JOIN_TRIES {
            self.drop_socket(now, None);
            return Overdue::Socket;
        }
        self.rejoin_later(now);
        Overdue::Join
    }

    fn handle_heartbeat(&mut self, now: Time) -> Option<Overdue> {
        let State::Open(open) = &mut self.state else { return None };
        match open.heartbeat {
            Some(heartbeat) if heartbeat.due <= now => {
                self.drop_socket(now, None);
                return Some(Overdue::Heartbeat);
            }
            None if open.next_heartbeat <= now => {
                let reference = open.next_ref();
                open.heartbeat = Some(Heartbeat { reference, due: now + limits::HEARTBEAT_REPLY });
                open.next_heartbeat = now + limits::HEARTBEAT_EVERY;
                let nothing = serde_json::Map::new();
                let text =
                    phoenix::write(None, Some(&reference.to_string()), HEARTBEAT_TOPIC, event::HEARTBEAT, &nothing);
                self.actions.push_back(Action::Send(text));
            }
            _ => {}
        }
        None
    }

    fn leave(&mut self, join_ref: u64) {
        let (join_ref, reference) = (join_ref.to_string(), self.next_ref().to_string());
        let nothing = serde_json::Map::new();
        let text = phoenix::write(Some(&join_ref), Some(&reference), &self.topic, event::LEAVE, &nothing);
        self.actions.push_back(Action::Send(text));
    }

    fn rejoin_later(&mut self, now: Time) {
        if let State::Open(open) = &mut self.state {
            open.join = Join::Waiting { until: now + self.rejoin.next() };
        }
    }

    /// Begins the back-offs anew where a join has stood for long enough.
    fn forgive(&mut self, now: Time) {
        if self.joined().is_some_and(|(_, since)| now.since(since) >= limits::STABLE) {
            self.reconnect.reset();
            self.rejoin.reset();
        }
    }
}

/// Reads an answer other than "ok".
fn refusal(status: &str, response: Option<&RawValue>) -> Refusal {
    let response: Value = response.and_then(|json| serde_json::from_str(json.get()).ok()).unwrap_or_default();
    let retry = (response["code"] == "retry").then(|| {
        let (least, most) = limits::RETRY_RANGE;
        response["after_ms"].as_u64().map_or(limits::RETRY_DEFAULT, Duration::from_millis).clamp(least, most)
    });
    let reason = match (&response["reason"], &response["code"]) {
        (Value::String(reason), _) => clip(reason),
        (_, Value::String(code)) => clip(code),
        _ => clip(&format!("status {status:?}")),
    };
    Refusal { retry, reason }
}

impl Open {
    fn next_ref(&mut self) -> u64 {
        self.last_ref += 1;
        self.last_ref
    }

    /// Ends the time in which heartbeats could not be answered.
    fn join_answered(&mut self, now: Time) {
        self.unanswered_joins = 0;
        if let Some(heartbeat) = &mut self.heartbeat {
            heartbeat.due = heartbeat.due.max(now + limits::HEARTBEAT_REPLY);
        }
    }
}

#[cfg(test)]
mod tests;
