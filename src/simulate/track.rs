//! Quantities that change over a scenario: a distance, or what stands in the way.

use crate::time::Time;

/// A course of values over time, straight from point to point and level before the first and after the last.
#[derive(Clone, Debug, PartialEq)]
pub struct Track(Vec<(Time, f64)>);

impl Track {
    /// One value for ever.
    pub fn constant(value: f64) -> Self {
        Self(vec![(Time::ZERO, value)])
    }

    /// The points in order of time, each with its value; `None` if there is none or they are not in order.
    pub fn new(points: Vec<(Time, f64)>) -> Option<Self> {
        let in_order = points.windows(2).all(|pair| pair[0].0 < pair[1].0);
        (in_order && !points.is_empty()).then_some(Self(points))
    }

    /// The value at a moment.
    pub fn at(&self, at: Time) -> f64 {
        let next = self.0.partition_point(|(time, _)| *time <= at);
        let (since, from) = self.0[next.saturating_sub(1)];
        match self.0.get(next) {
            Some(&(until, to)) if next > 0 => {
                let share = at.since(since).as_secs_f64() / until.since(since).as_secs_f64();
                from + (to - from) * share
            }
            _ => from,
        }
    }

    /// Its points, in order.
    pub fn points(&self) -> &[(Time, f64)] {
        &self.0
    }

    /// Leaves the course at `now`: to another value within a while, and there it stays.
    pub(super) fn redirect(&mut self, now: Time, value: f64, arrival: Time) {
        let here = self.at(now);
        self.0 = vec![(now, here)];
        match arrival > now {
            true => self.0.push((arrival, value)),
            false => self.0[0].1 = value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_points_the_way_is_straight() {
        let mut track = Track::new(vec![(Time::from_secs(2), 1.0), (Time::from_secs(4), 3.0)]).unwrap();
        let at = |track: &Track, ms| track.at(Time::from_millis(ms));
        assert_eq!([0, 2_000, 2_500, 4_000, 9_000].map(|ms| at(&track, ms)), [1.0, 1.0, 1.5, 3.0, 3.0]);
        track.redirect(Time::from_secs(3), 0.0, Time::from_secs(4));
        assert_eq!([3_000, 3_500, 5_000].map(|ms| at(&track, ms)), [2.0, 1.0, 0.0]);
        track.redirect(Time::from_secs(5), 7.0, Time::from_secs(5));
        assert_eq!(at(&track, 5_000), 7.0);
        assert_eq!(Track::new(vec![]), None);
        assert_eq!(Track::new(vec![(Time::ZERO, 1.0), (Time::ZERO, 2.0)]), None);
    }
}
