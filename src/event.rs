//! What the agent is told: the facts, in the daemon's own types; [`crate::agent`] gives them their wire form.
//!
//! Levels are whole hundredths of a dBm (`*_cdb`), rounded half away from zero from exact sums.

mod text; // decisions for people
mod why; // what a decision rests on

use std::fmt;
use std::sync::Arc;

use bgapi::{Address, BdAddr};
use serde::{Deserialize, Serialize};

pub use why::{Evidence, Reckoning, Rule, Why};

use crate::time::Time;

/// One dongle of this terminal, by its place among the `[[adapter]]` tables of nbe.toml (0 where there is none).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AdapterId(pub u8);

impl fmt::Display for AdapterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "adapter{}", self.0)
    }
}

/// The digest of the configuration under which something was decided; 8 hex digits in print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest(pub u32);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

/// A wrist band: its address, and the roster's name for it where there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Band {
    /// Who advertises.
    pub address: Address,
    /// The name the agent's roster gives it.
    pub id: Option<Arc<str>>,
}

impl Serialize for Band {
    /// As the agent gets it: `addr` in lower-case hex with colons, `addr_type`, and `id` where there is one.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Wire<'a> {
            addr: Hex,
            addr_type: &'static str,
            #[serde(skip_serializing_if = "Option::is_none")]
            id: Option<&'a str>,
        }
        struct Hex(BdAddr);
        impl Serialize for Hex {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(&self.0)
            }
        }
        let addr_type = if self.address.address_type == bgapi::AddressType::PUBLIC { "public" } else { "random" };
        Wire { addr: Hex(self.address.bytes), addr_type, id: self.id.as_deref() }.serialize(serializer)
    }
}

/// Heard or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// Not heard (any more).
    #[default]
    Absent,
    /// Heard.
    Present,
}

/// Where the wearer is, as far as levels tell; what lock control acts on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Nothing was concluded yet, or the band is absent.
    #[default]
    Unknown,
    /// At the terminal.
    Near,
    /// Not at the terminal.
    Away,
}

/// What a `band.trend` states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trend {
    /// The side became near.
    Near,
    /// The side still is near; said again so that a lock timer above survives a lost link.
    Hold,
    /// The side became away.
    Away,
}

/// What the roster says about the wearer; nothing is read from adverts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    /// The roster does not say.
    #[default]
    Unknown,
    /// The agent has authenticated the wearer.
    Authenticated,
    /// A band that belongs to nobody.
    Unenrolled,
}

/// Why presence changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PresenceReason {
    /// It was heard.
    Heard,
    /// It was silent for `absent_after_s` while the dongle was well.
    Silence,
    /// It was silent for `absent_after_s` because the dongle was not well.
    Adapter,
    /// The agent's roster left it out.
    Roster,
    /// The machine slept through the moment at which the silence became too long.
    Suspend,
    /// The table of bands was full and this one had not been heard for longest.
    Evicted,
    /// The agent says that its wearer signed in.
    SignedIn,
}

/// One conclusion about one band.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The moment of the deciding sample, or the due time of a timer.
    pub at: Time,
    /// About whom.
    pub band: Band,
    /// Whether the roster lists the band.
    pub listed: bool,
    /// Whether the roster says that the wearer is authenticated; a level never does.
    pub authenticated: bool,
    /// The dongle whose samples decided; `None` where no radio is concerned.
    pub adapter: Option<AdapterId>,
    /// Under which configuration.
    pub config: Digest,
    /// What was concluded.
    pub conclusion: Conclusion,
    /// From what.
    pub why: Why,
}

/// What was concluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// The band is heard, or not any more.
    Presence {
        /// What held until now.
        before: Presence,
        /// What holds from now on.
        after: Presence,
        /// Why.
        reason: PresenceReason,
    },
    /// The band was held to the antenna.
    Tap {
        /// Mean of the tap window, or of the samples that are the evidence.
        mean_cdb: i32,
        /// The strongest of them.
        peak_cdb: i32,
        /// How many they are.
        samples: u32,
        /// From the first of them to the last.
        span_ms: u64,
        /// What the mean, or each of them, had to reach.
        threshold_cdb: i32,
    },
    /// The side changed, or near is restated.
    Trend {
        /// The side until now.
        before: Side,
        /// What is stated.
        after: Trend,
        /// Mean of the long window; `None` when it is empty.
        mean_cdb: Option<i32>,
        /// Mean of the newer half less that of the older half; `None` below two samples.
        slope_cdb: Option<i32>,
        /// Samples in the long window.
        samples: u32,
    },
    /// The roster says something else about the wearer.
    Auth {
        /// What it said until now.
        before: Auth,
        /// What it says now.
        after: Auth,
    },
}

