use super::*;
use crate::agent::limits;
use crate::agent::samples::{ms, presence, snapshot, tap};
use crate::event::Presence;

/// An outbox and the refs of a socket.
struct Desk {
    outbox: Outbox,
    refs: u64,
}

/// What was written: seq, event, how often before.
type Written = (u64, &'static str, u32);

impl Desk {
    fn new() -> Self {
        Self { outbox: Outbox::new(), refs: 0 }
    }

    fn resumed(ack: u64) -> Self {
        let mut desk = Self::new();
        desk.outbox.join(ms(0), Some(ack), WIDE);
        desk
    }

    fn write(&mut self, now: Time) -> Vec<Written> {
        let refs = &mut self.refs;
        let mut written = Vec::new();
        while let Some(Sending { number, item, .. }) = self.outbox.poll_send(now, || {
            *refs += 1;
            *refs
        }) {
            written.push((number.seq, item.name(), number.re));
        }
        written
    }

    /// Hands a snapshot of ten bands over, one band a part.
    fn snapshot(&mut self, now: Time) {
        self.outbox.handle_snapshot(snapshot(now, 10), |_, _| (0..10).map(|n| n..n + 1).collect());
    }
}

const WIDE: Terms = Terms { in_flight: limits::IN_FLIGHT, frame: limits::FRAME };

const TERMS: Terms = Terms { in_flight: 4, frame: limits::FRAME };

#[test]
fn nothing_is_written_without_a_join() {
    let mut desk = Desk::new();
    desk.outbox.push(tap(ms(0), 1));
    assert_eq!(desk.write(ms(0)), []);
    assert!(!desk.outbox.poll_snapshot());
    assert_eq!((desk.outbox.next_seq(), desk.outbox.poll_timeout()), (1, None));
}

#[test]
fn a_snapshot_that_was_asked_for_in_vain_is_asked_for_again() {
    let mut desk = Desk::new();
    desk.outbox.join(ms(0), None, TERMS);
    assert!(desk.outbox.poll_snapshot());
    assert!(!desk.outbox.poll_snapshot(), "once");
    desk.outbox.leave(ms(0));
    desk.snapshot(ms(0));
    desk.outbox.join(ms(1), Some(0), TERMS);
    assert!(desk.outbox.poll_snapshot());
}

#[test]
fn new_facts_wait_for_a_snapshot_that_is_due() {
    let mut desk = Desk::new();
    desk.outbox.push(tap(ms(0), 1));
    desk.outbox.join(ms(0), None, TERMS);
    assert_eq!(desk.write(ms(0)), []);
    assert!(desk.outbox.poll_snapshot());
    desk.outbox.handle_snapshot(snapshot(ms(0), 1), |_, _| std::iter::once(0..1).collect());
    assert_eq!(desk.write(ms(0)), [(1, "snapshot", 0), (2, "band.tap", 0)]);
}

#[test]
fn a_half_sent_snapshot_goes_on_where_the_agent_resumes_and_begins_anew_where_it_does_not() {
    let half_sent = || {
        let mut desk = Desk::new();
        desk.outbox.join(ms(0), None, TERMS);
        assert!(desk.outbox.poll_snapshot());
        desk.snapshot(ms(0));
        assert_eq!(desk.write(ms(0)).len(), 4);
        desk.outbox.leave(ms(0));
        desk
    };
    let mut desk = half_sent();
    desk.outbox.join(ms(1), Some(3), TERMS);
    assert!(!desk.outbox.poll_snapshot());
    let expected = [(4, "snapshot", 1), (5, "snapshot", 0), (6, "snapshot", 0), (7, "snapshot", 0)];
    assert_eq!(desk.write(ms(1)), expected);

    let mut desk = half_sent();
    desk.outbox.join(ms(1), None, TERMS);
    assert_eq!(desk.write(ms(1)), [], "the rest of it is out of date");
    assert!(desk.outbox.poll_snapshot());
    desk.outbox.handle_snapshot(snapshot(ms(1), 1), |_, _| std::iter::once(0..1).collect());
    assert_eq!(desk.write(ms(1)), [(5, "snapshot", 0)]);
    assert!(desk.outbox.depth() == (0, 1));
}

#[test]
fn a_new_join_is_patient_anew() {
    let mut desk = Desk::resumed(0);
    desk.outbox.push(tap(ms(0), 1));
    for join in 0..2 {
        let begun = ms(join * 10_000);
        assert_eq!(desk.write(begun).len(), 1);
        assert!(desk.outbox.handle_timeout(begun + limits::TAP_ACK));
        assert_eq!(desk.write(begun + limits::TAP_ACK).len(), 1);
        assert!(!desk.outbox.handle_timeout(begun + limits::TAP_ACK * 2));
        desk.outbox.leave(ms(0));
        assert_eq!(desk.outbox.poll_timeout(), None);
        desk.outbox.join(begun, Some(0), WIDE);
    }
}

#[test]
fn an_agent_may_ask_for_less_at_once_the_next_time() {
    let mut desk = Desk::resumed(0);
    for n in 0..5 {
        desk.outbox.push(tap(ms(0), n));
    }
    assert_eq!(desk.write(ms(0)).len(), 5);
    desk.outbox.leave(ms(0));
    desk.refs = 0;
    desk.outbox.join(ms(0), Some(0), Terms { in_flight: 2, ..TERMS });
    assert_eq!(desk.write(ms(0)), [(1, "band.tap", 1), (2, "band.tap", 1)]);
    desk.outbox.handle_ack(1, None);
    assert_eq!(desk.write(ms(0)), [(3, "band.tap", 1)]);
}

#[test]
fn an_acknowledgement_of_an_earlier_join_is_nobodys() {
    let mut desk = Desk::resumed(0);
    desk.outbox.push(tap(ms(0), 1));
    desk.write(ms(0));
    desk.outbox.leave(ms(0));
    desk.refs = 100;
    desk.outbox.join(ms(0), Some(0), WIDE);
    desk.write(ms(0));
    desk.outbox.handle_ack(1, None);
    assert_eq!(desk.outbox.depth(), (0, 1));
    desk.outbox.handle_ack(101, None);
    assert!(desk.outbox.is_idle());
}

#[test]
fn an_agent_cannot_acknowledge_what_was_never_written() {
    let mut desk = Desk::resumed(0);
    for n in 0..40 {
        desk.outbox.push(presence(ms(0), n, Presence::Present));
    }
    assert_eq!(desk.write(ms(0)).len(), 32);
    desk.outbox.handle_ack(1, Some(u64::MAX));
    assert_eq!(desk.outbox.depth(), (8, 0));
    assert_eq!(desk.write(ms(0)).first(), Some(&(33, "band.presence", 0)));
    desk.outbox.leave(ms(0));
    desk.outbox.join(ms(0), Some(u64::MAX), WIDE);
    assert!(desk.outbox.is_idle());
    assert_eq!(desk.outbox.next_seq(), 41);
}

#[test]
fn a_fact_that_waits_for_its_retry_holds_nothing_up() {
    let mut desk = Desk::resumed(0);
    desk.outbox.push(presence(ms(0), 1, Presence::Present));
    desk.write(ms(0));
    desk.outbox.handle_retry(ms(0), 1, Duration::from_secs(1));
    desk.outbox.push(tap(ms(10), 1));
    assert_eq!(desk.write(ms(10)), [(2, "band.tap", 0)]);
    assert_eq!(desk.outbox.poll_timeout(), Some(ms(1_000)));
    desk.outbox.handle_ack(2, None);
    assert!(desk.outbox.handle_timeout(ms(1_000)));
    assert_eq!(desk.write(ms(1_000)), [(1, "band.presence", 1)]);
}

#[test]
fn a_retry_that_is_due_and_finds_no_room_waits_without_a_timer() {
    let mut desk = Desk::resumed(0);
    for n in 0..3 {
        desk.outbox.push(presence(ms(0), n, Presence::Present));
    }
    desk.write(ms(0));
    desk.outbox.leave(ms(0));
    desk.refs = 0;
    desk.outbox.join(ms(0), Some(0), Terms { in_flight: 1, ..TERMS });
    assert_eq!(desk.write(ms(0)), [(1, "band.presence", 1)]);
    desk.outbox.handle_retry(ms(0), 1, Duration::from_secs(1));
    assert_eq!(desk.write(ms(500)), [(2, "band.presence", 1)]);
    assert!(desk.outbox.handle_timeout(ms(1_000)));
    assert_eq!(desk.write(ms(1_000)), []);
    assert_eq!(desk.outbox.poll_timeout(), Some(ms(500) + limits::FACT_ACK));
    desk.outbox.handle_ack(2, None);
    assert_eq!(desk.write(ms(1_500)), [(1, "band.presence", 2)]);
}

#[test]
fn a_fact_that_waits_for_its_retry_takes_nobodys_place_in_a_narrow_window() {
    let mut desk = Desk::new();
    desk.outbox.join(ms(0), Some(0), Terms { in_flight: 1, ..TERMS });
    for n in 0..=limits::IN_FLIGHT {
        desk.outbox.push(presence(ms(0), u8::try_from(n).unwrap(), Presence::Present));
    }
    for reference in 1..=limits::IN_FLIGHT as u64 {
        assert_eq!(desk.write(ms(0)), [(reference, "band.presence", 0)]);
        desk.outbox.handle_retry(ms(0), reference, Duration::from_secs(1));
    }
    assert_eq!(desk.write(ms(0)), [], "the window is bounded all the same");
}

#[test]
fn a_tap_overtakes_the_rest_of_a_snapshot_while_it_can_act() {
    let mut desk = Desk::new();
    desk.outbox.join(ms(0), None, Terms { in_flight: 1, ..TERMS });
    assert!(desk.outbox.poll_snapshot());
    desk.snapshot(ms(0));
    desk.outbox.push(tap(ms(0), 1));
    desk.outbox.push(tap(ms(0), 2));
    assert_eq!(desk.write(ms(0)), [(1, "snapshot", 0)], "state comes first");
    desk.outbox.handle_ack(1, None);
    assert_eq!(desk.write(ms(100)), [(2, "band.tap", 0)]);
    desk.outbox.handle_ack(2, None);
    assert_eq!(desk.write(ms(3_000)), [(3, "snapshot", 0)], "the second tap is too old by now");
}
