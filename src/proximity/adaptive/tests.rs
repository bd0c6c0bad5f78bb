//! People at a desk, sample by sample.

use std::time::Duration;

use super::*;
use crate::proximity::{Cutoffs, Level, Pace};

pub(super) const HERE: AdapterId = AdapterId(0);
const THERE: AdapterId = AdapterId(1);
const ABSENT_AFTER: Duration = Duration::from_secs(30);

fn model() -> Model {
    let cutoffs = Cutoffs::new(Level::from_dbm(-70), Level::from_dbm(-75)).unwrap();
    Model::new(Parameters::SETTLED, cutoffs, Pace::Balanced)
}

/// A band whose levels follow a story.
pub(super) struct Story {
    pub(super) model: Model,
    pub(super) adaptive: Adaptive,
    pub(super) side: Side,
    at: Time,
    /// Steps through small numbers that look like chance.
    dice: u32,
    /// All bits of every belief.
    digest: u64,
    changes: Vec<(f64, Side)>,
}

impl Story {
    pub(super) fn new() -> Self {
        let adaptive = Adaptive::default();
        Self { model: model(), adaptive, side: Side::Unknown, at: Time::ZERO, dice: 1, digest: 0, changes: Vec::new() }
    }

    fn roll(&mut self, sides: u32) -> i32 {
        self.dice = self.dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((self.dice >> 16) % sides) as i32
    }

