//! The rules as situations: readings in, conclusions out.

mod contact; // taps of the adaptive detector

use std::sync::Arc;
use std::time::Duration;

use bgapi::{Address, AddressType, BdAddr};

use super::*;
use crate::event::{AdapterId, Auth, Conclusion, Decision, Digest, Presence, PresenceReason, Rule, Side, Trend};
use crate::roster::{Entry, Mode, Roster};
use crate::time::Time;

mod learning; // what is learnt outlives a restart, and belongs to its band and dongle
mod timers; // whenever time is told, the same follows
mod user; // keys that are used, wearers who sign in

const DONGLE: AdapterId = AdapterId(0);
const OTHER_DONGLE: AdapterId = AdapterId(1);

fn address(n: u8) -> Address {
    Address { bytes: BdAddr([n, 0, 0, 0, 0, 0xc0]), address_type: AddressType::RANDOM }
}

fn settings() -> Settings {
    Settings {
        tap_threshold: Some(Level::from_dbm(-42)),
        matcher: Matcher { all: true, ..Matcher::default() },
        digest: Digest(0xc0ff_ee00),
        ..Settings::from(&config::Config::default())
    }
}

fn secs(secs: f64) -> Time {
    Time::from_micros((secs * 1e6).round() as u64)
}

/// A decision as one short line: when, what, why.
fn line(decision: &Decision) -> String {
    let at = decision.at.as_micros() as f64 / 1e6;
    let rule = decision.why.rule.name();
    let what = match decision.conclusion {
        Conclusion::Presence { after, reason, .. } => format!("{after:?} {reason:?}"),
        Conclusion::Tap { mean_cdb, .. } => format!("Tap {mean_cdb}"),
        Conclusion::Trend { before, after, .. } => format!("{before:?}>{after:?}"),
        Conclusion::Auth { before, after } => format!("{before:?}>{after:?}"),
    };
    format!("{at} {what} {rule}")
}

/// An engine with a pencil: everything concluded is noted.
struct Bench {
    engine: Engine,
    noted: Vec<Decision>,
}

impl Bench {
    fn new(settings: Settings) -> Self {
        Self { engine: Engine::new(settings), noted: Vec::new() }
    }

    fn note(&mut self) {
        while let Some(decision) = self.engine.poll_decision() {
            self.noted.push(decision);
        }
    }

    fn hear_at(&mut self, at: f64, adapter: AdapterId, band: u8, dbm: i8) {
        self.engine.handle_reading(secs(at), adapter, address(band), i32::from(dbm) * 10);
        self.note();
    }

    fn hear(&mut self, at: f64, dbm: i8) {
        self.hear_at(at, DONGLE, 1, dbm);
    }

    /// `count` readings of one level, `every` seconds apart.
    fn steady(&mut self, from: f64, every: f64, count: usize, dbm: i8) {
        for i in 0..count {
            self.hear(from + every * i as f64, dbm);
        }
    }

    fn wait(&mut self, until: f64) {
        self.engine.handle_timeout(secs(until));
        self.note();
    }

    fn lines(&mut self) -> Vec<String> {
        std::mem::take(&mut self.noted).iter().map(line).collect()
    }
}

#[test]
fn an_unlisted_band_is_present_after_three_samples_in_ten_seconds() {
    let mut bench = Bench::new(settings());
    bench.hear(0.0, -72);
    bench.hear(6.0, -72);
    bench.hear(10.1, -72);
    assert_eq!(bench.lines(), [""; 0], "three samples in 10.1 s");
    bench.hear(12.0, -72);
    assert_eq!(bench.lines(), ["12 Present Heard heard"]);
}

#[test]
fn a_day_at_the_desk() {
    let mut bench = Bench::new(settings());
    bench.steady(0.0, 1.0, 25, -60);
    assert_eq!(
        bench.lines(),
        ["2 Present Heard heard", "3 Unknown>Near near.rising", "13 Near>Hold hold", "23 Near>Hold hold"]
    );
    bench.steady(25.0, 1.0, 60, -90);
    assert_eq!(bench.lines(), ["33 Near>Hold hold", "43 Near>Hold hold", "49 Near>Away away.falling"]);
    bench.wait(200.0);
    assert_eq!(bench.lines(), ["114.000001 Absent Silence silence"]);
    assert_eq!(bench.engine.poll_timeout(), None, "nothing is left to wait for");
}

