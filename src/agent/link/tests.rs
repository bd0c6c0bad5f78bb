//! The whole link with stepped time, from facts and frames to frames and notes.

mod commands; // what the agent asks, and what it is answered
mod connection; // connecting, joining, heartbeats, slow sockets, stopping
mod delivery; // facts: numbered, acknowledged, resent, given up

use std::time::Duration;

use serde_json::json;

use crate::agent::bench::{Bench, resume};
use crate::agent::samples::{adapter, band, ms, presence, snapshot, tap, trend};
use crate::agent::{Command, Identity, Level, Note, Output, Phase, SocketInput, limits};
use crate::event::{AdapterPhase, CommandError, Fact, Presence, Side, Telemetry, Trend};

const SECOND: Duration = Duration::from_secs(1);

fn lost(reason: &str) -> Note {
    Note::Lost { reason: reason.to_owned() }
}

fn events(expected: &[(&str, u64)]) -> Vec<(String, Option<u64>)> {
    expected.iter().map(|(name, seq)| ((*name).to_owned(), Some(*seq))).collect()
}
