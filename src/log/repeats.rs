//! Which lines of the log are said, and which are only counted because they were said often enough.
//!
//! A line that comes again word by word is said [`MOST`] times in a [`PERIOD`]. What comes more often is counted, and
//! the count is told when the period ends; then it begins anew.

use std::collections::VecDeque;
use std::time::Duration;

use crate::time::Time;

/// How often one line is said in a period.
pub(super) const MOST: u32 = 10;

/// How long a period is, from the first time that the line is said in it.
pub(super) const PERIOD: Duration = Duration::from_secs(600);

/// Different lines that are remembered; beyond that, the one unheard of for the longest time is forgotten.
pub(super) const LINES: usize = 64;

/// The lines said lately, each with a `T` by which its count can be told.
#[derive(Debug)]
pub(super) struct Repeats<T> {
    lines: Vec<Line<T>>,
    /// Counts to tell, at most [`LINES`].
    ended: VecDeque<Ended<T>>,
    due: Option<Time>,
}

#[derive(Debug)]
struct Line<T> {
    key: u64,
    began: Time,
    last: Time,
    said: u32,
    held: Option<Held<T>>,
}

#[derive(Debug)]
struct Held<T> {
    line: T,
    times: u64,
}

/// A period in which a line was held back is over.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ended<T> {
    /// The line.
    pub(super) line: T,
    /// How often it was held back.
    pub(super) times: u64,
    /// How long the period was.
    pub(super) lasted: Duration,
}

impl<T> Repeats<T> {
    /// Nothing was said yet.
    pub(super) fn new() -> Self {
        Self { lines: Vec::with_capacity(LINES), ended: VecDeque::new(), due: None }
    }

    /// Whether a line is to be said; `keep` is asked for it when it is held back for the first time in a period.
    pub(super) fn handle(&mut self, now: Time, key: u64, keep: impl FnOnce() -> T) -> bool {
        let place = self.place(now, key);
        let line = &mut self.lines[place];
        line.last = now;
        if line.said < MOST {
            line.said += 1;
            return true;
        }
        match &mut line.held {
            Some(held) => held.times = held.times.saturating_add(1),
            held @ None => {
                *held = Some(Held { line: keep(), times: 1 });
                self.set_due();
            }
        }
        false
    }

    /// When there is a count to tell next.
    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.due
    }

    /// Ends the periods that are over.
    pub(super) fn handle_timeout(&mut self, now: Time) {
        if self.due.is_some_and(|due| due <= now) {
            self.end(now, |line| line.ends() <= now);
        }
    }

    /// Ends all periods: the log ends.
    pub(super) fn finish(&mut self, now: Time) {
        self.end(now, |_| true);
    }

    /// The next count to tell.
    pub(super) fn poll_ended(&mut self) -> Option<Ended<T>> {
        let ended = self.ended.pop_front();
        self.set_due();
        ended
    }

    /// The line's place in the table; if it has none, that of the one unheard of for the longest time.
    fn place(&mut self, now: Time, key: u64) -> usize {
        let place = match self.lines.iter().position(|line| line.key == key) {
            Some(place) if now < self.lines[place].ends() => return place,
            Some(place) => place,
            None if self.lines.len() < LINES => {
                self.lines.push(Line::new(now, key));
                return self.lines.len() - 1;
            }
            None => {
                let by_age = self.lines.iter().enumerate().min_by_key(|(_, line)| line.last);
                by_age.map_or(0, |(place, _)| place)
            }
        };
        let before = std::mem::replace(&mut self.lines[place], Line::new(now, key));
        self.tell(now, before);
        place
    }

    fn end(&mut self, now: Time, is_over: impl Fn(&Line<T>) -> bool) {
        for line in self.lines.extract_if(.., |line| line.held.is_some() && is_over(line)).collect::<Vec<_>>() {
            self.tell(now, line);
        }
        self.set_due();
    }

    fn tell(&mut self, now: Time, line: Line<T>) {
        let lasted = now.since(line.began).min(PERIOD);
        let Some(Held { line, times }) = line.held else { return };
        if self.ended.len() == LINES {
            self.ended.pop_front();
        }
        self.ended.push_back(Ended { line, times, lasted });
        self.set_due();
    }

    fn set_due(&mut self) {
        self.due = match self.ended.is_empty() {
            true => self.lines.iter().filter(|line| line.held.is_some()).map(Line::ends).min(),
            false => Some(Time::ZERO),
        };
    }
}

