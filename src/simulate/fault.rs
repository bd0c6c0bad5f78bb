//! What can go wrong with a dongle.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// One thing that goes wrong, and for how long.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// For how long; zero for what happens in a moment.
    pub lasts: Duration,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum FaultKind {
    /// Each byte to the host is replaced, lost or doubled with this probability.
    Garble {
        /// 0 to 1.
        share: f64,
    },
    /// The dongle neither takes commands nor sends anything.
    Stall,
    /// It is pulled out of its socket and put back.
    Vanish {
        /// Where it comes back, if not under the same name.
        link: Option<PathBuf>,
    },
    /// It restarts without leaving the bus: one boot event, and the scan is over.
    Boot,
    /// It answers commands and hears nobody.
    Deaf,
    /// Adverts come without their data.
    Empty,
    /// Commands are answered late.
    Late {
        /// By how much.
        by: Duration,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.lasts.as_secs_f64();
        match &self.kind {
            FaultKind::Garble { share } => write!(f, "{} % of its bytes are garbled for {seconds} s", share * 100.0),
            FaultKind::Stall => write!(f, "the dongle stalls for {seconds} s"),
            FaultKind::Vanish { link: None } => write!(f, "the dongle is pulled for {seconds} s"),
            FaultKind::Vanish { link: Some(link) } => {
                write!(f, "the dongle is pulled and comes back as {} in {seconds} s", link.display())
            }
            FaultKind::Boot => write!(f, "the dongle restarts"),
            FaultKind::Deaf => write!(f, "the dongle hears nothing for {seconds} s"),
            FaultKind::Empty => write!(f, "adverts are empty for {seconds} s"),
            FaultKind::Late { by } => write!(f, "answers come {} ms late for {seconds} s", by.as_millis()),
        }
    }
}
