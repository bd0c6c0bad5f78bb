//! Labelled recordings: levels with the distance at which they were heard, and what a detector gets to see of them.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use crate::proximity::RANGE;
use crate::time::Time;

/// Fewer rows say too little about locks.
pub const LOCK_ROWS: usize = 20;

/// Where the band truly is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// At the terminal: at most the trace's `near_m` away.
    Present,
    /// Between, or nobody knows: either state is right.
    Grey,
    /// Away from it: at least the trace's `far_m`.
    Away,
}

/// What a row's label says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Label {
    /// Nothing that is scored.
    #[default]
    Other,
    /// `tap`: the band is held to the antenna.
    Tap,
    /// `nearmiss`: it is held near the antenna and is not to be taken for a tap.
    NearMiss,
}

/// One row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// When, from the first row of the recording on.
    pub at: Time,
    /// The level as recorded, in dBm: above -127 and below 0.
    pub dbm: f64,
    /// The true distance, in metres; `None` where nobody knows.
    pub distance_m: Option<f64>,
    /// What the row is labelled.
    pub label: Label,
}

/// A labelled recording.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// The file's name without its ending; what it begins with says of which kind it is.
    pub name: String,
    /// Who recorded it, where the header says so.
    pub source: Option<String>,
    /// The recording's own time at [`Time::ZERO`], in µs.
    pub begin_us: i64,
    /// In order of time.
    pub rows: Vec<Row>,
    /// Up to here the band is present, in metres.
    pub near_m: Option<f64>,
    /// From here on it is away, in metres.
    pub far_m: Option<f64>,
    /// Added to every level, in dB: how this radio differs from the one the settings are for.
    pub site_offset_db: f64,
    /// The same for traces of taps, which are calibrated at the antenna.
    pub tap_offset_db: f64,
    /// The first and the last moment of each tap; thinning neither moves nor splits them.
    pub contacts: Vec<(Time, Time)>,
}

impl Trace {
    /// Whether it is a trace of taps, by its name.
    pub fn is_tap(&self) -> bool {
        self.name.starts_with("tapsim")
    }

    /// Whether locks are scored in it; of a trace that has lost adverts, the rows that are left must do.
    pub fn is_lock(&self) -> bool {
        !self.is_tap() && self.near_m.is_some() && self.far_m.is_some() && self.rows.len() >= LOCK_ROWS
    }

    /// Where the band is from this row to the next.
    pub fn truth(&self, row: &Row) -> Truth {
        match (row.distance_m, self.near_m, self.far_m) {
            (Some(distance), Some(near), _) if distance <= near => Truth::Present,
            (Some(distance), _, Some(far)) if distance >= far => Truth::Away,
            _ => Truth::Grey,
        }
    }

    /// The levels as a detector gets them, in tenths of a dBm: calibrated, off by `shift_db`, rounded, and clipped to
    /// what a dongle can report.
    pub fn samples(&self, shift_db: f64) -> impl Iterator<Item = (Time, i32)> + '_ {
        let offset = shift_db + if self.is_tap() { self.tap_offset_db } else { self.site_offset_db };
        let range = RANGE.start().tenths()..=RANGE.end().tenths();
        self.rows.iter().map(move |row| (row.at, tenths(row.dbm + offset).clamp(*range.start(), *range.end())))
    }

    /// The runs of rows labelled [`Label::Tap`], each from its first to its last moment.
    pub fn contacts_in(rows: &[Row]) -> Vec<(Time, Time)> {
        let runs = rows.chunk_by(|a, b| a.label == b.label).filter(|run| run[0].label == Label::Tap);
        runs.map(|run| (run[0].at, run[run.len() - 1].at)).collect()
    }
}

/// A share of the adverts that is lost, always the same ones for a name and a seed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thin {
    /// Which share, 0 to 1.
    pub share: f64,
    /// Which of the many ways to lose it.
    pub seed: u32,
}

impl Thin {
    /// Whether the row at this place of a trace is lost.
    ///
    /// It is where the first four bytes, big-endian, of SHA-256 of `name:place:seed` are below that share of 2³².
    pub fn drops(self, name: &str, place: usize) -> bool {
        let digest = Sha256::digest(format!("{name}:{place}:{}", self.seed));
        let first = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
        f64::from(first) < self.share * 4_294_967_296.0
    }
}

/// What is made worse for a detector.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stress {
    /// An error of calibration, in dB.
    pub shift_db: f64,
    /// Lost adverts.
    pub thin: Option<Thin>,
}

impl Stress {
    /// The trace without the rows that are lost.
    pub fn thin<'a>(&self, trace: &'a Trace) -> Cow<'a, Trace> {
        let Some(thin) = self.thin else { return Cow::Borrowed(trace) };
        let kept = trace.rows.iter().enumerate().filter(|(place, _)| !thin.drops(&trace.name, *place));
        let rows = kept.map(|(_, row)| *row).collect();
        let Trace { name, source, contacts, .. } = trace;
        let (name, source, contacts) = (name.clone(), source.clone(), contacts.clone());
        Cow::Owned(Trace { name, source, contacts, rows, ..*trace })
    }
}

/// A level in tenths of a dBm, rounded to the nearest; exactly between two, to the even one.
///
/// The product alone will not do: -60.15 is a little above its decimal form, and ten times it is not.
fn tenths(dbm: f64) -> i32 {
    let nearest = (dbm * 10.0).round_ties_even();
    let excess = dbm.mul_add(10.0, -nearest); // of the exact product
    let step = if excess.abs() > 0.5 { excess.signum() } else { 0.0 };
    (nearest + step) as i32
}

#[cfg(test)]
mod tests;
