//! Simulated shifts beside recordings: the same figures of both, by the same rules.

use std::fmt::{self, Display};

use serde_json::{Map, Value, json};

use super::person::Scene;
use super::shift::{NEAR_M, Shift, What};
use crate::evaluate::numbers::json_number;
use crate::evaluate::trace::Trace;
use crate::event::AdapterId;
use crate::time::Time;

/// A level, where it was heard.
#[derive(Clone, Copy, Debug)]
struct Sample {
    /// In seconds.
    at: f64,
    dbm: f64,
    distance_m: f64,
    /// While the band was still, which such time it was.
    still: Option<usize>,
}

/// Levels of one recording, or of one shift.
#[derive(Clone, Debug)]
struct Series(Vec<Sample>);

impl Series {
    /// A recording; without rows whose distance nobody knows. A band is still while its distance stays.
    fn of_trace(trace: &Trace) -> Self {
        let levels = trace.samples(0.0).zip(&trace.rows);
        let known = levels.filter_map(|((at, tenths), row)| Some((at, tenths, row.distance_m?)));
        let (mut still, mut before) = (0, f64::NAN);
        let sample = |(at, tenths, distance_m): (Time, i32, f64)| {
            still += usize::from(distance_m != before);
            before = distance_m;
            Sample { at: seconds(at), dbm: f64::from(tenths) / 10.0, distance_m, still: Some(still) }
        };
        Self(known.map(sample).collect())
    }

    /// What the first dongle heard in a shift, without its error.
    fn of_shift(shift: &Shift) -> Self {
        let Shift { course, scenes, site, .. } = shift;
        // The next of each, as time passes.
        let (mut point, mut scene) = (1, 1);
        let mut samples = Vec::new();
        for input in &shift.inputs {
            let What::Reading { adapter: AdapterId(0), tenths } = input.what else { continue };
            while point + 1 < course.len() && course[point].0 <= input.at {
                point += 1;
            }
            while scenes.get(scene).is_some_and(|(begin, _)| *begin <= input.at) {
                scene += 1;
            }
            let ((since, from), (until, to)) = (course[point - 1], course[point]);
            let share = input.at.since(since).as_secs_f64() / until.since(since).as_secs_f64();
            samples.push(Sample {
                at: seconds(input.at),
                dbm: f64::from(tenths) / 10.0 - site.antennas[0].calibration_db,
                distance_m: from + (to - from) * share,
                still: (scenes[scene - 1].1 == Scene::Seated).then_some(scene),
            });
        }
        Self(samples)
    }

    /// Times of so many seconds in which the band was still, each with what was heard in it.
    fn still(&self, span: f64) -> impl Iterator<Item = &[Sample]> {
        let stretches = self.0.chunk_by(|a, b| a.still == b.still).filter(|stretch| stretch[0].still.is_some());
        let whole = stretches.filter(move |stretch| stretch[stretch.len() - 1].at - stretch[0].at >= span);
        whole.flat_map(move |stretch| {
            let (first, last) = (stretch[0].at, stretch[stretch.len() - 1].at);
            let window = move |sample: &Sample| ((sample.at - first) / span) as usize;
            let complete = ((last - first) / span) as usize;
            stretch.chunk_by(move |a, b| window(a) == window(b)).filter(move |chunk| window(&chunk[0]) < complete)
        })
    }
}

fn seconds(at: Time) -> f64 {
    at.as_micros() as f64 / 1e6
}

fn mean(values: impl Iterator<Item = f64> + Clone) -> Option<f64> {
    let count = values.clone().count();
    (count > 0).then(|| values.sum::<f64>() / count as f64)
}

fn deviation(values: impl Iterator<Item = f64> + Clone) -> Option<f64> {
    let middle = mean(values.clone())?;
    mean(values.map(|value| (value - middle) * (value - middle))).map(f64::sqrt)
}

/// Fewer levels make no mean.
const FEW: usize = 5;

/// How long the spread over time is looked at, in seconds.
const SPREAD_S: f64 = 10.0;

/// How long a correlation is looked for, in seconds.
const CORRELATION_S: f64 = 20.0;

