//! Learning, written down and recalled, with stepped time.

use std::time::Duration;

use super::super::tests::{HERE, Story};
use super::*;
use crate::event::Side;

fn lesson(story: &Story) -> Option<Lesson> {
    story.adaptive.lessons().next().map(|(_, _, lesson)| lesson)
}

/// A story that begins with what was learnt elsewhere.
fn recalled(lesson: Lesson) -> Story {
    let mut story = Story::new();
    story.adaptive.recall(&story.model, HERE, lesson);
    story
}

const LEARNT: Lesson =
    Lesson { seat_cdb: -5_800, seat_spread_cdb: 400, seat_known_s: 900, habit_millinats: 800, interval_ms: 500 };

#[test]
fn a_seat_is_known_at_once_where_it_was_learnt_before() {
    let mut story = Story::new();
    story.sit(1_800, [-58, -56, -61]);
    let learnt = lesson(&story).unwrap();
    assert!((learnt.seat_cdb - -5_830).abs() < 100, "{learnt:?}");
    assert_eq!((learnt.seat_known_s, learnt.interval_ms), (900, 500));
    assert!(learnt.is_possible(-7_500));
    let again = recalled(learnt);
    let seat = again.adaptive.dongles[0].filter.seat;
    assert!((seat.mean * 100.0 - f64::from(learnt.seat_cdb)).abs() < 1.0, "{seat:?}");
    assert_eq!(seat.known, 120.0, "worth no more than the guess");
    assert_eq!(lesson(&again), Some(Lesson { seat_known_s: 120, ..learnt }), "nothing is lost by writing it again");
}

#[test]
fn a_band_that_only_passes_leaves_nothing() {
    let mut story = Story::new();
    story.walk(20, -90, -60);
    story.walk(20, -60, -90);
    assert_eq!(lesson(&story), None);
    story.sit(600, [-64, -60, -70]);
    assert!(lesson(&story).is_some());
}

#[test]
fn a_recalled_seat_that_fits_is_believed_after_two_minutes() {
    let mut story = recalled(LEARNT);
    story.sit(110, [-58, -56, -61]);
    assert!(story.adaptive.dongles[0].recalled.is_some());
    story.sit(30, [-58, -56, -61]);
    assert!(story.adaptive.dongles[0].recalled.is_none());
    assert_eq!((story.sides(), story.adaptive.take_misfits()), (vec![Side::Near], 0));
    story.sit(300, [-70, -74, -72]);
    assert_eq!(story.adaptive.take_misfits(), 0, "it is learnt now, not recalled");
}

#[test]
fn a_recalled_seat_that_does_not_fit_is_forgotten_within_minutes_whichever_way_the_dongle_was_moved() {
    let quiet = Lesson { seat_cdb: -8_200, ..LEARNT };
    let loud = Lesson { seat_cdb: -4_600, ..LEARNT };
    for (lesson_before, channels) in [(quiet, [-62, -60, -66]), (loud, [-64, -60, -68])] {
        let mut story = recalled(lesson_before);
        let mut forgotten_after = None;
        for second in 1..=600 {
            story.sit(1, channels);
            if story.adaptive.take_misfits() > 0 {
                assert!(forgotten_after.replace(second).is_none(), "said once");
            }
        }
        assert!(forgotten_after.is_some_and(|after| (60..120).contains(&after)), "{forgotten_after:?}");
        assert_eq!(story.side, Side::Near);
        let seat = story.adaptive.dongles[0].filter.seat;
        assert!((seat.mean - -63.0).abs() < 2.0, "learnt anew: {seat:?}");
    }
}

#[test]
fn another_place_at_the_seat_is_no_move_of_the_dongle() {
    let mut story = recalled(Lesson { seat_cdb: -6_600, seat_spread_cdb: 450, ..LEARNT });
    for place in [[-64, -60, -70], [-71, -66, -69], [-60, -68, -63], [-73, -70, -67]] {
        story.sit(50, place);
    }
    assert_eq!(story.adaptive.take_misfits(), 0);
}

#[test]
fn the_word_of_the_wearer_outweighs_what_was_recalled() {
    let mut story = recalled(Lesson { seat_cdb: -4_600, ..LEARNT });
    story.sit(30, [-78, -76, -80]);
    story.adaptive.arrive(&story.model, Side::Away);
    story.side = Side::Near;
    story.sit(300, [-78, -76, -80]);
    assert_eq!((story.side, story.adaptive.take_misfits()), (Side::Near, 0));
}

/// Whatever is heard while the agent insists that the wearer is at the terminal.
#[test]
fn no_seat_is_learnt_where_nobody_can_sit() {
    for level in [-103, -95, -88, -38] {
        let mut story = Story::new();
        for _ in 0..40 {
            story.sit(60, [level, level, level]);
            story.adaptive.arrive(&story.model, Side::Away);
            story.side = Side::Near;
        }
        story.sit(120, [level, level, level]);
        let seat = story.adaptive.dongles[0].filter.seat;
        assert!((-85.0..=-38.0).contains(&seat.mean) && seat.variance <= 64.0, "{level} dBm: {seat:?}");
        assert!(lesson(&story).is_none_or(|lesson| lesson.is_possible(-7_500)), "{level} dBm");
    }
}

#[test]
fn the_widest_and_lowest_seat_there_can_be_still_lets_who_leaves_be_away() {
    let mut story = recalled(Lesson { seat_cdb: -8_500, seat_spread_cdb: 800, ..LEARNT });
    story.sit(600, [-64, -60, -70]);
    story.walk(5, -64, -94);
    story.sit(60, [-96, -98, -95]);
    assert_eq!(story.side, Side::Away);
}

#[test]
fn the_recalled_pause_counts_until_a_first_one_is_heard() {
    let mut story = recalled(Lesson { interval_ms: 6_000, ..LEARNT });
    assert_eq!(story.adaptive.absent_after(Duration::from_secs(30)), Duration::from_secs(60));
    story.sit(300, [-58, -56, -61]);
    assert_eq!(story.adaptive.absent_after(Duration::from_secs(30)), Duration::from_secs(30));
}
