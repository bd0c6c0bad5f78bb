//! The classic detector against the referee: the same counts as the documented rule, on real traces.

use serde_json::Value;

#[path = "support/material.rs"]
mod material;
#[path = "support/referee.rs"]
mod referee;

/// Counts and delays equal to the last digit. Hours, and what is counted per hour or in percent of them, within a
/// hundredth: the referee looks four times a second, and a timer here is due to the microsecond.
fn same(name: &str, wanted: &Value, found: &Value) {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            for (key, wanted) in wanted.iter().filter(|(key, _)| *key != "elsewhere_raw") {
                same(&format!("{name}.{key}"), wanted, found.get(key).unwrap_or(&Value::Null));
            }
        }
        (Value::Array(wanted), Value::Array(found)) => {
            assert_eq!(wanted.len(), found.len(), "{name}");
            for (wanted, found) in wanted.iter().zip(found) {
                same(name, wanted, found);
            }
        }
        (Value::Number(wanted), Value::Number(found)) => {
            let (wanted, found) = (wanted.as_f64().unwrap(), found.as_f64().unwrap());
            let of_time = ["_h", "_8h", "_pct"].iter().any(|unit| name.ends_with(unit));
            let slack = if of_time { 0.01 } else { 0.0 };
            assert!((wanted - found).abs() <= slack, "{name}: the documented rule has {wanted}, this has {found}");
        }
        _ => assert_eq!(wanted, found, "{name}"),
    }
}

#[test]
fn the_classic_detector_is_the_documented_rule() {
    let Some(shared) = referee::shared() else { return };
    let work = tempfile::tempdir().unwrap();
    let config = work.path().join("nbe.toml");
    std::fs::write(&config, "agent_url = \"ws://127.0.0.1:9120/socket/websocket\"\nrssi_tap_threshold = -42\n")
        .unwrap();
    for (case, more) in [
        ("the referee calibrates", &[] as &[&str]),
        (
            "the detector calibrates, half of the adverts lost",
            &["--detector-calibrates", "--thin", "0.5", "--shift=-2"],
        ),
    ] {
        let program = format!(
            "{} replay --json --config {} --rssi-offset {{offset}} {{file}}",
            env!("CARGO_BIN_EXE_nbe"),
            config.display()
        );
        let out = referee::ask(&shared, &program, "nbe", more);
        for (table, row) in [
            ("locks", "Nymi documented, N=50"),
            ("joint", "Nymi documented, N=50"),
            ("taps", "Nymi documented, N=10 >= -42"),
        ] {
            assert!(out[table][row].is_object(), "{case}: the referee has no row {row}");
            same(&format!("{case}: {table}"), &out[table][row], &out[table]["nbe"]);
        }
    }
}