/// The mean level between two distances.
fn level(series: &Series, from: f64, to: f64) -> Option<f64> {
    let within = series.0.iter().filter(|sample| sample.distance_m > from && sample.distance_m <= to);
    let levels = within.map(|sample| sample.dbm);
    mean(levels.clone()).filter(|_| levels.count() >= FEW)
}

/// The spread over time of a still band: the median of many short times.
fn spread(series: &Series) -> Option<f64> {
    let windows = series.still(SPREAD_S).filter(|window| window.len() >= FEW);
    let mut all: Vec<f64> = windows.filter_map(|window| deviation(window.iter().map(|sample| sample.dbm))).collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied()
}

/// What two levels so many seconds apart have in common while the band is still.
fn correlation(series: &Series, lag: f64) -> Option<f64> {
    let slack = 0.25 * lag.min(1.0);
    let (mut common, mut pairs, mut square, mut count) = (0.0, 0_u32, 0.0, 0_u32);
    for window in series.still(CORRELATION_S).filter(|window| window.len() >= FEW) {
        let Some(middle) = mean(window.iter().map(|sample| sample.dbm)) else { continue };
        let mut later = 0;
        for sample in window {
            square += (sample.dbm - middle).powi(2);
            count += 1;
            while window.get(later).is_some_and(|other| other.at < sample.at + lag - slack) {
                later += 1;
            }
            for other in window[later..].iter().take_while(|other| other.at <= sample.at + lag + slack) {
                common += (sample.dbm - middle) * (other.dbm - middle);
                pairs += 1;
            }
        }
    }
    let variance = square / f64::from(count);
    (pairs >= 20 && variance > 0.0).then(|| common / f64::from(pairs) / variance)
}

/// The share of the gaps between adverts heard at the desk that are longer than so many seconds.
fn gaps(series: &Series, beyond: f64) -> Option<f64> {
    let at_desk = series.0.windows(2).filter(|pair| pair.iter().all(|sample| sample.distance_m <= NEAR_M));
    mean(at_desk.map(|pair| if pair[1].at - pair[0].at > beyond { 100.0 } else { 0.0 }))
}

/// How many adverts are heard in a second at the desk.
fn rate(series: &Series) -> Option<f64> {
    let at_desk = series.0.windows(2).filter(|pair| pair.iter().all(|sample| sample.distance_m <= NEAR_M));
    mean(at_desk.map(|pair| pair[1].at - pair[0].at)).map(|gap| 1.0 / gap)
}

/// Each seat's level above what its distance makes of it by the best straight line over all.
fn places(all: &[Series]) -> Vec<f64> {
    let seat = |series: &Series| {
        let mut near = series.still(SPREAD_S).filter(|window| window[0].distance_m <= NEAR_M && window.len() >= FEW);
        let window = near.next()?;
        Some((window[0].distance_m.max(0.05).log10(), mean(window.iter().map(|sample| sample.dbm))?))
    };
    let seats: Vec<(f64, f64)> = all.iter().filter_map(seat).collect();
    let of = |pick: fn(&(f64, f64)) -> f64| mean(seats.iter().map(pick)).unwrap_or(0.0);
    let (middle, level) = (of(|seat| seat.0), of(|seat| seat.1));
    let slope = seats.iter().map(|seat| (seat.0 - middle) * (seat.1 - level)).sum::<f64>()
        / seats.iter().map(|seat| (seat.0 - middle).powi(2)).sum::<f64>().max(1e-9);
    seats.iter().map(|seat| seat.1 - level - slope * (seat.0 - middle)).collect()
}

/// A figure over several recordings, or shifts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// Of how many.
    pub of: usize,
    /// Its median; for the spread over places that spread.
    pub value: f64,
    /// One in ten is lower.
    pub p10: f64,
    /// One in ten is higher.
    pub p90: f64,
}

impl Figure {
    fn new(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let rank = |share: f64| {
            let rank = (share * values.len() as f64).ceil() as usize;
            values.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
        };
        Self { of: values.len(), value: rank(0.5), p10: rank(0.1), p90: rank(0.9) }
    }
}

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Beside {
    /// Its key in JSON.
    pub key: &'static str,
    /// Its words.
    pub what: &'static str,
    /// Of the shifts.
    pub simulated: Figure,
    /// Of the recordings.
    pub measured: Figure,
}

