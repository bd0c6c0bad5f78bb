use super::*;
use crate::evaluate::trace::Row;
use crate::time::Time;

/// Sitting at 0.6 m, a contact from 10.0 s to 11.5 s, a near-miss from 20 s to 22 s.
fn trace() -> Trace {
    let rows: Vec<Row> = (0..300)
        .map(|i| {
            let (distance, label) = match i {
                95..100 | 116..121 => (0.1, Label::Other),
                100..116 => (0.02, Label::Tap),
                200..220 => (0.25, Label::NearMiss),
                280..300 => (-1.0, Label::Other),
                _ => (0.6, Label::Other),
            };
            let distance_m = Some(distance).filter(|distance| *distance >= 0.0);
            Row { at: Time::from_millis(i * 100), dbm: -60.0, distance_m, label }
        })
        .collect();
    Trace { name: "tapsim-1".into(), contacts: Trace::contacts_in(&rows), rows, ..Trace::default() }
}

fn scored(millis: &[u64]) -> Taps {
    let taps = millis.iter().map(|&millis| Time::from_millis(millis)).collect();
    score_taps(&trace(), &Said { changes: Vec::new(), taps })
}

#[test]
fn a_tap_is_a_hit_a_repeat_false_or_neither() {
    // Hits, repeats, false ones, of them near-misses.
    let cases: [(&str, &[u64], (u64, u64, u64, u64)); 10] = [
        ("none", &[], (0, 0, 0, 0)),
        ("at the contact", &[10_000], (1, 0, 0, 0)),
        ("the earliest that is a hit", &[9_300], (1, 0, 0, 0)),
        ("earlier", &[9_299], (0, 0, 1, 0)),
        ("the latest that is a hit", &[12_000], (1, 0, 0, 0)),
        ("later, with the hand gone", &[12_100], (0, 0, 1, 0)),
        ("a second and third for one contact", &[10_000, 11_000, 11_900], (1, 2, 0, 0)),
        ("at the near-miss", &[21_000], (0, 0, 1, 1)),
        ("where nobody knows the distance", &[28_500], (0, 0, 1, 0)),
        ("before the first row", &[0], (0, 0, 1, 0)),
    ];
    for (case, millis, wanted) in cases {
        let found = scored(millis);
        assert_eq!((found.hits, found.repeats, found.false_taps, found.near_misses), wanted, "{case}");
        assert_eq!((found.contacts, found.span), (1, Duration::from_millis(29_900)), "{case}");
    }
    assert_eq!(scored(&[9_500]).latency_us, [-500_000]);
    assert_eq!(scored(&[10_300, 11_000]).latency_us, [300_000], "a repeat has no latency");
}

#[test]
fn a_hand_as_good_as_there_makes_no_false_tap() {
    let mut near = trace();
    near.contacts.clear();
    let at = |millis| Said { changes: Vec::new(), taps: vec![Time::from_millis(millis)] };
    assert_eq!(score_taps(&near, &at(9_600)).false_taps, 0, "at 0.1 m");
    assert_eq!(score_taps(&near, &at(9_400)).false_taps, 1, "at 0.6 m");
}

#[test]
fn contacts_count_though_every_row_is_lost() {
    let mut empty = trace();
    empty.rows.clear();
    let found = score_taps(&empty, &Said::default());
    assert_eq!((found.contacts, found.hits, found.span), (1, 0, Duration::ZERO));
}

#[test]
fn counts_of_several_traces_add_up() {
    let one = scored(&[10_000, 11_000, 21_000]);
    let mut two = one.clone();
    two.add(&one);
    assert_eq!((two.contacts, two.hits, two.repeats, two.false_taps, two.near_misses), (2, 2, 2, 2, 2));
    assert_eq!((two.span, two.latency_us.len()), (one.span * 2, 2));
}
