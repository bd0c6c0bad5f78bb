//! How old a tap is, though two machines share no clock.

use std::time::Duration;

use crate::time::Time;

/// How fast two clocks may drift apart, in millionths; crystals differ by less, and a clock being slewed by a little more.
///
/// Without it, a daemon whose clock runs slow would look later every day, until every tap looked too old.
const DRIFT_PPM: i128 = 500;

/// The least delay seen on one connection, against which later messages are late.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Delay {
    /// `received - sent` of the quickest message in microseconds (the clocks' difference is in it), and when it came.
    quickest: Option<(i128, Time)>,
}

impl Delay {
    /// How much longer this message took than the quickest one before it.
    ///
    /// `sent` is the daemon's clock when it wrote the message, in microseconds.
    pub(super) fn observe(&mut self, received: Time, sent: u64) -> Duration {
        let took = i128::from(received.as_micros()) - i128::from(sent);
        if let Some((quickest, at)) = self.quickest {
            let drift = i128::from(received.as_micros().saturating_sub(at.as_micros())) * DRIFT_PPM / 1_000_000;
            let late = took - quickest - drift;
            if late > 0 {
                return Duration::from_micros(u64::try_from(late).unwrap_or(u64::MAX));
            }
        }
        self.quickest = Some((took, received));
        Duration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_as_late_as_the_quickest_was_not() {
        let mut delay = Delay::default();
        // Received (ms), sent (ms on a clock that is 1 h ahead), late (ms, drift taken off).
        let steps = [
            (100, 3_600_000, 0),
            (200, 3_600_100, 0),
            (1_100, 3_600_200, 799),
            (1_101, 3_601_001, 0),
            (5_101, 3_601_001, 3_998),
            (5_102, 3_605_200, 0),
        ];
        for (received, sent, late) in steps {
            let seen = delay.observe(Time::from_millis(received), sent * 1_000).as_millis();
            assert_eq!(seen, late, "received at {received} ms");
        }
    }

    #[test]
    fn a_slow_clock_does_not_make_taps_old() {
        let mut delay = Delay::default();
        let worst = (0..24 * 60u64)
            .map(|minute| delay.observe(Time::from_secs(minute * 60), minute * 60 * 999_900)) // 100 millionths slow
            .max();
        assert_eq!(worst, Some(Duration::ZERO));
    }

    #[test]
    fn nonsense_does_not_overflow() {
        let mut delay = Delay::default();
        for (received, sent) in [(0, u64::MAX), (u64::MAX, 0), (0, 0), (u64::MAX, u64::MAX)] {
            delay.observe(Time::from_micros(received), sent);
        }
        assert!(delay.observe(Time::ZERO, 0) > Duration::from_secs(1));
    }
}
