//! The detectors there are to compare, in one place.

use crate::proximity::{Detector as Rules, Level, Parameters, Settings};

/// What counts as a tap where a configuration turns taps off, in dBm: where to begin, says `nbe.default.toml`.
pub const USUAL_TAP_DBM: i8 = -42;

/// The documented tap rule's window, in samples.
const DOCUMENTED_TAP_WINDOW: usize = 10;

/// A detector by the name it is printed under.
#[derive(Clone, Debug)]
pub struct Detector {
    /// Its name.
    pub name: &'static str,
    /// What it decides by.
    pub settings: Settings,
}

/// All detectors, each by these settings but for what makes it that detector.
pub fn all(configured: &Settings) -> Vec<Detector> {
    let by = |name, rules| Detector { name, settings: scored(configured).with_detector(rules, Parameters::SETTLED) };
    vec![by("classic", Rules::Classic), by("adaptive", Rules::Adaptive)]
}

/// The documented rule of taps: what false taps are measured by.
pub fn documented(configured: &Settings) -> Settings {
    let tap_threshold = Some(Level::from_dbm(USUAL_TAP_DBM));
    Settings { window_tap: DOCUMENTED_TAP_WINDOW, tap_threshold, ..scored(configured) }
}

/// Configured settings as a recording needs them: its header calibrates it, not a dongle's offset; and taps that are
/// off would say nothing about taps.
fn scored(configured: &Settings) -> Settings {
    let tap_threshold = configured.tap_threshold.or(Some(Level::from_dbm(USUAL_TAP_DBM)));
    let documented = configured.clone().with_detector(Rules::Classic, Parameters::SETTLED);
    Settings { offsets: Vec::new(), tap_threshold, ..documented }
}
