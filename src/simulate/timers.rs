//! The chip's soft timers.

use std::collections::BTreeMap;
use std::time::Duration;

use bgapi::ErrorCode;
use bgapi::hardware::command::SetSoftTimer;
use bgapi::hardware::event::SoftTimer;

use super::output::Output;
use crate::time::Time;

/// The running timers by their handles.
#[derive(Clone, Debug, Default)]
pub(super) struct SoftTimers(BTreeMap<u8, Timer>);

#[derive(Clone, Copy, Debug)]
struct Timer {
    due: Time,
    period: Option<Duration>,
}

impl SoftTimers {
    /// The rate of the crystal that timers count.
    pub(super) const TICKS_PER_SECOND: u64 = 32_768;

    /// No timer runs faster, since no program could follow it. No source gives the chip's limit.
    const SHORTEST: Duration = Duration::from_millis(1);

    pub(super) fn set(&mut self, now: Time, command: SetSoftTimer) -> ErrorCode {
        let SetSoftTimer { time, handle, single_shot } = command;
        if single_shot > 1 {
            return ErrorCode::INVALID_PARAM;
        }
        if time == 0 {
            self.0.remove(&handle);
            return ErrorCode::SUCCESS;
        }
        let span = Duration::from_micros(u64::from(time) * 1_000_000 / Self::TICKS_PER_SECOND).max(Self::SHORTEST);
        self.0.insert(handle, Timer { due: now + span, period: (single_shot == 0).then_some(span) });
        ErrorCode::SUCCESS
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.0.values().map(|timer| timer.due).min()
    }

    /// Fires what is due, each timer once however late it is.
    pub(super) fn handle_timeout(&mut self, now: Time, out: &mut Output) {
        self.0.retain(|&handle, timer| {
            if timer.due > now {
                return true;
            }
            if !out.is_full() {
                out.send(&SoftTimer { handle });
            }
            timer.due = now + timer.period.unwrap_or_default();
            timer.period.is_some()
        });
    }
}
