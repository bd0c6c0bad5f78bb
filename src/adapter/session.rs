//! The session with one dongle: from "there may be a port" to believed scan reports, whatever the dongle does.
//!
//! ```text
//! Opening ──► Starting ──► Scanning ◄──────────┐
//!    ▲            │ no answer  │ silence, garbage, empty adverts
//!    │            ▼            ▼               │
//!  Closed ◄── the ladder: listen, rediscover, restart, reset, reopen
//! ```

use std::time::Duration;

use bgapi::gap::event::ScanResponse;
use bgapi::{BdAddr, Decoder, Encoded, Item, Items};

use super::constants::FRAME_GAP;
use super::counters::Counters;
use super::dongle::Dongle;
use super::note::Note;
use crate::event::{AdapterId, AdapterState};
use crate::time::Time;

/// How the dongle listens. In ticks of 625 µs within [`bgapi::gap::SCAN_TICKS`], the window at most the interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScanSettings {
    /// From the begin of one window to the next.
    pub interval_ticks: u16,
    /// How long to listen on one channel.
    pub window_ticks: u16,
    /// Whether scannable advertisers are asked for their scan response.
    pub active: bool,
}

/// Which dongle will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Whichever the port leads to.
    Any,
    /// The one with this address of its own; another is refused with [`Output::Reject`].
    Address(BdAddr),
}

/// What became of the port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortInput {
    /// A port is there and is being opened.
    Found {
        /// Its name.
        port: String,
    },
    /// There is none; the shell waits for one.
    Missing {
        /// Why, as a sentence.
        reason: String,
    },
    /// The port is open.
    Opened,
    /// The port cannot be opened; the shell does not try again by itself.
    OpenFailed {
        /// In which way.
        failure: OpenFailure,
        /// Why and what to do, as a sentence.
        message: String,
    },
    /// The port was open and is gone.
    Lost {
        /// How it showed.
        message: String,
    },
    /// Another device has come in place of the one behind the closed port.
    Replugged,
}

/// The ways in which a port cannot be opened that are treated differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenFailure {
    /// Another program holds it.
    Busy {
        /// Which, by name and process id.
        holder: Option<String>,
    },
    /// No permission.
    Denied,
    /// It is not there any more.
    Gone,
    /// Any other.
    Other,
}

/// What the shell is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Find a port and open it, waiting for one as long as it takes.
    Open,
    /// Write to the port.
    Write(Encoded),
    /// Discard what waits in the port's queues, in both directions.
    Flush,
    /// Close the port at once, and stop looking for one.
    Close,
    /// Close the port for a while, offer others first then, and say if another device comes in its place.
    Rest,
    /// Close the port, and offer others first: this one leads to the wrong dongle.
    Reject,
    /// Tell the agent and the engine how the dongle is.
    State(AdapterState),
    /// Tell the log.
    Note(Note),
}

/// The session with one dongle, for ever.
#[derive(Debug)]
pub struct Session {
    decoder: Decoder,
    dongle: Dongle,
    /// Whether a frame has paused for so long that it is cut short, if nothing more of it waits to be read.
    overdue: bool,
}

impl Session {
    /// A session that wants a port: its first output is [`Output::Open`].
    pub fn new(id: AdapterId, wanted: Wanted, scan: ScanSettings, now: Time) -> Self {
        Self { decoder: Decoder::host(), dongle: Dongle::new(id, wanted, scan, now), overdue: false }
    }

    /// Takes what became of the port.
    pub fn handle_port(&mut self, now: Time, input: PortInput) {
        if input == PortInput::Opened {
            self.dongle.counters.add(self.decoder.stats());
            self.decoder = Decoder::host();
            self.overdue = false;
        }
        self.dongle.handle_port(now, input);
        self.dongle.restate();
    }

    /// Takes bytes from the port. Every scan report of a dongle that is known to be the right one goes to `heard`.
    pub fn handle_bytes(&mut self, now: Time, bytes: &[u8], heard: &mut impl FnMut(Time, &ScanResponse<'_>)) {
        let Self { decoder, dongle, overdue } = self;
        // However long ago the last ones were read: they may have waited for us and not we for them.
        *overdue = false;
        dongle.traffic.byte = now;
        dongle.counters.bytes += bytes.len() as u64;
        drain(decoder.feed(bytes), dongle, now, heard);
        dongle.judge(now);
        dongle.restate();
    }

    /// Takes other scan settings over, at once where it scans.
    pub fn handle_settings(&mut self, now: Time, scan: ScanSettings) {
        self.dongle.handle_settings(now, scan);
        self.dongle.restate();
    }

    /// Resets the dongle because somebody asks for it; false if there is none to reset.
    pub fn reset(&mut self, now: Time) -> bool {
        let open = self.dongle.reset(now);
        self.dongle.restate();
        open
    }

    /// Does what is due; to be called when [`Session::poll_timeout`] is.
    pub fn handle_timeout(&mut self, now: Time) {
        let dongle = &mut self.dongle;
        self.overdue |= self.decoder.pending() > 0 && now.since(dongle.traffic.byte) > FRAME_GAP;
        if dongle.due().is_some_and(|due| due <= now) {
            dongle.handle_due(now);
        }
        dongle.restate();
    }

    /// Whether [`Session::handle_empty`] waits to be called.
    pub fn is_overdue(&self) -> bool {
        self.overdue
    }

    /// Takes it that there is nothing to read: a frame that has paused for long is cut short.
    pub fn handle_empty(&mut self, now: Time) {
        if std::mem::take(&mut self.overdue) {
            // A frame found behind a false beginning is old; what it says counts, a level in it does not.
            drain(self.decoder.quiet(), &mut self.dongle, now, &mut |_, _| {});
            self.dongle.restate();
        }
    }

    /// The next moment at which something is to be done though nothing comes in.
    pub fn poll_timeout(&self) -> Option<Time> {
        let gap = (self.decoder.pending() > 0 && !self.overdue).then(|| self.dongle.traffic.byte + FRAME_GAP);
        // Strictly later: a frame may pause for as long as the gap.
        let gap = gap.map(|gap| gap + Duration::from_micros(1));
        [gap, self.dongle.due()].into_iter().flatten().min()
    }

    /// Ends the scan as far as that takes no waiting, and closes the port. Nothing is said afterwards.
    pub fn stop(&mut self) {
        self.dongle.stop();
    }

    /// What is to be done, oldest first.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.dongle.outputs.pop_front()
    }

    /// How the dongle is.
    pub fn state(&self) -> &AdapterState {
        &self.dongle.state
    }

    /// Whether the dongle scans and answers.
    pub fn is_well(&self) -> bool {
        self.dongle.is_well()
    }

    /// What was counted since the session began.
    pub fn counters(&self) -> Counters {
        let mut counters = self.dongle.counters;
        counters.add(self.decoder.stats());
        counters
    }
}

fn drain(mut items: Items<'_, '_>, dongle: &mut Dongle, now: Time, heard: &mut impl FnMut(Time, &ScanResponse<'_>)) {
    while let Some(item) = items.next() {
        match item {
            Item::Frame(frame) => {
                dongle.traffic.handle_frame(now, frame.as_bytes().len());
                match frame.get::<ScanResponse<'_>>() {
                    Some(report) => {
                        dongle.handle_report(now, &report);
                        if dongle.known {
                            heard(now, &report);
                        }
                    }
                    None => dongle.handle_frame(now, frame),
                }
            }
            Item::Discarded(bytes) => {
                dongle.traffic.handle_discarded(bytes.len());
                dongle.evidence.handle_discarded(bytes);
            }
        }
    }
}