#[test]
fn near_is_restated_only_while_it_is_heard() {
    let mut bench = Bench::new(settings());
    bench.steady(0.0, 0.1, 4, -60);
    bench.lines();
    bench.wait(40.0);
    assert_eq!(
        bench.lines(),
        ["10.3 Near>Hold hold", "30.300001 Near>Away silence", "30.300001 Absent Silence silence"]
    );
}

#[test]
fn silence_must_be_longer_than_the_limit() {
    let mut bench = Bench::new(settings());
    bench.steady(0.0, 1.0, 3, -72);
    bench.hear(32.0, -72);
    bench.lines();
    bench.wait(62.0);
    assert_eq!(bench.lines(), [""; 0], "30 s to the microsecond");
    bench.hear(62.000_001, -72);
    assert_eq!(bench.lines(), ["62.000001 Absent Silence silence"], "a timer runs before the input of its moment");
}

#[test]
fn a_sick_dongle_is_another_reason_for_silence() {
    let mut bench = Bench::new(settings());
    bench.steady(0.0, 1.0, 3, -72);
    bench.engine.handle_adapter(secs(5.0), DONGLE, false);
    bench.lines();
    bench.wait(60.0);
    assert_eq!(bench.lines(), ["32.000001 Absent Adapter silence"]);
}

#[test]
fn a_suspend_fires_each_timer_once() {
    let mut bench = Bench::new(settings());
    bench.steady(0.0, 1.0, 5, -60);
    bench.lines();
    bench.engine.handle_wake(secs(3600.0));
    bench.note();
    assert_eq!(bench.lines(), ["13 Near>Hold hold", "34.000001 Near>Away silence", "34.000001 Absent Suspend silence"]);

    bench.steady(4000.0, 1.0, 5, -60);
    bench.lines();
    bench.engine.handle_wake(secs(4020.0));
    bench.note();
    bench.wait(4029.0);
    assert_eq!(bench.lines(), ["4013 Near>Hold hold"], "the next one is counted from waking");
}

#[test]
fn a_tap_is_a_full_window_at_the_threshold() {
    let cases: [(&str, &[(f64, usize, i8)], &[&str]); 9] = [
        ("held to the antenna", &[(0.0, 12, -40)], &["0.9 Tap -4000"]),
        ("swiped too quickly", &[(0.0, 9, -40)], &[]),
        ("at the threshold", &[(0.0, 10, -42)], &["0.9 Tap -4200"]),
        ("just short of it", &[(0.0, 9, -42), (0.9, 1, -43)], &[]),
        ("a gap inside", &[(0.0, 9, -40), (1.81, 9, -40)], &[]),
        ("a gap of exactly one second", &[(0.0, 5, -40), (1.4, 5, -40)], &["1.8 Tap -4000"]),
        ("lying there", &[(0.0, 100, -40)], &["0.9 Tap -4000"]),
        ("lying there, lost for a moment", &[(0.0, 20, -40), (5.0, 20, -40)], &["0.9 Tap -4000"]),
        (
            "held, taken away, held again",
            &[(0.0, 10, -40), (1.0, 10, -50), (2.0, 15, -40)],
            &["0.9 Tap -4000", "2.7 Tap -4200"],
        ),
    ];
    for (case, readings, taps) in cases {
        let mut bench = Bench::new(Settings { cutoffs: None, ..settings() });
        for &(from, count, dbm) in readings {
            bench.steady(from, 0.1, count, dbm);
        }
        let seen: Vec<String> = bench.lines().into_iter().filter(|line| line.contains("Tap")).collect();
        let wanted: Vec<String> = taps.iter().map(|tap| format!("{tap} tap.mean")).collect();
        assert_eq!(seen, wanted, "{case}");
    }
}

