//! The configuration as everything else sees it: proven, complete, without origins.

use std::path::PathBuf;
use std::time::Duration;

use crate::agent_url::AgentUrl;
use crate::identity::{Address, Pin, ServiceUuid, Uuid};
use crate::quantity::{Cutoffs, Level, RssiOffset, ScanTiming, WindowLength};

/// A valid configuration; `nbe.default.toml` explains each key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where the agent listens.
    pub agent_url: AgentUrl,
    /// How many readings are averaged for a tap.
    pub rssi_window_tap: WindowLength,
    /// How many readings are averaged for close and far.
    pub rssi_window_long: WindowLength,
    /// The mean that counts as a tap; `None` turns taps off.
    pub rssi_tap_threshold: Option<Level>,
    /// The edges of close and far; `None` turns trends off (`rssi_cutoff_close = 0`).
    pub rssi_cutoffs: Option<Cutoffs>,
    /// The rule that decides.
    pub detector: Detector,
    /// How soon [`Detector::Adaptive`] says away.
    pub away_pace: AwayPace,
    /// How long a band may be silent before it counts as absent.
    pub absent_after: Duration,
    /// What counts as a band until the agent sends a roster.
    pub bands: Bands,
    /// How the agent is spoken to.
    pub agent: Agent,
    /// What the log says.
    pub log: Log,
    /// The dongles to use, at least one.
    pub adapters: Vec<Adapter>,
}

/// The rule that turns readings into taps and sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detector {
    /// Plain means over the last readings, as the six keys have always worked.
    Classic,
    /// Each reading weighed by how much it says.
    Adaptive,
}

/// How soon the adaptive detector says away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AwayPace {
    /// Quicker behind someone who leaves, and more often behind someone who sits.
    Sooner,
    /// Between the two.
    Balanced,
    /// More seldom behind someone who sits, and slower behind someone who leaves.
    Calmer,
}

/// One dongle, and how it scans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adapter {
    /// Which dongle this is about.
    pub which: AdapterChoice,
    /// What is added to its every reading.
    pub rssi_offset: RssiOffset,
    /// How long it listens, and how often it changes the channel.
    pub scan: ScanTiming,
    /// Whether it asks advertisers for their scan response.
    pub active_scan: bool,
}

/// Which dongle a table `[[adapter]]` is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdapterChoice {
    /// Whichever is found.
    Any,
    /// The one at this serial port.
    Port(String),
    /// The one whose own device address this is, at whatever port.
    Address(Address),
}

/// What counts as a band: an advert that meets any of these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bands {
    /// Company ids of manufacturer data.
    pub company_ids: Vec<u16>,
    /// What a local name begins with.
    pub name_prefixes: Vec<String>,
    /// Services advertised.
    pub service_uuids: Vec<ServiceUuid>,
    /// Addresses of single devices.
    pub addresses: Vec<Address>,
    /// Everything is a band.
    pub all: bool,
}

/// How the agent is spoken to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agent {
    /// The endpoint's id, where it is not to be derived from the machine's.
    pub endpoint_id: Option<Uuid>,
    /// The file that holds the token for joining.
    pub token_file: Option<PathBuf>,
    /// Certificates to trust in place of the system's, PEM.
    pub ca_file: Option<PathBuf>,
    /// The public key that the agent's certificate must have.
    pub pin: Option<Pin>,
}

/// What the log says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// The least severe lines that are written.
    pub level: LogLevel,
    /// The same for single parts of the daemon.
    pub parts: LogParts,
    /// How a line is written.
    pub format: LogFormat,
    /// The file that the lines go to, where not to standard error.
    pub file: Option<PathBuf>,
    /// The largest that the file becomes, in KiB.
    pub file_max_kib: u32,
    /// Whether device addresses are written as they are rather than as a keyed hash.
    pub show_addresses: bool,
}

/// The least severe lines that each part of the daemon writes; where nothing is said, [`Log::level`] holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogParts {
    /// The dongles.
    pub adapter: Option<LogLevel>,
    /// What readings mean: taps, trends, presence.
    pub proximity: Option<LogLevel>,
    /// The link to the agent.
    pub agent: Option<LogLevel>,
    /// The configuration.
    pub config: Option<LogLevel>,
    /// The daemon itself: start, stop, sleep.
    pub service: Option<LogLevel>,
    /// The bytes between the daemon and its dongles.
    pub wire: Option<LogLevel>,
}

/// The least severe lines that the log shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogLevel {
    /// What needs a person.
    Error,
    /// What was recovered from, too.
    Warn,
    /// The story of the day, too.
    #[default]
    Info,
    /// What helps to find a fault, too.
    Debug,
    /// Everything, the bytes of the wire too.
    Trace,
}

impl LogLevel {
    /// The level as it is written in nbe.toml.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// How the log writes a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For a person.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}
