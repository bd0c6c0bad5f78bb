//! What a reload changes.

use crate::settings::Config;

/// The parts of a configuration that differ from an older one, each with what it asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Threshold, cutoffs, detector, its pace or the time to absence: the next reading is judged by the new ones.
    pub thresholds: bool,
    /// A window's length: the newest readings are kept.
    pub windows: bool,
    /// A dongle's offset: the next reading is corrected by the new one.
    pub offsets: bool,
    /// Which dongles are used: ports are closed and opened.
    pub adapters: bool,
    /// How a dongle scans: it scans anew.
    pub scan: bool,
    /// What counts as a band: the next advert is matched by the new rules.
    pub bands: bool,
    /// Where the agent is and how it is spoken to: the channel is joined anew.
    pub agent: bool,
    /// What is logged: from the next line on.
    pub log: bool,
}

impl Change {
    /// Whether nothing differs.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

impl Config {
    /// What differs from `older`.
    pub fn change_since(&self, older: &Self) -> Change {
        let differ = |of: fn(&crate::Adapter, &crate::Adapter) -> bool| {
            self.adapters.iter().zip(&older.adapters).any(|(new, old)| of(new, old))
        };
        Change {
            thresholds: self.thresholds() != older.thresholds(),
            windows: (self.rssi_window_tap, self.rssi_window_long) != (older.rssi_window_tap, older.rssi_window_long),
            offsets: differ(|new, old| new.rssi_offset != old.rssi_offset),
            adapters: self.adapters.len() != older.adapters.len() || differ(|new, old| new.which != old.which),
            scan: differ(|new, old| (new.scan, new.active_scan) != (old.scan, old.active_scan)),
            bands: self.bands != older.bands,
            agent: (&self.agent_url, &self.agent) != (&older.agent_url, &older.agent),
            log: self.log != older.log,
        }
    }

    /// What a reading is judged by.
    fn thresholds(&self) -> impl PartialEq + use<> {
        let Self { rssi_tap_threshold, rssi_cutoffs, detector, away_pace, absent_after, .. } = *self;
        (rssi_tap_threshold, rssi_cutoffs, detector, away_pace, absent_after)
    }
}