#[test]
fn silence_rearms_the_tap() {
    let mut bench = Bench::new(Settings { cutoffs: None, ..settings() });
    bench.steady(0.0, 0.1, 20, -40);
    bench.steady(40.0, 0.1, 20, -40);
    assert_eq!(bench.lines().iter().filter(|line| line.contains("Tap")).count(), 2);
}

#[test]
fn a_reload_taps_nobody() {
    let mut bench = Bench::new(Settings { tap_threshold: None, cutoffs: None, ..settings() });
    bench.steady(0.0, 0.1, 20, -50);
    bench.engine.handle_settings(
        secs(2.0),
        Settings { tap_threshold: Some(Level::from_dbm(-55)), cutoffs: None, ..settings() },
    );
    bench.steady(2.0, 0.1, 20, -50);
    assert_eq!(bench.lines(), ["0.2 Present Heard heard"], "it was there before -55 counted as a tap");
    bench.steady(4.0, 0.1, 10, -61);
    bench.steady(5.0, 0.1, 10, -50);
    assert_eq!(bench.lines().len(), 1, "taken away and brought back it taps");
}

#[test]
fn no_trend_where_close_is_zero_and_no_tap_where_the_threshold_is() {
    let mut bench = Bench::new(Settings { tap_threshold: None, cutoffs: None, ..settings() });
    bench.steady(0.0, 0.1, 100, -40);
    bench.wait(60.0);
    assert_eq!(bench.lines(), ["0.2 Present Heard heard", "39.900001 Absent Silence silence"]);
}

#[test]
fn readings_that_are_none_change_nothing() {
    let mut bench = Bench::new(settings());
    bench.steady(0.0, 1.0, 3, -72);
    for tenths in [1270, 0, 420, -1280, -1270] {
        bench.engine.handle_reading(secs(20.0), DONGLE, address(1), tenths);
    }
    assert_eq!(bench.engine.counters().invalid, 5);
    bench.lines();
    bench.wait(60.0);
    assert_eq!(bench.lines(), ["32.000001 Absent Silence silence"], "they do not count as heard");
}

#[test]
fn of_two_dongles_the_one_that_hears_better_decides() {
    let mut bench = Bench::new(settings());
    for i in 0..10 {
        bench.hear_at(f64::from(i), DONGLE, 1, -80);
        bench.hear_at(f64::from(i) + 0.5, OTHER_DONGLE, 1, -60);
    }
    let near = bench.noted.iter().find(|decision| matches!(decision.conclusion, Conclusion::Trend { .. })).unwrap();
    assert_eq!(line(near), "3 Unknown>Away away.falling", "the first to hear enough");
    assert_eq!(near.adapter, Some(DONGLE));
    let near = bench.noted.iter().rfind(|decision| !matches!(decision.why.rule, Rule::Hold)).unwrap();
    assert_eq!(line(near), "3.5 Away>Near near.rising");
    assert_eq!(near.adapter, Some(OTHER_DONGLE));
}

#[test]
fn what_another_dongle_hears_says_nothing_about_the_antenna_of_the_first() {
    let mut bench = Bench::new(Settings { cutoffs: None, ..settings() });
    for i in 0..80 {
        let at = f64::from(i) * 0.1;
        bench.hear_at(at + 0.01, OTHER_DONGLE, 1, -65);
        if !(20..32).contains(&i) {
            bench.hear_at(at, DONGLE, 1, -40); // lies there, unheard for 1.2 s in between
        }
    }
    let taps: Vec<String> = bench.lines().into_iter().filter(|line| line.contains("Tap")).collect();
    assert_eq!(taps, ["0.9 Tap -4000 tap.mean"]);
}

#[test]
fn a_dongle_that_is_not_well_has_no_say_while_another_has() {
    let mut bench = Bench::new(settings());
    for i in 0..10 {
        bench.hear_at(f64::from(i), DONGLE, 1, -55);
        bench.hear_at(f64::from(i) + 0.5, OTHER_DONGLE, 1, -90);
    }
    bench.engine.handle_adapter(secs(9.8), DONGLE, false);
    bench.lines();
    bench.hear_at(10.5, OTHER_DONGLE, 1, -90);
    assert_eq!(bench.lines(), ["10.5 Near>Away away.falling"], "the first was pulled, and the wearer is gone");
}

