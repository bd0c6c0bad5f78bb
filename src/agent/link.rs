//! The link to the agent as one plain value.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

use super::channel::{Action, Answer, Channel, Overdue, Received, Refusal};
use super::command::Command;
use super::directory::{self, Directory};
use super::interface::{Identity, Output, SocketInput};
use super::limits;
use super::note::{Note, Notes};
use super::outbox::Outbox;
use super::reply::{self, JoinReply};
use super::request::{self, Request};
use super::results::{Outcome, Results, Said};
use super::status::{Counters, Phase, Status};
use super::window::CRASHED;
use super::wire::{Joining, Wall, Writer};
use crate::event::{AdapterState, CommandError, EndpointPhase, Fact, Snapshot, Telemetry};
use crate::phoenix::{Frame, FrameError, Payload};
use crate::roster::Roster;
use crate::time::Time;

/// The link to the agent: joins, delivers, resumes; never waits.
///
/// The adapters and the roster that a join speaks of are learnt from the facts and commands that pass through.
#[derive(Debug)]
pub struct Link {
    identity: Identity,
    channel: Channel,
    /// The ref of the join in force, as text; every frame bears it.
    join_ref: String,
    outbox: Outbox,
    wall: Wall,
    /// By id.
    adapters: Vec<AdapterState>,
    directory: Directory,
    results: Results,
    /// What levels may be asked for at most, in Hz.
    rssi_hz: u32,
    /// Since when the socket has taken nothing of what waits.
    stuck: Option<Time>,
    /// So much waits that nothing more goes there.
    congested: bool,
    stopping: Stopping,
    notes: Notes,
    outputs: VecDeque<Output>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stopping {
    No,
    /// The last facts may be acknowledged until then.
    Until(Time),
    Done,
}

impl Link {
    /// A link that wants to connect at once; the seed decides its jitter.
    pub fn new(identity: Identity, seed: u64, now: Time) -> Self {
        let mut link = Self {
            channel: Channel::new(format!("endpoint:{}", identity.endpoint_id), seed),
            identity,
            join_ref: String::new(),
            outbox: Outbox::new(),
            wall: Wall::default(),
            adapters: Vec::new(),
            directory: Directory::default(),
            results: Results::default(),
            rssi_hz: limits::RSSI_HZ,
            stuck: None,
            congested: false,
            stopping: Stopping::No,
            notes: Notes::default(),
            outputs: VecDeque::new(),
        };
        link.advance(now);
        link
    }

    /// Queues a fact; it goes out at once when joined.
    pub fn handle_fact(&mut self, now: Time, fact: Fact) {
        match &fact {
            Fact::Adapter { state, .. } => self.learn_adapter(state),
            Fact::CommandResult { req, outcome, .. } => self.results.finish(req, outcome),
            _ => {}
        }
        self.outbox.push(fact);
        self.advance(now);
    }

    /// Sends telemetry if the agent listens and keeps up; otherwise it is counted and gone.
    pub fn handle_telemetry(&mut self, now: Time, telemetry: &Telemetry<'_>) {
        if self.outbox.is_joined() && !self.congested && self.stopping != Stopping::Done {
            let text = self.writer().telemetry(now, telemetry);
            self.outputs.push_back(Output::Send(text));
            self.outbox.counters.telemetry_sent += 1;
        } else {
            self.outbox.counters.telemetry_dropped += 1;
        }
    }

    /// Answers a command that was handed on and cannot be carried out, and says so.
    pub fn handle_refusal(&mut self, now: Time, event: &str, req: &Arc<str>, reason: String) {
        self.refuse(now, event, Some(req), reason);
        self.advance(now);
    }

    /// Takes what the socket says.
    pub fn handle_socket(&mut self, now: Time, input: SocketInput<'_>) {
        match input {
            SocketInput::Opened => {
                self.outbox.counters.connects += u64::from(self.channel.handle_opened(now));
            }
            SocketInput::Text(text) => self.handle_frame(now, Frame::parse(text)),
            SocketInput::Binary(bytes) => self.handle_frame(now, Frame::parse_binary(bytes)),
            SocketInput::Closed { code, reason } => {
                if self.channel.handle_lost(now) {
                    self.note(Note::lost_by_close(code, reason));
                }
            }
            SocketInput::Refused { status, error } => {
                if let Some(again_in) = self.channel.handle_refused(now) {
                    self.note(Note::Refused { status, error: error.to_owned(), again_in });
                }
            }
            SocketInput::Failed { error } => {
                let connecting = self.channel.is_connecting();
                if self.channel.handle_lost(now) {
                    let error = error.to_owned();
                    self.note(if connecting { Note::Unreachable { error } } else { Note::Lost { reason: error } });
                }
            }
            SocketInput::Waiting => self.stuck = Some(now),
            SocketInput::Congested { bytes } => {
                if !self.congested && self.channel.is_open() {
                    self.congested = true;
                    self.note(Note::Congested { bytes });
                }
            }
            SocketInput::Drained => (self.stuck, self.congested) = (None, false),
        }
        self.advance(now);
    }

