//! How the link is, for `status` lines, snapshots and `stats`.

use crate::time::Time;

/// Where the link stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Not connected; tried again when due.
    Waiting,
    /// A connection is being made.
    Connecting,
    /// Connected, not joined.
    Joining,
    /// Facts flow.
    Joined {
        /// Since when.
        since: Time,
    },
    /// Stopped for good.
    Stopped,
}

/// A look at the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Where it stands.
    pub phase: Phase,
    /// Facts that wait to be sent.
    pub queued: usize,
    /// Facts that are sent and not acknowledged.
    pub in_flight: usize,
    /// Whether something that was sent is not acknowledged though it should be.
    pub overdue: bool,
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What the link has counted since the daemon started; nothing is lost uncounted.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Counters {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Counters {
            /// Every counter under its name, always in the same order.
            pub fn named(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name),)*].into_iter()
            }
        }
    };
}

counters! {
    /// Facts handed in.
    facts_accepted,
    /// Facts that the agent has acknowledged.
    facts_acked,
    /// Writes of facts beyond each one's first.
    facts_resent,
    /// Facts worked into a later one of the same band and kind.
    facts_merged,
    /// Merged facts that said nothing any more.
    facts_cancelled,
    /// Facts that a snapshot says instead.
    facts_folded,
    /// Facts given up because the queue was full, or too old to matter to an agent that begins anew.
    facts_dropped,
    /// Facts that the agent refused for good.
    facts_refused,
    /// Taps that were not written within their lifetime.
    taps_expired,
    /// Acknowledgements that did not come in time.
    ack_timeouts,
    /// Snapshots sent.
    snapshots,
    /// Telemetry written.
    telemetry_sent,
    /// Telemetry dropped: not joined, or the socket congested.
    telemetry_dropped,
    /// Connections made.
    connects,
    /// Joins that succeeded.
    joins,
    /// Heartbeats that were not answered in time.
    heartbeats_missed,
    /// Messages that were ignored: no frame, not ours, an earlier join's, or unknown.
    frames_ignored,
    /// Commands that were refused or could not be read.
    commands_refused,
}