/// Everything said about one band, for a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BandState {
    /// Which.
    pub band: Band,
    /// Heard or not.
    pub presence: Presence,
    /// Near, away or unknown.
    pub side: Side,
    /// As the roster says.
    pub auth: Auth,
    /// Whether the agent counts this band as its wearer's one.
    pub active: bool,
    /// The newest sample's moment.
    pub last: Option<Time>,
    /// Mean of the long window.
    pub mean_cdb: Option<i32>,
}

/// How a dongle is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdapterPhase {
    /// No dongle is plugged in.
    #[default]
    Absent,
    /// A port was found and is being opened, or the dongle is being asked who it is.
    Opening,
    /// The dongle answers and does not scan yet.
    Ready,
    /// Adverts come in, or would.
    Scanning,
    /// It has stopped answering or delivering and is being brought back.
    Stalled,
    /// Nothing helped so far; tried again for ever.
    Failed,
}

/// A dongle as the agent sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdapterState {
    /// Which.
    pub id: AdapterId,
    /// How it is.
    pub phase: AdapterPhase,
    /// Scanning and answering, but nobody advertises.
    pub quiet: bool,
    /// The port's name, while there is one.
    pub port: Option<String>,
    /// The dongle's own address, once asked.
    pub address: Option<BdAddr>,
    /// Its firmware, `major.minor.patch-build`, once asked.
    pub firmware: Option<String>,
    /// What is wrong, as a sentence.
    pub error: Option<String>,
}

/// How the daemon is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EndpointPhase {
    /// Running.
    Online,
    /// Delivering what is left before it stops.
    Stopping,
    /// Running on an earlier configuration, since the edited one has mistakes.
    ConfigRejected,
}

/// A fact for the agent: numbered, acknowledged, resent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// Something about a band.
    Band(Decision),
    /// Something about a dongle.
    Adapter {
        /// When.
        at: Time,
        /// How it is now.
        state: AdapterState,
    },
    /// Something about the daemon itself.
    Endpoint {
        /// When.
        at: Time,
        /// How it is now.
        phase: EndpointPhase,
        /// Why, as a sentence.
        reason: Option<String>,
    },
    /// Whether a roster was taken over.
    RosterAck {
        /// When.
        at: Time,
        /// The revision that was offered.
        rev: u64,
        /// Whether it is in force now.
        accepted: bool,
        /// The revision in force; `None` before any.
        have: Option<u64>,
        /// Listed names that cannot be recognised on the air, for want of an address.
        unknown: Vec<Arc<str>>,
    },
    /// What became of a command.
    CommandResult {
        /// When.
        at: Time,
        /// The agent's own name for the command.
        req: Arc<str>,
        /// Nothing, or what went wrong.
        outcome: Result<(), CommandError>,
    },
}

/// Why a command was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandError {
    /// The family of the failure: 2000 bad request, 3000 agent or server too late, 3010 radio too late, 5100 adapter
    /// not ready, 9000 internal.
    pub code: u16,
    /// What went wrong, as a sentence.
    pub message: String,
}

impl CommandError {
    /// The command asks for what cannot be, or what this version does not do.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self { code: 2000, message: message.into() }
    }

    /// There is no dongle that could do it.
    pub fn not_ready(message: impl Into<String>) -> Self {
        Self { code: 5100, message: message.into() }
    }
}

/// What is not worth a resend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Telemetry<'a> {
    /// One advert of a matched band, whole; for laboratories.
    Advert {
        /// When its bytes arrived.
        at: Time,
        /// Which dongle heard it.
        adapter: AdapterId,
        /// Who sent it.
        band: &'a Band,
        /// As the dongle said, in dBm.
        rssi: i8,
        /// The advertising data.
        data: &'a [u8],
    },
    /// Levels of bands that the agent asked for.
    Rssi {
        /// Band, newest sample's moment, mean since the last such report in hundredths of a dBm, samples in it.
        levels: &'a [(Band, Time, i32, u32)],
    },
    /// Counters, each minute.
    Stats {
        /// By name.
        counters: &'a [(&'static str, u64)],
    },
}

/// Everything an agent needs to begin anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The moment it describes.
    pub at: Time,
    /// Under which configuration.
    pub config: Digest,
    /// Every dongle.
    pub adapters: Vec<AdapterState>,
    /// Every tracked band, in order of address.
    pub bands: Vec<BandState>,
    /// The revision of the roster in force; `None` before any.
    pub roster_rev: Option<u64>,
    /// Counters worth showing, by name.
    pub counters: Vec<(&'static str, u64)>,
}
