//! What the engine says to samples: the daemon's own, fed as `nbe replay` feeds it.

use std::time::Duration;

use bgapi::{Address, AddressType, BdAddr};

use super::score::{Locks, Said, Taps, score_locks, score_taps};
use super::trace::{Stress, Trace};
use crate::event::{AdapterId, Auth, Conclusion, Presence, Trend};
use crate::proximity::{Engine, Settings};
use crate::roster::{Entry, Mode, Roster};
use crate::time::Time;

/// The band of every trace; a recording names none.
const BAND: Address = Address { bytes: BdAddr([0; 6]), address_type: AddressType::PUBLIC };

/// An engine that follows the one band, and what it says.
#[derive(Debug)]
pub(super) struct Listener {
    engine: Engine,
    said: Said,
}

impl Listener {
    pub(super) fn new(settings: &Settings) -> Self {
        let mut engine = Engine::new(settings.clone());
        let entry = Entry { id: "trace".into(), address: Some(BAND), active: true, auth: Auth::Unknown };
        engine.handle_roster(Time::ZERO, &Roster { rev: 0, mode: Mode::Listed, entries: vec![entry] });
        Self { engine, said: Said::default() }
    }

    /// Takes one reading, in tenths of a dBm.
    pub(super) fn handle_reading(&mut self, at: Time, adapter: AdapterId, tenths: i32) {
        self.engine.handle_reading(at, adapter, BAND, tenths);
        self.listen();
    }

    /// Takes that somebody just used the terminal's keys or mouse.
    pub(super) fn handle_user_active(&mut self, at: Time) {
        self.engine.handle_user_active(at, None, Duration::ZERO);
        self.listen();
    }

    /// Takes that the wearer signed in; where there are no sides the engine refuses, and nothing is said anyway.
    pub(super) fn handle_signed_in(&mut self, at: Time) {
        let _ = self.engine.handle_signed_in(at, BAND);
        self.listen();
    }

    /// Lets time pass in silence.
    pub(super) fn handle_silence(&mut self, until: Time) {
        self.engine.handle_timeout(until);
        self.listen();
    }

    pub(super) fn said(self) -> Said {
        self.said
    }

    fn listen(&mut self) {
        let Self { engine, said } = self;
        while let Some(decision) = engine.poll_decision() {
            match decision.conclusion {
                Conclusion::Tap { .. } => said.taps.push(decision.at),
                Conclusion::Trend { after, .. } => said.changes.push((decision.at, after == Trend::Away)),
                Conclusion::Presence { after: Presence::Absent, .. } => said.changes.push((decision.at, true)),
                Conclusion::Presence { after: Presence::Present, .. } | Conclusion::Auth { .. } => {}
            }
        }
    }
}

/// Puts samples, in tenths of a dBm and in order of time, through an engine of their own.
///
/// Time ends with the last sample: what would follow from silence after it is not said.
pub fn detect(settings: &Settings, samples: impl IntoIterator<Item = (Time, i32)>) -> Said {
    let mut listener = Listener::new(settings);
    for (at, tenths) in samples {
        listener.handle_reading(at, AdapterId(0), tenths);
    }
    listener.said()
}

/// What is counted in one trace under stress.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scored {
    /// Locks; `None` where the trace says too little about them.
    pub locks: Option<Locks>,
    /// Taps.
    pub taps: Taps,
}

/// Runs one detector over one trace under stress, and scores what it says.
pub fn score(trace: &Trace, settings: &Settings, stress: Stress) -> Scored {
    let trace = stress.thin(trace);
    let said = detect(settings, trace.samples(stress.shift_db));
    Scored { locks: trace.is_lock().then(|| score_locks(&trace, &said)), taps: score_taps(&trace, &said) }
}

#[cfg(test)]
mod tests;
