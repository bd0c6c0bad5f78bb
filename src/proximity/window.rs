//! The newest samples of one band at one dongle, and rolling means over them.

use std::time::Duration;

use super::constants::{PRESENT_SAMPLES, TAP_GAP};
use super::level::{Level, Mean};
use crate::time::Time;

/// The newest samples with their times; both windows look into it.
#[derive(Clone, Debug)]
struct History {
    ring: Box<[(Time, Level)]>,
    next: usize,
    len: usize,
}

impl History {
    fn new(capacity: usize) -> Self {
        Self { ring: vec![(Time::ZERO, Level::from_tenths(0)); capacity].into(), next: 0, len: 0 }
    }

    fn push(&mut self, at: Time, level: Level) {
        self.ring[self.next] = (at, level);
        self.next = if self.next + 1 == self.ring.len() { 0 } else { self.next + 1 };
        self.len = self.ring.len().min(self.len + 1);
    }

    /// The sample `back` places before the newest; `back` must be below the number of samples kept.
    fn back(&self, back: usize) -> (Time, Level) {
        let behind = back + 1;
        let place = if self.next >= behind { self.next - behind } else { self.next + self.ring.len() - behind };
        self.ring[place]
    }

    fn sum(&self, backs: std::ops::Range<usize>) -> i32 {
        backs.map(|back| self.back(back).1.tenths()).sum()
    }
}

/// How many of the newest samples count, and what they add up to.
#[derive(Clone, Copy, Debug)]
struct Rolling {
    size: usize,
    n: usize,
    sum: i32,
}

impl Rolling {
    const fn new(size: usize) -> Self {
        Self { size, n: 0, sum: 0 }
    }

    /// Takes in a sample that is not yet in the history.
    fn push(&mut self, level: Level, history: &History) {
        if self.n == self.size {
            self.sum -= history.back(self.size - 1).1.tenths();
        } else {
            self.n += 1;
        }
        self.sum += level.tenths();
    }

    fn clear(&mut self) {
        (self.n, self.sum) = (0, 0);
    }
}

/// What a window of samples shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// The mean of all.
    pub mean: Mean,
    /// How many.
    pub n: usize,
    /// From the oldest to the newest.
    pub span: Duration,
}

/// The samples of one band at one dongle, seen through the tap window and the long window.
#[derive(Clone, Debug)]
pub struct Track {
    history: History,
    tap: Rolling,
    long: Rolling,
}

impl Track {
    /// A track without samples; sizes in samples, at least 1.
    pub fn new(tap: usize, long: usize) -> Self {
        let capacity = tap.max(long).max(PRESENT_SAMPLES);
        Self { history: History::new(capacity), tap: Rolling::new(tap), long: Rolling::new(long) }
    }

    /// Takes in one sample.
    pub fn push(&mut self, at: Time, level: Level) {
        self.tap.push(level, &self.history);
        self.long.push(level, &self.history);
        self.history.push(at, level);
    }

    /// The newest sample's time.
    pub fn heard(&self) -> Option<Time> {
        (self.history.len > 0).then(|| self.history.back(0).0)
    }

    /// The time of the sample `back` places before the newest, however long ago.
    pub fn heard_back(&self, back: usize) -> Option<Time> {
        (back < self.history.len).then(|| self.history.back(back).0)
    }

    /// Empties the tap window.
    pub fn clear_tap(&mut self) {
        self.tap.clear();
    }

    /// Empties the long window.
    pub fn clear_long(&mut self) {
        self.long.clear();
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.history.len = 0;
        self.tap.clear();
        self.long.clear();
    }

    /// Changes the windows' sizes; the newest samples stay.
    pub fn resize(&mut self, tap: usize, long: usize) {
        let old = std::mem::replace(self, Self::new(tap, long));
        for back in (0..old.history.len.min(self.history.ring.len())).rev() {
            let (at, level) = old.history.back(back);
            self.history.push(at, level);
        }
        let unbroken = (1..self.history.len)
            .take_while(|&back| self.history.back(back - 1).0.since(self.history.back(back).0) <= TAP_GAP)
            .count();
        self.tap.n = self.tap.size.min(self.history.len.min(unbroken + 1));
        self.long.n = self.long.size.min(old.long.n);
        for window in [&mut self.tap, &mut self.long] {
            window.sum = self.history.sum(0..window.n);
        }
    }

