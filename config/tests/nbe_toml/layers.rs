//! Which layer wins, and how each value's origin is shown.

use std::time::Duration;

use crate::{URL, file, first_lines, layers};
use nbe_config::{
    AdapterChoice, Address, AwayPace, Change, Config, Detector, LogLevel, LogParts, Resolution, RssiOffset, Sources,
    WindowLength, last_good,
};

fn shown(resolution: &Resolution, key: &str) -> String {
    let value = resolution.values.iter().find(|value| value.key == key).expect(key);
    format!("{} from {}", value.text(), value.origin)
}

#[test]
fn each_layer_goes_over_the_one_below() {
    let text = format!("{URL}rssi_window_tap = 11\nrssi_window_long = 51\nabsent_after_s = 20\n");
    let environment = [("RSSI_WINDOW_TAP", "12"), ("RSSI_WINDOW_LONG", "52"), ("NBE_BANDS__ALL", "true")];
    let flags = [("--window", "rssi_window_tap", "13")];
    let resolution = layers(&text, &environment, &flags);
    for (key, expected) in [
        ("rssi_window_tap", "13 from --window"),
        ("rssi_window_long", "52 from environment RSSI_WINDOW_LONG"),
        ("absent_after_s", "20 from nbe.toml:4"),
        ("rssi_cutoff_far", "-75 from default"),
        ("bands.all", "true from environment NBE_BANDS__ALL"),
    ] {
        assert_eq!(shown(&resolution, key), expected);
    }
    let config = resolution.config.unwrap();
    assert_eq!(config.rssi_window_tap, WindowLength::new(13).unwrap());
    assert_eq!(config.rssi_window_long, WindowLength::new(52).unwrap());
    assert_eq!(config.absent_after, Duration::from_secs(20));
    assert!(config.bands.all);
}

#[test]
fn variables_take_what_a_shell_gives_them() {
    let config = |environment: &[(&str, &str)]| {
        let resolution = layers(URL, environment, &[]);
        resolution.config.clone().unwrap_or_else(|| panic!("{:?}", first_lines(&resolution)))
    };
    assert_eq!(config(&[("NBE_BANDS__COMPANY_IDS", "[434, 0x01b3]")]).bands.company_ids, [434, 435]);
    assert_eq!(
        config(&[("NBE_ADAPTER__RSSI_OFFSET_DB", "-3.5")]).adapters[0].rssi_offset,
        RssiOffset::from_tenths(-35).unwrap()
    );
    assert_eq!(
        config(&[("NBE_ADAPTER__PORT", "/dev/ttyACM1")]).adapters[0].which,
        AdapterChoice::Port("/dev/ttyACM1".into())
    );
    assert_eq!(config(&[("RSSI_TAP_THRESHOLD", "0")]).rssi_tap_threshold, None);
    assert_eq!(config(&[("NBE_DETECTOR", "classic")]), Config::default());
    let adaptive = config(&[("NBE_DETECTOR", "adaptive"), ("NBE_AWAY_PACE", "calmer")]);
    assert_eq!((adaptive.detector, adaptive.away_pace), (Detector::Adaptive, AwayPace::Calmer));
    assert_eq!(
        config(&[("NBE_SOMETHING", "of another program"), ("NBE_CONFIG", "/x"), ("PATH", "/bin")]),
        Config::default()
    );
}

#[test]
fn mistakes_in_variables_and_flags_are_located_as_such() {
    let flags = [("--agent-url", "agent_url", "127.0.0.1")];
    let environment = [
        ("RSSI_WINDOW_TAP", "12x"),
        ("RSSI_CUTOFF_FAR", ""),
        ("NBE_BANDS__COMPANY_IDS", "[434, 70000]"),
        ("NBE_BANDS__COMPANY_ID", "[434]"),
        ("NBE_LOG__NOTHING_LIKE_IT", "1"),
    ];
    let resolution = layers(URL, &environment, &flags);
    let shown: Vec<_> = resolution.diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "environment NBE_BANDS__COMPANY_ID: warning: sets no key that is known\n  help: did you mean NBE_BANDS__COMPANY_IDS?",
            "environment NBE_BANDS__COMPANY_IDS: error: bands.company_ids must be a list, each entry 0 to 65535, found 70000\n  NBE_BANDS__COMPANY_IDS=[434, 70000]\n                               ^^^^^",
            "environment NBE_LOG__NOTHING_LIKE_IT: warning: sets no key that is known",
            "environment RSSI_CUTOFF_FAR: warning: rssi_cutoff_far is empty and counts as not set",
            "environment RSSI_WINDOW_TAP: error: rssi_window_tap must be 1 to 200, found \"12x\"\n  RSSI_WINDOW_TAP=12x\n                  ^^^",
            "--agent-url: error: agent_url must be a ws:// or wss:// address, found \"127.0.0.1\" (it begins with neither ws:// nor wss://)\n  --agent-url 127.0.0.1\n              ^^^^^^^^^",
        ]
    );
    assert!(resolution.config.is_none());
}

