//! The form in which it is kept, and what is made of one that somebody else wrote.

use super::*;

fn learnt(band: u8, dongle: u8) -> Learnt {
    Learnt {
        band: Address { bytes: BdAddr([band, 0, 0, 0, 0, 0xc0]), address_type: AddressType::RANDOM },
        dongle: BdAddr([dongle, 0, 0, 0x80, 7, 0]),
        under: Under { close_cdb: -7_000, far_cdb: -7_500, offset_cdb: 0 },
        lesson: Lesson {
            seat_cdb: -5_830,
            seat_spread_cdb: 400,
            seat_known_s: 900,
            habit_millinats: 812,
            interval_ms: 500,
        },
        day: Some(20_700),
    }
}

const WRITTEN: &str = r#"{"version":1,"learnt":[
{"band":"c0:00:00:00:00:01","band_type":"random","dongle":"00:07:80:00:00:02","under":{"close_cdb":-7000,"far_cdb":-7500,"offset_cdb":0},"learnt":{"seat_cdb":-5830,"seat_spread_cdb":400,"seat_known_s":900,"habit_millinats":812,"interval_ms":500},"day":20700}
]}
"#;

#[test]
fn what_is_written_is_read_again_and_looks_like_this() {
    assert_eq!(String::from_utf8(to_json(&[learnt(1, 2)])).unwrap(), WRITTEN);
    assert_eq!(from_json(WRITTEN.as_bytes()).unwrap(), (vec![learnt(1, 2)], 0));
    let public = Address { bytes: BdAddr([1, 0, 0, 0, 0, 0xc0]), address_type: AddressType::PUBLIC };
    let all = [learnt(1, 2), Learnt { band: public, day: None, ..learnt(1, 2) }, learnt(1, 3)];
    assert_eq!(from_json(&to_json(&all)).unwrap(), (all.to_vec(), 0));
    assert_eq!(from_json(&to_json(&[])).unwrap(), (vec![], 0));
}

#[test]
fn a_damaged_file_and_another_version_say_so() {
    assert_eq!(from_json(WRITTEN.replace("version\":1", "version\":2").as_bytes()), Err(Unreadable::Version(2)));
    let deep = "[".repeat(100_000);
    let long = format!("{{\"version\":1,\"learnt\":[{}]}}", " ".repeat(MAX_BYTES));
    let damaged =
        ["", "{}", "[]", "null", "\0\0\0", "{\"version\":-1}", "{\"version\":1}", &WRITTEN[..100], &deep, &long];
    for text in damaged {
        assert_eq!(from_json(text.as_bytes()), Err(Unreadable::Damaged), "{text:.60}");
    }
}

/// Each as somebody would write it who wants a band to be near, or the daemon to fall over.
#[test]
fn a_record_that_nobody_can_have_learnt_is_dropped_and_its_neighbour_is_not() {
    let changes = [
        ("\"seat_cdb\":-5830", "\"seat_cdb\":-8501"), // more than 10 dB below far: away would be the seat
        ("\"seat_cdb\":-5830", "\"seat_cdb\":-3799"), // no dongle hears that
        ("\"seat_cdb\":-5830", "\"seat_cdb\":-2147483648"),
        ("\"seat_cdb\":-5830", "\"seat_cdb\":-58.3"),
        ("\"seat_cdb\":-5830", "\"seat_cdb\":null"),
        ("\"seat_cdb\":-5830", "\"seat_cdb\":1e300"),
        ("\"seat_cdb\":-5830,", ""),
        ("\"far_cdb\":-7500", "\"far_cdb\":-2147483648"),
        ("\"far_cdb\":-7500", "\"far_cdb\":9999999999"),
        ("\"seat_spread_cdb\":400", "\"seat_spread_cdb\":0"),
        ("\"seat_spread_cdb\":400", "\"seat_spread_cdb\":801"),
        ("\"seat_known_s\":900", "\"seat_known_s\":0"),
        ("\"seat_known_s\":900", "\"seat_known_s\":-1"),
        ("\"habit_millinats\":812", "\"habit_millinats\":3001"),
        ("\"interval_ms\":500", "\"interval_ms\":0"),
        ("\"interval_ms\":500", "\"interval_ms\":10001"),
        ("\"band_type\":\"random\"", "\"band_type\":\"any\""),
        ("c0:00:00:00:00:01", "c0:00:00:00:00"),
        ("00:07:80:00:00:02", "*"),
    ];
    let good = serde_json::to_string(&learnt(9, 9)).unwrap();
    for (from, to) in changes {
        let with_neighbour = WRITTEN.replacen(from, to, 1).replacen("\n]}", &format!(",\n{good}\n]}}"), 1);
        assert!(with_neighbour.contains(to), "{from}");
        let read = from_json(with_neighbour.as_bytes());
        // A far beyond all levels makes every seat possible; it is nobody's cutoff, so nothing is recalled under it.
        let is_nobodys_cutoff = to.ends_with("-2147483648") && from.contains("far");
        let expected = if is_nobodys_cutoff { 2 } else { 1 };
        assert_eq!(read.unwrap().0.len(), expected, "{to}");
    }
}

