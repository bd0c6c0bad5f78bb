//! How the daemon is, as it goes over the wire.

use std::fmt;

use config::printable;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event::{AdapterPhase, Presence, Side};

/// The most bands that are listed; [`Bands::total`] counts all.
pub const MOST_BANDS: usize = 200;

/// How the daemon is.
///
/// A field that a daemon does not send is empty; one that is not known is passed over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Status {
    /// For a script.
    pub state: State,
    /// For a person.
    pub health: String,
    /// What is wrong, the first to be mended first.
    pub problems: Vec<Problem>,
    /// The daemon's version.
    pub version: String,
    /// The daemon's process id.
    pub pid: u32,
    /// Who it is to the agent.
    pub endpoint: Endpoint,
    /// Random, new at every start.
    pub boot: String,
    /// Since the start, sleep of the machine included, in seconds.
    pub uptime_s: u64,
    /// Memory in use, in KiB, where the system tells.
    pub memory_kib: Option<u64>,
    /// The dongles.
    pub adapters: Vec<Adapter>,
    /// The agent.
    pub agent: Agent,
    /// The bands.
    pub bands: Bands,
    /// The configuration.
    pub config: Configuration,
    /// The log.
    pub log: Log,
    /// The wall clock of the machine.
    pub clock: WallClock,
}

/// Who the daemon is to the agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Endpoint {
    /// Its id, a UUID.
    pub id: String,
    /// The machine's name, as the agent is told it.
    pub host: String,
}

/// How the daemon is, in a word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// A dongle scans and an agent is told.
    #[default]
    Ok,
    /// That works, and something else does not.
    Degraded,
    /// No dongle scans, or no agent is told.
    Trouble,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// For a script.
    pub code: ProblemCode,
    /// For a person.
    pub text: String,
}

/// What is wrong, for a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemCode {
    /// No dongle is plugged in.
    NoDongle,
    /// The dongle may not be opened.
    NoPermission,
    /// A dongle is there and does not scan.
    Dongle,
    /// The configuration was edited and has mistakes; an earlier one is in force.
    ConfigRejected,
    /// The wall clock of the machine cannot be right.
    Clock,
    /// No agent is told.
    NoAgent,
    /// An agent is joined and does not acknowledge what it is told.
    AgentSilent,
    /// One that a later version has.
    #[serde(other)]
    Other,
}

/// The wall clock of the machine, in the words of an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WallClock {
    /// It can be right.
    #[default]
    Ok,
    /// It is before this program was written.
    Unsynced,
}

/// One dongle.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Adapter {
    /// As in the log: `adapter0`.
    pub id: String,
    /// How it is.
    pub phase: AdapterPhase,
    /// Scanning, but nobody advertises.
    pub quiet: bool,
    /// The port's name, while there is one.
    pub port: Option<String>,
    /// The dongle's own address, once asked.
    pub address: Option<String>,
    /// Its firmware, once asked.
    pub firmware: Option<String>,
    /// What is wrong, as a sentence.
    pub error: Option<String>,
    /// Since the last advert of anybody, in milliseconds.
    pub last_advert_age_ms: Option<u64>,
    /// What its session has counted, by name.
    pub counters: serde_json::Map<String, Value>,
}

/// The agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Agent {
    /// Where it is, without a query.
    pub url: String,
    /// How the link to it is.
    pub phase: AgentPhase,
    /// For how long it has been joined, or has not, in seconds.
    pub for_s: u64,
    /// What went wrong last.
    pub last_error: Option<LastError>,
    /// Facts that wait to be sent.
    pub queued: usize,
    /// Facts that are sent and not acknowledged.
    pub in_flight: usize,
    /// Whether one of them should have been.
    pub overdue: bool,
}

/// How the link to the agent is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentPhase {
    /// Not connected; tried again when due.
    #[default]
    Waiting,
    /// A connection is being made.
    Connecting,
    /// Connected, not joined.
    Joining,
    /// Facts flow.
    Joined,
    /// Stopped for good.
    Stopped,
}

/// What went wrong last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastError {
    /// As in the log.
    pub text: String,
    /// Since it was first said, in seconds.
    pub age_s: u64,
}

/// The bands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bands {
    /// How many are known.
    pub total: usize,
    /// How many of them are present.
    pub present: usize,
    /// Those heard last, [`MOST_BANDS`] at most.
    pub listed: Vec<Band>,
}