#[test]
fn near_is_restated_by_the_dongle_that_decides() {
    let mut bench = Bench::new(settings());
    for i in 0..14 {
        bench.hear_at(f64::from(i), DONGLE, 1, -55);
        bench.hear_at(f64::from(i) + 0.5, OTHER_DONGLE, 1, -90);
    }
    let hold = bench.noted.iter().rfind(|decision| decision.why.rule == Rule::Hold).unwrap();
    assert_eq!((hold.adapter, hold.why.mean_cdb), (Some(DONGLE), Some(-5500)));
}

#[test]
fn a_shorter_time_to_absence_changes_nothing_in_the_past() {
    let mut bench = Bench::new(Settings { absent_after: Duration::from_secs(600), ..settings() });
    bench.steady(0.0, 0.1, 5, -60);
    bench.wait(100.0);
    bench.lines();
    bench.engine.handle_settings(secs(100.0), Settings { absent_after: Duration::from_secs(3), ..settings() });
    bench.wait(101.0);
    assert_eq!(bench.lines(), ["100 Near>Away silence", "100 Absent Silence silence"]);
}

#[test]
fn taps_turned_on_with_another_window_tap_nobody_who_lies_there() {
    let mut bench = Bench::new(Settings { tap_threshold: None, cutoffs: None, ..settings() });
    bench.steady(0.0, 0.1, 100, -40);
    bench.engine.handle_settings(secs(10.0), Settings { window_tap: 12, cutoffs: None, ..settings() });
    bench.steady(10.0, 0.1, 30, -40);
    assert_eq!(bench.lines(), ["0.2 Present Heard heard"]);
}

#[test]
fn offsets_belong_to_their_dongle() {
    let mut bench = Bench::new(Settings { offsets: vec![0, 125], ..settings() });
    for i in 0..4 {
        bench.hear_at(f64::from(i), OTHER_DONGLE, 1, -80);
    }
    assert_eq!(bench.engine.bands()[0].mean_cdb, Some(-6750));
}

fn roster(mode: Mode, rev: u64, bands: &[(u8, &str, Auth)]) -> Roster {
    let entry = |&(n, id, auth): &(u8, &str, Auth)| Entry {
        id: Arc::from(id),
        address: (n > 0).then(|| address(n)),
        active: true,
        auth,
    };
    Roster { rev, mode, entries: bands.iter().map(entry).collect() }
}

#[test]
fn the_roster_decides_who_is_a_band() {
    let mut bench = Bench::new(settings());
    for band in [1, 2] {
        for i in 0..4 {
            bench.hear_at(f64::from(i), DONGLE, band, -60);
        }
    }
    bench.lines();
    bench.engine.handle_roster(
        secs(4.0),
        &roster(Mode::Listed, 7, &[(1, "AAAH-00125", Auth::Authenticated), (0, "only a key", Auth::Unknown)]),
    );
    bench.note();
    assert_eq!(bench.lines(), ["4 Unknown>Authenticated roster", "4 Near>Away roster", "4 Absent Roster roster"]);
    let bands = bench.engine.bands();
    assert_eq!(bands.len(), 1);
    assert_eq!(bands[0].band.id.as_deref(), Some("AAAH-00125"));
    assert_eq!((bands[0].presence, bands[0].side, bands[0].active), (Presence::Present, Side::Near, true), "kept");
    assert_eq!(bench.engine.roster_rev(), Some(7));
}

#[test]
fn a_listed_band_is_present_at_once_and_marked_by_the_roster_only() {
    let mut bench = Bench::new(settings());
    bench.engine.handle_roster(secs(0.0), &roster(Mode::All, 1, &[(1, "x", Auth::Unenrolled)]));
    bench.hear(0.5, -60);
    let heard = &bench.noted[0];
    assert_eq!(line(heard), "0.5 Present Heard heard");
    assert!(heard.listed && !heard.authenticated);
}