#[test]
fn cutoffs_crossed_between_layers_name_both() {
    let resolution = layers(&format!("{URL}rssi_cutoff_close = -70\n"), &[("RSSI_CUTOFF_FAR", "-60")], &[]);
    assert_eq!(
        first_lines(&resolution),
        [
            "environment RSSI_CUTOFF_FAR: error: rssi_cutoff_far (-60, environment RSSI_CUTOFF_FAR) must be below rssi_cutoff_close (-70, nbe.toml:2)"
        ]
    );
}

#[test]
fn a_flag_chooses_the_dongle_over_the_file() {
    let text = format!("{URL}[[adapter]]\naddress = \"00:07:80:2e:11:aa\"\nrssi_offset_db = 1.5\n");
    let address = AdapterChoice::Address(Address([0x00, 0x07, 0x80, 0x2e, 0x11, 0xaa]));
    let adapters = |flags: &[_]| layers(&text, &[], flags).config.unwrap().adapters;
    assert_eq!(adapters(&[])[0].which, address);
    let chosen = adapters(&[("--port", "adapter.port", "/dev/ttyACM3")]);
    assert_eq!(chosen[0].which, AdapterChoice::Port("/dev/ttyACM3".into()));
    assert_eq!(chosen[0].rssi_offset.tenths(), 15, "the rest of the table still holds");

    let several = format!("{text}[[adapter]]\nport = \"COM5\"\n");
    assert_eq!(
        first_lines(&layers(&several, &[], &[("--port", "adapter.port", "COM6")])),
        ["--port: error: cannot say which of the 2 [[adapter]] it means"]
    );
}

#[test]
fn the_scan_window_follows_the_interval_unless_it_is_set() {
    let scan = |lines: &str| {
        let scan = layers(&format!("{URL}[[adapter]]\n{lines}\n"), &[], &[]).config.unwrap().adapters[0].scan;
        (scan.interval().get(), scan.window().get())
    };
    assert_eq!(scan(""), (48, 48));
    assert_eq!(scan("scan_interval_ms = 10"), (16, 16));
    assert_eq!(scan("scan_interval_ms = 10\nscan_window_ms = 7.5"), (16, 12));
}

#[test]
fn the_digest_follows_what_decides_and_nothing_else() {
    let digest = |text: &str| layers(&format!("{URL}{text}"), &[], &[]).config.expect(text).digest();
    let default = Config::default().digest();
    assert_eq!(default.to_string(), "caea1b8f", "captures carry it, so it stays what it is");
    for same in [
        "",
        "rssi_window_tap = 0x0a",
        "detector = \"classic\"\naway_pace = \"balanced\"",
        "[log]\nlevel = \"debug\"",
        "[agent]\nendpoint_id = \"6e400001-b5a3-f393-e0a9-e50e24dcca9e\"",
        "[[adapter]]\nscan_window_ms = 30.0",
    ] {
        assert_eq!(digest(same), default, "{same}");
    }
    let mut seen = vec![default];
    for other in [
        "rssi_window_tap = 11",
        "rssi_window_long = 11",
        "rssi_tap_threshold = -42",
        "rssi_cutoff_close = -69",
        "rssi_cutoff_close = 0",
        "rssi_cutoff_far = -83",
        "detector = \"adaptive\"",
        "away_pace = \"sooner\"",
        "away_pace = \"calmer\"",
        "detector = \"adaptive\"\naway_pace = \"sooner\"",
        "absent_after_s = 31",
        "bands.all = true",
        "bands.company_ids = []",
        "bands.name_prefixes = [\"N\"]",
        "bands.service_uuids = [\"180d\"]",
        "bands.addresses = [\"00:07:80:2e:11:aa\"]",
        "[[adapter]]\nrssi_offset_db = 0.1",
        "[[adapter]]\nport = \"COM5\"",
        "[[adapter]]\nactive_scan = true",
        "[[adapter]]\nscan_interval_ms = 20",
    ] {
        assert!(!seen.contains(&digest(other)), "{other}");
        seen.push(digest(other));
    }
}

