//! Why a virtual dongle cannot be.

use std::io;
use std::path::PathBuf;

use super::scenario_file::ScenarioError;

/// Why a virtual dongle cannot start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// The scenario is wrong.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The place of the link is taken.
    #[error("{} is not a link, and only a link is replaced", .link.display())]
    NotALink {
        /// What is there.
        link: PathBuf,
    },
    /// The link cannot be made.
    #[error("cannot make the link {}", .link.display())]
    Link {
        /// Where it was to be.
        link: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The system has no pseudo-terminal to give.
    #[error("cannot make a pseudo-terminal")]
    Pty(#[source] io::Error),
    /// The system does not give the named pipe.
    #[error("cannot make the pipe {}", .name.display())]
    Pipe {
        /// Its name.
        name: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The given device cannot be the dongle's port.
    #[error("cannot use {} as the dongle's port", .device.display())]
    Device {
        /// The device.
        device: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The port stopped working.
    #[error("the port failed")]
    Port(#[source] io::Error),
    /// The system refuses the thread that the dongle runs in.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
    /// The process cannot be told to stop.
    #[error("cannot listen for signals")]
    Signals(#[source] io::Error),
}

impl SimulateError {
    /// What to do about it, as a sentence, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Scenario(ScenarioError::Wrong { .. }) => Some("docs/SCENARIOS.md names every key and its range"),
            Self::NotALink { .. } => Some("choose a path where nothing is yet, such as /tmp/dongle"),
            Self::Link { .. } => Some("choose a path in a directory that exists and that you may write to"),
            Self::Pipe { .. } => Some("choose a name that no other program has, such as \\\\.\\pipe\\dongle"),
            Self::Device { .. } => Some("name a serial device that exists and that you may open"),
            Self::Scenario(ScenarioError::Read { .. })
            | Self::Pty(_)
            | Self::Port(_)
            | Self::Thread(_)
            | Self::Signals(_) => None,
        }
    }
}