    fn hear(&mut self, adapter: AdapterId, millis: u64, dbm: i32) {
        self.at = self.at + Duration::from_millis(millis);
        if let Some(side) = self.adaptive.observe(&self.model, self.at, (adapter, dbm * 10), self.side, None, |_| true)
        {
            self.side = side;
            self.changes.push((self.at.as_micros() as f64 / 1e6, side));
        }
        let Belief { away, walking } = self.adaptive.belief;
        for number in [away, walking] {
            self.digest = (self.digest.rotate_left(5) ^ number.to_bits()).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
    }

    /// Still in a place with a level of its own on each channel, give or take 1 dB; twice a second.
    pub(super) fn sit(&mut self, seconds: u64, channels: [i32; 3]) {
        for _ in 0..seconds * 2 {
            let level = channels[self.roll(3) as usize] + self.roll(3) - 1;
            self.hear(HERE, 500, level);
        }
    }

    /// On the way from one level to another through place after place; twice a second.
    pub(super) fn walk(&mut self, seconds: u64, from: i32, to: i32) {
        let steps = seconds as i32 * 2;
        for step in 1..=steps {
            let level = from + (to - from) * step / steps + self.roll(9) - 4;
            self.hear(HERE, 500, level);
        }
    }

    pub(super) fn sides(&self) -> Vec<Side> {
        self.changes.iter().map(|(_, side)| *side).collect()
    }
}

#[test]
fn who_sits_is_near_who_walks_off_is_away_and_who_comes_back_is_near() {
    let mut story = Story::new();
    story.sit(600, [-64, -60, -70]);
    assert_eq!(story.sides(), [Side::Near]);
    story.walk(5, -64, -84);
    story.sit(20, [-84, -88, -82]);
    assert_eq!(story.sides(), [Side::Near, Side::Away]);
    let away_after = story.changes[1].0 - 600.0;
    assert!((1.0..12.0).contains(&away_after), "away {away_after} s after setting off");
    story.walk(5, -84, -62);
    story.sit(10, [-62, -68, -60]);
    assert_eq!(story.sides(), [Side::Near, Side::Away, Side::Near]);
    let near_after = story.changes[2].0 - 625.0;
    assert!((0.5..7.0).contains(&near_after), "near {near_after} s after turning back");
}

#[test]
fn another_place_at_the_seat_is_no_departure() {
    let mut story = Story::new();
    for place in [[-64, -60, -70], [-71, -66, -69], [-60, -68, -63], [-73, -70, -67], [-66, -75, -70]] {
        story.sit(200, place);
    }
    assert_eq!(story.sides(), [Side::Near]);
}

#[test]
fn one_strong_sample_makes_nobody_near() {
    let mut story = Story::new();
    story.sit(60, [-86, -84, -90]);
    assert_eq!(story.side, Side::Away);
    for level in [-60, -55, -40] {
        story.hear(HERE, 500, level);
        assert_eq!(story.side, Side::Away, "{level} dBm once");
        story.sit(30, [-86, -84, -90]);
    }
}

#[test]
fn a_seat_in_a_null_is_near_once_the_wearer_has_come_to_it() {
    let mut story = Story::new();
    story.sit(60, [-86, -84, -90]);
    story.walk(6, -84, -60);
    story.sit(300, [-76, -74, -80]);
    assert_eq!(story.sides(), [Side::Away, Side::Near]);
}

#[test]
fn silence_is_judged_by_the_bands_own_pauses_and_by_where_the_wearer_seemed_to_be() {
    let mut story = Story::new();
    story.sit(600, [-62, -60, -66]);
    assert_eq!(story.adaptive.patience(&story.model, ABSENT_AFTER), ABSENT_AFTER, "sitting");
    story.walk(3, -64, -84);
    let patience = story.adaptive.patience(&story.model, ABSENT_AFTER);
    assert!((4.0..4.5).contains(&patience.as_secs_f64()), "leaving: {patience:?}");

    let mut slow = Story::new();
    for _ in 0..200 {
        slow.hear(HERE, 6_000, -62);
    }
    let patience = slow.adaptive.patience(&slow.model, ABSENT_AFTER);
    assert!((55.0..65.0).contains(&patience.as_secs_f64()), "a band of one advert in six seconds: {patience:?}");
}

#[test]
fn a_second_dongle_that_still_hears_the_wearer_well_holds_away_back() {
    let tell = |second: Option<i32>| {
        let mut story = Story::new();
        for n in 0..1_200 {
            // After five minutes the first dongle hears what a departure sounds like: something is put before it.
            let level = -64 - (n - 600).clamp(0, 20);
            let noise = if (600..620).contains(&n) { story.roll(13) - 6 } else { story.roll(5) - 2 };
            story.hear(HERE, 250, level + noise);
            if let Some(level) = second {
                let noise = story.roll(5) - 2;
                story.hear(THERE, 250, level + noise);
            }
        }
        story.side
    };
    assert_eq!((tell(None), tell(Some(-62)), tell(Some(-86))), (Side::Away, Side::Near, Side::Away));
}

#[test]
fn what_was_learnt_outlives_an_absence_and_where_the_wearer_was_does_not() {
    let mut story = Story::new();
    story.sit(1_800, [-58, -56, -61]);
    let seat = story.adaptive.dongles[0].filter.seat;
    assert!((seat.mean - -58.3).abs() < 1.0, "{seat:?}");
    story.adaptive.lose(&story.model);
    assert_eq!(story.adaptive.dongles[0].filter.seat, seat);
    assert_eq!(story.adaptive.belief, Belief::default());
}

/// Every bit of every belief in a story of every kind of step; other bits would mean other decisions elsewhere.
#[test]
fn the_same_samples_give_the_same_bits_everywhere() {
    let mut story = Story::new();
    story.sit(300, [-64, -60, -70]);
    story.walk(5, -64, -84);
    story.sit(60, [-84, -88, -82]);
    story.walk(5, -84, -62);
    story.hear(HERE, 20, -63);
    story.hear(THERE, 40_000, -70);
    for _ in 0..50 {
        story.hear(THERE, 30, -72);
    }
    assert_eq!(story.digest, 0x14c5_775a_3f79_3b5f, "{:#x}", story.digest);
}

#[test]
fn who_signs_in_at_a_seat_in_a_null_is_near_and_stays_so() {
    let mut story = Story::new();
    story.sit(120, [-84, -82, -88]);
    assert_eq!(story.side, Side::Away);
    story.adaptive.arrive(&story.model, story.side);
    story.side = Side::Near;
    story.sit(600, [-84, -82, -88]);
    assert_eq!(story.side, Side::Near);
    let seat = story.adaptive.dongles[0].filter.seat;
    assert!((seat.mean - -84.7).abs() < 1.0, "learnt anew: {seat:?}");
}

#[test]
fn use_of_the_terminal_speaks_for_its_wearer_and_does_not_outweigh_the_signal() {
    let told = |used: bool, level: i32| {
        let mut story = Story::new();
        story.sit(600, [-66, -63, -70]);
        for n in 0..240 {
            let active = (used && n % 4 == 0).then_some(story.at);
            story.at = story.at + Duration::from_millis(500);
            let tenths = (level + story.roll(5) - 2) * 10;
            let asked = story.adaptive.observe(&story.model, story.at, (HERE, tenths), story.side, active, |_| true);
            story.side = asked.unwrap_or(story.side);
        }
        story.side
    };
    let doubtful = (-90..-66).rev().find(|level| told(false, *level) == Side::Away).unwrap();
    assert_eq!(told(true, doubtful), Side::Near, "{doubtful} dBm");
    assert_eq!(told(true, -96), Side::Away, "another at the keys");
}

#[test]
fn nobody_is_near_by_fewer_than_three_samples() {
    let mut story = Story::new();
    for n in 1..=3 {
        story.hear(HERE, 500, -50);
        assert_eq!(story.side, if n < 3 { Side::Unknown } else { Side::Near }, "{n}");
    }
    // After an absence it begins anew.
    story.adaptive.lose(&story.model);
    story.side = Side::Unknown;
    story.hear(HERE, 300_000, -50);
    story.hear(HERE, 500, -50);
    assert_eq!(story.side, Side::Unknown);
    story.hear(HERE, 500, -50);
    assert_eq!(story.side, Side::Near);
}

#[test]
fn however_far_apart_the_cutoffs_are_there_is_a_seat() {
    for far in -99..=-2 {
        let cutoffs = Cutoffs::new(Level::from_dbm(-1), Level::from_dbm(far)).unwrap();
        let mut story = Story { model: Model::new(Parameters::SETTLED, cutoffs, Pace::Balanced), ..Story::new() };
        story.sit(5, [-60, -62, -58]);
        story.adaptive.arrive(&story.model, story.side);
        story.side = Side::Near;
        story.sit(20, [-60, -62, -58]);
        let Belief { away, walking } = story.adaptive.belief;
        assert!((0.0..=1.0).contains(&away) && (0.0..=1.0).contains(&walking), "far {far}: {away}, {walking}");
    }
}

#[test]
fn keys_that_go_on_and_on_hold_nobody_near_who_has_gone() {
    let mut story = Story::new();
    story.sit(600, [-58, -56, -61]);
    let (gone, mut said) = (story.at, None);
    for n in 0..1_200 {
        let active = (n % 4 == 0).then_some(story.at);
        story.at = story.at + Duration::from_millis(500);
        let tenths = (-76 + story.roll(5) - 2) * 10;
        let asked = story.adaptive.observe(&story.model, story.at, (HERE, tenths), Side::Near, active, |_| true);
        said = said.or_else(|| asked.map(|_| story.at));
    }
    let after = said.map(|at| at.since(gone).as_secs());
    assert!(after.is_some_and(|seconds| seconds < 360), "{after:?} s");
}

#[test]
fn a_sign_in_teaches_no_dongle_that_has_not_heard_the_band_for_long() {
    let mut story = Story::new();
    for _ in 0..100 {
        story.hear(THERE, 500, -84);
    }
    let before = story.adaptive.dongles[0].filter.seat;
    story.sit(300, [-82, -80, -86]);
    story.adaptive.arrive(&story.model, story.side);
    assert_eq!(story.adaptive.dongles[0].filter.seat, before);
    let seat = story.adaptive.dongles[1].filter.seat;
    assert!((seat.mean - -82.7).abs() < 1.5, "{seat:?}");
}

#[test]
fn motion_adds_up_to_one_without_being_made_to() {
    let model = model();
    let mut motion = super::motion::Motion::still(&model);
    for _ in 0..50 {
        motion.pass(&model, 0.7);
    }
    let all = [&motion.still, &motion.stirring, &motion.out, &motion.coming];
    let sum: f64 = all.iter().flat_map(|shares| shares.iter().flatten()).sum();
    assert!((sum - 1.0).abs() < 1e-9, "{sum}");
}
