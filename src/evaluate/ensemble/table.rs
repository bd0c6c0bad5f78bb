//! What came of all shifts, for a person and for a script.

use std::fmt::{self, Display};

use serde_json::{Map, Value, json};

use super::check::Check;
use super::column::COLUMNS;
use super::rows::{Cell, LINES, Line, cells};
use super::run::{Outcome, Run};
use super::shift::HOURS;
use crate::evaluate::numbers::json_number;
use crate::evaluate::score::Locks;

/// All there is to say, in lines of at most 100 columns.
#[derive(Debug)]
pub struct Report<'a> {
    run: &'a Run,
    /// By detector and column.
    columns: Vec<[Summary; COLUMNS.len()]>,
}

/// One detector in one column.
#[derive(Clone, Debug)]
struct Summary {
    shifts: usize,
    all: Locks,
    cells: [Cell; LINES.len()],
}

impl Summary {
    fn new(shifts: &[Locks]) -> Self {
        let mut all = Locks::default();
        shifts.iter().for_each(|locks| all.add(locks));
        Self { shifts: shifts.len(), all, cells: cells(shifts) }
    }

    fn hours(&self) -> [f64; 3] {
        [self.all.present, self.all.away, self.all.grey].map(|span| span.as_secs_f64() / 3600.0)
    }
}

/// How a value stands to where it must be.
fn mark(line: &Line, value: f64) -> &'static str {
    match value {
        none if none.is_nan() => "",
        good if good <= line.aim => "+",
        enough if enough <= line.must => "",
        _ => "!",
    }
}

impl<'a> Report<'a> {
    /// The report of a run.
    pub fn new(run: &'a Run, outcome: &Outcome) -> Self {
        let columns = outcome.iter().map(|columns| columns.each_ref().map(|shifts| Summary::new(shifts)));
        Self { run, columns: columns.collect() }
    }

    /// The same for a script, with what stands beside the shifts.
    pub fn json(&self, check: Option<&Check>) -> Value {
        let seeds = self.run.half.seeds(self.run.shifts);
        let detectors = self.run.detectors.iter().zip(&self.columns).map(|(detector, columns)| {
            let of_columns = COLUMNS.iter().zip(columns);
            let columns = of_columns.map(|(column, summary)| (column.key.to_owned(), summary_json(summary)));
            (detector.name.to_owned(), Value::Object(columns.collect()))
        });
        json!({
            "half": self.run.half.name(),
            "shifts": self.run.shifts,
            "shift_h": HOURS,
            "first_seed": seeds.start,
            "last_seed": seeds.end.saturating_sub(1),
            "detectors": detectors.collect::<Map<String, Value>>(),
            "check": check.map_or(Value::Null, Check::json),
        })
    }
}

fn summary_json(summary: &Summary) -> Value {
    let [present_h, away_h, grey_h] = summary.hours().map(json_number);
    let rows = LINES.iter().zip(&summary.cells).map(|(line, cell)| {
        let mark = mark(line, cell.value);
        let judged = |met: bool| if cell.value.is_nan() { Value::Null } else { met.into() };
        let (low, high) = cell.interval.unwrap_or((f64::NAN, f64::NAN));
        let row = json!({
            "value": json_number(cell.value),
            "low": json_number(low),
            "high": json_number(high),
            "must": line.must,
            "aim": line.aim,
            "met": judged(mark != "!"),
            "aim_met": judged(mark == "+"),
        });
        (line.key.to_owned(), row)
    });
    let all = &summary.all;
    json!({
        "shifts": summary.shifts,
        "present_h": present_h,
        "away_h": away_h,
        "grey_h": grey_h,
        "false_locks": all.false_locks,
        "departures": all.departures,
        "missed_locks": all.missed_locks,
        "pre_locked": all.pre_locked,
        "approaches": all.approaches,
        "missed_unlocks": all.missed_unlocks,
        "false_unlocks": all.false_unlocks,
        "censored": all.censored_departures + all.censored_approaches,
        "rows": rows.collect::<Map<String, Value>>(),
    })
}

impl Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Run { half, shifts, detectors } = self.run;
        let seeds = half.seeds(*shifts);
        let last = seeds.end.saturating_sub(1);
        writeln!(
            f,
            "simulated shifts: {shifts} of {HOURS} h, the {} half: seeds {} to {last}",
            half.name(),
            seeds.start
        )?;
        for (detector, columns) in detectors.iter().zip(&self.columns) {
            writeln!(f)?;
            write_detector(f, detector.name, columns)?;
        }
        writeln!(
            f,
            "\n+ reaches the aim, ! is above what it must be at most; a missed departure is exposed without end."
        )?;
        writeln!(
            f,
            "Below each number stands what it proves: 95 % intervals, exact for counts, and wider where shifts"
        )?;
        writeln!(f, "differ by more than counts do. Columns beside \"all\" are of the same shifts, one of eight.")
    }
}

/// A line of what stands at its left, and a cell for each column.
fn write_line(f: &mut fmt::Formatter<'_>, what: &str, cells: impl Iterator<Item = String>) -> fmt::Result {
    let line = cells.fold(format!("{what:<23}"), |line, cell| format!("{line}{cell:>11}"));
    writeln!(f, "{}", line.trim_end())
}

fn write_detector(f: &mut fmt::Formatter<'_>, name: &str, columns: &[Summary; COLUMNS.len()]) -> fmt::Result {
    write_line(f, name, COLUMNS.iter().map(|column| column.title.to_owned()))?;
    for (place, line) in LINES.iter().enumerate() {
        let of = || columns.iter().map(|summary| summary.cells[place]);
        write_line(f, line.what, of().map(|cell| format!("{}{}", digits(line, cell.value), mark(line, cell.value))))?;
        let (must, aim) = (line.must, line.aim);
        write_line(f, &format!("  <= {must}, aim {aim}"), of().map(|cell| between(line, cell.interval)))?;
    }
    let counted: [(&str, fn(&Summary) -> u64); 5] = [
        ("shifts", |summary| summary.shifts as u64),
        ("departures", |summary| summary.all.departures),
        ("  locked already", |summary| summary.all.pre_locked),
        ("approaches", |summary| summary.all.approaches),
        ("too short to judge", |summary| summary.all.censored_departures + summary.all.censored_approaches),
    ];
    for (what, count) in counted {
        write_line(f, what, columns.iter().map(|summary| count(summary).to_string()))?;
    }
    for (place, what) in ["hours present", "hours away", "hours in grey"].into_iter().enumerate() {
        write_line(f, what, columns.iter().map(|summary| format!("{:.1}", summary.hours()[place])))?;
    }
    Ok(())
}

/// A number with no more digits than there is room for; of seconds, tenths.
fn digits(line: &Line, number: f64) -> String {
    match number.abs() {
        _ if number.is_nan() => "-".into(),
        _ if number.is_infinite() => "endless".into(),
        small if small < 9.995 && !line.is_delay() => format!("{number:.2}"),
        more if more < 99.95 => format!("{number:.1}"),
        _ => format!("{number:.0}"),
    }
}

/// An interval; what has no end is not written.
fn between(line: &Line, interval: Option<(f64, f64)>) -> String {
    let end = |end: f64| if end.is_finite() { digits(line, end) } else { String::new() };
    interval.map_or_else(|| "-".into(), |(low, high)| format!("{}..{}", end(low), end(high)))
}
