//! Recordings as files have them: `#` header lines, a line of column names, and rows `t_s,rssi_dbm,distance_m,label`.

use super::trace::{Label, Row, Trace};
use crate::time::Time;

/// The longest line that is taken.
pub const MAX_LINE: usize = 64 * 1024;

/// The most rows that are taken of one file: more than five days at ten a second.
pub const MAX_ROWS: usize = 5_000_000;

/// Further away than this, in metres, no Bluetooth is heard.
const MAX_DISTANCE_M: f64 = 100_000.0;

/// Larger offsets, in dB, are no calibration.
const MAX_OFFSET_DB: f64 = 200.0;

/// A recording that was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recording {
    /// Its rows and its truth.
    pub trace: Trace,
    /// Rows that were left out because their level is none.
    pub no_readings: u64,
}

/// Why a recording is of no use, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}\n  try: {cure}")]
pub struct ReadError {
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
    /// What to do.
    pub cure: &'static str,
}

const CURE_TIME: &str = "t_s is seconds in the order they passed; sort the rows, or cut where the clock was set back";
const CURE_ROW: &str = "a row is t_s,rssi_dbm,distance_m,label; the last two may be empty";
const CURE_DISTANCE: &str = "distance_m is in metres; leave it empty where nobody knows";
const CURE_HEADER: &str = "write it as in `# near_m: 2.5`, with far_m no less than near_m and offsets in dB";
const CURE_TWO: &str =
    "if two recordings were put together, cut them apart; if not, write every header line once, above the first row";
const CURE_SIZE: &str = "cut the recording into several files";
const CURE_TRUTH: &str =
    "record how far away the band was: a column distance_m with `# near_m:` and `# far_m:` above, or rows labelled tap";

/// Reads a recording.
///
/// # Errors
/// The first line that is of no use; a recording whose truth is in doubt is not scored in part.
pub fn read(name: &str, text: &str) -> Result<Recording, ReadError> {
    let text = text.trim_start_matches('\u{feff}');
    let mistaken = |place, (what, cure)| ReadError { line: place + 1, what, cure };
    let mut reader = Reader::new(name);
    for (place, line) in text.lines().enumerate() {
        reader.take(line).map_err(|mistake| mistaken(place, mistake))?;
    }
    // What a whole file lacks is told where its rows or their column names begin.
    let top = || text.lines().position(|line| !line.trim().is_empty() && !line.trim().starts_with('#'));
    reader.finish().map_err(|mistake| mistaken(top().unwrap_or(0), mistake))
}