/// One band.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Band {
    /// As in the log: a keyed hash, or the address where `log.show_addresses` asks for it.
    pub label: String,
    /// Heard or not.
    pub presence: Presence,
    /// Near, away or unknown.
    pub side: Side,
    /// Mean of the long window, in dBm.
    pub mean_dbm: Option<f64>,
    /// Since the newest reading, in milliseconds.
    pub last_age_ms: Option<u64>,
}

/// The configuration in force.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Configuration {
    /// The file; none where the defaults hold.
    pub file: Option<String>,
    /// Whether the last good copy of that file is in force in its place.
    pub is_copy: bool,
    /// As every event carries it.
    pub digest: String,
    /// Why the file as it is now was rejected.
    pub rejected: Option<String>,
    /// What in it is allowed and worth a word.
    pub warnings: Vec<String>,
    /// Every value.
    pub values: Vec<Setting>,
}

/// One value in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// The key with its table's name before a dot.
    pub key: String,
    /// The value.
    pub value: Value,
    /// Where it comes from: `default`, a place in a file, a variable, a flag.
    pub origin: String,
}

/// What the log shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Log {
    /// The least severe lines that are written.
    pub level: String,
    /// The same for single parts, where it differs.
    pub parts: std::collections::BTreeMap<String, String>,
    /// In how many seconds what the configuration says holds again; none where it does.
    pub for_s: Option<u64>,
}

/// What a reload did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reload {
    /// As every event carries it from now on.
    pub digest: String,
    /// What is another value now.
    pub changed: Vec<Changed>,
    /// Whether the agent is joined anew.
    pub rejoins: bool,
    /// What is worth a word all the same.
    pub warnings: Vec<String>,
}

/// A value that is another now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Changed {
    /// The key.
    pub key: String,
    /// What it was; null where it was not.
    pub from: Value,
    /// What it is; null where it is no more.
    pub to: Value,
    /// Where it comes from now.
    pub origin: String,
}

/// Keys that a running daemon does not follow.
const AT_NEXT_START: [&str; 3] = ["log.format", "log.file", "log.file_max_kib"];

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |value: &Value| if value.is_null() { "nothing".to_owned() } else { printable(&value.to_string()) };
        write!(f, "{}: {} -> {}", printable(&self.key), text(&self.from), text(&self.to))?;
        if !self.origin.is_empty() {
            write!(f, "  ({})", printable(&self.origin))?;
        }
        f.write_str(if AT_NEXT_START.contains(&&*self.key) { ", from the next start on" } else { "" })
    }
}

impl Status {
    /// What is wrong follows from the rest.
    #[must_use]
    pub fn judged(mut self) -> Self {
        let scans = |adapter: &&Adapter| adapter.phase == AdapterPhase::Scanning;
        let any_scans = self.adapters.iter().any(|adapter| scans(&adapter));
        let mut problems: Vec<Problem> =
            self.adapters.iter().filter(|adapter| !scans(adapter)).map(Problem::of_adapter).collect();
        if self.adapters.is_empty() {
            problems.push(Problem { code: ProblemCode::NoDongle, text: "no dongle yet".to_owned() });
        }
        if let Some(reason) = &self.config.rejected {
            problems.push(Problem { code: ProblemCode::ConfigRejected, text: reason.clone() });
        }
        if self.clock == WallClock::Unsynced {
            let text = "the clock of this machine is wrong: set it, or let the network set it";
            problems.push(Problem { code: ProblemCode::Clock, text: text.to_owned() });
        }
        let is_told = self.agent.phase == AgentPhase::Joined;
        if !is_told {
            let text = match &self.agent.last_error {
                Some(error) => error.text.clone(),
                None => format!("no agent has been joined at {} yet", self.agent.url),
            };
            problems.push(Problem { code: ProblemCode::NoAgent, text });
        }
        if is_told && self.agent.overdue {
            let text = "the agent is joined but does not acknowledge what it is told, so it may not act on it: look at \
                        its log, or restart it";
            problems.push(Problem { code: ProblemCode::AgentSilent, text: text.to_owned() });
        }
        self.state = match (any_scans && is_told, problems.is_empty()) {
            (true, true) => State::Ok,
            (true, false) => State::Degraded,
            (false, _) => State::Trouble,
        };
        self.problems = problems;
        self
    }
}

