//! The endpoint: what the dongles hear goes through the engine to the agent, and the agent's wishes come back.
//!
//! ```text
//! reports, states of dongles → engine → facts → link → Output
//!                                ↑ roster, commands ┘
//! ```
//!
//! A plain value as all its parts are: the shell owns the clock, the ports and the socket.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bgapi::gap::event::ScanResponse;

use crate::agent::{self, Command, Identity, Link, Note, SocketInput, Status};
use crate::event::{
    AdapterId, AdapterPhase, AdapterState, BandState, CommandError, Decision, Digest, EndpointPhase, Fact, Snapshot,
    Telemetry,
};
use crate::proximity::{Engine, Learnt, Settings};
use crate::time::Time;

/// How often the agent gets the counters.
const STATS_EVERY: Duration = Duration::from_secs(60);

/// What the shell is to do.
#[derive(Debug)]
pub enum Output {
    /// Open a websocket to the agent.
    Connect,
    /// Write this text message.
    Send(String),
    /// Close the websocket.
    Close {
        /// With this code.
        code: u16,
    },
    /// Bring every dongle up anew, then say so to [`Endpoint::handle_reset`].
    ResetAdapters {
        /// The agent's name for the command.
        req: Arc<str>,
    },
    /// Log a conclusion.
    Decided(Decision),
    /// Log what the link has to say.
    Note(Note),
    /// All is said after [`Endpoint::stop`].
    Stopped,
}

/// How the link to the agent came to where it is.
#[derive(Clone, Debug)]
pub struct AgentStory {
    /// How it is.
    pub status: Status,
    /// Since when it is joined, or is not.
    pub since: Time,
    /// What went wrong last, and when it was first said.
    pub last_error: Option<(Time, String)>,
}

/// The engine and the link as one value.
#[derive(Debug)]
pub struct Endpoint {
    engine: Engine,
    link: Link,
    adapters: Vec<AdapterState>,
    /// When each dongle last heard anybody.
    heard: Vec<(AdapterId, Time)>,
    /// Whether an edited configuration has mistakes.
    rejected: bool,
    agent: AgentStory,
    /// What the dongles' sessions have counted, as last told.
    radio: Vec<(&'static str, u64)>,
    forward_adverts: bool,
    decided: VecDeque<Decision>,
    /// What the link wants done, in its order.
    outputs: VecDeque<Output>,
    next_stats: Time,
}

impl Endpoint {
    /// An endpoint that has heard nothing and is not connected.
    pub fn new(settings: Settings, link: Link, now: Time) -> Self {
        let agent = AgentStory { status: link.status(), since: now, last_error: None };
        let mut endpoint = Self {
            engine: Engine::new(settings),
            link,
            adapters: Vec::new(),
            heard: Vec::new(),
            rejected: false,
            agent,
            radio: Vec::new(),
            forward_adverts: false,
            decided: VecDeque::new(),
            outputs: VecDeque::new(),
            next_stats: now + STATS_EVERY,
        };
        endpoint.say(now, EndpointPhase::Online, None);
        endpoint
    }

    /// Sends every advert of every band to the agent from now on, as telemetry; for laboratories.
    pub fn forward_adverts(&mut self) {
        self.forward_adverts = true;
    }

    /// Takes one report of a dongle, stamped when its bytes arrived.
    pub fn handle_report(&mut self, at: Time, adapter: AdapterId, report: &ScanResponse<'_>) {
        match self.heard.iter_mut().find(|(id, _)| *id == adapter) {
            Some((_, heard)) => *heard = at,
            None => self.heard.push((adapter, at)),
        }
        let band = self.engine.handle_report(at, adapter, report);
        if self.forward_adverts
            && let Some(band) = band
        {
            let data = report.data.as_slice();
            self.link.handle_telemetry(at, &Telemetry::Advert { at, adapter, band, rssi: report.rssi, data });
        }
        self.settle(at);
    }

