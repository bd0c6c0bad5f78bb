//! One trace: levels, truth and detectors below each other over the same time.

use std::fmt::Write as _;

use super::axis::{Axis, brief, unit_of_time};
use super::columns::columns;
use super::{Lines, WIDTH};
use crate::evaluate::score::Said;
use crate::evaluate::trace::{Trace, Truth};
use crate::time::Time;

const LEFT: f64 = 70.0;
const RIGHT: f64 = 60.0;
const TITLE: f64 = 18.0;
const LEVELS: f64 = 140.0;
const STRIP: f64 = 11.0;
const GAP: f64 = 4.0;
const DISTANCE: f64 = 60.0;
/// Below everything: the times, and room to the next panel.
const FOOT: f64 = 44.0;

/// How high a panel is, for so many detectors.
pub(super) fn height(detectors: usize) -> usize {
    let strips = (detectors + 1) as f64 * (STRIP + GAP);
    (TITLE + LEVELS + GAP + strips + DISTANCE + FOOT) as usize
}

/// Draws one trace with what each detector said to it.
pub(super) fn draw(trace: &Trace, shift_db: f64, said: &[(&str, Said)], lines: Lines) -> String {
    let seconds = trace.rows.last().map_or(0.0, |row| row.at.as_micros() as f64 / 1e6);
    let width = WIDTH as f64 - LEFT - RIGHT;
    let mut panel = Panel { svg: String::new(), time: Axis::new(0.0, seconds, LEFT, width), end: LEFT + width };
    panel.title(trace, seconds);
    let mut y = TITLE;
    panel.times(seconds, y, height(said.len()) as f64 - FOOT);
    panel.contacts(trace, y);
    panel.levels(trace, shift_db, lines, y);
    y += LEVELS + GAP;
    panel.truth(trace, y);
    for (name, said) in said {
        y += STRIP + GAP;
        panel.states(name, said, trace, y);
    }
    y += STRIP + GAP;
    panel.distance(trace, y);
    panel.svg
}

struct Panel {
    svg: String,
    time: Axis,
    /// Where the time ends, in pixels.
    end: f64,
}

/// Adds to the drawing; a `String` takes all there is.
macro_rules! add {
    ($panel:expr, $($text:tt)*) => {{
        let _ = writeln!($panel.svg, $($text)*);
    }};
}

impl Panel {
    fn x(&self, at: Time) -> f64 {
        self.time.pixel(at.as_micros() as f64 / 1e6)
    }

    fn title(&mut self, trace: &Trace, seconds: f64) {
        let (unit, length) = unit_of_time(seconds);
        let (name, rows, span) = (escaped(&trace.name, 70), trace.rows.len(), brief(seconds / length));
        let begin = if trace.begin_us == 0 {
            String::new()
        } else {
            format!(", from t_s = {} on", trace.begin_us as f64 / 1e6)
        };
        add!(
            self,
            "<text class=\"b\" x=\"{LEFT}\" y=\"12\">{name}<tspan dx=\"8\" font-weight=\"normal\">{rows} rows, {span} {unit}{begin}</tspan></text>"
        );
    }

    /// A frame with round values on the left, and their unit.
    fn frame(&mut self, axis: &Axis, about: usize, unit: &str, y: f64, height: f64) {
        for tick in axis.ticks(about) {
            let at = axis.pixel(tick);
            add!(
                self,
                "<path class=\"t\" d=\"M{LEFT} {at:.1}H{}\"/><text class=\"e\" x=\"{}\" y=\"{:.1}\">{}</text>",
                self.end,
                LEFT - 6.0,
                at + 4.0,
                brief(tick)
            );
        }
        add!(self, "<rect class=\"f\" x=\"{LEFT}\" y=\"{y}\" width=\"{}\" height=\"{height}\"/>", self.end - LEFT);
        add!(self, "<text class=\"i\" transform=\"translate(20 {}) rotate(-90)\">{unit}</text>", y + height / 2.0);
    }

    fn levels(&mut self, trace: &Trace, shift_db: f64, lines: Lines, y: f64) {
        let axis = Axis::new(-105.0, -35.0, y + LEVELS, -LEVELS);
        self.frame(&axis, 7, "level, dBm", y, LEVELS);
        let points = trace.samples(shift_db).map(|(at, tenths)| (self.x(at), axis.pixel(f64::from(tenths) / 10.0)));
        let columns = columns(points);
        let mut path = String::new();
        for column in &columns {
            let _ = write!(path, "M{} {:.0}v{:.0}", column.x, column.low, column.high - column.low); // a String takes all
        }
        let size = if columns.len() < SPARSE { "s w" } else { "s" };
        add!(self, "<path class=\"{size}\" d=\"{path}\"/>");
        for (class, name, level) in [("c", "close", lines.close), ("r", "far", lines.far), ("h", "tap", lines.tap)] {
            if let Some(level) = level {
                self.line(class, axis.pixel(level), &format!("{name} {}", brief(level)));
            }
        }
    }

    /// A line across, named at its right end.
    fn line(&mut self, class: &str, y: f64, name: &str) {
        let (x, below) = (self.end + 4.0, y + 3.5);
        add!(self, "<path class=\"{class}\" d=\"M{LEFT} {y:.1}H{}\"/>", self.end);
        add!(self, "<text class=\"l\" x=\"{x}\" y=\"{below:.1}\">{name}</text>");
    }

