use std::time::Duration;

use bgapi::ErrorCode;

use super::fake::{Fake, Fault, World, boot, report};
use crate::adapter::{Note, PortInput, Rung, Trouble};
use crate::event::AdapterPhase;
use crate::time::Time;

const SECOND: Duration = Duration::from_secs(1);

fn with(fault: Fault) -> World {
    World::new(Fake::with(fault))
}

fn scanning() -> World {
    let mut world = with(Fault::None);
    world.run(SECOND);
    assert!(world.session.is_well());
    world
}

fn rungs(world: &World) -> Vec<Rung> {
    let rung = |note: &Note| if let Note::Climbing(rung) = note { Some(*rung) } else { None };
    world.notes.iter().filter_map(|(_, note)| rung(note)).collect()
}

#[test]
fn a_port_that_is_no_dongle_is_called_so_within_three_seconds() {
    let cases = [
        (Fault::Dead, Trouble::NeverAnswered),
        (Fault::Hung, Trouble::NeverAnswered),
        (Fault::Other(&[0xa0, 0x04, 0x01, 0x00, 0x01, 0x02, 0x03, 0x04]), Trouble::Gecko),
        (Fault::Other(b"hello from the script\r\n"), Trouble::Text),
        (Fault::Other(b"$GPGGA,123519,4807.038,N,01131.000,E*47\r\n"), Trouble::Text),
        (Fault::Other(&[0x55, 0x99, 0xf3]), Trouble::Garbage),
        (Fault::Echo, Trouble::Echo),
    ];
    for (fault, trouble) in cases {
        let mut world = with(fault.clone());
        world.run(3 * SECOND);
        assert_eq!(world.error(), trouble.to_string(), "{fault:?}");
        assert_eq!(world.phase(), AdapterPhase::Stalled, "{fault:?}: provisional");
        assert_eq!(world.noted(&Note::Trouble(trouble)), 1, "{fault:?}");
        assert!(!world.session.is_well(), "{fault:?}");

        world.run(120 * SECOND);
        if fault != Fault::Hung {
            assert_eq!(world.phase(), AdapterPhase::Failed, "{fault:?}");
            assert_eq!(world.noted(&Note::Trouble(trouble)), 1, "{fault:?}: said once");
            assert!(world.heard.is_empty(), "{fault:?}");
        } else {
            assert_eq!(world.phase(), AdapterPhase::Scanning, "a reset brings it back");
        }
        let foreign = matches!(trouble, Trouble::Gecko | Trouble::Text | Trouble::Echo);
        assert!(!foreign || world.fake.resets == 0, "{fault:?}: not ours to reset");
        world.fake.fault = Fault::None;
        world.run(50 * SECOND);
        assert_eq!((world.phase(), world.error()), (AdapterPhase::Scanning, ""), "{fault:?}: replaced by a dongle");
    }
}

#[test]
fn a_dongle_that_reports_and_does_not_answer_is_one_all_the_same() {
    let mut world = with(Fault::Deaf);
    world.fake.scanning = true;
    world.run(Duration::from_millis(1));
    world.read(&report(false)[7..]); // the port was opened in the middle of it
    world.run(20 * SECOND);
    assert_eq!(world.error(), Trouble::NoAnswer.to_string());
    assert!(world.heard.is_empty());
    world.run(60 * SECOND);
    assert_eq!((world.fake.resets, world.phase()), (1, AdapterPhase::Scanning));
}

#[test]
fn the_ladder_is_climbed_rung_by_rung_and_not_faster_than_the_back_off() {
    let mut world = scanning();
    world.fake.fault = Fault::Dead;
    world.run(Duration::from_millis(12_100));
    assert_eq!(world.phase(), AdapterPhase::Stalled, "10 s of silence, 2 s for hello");
    world.run(600 * SECOND);
    assert_eq!(rungs(&world), [Rung::Listen, Rung::Rediscover, Rung::Restart, Rung::Reset, Rung::Reopen]);
    assert_eq!(world.phase(), AdapterPhase::Failed);
    assert_eq!(world.noted(&Note::Trouble(Trouble::NoAnswer)), 1);
    let mut pauses: Vec<_> = world.opened.windows(2).map(|pair| pair[1].since(pair[0])).collect();
    let last = pauses.split_off(pauses.len() - 3);
    assert!(last.iter().all(|pause| (30..60).contains(&pause.as_secs())), "{pauses:?} {last:?}");

    world.fake.fault = Fault::None;
    world.run(50 * SECOND);
    assert_eq!((world.phase(), world.error()), (AdapterPhase::Scanning, ""));
    assert_eq!(world.noted(&Note::Recovered), 1);
}

