use std::time::Duration;

use bgapi::{BdAddr, Message};

use super::fake::{ADDRESS, Fake, Fault, PORT, SCAN, World, boot, report};
use crate::adapter::{Note, OpenFailure, Output, PortInput, ScanSettings, Session, Wanted};
use crate::event::{AdapterId, AdapterPhase};
use crate::time::Time;

const SECOND: Duration = Duration::from_secs(1);

fn scanning(fake: Fake) -> World {
    let mut world = World::new(fake);
    world.run(SECOND);
    assert_eq!(world.phase(), AdapterPhase::Scanning);
    world
}

#[test]
fn the_start_up_is_the_documented_one_and_takes_no_time() {
    let mut world = World::new(Fake::new());
    world.run(Duration::from_millis(100));
    assert_eq!(
        world.sent(),
        [
            "gap_end_procedure",
            "system_get_info",
            "system_address_get",
            "system_get_connections",
            "gap_set_mode",
            "gap_set_filtering",
            "gap_set_scan_parameters",
            "gap_discover",
        ]
    );
    assert_eq!(world.fake.parameters, Some((0x10, 0x10, 0)));
    let phases: Vec<_> = world.states.iter().map(|(_, state)| state.phase).collect();
    use AdapterPhase::{Opening, Ready, Scanning};
    assert_eq!(phases[..], [Opening, Opening, Ready, Scanning], "the firmware is told as soon as it is known");
    let state = world.session.state();
    assert_eq!(state.port.as_deref(), Some(PORT));
    assert_eq!(state.firmware.as_deref(), Some("1.3.2-122"));
    assert_eq!(state.address, Some(ADDRESS));
    assert_eq!(state.error, None);
    assert!(world.session.is_well() && !world.heard.is_empty());
}

#[test]
fn whatever_an_earlier_program_left_behind_is_cleaned_up() {
    type Leave = fn(&mut Fake);
    let cases: [(&str, Leave, Duration); 4] = [
        ("it is still scanning", |fake| fake.scanning = true, SECOND),
        ("all its links are open", |fake| fake.links = [true; 3], SECOND),
        ("half a command is in its parser", Fake::leave_half_a_command, 2 * SECOND),
        (
            "all of that",
            |fake| {
                fake.scanning = true;
                fake.links = [false, true, false];
                fake.leave_half_a_command();
            },
            12 * SECOND,
        ),
    ];
    for (case, prepare, bound) in cases {
        let mut fake = Fake::new();
        prepare(&mut fake);
        let mut world = World::new(fake);
        world.run(bound);
        assert_eq!(world.phase(), AdapterPhase::Scanning, "{case}: {}", world.error());
        assert_eq!(world.fake.links, [false; 3], "{case}");
        assert_eq!(world.fake.resets, 0, "{case}: never reset");
    }
}

#[test]
fn an_answer_may_sit_behind_five_seconds_of_reports() {
    let mut world = World::new(Fake::new());
    world.fake.scanning = true;
    world.fake.fault = Fault::Deaf;
    world.run(5 * SECOND);
    assert_eq!(world.sent(), ["gap_end_procedure"], "one command outstanding");
    assert!(world.heard.is_empty(), "nobody knows yet whose reports these are");
    world.fake.fault = Fault::None;
    world.fake.scanning = false;
    world.read(&[0x00, 0x02, 0x06, 0x04, 0x00, 0x00]);
    world.run(SECOND);
    assert_eq!(world.phase(), AdapterPhase::Scanning);
}

#[test]
fn a_dongle_that_is_always_late_gets_there() {
    for late_ms in [400, 700, 1_500, 2_500, 5_000] {
        let mut world = World::new(Fake::new());
        world.fake.fault = Fault::Late(Duration::from_millis(late_ms));
        world.run(Duration::from_secs(90));
        assert_eq!(world.phase(), AdapterPhase::Scanning, "{late_ms} ms late: {}", world.error());
        assert_eq!(world.fake.resets, 0, "{late_ms} ms late");
    }
}

#[test]
fn reports_are_stamped_as_they_came_and_cut_anywhere() {
    for piece in 1..=20 {
        let mut world = World::new(Fake::new());
        world.piece = piece;
        world.run(SECOND);
        let gaps: Vec<_> = world.heard.windows(2).map(|pair| pair[1].since(pair[0]).as_millis()).collect();
        assert!(gaps.len() >= 17 && gaps.iter().all(|gap| *gap == 50), "pieces of {piece}: {gaps:?}");
    }
}

