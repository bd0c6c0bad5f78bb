//! The terminal's keys and mouse: what its user does there, and when.

use super::parameter::{Parameter, while_of};
use crate::simulate::Random;

/// Of the time at the keys, the part in bursts; the parts' lengths follow from it.
const TYPING: Parameter = Parameter {
    what: "time at the keys in bursts of input, 90 s as a rule",
    low: 60.0,
    high: 60.0,
    unit: "%",
    source: "assumed",
};
const INPUT: Parameter =
    Parameter { what: "between inputs of a burst", low: 0.5, high: 5.0, unit: "s", source: "assumed" };
const SIGN_IN: Parameter =
    Parameter { what: "sign-in after sitting down again", low: 3.0, high: 8.0, unit: "s", source: "assumed" };

/// The parameters of the keys.
pub(super) const PARAMETERS: [&Parameter; 3] = [&TYPING, &INPUT, &SIGN_IN];

/// How long a burst lasts, in seconds.
const BURST_S: f64 = 90.0;

/// Somebody's input, as long as somebody is there to give it.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    random: Random,
    next: f64,
    burst_ends: f64,
}

impl Keys {
    pub(super) fn new(mut random: Random) -> Self {
        let burst_ends = while_of(BURST_S, &mut random);
        Self { random, next: 0.0, burst_ends }
    }

    /// Input between two moments, in seconds; somebody sits there.
    pub(super) fn between(&mut self, from: f64, until: f64, mut input: impl FnMut(f64)) {
        self.next = self.next.max(from);
        while self.next < until {
            input(self.next);
            self.next += INPUT.draw(&mut self.random);
            if self.next > self.burst_ends {
                let share = TYPING.value() / 100.0;
                self.next += while_of(BURST_S * (1.0 - share) / share, &mut self.random);
                self.burst_ends = self.next + while_of(BURST_S, &mut self.random);
            }
        }
    }

    /// When somebody signs in who sits down at a moment.
    pub(super) fn sign_in(&mut self, at: f64) -> f64 {
        at + SIGN_IN.draw(&mut self.random)
    }
}
