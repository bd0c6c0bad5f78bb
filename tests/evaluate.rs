//! `nbe evaluate` against the referee: the same counts and delays of the same detector, on real traces.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

#[path = "support/material.rs"]
mod material;
#[path = "support/referee.rs"]
mod referee;

/// Where taps are off, as they are without a word about them.
const CONFIG: &str = "agent_url = \"ws://127.0.0.1:9120/socket/websocket\"\n";

/// By a configuration of its own: the machine's says nothing here.
fn evaluate(words: &[&str]) -> Output {
    let work = tempfile::tempdir().unwrap();
    let config = work.path().join("nbe.toml");
    std::fs::write(&config, CONFIG).unwrap();
    evaluate_by(&config, words)
}

fn evaluate_by(config: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nbe"));
    command.arg("evaluate").arg("--config").arg(config).args(words);
    material::without_configuration(&mut command).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Counts and delays are equal. Time, and what is counted per time, nearly are: the referee looks four times a
/// second, and gives what it then sees to the time since it last looked.
fn same(name: &str, wanted: &Value, found: &Value) {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(_)) => {
            for (key, wanted) in wanted {
                same(&format!("{name}.{key}"), wanted, &found[key]);
            }
        }
        (Value::Bool(wanted), Value::Number(found)) => {
            assert_eq!(f64::from(u8::from(*wanted)), found.as_f64().unwrap(), "{name}");
        }
        (Value::Number(wanted), Value::Number(found)) => {
            let (wanted, found) = (wanted.as_f64().unwrap(), found.as_f64().unwrap());
            let slack = match name {
                share if share.ends_with("_pct") => 0.02, // a fifth of a thousandth, in percent
                rate if rate.ends_with("_h") || rate.ends_with("_8h") => 0.001 * wanted.abs(),
                // A mean over seeds is a sum in another order.
                _ => 1e-9,
            };
            assert!((wanted - found).abs() <= slack, "{name}: the referee has {wanted}, this has {found}");
        }
        _ => assert_eq!(wanted, found, "{name}"),
    }
}

/// What the referee finds for a detector, which the configuration sets.
fn theirs(shared: &Path, config: &Path, detector: &str, stress: &[&str]) -> Value {
    let program = format!("{} replay --json --config {} {{file}}", env!("CARGO_BIN_EXE_nbe"), config.display());
    let traces = shared.join("fixtures/rssi-dev");
    let words = ["--no-baselines", traces.to_str().unwrap()];
    let mut found = referee::ask(shared, &program, detector, &[&words, stress].concat());
    // With one seed the referee lists it.
    if let Some(seeds) = found["taps"][detector]["half"].as_array() {
        found["taps"][detector]["half"] = seeds[0].clone();
    }
    found
}