#[test]
fn before_hello_nothing_is_said_for_a_second_and_what_is_old_is_discarded() {
    let mut session = Session::new(AdapterId(0), Wanted::Any, SCAN, Time::ZERO);
    session.handle_port(Time::ZERO, PortInput::Opened);
    let (mut now, mut said) = (Time::ZERO, Vec::new());
    while now < Time::from_secs(2) {
        while let Some(output) = session.poll_output() {
            match output {
                Output::Flush => said.push((now, "flush".into())),
                Output::Write(bytes) => said.push((now, format!("{bytes:?}"))),
                _ => {}
            }
        }
        now = session.poll_timeout().unwrap();
        session.handle_timeout(now);
    }
    let hello = Time::from_millis(1_600);
    let wanted = [(Time::ZERO, "flush"), (Time::ZERO, "00000604"), (hello, "flush"), (hello, "00000001")];
    assert_eq!(said, wanted.map(|(at, word)| (at, word.to_owned())));
}

#[test]
fn a_frame_is_not_lost_because_somebody_came_late_to_read_the_rest() {
    let mut world = scanning(Fake::new());
    let mut heard = Vec::new();
    world.read(&report(false)[..16]);
    let later = world.now + Duration::from_millis(300);
    world.session.handle_timeout(later);
    assert!(world.session.is_overdue() && world.session.poll_timeout().is_none_or(|due| due > later));
    world.session.handle_bytes(later, &report(false)[16..], &mut |_, report| heard.push(report.encoded()));
    assert_eq!((&heard[..], world.session.is_overdue()), (&[report(false)][..], false));

    world.read(&report(false)[..16]);
    let later = later + Duration::from_millis(300);
    world.session.handle_timeout(later);
    world.session.handle_empty(later);
    world.session.handle_bytes(later, &report(false), &mut |_, report| heard.push(report.encoded()));
    assert_eq!(heard, [report(false), report(false)], "the rest had not come, and this is no mixture of two");
}

#[test]
fn changed_scan_settings_are_taken_over_without_a_gap_in_health() {
    let mut world = scanning(Fake::new());
    let told = world.states.len();
    let settings = ScanSettings { interval_ticks: 0x40, window_ticks: 0x20, active: true };
    world.session.handle_settings(world.now, settings);
    assert!(world.session.is_well());
    world.run(SECOND);
    assert_eq!(world.fake.parameters, Some((0x40, 0x20, 1)));
    assert_eq!(world.states.len(), told, "nothing to tell");
    let sent = world.sent().len();
    world.session.handle_settings(world.now, settings);
    world.run(SECOND);
    assert_eq!(world.sent().len(), sent, "the same settings change nothing");

    for moment in 0..20 {
        world.session.handle_settings(world.now, ScanSettings { interval_ticks: 0x80 + moment, ..settings });
        world.run(Duration::from_millis(1 + u64::from(moment) % 11));
    }
    world.run(SECOND);
    assert_eq!(world.fake.parameters, Some((0x80 + 19, 0x20, 1)), "the last ones count, whatever they interrupt");
}

#[test]
fn a_restart_of_the_dongle_is_followed_by_a_start_up_if_it_is_one() {
    let cases = [("a boot event", boot(1, 1), 1), ("nonsense", boot(0x4142, 1), 0), ("more nonsense", boot(1, 77), 0)];
    for (case, bytes, starts) in cases {
        let mut world = scanning(Fake::new());
        world.fake.commands.clear();
        world.read(&bytes);
        world.run(SECOND);
        let infos = world.sent().iter().filter(|name| **name == "system_get_info").count();
        assert_eq!(infos, starts, "{case}");
        assert_eq!(world.phase(), AdapterPhase::Scanning, "{case}");
    }
}

#[test]
fn a_quiet_room_is_no_fault() {
    let mut world = scanning(Fake::new());
    world.fake.every = None;
    world.run(Duration::from_millis(9_900));
    assert!(!world.session.state().quiet);
    world.run(SECOND);
    assert!(world.session.state().quiet && world.session.is_well());
    world.run(Duration::from_secs(20));
    assert_eq!(world.noted(&Note::Quiet), 1);
    assert_eq!(world.fake.resets, 0, "no band is to become absent because of the dongle");

    let states = world.states.len();
    world.run(Duration::from_secs(48));
    assert!(world.sent().len() > 2 * 8, "it was set up anew meanwhile");
    assert_eq!(world.states.len(), states, "and stayed quiet and scanning: {:?}", world.states);
    world.run(Duration::from_secs(600));
    let (resets, sent) = (world.fake.resets, world.sent().len());
    assert_eq!(resets, 1, "once, since adverts had been heard shortly before");
    let states = world.states.len();
    world.run(Duration::from_secs(3_600));
    assert_eq!((world.noted(&Note::Quiet), world.states.len()), (1, states), "it went quiet once");
    assert_eq!(world.fake.resets, resets, "and then it is left alone");
    assert!(world.sent().len() - sent < 600, "{} commands in an hour", world.sent().len() - sent);
    assert!(world.session.state().quiet && world.session.is_well());

    world.fake.every = Some(Duration::from_millis(50));
    world.run(Duration::from_millis(100));
    assert!(!world.session.state().quiet && world.session.is_well());
}

