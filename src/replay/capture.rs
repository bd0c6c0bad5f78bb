//! Streams of raw bytes: counted, or replayed at a rate since they hold no times.

use std::collections::HashSet;
use std::io::Read;

use bgapi::gap::event::ScanResponse;
use bgapi::{Decoder, Item};
use foldhash::fast::RandomState;

use super::{Counting, Outcome, ReplayError, Sink};
use crate::event::AdapterId;
use crate::proximity::{Engine, Settings};
use crate::time::Time;

/// How much is read at a time.
const PIECE: usize = 64 * 1024;

/// What a stream of bytes held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Whole frames.
    pub frames: u64,
    /// Advertisers: every address heard, or in a replay every band that came into the table.
    pub devices: u64,
    /// The levels of all scan reports, added up.
    pub rssi_sum: i64,
    /// Bytes of advertising data.
    pub data_bytes: u64,
    /// Bytes that belong to no frame.
    pub discarded_bytes: u64,
    /// Bytes of a frame that the stream ends within.
    pub cut_bytes: u64,
}

impl std::fmt::Display for Totals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { frames, devices, rssi_sum, data_bytes, discarded_bytes, cut_bytes } = self;
        write!(f, "frames={frames} devices={devices} rssi_sum={rssi_sum} data_bytes={data_bytes} ")?;
        write!(f, "discarded_bytes={discarded_bytes} cut_bytes={cut_bytes}")
    }
}

impl Totals {
    fn count(&mut self, report: &ScanResponse<'_>) {
        self.rssi_sum += i64::from(report.rssi);
        self.data_bytes += report.data.as_slice().len() as u64;
    }

    fn close(&mut self, decoder: &Decoder) {
        let stats = decoder.stats();
        self.frames = stats.frames;
        self.discarded_bytes = stats.discarded_bytes;
        self.cut_bytes = decoder.pending() as u64;
    }
}

/// Counts what a stream from a dongle holds, piece by piece.
#[derive(Debug)]
pub struct Tally {
    decoder: Decoder,
    totals: Totals,
    devices: HashSet<u64, RandomState>,
}

impl Default for Tally {
    fn default() -> Self {
        Self { decoder: Decoder::host(), totals: Totals::default(), devices: HashSet::default() }
    }
}

impl Tally {
    /// Takes the next piece of the stream.
    pub fn feed(&mut self, piece: &[u8]) {
        let mut items = self.decoder.feed(piece);
        while let Some(item) = items.next() {
            if let Item::Frame(frame) = item
                && let Some(report) = frame.get::<ScanResponse<'_>>()
            {
                self.totals.count(&report);
                self.devices.insert(report.address().key());
            }
        }
    }

    /// What was counted, the stream having ended.
    pub fn totals(mut self) -> Totals {
        self.totals.close(&self.decoder);
        self.totals.devices = self.devices.len() as u64;
        self.totals
    }
}

/// Replays a stream from a dongle as if `rate` frames had arrived each second.
///
/// # Errors
/// If it cannot be read, or the decisions cannot be written.
pub fn replay_raw(
    mut input: impl Read,
    rate: u32,
    settings: Settings,
    sink: &mut impl Sink,
) -> Result<Outcome, ReplayError> {
    let mut decoder = Decoder::host();
    let mut engine = Engine::new(settings);
    let mut counting = Counting { sink, begin: 0, outcome: Outcome::default() };
    let mut totals = Totals::default();
    let mut piece = vec![0; PIECE];
    let mut frames: u64 = 0;
    loop {
        let read = input.read(&mut piece).map_err(ReplayError::Read)?;
        if read == 0 {
            break;
        }
        let mut items = decoder.feed(&piece[..read]);
        while let Some(item) = items.next() {
            let Item::Frame(frame) = item else { continue };
            let at = Time::from_micros(frames * 1_000_000 / u64::from(rate.max(1)));
            frames += 1;
            match frame.get::<ScanResponse<'_>>() {
                Some(report) => {
                    totals.count(&report);
                    engine.handle_report(at, AdapterId(0), &report);
                }
                // Time goes on with every frame, and silence with it.
                None => engine.handle_timeout(at),
            }
            counting.drain(&mut engine)?;
        }
    }
    totals.close(&decoder);
    totals.devices = engine.counters().tracked;
    counting.outcome.totals = totals;
    counting.outcome.invalid = engine.counters().invalid;
    Ok(counting.outcome)
}
