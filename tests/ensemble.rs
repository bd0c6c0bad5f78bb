//! `nbe evaluate --simulated`: desk shifts drawn from seeds, scored and printed.

use std::path::Path;
use std::process::{Command, Output};

use nbe::evaluate::detectors;
use nbe::evaluate::ensemble::{COLUMNS, Half, Report, Run};
use nbe::proximity::Settings;
use serde_json::Value;

#[path = "support/machine.rs"]
mod machine;
#[path = "support/referee.rs"]
#[allow(dead_code, reason = "only what keeps the environment out")]
mod referee;

const CONFIG: &str = "agent_url = \"ws://127.0.0.1:9120/socket/websocket\"\n";

/// By a configuration of its own: the machine's says nothing here.
fn evaluate(words: &[&str]) -> Output {
    let work = tempfile::tempdir().unwrap();
    let path = work.path().join("nbe.toml");
    std::fs::write(&path, CONFIG).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_nbe"));
    command.arg("evaluate").arg("--config").arg(&path).args(words);
    referee::without_configuration(&mut command).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn json(words: &[&str]) -> Value {
    let done = evaluate(&[&["--json"], words].concat());
    assert!(done.status.success(), "{}", text(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

fn settings() -> Settings {
    let environment = vec![("AGENT_URL".into(), "ws://127.0.0.1:9120/socket/websocket".into())];
    let sources = config::Sources { environment, ..config::Sources::default() };
    Settings::from(&config::resolve(&sources).config.unwrap())
}

#[test]
fn shifts_give_the_same_on_any_number_of_threads() {
    let run = Run { half: Half::Unseen, shifts: 9, detectors: detectors::all(&settings()) };
    let jobs = run.jobs();
    // One after the other, the last first.
    let mut given: Vec<_> = jobs.iter().rev().map(|job| run.run(job)).collect();
    given.reverse();
    let alone = format!("{:#}\n", Report::new(&run, &run.outcome(given)).json(None));
    let found = evaluate(&["--simulated", "--shifts=9", "--json"]);
    assert!(alone == text(&found.stdout), "alone:\n{alone}\nby threads:\n{}", text(&found.stdout));
}

#[test]
fn sums_add_up_and_the_halves_differ() {
    let (unseen, design) = (json(&["--simulated", "--shifts=9"]), json(&["--simulated=design", "--shifts=9"]));
    assert_eq!((&unseen["half"], &design["half"]), (&"unseen".into(), &"design".into()));
    assert!(design["last_seed"].as_u64() < unseen["first_seed"].as_u64(), "no seed is in both");
    assert_ne!(unseen["detectors"], design["detectors"]);
    for column in COLUMNS {
        let found = &unseen["detectors"]["classic"][column.key];
        let shifts = if column.one_of == 1 { 9 } else { 2 };
        assert_eq!(found["shifts"], shifts, "{}", column.key);
        let number = |key: &str| found[key].as_f64().unwrap();
        let value = |key: &str| found["rows"][key]["value"].as_f64().unwrap();
        let hours = number("present_h") + number("away_h") + number("grey_h");
        assert!((hours - 4.0 * f64::from(shifts)).abs() < 1e-6, "{}: {hours} h", column.key);
        let per_8h = 8.0 * number("false_locks") / number("present_h");
        assert!((value("false_locks_per_8h") - per_8h).abs() < 1e-9, "{}", column.key);
        let missed = 100.0 * number("missed_locks") / number("departures");
        assert!((value("missed_departures_pct") - missed).abs() < 1e-9, "{}", column.key);
        let few = &unseen["detectors"]["classic"]["eighth"];
        let same = found["present_h"] == few["present_h"] && found["away_h"] == few["away_h"];
        assert_eq!(same, column.one_of > 1, "{}: the few are the same shifts everywhere", column.key);
    }
}

#[test]
fn the_table_has_every_row_with_what_it_proves() {
    let done = evaluate(&["--simulated", "--shifts=8"]);
    let out = text(&done.stdout);
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert!(out.starts_with("simulated shifts: 8 of 4 h, the unseen half: seeds 4294967296 to 4294967303\n"), "{out}");
    let rows = ["false locks per 8 h", "locked out, %", "missed departures, %", "exposed, p95, s", "unlock, p50, s"];
    for row in rows.into_iter().chain(["unlock, p95, s", "never unlocked, %", "false unlocks per h"]) {
        let mut lines = out.lines().skip_while(|line| !line.starts_with(row));
        let (values, proves) = (lines.next().expect(row), lines.next().expect(row));
        assert_eq!(values[23..].split_whitespace().count(), COLUMNS.len(), "{out}");
        assert!(proves.starts_with("  <= ") && proves[23..].split_whitespace().count() == COLUMNS.len(), "{out}");
    }
    assert!(out.lines().all(|line| line.chars().count() <= 100 && line.trim_end() == line), "{out}");
}

#[test]
fn mistakes_say_what_to_do() {
    let cases: [(&[&str], &str); 4] = [
        (&["--simulated=some"], "possible values: design, unseen"),
        (&["--simulated", "--shifts=0"], "0 is not in 1..=100000"),
        (&["--shifts=3", "."], "required arguments were not provided"),
        (&["--simulated", "--thin=0.5"], "cannot be used with"),
    ];
    for (words, told) in cases {
        let done = evaluate(words);
        assert_eq!(done.status.code(), Some(2), "{words:?}");
        assert!(text(&done.stderr).contains(told), "{words:?}: {}", text(&done.stderr));
    }
}

#[test]
fn recordings_stand_beside_the_shifts_and_are_like_them() {
    let without = evaluate(&["--simulated", "--shifts=1"]);
    assert!(text(&without.stdout).ends_with("\n\nname a folder of recordings to see the shifts beside them\n"));
    let recordings = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/fixtures/rssi-dev");
    if !recordings.exists() {
        return machine::skip("no recordings beside the project to compare simulated shifts with");
    }
    let recordings = recordings.to_str().unwrap();
    let check = json(&["--simulated", "--shifts=48", recordings])["check"].take();
    let value = |of: &str, key: &str, which: &str| check[key][of][which].as_f64().unwrap();
    // How far the medians may be apart: rooms differ, and behind walls there are no recordings.
    let close = [("level_1_m", 3.0), ("level_2_m", 3.0), ("level_3_m", 3.0), ("level_6_m", 3.0), ("level_8_m", 5.0)];
    for (key, slack) in close.into_iter().chain([("place_sd", 1.5), ("still_sd", 1.5), ("rate", 1.0)]) {
        let (simulated, measured) = (value("simulated", key, "value"), value("measured", key, "value"));
        assert!((simulated - measured).abs() <= slack, "{key}: {simulated} simulated, {measured} measured");
    }
    for key in ["still_sd", "correlation_0_5_s", "correlation_1_s", "correlation_5_s", "gaps_1_s_pct", "gaps_10_s_pct"]
    {
        let (simulated, low, high) =
            (value("simulated", key, "value"), value("measured", key, "p10"), value("measured", key, "p90"));
        assert!(low <= simulated && simulated <= high, "{key}: {simulated} simulated, {low} to {high} measured");
    }
    let done = evaluate(&["--simulated", "--shifts=1", recordings, "/nonexistent.csv"]);
    assert_eq!(done.status.code(), Some(1));
    assert!(text(&done.stderr).contains("/nonexistent.csv: cannot be read: "), "{}", text(&done.stderr));
    let out = text(&done.stdout);
    assert!(
        out.contains("\nsimulated beside measured ") && out.lines().all(|line| line.chars().count() <= 100),
        "{out}"
    );
}