    /// Takes the snapshot that [`Output::NeedSnapshot`] asked for.
    pub fn handle_snapshot(&mut self, now: Time, snapshot: Snapshot) {
        let writer = writer(&self.channel, &self.join_ref, &self.identity, self.wall);
        self.outbox.handle_snapshot(snapshot, |snapshot, limit| writer.split(snapshot, limit));
        self.advance(now);
    }

    /// Learns the wall clock: UTC in ms at [`Time::ZERO`], and whether something keeps it right.
    pub fn handle_wall(&mut self, offset_ms: i64, synced: bool) {
        self.wall = Wall { offset_ms, synced };
    }

    /// Learns the machine's addresses anew; the agent hears of them at the next join.
    pub fn handle_addrs(&mut self, addrs: Vec<IpAddr>) {
        self.identity.addrs = addrs;
    }

    /// Connects anew as somebody else or somewhere else, at once; what is queued stays, and so does the boot id.
    pub fn handle_identity(&mut self, now: Time, identity: Identity) {
        let boot = std::mem::take(&mut self.identity.boot);
        self.identity = Identity { boot, ..identity };
        self.channel.move_to(now, format!("endpoint:{}", self.identity.endpoint_id));
        self.advance(now);
    }

    /// Does what is due; call it when [`Link::poll_timeout`] has come.
    pub fn handle_timeout(&mut self, now: Time) {
        match self.channel.handle_timeout(now) {
            Some(Overdue::Heartbeat) => {
                self.outbox.counters.heartbeats_missed += 1;
                self.note(Note::Lost { reason: "a heartbeat was not answered".to_owned() });
            }
            Some(Overdue::Join) => self.note(Note::JoinFailed { reason: "no answer".to_owned() }),
            Some(Overdue::Socket) => self.note(Note::Lost { reason: "it does not answer joins".to_owned() }),
            None => {}
        }
        if !self.outbox.handle_timeout(now) {
            self.drop_socket(now, "it does not acknowledge facts");
        }
        if self.stuck.is_some_and(|since| since + limits::SOCKET_STUCK <= now) {
            self.drop_socket(now, "it does not read");
        }
        self.advance(now);
    }

    /// Says goodbye: what is queued goes out, acknowledgements are awaited for up to 1 s, then the socket closes and
    /// [`Output::Stopped`] follows.
    pub fn stop(&mut self, now: Time, reason: &str) {
        if self.stopping == Stopping::No {
            self.stopping = Stopping::Until(now + limits::STOP);
            let reason = Some(reason.to_owned());
            self.handle_fact(now, Fact::Endpoint { at: now, phase: EndpointPhase::Stopping, reason });
        }
    }

    /// The next moment something is due.
    pub fn poll_timeout(&self) -> Option<Time> {
        let stop = match self.stopping {
            Stopping::No => None,
            Stopping::Until(until) => Some(until),
            Stopping::Done => return None,
        };
        let stuck = self.stuck.map(|since| since + limits::SOCKET_STUCK);
        [self.channel.poll_timeout(), self.outbox.poll_timeout(), stuck, stop].into_iter().flatten().min()
    }

    /// Drains what the shell is to do, oldest first.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// How it is.
    pub fn status(&self) -> Status {
        let (queued, in_flight) = self.outbox.depth();
        let phase = match self.channel.joined() {
            _ if self.stopping == Stopping::Done => Phase::Stopped,
            Some((_, since)) => Phase::Joined { since },
            None if self.channel.is_open() => Phase::Joining,
            None if self.channel.is_connecting() => Phase::Connecting,
            None => Phase::Waiting,
        };
        Status { phase, queued, in_flight, overdue: self.outbox.is_overdue() }
    }

    /// Facts that no agent has acknowledged: those that wait, and those that were given up.
    pub fn unacknowledged(&self) -> usize {
        self.outbox.unacknowledged()
    }

    /// What it has counted.
    pub fn counters(&self) -> Counters {
        self.outbox.counters
    }

