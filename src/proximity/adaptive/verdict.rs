//! From belief to a side: near as soon as it is likely, away when enough was sure for long enough.

use super::filter::Belief;
use super::math::ln;
use super::model::Model;
use crate::event::Side;

/// What has gathered for saying away.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Verdict {
    /// In log odds times seconds, beyond the odds that it takes.
    gathered: f64,
    /// How many samples there were, as far as that matters.
    heard: u8,
}

/// Nothing is said by fewer samples: one may be anybody's, and each channel has levels of its own.
const FEWEST: u8 = 3;

/// Odds are taken no further than this: more is not known.
const CERTAIN: f64 = 1e-6;
/// A second counts for no more than this many log odds.
const MOST: f64 = 6.0;
/// A silence counts for no more than this, in s.
const SILENCE_S: f64 = 1.0;
/// What speaks against it counts as often, per second.
const AGAINST: f64 = 2.0;

impl Verdict {
    /// Takes in a belief that has held for so many seconds; returns the side asked for, if it is another than `held`.
    pub(super) fn observe(&mut self, model: &Model, seconds: f64, belief: Belief, held: Side) -> Option<Side> {
        self.heard = (self.heard + 1).min(FEWEST);
        let seconds = seconds.min(SILENCE_S);
        let away = belief.away.clamp(CERTAIN, 1.0 - CERTAIN);
        let over = ln(away / (1.0 - away)) - model.away_odds;
        if over < 0.0 {
            self.gathered = (self.gathered + AGAINST * over * seconds).max(0.0);
        } else {
            self.gathered += over.min(MOST) * seconds;
        }
        if self.heard < FEWEST {
            return None;
        }
        if held != Side::Away && self.gathered >= model.p.away_evidence {
            return Some(Side::Away);
        }
        if held != Side::Near && 1.0 - belief.away > model.p.near_probability {
            self.gathered = 0.0;
            return Some(Side::Near);
        }
        None
    }

    /// What has gathered.
    pub(super) fn gathered(self) -> f64 {
        self.gathered
    }
}