#[test]
fn a_replugged_dongle_is_not_kept_waiting() {
    let mut world = scanning();
    world.fake.fault = Fault::Dead;
    world.run(600 * SECOND);
    while world.open {
        world.run(SECOND);
    }
    world.fake.fault = Fault::None;
    world.session.handle_port(world.now, PortInput::Replugged);
    world.run(SECOND);
    assert_eq!((world.phase(), world.error()), (AdapterPhase::Scanning, ""));
}

#[test]
fn a_hung_dongle_is_reset_and_only_after_all_else() {
    let mut world = scanning();
    world.fake.fault = Fault::Hung;
    world.run(60 * SECOND);
    assert_eq!(rungs(&world), [Rung::Listen, Rung::Rediscover, Rung::Restart, Rung::Reset]);
    assert_eq!((world.fake.resets, world.phase()), (1, AdapterPhase::Scanning));
}

#[test]
fn a_late_answer_clears() {
    for late in [1, 3, 5] {
        let mut world = scanning();
        world.fake.fault = Fault::Numb;
        world.fake.every = None;
        world.run(Duration::from_millis(9_500));
        world.fake.fault = Fault::Late(late * SECOND);
        world.run(40 * SECOND);
        assert_eq!(world.phase(), AdapterPhase::Scanning, "{late} s late: {}", world.error());
        assert_eq!(world.fake.resets, 0, "{late} s late: {:?}", rungs(&world));
    }
}

#[test]
fn a_report_while_waiting_clears() {
    let mut world = scanning();
    world.fake.fault = Fault::Hung;
    world.run(13 * SECOND);
    assert_eq!(world.phase(), AdapterPhase::Stalled);
    world.fake.fault = Fault::None;
    world.read(&report(false));
    world.run(SECOND);
    assert_eq!((world.phase(), world.fake.resets), (AdapterPhase::Scanning, 0));
}

#[test]
fn a_dongle_that_answers_and_has_gone_deaf_on_the_radio_is_reset_in_the_end() {
    let mut world = scanning();
    world.fake.fault = Fault::Numb;
    world.run(150 * SECOND);
    let wanted = [
        (11, Note::Quiet), // 10 s after the last advert, asked and scanning again
        (46, Note::Climbing(Rung::Restart)),
        (81, Note::Climbing(Rung::Reset)),
        (82, Note::Heard),
    ];
    let told = |at: &Time, note: &Note| ((at.as_micros() + 500_000) / 1_000_000, note.clone());
    let notes: Vec<_> = world.notes.iter().map(|(at, note)| told(at, note)).collect();
    assert_eq!(notes.into_iter().filter(|told| wanted.contains(told)).collect::<Vec<_>>(), wanted);
    assert_eq!(rungs(&world), [Rung::Restart, Rung::Reset]);
    assert_eq!((world.fake.resets, world.fake.fault.clone()), (1, Fault::None));
    assert!(world.session.is_well() && !world.session.state().quiet);
}

#[test]
fn adverts_without_content_are_a_sickness() {
    let mut world = scanning();
    world.fake.fault = Fault::Empty;
    world.run(11 * SECOND);
    assert!(!world.session.is_well());
    assert_eq!(world.error(), Trouble::EmptyAdverts.to_string());
    world.run(30 * SECOND);
    assert_eq!(rungs(&world), [Rung::Listen, Rung::Rediscover, Rung::Restart, Rung::Reset]);
    assert!(world.session.is_well());
}

#[test]
fn a_few_empty_adverts_are_none() {
    let mut world = scanning();
    world.fake.every = Some(7 * SECOND);
    world.fake.fault = Fault::Empty;
    world.run(600 * SECOND);
    assert!(world.session.is_well());
}

#[test]
fn rare_adverts_without_content_are_a_sickness_in_the_end() {
    for every_ms in [240, 251, 300, 1_000, 5_000] {
        let mut world = scanning();
        world.fake.every = Some(Duration::from_millis(every_ms));
        world.fake.fault = Fault::Empty;
        world.run(125 * SECOND);
        assert_eq!(world.noted(&Note::Trouble(Trouble::EmptyAdverts)), 1, "every {every_ms} ms");
        world.run(475 * SECOND);
        assert!(world.session.is_well() && world.fake.fault == Fault::None, "every {every_ms} ms");
        assert_eq!((world.noted(&Note::Recovered), world.fake.resets), (1, 1), "every {every_ms} ms");
    }
}

#[test]
fn a_storm_that_calms_down_is_not_over() {
    let mut world = scanning();
    world.fake.every = None;
    for third in 0..300 {
        let len = if third / 15 % 2 == 0 { 30 } else { 10 };
        world.read(&vec![0x55; len]);
        world.run(SECOND / 3);
    }
    assert_eq!(world.noted(&Note::Trouble(Trouble::Garbage)), 1);
    assert_eq!(world.noted(&Note::Recovered), 0);
}

