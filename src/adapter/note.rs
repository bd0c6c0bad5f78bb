//! What the log is told.

use std::fmt;

use bgapi::{BdAddr, ErrorCode, HardwareId};

use super::trouble::{Rung, Trouble};

/// One line for the log, said when something changes and not while it stays. Prints as a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// There is no port to open.
    Missing {
        /// Why not.
        reason: String,
    },
    /// The port could not be opened.
    NotOpened {
        /// Why not.
        message: String,
    },
    /// The port is open.
    Opened,
    /// The port is gone.
    Lost {
        /// How it showed.
        message: String,
    },
    /// The dongle has said what it is.
    Firmware {
        /// `major.minor.patch-build`.
        version: String,
        /// The kind of board.
        hardware: HardwareId,
    },
    /// The dongle has said who it is.
    Identified {
        /// Its own address.
        address: BdAddr,
    },
    /// An earlier program has left a link open; it is being closed.
    LinkOpen {
        /// To whom.
        peer: BdAddr,
    },
    /// The scan has begun.
    Scanning,
    /// The dongle is well, and nobody advertises.
    Quiet,
    /// Somebody advertises again.
    Heard,
    /// Something is wrong with the dongle.
    Trouble(Trouble),
    /// Something is done about it.
    Climbing(Rung),
    /// The trouble is over.
    Recovered,
    /// The dongle has restarted by itself.
    Booted,
    /// The dongle has thrown away bytes; the command is sent again.
    SentAgain {
        /// Its reason.
        reason: ErrorCode,
    },
}

/// How loud a [`Note`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For whoever looks for a fault.
    Debug,
    /// The story of a normal day.
    Info,
    /// Recovered, or being recovered.
    Warn,
    /// Needs a person.
    Error,
}

impl Note {
    /// How loud it is.
    pub fn level(&self) -> Level {
        match self {
            Self::SentAgain { .. } | Self::Opened => Level::Debug,
            Self::Firmware { .. } | Self::Identified { .. } | Self::Scanning | Self::Recovered => Level::Info,
            Self::Quiet | Self::Heard => Level::Info,
            Self::Missing { .. } | Self::Lost { .. } | Self::LinkOpen { .. } => Level::Warn,
            Self::Climbing(_) | Self::Booted => Level::Warn,
            Self::NotOpened { .. } | Self::Trouble(_) => Level::Error,
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { reason } => f.write_str(reason),
            Self::NotOpened { message } => f.write_str(message),
            Self::Opened => f.write_str("port opened"),
            Self::Lost { message } => write!(f, "the port is gone: {message}"),
            Self::Firmware { version, hardware } => write!(f, "firmware {version} on {hardware}"),
            Self::Identified { address } => write!(f, "the dongle is {address}"),
            Self::LinkOpen { peer } => write!(f, "closing a link to {peer} that an earlier program left open"),
            Self::Scanning => f.write_str("scanning"),
            Self::Quiet => f.write_str("nothing is heard from anyone; the dongle answers, so the room is quiet"),
            Self::Heard => f.write_str("adverts are heard again"),
            Self::Trouble(trouble) => trouble.fmt(f),
            Self::Climbing(rung) => f.write_str(match rung {
                Rung::Listen => "waiting whether it was only late",
                Rung::Rediscover => "ending the scan and beginning it again",
                Rung::Restart => "going through the start-up again",
                Rung::Reset => "resetting the dongle",
                Rung::Reopen => "closing the port to open it again later",
            }),
            Self::Recovered => f.write_str("the dongle is well again"),
            Self::Booted => f.write_str("the dongle has restarted by itself; setting it up again"),
            Self::SentAgain { reason } => {
                write!(f, "the dongle has thrown away bytes ({reason}); sending the command again")
            }
        }
    }
}
