//! Ways to run the shifts: what the engine gets of them, and in how many.

use super::shift::{Input, Shift, What};
use crate::evaluate::detect::Listener;
use crate::evaluate::score::{Locks, Said, score_by};
use crate::event::AdapterId;
use crate::proximity::Settings;

/// One way to run the shifts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Column {
    /// Its key in JSON.
    pub key: &'static str,
    /// What stands above it.
    pub title: &'static str,
    /// Of so many shifts one is run so.
    pub one_of: u64,
    /// Adverts per second, in place of the band's own.
    pub rate: Option<f64>,
    /// How many dongles listen.
    pub dongles: u8,
    /// Whether the terminal's keys and mouse are told of.
    pub user_active: bool,
    /// Whether sign-ins are.
    pub signed_in: bool,
}

/// Of so many shifts one is run in the other ways as well.
const SHARE: u64 = 8;

/// Every way, the plain one first. Beside it stands the same for the few shifts that the others are run on, since only
/// that can be compared with them.
pub const COLUMNS: [Column; 7] = {
    let all =
        Column { key: "all", title: "all", one_of: 1, rate: None, dongles: 1, user_active: false, signed_in: false };
    let few = Column { key: "eighth", title: "an eighth", one_of: SHARE, ..all };
    [
        all,
        few,
        Column { key: "rate_5", title: "5/s", rate: Some(5.0), ..few },
        Column { key: "rate_10", title: "10/s", rate: Some(10.0), ..few },
        Column { key: "user_active", title: "veto", user_active: true, ..few },
        Column { key: "signed_in", title: "sign-in", signed_in: true, ..few },
        Column { key: "two_dongles", title: "2 dongles", dongles: 2, ..few },
    ]
};

impl Column {
    /// Whether the shift at this place is run so.
    pub fn has(&self, place: u64) -> bool {
        place.is_multiple_of(self.one_of)
    }

    /// Whether the same shift is the same in both.
    pub(super) fn is_as(&self, other: &Self) -> bool {
        let Self { key, title, one_of, .. } = *other;
        Self { key, title, one_of, ..*self } == *other
    }

    /// What a detector says to a shift. Time ends with the shift, not with the last that was heard.
    pub fn detect(&self, settings: &Settings, shift: &Shift) -> Said {
        let mut listener = Listener::new(settings);
        for &Input { at, what } in &shift.inputs {
            match what {
                What::Reading { adapter: AdapterId(place), .. } if place >= self.dongles => {}
                What::Reading { adapter, tenths } => listener.handle_reading(at, adapter, tenths),
                What::UserActive if self.user_active => listener.handle_user_active(at),
                What::SignedIn if self.signed_in => listener.handle_signed_in(at),
                What::UserActive | What::SignedIn => {}
            }
        }
        listener.handle_silence(shift.end());
        listener.said()
    }

    /// What comes of it, by the definitions that hold for recordings.
    pub fn score(&self, settings: &Settings, shift: &Shift) -> Locks {
        score_by(&shift.truth, &self.detect(settings, shift))
    }
}

#[cfg(test)]
mod tests;
