//! `nbe.default.toml` says what is true.

use nbe_config::{AwayPace, Config, Detector, REFERENCE, Resolution, Sources, resolve};

use crate::{file, first_lines, layers};

fn taken(text: &str) -> Resolution {
    let resolution = layers(text, &[], &[]);
    assert!(resolution.config.is_some(), "{text}: {:?}", first_lines(&resolution));
    resolution
}

#[test]
fn the_six_keys_default_to_what_is_documented() {
    let config = Config::default();
    assert_eq!(config.agent_url.to_string(), "ws://127.0.0.1:9120/socket/websocket");
    assert_eq!((config.rssi_window_tap.get(), config.rssi_window_long.get()), (10, 50));
    assert_eq!(config.rssi_tap_threshold, None);
    let cutoffs = config.rssi_cutoffs.unwrap();
    assert_eq!((cutoffs.close().dbm(), cutoffs.far().dbm()), (-70, -75));
    assert_eq!((config.detector, config.away_pace), (Detector::Classic, AwayPace::Balanced));
    assert_eq!(config.absent_after.as_secs(), 30);
    assert_eq!((config.bands.company_ids.as_slice(), config.bands.all), ([434].as_slice(), false));
    assert_eq!(config.bands.name_prefixes, ["Nymi"]);
    assert!(!config.log.show_addresses);
}

#[test]
fn a_copy_of_it_is_a_file_without_a_remark() {
    let resolution = resolve(&Sources { file: Some(file(REFERENCE)), ..Sources::default() });
    assert_eq!(first_lines(&resolution), [""; 0]);
    assert_eq!(resolution.config, Some(Config::default()));
}

#[test]
fn what_is_commented_out_can_be_put_in() {
    let is_key = |line: &str| {
        line.split_once(" = ")
            .is_some_and(|(name, _)| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
    };
    let examples: Vec<_> = REFERENCE.lines().filter(|line| line.strip_prefix("# ").is_some_and(is_key)).collect();
    assert_eq!(examples.len(), 14, "{examples:?}");
    // A secret needs wss, and port and address do not go together, so one at a time and over wss.
    let encrypted = REFERENCE.replace("\"ws://127.0.0.1", "\"wss://127.0.0.1");
    for example in examples {
        let name = example.trim_start_matches("# ").split(' ').next().unwrap();
        let resolution = taken(&encrypted.replace(example, example.trim_start_matches("# ")));
        assert_eq!(first_lines(&resolution), [""; 0], "{example}");
        assert!(resolution.values.iter().any(|value| value.key.ends_with(name)), "{example}");
    }
}

#[test]
fn lines_fit_a_page_and_newer_releases_are_mentioned() {
    for line in REFERENCE.lines() {
        assert!(line.chars().count() <= 120, "{line}");
    }
    let before = |key: &str| REFERENCE.split(&format!("\n{key} = ")).next().unwrap().rsplit("\n\n").next().unwrap();
    assert!(before("rssi_tap_threshold").contains("ship -42"));
    assert!(before("rssi_cutoff_far").contains("ship -83"));
}
