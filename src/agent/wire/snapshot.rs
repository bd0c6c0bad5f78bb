//! A snapshot in parts, none longer than a frame may be.

use std::ops::Range;

use serde::{Serialize, Serializer};

use super::join::Adapter;
use super::length;
use super::telemetry::Counters;
use crate::agent::item;
use crate::event::{self, Auth, Band, BandState, Presence, Side};

/// Connections to bands that are free; none are offered.
const SLOTS: u32 = 0;

/// One part, as it is written.
#[derive(Serialize)]
pub(super) struct Part<'a> {
    as_of: u64,
    part: usize,
    parts: usize,
    adapters: Vec<AdapterDetail<'a>>,
    bands: Bands<'a>,
    roster_rev: Option<u64>,
    counters: Counters<'a>,
    slots: u32,
}

#[derive(Serialize)]
struct AdapterDetail<'a> {
    #[serde(flatten)]
    adapter: Adapter<'a>,
    quiet: bool,
    port: Option<&'a str>,
    error: Option<&'a str>,
}

/// Bands as a list of objects.
struct Bands<'a>(&'a [BandState]);

#[derive(Serialize)]
struct BandDetail<'a> {
    band: &'a Band,
    presence: Presence,
    side: Side,
    auth: Auth,
    authenticated: bool,
    active: bool,
    last_t: Option<u64>,
    mean_cdb: Option<i32>,
}

impl<'a> From<&'a item::Part> for Part<'a> {
    fn from(part: &'a item::Part) -> Self {
        let snapshot = &*part.snapshot;
        let first = part.part == 1;
        Self {
            as_of: part.as_of,
            part: part.part,
            parts: part.parts,
            adapters: adapters(if first { &snapshot.adapters } else { &[] }),
            bands: Bands(&snapshot.bands[part.bands.clone()]),
            roster_rev: snapshot.roster_rev,
            counters: Counters(if first { &snapshot.counters } else { &[] }),
            slots: SLOTS,
        }
    }
}

impl<'a> From<&'a BandState> for BandDetail<'a> {
    fn from(state: &'a BandState) -> Self {
        Self {
            band: &state.band,
            presence: state.presence,
            side: state.side,
            auth: state.auth,
            authenticated: state.auth == Auth::Authenticated,
            active: state.active,
            last_t: state.last.map(|at| at.as_micros()),
            mean_cdb: state.mean_cdb,
        }
    }
}

impl Serialize for Bands<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(BandDetail::from))
    }
}

impl<'a> From<&'a event::AdapterState> for AdapterDetail<'a> {
    fn from(state: &'a event::AdapterState) -> Self {
        Self { adapter: state.into(), quiet: state.quiet, port: state.port.as_deref(), error: state.error.as_deref() }
    }
}

fn adapters(states: &[event::AdapterState]) -> Vec<AdapterDetail<'_>> {
    states.iter().map(AdapterDetail::from).collect()
}

/// Cuts the bands so that every part's lists fit into `room` bytes; at least one part, if an empty one.
///
/// The first part also carries the adapters and counters. A single band that does not fit gets a part of its own.
pub(super) fn split(snapshot: &event::Snapshot, room: usize) -> Vec<Range<usize>> {
    let mut left = room.saturating_sub(length(&adapters(&snapshot.adapters)) + length(&Counters(&snapshot.counters)));
    let mut parts = Vec::new();
    let mut start = 0;
    for (index, state) in snapshot.bands.iter().enumerate() {
        let needed = length(&BandDetail::from(state)) + 1; // and a comma
        if needed > left && (index > start || parts.is_empty()) {
            parts.push(start..index);
            start = index;
            left = room;
        }
        left = left.saturating_sub(needed);
    }
    parts.push(start..snapshot.bands.len());
    parts
}
