//! What the user does at the terminal, beside what is heard.

use super::*;

impl Bench {
    /// Keyboard or mouse was used just now.
    fn active(&mut self, at: f64) {
        self.engine.handle_user_active(secs(at), None, Duration::ZERO);
        self.note();
    }

    fn sign_in(&mut self, at: f64, band: u8) -> Result<(), SignInError> {
        let result = self.engine.handle_signed_in(secs(at), address(band));
        self.note();
        result
    }

    /// Near until 20 s; the second weak reading after that asks for away.
    fn near_then_weak() -> Self {
        let mut bench = Self::new(Settings { window_long: 4, ..settings() });
        bench.steady(0.0, 1.0, 21, -60);
        bench.lines();
        bench
    }

    /// One weak reading a second.
    fn weak(&mut self, from: f64, until: f64) {
        let mut at = from;
        while at <= until {
            self.hear(at, -95);
            at += 1.0;
        }
    }

    /// When away was said, with its rule, whatever else was.
    fn aways(&mut self) -> Vec<String> {
        self.lines().into_iter().filter(|line| line.contains(">Away")).collect()
    }
}

#[test]
fn away_waits_for_ten_seconds_after_the_last_key_and_says_for_how_long() {
    let mut bench = Bench::near_then_weak();
    bench.active(20.5);
    bench.weak(21.0, 23.0);
    assert_eq!(bench.lines(), ["23 Near>Hold hold"], "it would be away since 22 s");
    assert_eq!(bench.engine.poll_timeout(), Some(secs(30.5)));
    bench.wait(30.499_999);
    assert_eq!(bench.lines(), [""; 0]);
    bench.wait(40.0);
    let away = bench.noted[0].clone();
    assert_eq!(bench.lines(), ["30.5 Near>Away away.falling"]);
    assert_eq!(
        serde_json::to_string(&away.why).unwrap(),
        r#"{"rule":"away.falling","mean_cdb":-7750,"threshold_cdb":-7500,"newer_cdb":-9500,"older_cdb":-6000,"n":4,"span_ms":3000,"age_ms":7500,"held_ms":8500}"#,
        "the numbers are those of the moment at which it was asked for"
    );
    assert_eq!(
        away.to_string(),
        "c0:00:00:00:00:01  AWAY      mean -77.5 dBm of 4 samples, at or below far and falling, away held back for 8.5 s"
    );
    bench.wait(52.0);
    assert_eq!(bench.lines(), [""; 0], "and is not restated");
}

#[test]
fn a_stranger_at_the_keys_holds_an_open_terminal_for_a_minute_at_most() {
    let mut bench = Bench::near_then_weak();
    for tick in 0..600 {
        let at = 21.0 + 0.25 * f64::from(tick);
        bench.active(at);
        bench.hear(at + 0.1, -95);
    }
    assert_eq!(bench.aways(), ["81.35 Near>Away away.falling"], "asked for at 21.35 s");
    assert_eq!(bench.engine.bands()[0].side, Side::Away);
}

#[test]
fn near_is_restated_while_away_is_held_back() {
    let mut bench = Bench::near_then_weak();
    for at in 21..50 {
        bench.active(f64::from(at));
        bench.hear(f64::from(at), -95);
    }
    let holds: Vec<_> = bench.noted.iter().map(|decision| (line(decision), decision.why.held_ms)).collect();
    let hold = |at: &str, held| (format!("{at} Near>Hold hold"), held);
    assert_eq!(holds, [hold("23", Some(1_000)), hold("33", Some(11_000)), hold("43", Some(21_000))]);
}

#[test]
fn a_wearer_who_comes_back_meanwhile_never_was_away() {
    let mut bench = Bench::near_then_weak();
    bench.active(20.5);
    bench.weak(21.0, 23.0);
    bench.steady(24.0, 1.0, 10, -60);
    bench.wait(35.0);
    assert_eq!(bench.aways(), [""; 0]);
    for tick in 0..300 {
        let at = 40.0 + 0.25 * f64::from(tick);
        bench.active(at);
        bench.hear(at + 0.1, -95);
    }
    assert_eq!(bench.aways(), ["100.35 Near>Away away.falling"], "a minute from the second time it was asked for");
}

#[test]
fn no_key_holds_back_what_does_not_come_from_a_level() {
    let roster = |bench: &mut Bench| bench.engine.handle_roster(secs(25.0), &roster(Mode::Listed, 1, &[]));
    let cases: [(&str, fn(&mut Bench), &[&str]); 4] = [
        ("silence", |_| {}, &["53.000001 Near>Away silence", "53.000001 Absent Silence silence"]),
        (
            "a dongle that is not well",
            |bench| bench.engine.handle_adapter(secs(25.0), DONGLE, false),
            &["53.000001 Near>Away silence", "53.000001 Absent Adapter silence"],
        ),
        (
            "the machine sleeps",
            |bench| bench.engine.handle_wake(secs(53.1)),
            &["53.000001 Near>Away silence", "53.000001 Absent Suspend silence"],
        ),
        ("the roster", roster, &["25 Near>Away roster", "25 Absent Roster roster"]),
    ];
    for (case, happens, expected) in cases {
        let mut bench = Bench::near_then_weak();
        bench.active(20.5);
        bench.weak(21.0, 23.0);
        for at in 24..=50 {
            if at == 25 && case != "the machine sleeps" {
                happens(&mut bench);
            }
            bench.active(f64::from(at));
        }
        if case == "the machine sleeps" {
            happens(&mut bench);
        }
        bench.note();
        bench.wait(60.0);
        let said: Vec<_> = bench.lines().into_iter().filter(|line| !line.contains("Hold")).collect();
        assert_eq!(said, expected, "{case}");
    }
}

