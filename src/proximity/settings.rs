//! What the engine must know of nbe.toml, proven before it gets here.

use std::sync::Arc;
use std::time::Duration;

use super::adaptive::{Model, Parameters};
use super::classic::Cutoffs;
use super::level::Level;
use super::matcher::Matcher;
use crate::event::{AdapterId, Digest};

/// The rules that decide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detector {
    /// Plain means, as documented.
    #[default]
    Classic,
    /// Evidence, weighed sample by sample.
    Adaptive,
}

/// How much [`Detector::Adaptive`] asks for before it says away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// Less: away comes sooner, and more often behind someone who sits.
    Sooner,
    /// Between the two.
    #[default]
    Balanced,
    /// More: away comes later, and more seldom behind someone who sits.
    Calmer,
}

/// The engine's settings; made from a [`config::Config`] by `From`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Samples averaged for a tap, at least 1.
    pub window_tap: usize,
    /// Samples averaged for proximity, at least 1.
    pub window_long: usize,
    /// The mean that counts as a tap; `None` turns taps off.
    pub tap_threshold: Option<Level>,
    /// The levels of proximity; `None` turns trends off.
    pub cutoffs: Option<Cutoffs>,
    /// Which rules decide.
    pub detector: Detector,
    /// How soon they say away, where they can.
    pub pace: Pace,
    /// What the adaptive detector reckons with; see [`Settings::with_detector`].
    pub model: Option<Arc<Model>>,
    /// A band not heard for longer is absent.
    pub absent_after: Duration,
    /// Added to every reading of each dongle, in tenths of a dB, by [`AdapterId`]; 0 beyond the end.
    pub offsets: Vec<i16>,
    /// Which advertisers are bands, until a roster says so.
    pub matcher: Matcher,
    /// The configuration's digest.
    pub digest: Digest,
}

impl Settings {
    /// The same settings for another detector.
    pub fn with_detector(self, detector: Detector, parameters: Parameters) -> Self {
        let cutoffs = self.cutoffs.filter(|_| detector == Detector::Adaptive);
        let model = cutoffs.map(|cutoffs| Arc::new(Model::new(parameters, cutoffs, self.pace)));
        Self { detector, model, ..self }
    }

    /// The offset of one dongle's readings, in tenths of a dB.
    pub fn offset(&self, adapter: AdapterId) -> i16 {
        self.offsets.get(usize::from(adapter.0)).copied().unwrap_or(0)
    }
}

impl From<&config::Config> for Settings {
    fn from(config: &config::Config) -> Self {
        let level = |level: config::Level| Level::from_dbm(level.dbm());
        let documented = Self {
            window_tap: config.rssi_window_tap.get(),
            window_long: config.rssi_window_long.get(),
            tap_threshold: config.rssi_tap_threshold.map(level),
            cutoffs: config.rssi_cutoffs.and_then(|cutoffs| Cutoffs::new(level(cutoffs.close()), level(cutoffs.far()))),
            detector: Detector::Classic,
            pace: match config.away_pace {
                config::AwayPace::Sooner => Pace::Sooner,
                config::AwayPace::Balanced => Pace::Balanced,
                config::AwayPace::Calmer => Pace::Calmer,
            },
            model: None,
            absent_after: config.absent_after,
            offsets: config.adapters.iter().map(|adapter| adapter.rssi_offset.tenths()).collect(),
            matcher: Matcher::from(&config.bands),
            digest: Digest(config.digest().0),
        };
        let detector = match config.detector {
            config::Detector::Classic => Detector::Classic,
            config::Detector::Adaptive => Detector::Adaptive,
        };
        documented.with_detector(detector, Parameters::SETTLED)
    }
}

impl From<&config::Bands> for Matcher {
    fn from(bands: &config::Bands) -> Self {
        let (mut services16, mut services128) = (Vec::new(), Vec::new());
        for uuid in &bands.service_uuids {
            match uuid {
                config::ServiceUuid::Short(short) => services16.push(*short),
                config::ServiceUuid::Long(long) => services128.push(u128::from_be_bytes(long.0)),
            }
        }
        // Printed with the most significant byte first, sent with the least.
        let reversed = |mut octets: [u8; 6]| {
            octets.reverse();
            bgapi::BdAddr(octets)
        };
        Self {
            all: bands.all,
            company_ids: bands.company_ids.clone(),
            name_prefixes: bands.name_prefixes.iter().map(|prefix| prefix.clone().into_bytes()).collect(),
            services16,
            services128,
            addresses: bands.addresses.iter().map(|address| reversed(address.0)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detector_and_pace_are_the_configured_ones() {
        let chosen = |detector, away_pace| {
            let settings = Settings::from(&config::Config { detector, away_pace, ..config::Config::default() });
            (settings.detector, settings.pace)
        };
        use config::AwayPace::{Balanced, Calmer, Sooner};
        assert_eq!(chosen(config::Detector::Classic, Balanced), (Detector::Classic, Pace::Balanced));
        assert_eq!(chosen(config::Detector::Adaptive, Sooner), (Detector::Adaptive, Pace::Sooner));
        assert_eq!(chosen(config::Detector::Adaptive, Calmer), (Detector::Adaptive, Pace::Calmer));
    }
}
