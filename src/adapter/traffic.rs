//! What comes in, counted and judged in stretches.

use bgapi::PacketType;
use bgapi::gap::event::ScanResponse;

use super::constants::{EMPTY_REPORTS, GARBAGE_BYTES, WINDOW};
use super::trouble::Trouble;
use crate::time::Time;

/// When things last came in, and the present window.
#[derive(Debug)]
pub(super) struct Traffic {
    /// The last byte.
    pub(super) byte: Time,
    /// The last whole frame.
    pub(super) frame: Time,
    /// The last scan report; `None` before any.
    pub(super) report: Option<Time>,
    window: Window,
}

#[derive(Debug, Default)]
struct Window {
    since: Time,
    /// Reports that ought to have content.
    reports: u32,
    empty: u32,
    framed_bytes: u32,
    discarded_bytes: u32,
}

/// What a window says about the dongle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Adverts come in.
    Well,
    /// Too little came in to tell.
    Nothing,
    /// Something is wrong with what came in.
    Sick(Trouble),
}

impl Traffic {
    pub(super) fn new(now: Time) -> Self {
        let mut traffic = Self { byte: now, frame: now, report: None, window: Window::default() };
        traffic.restart(now);
        traffic
    }

    /// Begins a new window.
    pub(super) fn restart(&mut self, now: Time) {
        self.window = Window { since: now, ..Window::default() };
    }

    pub(super) fn handle_frame(&mut self, now: Time, len: usize) {
        self.frame = now;
        self.window.framed_bytes = self.window.framed_bytes.saturating_add(len as u32);
    }

    pub(super) fn handle_report(&mut self, now: Time, report: &ScanResponse<'_>) {
        self.report = Some(now);
        // Directed advertising has no data, and a scan response may have none.
        if !matches!(report.packet_type, PacketType::ADV_DIRECT_IND | PacketType::SCAN_RSP) {
            self.window.reports = self.window.reports.saturating_add(1);
            self.window.empty = self.window.empty.saturating_add(u32::from(report.data.is_empty()));
        }
    }

    pub(super) fn handle_discarded(&mut self, len: usize) {
        self.window.discarded_bytes = self.window.discarded_bytes.saturating_add(len as u32);
    }

    /// When the window is over.
    pub(super) fn window_end(&self) -> Time {
        self.window.since + WINDOW
    }

    /// Whether the window holds frames and not much else.
    pub(super) fn is_mostly_frames(&self) -> bool {
        self.window.framed_bytes > self.window.discarded_bytes
    }

    /// Judges the window.
    pub(super) fn verdict(&self) -> Verdict {
        let Window { reports, empty, framed_bytes, discarded_bytes, .. } = self.window;
        if discarded_bytes >= GARBAGE_BYTES && discarded_bytes > framed_bytes {
            Verdict::Sick(Trouble::Garbage)
        } else if reports >= EMPTY_REPORTS && empty == reports {
            Verdict::Sick(Trouble::EmptyAdverts)
        } else if empty < reports {
            Verdict::Well
        } else {
            Verdict::Nothing
        }
    }
}