#[test]
fn the_newest_bands_are_kept_and_no_more_than_the_bound() {
    let band = |n: u16| {
        let [low, high] = n.to_le_bytes();
        Learnt { band: Address { bytes: BdAddr([low, high, 0, 0, 0, 0xc0]), ..learnt(0, 0).band }, ..learnt(0, 0) }
    };
    let many: Vec<Learnt> = (0..2_000).map(band).collect();
    let json = to_json(&many);
    assert!(json.len() < MAX_BYTES, "{}", json.len());
    let (read, dropped) = from_json(&json).unwrap();
    assert_eq!((read.as_slice(), dropped), (&many[..MAX_LEARNT], 2_000 - MAX_LEARNT));
    let dongles: Vec<Learnt> = (0..9).map(|dongle| learnt(1, dongle)).collect();
    assert_eq!(bounded(dongles.iter().copied()), dongles[..usize::from(MAX_DONGLES)]);
    let full: Vec<Learnt> = (0..MAX_LEARNT as u16 * u16::from(MAX_DONGLES))
        .map(|n| Learnt { dongle: learnt(0, n as u8 % MAX_DONGLES).dongle, ..band(n / u16::from(MAX_DONGLES)) })
        .collect();
    assert!(to_json(&full).len() <= MAX_BYTES, "all that may be kept can be read again");
    assert_eq!(from_json(&to_json(&full)).unwrap(), (full.clone(), 0));

    let mut memory = Memory::default();
    for (second, record) in (0..2_000).zip(&many) {
        memory.put(Some(Time::from_secs(second)), *record);
    }
    let newest = memory.with(Vec::new(), |_| Some(1)).next().unwrap();
    assert_eq!(newest, Learnt { day: Some(1), ..band(1_999) });
    assert_eq!(memory.records.len(), MAX_LEARNT * usize::from(MAX_DONGLES));
    assert_eq!(memory.take(band(0).band.key(), band(0).dongle), None, "it made room");
}

#[test]
fn a_band_unheard_for_a_month_is_forgotten_while_the_day_is_known() {
    let heard = |day| Learnt { day, ..learnt(1, 2) };
    let after = |day, today| heard(day).in_time(today).map(|learnt| learnt.day);
    assert_eq!(after(Some(100), Some(130)), Some(Some(100)));
    assert_eq!(after(Some(100), Some(131)), None);
    assert_eq!(after(Some(100), None), Some(Some(100)), "nobody knows which day it is");
    assert_eq!(after(None, Some(131)), Some(Some(131)), "it counts from now on");
    assert_eq!(after(Some(u32::MAX), Some(131)), Some(Some(131)), "nor does a day to come keep it for ever");
}