#[test]
fn silences_that_end_before_the_first_rung_are_not_put_down_to_the_dongle() {
    let mut world = scanning(Fake::new());
    world.fake.every = None;
    world.run(40 * SECOND);
    world.read(&report(false));
    assert!(!world.session.state().quiet);
    for _ in 0..20 {
        world.run(44 * SECOND);
        assert!(world.session.state().quiet && world.session.is_well());
        world.read(&report(false));
    }
    assert_eq!((world.fake.resets, world.opened.len()), (0, 1));
}

#[test]
fn who_is_heard_during_a_check_ends_the_quiet() {
    let mut world = scanning(Fake::new());
    world.fake.every = None;
    world.run(15 * SECOND);
    world.fake.fault = Fault::Late(SECOND);
    let sent = world.sent().len();
    while world.sent().len() == sent {
        world.run(SECOND / 2);
    }
    world.read(&report(false));
    world.run(Duration::ZERO);
    assert_eq!((world.noted(&Note::Heard), world.session.state().quiet), (1, false));
    world.run(9 * SECOND);
    assert_eq!((world.noted(&Note::Quiet), world.session.state().quiet), (1, false), "the check makes nothing of it");
}

#[test]
fn settings_that_came_too_late_for_a_start_up_are_forgotten_with_it() {
    let mut world = scanning(Fake::new());
    world.fake.fault = Fault::Late(SECOND / 10);
    let settings = |interval_ticks| ScanSettings { interval_ticks, ..SCAN };
    world.session.handle_settings(world.now, settings(0x20));
    while world.fake.parameters != Some((0x20, 0x10, 0)) {
        world.run(Duration::from_millis(1));
    }
    world.session.handle_settings(world.now, settings(0x40));
    world.fake.fault = Fault::None;
    world.fake.commands.clear();
    world.unplug(Duration::ZERO);
    world.run(2 * SECOND);
    let discovers = world.sent().iter().filter(|name| **name == "gap_discover").count();
    assert_eq!((discovers, world.fake.parameters), (1, Some((0x40, 0x10, 0))));
}

#[test]
fn a_room_quiet_from_the_beginning_never_sees_the_ladder() {
    let mut world = World::new(Fake::new());
    world.fake.every = None;
    world.run(Duration::from_secs(7_200));
    assert_eq!((world.fake.resets, world.opened.len()), (0, 1));
    assert!(world.session.state().quiet && world.session.is_well());
}

#[test]
fn a_pulled_dongle_is_missed_and_taken_back() {
    let mut world = scanning(Fake::new());
    world.unplug(20 * SECOND);
    world.run(10 * SECOND);
    assert_eq!(world.phase(), AdapterPhase::Absent);
    assert!(!world.session.is_well());
    assert_eq!(world.error(), "no dongle found");
    world.run(Duration::from_millis(10_500));
    assert_eq!(world.phase(), AdapterPhase::Scanning, "within 2 s");
    assert_eq!(world.error(), "");
}

#[test]
fn a_port_that_cannot_be_opened_is_tried_until_it_can() {
    let denied = |message: &str| PortInput::OpenFailed { failure: OpenFailure::Denied, message: message.into() };
    let busy = |holder: &str| PortInput::OpenFailed {
        failure: OpenFailure::Busy { holder: Some(holder.into()) },
        message: format!("held by {holder}"),
    };
    let mut world = World::new(Fake::new());
    world.refuse = Some(denied("join dialout"));
    world.run(Duration::from_millis(900));
    assert_eq!(world.phase(), AdapterPhase::Opening, "udev may not have set the group yet");
    assert!(world.opened.len() >= 5, "{:?}", world.opened);
    world.run(SECOND);
    assert_eq!((world.phase(), world.error()), (AdapterPhase::Failed, "join dialout"));
    world.run(60 * SECOND);
    assert_eq!(world.noted(&Note::NotOpened { message: "join dialout".into() }), 1, "said once");
    assert!(world.opened.len() < 80, "{}", world.opened.len());

    let told = |world: &World| world.notes.iter().filter(|(_, note)| matches!(note, Note::NotOpened { .. })).count();
    for holder in ["minicom (12)", "minicom (13)", "screen (14)"] {
        world.refuse = Some(busy(holder));
        world.run(5 * SECOND);
        assert_eq!((world.phase(), world.error()), (AdapterPhase::Failed, format!("held by {holder}").as_str()));
        assert_eq!(told(&world), 2, "it is still held");
    }
    world.refuse = Some(denied("join dialout"));
    world.run(5 * SECOND);
    assert_eq!(told(&world), 3);
    world.refuse = None;
    world.run(2 * SECOND);
    assert_eq!((world.phase(), world.error()), (AdapterPhase::Scanning, ""));
}

