//! What takes a place in the send window, and what may become of it.

use std::ops::Range;
use std::sync::Arc;

use super::limits;
use super::wire::name;
use crate::event::{Conclusion, Decision, Fact, Snapshot};
use crate::time::Time;

/// One numbered thing for the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// As it was handed in.
    Fact(Fact),
    /// A tap that was not written within its lifetime; for the records only.
    TapExpired(Decision),
    /// A part of a snapshot.
    Snapshot(Part),
    /// In place of something that the agent refused for good.
    Dropped {
        /// When it was given up.
        at: Time,
        /// The event name of what was refused.
        kind: &'static str,
        /// In the agent's words.
        reason: String,
    },
}

/// Some bands of a snapshot; the first part also has everything else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) snapshot: Arc<Snapshot>,
    /// The last seq whose state the snapshot includes.
    pub(super) as_of: u64,
    /// From 1.
    pub(super) part: usize,
    pub(super) parts: usize,
    pub(super) bands: Range<usize>,
}

/// What may become of an item while it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// A gesture: never merged, never folded, leaves by age only.
    Tap,
    /// State: a snapshot says it too.
    State,
    /// Anything else that must be said: answers, the daemon's own state, what was given up.
    Record,
}

impl Item {
    /// The event's name on the wire.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Fact(Fact::Band(decision)) => match decision.conclusion {
                Conclusion::Presence { .. } => name::BAND_PRESENCE,
                Conclusion::Tap { .. } => name::BAND_TAP,
                Conclusion::Trend { .. } => name::BAND_TREND,
                Conclusion::Auth { .. } => name::BAND_AUTH,
            },
            Self::Fact(Fact::Adapter { .. }) => name::ADAPTER_STATE,
            Self::Fact(Fact::Endpoint { .. }) => name::ENDPOINT_STATE,
            Self::Fact(Fact::RosterAck { .. }) => name::ROSTER_ACK,
            Self::Fact(Fact::CommandResult { .. }) => name::COMMAND_RESULT,
            Self::TapExpired(_) => name::BAND_TAP_EXPIRED,
            Self::Snapshot(_) => name::SNAPSHOT,
            Self::Dropped { .. } => name::FACT_DROPPED,
        }
    }

    pub(super) fn class(&self) -> Class {
        match self {
            Self::Fact(Fact::Band(decision)) => match decision.conclusion {
                Conclusion::Tap { .. } => Class::Tap,
                _ => Class::State,
            },
            Self::Fact(Fact::Adapter { .. }) | Self::Snapshot(_) => Class::State,
            Self::Fact(_) | Self::TapExpired(_) | Self::Dropped { .. } => Class::Record,
        }
    }

    /// The moment of decision.
    pub(super) fn at(&self) -> Time {
        match self {
            Self::Fact(Fact::Band(decision)) | Self::TapExpired(decision) => decision.at,
            Self::Fact(
                Fact::Adapter { at, .. }
                | Fact::Endpoint { at, .. }
                | Fact::RosterAck { at, .. }
                | Fact::CommandResult { at, .. },
            )
            | Self::Dropped { at, .. } => *at,
            Self::Snapshot(part) => part.snapshot.at,
        }
    }

    /// Whether it was handed in, rather than made here.
    pub(super) fn is_fact(&self) -> bool {
        matches!(self, Self::Fact(_) | Self::TapExpired(_))
    }

    /// Whether it is a tap that cannot act any more.
    pub(super) fn is_old_tap(&self, now: Time) -> bool {
        match self {
            Self::Fact(Fact::Band(decision)) => {
                matches!(decision.conclusion, Conclusion::Tap { .. }) && now.since(decision.at) >= limits::TAP_TTL
            }
            _ => false,
        }
    }
}
