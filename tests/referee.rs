//! The classic detector against the referee: the same counts as the documented rule, on real traces.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The folder of shared material beside the project, where there is one.
fn shared() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let folder = std::env::var_os("NBE_SHARED").map_or(beside, PathBuf::from);
    folder.join("eval/detection_eval.py").exists().then_some(folder)
}

/// Says loudly, past the test harness, that the referee was not asked.
fn skip(why: &str) {
    let line = format!("SKIPPED, LOUDLY: {why}, so the referee was not asked\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

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
    let Some(shared) = shared() else {
        assert!(std::env::var_os("NBE_SHARED").is_none(), "NBE_SHARED leads to no referee");
        return skip("no shared/eval beside the project");
    };
    if Command::new("python3").arg("--version").output().is_err() {
        assert!(std::env::var_os("NBE_REQUIRE_PEERS").is_none(), "python3 is missing and NBE_REQUIRE_PEERS is set");
        return skip("no python3");
    }
    let work = tempfile::tempdir().unwrap();
    let config = work.path().join("nbe.toml");
    std::fs::write(&config, "agent_url = \"ws://127.0.0.1:9120/socket/websocket\"\nrssi_tap_threshold = -42\n")
        .unwrap();
    for (case, more) in [
        ("the referee calibrates", vec![]),
        (
            "the detector calibrates, half of the adverts lost",
            vec!["--detector-calibrates", "--thin", "0.5", "--shift=-2"],
        ),
    ] {
        let json = work.path().join("out.json");
        let program = format!(
            "{} replay --json --config {} --rssi-offset {{offset}} {{file}}",
            env!("CARGO_BIN_EXE_nbe"),
            config.display()
        );
        let done = Command::new("python3")
            .args(["-B", "detection_eval.py", "--detector", &program, "--name", "nbe", "--json"])
            .arg(&json)
            .args(more)
            .current_dir(shared.join("eval"))
            .output()
            .unwrap();
        assert!(done.status.success(), "{case}: {}", String::from_utf8_lossy(&done.stderr));
        let out: Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
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
