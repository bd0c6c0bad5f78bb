use std::time::Duration;

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::fake::{Fake, Fault, SCAN, World, boot, report};
use crate::adapter::{OpenFailure, PortInput, ScanSettings, Session, Wanted};
use crate::event::{AdapterId, AdapterPhase};
use crate::time::Time;

/// From the end of a fault to a scanning dongle: the longest back-off, a start-up that waits for late answers, a reset.
const BOUND: Duration = Duration::from_secs(60);

#[test]
fn after_any_faults_a_well_dongle_scans_again() {
    for seed in 0..60 {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut world = World::new(Fake::new());
        world.piece = 1 + random.next_u32() as usize % 64;
        let mut story = Vec::new();
        for _ in 0..1 + random.next_u32() % 6 {
            let fault = fault(&mut random);
            let span = Duration::from_millis(u64::from(random.next_u32()) % 90_000);
            let event = random.next_u32() % 8;
            story.push((fault.clone(), span, event));
            world.fake.fault = fault;
            (world.lifetime, world.refuse) = (None, None);
            match event {
                0 => world.unplug(Duration::from_millis(u64::from(random.next_u32()) % 5_000)),
                1 if world.open => world.read(&boot(1, 1)),
                2 if world.open => world.read(&report(false)[..7]),
                3 => world.lifetime = Some(Duration::from_millis(u64::from(random.next_u32()) % 5_000)),
                4 => world.refuse = Some(busy()),
                5 if !world.open => world.session.handle_port(world.now, PortInput::Replugged),
                6 => _ = world.session.reset(world.now),
                _ => {}
            }
            let opened = world.opened.len();
            world.run(span);
            let opened = world.opened.len() - opened;
            let bound =
                if world.refuse.is_some() { opens_of_a_refused_port(span) } else { opens_of_a_sick_dongle(span) };
            assert!(opened <= bound, "seed {seed}: {story:?}: opened {opened} times, not {bound}");
        }
        world.fake.fault = Fault::None;
        (world.lifetime, world.refuse) = (None, None);
        world.fake.every = Some(Duration::from_millis(100));
        world.run(BOUND);
        assert_eq!(world.phase(), AdapterPhase::Scanning, "seed {seed}: {story:?}: {}", world.error());
        assert!(world.heard.last().is_some_and(|at| world.now.since(*at).as_secs() < 1), "seed {seed}: {story:?}");
        world.session.stop();
        while world.session.poll_output().is_some() {}
        world.session.handle_port(world.now, PortInput::Replugged);
        assert_eq!((world.session.poll_output(), world.session.poll_timeout()), (None, None), "seed {seed}");
    }
}

/// Once when the fault begins, and after each pause of the back-off from its start; each time once more when a reset
/// takes the dongle off the bus.
fn opens_of_a_sick_dongle(span: Duration) -> usize {
    let pauses = [1, 2, 4, 8, 16].into_iter().chain(std::iter::repeat(30));
    let ends = pauses.scan(0, |end, pause| {
        *end += pause;
        Some(*end)
    });
    2 * (1 + ends.take_while(|end| *end <= span.as_secs()).count())
}

/// Once a second.
fn opens_of_a_refused_port(span: Duration) -> usize {
    2 + span.as_secs() as usize
}

fn busy() -> PortInput {
    PortInput::OpenFailed { failure: OpenFailure::Busy { holder: None }, message: "held".into() }
}

fn fault(random: &mut impl Rng) -> Fault {
    match random.next_u32() % 11 {
        0 => Fault::Dead,
        1 => Fault::Hung,
        2 => Fault::Deaf,
        3 => Fault::Numb,
        4 => Fault::Empty,
        5 => Fault::Late(Duration::from_millis(u64::from(random.next_u32()) % 9_000)),
        6 => Fault::Other(b"some text\r\n"),
        7 => Fault::Other(&[0x00, 0x02, 0x06, 0x04, 0x00, 0x00]),
        8 => Fault::Echo,
        9 => Fault::Noise,
        _ => Fault::None,
    }
}

/// Inputs in any order, also in orders no shell would give them.
#[test]
fn no_input_makes_it_panic_or_spin() {
    for seed in 0..200 {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut session = Session::new(AdapterId(0), Wanted::Any, SCAN, Time::ZERO);
        let mut now = Time::ZERO;
        for step in 0..400 {
            now = now + Duration::from_micros(u64::from(random.next_u32()) % (1 << (random.next_u32() % 24)));
            match random.next_u32() % 15 {
                0 => session.handle_port(now, PortInput::Opened),
                1 => session.handle_port(now, PortInput::Lost { message: "gone".into() }),
                2 => session.handle_port(now, PortInput::Found { port: "x".into() }),
                3 => session.handle_port(now, PortInput::Missing { reason: "none".into() }),
                4 => {
                    let busy = OpenFailure::Busy { holder: Some(step.to_string()) };
                    let failure = [OpenFailure::Denied, OpenFailure::Gone, OpenFailure::Other, busy][step % 4].clone();
                    session.handle_port(now, PortInput::OpenFailed { failure, message: "no".into() });
                }
                5 => session.handle_settings(now, ScanSettings { window_ticks: step as u16, ..SCAN }),
                6 => session.handle_timeout(now),
                7 => session.handle_port(now, PortInput::Replugged),
                8 => _ = session.reset(now),
                9 if step > 350 => session.stop(),
                9 => session.handle_empty(now),
                _ => session.handle_bytes(now, &bytes(&mut random), &mut |_, _| {}),
            }
            let mut outputs = 0;
            while session.poll_output().is_some() {
                outputs += 1;
                assert!(outputs < 1_000, "seed {seed}, step {step}");
            }
            for _ in 0..20 {
                if session.poll_timeout().is_none_or(|due| due > now) {
                    break;
                }
                session.handle_timeout(now);
            }
            assert!(session.poll_timeout().is_none_or(|due| due > now), "seed {seed}, step {step}: {session:?}");
        }
    }
}

/// Noise, answers nobody asked for, and cut frames.
fn bytes(random: &mut impl Rng) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..random.next_u32() % 8 {
        match random.next_u32() % 6 {
            0 => bytes.extend((0..random.next_u32() % 300).map(|_| random.next_u32() as u8)),
            1 => bytes.extend_from_slice(&report(random.next_u32().is_multiple_of(2))),
            2 => bytes.extend_from_slice(&boot(1, 1)),
            3 => bytes.extend_from_slice(&[0x00, 0x02, 0x06, (random.next_u32() % 10) as u8, 0x81, 0x01]),
            4 => bytes.extend_from_slice(&[0x00, 0x00, 0x00, 0x01]),
            _ => bytes.extend_from_slice(&[0x00, 0x01, 0x00, 0x06, random.next_u32() as u8]),
        }
    }
    let keep = random.next_u32() as usize % (bytes.len() + 1);
    bytes.truncate(keep.max(bytes.len() / 2));
    bytes
}