#[test]
fn what_is_held_back_comes_when_the_machine_wakes() {
    let mut bench = Bench::near_then_weak();
    bench.active(20.5);
    bench.weak(21.0, 23.0);
    bench.lines();
    bench.engine.handle_wake(secs(45.0));
    bench.note();
    assert_eq!(bench.lines(), ["30.5 Near>Away away.falling"]);
}

#[test]
fn an_activity_counts_from_when_it_was_and_not_after_ten_seconds() {
    for (age_ms, away) in [(0, "31.5"), (4_000, "27.5"), (9_499, "22.001"), (9_500, "22"), (10_001, "22")] {
        let mut bench = Bench::near_then_weak();
        bench.hear(21.0, -95);
        bench.engine.handle_user_active(secs(21.5), None, Duration::from_millis(age_ms));
        bench.weak(22.0, 40.0);
        assert_eq!(bench.aways(), [format!("{away} Near>Away away.falling")], "{age_ms} ms ago");
    }
    let mut bench = Bench::new(settings());
    bench.engine.handle_user_active(secs(1.0), None, Duration::from_secs(9));
    bench.engine.handle_user_active(secs(1.0), Some(address(7)), Duration::MAX);
    assert!(bench.engine.bands().is_empty() && bench.engine.poll_timeout().is_none());
}

#[test]
fn a_named_wearer_holds_the_own_band_only_and_none_that_is_not_near() {
    for (named, away) in [(1, "30.5"), (2, "22"), (3, "22")] {
        let mut bench = Bench::near_then_weak();
        for i in 0..4 {
            bench.hear_at(16.0 + 0.1 * f64::from(i), DONGLE, 2, -90);
        }
        bench.lines();
        bench.engine.handle_user_active(secs(20.5), Some(address(named)), Duration::ZERO);
        bench.weak(21.0, 40.0);
        assert_eq!(bench.aways(), [format!("{away} Near>Away away.falling")], "band {named}");
        assert_eq!(bench.engine.bands().len(), 2);
    }
}

#[test]
fn keys_that_were_used_before_the_band_was_near_are_somebody_elses() {
    let mut bench = Bench::new(Settings { window_long: 4, ..settings() });
    bench.active(2.5);
    bench.steady(0.0, 1.0, 4, -60);
    bench.weak(4.0, 20.0);
    assert_eq!(bench.aways(), ["5 Near>Away away.falling"]);
}

#[test]
fn a_flood_of_keys_says_nothing() {
    let mut bench = Bench::near_then_weak();
    for n in 0..100_000 {
        bench.active(20.5 + 1e-5 * f64::from(n));
    }
    assert_eq!(bench.lines(), [""; 0]);
}

#[test]
fn whoever_signs_in_is_near_at_once() {
    let mut bench = Bench::new(settings());
    bench.steady(0.0, 1.0, 4, -90);
    assert_eq!(bench.lines(), ["2 Present Heard heard", "3 Unknown>Away away.falling"]);
    bench.sign_in(3.5, 1).unwrap();
    let near = bench.noted[0].clone();
    assert_eq!(bench.lines(), ["3.5 Away>Near near.signed_in"]);
    assert_eq!(
        serde_json::to_string(&near.why).unwrap(),
        r#"{"rule":"near.signed_in","n":0,"span_ms":0,"age_ms":500}"#,
        "no level was asked"
    );
    assert_eq!(near.adapter, None);
    assert_eq!(near.to_string(), "c0:00:00:00:00:01  NEAR      its wearer signed in");
    bench.steady(4.0, 1.0, 26, -90);
    assert_eq!(
        bench.lines(),
        ["13.5 Near>Away away.falling"],
        "the rule goes on: a seat that is too weak is held for as long as after any activity"
    );
}

#[test]
fn a_wearer_who_signs_in_and_is_not_heard_is_not_near_for_ever() {
    let mut bench = Bench::new(settings());
    bench.engine.handle_roster(secs(0.0), &roster(Mode::Listed, 1, &[(1, "ada", Auth::Authenticated)]));
    bench.sign_in(10.0, 1).unwrap();
    let present = bench.noted[0].to_string();
    assert_eq!(present, "ada                present   its wearer signed in");
    assert_eq!(bench.lines(), ["10 Present SignedIn near.signed_in", "10 Unknown>Near near.signed_in"]);
    bench.active(20.0);
    bench.wait(60.0);
    let absent = bench.noted.last().unwrap().to_string();
    assert_eq!(absent, "ada                absent    not heard for 30.0 s");
    assert_eq!(bench.lines(), ["40.000001 Near>Away silence", "40.000001 Absent Silence silence"], "nor restated");
    assert_eq!(bench.engine.poll_timeout(), None);
}