#[test]
fn a_port_that_is_lost_again_and_again_is_told_once_and_left_alone_for_longer() {
    // At once; when it has answered; when it has reported for a while.
    for (lifetime_ms, first_pause) in [(0, 1), (15, 0), (4_000, 0)] {
        let mut world = World::new(Fake::new());
        world.lifetime = Some(Duration::from_millis(lifetime_ms));
        world.run(Duration::from_secs(1_000));
        let pauses: Vec<_> = world.opened.windows(2).map(|pair| pair[1].since(pair[0]).as_secs()).collect();
        let wanted = [first_pause, 2, 4, 8, 16, 30, 30, 30].map(|pause| pause + lifetime_ms / 1_000);
        assert_eq!(pauses[..8], wanted, "after {lifetime_ms} ms");
        assert!(world.error().contains("was lost before") || world.open, "{}", world.error());
        let told = world.notes.iter().filter(|(_, note)| matches!(note, Note::NotOpened { .. })).count();
        assert!(told == 1 || lifetime_ms > 0, "{told}");
        world.lifetime = None;
        world.run(40 * SECOND);
        assert_eq!((world.phase(), world.error()), (AdapterPhase::Scanning, ""));
        assert_eq!(world.opened.len() as u64, 1 + world.session.counters().losses);
    }
    let mut world = World::new(Fake::new());
    world.lifetime = Some(6 * SECOND);
    world.run(60 * SECOND);
    assert_eq!(world.opened.len(), 10, "it has worked, and is taken back at once");
}

#[test]
fn a_port_that_vanishes_on_opening_is_a_race_at_first() {
    let gone = PortInput::OpenFailed { failure: OpenFailure::Gone, message: "no such device".into() };
    let mut world = World::new(Fake::new());
    world.refuse = Some(gone);
    world.run(Duration::from_millis(1_900));
    assert_eq!((world.phase(), world.error()), (AdapterPhase::Opening, ""));
    world.run(SECOND);
    assert_eq!((world.phase(), world.error()), (AdapterPhase::Failed, "no such device"));
}

#[test]
fn opening_that_takes_for_ever_is_told() {
    let mut world = World::new(Fake::new());
    world.refuse = Some(PortInput::Found { port: PORT.into() }); // and nothing more
    world.run(4 * SECOND);
    assert_eq!(world.phase(), AdapterPhase::Opening);
    world.run(2 * SECOND);
    assert_eq!(world.phase(), AdapterPhase::Failed);
    assert!(world.error().contains("takes unusually long"), "{}", world.error());
    world.open = true;
    world.session.handle_port(world.now, PortInput::Opened);
    world.run(SECOND);
    assert_eq!((world.phase(), world.error()), (AdapterPhase::Scanning, ""));
}

#[test]
fn a_dongle_with_another_address_is_given_up_for_the_next() {
    let wanted = BdAddr([7; 6]);
    let mut world = World::wanting(Fake::new(), Wanted::Address(wanted));
    world.fake.scanning = true;
    world.run(Duration::from_millis(1));
    while world.opened.len() < 2 {
        world.run(Duration::from_millis(1));
        assert!(world.now < Time::from_secs(1));
    }
    assert!(world.heard.is_empty(), "not a word of the wrong one is believed");
    world.fake.address = wanted;
    world.run(SECOND);
    assert_eq!(world.session.state().address, Some(wanted));
    assert_eq!((world.phase(), world.error()), (AdapterPhase::Scanning, ""));
}

#[test]
fn a_stop_releases_the_port_at_once_and_is_the_end() {
    let mut world = scanning(Fake::new());
    world.session.stop();
    assert!(matches!(world.session.poll_output(), Some(Output::Write(_))));
    assert_eq!(world.session.poll_output(), Some(Output::Close));
    world.session.handle_port(world.now, PortInput::Lost { message: String::new() });
    world.read(&report(false));
    world.session.handle_timeout(Time::from_secs(1_000));
    assert_eq!((world.session.poll_output(), world.session.poll_timeout()), (None, None));

    let mut sick = World::new(Fake::with(Fault::Hung));
    sick.run(SECOND);
    sick.session.stop();
    assert_eq!(sick.session.poll_output(), Some(Output::Flush), "a write would hold the close up");
    assert_eq!(sick.session.poll_output(), Some(Output::Close));
    assert_eq!(sick.session.poll_output(), None);
}

#[test]
fn a_suspend_is_survived() {
    let mut world = scanning(Fake::new());
    world.now = world.now + Duration::from_secs(36_000);
    world.run(Duration::from_secs(3));
    assert_eq!(world.phase(), AdapterPhase::Scanning);
    assert_eq!((world.fake.resets, world.opened.len()), (0, 1));
}