#[test]
fn a_flood_ends_at_the_table_and_spares_the_listed_and_the_present() {
    let mut bench = Bench::new(settings());
    bench.engine.handle_roster(secs(0.0), &roster(Mode::All, 1, &[(1, "listed", Auth::Unknown)]));
    bench.hear(0.0, -60);
    for i in 0..3 {
        bench.hear_at(0.1 * f64::from(i), DONGLE, 2, -60);
    }
    for n in 0..10_000u32 {
        let bytes = n.to_le_bytes();
        let made_up = Address {
            bytes: BdAddr([bytes[0], bytes[1], bytes[2], bytes[3], 1, 0x40]),
            address_type: AddressType::RANDOM,
        };
        bench.engine.handle_reading(secs(1.0 + f64::from(n) * 2e-4), DONGLE, made_up, -600);
    }
    bench.note();
    let bands = bench.engine.bands();
    assert_eq!(bands.len(), MAX_UNLISTED + 1);
    assert_eq!(bands.iter().filter(|state| state.presence == Presence::Present).count(), 2);
    assert_eq!(bench.engine.counters().evicted, 10_001 - MAX_UNLISTED as u64);
    assert!(bench.noted.iter().all(|decision| decision.at < secs(1.0)), "nobody who only passed was told of");
}

#[test]
fn a_present_band_that_must_make_room_is_said_to_be_absent() {
    let mut bench = Bench::new(settings());
    for n in 0..=MAX_UNLISTED {
        let made_up =
            Address { bytes: BdAddr([n as u8, (n >> 8) as u8, 0, 0, 2, 0x40]), address_type: AddressType::RANDOM };
        for i in 0..3 {
            bench.engine.handle_reading(secs(0.01 * n as f64 + 0.001 * f64::from(i)), DONGLE, made_up, -720);
        }
    }
    bench.note();
    let absent: Vec<_> = bench.noted.iter().filter(|decision| decision.why.rule == Rule::Evicted).collect();
    assert_eq!(absent.len(), 1);
    assert_eq!(absent[0].band.address.bytes, BdAddr([0, 0, 0, 0, 2, 0x40]), "the one unheard for longest");
    assert!(matches!(absent[0].conclusion, Conclusion::Presence { reason: PresenceReason::Evicted, .. }));
}

#[test]
fn timers_of_many_bands_fire_in_the_order_of_time() {
    let mut bench = Bench::new(settings());
    for (band, at) in [(1, 3.0), (2, 1.0), (3, 2.0)] {
        for i in 0..3 {
            bench.hear_at(3.0 + at * 0.01 + f64::from(i) * 1e-4, DONGLE, band, -72);
        }
    }
    bench.noted.clear();
    bench.wait(100.0);
    let order: Vec<u8> = bench.noted.iter().map(|decision| decision.band.address.bytes.0[0]).collect();
    assert_eq!(order, [2, 3, 1]);
}

#[test]
fn every_decision_says_what_it_compared() {
    let mut bench = Bench::new(settings());
    bench.steady(0.0, 0.1, 10, -40);
    let tap = bench.noted.iter().find(|decision| matches!(decision.conclusion, Conclusion::Tap { .. })).unwrap();
    assert_eq!(tap.config, Digest(0xc0ff_ee00));
    assert_eq!(
        serde_json::to_string(&tap.why).unwrap(),
        r#"{"rule":"tap.mean","mean_cdb":-4000,"threshold_cdb":-4200,"n":10,"span_ms":900,"age_ms":0}"#
    );
    let near =
        bench.noted.iter().find(|decision| matches!(decision.conclusion, Conclusion::Trend { after: Trend::Near, .. }));
    assert_eq!(
        serde_json::to_string(&near.unwrap().why).unwrap(),
        r#"{"rule":"near.rising","mean_cdb":-4000,"threshold_cdb":-7000,"newer_cdb":-4000,"older_cdb":-4000,"n":4,"span_ms":300,"age_ms":0}"#
    );
}