#[test]
fn a_wearer_who_signs_in_while_no_dongle_is_well_is_absent_for_that_reason() {
    let mut bench = Bench::new(Settings { matcher: Matcher { all: true, ..Matcher::default() }, ..settings() });
    bench.engine.handle_adapter(secs(0.0), DONGLE, false);
    bench.sign_in(10.0, 1).unwrap();
    bench.wait(60.0);
    assert_eq!(bench.lines()[2..], ["40.000001 Near>Away silence", "40.000001 Absent Adapter silence"]);
}

#[test]
fn silence_counts_from_the_sign_in() {
    let mut bench = Bench::new(settings());
    bench.steady(0.0, 1.0, 4, -60);
    bench.wait(40.0);
    bench.lines();
    bench.sign_in(60.0, 1).unwrap();
    bench.wait(200.0);
    assert_eq!(
        bench.lines(),
        [
            "60 Present SignedIn near.signed_in",
            "60 Unknown>Near near.signed_in",
            "90.000001 Near>Away silence",
            "90.000001 Absent Silence silence"
        ]
    );
    bench.sign_in(300.0, 1).unwrap();
    bench.hear(325.0, -72);
    bench.wait(400.0);
    assert_eq!(
        bench.lines()[2..],
        ["330 Near>Hold hold", "355.000001 Near>Away silence", "355.000001 Absent Silence silence"]
    );
}

#[test]
fn signing_in_while_near_restates_near_and_takes_an_asked_away_back() {
    let mut bench = Bench::near_then_weak();
    bench.active(20.5);
    bench.weak(21.0, 22.0);
    bench.sign_in(22.5, 1).unwrap();
    bench.steady(23.0, 1.0, 12, -60);
    bench.wait(40.0);
    assert_eq!(bench.lines(), ["22.5 Near>Hold near.signed_in", "32.5 Near>Hold hold"]);
}

#[test]
fn who_cannot_be_a_band_cannot_sign_in() {
    let company = Matcher { company_ids: vec![434], ..Matcher::default() };
    let named = Matcher { addresses: vec![address(1).bytes], ..company.clone() };
    let listed = |mode| Some(roster(mode, 1, &[(1, "ada", Auth::Unknown)]));
    let cases: [(&str, &Matcher, Option<Roster>, u8, Result<(), SignInError>); 7] = [
        ("listed", &company, listed(Mode::Listed), 1, Ok(())),
        ("not listed", &company, listed(Mode::Listed), 2, Err(SignInError::Unlisted)),
        ("named by nbe.toml, not listed", &named, Some(roster(Mode::Listed, 1, &[])), 1, Err(SignInError::Unlisted)),
        ("listed among all", &company, listed(Mode::All), 1, Ok(())),
        ("one of all, never heard", &company, listed(Mode::All), 2, Err(SignInError::Unknown)),
        ("never heard, no roster", &company, None, 1, Err(SignInError::Unknown)),
        ("named by nbe.toml", &named, None, 1, Ok(())),
    ];
    for (case, matcher, roster, band, expected) in cases {
        let mut bench = Bench::new(Settings { matcher: matcher.clone(), ..settings() });
        if let Some(roster) = roster {
            bench.engine.handle_roster(secs(0.0), &roster);
        }
        assert_eq!(bench.sign_in(1.0, band), expected, "{case}");
        assert_eq!(bench.lines().len(), if expected.is_ok() { 2 } else { 0 }, "{case}");
        assert_eq!(bench.engine.bands().len(), usize::from(expected.is_ok()), "{case}");
    }
    let mut bench = Bench::new(Settings { cutoffs: None, ..settings() });
    bench.steady(0.0, 1.0, 4, -60);
    assert_eq!(bench.sign_in(4.0, 1), Err(SignInError::NoSides));
}

#[test]
fn made_up_sign_ins_end_at_the_table() {
    let mut bench = Bench::new(settings());
    for n in 0..1_000u32 {
        let bytes = n.to_le_bytes();
        let made_up = Address { bytes: BdAddr([bytes[0], bytes[1], 0, 0, 3, 0x40]), address_type: AddressType::RANDOM };
        bench.engine.handle_signed_in(secs(1.0), made_up).unwrap();
    }
    assert_eq!(bench.engine.bands().len(), MAX_UNLISTED);
}

#[test]
fn keys_make_nobody_near() {
    let sides = |used: bool| {
        let mut bench = Bench::new(settings().with_detector(Detector::Adaptive, Parameters::SETTLED));
        // Somebody comes in and stands where it is doubtful on which side that is.
        for n in 0..240 {
            let at = f64::from(n) / 2.0;
            if used && n % 4 == 0 {
                bench.active(at);
            }
            bench.hear(at, (-90 + (n % 5) + n.min(16)) as i8);
        }
        bench.lines()
    };
    assert_eq!(sides(true), sides(false));
}