#[test]
fn a_garbage_storm_is_a_sickness_and_passes() {
    let mut world = scanning();
    world.fake.fault = Fault::Noise;
    world.run(11 * SECOND);
    assert!(!world.session.is_well());
    assert_eq!(world.error(), Trouble::Garbage.to_string());
    world.run(200 * SECOND);
    assert_eq!(world.phase(), AdapterPhase::Failed);
    world.fake.fault = Fault::None;
    world.run(50 * SECOND);
    assert!(world.session.is_well(), "{}", world.error());
    let counters = world.session.counters();
    assert!(counters.discarded_bytes > 100_000 && counters.resyncs > 10, "{counters:?}");
}

#[test]
fn a_few_lost_bytes_are_not_worth_a_word() {
    let mut world = scanning();
    let notes = world.notes.len();
    for _ in 0..100 {
        world.read(&report(false)[5..]);
        world.run(SECOND / 5);
    }
    assert!(world.session.is_well());
    assert_eq!(world.notes.len(), notes);
}

#[test]
fn half_a_frame_does_not_swallow_the_next_after_a_gap() {
    let mut world = scanning();
    world.fake.every = None;
    world.read(&report(false)[..10]);
    world.run(Duration::from_millis(150));
    let heard = world.heard.len();
    world.read(&report(false));
    assert_eq!(world.heard.len(), heard + 1);
}

#[test]
fn odd_outcomes_are_tried_again_and_then_told() {
    let cases = [
        (6, 2, ErrorCode::WRONG_STATE, "gap_discover"),
        (6, 7, ErrorCode::INVALID_PARAM, "gap_set_scan_parameters"),
        (6, 1, ErrorCode::COMMAND_DISALLOWED, "gap_set_mode"),
    ];
    for (class, id, code, command) in cases {
        let mut world = with(Fault::Refuse(class, id, code));
        world.run(3 * SECOND);
        let ends = world.sent().iter().filter(|name| **name == "gap_end_procedure").count();
        assert_eq!(ends, 4, "{command}");
        assert_eq!(world.error(), Trouble::Refused { command, code }.to_string());
        world.fake.fault = Fault::None;
        world.run(50 * SECOND);
        assert!(world.session.is_well(), "{command}");
    }
    // These say only that there was nothing to do.
    for (class, id) in [(6, 4), (3, 0)] {
        let mut world = with(Fault::Refuse(class, id, ErrorCode::NOT_CONNECTED));
        world.fake.links = [true, false, true];
        world.run(SECOND);
        assert!(world.session.is_well(), "class {class}, id {id}");
    }
}

#[test]
fn a_dongle_that_keeps_restarting_is_told_about() {
    let mut world = scanning();
    for _ in 0..4 {
        world.fake.scanning = false;
        world.read(&boot(1, 1));
        world.run(SECOND / 2);
        assert!(world.fake.scanning, "it was set up again at once");
    }
    assert_eq!(world.noted(&Note::Trouble(Trouble::Restarts)), 1);
    assert_eq!((world.phase(), rungs(&world)), (AdapterPhase::Stalled, vec![Rung::Restart]));
    world.run(5 * SECOND);
    assert!(world.session.is_well(), "once it has scanned for a while");
    assert_eq!(world.noted(&Note::Recovered), 1);
}

#[test]
fn restarts_now_and_then_are_no_trouble() {
    for (apart, every) in [(21 * SECOND, Some(SECOND / 20)), (86_400 * SECOND, None)] {
        let mut world = scanning();
        world.fake.every = every;
        for _ in 0..5 {
            world.fake.scanning = false;
            world.read(&boot(1, 1));
            world.run(apart);
        }
        assert!(world.session.is_well() && world.fake.scanning, "{apart:?} apart");
        assert_eq!(world.noted(&Note::Booted), 5, "{apart:?} apart");
        assert_eq!(world.noted(&Note::Trouble(Trouble::Restarts)), 0, "{apart:?} apart");
    }
}

#[test]
fn a_reset_may_be_asked_for() {
    let mut world = scanning();
    assert!(world.session.reset(world.now));
    world.run(5 * SECOND);
    assert_eq!((world.fake.resets, world.phase()), (1, AdapterPhase::Scanning));
    assert!(world.states.iter().all(|(_, state)| state.phase != AdapterPhase::Absent), "it was to go");

    assert!(world.session.reset(world.now));
    world.run(Duration::from_millis(10));
    world.fake.absent_until = Some(world.now + 60 * SECOND);
    world.run(9 * SECOND);
    assert_eq!(world.phase(), AdapterPhase::Opening);
    world.run(2 * SECOND);
    assert_eq!(world.phase(), AdapterPhase::Absent, "it was not to stay away");
    assert!(!world.session.reset(world.now), "there is none");
}