#[test]
fn a_reload_knows_what_it_changes() {
    let cases = [
        ("", Change::default()),
        ("rssi_tap_threshold = -42", Change { thresholds: true, ..Change::default() }),
        ("rssi_cutoff_far = -83", Change { thresholds: true, ..Change::default() }),
        ("detector = \"adaptive\"", Change { thresholds: true, ..Change::default() }),
        ("away_pace = \"sooner\"", Change { thresholds: true, ..Change::default() }),
        ("absent_after_s = 31", Change { thresholds: true, ..Change::default() }),
        ("rssi_window_long = 40", Change { windows: true, ..Change::default() }),
        ("bands.all = true", Change { bands: true, ..Change::default() }),
        ("agent.endpoint_id = \"6e400001-b5a3-f393-e0a9-e50e24dcca9e\"", Change { agent: true, ..Change::default() }),
        ("log.format = \"json\"", Change { log: true, ..Change::default() }),
        ("log.file = \"/var/lib/nbe/nbe.log\"", Change { log: true, ..Change::default() }),
        ("log.parts.wire = \"trace\"", Change { log: true, ..Change::default() }),
        ("[[adapter]]\nrssi_offset_db = 2.5", Change { offsets: true, ..Change::default() }),
        ("[[adapter]]\nport = \"COM5\"", Change { adapters: true, ..Change::default() }),
        ("[[adapter]]\nactive_scan = true", Change { scan: true, ..Change::default() }),
        ("[[adapter]]\nport = \"COM5\"\n[[adapter]]\nport = \"COM6\"", Change { adapters: true, ..Change::default() }),
    ];
    let old = Config::default();
    for (lines, expected) in cases {
        let new = layers(&format!("{URL}{lines}\n"), &[], &[]).config.expect(lines);
        assert_eq!(new.change_since(&old), expected, "{lines}");
        assert_eq!(old.change_since(&new), expected, "{lines}, undone");
        assert_eq!(expected.is_empty(), lines.is_empty());
    }
}

#[test]
fn the_last_good_file_stands_in_for_a_bad_one() {
    let dir = tempfile::tempdir().unwrap();
    let environment = vec![("RSSI_WINDOW_LONG".to_owned(), "40".to_owned())];
    let bad = Sources { file: Some(file("rssi_window_tap = 0\n")), environment, flags: Vec::new() };
    let path = file("").path;
    let instead = || last_good::resolve_instead(dir.path(), &path, &bad);
    assert!(instead().is_none(), "nothing was ever kept");
    for (tap, mark) in [(11, ""), (12, "\u{feff}")] {
        last_good::save(dir.path(), &file(format!("{mark}{URL}rssi_window_tap = {tap}\n"))).unwrap();
        let resolution = instead().unwrap();
        let config = resolution.config.clone().unwrap();
        assert_eq!((config.rssi_window_tap.get(), config.rssi_window_long.get()), (tap, 40));
        let place = dir.path().join(last_good::NAME);
        assert_eq!(shown(&resolution, "rssi_window_tap"), format!("{tap} from {}:3", place.display()));
        let other = last_good::resolve_instead(dir.path(), std::path::Path::new("/another/nbe.toml"), &bad);
        assert!(other.is_none(), "it is a copy of another file");
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing else is left behind");
    last_good::save(dir.path(), &file("rssi_window_tap = 11\n")).unwrap();
    assert!(instead().is_none(), "what is no longer valid is not taken");
    std::fs::write(dir.path().join(last_good::NAME), URL).unwrap();
    assert!(instead().is_none(), "nor is a file that nbe did not write");
}

#[test]
fn a_variable_turns_up_one_part_of_the_log() {
    let resolution =
        layers(&format!("{URL}[log.parts]\nwire = \"trace\"\n"), &[("NBE_LOG__PARTS__ADAPTER", "debug")], &[]);
    assert!(resolution.diagnostics.is_empty(), "{:?}", resolution.diagnostics);
    let parts = resolution.config.unwrap().log.parts;
    let expected = LogParts { adapter: Some(LogLevel::Debug), wire: Some(LogLevel::Trace), ..LogParts::default() };
    assert_eq!(parts, expected);
}
