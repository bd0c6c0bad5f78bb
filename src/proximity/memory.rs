//! What was learnt of bands that are not heard just now, and the form in which all of it is kept.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use bgapi::{Address, AddressType, BdAddr};
use serde::{Deserialize, Serialize};

use super::adaptive::Lesson;
use super::classic::Cutoffs;
use crate::time::Time;

/// The most bands of which anything is kept.
pub const MAX_LEARNT: usize = 256;
/// The most dongles at which anything is kept of one band.
const MAX_DONGLES: u8 = 4;
/// How long what was learnt of a band is kept unheard, in days.
const KEPT_DAYS: u32 = 30;
/// The form's version.
const VERSION: u32 = 1;
/// What is kept never takes more bytes than this.
pub const MAX_BYTES: usize = 512 * 1024;

/// What was learnt of one band at one dongle, and when that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Wire")]
pub struct Learnt {
    /// The band.
    pub band: Address,
    /// The dongle, by its own address.
    pub dongle: BdAddr,
    /// Under which settings.
    pub under: Under,
    /// What.
    pub lesson: Lesson,
    /// The day when the band was last heard there, counted from 1970; `None` where the clock was wrong.
    pub day: Option<u32>,
}

/// The settings that what is learnt depends on, in hundredths of a dB(m).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Under {
    /// `rssi_cutoff_close`.
    pub close_cdb: i32,
    /// `rssi_cutoff_far`.
    pub far_cdb: i32,
    /// The dongle's `rssi_offset_db`.
    pub offset_cdb: i32,
}

impl Under {
    pub(super) fn new(cutoffs: Cutoffs, offset_tenths: i16) -> Self {
        let (close_cdb, far_cdb) = (cutoffs.close().cdb(), cutoffs.far().cdb());
        Self { close_cdb, far_cdb, offset_cdb: i32::from(offset_tenths) * 10 }
    }

    /// Whether these are the cutoffs.
    pub(super) fn has_cutoffs(self, cutoffs: Cutoffs) -> bool {
        self == Self { offset_cdb: self.offset_cdb, ..Self::new(cutoffs, 0) }
    }
}

/// A record as it is written.
#[derive(Serialize, Deserialize)]
struct Wire {
    band: String,
    band_type: String,
    dongle: String,
    under: Under,
    learnt: Lesson,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    day: Option<u32>,
}

impl From<Learnt> for Wire {
    fn from(learnt: Learnt) -> Self {
        let Learnt { band, dongle, under, lesson, day } = learnt;
        let band_type = if band.address_type == AddressType::PUBLIC { "public" } else { "random" }.to_owned();
        Self { band: band.bytes.to_string(), band_type, dongle: dongle.to_string(), under, learnt: lesson, day }
    }
}

/// A record that nothing learnt can look like.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("nobody can have learnt this")]
struct Impossible;

impl TryFrom<Wire> for Learnt {
    type Error = Impossible;

    fn try_from(wire: Wire) -> Result<Self, Impossible> {
        let address_type = match wire.band_type.as_str() {
            "public" => AddressType::PUBLIC,
            "random" => AddressType::RANDOM,
            _ => return Err(Impossible),
        };
        if !wire.learnt.is_possible(wire.under.far_cdb) {
            return Err(Impossible);
        }
        let band = Address { bytes: wire.band.parse().map_err(|_| Impossible)?, address_type };
        let dongle = wire.dongle.parse().map_err(|_| Impossible)?;
        Ok(Self { band, dongle, under: wire.under, lesson: wire.learnt, day: wire.day })
    }
}

impl Learnt {
    /// This record with a day that can be, unless its band was unheard for too long; all of them while nobody knows
    /// which day it is.
    pub fn in_time(self, today: Option<u32>) -> Option<Self> {
        let Some(today) = today else { return Some(self) };
        let day = self.day.unwrap_or(today).min(today);
        (today - day <= KEPT_DAYS).then_some(Self { day: Some(day), ..self })
    }

    fn key(&self) -> (u64, u64) {
        (self.band.key(), self.dongle.to_u64())
    }
}

/// What is kept, as it is written.
#[derive(Serialize, Deserialize)]
struct File<T> {
    version: u32,
    learnt: Vec<T>,
}