/// What is wrong with a line, and what to do.
type Mistake = (String, &'static str);

struct Reader {
    recording: Recording,
    columns: Columns,
}

/// Where the columns stand in a row.
struct Columns {
    t_s: usize,
    rssi_dbm: usize,
    distance_m: Option<usize>,
    label: Option<usize>,
}

impl Columns {
    /// Takes a line of column names, if it is one.
    fn named(line: &str) -> Option<Self> {
        let place = |name: &str| line.split(',').position(|column| column.trim() == name);
        let (t_s, rssi_dbm) = (place("t_s")?, place("rssi_dbm")?);
        Some(Self { t_s, rssi_dbm, distance_m: place("distance_m"), label: place("label") })
    }
}

impl Reader {
    fn new(name: &str) -> Self {
        let trace = Trace { name: name.to_owned(), ..Trace::default() };
        let columns = Columns { t_s: 0, rssi_dbm: 1, distance_m: Some(2), label: Some(3) };
        Self { recording: Recording { trace, no_readings: 0 }, columns }
    }

    fn take(&mut self, line: &str) -> Result<(), Mistake> {
        if line.len() > MAX_LINE {
            return Err((format!("the line is longer than {} KiB", MAX_LINE / 1024), CURE_ROW));
        }
        let line = line.trim();
        if let Some(header) = line.strip_prefix('#') {
            return self.take_header(header);
        }
        if line.is_empty() {
            return Ok(());
        }
        if let Some(columns) = Columns::named(line) {
            self.columns = columns;
            return Ok(());
        }
        self.take_row(line)
    }

    /// Takes a header line; once there are rows it may repeat what is known, and say nothing else.
    fn take_header(&mut self, header: &str) -> Result<(), Mistake> {
        let Some((key, value)) = header.split_once(':') else { return Ok(()) };
        let (key, value) = (key.trim(), value.trim());
        let within = |range: std::ops::RangeInclusive<f64>| match value.parse::<f64>() {
            Ok(number) if range.contains(&number) => Ok(number),
            _ => Err((
                format!("{key} must be {} to {}, found {}", range.start(), range.end(), brief(value)),
                CURE_HEADER,
            )),
        };
        let trace = &mut self.recording.trace;
        let meaning = |trace: &Trace| {
            let Trace { source, near_m, far_m, site_offset_db, tap_offset_db, .. } = trace;
            (source.clone(), *near_m, *far_m, *site_offset_db, *tap_offset_db)
        };
        let before = (!trace.rows.is_empty()).then(|| meaning(trace));
        match key {
            "source" => trace.source = Some(value.chars().take(200).collect()),
            "near_m" => trace.near_m = Some(within(0.0..=MAX_DISTANCE_M)?),
            "far_m" => trace.far_m = Some(within(0.0..=MAX_DISTANCE_M)?),
            "site_offset_db" => trace.site_offset_db = within(-MAX_OFFSET_DB..=MAX_OFFSET_DB)?,
            "tap_offset_db" => trace.tap_offset_db = within(-MAX_OFFSET_DB..=MAX_OFFSET_DB)?,
            _ => {}
        }
        if before.is_some_and(|before| before != meaning(trace)) {
            return Err((format!("{key} is another than for the rows above"), CURE_TWO));
        }
        match (trace.near_m, trace.far_m) {
            (Some(near), Some(far)) if far < near => {
                Err((format!("far_m {far} is less than near_m {near}"), CURE_HEADER))
            }
            _ => Ok(()),
        }
    }

    fn take_row(&mut self, line: &str) -> Result<(), Mistake> {
        let text = |column: Option<usize>| column.and_then(|column| line.split(',').nth(column)).unwrap_or("").trim();
        let number = |column: usize, name: &str| {
            let found = text(Some(column));
            let number = found.parse::<f64>().ok().filter(|number| !number.is_nan());
            number.ok_or_else(|| (format!("{name} is not a number: {}", brief(found)), CURE_ROW))
        };
        let (t_s, dbm) = (number(self.columns.t_s, "t_s")?, number(self.columns.rssi_dbm, "rssi_dbm")?);
        if t_s.abs() > 1e12 {
            return Err((format!("t_s is out of range: {t_s:e}"), CURE_TIME));
        }
        if dbm <= -127.0 || dbm >= 0.0 {
            self.recording.no_readings += 1;
            return Ok(());
        }
        let distance_m = match text(self.columns.distance_m) {
            "" => None,
            found => match found.parse::<f64>() {
                Ok(distance) if (0.0..=MAX_DISTANCE_M).contains(&distance) => Some(distance),
                _ => return Err((format!("distance_m is no distance: {}", brief(found)), CURE_DISTANCE)),
            },
        };
        let label = match text(self.columns.label) {
            "tap" => Label::Tap,
            "nearmiss" => Label::NearMiss,
            _ => Label::Other,
        };
        let Trace { begin_us, rows, .. } = &mut self.recording.trace;
        if rows.len() == MAX_ROWS {
            return Err((format!("more than {MAX_ROWS} rows"), CURE_SIZE));
        }
        let t_us = (t_s * 1e6).round() as i64; // t_s is bounded, so it fits
        if rows.is_empty() {
            *begin_us = t_us;
        }
        let at = u64::try_from(t_us - *begin_us).ok().map(Time::from_micros);
        match at.filter(|at| rows.last().is_none_or(|last| last.at <= *at)) {
            Some(at) => rows.push(Row { at, dbm, distance_m, label }),
            None => return Err((format!("t_s goes back, to {t_s}"), CURE_TIME)),
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Recording, Mistake> {
        let trace = &mut self.recording.trace;
        trace.contacts = Trace::contacts_in(&trace.rows);
        if trace.rows.is_empty() {
            return Err(("the file has no readings".into(), CURE_ROW));
        }
        if trace.contacts.is_empty() && trace.rows.iter().all(|row| row.distance_m.is_none()) {
            return Err(("the file does not say where the band truly was".into(), CURE_TRUTH));
        }
        Ok(self.recording)
    }
}

/// The beginning of what was found, as it may be printed.
fn brief(found: &str) -> String {
    format!("{:?}", found.chars().take(40).collect::<String>())
}

#[cfg(test)]
mod tests;