    fn handle_frame(&mut self, now: Time, frame: Result<Frame<'_>, FrameError>) {
        let received = match frame {
            Ok(frame) => self.channel.handle_frame(now, &frame),
            Err(error) => {
                self.outbox.counters.frames_ignored += 1;
                self.note(Note::Nonsense { what: error.to_string() });
                return;
            }
        };
        match received {
            Received::Joined(response) => {
                let reply = response.map_or(Ok(JoinReply::default()), reply::read_join).unwrap_or_else(|what| {
                    self.note(Note::Nonsense { what });
                    JoinReply::default()
                });
                self.handle_joined(now, &reply);
            }
            Received::JoinRefused(reason) => self.note(Note::JoinFailed { reason }),
            Received::Gone(reason) => self.note(Note::Lost { reason }),
            Received::Reply(reference, answer) => self.handle_answer(now, reference, answer),
            Received::Push(event, Payload::Json(payload)) => match request::read(&event, payload) {
                Some(request) => self.handle_request(now, &event, request::req(&event, payload), request),
                None => self.outbox.counters.frames_ignored += 1,
            },
            Received::Nothing => {}
            Received::Push(..) | Received::Ignored => self.outbox.counters.frames_ignored += 1,
            Received::Nonsense => {
                self.outbox.counters.frames_ignored += 1;
                self.note(Note::Nonsense { what: "a reply without a status".to_owned() });
            }
        }
    }

    fn handle_joined(&mut self, now: Time, reply: &JoinReply<'_>) {
        self.outbox.counters.joins += 1;
        self.rssi_hz = reply.rssi_hz();
        let resume = reply.resume(&self.identity.boot);
        if resume.is_none() {
            // An agent that has forgotten us may have begun to count its commands anew.
            self.results = Results::default();
        }
        self.note(Note::Joined { resumed: resume.is_some() });
        self.outbox.join(now, resume, reply.terms());
        let have = self.directory.rev();
        if let Some(rev) = reply.roster_rev.filter(|rev| Some(*rev) != have) {
            self.outbox.push(Fact::RosterAck { at: now, rev, accepted: false, have, unknown: Vec::new() });
        }
    }

    fn handle_answer(&mut self, now: Time, reference: u64, answer: Answer<'_>) {
        match answer {
            Ok(response) => self.outbox.handle_ack(reference, response.and_then(reply::read_ack)),
            Err(Refusal { retry: Some(after), .. }) => self.outbox.handle_retry(now, reference, after),
            Err(Refusal { retry: None, reason }) => {
                if let Some(kind) = self.outbox.handle_refusal(now, reference, &reason) {
                    self.note(Note::FactRefused { kind, reason });
                }
            }
        }
    }

    fn handle_request(
        &mut self,
        now: Time,
        event: &str,
        req: Option<Arc<str>>,
        request: Result<Request, request::Refusal>,
    ) {
        match req.as_ref().map_or(Said::Never, |req| self.results.begin(req)) {
            Said::Never => {}
            Said::Running => return,
            Said::Done(outcome) => return self.answer(now, req.as_ref(), outcome),
        }
        if let Err(refusal) = request.and_then(|request| self.carry_out(now, req.as_ref(), request)) {
            self.refuse(now, event, req.as_ref(), refusal);
        }
    }

    fn refuse(&mut self, now: Time, event: &str, req: Option<&Arc<str>>, reason: request::Refusal) {
        self.outbox.counters.commands_refused += 1;
        self.note(Note::CommandRefused { event: event.to_owned(), reason: reason.clone() });
        self.answer(now, req, Err(CommandError::bad_request(reason)));
    }

    /// Does what the link can do, and hands on the rest.
    fn carry_out(&mut self, now: Time, req: Option<&Arc<str>>, request: Request) -> Result<(), request::Refusal> {
        let named = || req.cloned().ok_or_else(|| "`req` is missing, or not a short text".to_owned());
        let command = match request {
            Request::RosterSet(set) => {
                let rev = set.rev;
                let result = self.directory.set(set);
                return self.handle_roster(now, req, rev, result);
            }
            Request::RosterPatch(patch) => {
                let rev = patch.rev;
                let result = self.directory.patch(patch);
                return self.handle_roster(now, req, rev, result);
            }
            Request::Snapshot => {
                self.outbox.want_snapshot();
                self.answer(now, req, Ok(()));
                return Ok(());
            }
            Request::Superseded => {
                self.note(Note::Superseded { again_in: limits::SUPERSEDED });
                self.channel.drop_socket(now, Some(limits::SUPERSEDED));
                return Ok(());
            }
            Request::Telemetry { rssi_hz, bands, lasting } => Command::Telemetry {
                req: named()?,
                rssi_hz: rssi_hz.min(self.rssi_hz),
                bands: bands.map(|bands| bands.iter().map(|band| self.directory.find(band)).collect()).transpose()?,
                lasting,
            },
            Request::UserActive { band, age } => {
                Command::UserActive { band: band.map(|band| self.directory.find(&band)).transpose()?, age }
            }
            Request::UserSignedIn { band } => {
                Command::UserSignedIn { req: named()?, band: self.directory.find(&band)? }
            }
            Request::AdapterReset { deadline } => Command::AdapterReset { req: named()?, deadline },
        };
        self.outputs.push_back(Output::Command(command));
        Ok(())
    }