/// Why nothing can be made of what was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is no file of ours, or a part of one.
    #[error("it is damaged")]
    Damaged,
    /// It is of another version of this program.
    #[error("it is in form {0}, and this program knows form {VERSION}")]
    Version(u32),
}

/// All records as they are kept.
pub fn to_json(learnt: &[Learnt]) -> Vec<u8> {
    let records: Vec<String> = learnt.iter().filter_map(|record| serde_json::to_string(record).ok()).collect();
    format!("{{\"version\":{VERSION},\"learnt\":[\n{}\n]}}\n", records.join(",\n")).into_bytes()
}

/// The records that were kept, but for those that nobody can have learnt, and how many of those there are.
///
/// # Errors
/// If it is no list of records, or of another version.
pub fn from_json(bytes: &[u8]) -> Result<(Vec<Learnt>, usize), Unreadable> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u32,
    }
    if bytes.len() > MAX_BYTES {
        return Err(Unreadable::Damaged);
    }
    let Versioned { version } = serde_json::from_slice(bytes).map_err(|_| Unreadable::Damaged)?;
    if version != VERSION {
        return Err(Unreadable::Version(version));
    }
    let file: File<serde_json::Value> = serde_json::from_slice(bytes).map_err(|_| Unreadable::Damaged)?;
    let all = file.learnt.len();
    let possible = file.learnt.into_iter().filter_map(|record| serde_json::from_value(record).ok());
    let learnt = bounded(possible);
    let dropped = all - learnt.len();
    Ok((learnt, dropped))
}

/// The first record of each band and dongle, up to the bounds.
pub(super) fn bounded(records: impl Iterator<Item = Learnt>) -> Vec<Learnt> {
    let mut known = HashSet::new();
    let mut dongles: HashMap<u64, u8> = HashMap::new();
    let mut kept = Vec::new();
    for record in records.filter(|record| known.insert(record.key())) {
        let band = record.band.key();
        if dongles.len() < MAX_LEARNT || dongles.contains_key(&band) {
            let count = dongles.entry(band).or_default();
            if *count < MAX_DONGLES {
                *count += 1;
                kept.push(record);
            }
        }
    }
    kept
}

/// What was learnt of bands and dongles that are not in the engine's table, in no order.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Each with the moment when the band was last heard there, if that was in this run.
    records: Vec<(Option<Time>, Learnt)>,
}

impl Memory {
    /// Keeps a record in place of an older one of the same band and dongle; the one unheard for longest makes room.
    pub(super) fn put(&mut self, at: Option<Time>, learnt: Learnt) {
        self.records.retain(|(_, record)| record.key() != learnt.key());
        if self.records.len() >= MAX_LEARNT * usize::from(MAX_DONGLES)
            && let Some(oldest) = (0..self.records.len()).min_by_key(|&place| age(&self.records[place]))
        {
            self.records.swap_remove(oldest);
        }
        self.records.push((at, learnt));
    }

    /// Takes out what was learnt of a band at a dongle.
    pub(super) fn take(&mut self, band: u64, dongle: BdAddr) -> Option<Learnt> {
        let place = self.records.iter().position(|(_, record)| record.key() == (band, dongle.to_u64()))?;
        Some(self.records.swap_remove(place).1)
    }

    /// Forgets all records but those meant.
    pub(super) fn retain(&mut self, mut is_meant: impl FnMut(&Learnt) -> bool) {
        self.records.retain(|(_, record)| is_meant(record));
    }

    /// These records and those in here, the newest heard first, each with its day.
    pub(super) fn with(
        &self,
        mut live: Vec<(Option<Time>, Learnt)>,
        day: impl Fn(Time) -> Option<u32>,
    ) -> impl Iterator<Item = Learnt> {
        live.extend(&self.records);
        live.sort_by_key(|record| Reverse((age(record), record.1.key())));
        live.into_iter().map(move |(at, learnt)| Learnt { day: at.map_or(learnt.day, &day), ..learnt })
    }
}

/// By which the newest heard is the greatest.
fn age((at, learnt): &(Option<Time>, Learnt)) -> (Option<Time>, Option<u32>) {
    (*at, learnt.day)
}

#[cfg(test)]
mod tests;
