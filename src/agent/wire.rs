//! The daemon's own protocol as JSON: names, envelope, frames.
//!
//! Everything is written straight from the daemon's types; no tree of values is built in between. Integers only.

mod join;
mod payload;
mod snapshot;
mod telemetry;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::Identity;
use super::item::Item;
use crate::event::{AdapterId, AdapterState, Digest, Fact, Snapshot, Telemetry};
use crate::phoenix;
use crate::time::Time;

/// The protocol's major version.
pub(super) const VERSION: u32 = 1;

/// Room for what stands around the lists of a fact: the frame, the envelope with every number at its longest, the other
/// fields. The topic and the boot id come on top.
const AROUND: usize = 512;

/// The names of all events, in both directions.
pub(super) mod name {
    /// The whole state, in parts.
    pub(in crate::agent) const SNAPSHOT: &str = "snapshot";
    /// The daemon itself.
    pub(in crate::agent) const ENDPOINT_STATE: &str = "endpoint.state";
    /// A dongle.
    pub(in crate::agent) const ADAPTER_STATE: &str = "adapter.state";
    /// Heard, or not any more.
    pub(in crate::agent) const BAND_PRESENCE: &str = "band.presence";
    /// What the roster knows about the wearer.
    pub(in crate::agent) const BAND_AUTH: &str = "band.auth";
    /// A tap.
    pub(in crate::agent) const BAND_TAP: &str = "band.tap";
    /// A tap that is too old to act.
    pub(in crate::agent) const BAND_TAP_EXPIRED: &str = "band.tap.expired";
    /// Near, still near, or away.
    pub(in crate::agent) const BAND_TREND: &str = "band.trend";
    /// In place of a refused fact.
    pub(in crate::agent) const FACT_DROPPED: &str = "fact.dropped";
    /// What became of a roster.
    pub(in crate::agent) const ROSTER_ACK: &str = "roster.ack";
    /// What became of a command.
    pub(in crate::agent) const COMMAND_RESULT: &str = "cmd.result";
    /// Telemetry: levels.
    pub(in crate::agent) const RSSI: &str = "rssi";
    /// Telemetry: counters.
    pub(in crate::agent) const STATS: &str = "stats";
    /// Telemetry: one advert.
    pub(in crate::agent) const ADVERT: &str = "advert";

    /// A whole roster.
    pub(in crate::agent) const ROSTER_SET: &str = "roster.set";
    /// Changes to the roster.
    pub(in crate::agent) const ROSTER_PATCH: &str = "roster.patch";
    /// The whole state is wanted.
    pub(in crate::agent) const SNAPSHOT_GET: &str = "snapshot.get";
    /// Levels are wanted.
    pub(in crate::agent) const TELEMETRY_SET: &str = "telemetry.set";
    /// Keyboard or mouse was used.
    pub(in crate::agent) const USER_ACTIVE: &str = "user.active";
    /// A wearer is at the terminal.
    pub(in crate::agent) const USER_SIGNED_IN: &str = "user.signed_in";
    /// Thresholds for a while.
    pub(in crate::agent) const TUNE: &str = "tune";
    /// Anything else to do.
    pub(in crate::agent) const COMMAND: &str = "cmd";
    /// Another daemon has our id.
    pub(in crate::agent) const SUPERSEDED: &str = "superseded";
}

/// The wall clock beside the daemon's own.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wall {
    /// UTC in ms at [`Time::ZERO`].
    pub(super) offset_ms: i64,
    /// Whether something keeps it right.
    pub(super) synced: bool,
}

/// What every frame of one join has in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Writer<'a> {
    pub(super) topic: &'a str,
    pub(super) join_ref: &'a str,
    pub(super) boot: &'a str,
    pub(super) wall: Wall,
}

/// The number of a fact and how often it was written before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) seq: u64,
    pub(super) re: u32,
}

/// What a join says besides who we are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Joining<'a> {
    pub(super) identity: &'a Identity,
    pub(super) adapters: &'a [AdapterState],
    pub(super) next_seq: u64,
    pub(super) oldest_seq: u64,
    pub(super) roster_rev: Option<u64>,
}

