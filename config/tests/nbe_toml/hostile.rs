//! Whatever is in the file: no panic, no flood, no escape sequence, nothing lost.

use std::time::{Duration, Instant};

use crate::{URL, file, layers};
use nbe_config::{Effective, Resolution, Sources, resolve};
use proptest::prelude::*;

fn checked(bytes: &[u8], environment: &[(String, String)]) -> Resolution {
    let sources = Sources { file: Some(file(bytes)), environment: environment.to_vec(), flags: Vec::new() };
    let resolution = resolve(&sources);
    let has_error = resolution.diagnostics.iter().any(|found| found.is_error());
    assert_eq!(resolution.config.is_none(), has_error, "{resolution:?}");
    assert!(resolution.diagnostics.len() <= 101);
    for diagnostic in &resolution.diagnostics {
        let shown = diagnostic.to_string();
        assert!(shown.chars().all(|c| c == '\n' || !(c.is_control() || c == '\u{202e}')), "{shown:?}");
        assert!(shown.len() < 4096, "{} bytes", shown.len());
    }
    resolution
}

/// Pieces of which files are made, right ones and wrong ones.
fn piece() -> impl Strategy<Value = String> {
    let names = prop::sample::select(vec![
        "agent_url",
        "rssi_window_tap",
        "rssi_window_long",
        "rssi_tap_threshold",
        "rssi_cutoff_close",
        "rssi_cutoff_far",
        "detector",
        "away_pace",
        "absent_after_s",
        "bands",
        "company_ids",
        "all",
        "adapter",
        "port",
        "address",
        "rssi_offset_db",
        "scan_interval_ms",
        "é",
        "\"\\u001b\"",
    ]);
    let values = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        (-120..210_i64).prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| format!("{number:?}")),
        any::<String>().prop_map(|text| format!("{text:?}")),
        Just("true".into()),
        Just("[]".into()),
        Just("[434, \"x\"]".into()),
        Just("{ a = 1 }".into()),
        Just("\"ws://127.0.0.1/\"".into()),
    ];
    prop_oneof![
        (names.clone(), values).prop_map(|(name, value)| format!("{name} = {value}\n")),
        names.clone().prop_map(|name| format!("[{name}]\n")),
        names.prop_map(|name| format!("[[{name}]]\n")),
        any::<String>(),
        Just("\n".into()),
        Just("\r\n".into()),
        Just("\u{1b}[2J\u{202e}".into()),
        Just("\"".into()),
        Just("\"\"\"".into()),
        Just("[[".into()),
    ]
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        checked(&bytes, &[]);
    }

    #[test]
    fn any_text_is_survived(pieces in prop::collection::vec(piece(), 0..30)) {
        checked(pieces.concat().as_bytes(), &[]);
    }

    #[test]
    fn any_variable_is_survived(
        name in prop::sample::select(vec!["RSSI_WINDOW_TAP", "AGENT_URL", "NBE_BANDS__ALL", "NBE_BANDS__ADDRESSES", "NBE_ADAPTER__PORT", "NBE_X__Y"]),
        value in any::<String>(),
    ) {
        checked(URL.as_bytes(), &[(name.into(), value)]);
    }

    /// What is in range is taken as it is.
    #[test]
    fn valid_values_arrive(
        tap in 1..=200_u8, long in 1..=200_u8, threshold in -99..=0_i8, far in -99..=-2_i8, gap in 1..98_i8, absent in 3..=600_u64, tenths in -400..=400_i16, ticks in 4..=0x4000_u16,
    ) {
        let close = far.saturating_add(gap).min(-1);
        let text = format!(
            "{URL}rssi_window_tap = {tap}\nrssi_window_long = {long}\nrssi_tap_threshold = {threshold}\n\
             rssi_cutoff_close = {close}\nrssi_cutoff_far = {far}\nabsent_after_s = {absent}\n\
             [[adapter]]\nrssi_offset_db = {}\nscan_interval_ms = {}\n",
            f64::from(tenths) / 10.0,
            f64::from(ticks) * 0.625,
        );
        let resolution = checked(text.as_bytes(), &[]);
        prop_assert_eq!(&layers(&as_file(&resolution), &[], &[]).config, &resolution.config);
        let config = resolution.config.expect("every value is valid");
        prop_assert_eq!(config.rssi_window_tap.get(), usize::from(tap));
        prop_assert_eq!(config.rssi_window_long.get(), usize::from(long));
        prop_assert_eq!(config.rssi_tap_threshold.map_or(0, |level| level.dbm()), threshold);
        let cutoffs = config.rssi_cutoffs.expect("close is not 0");
        prop_assert_eq!((cutoffs.close().dbm(), cutoffs.far().dbm()), (close, far));
        prop_assert_eq!(config.absent_after, Duration::from_secs(absent));
        prop_assert_eq!(config.adapters[0].rssi_offset.tenths(), tenths);
        prop_assert_eq!(config.adapters[0].scan.interval().get(), ticks);
    }

    #[test]
    fn some_text_is_valid(pieces in prop::collection::vec(piece(), 0..4)) {
        let resolution = checked(format!("{URL}{}", pieces.concat()).as_bytes(), &[]);
        if resolution.config.is_some() {
            prop_assert_eq!(layers(&as_file(&resolution), &[], &[]).config, resolution.config);
        }
    }
}

/// The table of values, written as a file; it makes the same configuration.
fn as_file(resolution: &Resolution) -> String {
    let of_adapter = |value: &&Effective| value.key.starts_with("adapter[");
    let (adapters, main): (Vec<_>, Vec<_>) = resolution.values.iter().partition(of_adapter);
    let mut text: String = main.iter().map(|value| format!("{} = {}\n", value.key, value.value)).collect();
    let mut table = "";
    for value in adapters {
        let (index, name) = value.key.split_once("].").expect("an adapter's key");
        if index != table {
            text += "[[adapter]]\n";
            table = index;
        }
        text += &format!("{name} = {}\n", value.value);
    }
    text
}

#[test]
fn large_files_are_answered_soon_and_briefly() {
    let fill = |unit: &str| unit.repeat(nbe_config::find::MAX_BYTES as usize / unit.len());
    let cases = [
        ("unknown keys", (0..20_000).map(|number| format!("k{number} = 1\n")).collect::<String>()),
        (
            "unknown keys in one line",
            format!("bands = {{{}}}", (0..20_000).map(|number| format!("k{number}=1,")).collect::<String>()),
        ),
        ("one long line of nothing", fill("x")),
        ("broken lines", fill("= =\n")),
        ("keys without a value", fill("a\n")),
        ("headers without an end", fill("[a\n")),
        ("headers without a beginning", fill("]\n")),
        ("dongles", fill("[[adapter]]\n")),
        ("open brackets", format!("a = {}", fill("["))),
        ("open tables", format!("a = {}", fill("{a="))),
        ("dotted keys", fill("a.")),
        ("a list too long", format!("[bands]\ncompany_ids = [{}]", fill("1,"))),
        ("the same key", fill("a=1\n")),
        ("quotes", fill("\"")),
        ("escapes", fill("\u{1b}")),
        ("nothing", fill("\0")),
    ];
    for (case, text) in cases {
        let began = Instant::now();
        assert!(checked(text.as_bytes(), &[]).config.is_none(), "{case}");
        println!("{case}: {:?}", began.elapsed());
        assert!(began.elapsed() < Duration::from_secs(10), "{case}: {:?}", began.elapsed());
    }
}
