//! What is allowed but unwise, and what is just right.

use crate::{URL, first_lines, layers, said};

#[test]
fn what_is_allowed_but_unwise_is_a_warning() {
    let cases = [
        (
            "out of the dongle's reach",
            "rssi_tap_threshold = -37",
            "2:22: warning: rssi_tap_threshold -37 can never be reached: the dongle reads -38 dBm at most, however near the band is",
        ),
        (
            "at the end of its reach",
            "rssi_tap_threshold = -38",
            "2:22: warning: rssi_tap_threshold -38 can hardly be reached: the dongle reads -38 dBm at most, however near the band is",
        ),
        (
            "cutoffs too near",
            "rssi_cutoff_close = -71",
            "2:21: warning: rssi_cutoff_far (-75, default) is only 4 dB below rssi_cutoff_close (-71, nbe.toml:2)",
        ),
        (
            "taps from afar",
            "rssi_tap_threshold = -70",
            "2:22: warning: rssi_tap_threshold (-70, nbe.toml:2) is not above rssi_cutoff_close (-70, default)",
        ),
        (
            "close is what a tap is, set last",
            "rssi_tap_threshold = -45\nrssi_cutoff_close = -45",
            "2:22: warning: rssi_tap_threshold (-45, nbe.toml:2) is not above rssi_cutoff_close (-45, nbe.toml:3)",
        ),
        (
            "slow taps",
            "rssi_tap_threshold = -42\nrssi_window_tap = 60",
            "3:19: warning: rssi_window_tap (60, nbe.toml:3) is longer than rssi_window_long (50, default)",
        ),
        (
            "quick trends",
            "rssi_tap_threshold = -42\nrssi_window_long = 9",
            "3:20: warning: rssi_window_tap (10, default) is longer than rssi_window_long (9, nbe.toml:3)",
        ),
        (
            "a pace that classic does not go by",
            "away_pace = \"sooner\"",
            "2:13: warning: away_pace (\"sooner\", nbe.toml:2) has no effect under detector (\"classic\", default)",
        ),
        (
            "a pace of what is off",
            "detector = \"adaptive\"\nrssi_cutoff_close = 0\naway_pace = \"calmer\"",
            "4:13: warning: away_pace (\"calmer\", nbe.toml:4) has no effect under rssi_cutoff_close (0, nbe.toml:3)",
        ),
        ("a key misspelt", "rssi_tap_treshold = -42", "2:1: warning: unknown key rssi_tap_treshold"),
        ("a vendor's key", "ble_backend = 3", "2:1: warning: unknown key ble_backend"),
        ("a table that is not ours", "[vendor]\nkey = 1", "2:2: warning: unknown key vendor"),
    ];
    for (situation, lines, expected) in cases {
        let resolution = layers(&format!("{URL}{lines}\n"), &[], &[]);
        assert_eq!(first_lines(&resolution), [format!("nbe.toml:{expected}")], "{situation}");
        assert!(resolution.config.is_some(), "{situation}");
    }
}

#[test]
fn what_is_just_right_is_not_remarked() {
    for lines in [
        "rssi_tap_threshold = -40",
        "rssi_cutoff_close = -70\nrssi_cutoff_far = -75",
        "rssi_cutoff_far = -99",
        "rssi_cutoff_close = -1",
        "rssi_cutoff_close = 0\nrssi_cutoff_far = -1",
        "rssi_window_tap = 1\nrssi_window_long = 200",
        "rssi_window_tap = 0x0c",
        "rssi_tap_threshold = -69",
        "rssi_tap_threshold = -80\nrssi_cutoff_close = 0",
        "rssi_tap_threshold = -42\nrssi_window_tap = 50",
        "rssi_window_tap = 60",
        "absent_after_s = 600",
        "detector = \"adaptive\"\naway_pace = \"sooner\"",
        "detector = \"classic\"\naway_pace = \"balanced\"",
        "[log]\nfile = '/var/log/nbe.log'\nfile_max_kib = 64",
        "[[adapter]]\nrssi_offset_db = -3.3\nscan_interval_ms = 2.5",
        "[[adapter]]\nrssi_offset_db = 40\nscan_interval_ms = 10240\nscan_window_ms = 10.625",
        "[[adapter]]\nport = \"COM5\"\n[[adapter]]\nport = 'COM6'",
        "adapter = []",
    ] {
        assert_eq!(said(&format!("{URL}{lines}\n")), [""; 0], "{lines}");
    }
}
