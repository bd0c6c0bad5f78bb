//! Traces drawn: what was heard, what is true, and what each detector made of it, as one SVG with a panel per trace.
//!
//! A panel has a bounded number of marks, however long its trace is: of each column of pixels the lowest and the
//! highest level are drawn.

mod axis;
mod columns;
mod panel;

use std::fmt::Write as _;

use super::detect::detect;
use super::detectors::Detector;
use super::score::Said;
use super::trace::{Stress, Trace};
use crate::proximity::{Level, Settings};

/// The levels that decide, in dBm, where there are any; each is drawn as a line.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Lines {
    /// At or above is close.
    close: Option<f64>,
    /// At or below is far.
    far: Option<f64>,
    /// At or above is a tap.
    tap: Option<f64>,
}

impl From<&Settings> for Lines {
    fn from(settings: &Settings) -> Self {
        let dbm = |level: Level| f64::from(level.tenths()) / 10.0;
        Self {
            close: settings.cutoffs.map(|cutoffs| dbm(cutoffs.close())),
            far: settings.cutoffs.map(|cutoffs| dbm(cutoffs.far())),
            tap: settings.tap_threshold.map(dbm),
        }
    }
}

/// The whole picture's width, in pixels.
const WIDTH: usize = 1120;

/// The height of the key above all panels.
const KEY: usize = 56;

/// Draws one trace under stress with what each detector says to it, as the picture of its own that a panel is.
///
/// The lines are where the first detector decides.
pub fn panel(trace: &Trace, detectors: &[Detector], stress: Stress) -> String {
    let trace = stress.thin(trace);
    let lines = detectors.first().map_or_else(Lines::default, |detector| Lines::from(&detector.settings));
    let said = |detector: &Detector| detect(&detector.settings, trace.samples(stress.shift_db));
    let said: Vec<(&str, Said)> = detectors.iter().map(|detector| (detector.name, said(detector))).collect();
    panel::draw(&trace, stress.shift_db, &said, lines)
}

/// Puts panels below each other under a key; each is `height` high.
pub fn document(panels: &[String], detectors: usize) -> String {
    let height = panel::height(detectors);
    let whole = KEY + panels.len() * height;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {whole}\" width=\"{WIDTH}\" height=\"{whole}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n{STYLE}<rect width=\"{WIDTH}\" height=\"{whole}\" fill=\"#fff\"/>\n{KEY_MARKS}"
    );
    for (place, panel) in panels.iter().enumerate() {
        // Writing to a String does not fail.
        let _ = write!(svg, "<g transform=\"translate(0 {})\">\n{panel}</g>\n", KEY + place * height);
    }
    svg.push_str("</svg>\n");
    svg
}

/// Blue and orange differ for every eye; grey is neither.
const STYLE: &str = "\
<style>
.p{fill:#0072b2}.a{fill:#e69f00}.g{fill:#c8c8c8}
.s{stroke:#555;stroke-width:1.6;stroke-linecap:round;fill:none}.w{stroke-width:3}
.d{stroke:#7a4a9e;stroke-width:1.2;fill:none}
.f{stroke:#888;fill:none}.t{stroke:#e4e4e4}.m{stroke:#000;stroke-width:1}
.c{stroke:#0072b2;stroke-dasharray:6 3}.r{stroke:#b36b00;stroke-dasharray:6 3}.h{stroke:#a0226a;stroke-dasharray:2 3}
.k{fill:#a0226a;stroke:#fff}.o{fill:#a0226a;opacity:.15}
.e{text-anchor:end}.l{font-size:9px}.i{text-anchor:middle}.b{font-weight:bold}
</style>
";

const KEY_MARKS: &str = "\
<g>
<path class=\"s w\" d=\"M70 16v0M78 19v0M86 13v6\"/><text x=\"94\" y=\"20\">level heard, calibrated</text>
<rect class=\"p\" x=\"250\" y=\"11\" width=\"16\" height=\"10\"/><text x=\"271\" y=\"20\">truth: present; detector: near</text>
<rect class=\"a\" x=\"450\" y=\"11\" width=\"16\" height=\"10\"/><text x=\"471\" y=\"20\">truth: away; detector: away or absent</text>
<rect class=\"g\" x=\"690\" y=\"11\" width=\"16\" height=\"10\"/><text x=\"711\" y=\"20\">truth: grey; detector: nothing decided yet</text>
<path class=\"m\" d=\"M78 32v14\"/><text x=\"94\" y=\"43\">decision</text>
<path class=\"k\" d=\"M250 33h12l-6 11z\"/><text x=\"271\" y=\"43\">tap decided</text>
<rect class=\"o\" x=\"450\" y=\"32\" width=\"16\" height=\"14\"/><text x=\"471\" y=\"43\">true contact</text>
<path class=\"d\" d=\"M690 44h8v-8h8\"/><text x=\"711\" y=\"43\">true distance</text>
</g>
";

#[cfg(test)]
mod tests;
