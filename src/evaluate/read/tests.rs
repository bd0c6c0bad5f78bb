use super::*;
use crate::evaluate::trace::Truth;

#[test]
fn a_recording_with_header_and_columns_in_any_order() {
    let text = "\u{feff}# source: example.org/desk @ 1; A. Author\r\n# near_m: 2.5\r\n# far_m: 6\r\n# site_offset_db: -2.5\r\n\
                # tap_offset_db: 3\r\n# kind: real\r\n# no colon\r\n\r\nlabel,band,rssi_dbm,t_s,distance_m\r\n\
                desk,a,-60,10.25,1\r\n,a,-61.5,10.5,\r\ntap,a,-40,11,0.02\r\ntap,a,-40,11.5,0.02\r\n";
    let Recording { trace, no_readings } = read("walk-1", text).unwrap();
    assert_eq!((trace.name.as_str(), no_readings), ("walk-1", 0));
    assert_eq!(trace.source.as_deref(), Some("example.org/desk @ 1; A. Author"));
    assert_eq!(
        (trace.near_m, trace.far_m, trace.site_offset_db, trace.tap_offset_db),
        (Some(2.5), Some(6.0), -2.5, 3.0)
    );
    assert_eq!(trace.begin_us, 10_250_000);
    let row = |millis, dbm, distance_m, label| Row { at: Time::from_millis(millis), dbm, distance_m, label };
    assert_eq!(
        trace.rows,
        [
            row(0, -60.0, Some(1.0), Label::Other),
            row(250, -61.5, None, Label::Other),
            row(750, -40.0, Some(0.02), Label::Tap),
            row(1250, -40.0, Some(0.02), Label::Tap),
        ]
    );
    assert_eq!(trace.contacts, [(Time::from_millis(750), Time::from_millis(1250))]);
    assert_eq!(trace.truth(&trace.rows[0]), Truth::Present);
}

#[test]
fn without_column_names_the_four_are_in_their_usual_order() {
    let trace = read("x", "0,-60,1.5,nearmiss\n1,-60\n").unwrap().trace;
    assert_eq!((trace.rows[0].distance_m, trace.rows[0].label), (Some(1.5), Label::NearMiss));
    assert_eq!(trace.rows[1].distance_m, None);
}

#[test]
fn a_header_may_say_the_same_again() {
    let header = "# source: a\n# near_m: 2.5\n# far_m: 6\n# site_offset_db: -2\n# kind: real\n";
    let text = format!("{header}0,-60,1\n{}1,-60,1\n", header.replace("real", "other").replace("2.5", "2.50"));
    assert_eq!(read("x", &text).unwrap().trace.rows.len(), 2);
    let above = read("x", "# near_m: 1\n# near_m: 2\n0,-60,1\n").unwrap().trace;
    assert_eq!(above.near_m, Some(2.0), "above all rows the last one holds");
}

#[test]
fn levels_that_are_none_are_left_out_before_anything_else() {
    let text = "0,127,1\n1,0,1\n2,-127,1\n3,-126,1\n4,-128,1\n5,-0.5,1\n6,-inf,1\n";
    let Recording { trace, no_readings } = read("x", text).unwrap();
    assert_eq!((trace.rows.len(), no_readings), (2, 5));
    assert_eq!(trace.begin_us, 3_000_000, "time begins at the first that is one");
    let taps = read("x", "0,-40,,tap\n1,127,,desk\n2,-40,,tap\n").unwrap().trace;
    assert_eq!(taps.contacts.len(), 1, "one that is left out does not split a contact");
}

#[test]
fn what_cannot_be_used_is_named_with_its_line_and_cure() {
    let cases: [(&str, &str, &str, &str); 19] = [
        ("no number", "0,-60,1\nx,-60,1\n", "line 2: t_s is not a number: \"x\"", CURE_ROW),
        ("no time at all", "NaN,-60,1\n", "line 1: t_s is not a number: \"NaN\"", CURE_ROW),
        ("no level", "0\n", "line 1: rssi_dbm is not a number: \"\"", CURE_ROW),
        ("beyond time", "1e300,-60,1\n", "line 1: t_s is out of range: 1e300", CURE_TIME),
        ("time without end", "inf,-60,1\n", "line 1: t_s is out of range: inf", CURE_TIME),
        ("time that goes back", "1,-60,1\n2,-60,1\n1.5,-60,1\n", "line 3: t_s goes back, to 1.5", CURE_TIME),
        ("before the first", "1,-60,1\n0,-60,1\n", "line 2: t_s goes back, to 0", CURE_TIME),
        ("a distance that is none", "0,-60,NaN\n", "line 1: distance_m is no distance: \"NaN\"", CURE_DISTANCE),
        ("a negative one", "0,-60,-1\n", "line 1: distance_m is no distance: \"-1\"", CURE_DISTANCE),
        ("a huge one", "0,-60,1e99\n", "line 1: distance_m is no distance: \"1e99\"", CURE_DISTANCE),
        ("no metres", "# near_m: two\n", "line 1: near_m must be 0 to 100000, found \"two\"", CURE_HEADER),
        ("far before near", "# far_m: 2\n# near_m: 3\n", "line 2: far_m 2 is less than near_m 3", CURE_HEADER),
        ("no offset", "# site_offset_db: 1e9\n", "line 1: site_offset_db must be -200 to 200", CURE_HEADER),
        (
            "limits that change",
            "# near_m: 1\n0,-60,1\n# near_m: 2\n1,-60,1\n",
            "line 3: near_m is another than for the rows above",
            CURE_TWO,
        ),
        (
            "an offset that comes late",
            "0,-60,1\n# site_offset_db: 3\n",
            "line 2: site_offset_db is another than",
            CURE_TWO,
        ),
        (
            "another's recording behind it",
            "# source: a\n0,-60,1\n# source: b\n",
            "line 3: source is another than",
            CURE_TWO,
        ),
        ("empty", "", "line 1: the file has no readings", CURE_ROW),
        ("a header only", "# near_m: 1\nt_s,rssi_dbm\n", "line 2: the file has no readings", CURE_ROW),
        (
            "no truth",
            "# a: b\nt_s,rssi_dbm\n0,-60\n",
            "line 2: the file does not say where the band truly was",
            CURE_TRUTH,
        ),
    ];
    for (case, text, told, cure) in cases {
        let error = read("x", text).unwrap_err();
        assert!(error.to_string().starts_with(told), "{case}: {error}");
        assert_eq!(error.cure, cure, "{case}");
    }
    let long = "9".repeat(MAX_LINE + 1);
    assert_eq!(read("x", &long).unwrap_err().what, "the line is longer than 64 KiB");
}

#[test]
fn what_is_printed_of_a_line_is_short_and_harmless() {
    let error = read("x", &format!("\u{1b}[2J{},-60\n", "z".repeat(5000))).unwrap_err().to_string();
    assert!(error.len() < 200 && !error.contains('\u{1b}'), "{error}");
}
