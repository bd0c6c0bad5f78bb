//! What can be wrong with a dongle, and what is done about it, in order.

use std::fmt;
use std::time::Duration;

use bgapi::{BdAddr, ErrorCode};

use super::constants::{BACK_OFF, BACK_OFF_MAX};

/// What is wrong with the device on an open port. Prints as a sentence and what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It has sent nothing at all since the port was opened.
    NeverAnswered,
    /// It does not answer, though it has sent something.
    NoAnswer,
    /// It speaks the API of a later chip family.
    Gecko,
    /// It sends readable text.
    Text,
    /// It sends back what it is sent.
    Echo,
    /// Most of what it sends is no BGAPI.
    Garbage,
    /// It reports adverts and none has content.
    EmptyAdverts,
    /// It refuses a command of the start-up.
    Refused {
        /// Which.
        command: &'static str,
        /// With this outcome.
        code: ErrorCode,
    },
    /// It restarts again and again.
    Restarts,
    /// It is another dongle than the one asked for.
    WrongAddress {
        /// The one it is.
        found: BdAddr,
        /// The one asked for.
        wanted: BdAddr,
    },
}

impl Trouble {
    /// Whether it is known that a reset cannot help, since the device is no dongle of this kind.
    fn is_foreign(self) -> bool {
        matches!(self, Self::Gecko | Self::Text | Self::Echo)
    }

    /// Whether the dongle answers all the same, so that only a window of its scan tells that this is over.
    pub(super) fn shows_while_scanning(self) -> bool {
        matches!(self, Self::Garbage | Self::EmptyAdverts | Self::Restarts)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverAnswered => f.write_str(
                "the port was opened, but nothing has answered so far; a busy dongle can answer late. If this stays, \
                 see that the port is a BLED112 (`nbe ports`), then unplug the dongle and plug it in again",
            ),
            Self::NoAnswer => f.write_str(
                "the dongle does not answer. It is being brought back; if this stays, unplug it and plug it in again",
            ),
            Self::Gecko => f.write_str(
                "the device looks like a Gecko chip (BGM or EFR32), which speaks another API. Choose the port of a \
                 BLED112 (`nbe ports`)",
            ),
            Self::Text => f.write_str(
                "the device prints text: either it is no BLED112, or one that was reflashed with a script. Choose \
                 another port (`nbe ports`), or flash the dongle with the vendor's stock \"usbcdc\" firmware",
            ),
            Self::Echo => f.write_str(
                "the port sends our own commands back: it is looped, or a terminal with echo. Choose the port of a \
                 BLED112 (`nbe ports`)",
            ),
            Self::Garbage => f.write_str(
                "most of what the device sends makes no sense. If this stays, try another USB port without a hub or \
                 a long cable, and see that no other program reads the same port",
            ),
            Self::EmptyAdverts => f.write_str(
                "the dongle reports adverts without any content. It is being brought back; if this stays, unplug it \
                 and plug it in again",
            ),
            Self::Refused { command, code } => write!(
                f,
                "the dongle refuses {command}: {}. If this stays, unplug it and plug it in again; its firmware may be \
                 too old or not the stock one",
                code
            ),
            Self::Restarts => f.write_str(
                "the dongle restarts again and again. Try another USB port: this one may not supply enough power",
            ),
            Self::WrongAddress { found, wanted } => write!(
                f,
                "this dongle is {found}, and {wanted} is asked for. Plug that one in, or correct the address under \
                 [[adapter]]"
            ),
        }
    }
}

/// What is done about trouble, from the mildest to the strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rung {
    /// Wait and read on.
    Listen,
    /// End the scan and begin it again.
    Rediscover,
    /// Go through the whole start-up sequence.
    Restart,
    /// Reset the dongle.
    Reset,
    /// Close the port, wait, and open it again.
    Reopen,
}

/// How far up the ladder it is.
#[derive(Debug, Default)]
pub(super) struct Ladder {
    /// What is wrong, until the dongle is seen to be well.
    pub(super) trouble: Option<Trouble>,
    /// The rung reached; it is remembered after the trouble seems over, until [`Ladder::clear`].
    rung: Option<Rung>,
    rounds: u32,
    /// The rung reached against silence alone, with a dongle that answers; until somebody is heard or it is in trouble.
    pub(super) silence: Option<Rung>,
}

impl Ladder {
    /// Steps onto the next rung; from the top one to the lowest again.
    pub(super) fn climb(&mut self, trouble: Trouble) -> Rung {
        let next = match self.rung {
            None | Some(Rung::Reopen) => Rung::Listen,
            Some(Rung::Listen) => Rung::Rediscover,
            Some(Rung::Rediscover) => Rung::Restart,
            Some(Rung::Restart) if trouble.is_foreign() => Rung::Reopen,
            Some(Rung::Restart) => Rung::Reset,
            Some(Rung::Reset) => Rung::Reopen,
        };
        // It has forgotten all it was told: nothing less than the start-up makes it scan.
        let next = if trouble == Trouble::Restarts { next.max(Rung::Restart) } else { next };
        self.trouble = Some(trouble);
        self.step(next);
        next
    }

    /// Steps onto a rung.
    pub(super) fn step(&mut self, rung: Rung) {
        self.rounds += u32::from(rung == Rung::Reopen);
        self.rung = Some(rung);
    }

    /// Whether every rung has been tried.
    pub(super) fn is_exhausted(&self) -> bool {
        self.rounds > 0
    }

    /// Whether the present rung is tried for the first time; later the log would only repeat itself.
    pub(super) fn is_in_first_round(&self) -> bool {
        self.rounds == 0 || (self.rounds == 1 && self.rung == Some(Rung::Reopen))
    }

    /// How long the port is to stay closed this time.
    pub(super) fn back_off(&self) -> Duration {
        (BACK_OFF * (1 << self.rounds.saturating_sub(1).min(10))).min(BACK_OFF_MAX)
    }

    /// The dongle is well.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rungs(trouble: Trouble, count: usize) -> Vec<Rung> {
        let mut ladder = Ladder::default();
        (0..count).map(|_| ladder.climb(trouble)).collect()
    }

    #[test]
    fn every_rung_is_tried_and_then_all_again() {
        use Rung::{Listen, Rediscover, Reopen, Reset, Restart};
        assert_eq!(rungs(Trouble::NoAnswer, 6), [Listen, Rediscover, Restart, Reset, Reopen, Listen]);
        assert_eq!(rungs(Trouble::Text, 5), [Listen, Rediscover, Restart, Reopen, Listen], "not ours to reset");
        assert_eq!(rungs(Trouble::Restarts, 4), [Restart, Reset, Reopen, Restart], "it has forgotten its scan");
    }

    #[test]
    fn the_back_off_doubles_up_to_its_bound() {
        let mut ladder = Ladder::default();
        let mut pauses = Vec::new();
        for _ in 0..40 {
            while ladder.climb(Trouble::NoAnswer) != Rung::Reopen {}
            pauses.push(ladder.back_off().as_secs());
        }
        assert_eq!(pauses[..7], [1, 2, 4, 8, 16, 30, 30]);
        assert!(pauses[7..].iter().all(|&secs| secs == 30));
    }
}