    fn contacts(&mut self, trace: &Trace, y: f64) {
        for (begin, end) in trace.contacts.iter().take(MOST) {
            let (x, end) = (self.x(*begin), self.x(*end));
            add!(
                self,
                "<rect class=\"o\" x=\"{x:.1}\" y=\"{y}\" width=\"{:.1}\" height=\"{LEVELS}\"/>",
                (end - x).max(1.0)
            );
        }
    }

    /// A strip of stretches, each from its moment to the next one's.
    fn strip(&mut self, name: &str, stretches: impl Iterator<Item = (f64, char)>, y: f64) {
        add!(self, "<text class=\"e\" x=\"{}\" y=\"{}\">{}</text>", LEFT - 6.0, y + 9.0, escaped(name, 12));
        // Of several stretches within a pixel the last is drawn.
        let mut drawn: Vec<(f64, char)> = Vec::new();
        for (x, class) in stretches {
            match drawn.last_mut() {
                Some(last) if last.1 == class => {}
                Some(last) if x - last.0 < 0.5 => last.1 = class,
                _ => drawn.push((x, class)),
            }
        }
        let ends = drawn.iter().skip(1).map(|(x, _)| *x).chain([self.end]).collect::<Vec<_>>();
        for ((x, class), end) in drawn.into_iter().zip(ends) {
            add!(self, "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y}\" width=\"{:.1}\" height=\"{STRIP}\"/>", end - x);
        }
    }

    fn truth(&mut self, trace: &Trace, y: f64) {
        let time = self.time;
        let stretches = trace.rows.iter().map(|row| {
            let class = match trace.truth(row) {
                Truth::Present => 'p',
                Truth::Grey => 'g',
                Truth::Away => 'a',
            };
            (time.pixel(row.at.as_micros() as f64 / 1e6), class)
        });
        self.strip("truth", stretches, y);
    }

    fn states(&mut self, name: &str, said: &Said, trace: &Trace, y: f64) {
        let begin = trace.rows.first().map_or(Time::ZERO, |row| row.at);
        let states = said.changes.iter().map(|(at, locked)| (*at, if *locked { 'a' } else { 'p' }));
        let states: Vec<(f64, char)> =
            [(begin, 'g')].into_iter().chain(states).map(|(at, class)| (self.x(at), class)).collect();
        self.strip(name, states.iter().copied(), y);
        let edges = states.windows(2).filter(|pair| pair[0].1 != pair[1].1).map(|pair| (pair[1].0, 0.0));
        let mut path = String::new();
        for column in columns(edges) {
            let _ = write!(path, "M{} {}v{}", column.x, y - 1.0, STRIP + 2.0); // as above
        }
        add!(self, "<path class=\"m\" d=\"{path}\"/>");
        for column in columns(said.taps.iter().map(|at| (self.x(*at), 0.0))) {
            add!(self, "<path class=\"k\" d=\"M{} {y}h12l-6 {STRIP}z\"/>", column.x - 6);
        }
    }

    fn distance(&mut self, trace: &Trace, y: f64) {
        let known = || trace.rows.iter().filter_map(|row| Some((row.at, row.distance_m?)));
        let limits = [trace.near_m, trace.far_m].into_iter().flatten();
        let top = known().map(|(_, distance)| distance).chain(limits).fold(0.0, f64::max);
        let axis = Axis::new(0.0, top * 1.05, y + DISTANCE, -DISTANCE);
        self.frame(&axis, 3, "distance, m", y, DISTANCE);
        for (class, name, limit) in [("c", "near_m", trace.near_m), ("r", "far_m", trace.far_m)] {
            if let Some(limit) = limit {
                self.line(class, axis.pixel(limit), &format!("{name} {}", brief(limit)));
            }
        }
        let mut path = String::new();
        for column in columns(known().map(|(at, distance)| (self.x(at), axis.pixel(distance)))) {
            let begin =
                if path.is_empty() { format!("M{} {:.1}", column.x, column.low) } else { format!("H{}", column.x) };
            path.push_str(&begin);
            // Up, down and to where it goes on.
            for y in [column.low, column.high, column.last] {
                let _ = write!(path, "V{y:.1}"); // as above
            }
        }
        add!(self, "<path class=\"d\" d=\"{path}\"/>");
    }

    fn times(&mut self, seconds: f64, top: f64, bottom: f64) {
        let (unit, length) = unit_of_time(seconds);
        let ticks = Axis::new(0.0, seconds / length, LEFT, self.end - LEFT);
        for tick in ticks.ticks(12) {
            let x = ticks.pixel(tick);
            add!(
                self,
                "<path class=\"t\" d=\"M{x:.1} {top}V{}\"/><text class=\"i\" x=\"{x:.1}\" y=\"{}\">{}</text>",
                bottom + 4.0,
                bottom + 16.0,
                brief(tick)
            );
        }
        add!(self, "<text x=\"{}\" y=\"{}\">{unit}</text>", self.end + 14.0, bottom + 16.0);
    }
}

/// With fewer columns than this, each is drawn larger.
const SPARSE: usize = 500;

/// The most contacts that are drawn.
const MOST: usize = 1000;

/// A text as it may stand in SVG.
fn escaped(text: &str, most: usize) -> String {
    let mut safe = String::new();
    for c in text.chars().filter(|c| !c.is_control()).take(most) {
        match c {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            c => safe.push(c),
        }
    }
    safe
}
