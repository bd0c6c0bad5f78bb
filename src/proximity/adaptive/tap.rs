//! The tap rule of the adaptive detector: a tap as soon as the evidence of contact suffices.
//!
//! At the antenna a band is heard 19 to 30 dB above the desk, give or take 3 dB, so that every single sample says a lot.
//! `docs/DETECTION.md` has the reasoning.

use std::time::Duration;

use crate::proximity::constants::{
    CONTACT_GAIN, CONTACT_LEFT, CONTACT_NEED, CONTACT_RISE, CONTACT_RISE_WITHIN, TAP_GAP, TAP_REARM,
};
use crate::proximity::level::{Level, Mean};
use crate::proximity::window::View;
use crate::time::Time;

/// What one dongle hears of a band that may be held to it.
#[derive(Clone, Debug, Default)]
pub(in crate::proximity) struct Contact {
    /// The newest sample's moment.
    heard: Option<Time>,
    lows: Lows,
    run: Option<Run>,
    /// How many samples in a row lay far below the threshold, up to [`CONTACT_LEFT`].
    below: u8,
    /// Whether the band was heard away from the antenna since it was last silent.
    was_away: bool,
}

/// The samples since there is evidence.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// In tenths of a dB; positive.
    evidence: i32,
    /// When it began.
    since: Time,
    /// What it rose from, and when that was heard.
    low: Option<(Time, Level)>,
    /// The farthest that it rose within [`CONTACT_RISE_WITHIN`], in tenths of a dB.
    rise: i32,
    n: u32,
    sum: i32,
    peak: Level,
}

/// What a tap rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::proximity) struct Grip {
    /// The evidence, in tenths of a dB.
    pub(in crate::proximity) evidence: i32,
    /// What it had to reach.
    pub(in crate::proximity) need: i32,
    /// How far the level rose, in tenths of a dB.
    pub(in crate::proximity) rise: i32,
    /// The samples from which the evidence comes.
    pub(in crate::proximity) view: View,
    /// The strongest of them.
    pub(in crate::proximity) peak: Level,
}

impl Contact {
    /// Takes in one sample; `window` is the tap window's length.
    pub(in crate::proximity) fn push(&mut self, at: Time, level: Level, threshold: Level, window: usize) {
        let pause = self.heard.map(|heard| at.since(heard));
        self.heard = Some(at);
        if pause.is_none_or(|pause| pause > CONTACT_RISE_WITHIN) {
            self.was_away = false;
        }
        if pause.is_none_or(|pause| pause > TAP_GAP) {
            self.run = None;
        }
        let above = level.tenths() - threshold.tenths();
        self.below = if above <= -TAP_REARM { CONTACT_LEFT.min(self.below + 1) } else { 0 };
        if self.has_left() {
            (self.was_away, self.run) = (true, None);
        }
        self.weigh(at, level, above, need(window));
        self.lows.push(at, level);
    }

    fn weigh(&mut self, at: Time, level: Level, above: i32, need: i32) {
        let before = self.run.map_or(0, |run| run.evidence);
        // No more than counts: a band that lies there for hours must not have to be away for hours.
        let evidence = (before + if above >= 0 { CONTACT_GAIN } else { above }).min(need + CONTACT_GAIN);
        if evidence <= 0 {
            self.run = None;
            return;
        }
        let new = || Run { evidence, since: at, low: self.lows.lowest(at), rise: 0, n: 0, sum: 0, peak: level };
        let run = self.run.get_or_insert_with(new);
        run.evidence = evidence;
        if let Some((low_at, low)) = run.low
            && at.since(low_at) <= CONTACT_RISE_WITHIN
        {
            run.rise = run.rise.max(level.tenths() - low.tenths());
        }
        (run.n, run.sum) = (run.n.saturating_add(1), run.sum.saturating_add(level.tenths()));
        run.peak = run.peak.max(level);
    }

    /// Whether the newest samples are those of a band that has left the antenna.
    pub(in crate::proximity) fn has_left(&self) -> bool {
        self.below == CONTACT_LEFT
    }

    /// Whether the band was heard away from the antenna since it was last silent; else nothing shows that a hand came.
    pub(in crate::proximity) fn was_away(&self) -> bool {
        self.was_away
    }

    /// What says that the band is held to the antenna, if that suffices for a tap.
    pub(in crate::proximity) fn grip(&self, window: usize) -> Option<Grip> {
        let (run, need) = (self.run?, need(window));
        if run.evidence < need || run.rise < CONTACT_RISE {
            return None;
        }
        let mean = Mean::new(run.sum, run.n as usize)?;
        let view = View { mean, n: run.n as usize, span: self.heard?.since(run.since) };
        Some(Grip { evidence: run.evidence, need, rise: run.rise, view, peak: run.peak })
    }

    /// Drops the evidence: it belongs to a tap that was concluded, or to other settings.
    pub(in crate::proximity) fn drop_evidence(&mut self) {
        self.run = None;
    }
}

/// What the evidence must reach for a tap window of this length, in tenths of a dB.
fn need(window: usize) -> i32 {
    i32::try_from(window).unwrap_or(i32::MAX).min(i32::MAX / CONTACT_GAIN) * CONTACT_NEED
}

/// The lowest levels of the last [`CONTACT_RISE_WITHIN`], each the lowest of a quarter of a second: as many however many
/// samples come.
#[derive(Clone, Debug, Default)]
struct Lows {
    cells: [Option<Low>; Self::CELLS],
    newest: usize,
}

/// The lowest level since some moment.
#[derive(Clone, Copy, Debug)]
struct Low {
    since: Time,
    at: Time,
    level: Level,
}

impl Lows {
    const CELL: Duration = Duration::from_millis(250);
    const CELLS: usize = (CONTACT_RISE_WITHIN.as_millis() / Self::CELL.as_millis()) as usize + 1;

    fn push(&mut self, at: Time, level: Level) {
        match &mut self.cells[self.newest] {
            Some(low) if at.since(low.since) < Self::CELL => {
                if level <= low.level {
                    (low.at, low.level) = (at, level);
                }
            }
            _ => {
                self.newest = (self.newest + 1) % Self::CELLS;
                self.cells[self.newest] = Some(Low { since: at, at, level });
            }
        }
    }

    fn lowest(&self, now: Time) -> Option<(Time, Level)> {
        let fresh = self.cells.iter().flatten().filter(|low| now.since(low.at) <= CONTACT_RISE_WITHIN);
        fresh.min_by_key(|low| (low.level, std::cmp::Reverse(low.at))).map(|low| (low.at, low.level))
    }
}

#[cfg(test)]
mod tests;
