//! What the agent asks of this daemon, in types.

use std::sync::Arc;
use std::time::Duration;

use bgapi::Address;

use crate::roster::Roster;

/// Something the agent asks for and the rest of the daemon must do.
///
/// A command with a `req` is answered with [`crate::event::Fact::CommandResult`] under the same name; the link answers
/// everything else (rosters, snapshots, what nobody can do) by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// This roster is in force from now on; patches are already worked in, and the agent has its answer.
    Roster(Arc<Roster>),
    /// Levels are wanted for a while.
    Telemetry {
        /// The agent's name for the command.
        req: Arc<str>,
        /// Reports per band and second, already within the agreed limit; 0 ends them.
        rssi_hz: u32,
        /// Of these bands only; `None`: of every tracked one.
        bands: Option<Vec<Address>>,
        /// For how long.
        lasting: Duration,
    },
    /// Keyboard or mouse was used; nothing is answered.
    UserActive {
        /// By this wearer, where known.
        band: Option<Address>,
        /// How long ago.
        age: Duration,
    },
    /// This wearer is at the terminal now, and near.
    UserSignedIn {
        /// The agent's name for the command.
        req: Arc<str>,
        /// Whose band.
        band: Address,
    },
    /// The dongle is to be brought up anew.
    AdapterReset {
        /// The agent's name for the command.
        req: Arc<str>,
        /// To be done within this time.
        deadline: Duration,
    },
}
