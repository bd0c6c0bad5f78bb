//! How often a band is heard, and how long its silence may last.

use std::time::Duration;

use super::model::Model;

/// The mean pause between samples, and how loud the newest were.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interval {
    /// In s.
    mean: f64,
    /// In dBm.
    level: f64,
}

/// What one pause counts in the mean.
const SHARE: f64 = 0.05;
/// The longest pause taken for the band's own, in s; Bluetooth's longest advertising interval is 10.24 s.
const LONGEST_S: f64 = 10.0;
/// What one sample counts in the level.
const LEVEL_SHARE: f64 = 0.3;
/// At half of the adverts lost, one silence in 2^8 is as long by chance: once in minutes at walking pace.
const LEAVING: f64 = 8.0;
/// The shortest silence that says anything while the wearer seems to leave, in s.
const LEAVING_S: f64 = 4.0;
/// The same while the wearer seems to stay.
const STAYING: f64 = 10.0;

impl Default for Interval {
    fn default() -> Self {
        Self { mean: 0.5, level: -70.0 }
    }
}

impl Interval {
    /// That of a band whose pauses had this mean at another time, in s.
    pub(super) fn recalled(mean: f64) -> Self {
        Self { mean: mean.min(LONGEST_S), ..Self::default() }
    }

    /// Takes in a pause in s and the level that ended it.
    pub(super) fn observe(&mut self, pause: f64, level: f64) {
        self.mean += SHARE * (pause.min(LONGEST_S) - self.mean);
        self.level += LEVEL_SHARE * (level - self.level);
    }

    /// The mean pause.
    pub(super) fn mean(&self) -> Duration {
        Duration::from_secs_f64(self.mean)
    }

    /// Whether the newest levels were so low that the band may be out of reach.
    pub(super) fn is_faint(&self, model: &Model) -> bool {
        self.level < model.faint
    }

    /// What counts as heard lately.
    pub(super) fn lately(&self) -> Duration {
        self.leaving()
    }

    /// How long a silence may last while the wearer seems to leave.
    pub(super) fn leaving(&self) -> Duration {
        Duration::from_secs_f64((LEAVING * self.mean).max(LEAVING_S))
    }

    /// How long a silence may last while the wearer seems to stay; the configured time, unless the band is slow.
    pub(super) fn staying(&self, configured: Duration) -> Duration {
        configured.max(Duration::from_secs_f64(STAYING * self.mean))
    }
}