/// Simulated shifts beside recordings.
#[derive(Clone, Debug, PartialEq)]
pub struct Check(pub Vec<Beside>);

/// How a figure is taken of one recording.
type Take = fn(&Series) -> Option<f64>;

const TAKEN: [(&str, &str, Take); 14] = [
    ("level_1_m", "level up to 1 m, dBm", |series| level(series, 0.3, 1.0)),
    ("level_2_m", "  1 to 2 m", |series| level(series, 1.0, 2.0)),
    ("level_3_m", "  2 to 3 m", |series| level(series, 2.0, 3.0)),
    ("level_6_m", "  4.5 to 6 m", |series| level(series, 4.5, 6.0)),
    ("level_8_m", "  6 to 8 m", |series| level(series, 6.0, 8.0)),
    ("level_11_m", "  8 to 11 m", |series| level(series, 8.0, 11.0)),
    ("still_sd", "sd over 10 s, still, dB", spread),
    ("correlation_0_5_s", "correlation after 0.5 s", |series| correlation(series, 0.5)),
    ("correlation_1_s", "  after 1 s", |series| correlation(series, 1.0)),
    ("correlation_5_s", "  after 5 s", |series| correlation(series, 5.0)),
    ("gaps_1_s_pct", "gaps above 1 s at the desk, %", |series| gaps(series, 1.0)),
    ("gaps_3_s_pct", "  above 3 s", |series| gaps(series, 3.0)),
    ("gaps_10_s_pct", "  above 10 s", |series| gaps(series, 10.0)),
    ("rate", "heard per second at the desk", rate),
];

impl Check {
    /// Puts shifts beside recordings; those of taps say nothing here.
    pub fn new(shifts: impl Iterator<Item = Shift>, traces: &[Trace]) -> Self {
        let simulated: Vec<Series> = shifts.map(|shift| Series::of_shift(&shift)).collect();
        let measured: Vec<Series> = traces.iter().filter(|trace| trace.is_lock()).map(Series::of_trace).collect();
        let taken = |all: &[Series], take: Take| Figure::new(all.iter().filter_map(take).collect());
        let mut rows: Vec<Beside> = TAKEN
            .iter()
            .map(|&(key, what, take)| {
                let (simulated, measured) = (taken(&simulated, take), taken(&measured, take));
                Beside { key, what, simulated, measured }
            })
            .collect();
        let spread = |all: &[Series]| {
            let places = places(all);
            let value = deviation(places.iter().copied()).unwrap_or(f64::NAN);
            Figure { value, ..Figure::new(places) }
        };
        let (simulated, measured) = (spread(&simulated), spread(&measured));
        rows.insert(6, Beside { key: "place_sd", what: "sd over seats, dB; each", simulated, measured });
        Self(rows)
    }

    /// The same for a script.
    pub fn json(&self) -> Value {
        let figure = |figure: Figure| {
            let [value, p10, p90] = [figure.value, figure.p10, figure.p90].map(json_number);
            json!({ "of": figure.of, "value": value, "p10": p10, "p90": p90 })
        };
        let row = |row: &Beside| {
            let both = json!({ "simulated": figure(row.simulated), "measured": figure(row.measured) });
            (row.key.to_owned(), both)
        };
        Value::Object(self.0.iter().map(row).collect::<Map<String, Value>>())
    }
}

impl Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |what: &str, cells: [String; 6]| {
            let [a, b, c, d, e, g] = cells;
            format!("{what:<29}{a:>9} {b:>17}{c:>5}   {d:>9} {e:>17}{g:>5}").trim_end().to_owned()
        };
        let heads = ["simulated", "p10 to p90", "of", "measured", "p10 to p90", "of"];
        writeln!(f, "{}", line("simulated beside measured", heads.map(str::to_owned)))?;
        self.0.iter().try_for_each(|row| {
            let cells = |Figure { of, value, p10, p90 }: Figure| match of {
                0 => ["-".into(), String::new(), "0".into()],
                _ => [format!("{value:.2}"), format!("{p10:.2} to {p90:.2}"), of.to_string()],
            };
            let ([a, b, c], [d, e, g]) = (cells(row.simulated), cells(row.measured));
            writeln!(f, "{}", line(row.what, [a, b, c, d, e, g]))
        })
    }
}

#[cfg(test)]
mod tests;
