//! The payload of every fact.

use std::sync::Arc;

use bgapi::BdAddr;
use serde::Serialize;

use super::as_text;
use super::snapshot::Part;
use crate::agent::item::Item;
use crate::agent::limits;
use crate::event::{
    AdapterPhase, Auth, Band, CommandError, Conclusion, Decision, EndpointPhase, Fact, Presence, PresenceReason, Side,
    Trend, Why,
};

/// What a fact says beyond the envelope.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Payload<'a> {
    Presence(BandPresence<'a>),
    Auth(BandAuth<'a>),
    Tap(BandTap<'a>),
    Trend(BandTrend<'a>),
    Adapter(AdapterState<'a>),
    Endpoint(EndpointState<'a>),
    RosterAck(RosterAck<'a>),
    CommandResult(CommandResult<'a>),
    Snapshot(Part<'a>),
    Dropped(FactDropped<'a>),
}

#[derive(Serialize)]
pub(super) struct BandPresence<'a> {
    band: &'a Band,
    before: Presence,
    after: Presence,
    age_ms: u64,
    reason: PresenceReason,
}

#[derive(Serialize)]
pub(super) struct BandAuth<'a> {
    band: &'a Band,
    before: Auth,
    after: Auth,
}

/// A tap, in time or expired.
#[derive(Serialize)]
pub(super) struct BandTap<'a> {
    band: &'a Band,
    mean_cdb: i32,
    peak_cdb: i32,
    samples: u32,
    span_ms: u64,
    threshold_cdb: i32,
    ttl_ms: u128,
    authenticated: bool,
    why: &'a Why,
}

#[derive(Serialize)]
pub(super) struct BandTrend<'a> {
    band: &'a Band,
    before: Side,
    after: Trend,
    mean_cdb: Option<i32>,
    slope_cdb: Option<i32>,
    samples: u32,
    authenticated: bool,
    why: &'a Why,
}

#[derive(Serialize)]
pub(super) struct AdapterState<'a> {
    state: AdapterPhase,
    quiet: bool,
    port: Option<&'a str>,
    #[serde(serialize_with = "as_text")]
    addr: Option<BdAddr>,
    firmware: Option<&'a str>,
    error: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct EndpointState<'a> {
    state: EndpointPhase,
    reason: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct RosterAck<'a> {
    rev: u64,
    accepted: bool,
    have: Option<u64>,
    unknown: &'a [Arc<str>],
}

#[derive(Serialize)]
pub(super) struct CommandResult<'a> {
    req: &'a str,
    status: &'static str,
    code: u16,
    data: Message<'a>,
}

/// What there is to say about a command: nothing, or what went wrong.
#[derive(Serialize)]
struct Message<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct FactDropped<'a> {
    kind: &'static str,
    reason: &'a str,
}

impl<'a> From<&'a Item> for Payload<'a> {
    fn from(item: &'a Item) -> Self {
        match item {
            Item::Fact(fact) => fact.into(),
            Item::TapExpired(decision) => decision.into(),
            Item::Snapshot(part) => Self::Snapshot(part.into()),
            Item::Dropped { kind, reason, .. } => Self::Dropped(FactDropped { kind, reason }),
        }
    }
}

impl<'a> From<&'a Fact> for Payload<'a> {
    fn from(fact: &'a Fact) -> Self {
        match fact {
            Fact::Band(decision) => decision.into(),
            Fact::Adapter { state, .. } => Self::Adapter(AdapterState {
                state: state.phase,
                quiet: state.quiet,
                port: state.port.as_deref(),
                addr: state.address,
                firmware: state.firmware.as_deref(),
                error: state.error.as_deref(),
            }),
            Fact::Endpoint { phase, reason, .. } => {
                Self::Endpoint(EndpointState { state: *phase, reason: reason.as_deref() })
            }
            Fact::RosterAck { rev, accepted, have, unknown, .. } => {
                Self::RosterAck(RosterAck { rev: *rev, accepted: *accepted, have: *have, unknown })
            }
            Fact::CommandResult { req, outcome, .. } => {
                let (status, code, message) = match outcome {
                    Ok(()) => ("ok", 0, None),
                    Err(CommandError { code, message }) => ("error", *code, Some(message.as_str())),
                };
                Self::CommandResult(CommandResult { req, status, code, data: Message { message } })
            }
        }
    }
}

impl<'a> From<&'a Decision> for Payload<'a> {
    fn from(decision: &'a Decision) -> Self {
        let Decision { band, authenticated, why, .. } = decision;
        let authenticated = *authenticated;
        match decision.conclusion {
            Conclusion::Presence { before, after, reason } => {
                Self::Presence(BandPresence { band, before, after, age_ms: why.age_ms, reason })
            }
            Conclusion::Auth { before, after } => Self::Auth(BandAuth { band, before, after }),
            Conclusion::Tap { mean_cdb, peak_cdb, samples, span_ms, threshold_cdb } => Self::Tap(BandTap {
                band,
                mean_cdb,
                peak_cdb,
                samples,
                span_ms,
                threshold_cdb,
                ttl_ms: limits::TAP_TTL.as_millis(),
                authenticated,
                why,
            }),
            Conclusion::Trend { before, after, mean_cdb, slope_cdb, samples } => {
                Self::Trend(BandTrend { band, before, after, mean_cdb, slope_cdb, samples, authenticated, why })
            }
        }
    }
}
