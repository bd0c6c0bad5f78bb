//! What the engine must know of nbe.toml, proven before it gets here.

use std::time::Duration;

use super::classic::Cutoffs;
use super::level::Level;
use super::matcher::Matcher;
use crate::event::{AdapterId, Digest};

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
    /// The offset of one dongle's readings, in tenths of a dB.
    pub fn offset(&self, adapter: AdapterId) -> i16 {
        self.offsets.get(usize::from(adapter.0)).copied().unwrap_or(0)
    }
}