    /// The mean of the tap window, if it is full.
    pub fn tap_mean(&self) -> Option<Mean> {
        if self.tap.n == self.tap.size { Mean::new(self.tap.sum, self.tap.n) } else { None }
    }

    /// The tap window's samples, if there are any.
    pub fn tap_view(&self) -> Option<View> {
        self.view(self.tap)
    }

    /// The strongest sample of the tap window.
    pub fn tap_peak(&self) -> Option<Level> {
        (0..self.tap.n).map(|back| self.history.back(back).1).max()
    }

    /// The mean of the long window, if it holds at least `least` samples (or all that it can).
    pub fn long_mean(&self, least: usize) -> Option<Mean> {
        if self.long.n >= least.min(self.long.size) { Mean::new(self.long.sum, self.long.n) } else { None }
    }

    /// The long window's samples, if there are any.
    pub fn long_view(&self) -> Option<View> {
        self.view(self.long)
    }

    /// The means of the long window's newer and older half; an odd window leaves its middle sample out.
    pub fn halves(&self) -> Option<(Mean, Mean)> {
        let half = self.long.n / 2;
        let newer = self.history.sum(0..half);
        let older = self.history.sum(self.long.n - half..self.long.n);
        Some((Mean::new(newer, half)?, Mean::new(older, half)?))
    }

    fn view(&self, window: Rolling) -> Option<View> {
        let mean = Mean::new(window.sum, window.n)?;
        let span = self.history.back(0).0.since(self.history.back(window.n - 1).0);
        Some(View { mean, n: window.n, span })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(tap: usize, long: usize, dbm: &[i8]) -> Track {
        let mut track = Track::new(tap, long);
        for (i, &dbm) in dbm.iter().enumerate() {
            track.push(Time::from_millis(100 * i as u64), Level::from_dbm(dbm));
        }
        track
    }

    #[test]
    fn rolling_sums_equal_sums_from_scratch() {
        let dbm: Vec<i8> = (0..500).map(|i| -40 - (i * 37 % 61) as i8).collect();
        for (tap, long) in [(1, 1), (10, 50), (50, 10), (200, 3), (7, 200)] {
            for end in 1..dbm.len() {
                let seen = track(tap, long, &dbm[..end]);
                let sum = |size: usize| -> i32 {
                    dbm[end.saturating_sub(size)..end].iter().map(|&d| i32::from(d) * 10).sum()
                };
                assert_eq!(seen.long_view().unwrap().mean, Mean::new(sum(long), long.min(end)).unwrap());
                assert_eq!(seen.tap_mean(), if end >= tap { Mean::new(sum(tap), tap) } else { None });
            }
        }
    }

    #[test]
    fn halves_leave_out_the_middle_sample() {
        let halves = |dbm: &[i8]| track(10, 50, dbm).halves().map(|(newer, older)| (newer.cdb(), older.cdb()));
        assert_eq!(halves(&[-60]), None, "one sample has no halves");
        assert_eq!(halves(&[-60, -50]), Some((-5000, -6000)));
        assert_eq!(halves(&[-60, -99, -50]), Some((-5000, -6000)));
        assert_eq!(halves(&[-60, -62, -99, -50, -52]), Some((-5100, -6100)));
    }

    #[test]
    fn resizing_keeps_the_newest_samples() {
        let mut seen = track(3, 5, &[-90, -80, -70, -60, -50, -40]);
        seen.resize(2, 4);
        assert_eq!(seen.tap_mean().unwrap().cdb(), -4500);
        assert_eq!(seen.long_view().unwrap().mean.cdb(), -5500);
        seen.resize(5, 8);
        assert_eq!(seen.tap_mean(), None, "four samples are kept, which do not fill a window of five");
        assert_eq!(seen.long_view().unwrap().n, 4);
        seen.push(Time::from_secs(1), Level::from_dbm(-40));
        assert_eq!(seen.long_view().unwrap().mean.cdb(), -5200);
        assert_eq!(seen.tap_mean().unwrap().cdb(), -5200);
        seen.resize(2, 8);
        assert_eq!(seen.tap_mean().unwrap().cdb(), -4000);
    }

    #[test]
    fn spans_and_peaks_belong_to_their_window() {
        let seen = track(3, 5, &[-40, -80, -70, -60, -75]);
        assert_eq!(seen.tap_view().unwrap().span, Duration::from_millis(200));
        assert_eq!(seen.long_view().unwrap().span, Duration::from_millis(400));
        assert_eq!(seen.tap_peak(), Some(Level::from_dbm(-60)));
    }
}