    fn handle_roster(
        &mut self,
        now: Time,
        req: Option<&Arc<str>>,
        rev: u64,
        result: Result<Arc<Roster>, String>,
    ) -> Result<(), request::Refusal> {
        let unknown = result.iter().flat_map(|roster| directory::unknown(roster));
        let unknown = self.writer().fitting(unknown, limits::FRAME_MIN);
        let (accepted, have) = (result.is_ok(), self.directory.rev());
        self.outbox.push(Fact::RosterAck { at: now, rev, accepted, have, unknown });
        let roster = result?;
        self.answer(now, req, Ok(()));
        self.outputs.push_back(Output::Command(Command::Roster(roster)));
        Ok(())
    }

    fn answer(&mut self, now: Time, req: Option<&Arc<str>>, outcome: Outcome) {
        if let Some(req) = req {
            self.results.finish(req, &outcome);
            self.outbox.push(Fact::CommandResult { at: now, req: Arc::clone(req), outcome });
        }
    }

    fn drop_socket(&mut self, now: Time, reason: &str) {
        // Of several reasons at once, the first is said.
        if self.channel.drop_socket(now, None) {
            self.note(Note::Lost { reason: reason.to_owned() });
        }
    }

    /// Turns what has changed into outputs.
    fn advance(&mut self, now: Time) {
        if self.stopping == Stopping::Done {
            return;
        }
        self.poll_channel();
        if self.channel.joined().is_none()
            && self.outbox.is_joined()
            && let Some(kind) = self.outbox.leave(now)
        {
            self.note(Note::FactRefused { kind, reason: CRASHED.to_owned() });
        }
        if !self.channel.is_open() {
            (self.stuck, self.congested) = (None, false);
        }
        if self.outbox.poll_snapshot() {
            self.outputs.push_back(Output::NeedSnapshot);
        }
        let Self { channel, outbox, congested, .. } = self;
        while !*congested && let Some(sending) = outbox.poll_send(now, || channel.next_ref()) {
            let writer = writer(channel, &self.join_ref, &self.identity, self.wall);
            let text = writer.fact(now, sending.reference, sending.number, sending.item);
            self.outputs.push_back(Output::Send(text));
        }
        if let Stopping::Until(until) = self.stopping
            && (until <= now || !self.channel.is_open() || (self.outbox.is_joined() && self.outbox.is_idle()))
        {
            self.channel.stop();
            self.poll_channel();
            self.outputs.push_back(Output::Stopped);
            self.stopping = Stopping::Done;
        }
    }

    fn poll_channel(&mut self) {
        while let Some(action) = self.channel.poll_action() {
            self.outputs.push_back(match action {
                Action::Connect => Output::Connect,
                Action::Send(text) => Output::Send(text),
                Action::Close(code) => Output::Close { code },
                Action::Join(reference) => {
                    self.join_ref = reference.to_string();
                    Output::Send(self.writer().join(&Joining {
                        identity: &self.identity,
                        adapters: &self.adapters,
                        next_seq: self.outbox.next_seq(),
                        oldest_seq: self.outbox.oldest_seq(),
                        roster_rev: self.directory.rev(),
                    }))
                }
            });
        }
    }

    fn learn_adapter(&mut self, state: &AdapterState) {
        match self.adapters.binary_search_by_key(&state.id, |known| known.id) {
            Ok(place) => self.adapters[place] = state.clone(),
            Err(place) => self.adapters.insert(place, state.clone()),
        }
    }

    fn note(&mut self, note: Note) {
        if self.stopping != Stopping::Done && self.notes.is_news(&note) {
            self.outputs.push_back(Output::Note(note));
        }
    }

    fn writer(&self) -> Writer<'_> {
        writer(&self.channel, &self.join_ref, &self.identity, self.wall)
    }
}

fn writer<'a>(channel: &'a Channel, join_ref: &'a str, identity: &'a Identity, wall: Wall) -> Writer<'a> {
    Writer { topic: channel.topic(), join_ref, boot: &identity.boot, wall }
}

#[cfg(test)]
mod tests;
