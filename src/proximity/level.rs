//! Signal levels in tenths of a dBm, and means of them that are never rounded before they are compared.

use std::cmp::Ordering;
use std::ops::RangeInclusive;

/// What the dongle can report, in tenths of a dBm; levels are clipped to it once the offset is added.
///
/// Source: BGAPI reference, "Scan Response": -103 to -38 dBm, where the receiver saturates.
pub const RANGE: RangeInclusive<Level> = Level::from_dbm(-103)..=Level::from_dbm(-38);

/// A level in tenths of a dBm: fine enough for a dongle's offset, and exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Level(i16);

impl Level {
    /// A level in whole dBm.
    pub const fn from_dbm(dbm: i8) -> Self {
        Self(dbm as i16 * 10)
    }

    /// A level in tenths of a dBm.
    pub const fn from_tenths(tenths: i16) -> Self {
        Self(tenths)
    }

    /// The level in tenths of a dBm.
    pub const fn tenths(self) -> i32 {
        self.0 as i32
    }

    /// The level in hundredths of a dBm.
    pub const fn cdb(self) -> i32 {
        self.0 as i32 * 10
    }

    /// A reading of the radio, corrected by the dongle's offset (both in tenths) and clipped to what a dongle can report.
    ///
    /// `None` for a reading that is none: only -127 < rssi < 0 is a level (+127 is Bluetooth's "not available", and 0,
    /// positive ones and -128 have been seen from broken radios).
    pub fn from_reading(tenths: i32, offset: i16) -> Option<Self> {
        if tenths <= -1270 || tenths >= 0 {
            return None;
        }
        let level = (tenths + i32::from(offset)).clamp(RANGE.start().tenths(), RANGE.end().tenths());
        Some(Self(level as i16)) // within RANGE, so it fits
    }
}

/// The mean of some levels, kept as sum and count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mean {
    sum: i32,
    n: i32,
}

impl Mean {
    /// The mean of `n` levels that add up to `sum` tenths of a dBm; `None` for none.
    pub fn new(sum: i32, n: usize) -> Option<Self> {
        let n = i32::try_from(n).ok()?;
        (n > 0).then_some(Self { sum, n })
    }

    /// Compares with a level moved by `by` tenths of a dB, without rounding.
    pub fn compare(self, level: Level, by: i32) -> Ordering {
        self.sum.cmp(&(self.n * (level.tenths() + by)))
    }

    /// Whether this mean is at or above the level moved by `by` tenths of a dB.
    pub fn reaches(self, level: Level, by: i32) -> bool {
        self.compare(level, by) != Ordering::Less
    }

    /// Whether this mean is at or below the level moved by `by` tenths of a dB.
    pub fn sinks_to(self, level: Level, by: i32) -> bool {
        self.compare(level, by) != Ordering::Greater
    }

    /// Compares two means without rounding.
    pub fn compare_mean(self, other: Self) -> Ordering {
        (i64::from(self.sum) * i64::from(other.n)).cmp(&(i64::from(other.sum) * i64::from(self.n)))
    }

    /// The mean in hundredths of a dBm, rounded half away from zero.
    pub fn cdb(self) -> i32 {
        let (hundredths, n) = (i64::from(self.sum) * 10, i64::from(self.n));
        let half = if hundredths < 0 { -n } else { n };
        ((2 * hundredths + half) / (2 * n)) as i32 // a mean of levels is no larger than a level
    }

    /// This mean less another, in hundredths of a dB, rounded half away from zero.
    pub fn minus(self, other: Self) -> i32 {
        let n = i64::from(self.n) * i64::from(other.n);
        let hundredths = (i64::from(self.sum) * i64::from(other.n) - i64::from(other.sum) * i64::from(self.n)) * 10;
        let half = if hundredths < 0 { -n } else { n };
        ((2 * hundredths + half) / (2 * n)) as i32 // as above
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_that_are_none_are_refused_and_levels_are_clipped_after_the_offset() {
        let cases: [(&str, i32, i16, Option<i32>); 9] = [
            ("an ordinary reading", -600, 0, Some(-600)),
            ("with an offset of tenths", -600, -35, Some(-635)),
            ("saturated once corrected", -400, 50, Some(-380)),
            ("below what the dongle hears", -1200, 0, Some(-1030)),
            ("just valid", -1269, 0, Some(-1030)),
            ("Bluetooth's not available", 1270, 0, None),
            ("zero", 0, 0, None),
            ("-127", -1270, 0, None),
            ("-128", -1280, 400, None),
        ];
        for (case, tenths, offset, level) in cases {
            assert_eq!(Level::from_reading(tenths, offset).map(Level::tenths), level, "{case}");
        }
    }

    #[test]
    fn means_round_half_away_from_zero_only_in_print() {
        for (sum, n, cdb) in [(-2099, 3, -6997), (-1399, 2, -6995), (-8401, 16, -5251), (-8, 16, -5), (-1, 8, -1)] {
            assert_eq!(Mean::new(sum, n).unwrap().cdb(), cdb, "{sum}/{n}");
        }
        let almost = Mean::new(-4201, 10).unwrap();
        assert!(!almost.reaches(Level::from_dbm(-42), 0), "-42.01 prints as -42.01 and does not reach -42");
        assert!(Mean::new(-4200, 10).unwrap().reaches(Level::from_dbm(-42), 0));
        assert!(Mean::new(0, 0).is_none());
    }

    #[test]
    fn means_of_unlike_counts_compare_exactly() {
        let (a, b) = (Mean::new(-2000, 3).unwrap(), Mean::new(-1333, 2).unwrap());
        assert_eq!(a.compare_mean(b), Ordering::Less, "-66.667 is below -66.65");
        assert_eq!(a.minus(b), -2);
    }
}
