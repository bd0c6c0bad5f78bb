//! The wall clock, which may be wrong at the start and step at any time.

use crate::clock;
use crate::endpoint::Endpoint;
use crate::log::{self, Entry};
use crate::time::Time;

/// What the wall clock was last seen to be.
#[derive(Debug)]
pub(super) struct Wall {
    is_plausible: bool,
}

impl Wall {
    /// One that is right until it is seen to be wrong.
    pub(super) fn new() -> Self {
        Self { is_plausible: true }
    }

    /// Tells the endpoint what the wall clock says, and the log if it cannot be right, or is again.
    pub(super) fn tell(&mut self, endpoint: &mut Endpoint, now: Time) {
        let wall = clock::wall_ms();
        let is_plausible = clock::is_plausible(wall);
        endpoint.handle_wall(wall - (now.as_micros() / 1_000) as i64, is_plausible);
        if std::mem::replace(&mut self.is_plausible, is_plausible) == is_plausible {
            return;
        }
        match is_plausible {
            true => log::entry!(info, target: "nbe::service", Entry::ClockSet, "the clock of this machine is set now"),
            false => log::entry!(
                warn, target: "nbe::service", Entry::ClockWrong,
                "the clock of this machine is wrong: it is before 2026; decisions do not depend on it, and events are marked \
                 unsynced until it is set"
            ),
        }
    }

    /// Whether it can be right.
    pub(super) fn is_plausible(&self) -> bool {
        self.is_plausible
    }
}
