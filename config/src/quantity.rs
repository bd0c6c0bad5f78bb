//! Quantities of nbe.toml that cannot be out of range.

use std::time::Duration;

/// A level of the received signal, -99 to -1 dBm, in whole dBm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level(i8);

impl Level {
    /// The level of `dbm`, where it is in range.
    pub const fn new(dbm: i8) -> Option<Self> {
        if dbm >= -99 && dbm <= -1 { Some(Self(dbm)) } else { None }
    }

    /// The level in dBm.
    pub const fn dbm(self) -> i8 {
        self.0
    }
}

/// The outer edges of "close" and "far", far below close.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cutoffs {
    close: Level,
    far: Level,
}

impl Cutoffs {
    /// The pair, where `far` is below `close`.
    pub fn new(close: Level, far: Level) -> Option<Self> {
        (far < close).then_some(Self { close, far })
    }

    /// The outer edge of "close".
    pub const fn close(self) -> Level {
        self.close
    }

    /// The outer edge of "far".
    pub const fn far(self) -> Level {
        self.far
    }
}

/// How many readings a window holds, 1 to 200.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WindowLength(u8);

impl WindowLength {
    /// The longest window, and so the most readings kept of one band.
    pub const MAX: usize = 200;

    /// The length of `readings`, where it is in range.
    pub const fn new(readings: u8) -> Option<Self> {
        if readings >= 1 && readings as usize <= Self::MAX { Some(Self(readings)) } else { None }
    }

    /// The number of readings.
    pub const fn get(self) -> usize {
        self.0 as usize
    }
}

/// A correction added to every reading of one dongle, -40.0 to 40.0 dB in tenths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RssiOffset(i16);

impl RssiOffset {
    /// The offset of so many tenths of a dB, where it is in range.
    pub const fn from_tenths(tenths: i16) -> Option<Self> {
        if tenths >= -400 && tenths <= 400 { Some(Self(tenths)) } else { None }
    }

    /// The offset in tenths of a dB.
    pub const fn tenths(self) -> i16 {
        self.0
    }
}

/// A stretch of scanning, 2.5 to 10240 ms, counted as the radio counts it.
///
/// Source: BGAPI reference, `gap_set_scan_parameters`; the unit is that of Core Vol 4, Part E, §7.8.10.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScanTicks(u16);

impl ScanTicks {
    /// One tick.
    pub const UNIT: Duration = Duration::from_micros(625);

    /// A stretch of so many ticks, 4 to 0x4000, where it is in range.
    pub const fn new(ticks: u16) -> Option<Self> {
        if ticks >= 4 && ticks <= 0x4000 { Some(Self(ticks)) } else { None }
    }

    /// The number of ticks, as `gap_set_scan_parameters` takes it.
    pub const fn get(self) -> u16 {
        self.0
    }

    /// The same as a duration.
    pub fn duration(self) -> Duration {
        Self::UNIT * u32::from(self.0)
    }
}

/// How the dongle listens: for `window` out of every `interval`, one advertising channel per interval in turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ScanTiming {
    interval: ScanTicks,
    window: ScanTicks,
}

impl ScanTiming {
    /// The pair, where the window fits into the interval.
    pub fn new(interval: ScanTicks, window: ScanTicks) -> Option<Self> {
        (window <= interval).then_some(Self { interval, window })
    }

    /// The time spent on one channel before the next one's turn.
    pub const fn interval(self) -> ScanTicks {
        self.interval
    }

    /// The time listened within an interval; equal to it, the dongle listens all the time.
    pub const fn window(self) -> ScanTicks {
        self.window
    }
}
