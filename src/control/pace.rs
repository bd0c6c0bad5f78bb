//! How much asking is too much: the radio comes first.

use std::time::Duration;

use crate::time::Time;

/// So many connections, reads and requests are served at once after a pause.
const BURST: u32 = 100;

/// From then on, one in this time.
const EVERY: Duration = Duration::from_millis(10);

/// Serves so many connections, reads and requests a second, whoever asks and however often they connect anew.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// When everything that was served will be paid for.
    paid: Time,
}

impl Pace {
    /// A pace at which nothing was served yet.
    pub fn new(now: Time) -> Self {
        Self { paid: now }
    }

    /// Notes that something was served.
    pub fn serve(&mut self, now: Time) {
        self.paid = self.paid.max(now) + EVERY;
    }

    /// When to serve again; in the past if that may be now.
    pub fn next(&self) -> Time {
        self.paid - EVERY * (BURST - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_served_at_once_and_a_flood_a_hundred_a_second() {
        let mut pace = Pace::new(Time::from_secs(1));
        let mut now = Time::from_secs(1);
        let mut served = 0;
        while now < Time::from_secs(11) {
            if pace.next() <= now {
                pace.serve(now);
                served += 1;
            } else {
                now = pace.next();
            }
        }
        assert_eq!(served, BURST + 1_000 - 1, "ten seconds of a flood");
        now = now + Duration::from_secs(1);
        let mut at_once = 0;
        while pace.next() <= now {
            pace.serve(now);
            at_once += 1;
        }
        assert_eq!(at_once, BURST, "a pause gives it back");
    }
}
