use super::*;

fn row(millis: u64, dbm: f64, distance_m: Option<f64>, label: Label) -> Row {
    Row { at: Time::from_millis(millis), dbm, distance_m, label }
}

fn levels(trace: &Trace, shift_db: f64) -> Vec<i32> {
    trace.samples(shift_db).map(|(_, tenths)| tenths).collect()
}

#[test]
fn levels_are_rounded_as_their_exact_value_says() {
    let cases: [(&str, f64, i32); 8] = [
        ("whole", -60.0, -600),
        ("in tenths already", -66.7, -667),
        ("halfway, to the even one below", -60.25, -602),
        ("halfway, to the even one above", -60.75, -608),
        ("a little above halfway, though ten times it is not", -60.15, -601),
        ("a little below halfway", -60.35, -604),
        ("a sum that is no tenth in binary", -70.0 + 5.7, -643),
        ("near zero", -0.04, 0),
    ];
    for (case, dbm, wanted) in cases {
        assert_eq!(tenths(dbm), wanted, "{case}");
    }
}

#[test]
fn samples_are_calibrated_shifted_and_clipped() {
    let rows = [-60.0, -98.0, -110.0, -40.0].map(|dbm| row(0, dbm, None, Label::Other)).to_vec();
    let desk = Trace { name: "desk-1".into(), site_offset_db: -2.5, tap_offset_db: 9.0, rows, ..Trace::default() };
    assert_eq!(levels(&desk, 0.0), [-625, -1005, -1030, -425]);
    assert_eq!(levels(&desk, 5.0), [-575, -955, -1030, -380], "clipped once all is added");
    let taps = Trace { name: "tapsim-1".into(), ..desk };
    assert_eq!(levels(&taps, 0.0), [-510, -890, -1010, -380], "a trace of taps has an offset of its own");
}

#[test]
fn truth_is_by_distance_and_grey_where_nobody_knows() {
    let trace = Trace { near_m: Some(2.5), far_m: Some(6.0), ..Trace::default() };
    let cases = [
        (Some(0.0), Truth::Present),
        (Some(2.5), Truth::Present),
        (Some(2.6), Truth::Grey),
        (Some(5.9), Truth::Grey),
        (Some(6.0), Truth::Away),
        (None, Truth::Grey),
    ];
    for (distance_m, truth) in cases {
        assert_eq!(trace.truth(&row(0, -60.0, distance_m, Label::Other)), truth, "{distance_m:?}");
    }
}

#[test]
fn the_rows_that_are_lost_follow_from_name_place_and_seed() {
    // The first bytes of `printf 'x:0:1' | sha256sum` and so on.
    let kept = |seed| (0..16).filter(|&place| !Thin { share: 0.5, seed }.drops("x", place)).collect::<Vec<_>>();
    assert_eq!(kept(1), [2, 3, 4, 7, 9, 10, 12]);
    assert_eq!(kept(2), [1, 2, 6, 8, 9, 13, 14]);
    assert!((0..64).all(|place| Thin { share: 1.0, seed: 1 }.drops("x", place)), "all are lost");
    assert!(!(0..64).any(|place| Thin { share: 0.0, seed: 1 }.drops("x", place)), "none is");
}

#[test]
fn thinning_loses_rows_and_no_contact() {
    let labels = [Label::Other, Label::Tap, Label::Tap, Label::NearMiss, Label::Tap];
    let rows: Vec<_> = labels.iter().zip(0..).map(|(label, i)| row(i * 100, -60.0, None, *label)).collect();
    let contacts = Trace::contacts_in(&rows);
    let at = Time::from_millis;
    assert_eq!(contacts, [(at(100), at(200)), (at(400), at(400))]);
    let trace = Trace { name: "x".into(), rows, contacts: contacts.clone(), ..Trace::default() };
    let stress = Stress { shift_db: 0.0, thin: Some(Thin { share: 1.0, seed: 1 }) };
    let thin = stress.thin(&trace);
    assert!(thin.rows.is_empty());
    assert_eq!((thin.contacts.as_slice(), thin.name.as_str()), (contacts.as_slice(), "x"));
    assert!(matches!(Stress::default().thin(&trace), Cow::Borrowed(_)), "without loss, nothing is copied");
}