/// What this finds.
fn ours(shared: &Path, config: &Path, stress: &[&str]) -> Value {
    let traces = shared.join("fixtures/rssi-dev");
    let words = ["--json", traces.to_str().unwrap()];
    let done = evaluate_by(config, &[&words, stress].concat());
    assert!(done.status.success(), "{stress:?}: {}", text(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

#[test]
fn its_numbers_are_the_referees() {
    let Some(shared) = referee::shared() else { return };
    let work = tempfile::tempdir().unwrap();
    let config = work.path().join("nbe.toml");
    let configure = |more: &str| {
        std::fs::write(&config, format!("{CONFIG}rssi_tap_threshold = -42\n{more}")).unwrap();
    };
    // The short windows decide hundreds of times more often, in every place where an edge can fall.
    let cases: [(&str, &str, &str, &[&str]); 6] = [
        ("the documented rule", "classic", "", &["--thin-seeds=3"]),
        ("half of the adverts lost, 2 dB too high", "classic", "", &["--thin=0.5", "--thin-seeds=2", "--shift=2"]),
        ("adaptive", "adaptive", "detector = \"adaptive\"\n", &["--thin-seeds=1"]),
        ("adaptive, half lost", "adaptive", "detector = \"adaptive\"\n", &["--thin=0.5", "--thin-seeds=1"]),
        ("windows of five", "classic", "rssi_window_long = 5\nrssi_window_tap = 3\n", &["--thin-seeds=1"]),
        (
            "windows of two, 3 dB too low",
            "classic",
            "rssi_window_long = 2\nrssi_window_tap = 1\n",
            &["--thin-seeds=1", "--shift=-3"],
        ),
    ];
    for (case, detector, more, stress) in cases {
        configure(more);
        let (wanted, found) = (theirs(&shared, &config, detector, stress), ours(&shared, &config, stress));
        for table in ["locks", "joint", "taps"] {
            let of = |all: &Value| all[table][detector].clone();
            assert!(of(&wanted).is_object(), "{case}: the referee has no {table}");
            same(&format!("{case}: {table}"), &of(&wanted), &of(&found));
            if wanted["worst"].is_object() {
                same(&format!("{case}: worst {table}"), &of(&wanted["worst"]), &of(&found["worst"]));
            }
        }
    }
    // The usual stress, without asking for any.
    configure("");
    let found = ours(&shared, &config, &["--thin-seeds=2"]);
    let cases: [(&str, &[&str]); 3] =
        [("shift_up", &["--shift=2"]), ("shift_down", &["--shift=-2"]), ("thin", &["--thin=0.5", "--thin-seeds=2"])];
    for (case, stress) in cases {
        let (wanted, found) = (theirs(&shared, &config, "classic", stress), &found["stressed"]["classic"][case]);
        same(case, &wanted["joint"]["classic"], &found["mean"]);
        if wanted["worst"].is_object() {
            same(&format!("{case}, worst"), &wanted["worst"]["joint"]["classic"], &found["worst"]);
        }
    }
}

/// Twenty minutes at the desk and gone for two of them, at two adverts a second.
fn desk(name: &str, folder: &Path) {
    let mut text =
        String::from("# source: example.org/desk\n# near_m: 2.5\n# far_m: 6\nt_s,rssi_dbm,distance_m,label\n");
    for row in 0..2400 {
        let away = (1200..1440).contains(&row);
        let (level, distance) = if away { (-85 - row % 3, "9.0") } else { (-60 - row % 5, "0.8") };
        text += &format!("{}.{},{level},{distance},desk\n", row / 2, row % 2 * 5);
    }
    std::fs::write(folder.join(name), text).unwrap();
}

#[test]
fn a_file_that_cannot_be_used_is_told_and_loses_nothing_else() {
    let work = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| std::fs::write(work.path().join(name), text).unwrap();
    desk("comp-1.csv", work.path());
    put("comp-2.csv", "# near_m: 2.5\n# far_m: 6\nt_s,rssi_dbm,distance_m\n0,-60,1\n1,-60,NaN\n");
    put("day.csv", "t_s,rssi_dbm\n0,-60\n");
    put("walk-short.csv", "t_s,rssi_dbm,distance_m\n0,-60,1\n1,127,1\n");
    put("walk-taps.csv", "t_s,rssi_dbm,distance_m,label\n0,-60,1,\n1,-40,0,tap\n2,-60,1,\n3,-40,0,tap\n");
    put("notes.txt", "not a recording");
    std::fs::create_dir(work.path().join("folder.csv")).unwrap();
    let done = evaluate(&["--thin-seeds=1", work.path().to_str().unwrap()]);
    let (out, told) = (text(&done.stdout), text(&done.stderr));
    assert_eq!(done.status.code(), Some(1), "{told}");
    assert!(told.contains("comp-2.csv: line 5: distance_m is no distance: \"NaN\"\n  try: "), "{told}");
    assert!(told.contains("day.csv: line 1: the file does not say where the band truly was\n  try: "), "{told}");
    assert!(told.contains("taps are off in this configuration"), "{told}");
    assert!(!told.contains("notes.txt") && !told.contains("folder.csv"), "{told}");
    assert!(out.starts_with("traces: 3, present 0.30 h, away 0.03 h, grey 0.00 h\n"), "{out}");
    let words = out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("missed locks human 0 of 1 0.0 to 97.5 %"), "{out}");
    assert!(out.contains("walk-short: no `# near_m:` and no `# far_m:` in its header"), "{out}");
    assert!(out.contains("no row has the hits: 1\n    walk-taps: contacts: 2\n"), "{out}");
    assert!(out.contains("files that cannot be used: 2") && out.contains("comp-2.csv: line 5: "), "{out}");
    assert!(out.contains("rows that are no reading: 1, in so many traces: 1"), "{out}");
    assert!(out.lines().all(|line| line.chars().count() <= 100), "{out}");
}

#[test]
fn the_same_recordings_give_the_same_output_in_any_order() {
    let work = tempfile::tempdir().unwrap();
    let names = ["comp-1.csv", "static-1.csv", "tapsim-1.csv"];
    names.iter().for_each(|name| desk(name, work.path()));
    let paths = names.map(|name| work.path().join(name).to_str().unwrap().to_owned());
    let once = evaluate(&["--thin-seeds=2", "--json", work.path().to_str().unwrap()]);
    let again = evaluate(&["--thin-seeds=2", "--json", &paths[2], &paths[0], &paths[1], &paths[0]]);
    assert!(once.status.success(), "{}", text(&once.stderr));
    assert_eq!(text(&once.stdout), text(&again.stdout));
    let json: Value = serde_json::from_slice(&once.stdout).unwrap();
    let goals = json["goals"]["classic"].as_array().unwrap();
    let goal = |group, key| goals.iter().find(|goal| goal["group"] == group && goal["key"] == key).unwrap();
    assert_eq!(goal("locks", "missed_locks")["met"], true);
    assert_eq!(goal("taps", "hits")["met"], Value::Null, "without a contact there is nothing to judge");
    assert_eq!(json["stressed"]["classic"]["thin"]["mean"]["departures"], 1);
    assert!(json["without_source"]["classic"]["example.org/desk"].is_object());
}

#[test]
fn a_recording_counts_once_however_it_is_named() {
    let work = tempfile::tempdir().unwrap();
    desk("comp-1.csv", work.path());
    let (folder, file) = (work.path().to_str().unwrap(), work.path().join("comp-1.csv"));
    let round_about = work.path().join("../").join(work.path().file_name().unwrap()).join("comp-1.csv");
    let done = evaluate(&["--thin-seeds=1", "--json", folder, file.to_str().unwrap(), round_about.to_str().unwrap()]);
    let json: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!((&json["traces"], &json["locks"]["classic"]["departures"]), (&1.into(), &1.into()));
}

#[test]
fn recordings_of_the_same_name_are_each_told_of() {
    let work = tempfile::tempdir().unwrap();
    for (folder, rows) in [("a", 2), ("b", 3)] {
        let folder = work.path().join(folder);
        std::fs::create_dir(&folder).unwrap();
        let rows: String = (0..rows).map(|row| format!("{row},-60,1\n")).collect();
        std::fs::write(folder.join("walk-1.csv"), format!("# near_m: 2.5\n# far_m: 6\n{rows}")).unwrap();
        std::fs::write(folder.join("walk-2.csv"), "?").unwrap();
    }
    let [a, b] = ["a", "b"].map(|folder| work.path().join(folder).to_str().unwrap().to_owned());
    let done = evaluate(&["--thin-seeds=1", "--json", &a, &b]);
    let json: Value = serde_json::from_slice(&done.stdout).unwrap();
    let left_out = &json["left_out"]["classic"];
    let reasons = ["2 rows, fewer than 20", "3 rows, fewer than 20"];
    let wanted = reasons.map(|reason| serde_json::json!({ "name": "walk-1", "reason": reason }));
    assert_eq!(left_out["not_scored_for_locks"], Value::from(wanted.to_vec()));
    let unusable = left_out["unusable_files"].as_array().unwrap();
    assert_eq!(unusable.len(), 2);
    assert_eq!(unusable[1]["name"], Path::new(&b).join("walk-2.csv").to_str().unwrap());
}

#[test]
fn a_recording_too_short_once_adverts_are_lost_is_told_of() {
    let work = tempfile::tempdir().unwrap();
    // Of the 40, seeds 2 and 6 leave 15 and 16: by the definition, computed elsewhere.
    let rows: String = (0..40).map(|row| format!("{row},-60,1\n")).collect();
    std::fs::write(work.path().join("walk-1.csv"), format!("# near_m: 2.5\n# far_m: 6\n{rows}")).unwrap();
    let folder = work.path().to_str().unwrap();
    for stress in [&["--thin=0.5"][..], &[]] {
        let words = [&["--thin-seeds=8", folder], stress].concat();
        let (out, json) = (evaluate(&words), evaluate(&[&["--json"], &words[..]].concat()));
        let told = "in some ways to lose adverts: 1\n    walk-1: fewer than 20 rows are left in 2 of 8 ways\n";
        assert!(text(&out.stdout).contains(told), "{stress:?}: {}", text(&out.stdout));
        let json: Value = serde_json::from_slice(&json.stdout).unwrap();
        assert_eq!(json["left_out"]["classic"]["too_few_rows_left"][0]["name"], "walk-1", "{stress:?}");
    }
    let whole = evaluate(&["--shift=0", folder]);
    assert!(text(&whole.stdout).contains("in some ways to lose adverts: 0\n"), "{}", text(&whole.stdout));
}

#[cfg(unix)]
#[test]
fn a_link_is_the_recording_that_it_leads_to() {
    let work = tempfile::tempdir().unwrap();
    desk("comp-1.csv", work.path());
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, work.path().join(name)).unwrap();
    link("comp-1.csv", "comp-2.csv");
    link("gone.csv", "comp-3.csv");
    let folder = work.path().to_str().unwrap();
    let done = evaluate(&["--thin-seeds=1", "--json", folder, folder]);
    let json: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(json["traces"], 1);
    let told = text(&done.stderr);
    assert_eq!(told.matches("comp-3.csv: cannot be read: ").count(), 1, "one that leads nowhere is told of: {told}");
}

#[test]
fn mistakes_say_what_failed_and_what_to_do() {
    let work = tempfile::tempdir().unwrap();
    let none = work.path().to_str().unwrap();
    let cases: [(&[&str], i32, &str); 6] = [
        (&[], 2, "required arguments were not provided"),
        (&[none], 1, "error: none of the recordings can be used\n  try: `nbe evaluate --help`"),
        (&["/nonexistent.csv"], 1, "/nonexistent.csv: cannot be read: "),
        (&["--thin", "1.5", none], 2, "a share lies above 0 and below 1"),
        (&["--shift", "NaN", none], 2, "a shift lies within -60 and 60 dB"),
        (&["--thin-seeds", "0", none], 2, "0 is not in 1..=1000"),
    ];
    for (words, code, told) in cases {
        let done = evaluate(words);
        assert_eq!(done.status.code(), Some(code), "{words:?}: {}", text(&done.stderr));
        assert!(text(&done.stderr).contains(told), "{words:?}: {}", text(&done.stderr));
    }
}

#[test]
fn what_was_not_tried_is_not_judged() {
    let work = tempfile::tempdir().unwrap();
    desk("steps-1.csv", work.path());
    let done = evaluate(&["--thin-seeds=1", work.path().to_str().unwrap()]);
    let out = text(&done.stdout);
    assert!(out.contains("classic: joint claim: not tried"), "{out}");
    assert!(out.contains("only in the rows \"all\": 1"), "{out}");
    assert_eq!(out.matches("yes").count(), 2 * 2, "false unlocks and taps in all traces, by two detectors: {out}");
    assert!(!out.contains(" NO"), "{out}");

    let under_stress = evaluate(&["--thin-seeds=2", "--thin=0.5", work.path().to_str().unwrap()]);
    let out = text(&under_stress.stdout);
    assert!(out.contains("50 % of the adverts lost") && out.contains("worst") && !out.contains("must"), "{out}");
    assert!(out.lines().all(|line| line.chars().count() <= 100 && line.trim_end() == line), "{out}");
}

#[test]
fn a_plot_has_a_panel_for_every_recording() {
    let work = tempfile::tempdir().unwrap();
    ["comp-1.csv", "static-1.csv"].iter().for_each(|name| desk(name, work.path()));
    let (folder, file) = (work.path().to_str().unwrap(), work.path().join("desk.svg"));
    let done = evaluate(&["--thin-seeds=1", "--plot", file.to_str().unwrap(), folder]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let svg = std::fs::read_to_string(&file).unwrap();
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    assert!(svg.contains(">comp-1<") && svg.contains(">static-1<"));
    assert_eq!(svg.matches(">tap -42<").count(), 2, "where taps are decided though the configuration has them off");
    let nowhere = evaluate(&["--thin-seeds=1", "--plot", "/nonexistent/desk.svg", folder]);
    assert_eq!(nowhere.status.code(), Some(1));
    assert!(text(&nowhere.stderr).contains("error: cannot write /nonexistent/desk.svg\n  because: "));
}