impl Writer<'_> {
    /// The frame that joins; its ref is the join's own.
    pub(super) fn join(&self, joining: &Joining<'_>) -> String {
        phoenix::write(
            Some(self.join_ref),
            Some(self.join_ref),
            self.topic,
            phoenix::event::JOIN,
            &join::Params::from(joining),
        )
    }

    /// A fact's frame, written at `now`.
    pub(super) fn fact(&self, now: Time, reference: u64, number: Number, item: &Item) -> String {
        let (adapter, config) = match item {
            Item::Fact(Fact::Band(decision)) | Item::TapExpired(decision) => (decision.adapter, Some(decision.config)),
            Item::Fact(Fact::Adapter { state, .. }) => (Some(state.id), None),
            Item::Snapshot(part) => (None, Some(part.snapshot.config)),
            Item::Fact(_) | Item::Dropped { .. } => (None, None),
        };
        let event = Event {
            seq: Some(number.seq),
            adapter,
            cfg: config,
            re: Some(number.re),
            ..self.event(now, item.at(), payload::Payload::from(item))
        };
        phoenix::write(Some(self.join_ref), Some(&reference.to_string()), self.topic, item.name(), &event)
    }

    /// A telemetry frame, written at `now`; it has no ref, since nobody waits for an answer.
    pub(super) fn telemetry(&self, now: Time, telemetry: &Telemetry<'_>) -> String {
        let (name, at, adapter) = match telemetry {
            Telemetry::Advert { at, adapter, .. } => (name::ADVERT, *at, Some(*adapter)),
            Telemetry::Rssi { .. } => (name::RSSI, now, None),
            Telemetry::Stats { .. } => (name::STATS, now, None),
        };
        let event = Event { adapter, ..self.event(now, at, telemetry::Payload::from(telemetry)) };
        phoenix::write(Some(self.join_ref), None, self.topic, name, &event)
    }

    /// Cuts a snapshot's bands so that no part's frame is longer than `limit` bytes.
    pub(super) fn split(&self, snapshot: &Snapshot, limit: usize) -> Vec<Range<usize>> {
        snapshot::split(snapshot, self.room(limit))
    }

    /// As many of these names, first to last, as a frame of `limit` bytes has room for.
    pub(super) fn fitting<'a>(&self, names: impl Iterator<Item = &'a Arc<str>>, limit: usize) -> Vec<Arc<str>> {
        let mut left = self.room(limit);
        let fits = |name: &&Arc<str>| {
            let needed = length(name) + 1; // and a comma
            let fits = needed <= left;
            left = left.saturating_sub(needed);
            fits
        };
        names.take_while(fits).cloned().collect()
    }

    /// What a frame of `limit` bytes has left for lists.
    fn room(&self, limit: usize) -> usize {
        limit.saturating_sub(AROUND + length(&self.topic) + length(&self.boot))
    }

    fn event<P>(&self, now: Time, at: Time, payload: P) -> Event<'_, P> {
        let at_ms = i64::try_from(at.as_micros() / 1_000).unwrap_or(i64::MAX);
        Event {
            v: VERSION,
            boot: self.boot,
            seq: None,
            t: at.as_micros(),
            wall: self.wall.offset_ms.saturating_add(at_ms),
            clock: if self.wall.synced { "ok" } else { "unsynced" },
            sent: now.as_micros(),
            adapter: None,
            cfg: None,
            re: None,
            payload,
        }
    }
}

/// The envelope and what is in it.
#[derive(Serialize)]
struct Event<'a, P> {
    v: u32,
    boot: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    t: u64,
    wall: i64,
    clock: &'static str,
    sent: u64,
    #[serde(serialize_with = "as_text")]
    adapter: Option<AdapterId>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_text")]
    cfg: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    re: Option<u32>,
    #[serde(flatten)]
    payload: P,
}

/// Writes what can be printed as a JSON string, and nothing as null.
fn as_text<T: std::fmt::Display, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}

/// Writes what can be printed as a JSON string.
fn as_string<T: std::fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// How long a value's JSON is, in bytes.
fn length(value: &impl Serialize) -> usize {
    serde_json::to_vec(value).map_or(0, |json| json.len())
}
