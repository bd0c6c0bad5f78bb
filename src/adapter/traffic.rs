//! What comes in, counted and judged in stretches.

use bgapi::PacketType;
use bgapi::gap::event::ScanResponse;

use super::constants::{EMPTY_REPORTS, EVIDENCE, GARBAGE_BYTES, WINDOW};
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
    /// Since when the counts are kept.
    since: Time,
    /// When they are judged.
    end: Time,
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
    /// Nothing came in that tells anything.
    Nothing,
    /// What came in looks sick, and is too little to tell.
    Unsure,
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
        self.window = Window { since: now, end: now + WINDOW, ..Window::default() };
    }

    /// Judges the window and begins the next, which keeps what is too little to tell.
    pub(super) fn judge(&mut self, now: Time) -> Verdict {
        let verdict = self.verdict();
        if verdict == Verdict::Unsure && now.since(self.window.since) < EVIDENCE {
            self.window.end = now + WINDOW;
        } else {
            self.restart(now);
        }
        verdict
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
        self.window.end
    }

    /// Whether the window holds frames and not much else.
    pub(super) fn is_mostly_frames(&self) -> bool {
        self.window.framed_bytes > self.window.discarded_bytes
    }

    fn verdict(&self) -> Verdict {
        let Window { reports, empty, framed_bytes, discarded_bytes, .. } = self.window;
        if discarded_bytes >= GARBAGE_BYTES && discarded_bytes > framed_bytes {
            Verdict::Sick(Trouble::Garbage)
        } else if reports >= EMPTY_REPORTS && empty == reports {
            Verdict::Sick(Trouble::EmptyAdverts)
        } else if empty < reports {
            Verdict::Well
        } else if empty > 0 || discarded_bytes > 0 {
            Verdict::Unsure
        } else {
            Verdict::Nothing
        }
    }
}

#[cfg(test)]
mod tests {
    use bgapi::{AddressType, BdAddr, ByteArray};

    use super::*;

    #[test]
    fn a_window_is_judged_by_what_ought_to_have_been_in_it() {
        use PacketType as Packet;
        let sick = Verdict::Sick;
        let cases = [
            ("nothing", Packet::ADV_IND, 0, "", 0, Verdict::Nothing),
            ("one advert", Packet::ADV_IND, 1, "x", 0, Verdict::Well),
            ("a few empty ones", Packet::ADV_NONCONN_IND, 19, "", 0, Verdict::Unsure),
            ("many empty ones", Packet::ADV_NONCONN_IND, 20, "", 0, sick(Trouble::EmptyAdverts)),
            ("directed ones, which are always empty", Packet::ADV_DIRECT_IND, 100, "", 0, Verdict::Nothing),
            ("scan responses, which may be", Packet::SCAN_RSP, 100, "", 0, Verdict::Nothing),
            ("a few lost bytes", Packet::ADV_IND, 1, "x", 255, Verdict::Well),
            ("a few lost bytes and nothing else", Packet::ADV_IND, 0, "", 1, Verdict::Unsure),
            ("more garbage than frames", Packet::ADV_IND, 1, "x", 256, sick(Trouble::Garbage)),
            ("more frames than garbage", Packet::ADV_IND, 100, "x", 256, Verdict::Well),
        ];
        for (case, packet_type, count, data, discarded, verdict) in cases {
            let mut traffic = Traffic::new(Time::ZERO);
            let report = ScanResponse {
                rssi: -60,
                packet_type,
                sender: BdAddr([1; 6]),
                address_type: AddressType::PUBLIC,
                bond: 0xff,
                data: ByteArray::new(data.as_bytes()).unwrap(),
            };
            for _ in 0..count {
                traffic.handle_frame(Time::ZERO, 15 + data.len());
                traffic.handle_report(Time::ZERO, &report);
            }
            traffic.handle_discarded(discarded);
            assert_eq!(traffic.verdict(), verdict, "{case}");
        }
    }
}