    /// Takes a dongle's new state; `well` is whether silence of a band there means that the band is silent.
    pub fn handle_adapter(&mut self, now: Time, state: AdapterState, well: bool) {
        if let Some(address) = state.address {
            self.engine.handle_dongle(state.id, address);
        }
        self.engine.handle_adapter(now, state.id, well);
        match self.adapters.iter_mut().find(|known| known.id == state.id) {
            Some(known) => known.clone_from(&state),
            None => {
                self.adapters.push(state.clone());
                self.adapters.sort_by_key(|state| state.id);
            }
        }
        self.settle(now);
        self.link.handle_fact(now, Fact::Adapter { at: now, state });
    }

    /// Drops a dongle that the configuration names no more; bands heard there last are silent for its sake.
    pub fn forget_adapter(&mut self, now: Time, id: AdapterId) {
        let phase = AdapterPhase::Absent;
        let gone = AdapterState { id, phase, quiet: false, port: None, address: None, firmware: None, error: None };
        self.handle_adapter(now, gone, false);
        self.adapters.retain(|state| state.id != id);
        self.heard.retain(|(heard, _)| *heard != id);
    }

    /// Takes what the dongles' sessions have counted, for the agent.
    pub fn handle_radio_counters(&mut self, counters: Vec<(&'static str, u64)>) {
        self.radio = counters;
    }

    /// Takes changed settings over.
    pub fn handle_settings(&mut self, now: Time, settings: Settings) {
        self.rejected = false;
        self.engine.handle_settings(now, settings);
        self.settle(now);
        self.say(now, EndpointPhase::Online, None);
    }

    /// Says that an edited configuration has mistakes and the one in force stays.
    pub fn handle_rejected(&mut self, now: Time, reason: String) {
        self.rejected = true;
        self.say(now, EndpointPhase::ConfigRejected, Some(reason));
    }

    /// Goes over to another agent, or to the same under another name or token; no fact is lost.
    pub fn handle_identity(&mut self, now: Time, identity: Identity) {
        self.link.handle_identity(now, identity);
    }

    /// Takes the machine's addresses, for the next join.
    pub fn handle_addresses(&mut self, addresses: Vec<IpAddr>) {
        self.link.handle_addrs(addresses);
    }

    /// Takes what the websocket has to say; what the agent asks for is done at this moment, before anything else that
    /// comes in.
    pub fn handle_socket(&mut self, now: Time, input: SocketInput<'_>) {
        self.link.handle_socket(now, input);
        self.follow_link(now);
    }

    /// Takes the wall clock's time at [`Time::ZERO`], in ms since 1970, and whether it can be right.
    pub fn handle_wall(&mut self, offset_ms: i64, synced: bool) {
        self.link.handle_wall(offset_ms, synced);
    }

    /// Answers for [`Output::ResetAdapters`]: whether there was any dongle to reset.
    pub fn handle_reset(&mut self, now: Time, req: Arc<str>, any: bool) {
        let outcome = any.then_some(()).ok_or_else(|| CommandError::not_ready("there is no dongle to reset"));
        self.answer(now, req, outcome);
    }

    /// Tells that the machine slept until now.
    pub fn handle_wake(&mut self, now: Time) {
        self.engine.handle_wake(now);
        self.settle(now);
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Time) {
        self.engine.handle_timeout(now);
        self.settle(now);
        self.link.handle_timeout(now);
        if now >= self.next_stats {
            self.next_stats = now + STATS_EVERY;
            let counters = self.counters();
            self.link.handle_telemetry(now, &Telemetry::Stats { counters: &counters });
        }
    }

    /// Delivers what is left, for a second at most, and stops.
    pub fn stop(&mut self, now: Time, reason: &str) {
        self.link.stop(now, reason);
    }

    /// The next moment something is due.
    pub fn poll_timeout(&self) -> Option<Time> {
        let stats = matches!(self.link.status().phase, agent::Phase::Joined { .. }).then_some(self.next_stats);
        [self.engine.poll_timeout(), self.link.poll_timeout(), stats].into_iter().flatten().min()
    }

    /// Drains what the shell is to do.
    pub fn poll_output(&mut self, now: Time) -> Option<Output> {
        self.agent.follow(self.link.status(), now);
        if let Some(decision) = self.decided.pop_front() {
            return Some(Output::Decided(decision));
        }
        self.follow_link(now);
        self.outputs.pop_front()
    }

    /// Does what the link asks of the engine, and keeps the rest for the shell.
    fn follow_link(&mut self, now: Time) {
        while let Some(output) = self.link.poll_output() {
            let output = match output {
                agent::Output::Connect => Output::Connect,
                agent::Output::Send(text) => Output::Send(text),
                agent::Output::Close { code } => Output::Close { code },
                agent::Output::Note(note) => {
                    self.agent.hear(now, &note);
                    Output::Note(note)
                }
                agent::Output::Stopped => Output::Stopped,
                agent::Output::NeedSnapshot => {
                    let snapshot = self.snapshot(now);
                    self.link.handle_snapshot(now, snapshot);
                    continue;
                }
                agent::Output::Command(command) => {
                    self.handle_command(now, command);
                    continue;
                }
            };
            self.outputs.push_back(output);
        }
    }

    /// The health sentence: dongle, bands, agent, as a person would say it.
    pub fn health(&self) -> String {
        let adapters: Vec<String> = self.adapters.iter().map(adapter_health).collect();
        let adapters = if adapters.is_empty() { "no dongle yet".to_owned() } else { adapters.join(", ") };
        let bands = match self.engine.present() {
            0 => "no band present".to_owned(),
            1 => "1 band present".to_owned(),
            present => format!("{present} bands present"),
        };
        let status = self.link.status();
        let agent = match status.phase {
            agent::Phase::Joined { .. } if status.overdue => "agent joined, but it does not acknowledge",
            agent::Phase::Joined { .. } => "agent joined",
            agent::Phase::Connecting | agent::Phase::Joining => "connecting to the agent",
            agent::Phase::Waiting => "no agent",
            agent::Phase::Stopped => "stopped",
        };
        let config = if self.rejected { "; the edited configuration is rejected" } else { "" };
        format!("{adapters}; {bands}; {agent}{config}")
    }

    /// How the link to the agent came to where it is.
    pub fn agent(&self) -> AgentStory {
        AgentStory { status: self.link.status(), ..self.agent.clone() }
    }

    /// Whether the agent owes an acknowledgement.
    pub fn is_agent_overdue(&self) -> bool {
        self.link.status().overdue
    }

    /// When a dongle last heard anybody.
    pub fn heard(&self, adapter: AdapterId) -> Option<Time> {
        self.heard.iter().find(|(id, _)| *id == adapter).map(|(_, at)| *at)
    }

    /// The state of every tracked band.
    pub fn bands(&self) -> Vec<BandState> {
        self.engine.bands()
    }

    /// Facts that no agent has acknowledged: those that wait, and those that were given up.
    pub fn unacknowledged(&self) -> usize {
        self.link.unacknowledged()
    }

    /// Whether anything is learnt of bands.
    pub fn is_learning(&self) -> bool {
        self.engine.is_learning()
    }

    /// What was learnt of bands, the newest heard first; `day` names the day of a moment, where that is known.
    pub fn learnt(&self, day: impl Fn(Time) -> Option<u32>) -> Vec<Learnt> {
        self.engine.learnt(day)
    }

    /// Takes over what was learnt at another time.
    pub fn recall(&mut self, learnt: Vec<Learnt>) {
        self.engine.recall(learnt);
    }

    /// How often what was recalled did not fit.
    pub fn misfits(&self) -> u64 {
        self.engine.counters().misfits
    }

    /// The digest of the configuration in force.
    pub fn config(&self) -> Digest {
        self.engine.settings().digest
    }

    fn handle_command(&mut self, now: Time, command: Command) {
        match command {
            Command::Roster(roster) => self.engine.handle_roster(now, &roster),
            Command::AdapterReset { req, .. } => self.outputs.push_back(Output::ResetAdapters { req }),
            Command::UserActive { band, age } => self.engine.handle_user_active(now, band, age),
            Command::UserSignedIn { req, band } => {
                let signed_in = self.engine.handle_signed_in(now, band);
                // What follows from it is told first, so that an "ok" says that it is done.
                self.settle(now);
                match signed_in {
                    Ok(()) => self.answer(now, req, Ok(())),
                    Err(error) => self.link.handle_refusal(now, "user.signed_in", &req, error.to_string()),
                }
            }
            Command::Telemetry { req, .. } => {
                self.link.handle_refusal(now, "telemetry.set", &req, "it is not in this version".to_owned());
            }
        }
        self.settle(now);
    }

    fn answer(&mut self, now: Time, req: Arc<str>, outcome: Result<(), CommandError>) {
        self.link.handle_fact(now, Fact::CommandResult { at: now, req, outcome });
    }

    /// Hands what was concluded to the link, and to the log.
    fn settle(&mut self, now: Time) {
        while let Some(decision) = self.engine.poll_decision() {
            self.decided.push_back(decision.clone());
            self.link.handle_fact(now, Fact::Band(decision));
        }
    }

    fn say(&mut self, now: Time, phase: EndpointPhase, reason: Option<String>) {
        self.link.handle_fact(now, Fact::Endpoint { at: now, phase, reason });
    }

    fn snapshot(&self, now: Time) -> Snapshot {
        Snapshot {
            at: now,
            config: self.config(),
            adapters: self.adapters.clone(),
            bands: self.engine.bands(),
            roster_rev: self.engine.roster_rev(),
            counters: self.counters(),
        }
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        let (engine, link) = (self.engine.counters(), self.link.status());
        let mut counters = self.radio.clone();
        counters.extend([
            ("samples", engine.samples),
            ("adverts_of_others", engine.others),
            ("readings_invalid", engine.invalid),
            ("bands_tracked", engine.tracked),
            ("bands_evicted", engine.evicted),
            ("seats_misfit", engine.misfits),
            ("facts_queued", link.queued as u64),
            ("facts_in_flight", link.in_flight as u64),
        ]);
        counters.extend(self.link.counters().named());
        counters
    }
}

impl AgentStory {
    fn follow(&mut self, status: Status, now: Time) {
        match (self.status.phase, status.phase) {
            (_, agent::Phase::Joined { since }) => self.since = since,
            (agent::Phase::Joined { .. }, _) => self.since = now,
            _ => {}
        }
        self.status = status;
    }

    fn hear(&mut self, now: Time, note: &Note) {
        if let Note::Lost { .. }
        | Note::Unreachable { .. }
        | Note::Refused { .. }
        | Note::JoinFailed { .. }
        | Note::Superseded { .. } = note
        {
            self.last_error = Some((now, note.to_string()));
        }
    }
}

fn adapter_health(state: &AdapterState) -> String {
    let port = state.port.as_deref().unwrap_or("an unknown port");
    match (state.phase, &state.error) {
        (AdapterPhase::Absent, _) => "no dongle".to_owned(),
        (AdapterPhase::Opening, None) => format!("opening the dongle at {port}"),
        (AdapterPhase::Ready, _) => format!("dongle ready at {port}"),
        (AdapterPhase::Scanning, _) if state.quiet => format!("scanning at {port}, nobody advertises"),
        (AdapterPhase::Scanning, _) => format!("scanning at {port}"),
        (AdapterPhase::Opening | AdapterPhase::Stalled | AdapterPhase::Failed, Some(error)) => {
            format!("trouble at {port}: {error}")
        }
        (AdapterPhase::Stalled | AdapterPhase::Failed, None) => format!("trouble at {port}"),
    }
}

#[cfg(test)]
mod tests;
