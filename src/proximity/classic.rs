//! The documented rules: a tap when the mean of a full window reaches the threshold, a side when the mean of the long
//! window crosses a cutoff in the cutoff's direction.

use std::cmp::Ordering;

use super::constants::{TAP_REARM, TREND_MIN_SAMPLES, TREND_SPENT};
use super::level::{Level, Mean};
use super::window::Track;
use crate::event::{AdapterId, Rule, Side};

/// The two levels of proximity, with `far < close`, so that no mean asks for both sides at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cutoffs {
    close: Level,
    far: Level,
}

impl Cutoffs {
    /// `None` unless `far` lies below `close`.
    pub fn new(close: Level, far: Level) -> Option<Self> {
        (far < close).then_some(Self { close, far })
    }

    /// At or above is close.
    pub fn close(self) -> Level {
        self.close
    }

    /// At or below is far.
    pub fn far(self) -> Level {
        self.far
    }

    /// The side that a window asks for, if it is another than `held`, with the rule and the cutoff that it met.
    pub fn side(self, track: &Track, held: Side) -> Option<(Side, Rule, Level)> {
        let mean = track.long_mean(TREND_MIN_SAMPLES)?;
        // The halves are added up only where they can matter: not while the side stays what it is.
        if held != Side::Near && mean.reaches(self.close, 0) {
            let rising = slope(track).is_none_or(Ordering::is_ge);
            let rule = if rising { Rule::NearRising } else { Rule::NearAbove };
            (rising || mean.reaches(self.close, TREND_SPENT)).then_some((Side::Near, rule, self.close))
        } else if held != Side::Away && mean.sinks_to(self.far, 0) {
            let falling = slope(track).is_none_or(Ordering::is_le);
            let rule = if falling { Rule::AwayFalling } else { Rule::AwayBelow };
            (falling || mean.sinks_to(self.far, -TREND_SPENT)).then_some((Side::Away, rule, self.far))
        } else {
            None
        }
    }
}

/// The newer half of the long window against the older one; `None` for a window of one, which rises and falls.
fn slope(track: &Track) -> Option<Ordering> {
    track.halves().map(|(newer, older)| newer.compare_mean(older))
}

/// One tap per approach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trigger {
    /// Ready for a tap.
    Armed,
    /// A tap was concluded, and the band has not left the antenna since.
    Spent {
        /// At this dongle; what another hears of the band says nothing about this one's antenna.
        at: AdapterId,
    },
}

impl Trigger {
    /// Makes ready for the next tap once the mean of a full window at the dongle of the last one has fallen far enough.
    pub(super) fn rearm(&mut self, threshold: Level, mean_at: impl FnOnce(AdapterId) -> Option<Mean>) {
        if let Self::Spent { at } = *self
            && mean_at(at).is_some_and(|mean| mean.sinks_to(threshold, -TAP_REARM))
        {
            *self = Self::Armed;
        }
    }

    /// Takes the mean of a full window at a dongle, and says whether it concludes a tap.
    pub(super) fn observe(&mut self, at: AdapterId, mean: Mean, threshold: Level) -> bool {
        let tap = *self == Self::Armed && mean.reaches(threshold, 0);
        if tap {
            *self = Self::Spent { at };
        }
        tap
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Time;

    const CUTOFFS: Cutoffs = Cutoffs { close: Level::from_dbm(-70), far: Level::from_dbm(-75) };

    fn side(window: usize, held: Side, dbm: &[i8]) -> Option<(Side, Rule)> {
        let mut track = Track::new(1, window);
        for (i, &dbm) in dbm.iter().enumerate() {
            track.push(Time::from_millis(i as u64), Level::from_dbm(dbm));
        }
        CUTOFFS.side(&track, held).map(|(side, rule, _)| (side, rule))
    }

    #[test]
    fn a_side_needs_a_level_and_a_direction_until_the_level_is_plain() {
        use Rule::{AwayBelow, AwayFalling, NearAbove, NearRising};
        use Side::{Away, Near, Unknown};
        let cases: [(&str, Side, &[i8], Option<(Side, Rule)>); 12] = [
            ("three samples say nothing", Unknown, &[-60, -60, -60], None),
            ("flat at close", Unknown, &[-70, -70, -70, -70], Some((Near, NearRising))),
            ("above close and rising", Away, &[-72, -71, -68, -67], Some((Near, NearRising))),
            ("above close but falling", Away, &[-67, -68, -71, -71], None),
            ("falling, 3 dB above close", Away, &[-65, -65, -69, -69], Some((Near, NearAbove))),
            ("between the cutoffs", Near, &[-72, -72, -73, -73], None),
            ("between the cutoffs, first of all", Unknown, &[-72, -72, -73, -73], None),
            ("flat at far", Near, &[-75, -75, -75, -75], Some((Away, AwayFalling))),
            ("below far but rising", Near, &[-79, -77, -74, -73], None),
            ("rising, 3 dB below far", Near, &[-81, -80, -76, -75], Some((Away, AwayBelow))),
            ("near stays near", Near, &[-60, -60, -60, -60], None),
            ("away stays away", Away, &[-90, -90, -90, -90], None),
        ];
        for (case, held, dbm, concluded) in cases {
            assert_eq!(side(50, held, dbm), concluded, "{case}");
        }
    }

    #[test]
    fn a_window_of_one_rises_and_falls() {
        assert_eq!(side(1, Side::Away, &[-70]), Some((Side::Near, Rule::NearRising)));
        assert_eq!(side(1, Side::Near, &[-75]), Some((Side::Away, Rule::AwayFalling)));
    }

    #[test]
    fn cutoffs_never_cross() {
        assert!(Cutoffs::new(Level::from_dbm(-70), Level::from_dbm(-70)).is_none());
        assert!(Cutoffs::new(Level::from_dbm(-70), Level::from_dbm(-75)).is_some());
    }

    #[test]
    fn one_tap_per_approach() {
        let threshold = Level::from_dbm(-42);
        let (here, there) = (AdapterId(0), AdapterId(1));
        let mut trigger = Trigger::Armed;
        let mut observe = |at: AdapterId, dbm: i32| {
            let mean = Mean::new(dbm * 10, 1).unwrap();
            trigger.rearm(threshold, |asked| (asked == at).then_some(mean));
            trigger.observe(at, mean, threshold)
        };
        let taps = [-50, -43, -42, -40, -47, -42, -48, -42, -40].map(|dbm| observe(here, dbm));
        assert_eq!(taps, [false, false, true, false, false, false, false, true, false]);
        assert!(!observe(there, -60) && !observe(there, -40), "elsewhere it was weak all the time");
    }
}
