//! A recording through the engine: a stream of raw bytes or a list of readings in, decisions out.
//!
//! The engine is the daemon's own, and time comes from the recording, so a day takes seconds and always ends the same.

mod capture;
mod readings;

use std::io::{BufRead, Write};

use bgapi::{Address, AddressType, BdAddr};
use serde::Serialize;

use crate::event::{AdapterId, Auth, Band, Conclusion, Decision, Presence, Trend, Why};
use crate::proximity::{Engine, Settings};
use crate::roster::{Entry, Mode, Roster};
use crate::time::Time;

pub use capture::{Tally, Totals, replay_raw};
pub use readings::{ReadingError, Readings};

/// What some programs put before the first character of a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What kind of recording some bytes begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bytes of a dongle: the first is that of a header.
    Raw,
    /// Text: `t_s,rssi_dbm,…` with `#` header lines.
    Readings,
}

impl Kind {
    /// Tells by the first bytes; every BGAPI header begins with one that no text has.
    pub fn of(beginning: &[u8]) -> Self {
        match beginning
            .strip_prefix(BYTE_ORDER_MARK)
            .unwrap_or(beginning)
            .iter()
            .find(|byte| !byte.is_ascii_whitespace())
        {
            Some(byte) if byte.is_ascii_graphic() => Self::Readings,
            _ => Self::Raw,
        }
    }
}

/// How a replay ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Frames, devices and bytes of raw bytes.
    pub totals: Totals,
    /// Readings of a list.
    pub readings: u64,
    /// Taps concluded.
    pub taps: u64,
    /// Changes of side, restatements not counted.
    pub trends: u64,
    /// Changes of presence.
    pub presences: u64,
    /// Lines that could not be read, with the reason of the first few.
    pub mistakes: Vec<ReadingError>,
    /// How many such lines there were in all.
    pub unreadable: u64,
    /// Readings that are no level, such as +127.
    pub invalid: u64,
    /// How often the time of a reading lies before that of an earlier one.
    pub backward: u64,
}

/// The most mistakes that are kept with their reason.
const MISTAKES_KEPT: usize = 5;

/// Why a replay could not go on.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The recording could not be read.
    #[error("cannot read the recording")]
    Read(#[source] std::io::Error),
    /// The decisions could not be written.
    #[error("cannot write the decisions")]
    Write(#[source] std::io::Error),
    /// A list of readings without readings.
    #[error("the file has no readings: expected lines `t_s,rssi_dbm,…` after any `#` lines")]
    Empty {
        /// What is wrong with the first line that could have been one.
        #[source]
        first: Option<ReadingError>,
    },
}

/// Where the decisions of a replay go.
pub trait Sink {
    /// Takes one decision; `t_s` is on the recording's own time axis.
    ///
    /// # Errors
    /// If it cannot be written.
    fn take(&mut self, t_s: f64, decision: &Decision) -> std::io::Result<()>;
}

/// One JSON object per line.
#[derive(Debug)]
pub struct Json<W>(pub W);

/// One readable line per decision.
#[derive(Debug)]
pub struct Text<W>(pub W);

/// Nothing; for counting.
#[derive(Debug)]
pub struct Silent;

#[derive(Serialize)]
struct Line<'a> {
    t_s: f64,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<After>,
    band: &'a Band,
    why: &'a Why,
}

#[derive(Serialize)]
#[serde(untagged)]
enum After {
    Presence(Presence),
    Trend(Trend),
    Auth(Auth),
}

impl<W: Write> Sink for Json<W> {
    fn take(&mut self, t_s: f64, decision: &Decision) -> std::io::Result<()> {
        let (event, after) = match decision.conclusion {
            Conclusion::Presence { after, .. } => ("band.presence", Some(After::Presence(after))),
            Conclusion::Tap { .. } => ("band.tap", None),
            Conclusion::Trend { after, .. } => ("band.trend", Some(After::Trend(after))),
            Conclusion::Auth { after, .. } => ("band.auth", Some(After::Auth(after))),
        };
        serde_json::to_writer(&mut self.0, &Line { t_s, event, after, band: &decision.band, why: &decision.why })?;
        self.0.write_all(b"\n")
    }
}

impl<W: Write> Sink for Text<W> {
    fn take(&mut self, t_s: f64, decision: &Decision) -> std::io::Result<()> {
        writeln!(self.0, "{t_s:>12.3}  {decision}")
    }
}

impl Sink for Silent {
    fn take(&mut self, _: f64, _: &Decision) -> std::io::Result<()> {
        Ok(())
    }
}

/// Passes decisions on and counts them.
struct Counting<'a, S> {
    sink: &'a mut S,
    /// The recording's own time at [`Time::ZERO`], in µs.
    begin: i64,
    outcome: Outcome,
}

impl<S: Sink> Counting<'_, S> {
    fn drain(&mut self, engine: &mut Engine) -> Result<(), ReplayError> {
        while let Some(decision) = engine.poll_decision() {
            match decision.conclusion {
                Conclusion::Tap { .. } => self.outcome.taps += 1,
                Conclusion::Trend { after: Trend::Hold, .. } | Conclusion::Auth { .. } => {}
                Conclusion::Trend { .. } => self.outcome.trends += 1,
                Conclusion::Presence { .. } => self.outcome.presences += 1,
            }
            let micros = self.begin + decision.at.as_micros() as i64;
            self.sink.take(micros as f64 / 1e6, &decision).map_err(ReplayError::Write)?;
        }
        Ok(())
    }
}

/// Replays a list of readings.
///
/// # Errors
/// If it cannot be read, holds no readings, or the decisions cannot be written. Lines that are no readings are counted
/// in the outcome and left out.
pub fn replay_readings(input: impl BufRead, settings: Settings, sink: &mut impl Sink) -> Result<Outcome, ReplayError> {
    // The list names no band, so it is one of its own.
    let band = Address { bytes: BdAddr([0; 6]), address_type: AddressType::PUBLIC };
    let mut engine = Engine::new(settings);
    let entry = Entry { id: "csv".into(), address: Some(band), active: true, auth: Auth::Unknown };
    engine.handle_roster(Time::ZERO, &Roster { rev: 0, mode: Mode::Listed, entries: vec![entry] });
    let mut counting = Counting { sink, begin: 0, outcome: Outcome::default() };
    let mut begin = None;
    let mut latest = i64::MIN;
    let mut now = Time::ZERO;
    for reading in Readings::new(input) {
        let reading = match reading.map_err(ReplayError::Read)? {
            Ok(reading) => reading,
            Err(mistake) => {
                counting.outcome.unreadable += 1;
                if counting.outcome.mistakes.len() < MISTAKES_KEPT {
                    counting.outcome.mistakes.push(mistake);
                }
                continue;
            }
        };
        counting.begin = *begin.get_or_insert(reading.t_us);
        // A clock that was set back while recording must not bring old silence forward.
        let at = Time::from_micros(u64::try_from(reading.t_us - counting.begin).unwrap_or(0));
        counting.outcome.backward += u64::from(reading.t_us < latest);
        latest = latest.max(reading.t_us);
        now = now.max(at);
        engine.handle_reading(now, AdapterId(0), band, reading.tenths);
        counting.outcome.readings += 1;
        counting.drain(&mut engine)?;
    }
    if begin.is_none() {
        return Err(ReplayError::Empty { first: counting.outcome.mistakes.into_iter().next() });
    }
    counting.outcome.invalid = engine.counters().invalid;
    Ok(counting.outcome)
}