impl<T> Line<T> {
    fn new(now: Time, key: u64) -> Self {
        Self { key, began: now, last: now, said: 0, held: None }
    }

    fn ends(&self) -> Time {
        self.began + PERIOD
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn secs(secs: u64) -> Time {
        Time::from_secs(secs)
    }

    fn counts<T>(repeats: &mut Repeats<T>) -> Vec<Ended<T>> {
        std::iter::from_fn(|| repeats.poll_ended()).collect()
    }

    #[test]
    fn what_comes_often_is_counted_and_told_when_its_period_ends() {
        // A case in words, the seconds at which the line comes and is said, and the counts with the second of each.
        type Case = (&'static str, Vec<u64>, Vec<u64>, Vec<(u64, u64)>);
        let minutes = |range: std::ops::Range<u64>| range.map(|minute| minute * 60).collect::<Vec<_>>();
        let seconds = |range: std::ops::Range<u64>| range.collect::<Vec<_>>();
        let cases: [Case; 6] = [
            ("once", vec![5], vec![5], vec![]),
            ("once a minute for an hour", minutes(0..60), minutes(0..60), vec![]),
            ("as often as may be", seconds(0..10), seconds(0..10), vec![]),
            ("once more than that", seconds(0..11), seconds(0..10), vec![(600, 1)]),
            (
                "each second for 25 minutes",
                seconds(0..1500),
                [seconds(0..10), seconds(600..610), seconds(1200..1210)].concat(),
                vec![(600, 590), (1200, 590), (1800, 290)],
            ),
            (
                "a burst, and again much later",
                [seconds(0..40), vec![7_000]].concat(),
                [seconds(0..10), vec![7_000]].concat(),
                vec![(600, 30)],
            ),
        ];
        for (case, comes, says, told) in cases {
            let mut repeats = Repeats::new();
            let (mut said, mut counted) = (Vec::new(), Vec::new());
            for at in 0..10_000 {
                let due = repeats.poll_timeout();
                repeats.handle_timeout(secs(at));
                for ended in counts(&mut repeats) {
                    assert_eq!((ended.line, ended.lasted, due), ("line", PERIOD, Some(secs(at))), "{case}");
                    counted.push((at, ended.times));
                }
                if comes.contains(&at) && repeats.handle(secs(at), 1, || "line") {
                    said.push(at);
                }
            }
            assert_eq!(said, says, "{case}");
            assert_eq!(counted, told, "{case}");
            assert_eq!(repeats.poll_timeout(), None, "{case}");
        }
    }

    #[test]
    fn a_count_that_nobody_fetched_waits_though_the_line_is_said_again() {
        let mut repeats = Repeats::new();
        for _ in 0..=MOST {
            repeats.handle(secs(1), 7, || 'a');
        }
        assert_eq!(repeats.poll_timeout(), Some(secs(601)));
        repeats.handle_timeout(secs(600));
        assert_eq!(counts(&mut repeats), []);
        assert!(repeats.handle(secs(5_000), 7, || 'b'));
        assert_eq!(repeats.poll_timeout(), Some(Time::ZERO), "at once");
        assert_eq!(counts(&mut repeats), [Ended { line: 'a', times: 1, lasted: PERIOD }]);
        assert_eq!(repeats.poll_timeout(), None);
    }

    #[test]
    fn the_line_unheard_of_for_the_longest_time_makes_room_and_its_count_is_told() {
        let mut repeats = Repeats::new();
        for _ in 0..MOST + 3 {
            repeats.handle(secs(0), 0, || 0);
        }
        for key in 1..LINES as u64 {
            assert!(repeats.handle(secs(key), key, || key));
        }
        assert!(repeats.handle(secs(100), 1_000, || 1_000));
        assert_eq!(counts(&mut repeats), [Ended { line: 0, times: 3, lasted: Duration::from_secs(100) }]);
        repeats.handle(secs(101), 1, || 1);
        repeats.handle(secs(102), 1_001, || 1_001);
        assert_eq!(repeats.lines.len(), LINES);
        assert!(repeats.lines.iter().any(|line| line.key == 1), "1 is fresh, so 2 goes: {:?}", repeats.lines);
        assert!(repeats.lines.iter().all(|line| line.key != 2), "{:?}", repeats.lines);
    }

    #[test]
    fn at_the_end_all_counts_are_told() {
        let mut repeats = Repeats::new();
        for key in [1, 2] {
            for _ in 0..MOST + 2 {
                repeats.handle(secs(10), key, || key);
            }
        }
        repeats.finish(secs(15));
        let lasted = Duration::from_secs(5);
        assert_eq!(counts(&mut repeats), [1, 2].map(|line| Ended { line, times: 2, lasted }));
        assert_eq!(repeats.poll_timeout(), None);
    }

    proptest! {
        /// Whatever comes: nothing is lost, what is new is said, and memory is bounded.
        #[test]
        fn every_line_is_said_or_counted(
            steps in proptest::collection::vec((0..20_000_u64, 0..90_u64, any::<bool>()), 1..1_000),
        ) {
            let mut repeats = Repeats::new();
            let mut now = Time::ZERO;
            let (mut come, mut told) = (HashMap::<u64, u64>::new(), HashMap::<u64, u64>::new());
            for (millis, key, fetches) in steps {
                now = now + Duration::from_millis(millis);
                // Few keys come often, many now and then.
                let key = if key < 60 { key % 3 } else { key * 1_000_000 + millis };
                let is_said = repeats.handle(now, key, || key);
                prop_assert!(is_said || come.contains_key(&key), "what is new is said");
                *come.entry(key).or_default() += 1;
                if is_said {
                    *told.entry(key).or_default() += 1;
                }
                prop_assert!(repeats.lines.len() <= LINES && repeats.ended.len() <= LINES);
                let due = repeats.lines.iter().filter(|line| line.held.is_some()).map(Line::ends).min();
                prop_assert_eq!(repeats.poll_timeout(), if repeats.ended.is_empty() { due } else { Some(Time::ZERO) });
                if fetches {
                    repeats.handle_timeout(now);
                    for ended in counts(&mut repeats) {
                        prop_assert!(ended.times > 0 && ended.lasted <= PERIOD);
                        *told.entry(ended.line).or_default() += ended.times;
                    }
                    prop_assert!(repeats.poll_timeout().is_none_or(|due| due > now && due <= now + PERIOD));
                }
            }
            repeats.finish(now);
            for ended in counts(&mut repeats) {
                *told.entry(ended.line).or_default() += ended.times;
            }
            prop_assert_eq!(come, told);
        }

        /// Among no more lines than are remembered, each is said as if it were alone.
        #[test]
        fn lines_do_not_disturb_each_other(steps in proptest::collection::vec((0..40_u64, 0..5_u64), 1..1_000)) {
            let mut together = Repeats::new();
            let mut alone: Vec<Repeats<()>> = (0..5).map(|_| Repeats::new()).collect();
            let mut now = Time::ZERO;
            for (gap, key) in steps {
                now = now + Duration::from_secs(gap);
                prop_assert_eq!(together.handle(now, key, || ()), alone[key as usize].handle(now, key, || ()));
            }
        }
    }
}