impl Problem {
    fn of_adapter(adapter: &Adapter) -> Self {
        let code = match (adapter.phase, &adapter.error) {
            (AdapterPhase::Absent, _) => ProblemCode::NoDongle,
            (_, Some(error)) if error.starts_with("no permission") => ProblemCode::NoPermission,
            _ => ProblemCode::Dongle,
        };
        let text = match (&adapter.error, code) {
            (Some(error), _) => error.clone(),
            (None, ProblemCode::NoDongle) => "no dongle found".to_owned(),
            (None, _) => "the dongle does not scan yet".to_owned(),
        };
        Self { code, text: format!("{}: {text}", adapter.id) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adapter(phase: AdapterPhase, error: Option<&str>) -> Adapter {
        Adapter { id: "adapter0".to_owned(), phase, error: error.map(str::to_owned), ..Adapter::default() }
    }

    #[test]
    fn what_is_wrong_follows_from_the_rest() {
        use AdapterPhase::{Absent, Failed, Scanning, Stalled};
        use ProblemCode::{ConfigRejected, Dongle, NoAgent, NoDongle, NoPermission};
        let well = || adapter(Scanning, None);
        let cases: [(&str, Vec<Adapter>, bool, bool, State, Vec<ProblemCode>); 8] = [
            ("all is well", vec![well()], true, false, State::Ok, vec![]),
            ("just started", vec![], false, false, State::Trouble, vec![NoDongle, NoAgent]),
            ("unplugged", vec![adapter(Absent, None)], true, false, State::Trouble, vec![NoDongle]),
            ("one of two", vec![well(), adapter(Stalled, None)], true, false, State::Degraded, vec![Dongle]),
            ("no agent", vec![well()], false, false, State::Trouble, vec![NoAgent]),
            ("a mistake", vec![well()], true, true, State::Degraded, vec![ConfigRejected]),
            (
                "a port of others",
                vec![adapter(Failed, Some("no permission to open /dev/ttyACM0: it belongs to root"))],
                true,
                false,
                State::Trouble,
                vec![NoPermission],
            ),
            ("a sick one", vec![adapter(Failed, Some("it prints text"))], true, false, State::Trouble, vec![Dongle]),
        ];
        for (case, adapters, joined, rejected, state, problems) in cases {
            let mut status = Status { adapters, ..Status::default() };
            status.agent.phase = if joined { AgentPhase::Joined } else { AgentPhase::Waiting };
            status.config.rejected = rejected.then(|| "nbe.toml:1: no".to_owned());
            let status = status.judged();
            assert_eq!(status.state, state, "{case}");
            assert_eq!(status.problems.iter().map(|problem| problem.code).collect::<Vec<_>>(), problems, "{case}");
        }
    }

    #[test]
    fn a_clock_that_cannot_be_right_is_told_though_all_else_is_well() {
        let mut status = Status { adapters: vec![adapter(AdapterPhase::Scanning, None)], ..Status::default() };
        (status.agent.phase, status.clock) = (AgentPhase::Joined, WallClock::Unsynced);
        let status = status.judged();
        assert_eq!((status.state, status.problems[0].code), (State::Degraded, ProblemCode::Clock));
    }

    #[test]
    fn an_agent_that_acknowledges_nothing_is_told_while_it_is_joined() {
        let mut status = Status { adapters: vec![adapter(AdapterPhase::Scanning, None)], ..Status::default() };
        (status.agent.phase, status.agent.overdue) = (AgentPhase::Joined, true);
        let joined = status.clone().judged();
        assert_eq!((joined.state, joined.problems[0].code), (State::Degraded, ProblemCode::AgentSilent));
        status.agent.phase = AgentPhase::Waiting;
        let codes: Vec<ProblemCode> = status.judged().problems.iter().map(|problem| problem.code).collect();
        assert_eq!(codes, [ProblemCode::NoAgent]);
    }

    #[test]
    fn a_lack_of_permission_is_known_by_the_words_that_say_it() {
        let error = crate::adapter::port::access::remedy(std::path::Path::new("/dev/ttyACM0"));
        let problem = Problem::of_adapter(&adapter(AdapterPhase::Failed, Some(&error)));
        assert_eq!(problem.code, ProblemCode::NoPermission, "{error}");
    }

    #[test]
    fn another_versions_status_can_be_read() {
        let status: Status =
            serde_json::from_str(r#"{"state":"ok","moon":"full","agent":{"phase":"joined"}}"#).unwrap();
        assert_eq!((status.state, status.agent.phase), (State::Ok, AgentPhase::Joined));
    }
}
