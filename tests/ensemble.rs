//! `nbe evaluate --simulated`: desk shifts drawn from seeds, scored and printed.

use std::path::PathBuf;
use std::process::{Command, Output};

use nbe::evaluate::detectors;
use nbe::evaluate::ensemble::{COLUMNS, Check, Half, Outcome, Report, Run, Shift};
use nbe::evaluate::read::read;
use nbe::evaluate::trace::Trace;
use nbe::proximity::Settings;

#[path = "support/material.rs"]
mod material;

const CONFIG: &str = "agent_url = \"ws://127.0.0.1:9120/socket/websocket\"\n";

/// By a configuration of its own: the machine's says nothing here.
fn evaluate(words: &[&str]) -> Output {
    let work = tempfile::tempdir().unwrap();
    let path = work.path().join("nbe.toml");
    std::fs::write(&path, CONFIG).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_nbe"));
    command.arg("evaluate").arg("--config").arg(&path).args(words);
    material::without_configuration(&mut command).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn settings() -> Settings {
    let environment = vec![("AGENT_URL".into(), "ws://127.0.0.1:9120/socket/websocket".into())];
    let sources = config::Sources { environment, ..config::Sources::default() };
    Settings::from(&config::resolve(&sources).config.unwrap())
}

/// Shifts by the one detector that takes no time to speak of.
fn classic(half: Half, shifts: u32) -> Run {
    let detectors = detectors::all(&settings()).into_iter().filter(|detector| detector.name == "classic");
    Run { half, shifts, detectors: detectors.collect() }
}

/// What comes of a run, job after job.
fn outcome(run: &Run) -> Outcome {
    run.outcome(run.jobs().iter().map(|job| run.run(job)).collect())
}

#[test]
fn shifts_give_the_same_on_any_number_of_threads() {
    let run = classic(Half::Unseen, 9);
    let alone = outcome(&run);
    let jobs = run.jobs();
    // Every third job by each, the last first.
    let mut given: Vec<_> = std::thread::scope(|scope| {
        let (run, jobs) = (&run, &jobs);
        let every_third =
            |first: usize| (first..jobs.len()).step_by(3).rev().map(|place| (place, run.run(&jobs[place])));
        let threads = [0, 1, 2].map(|first| scope.spawn(move || every_third(first).collect::<Vec<_>>()));
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    given.sort_by_key(|(place, _)| *place);
    assert!(alone == run.outcome(given.into_iter().map(|(_, given)| given).collect()));
}

#[test]
fn sums_add_up_and_the_halves_differ() {
    let [unseen, design] = [Half::Unseen, Half::Design].map(|half| {
        let run = classic(half, 9);
        Report::new(&run, &outcome(&run)).json(None)
    });
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
    let run = classic(Half::Unseen, 8);
    let out = Report::new(&run, &outcome(&run)).to_string();
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

/// Twenty minutes at the desk, at two adverts a second.
const DESK: &str = "# near_m: 2.5\n# far_m: 6\nt_s,rssi_dbm,distance_m,label\n";

#[test]
fn the_command_prints_tables_and_tells_what_cannot_be_read() {
    let work = tempfile::tempdir().unwrap();
    let rows: String = (0..2400).map(|row| format!("{}.{},{},0.8,\n", row / 2, row % 2 * 5, -60 - row % 5)).collect();
    let (desk, gone) = (work.path().join("static-1.csv"), work.path().join("gone.csv"));
    std::fs::write(&desk, format!("{DESK}{rows}")).unwrap();
    let done = evaluate(&["--simulated=design", "--shifts=1", desk.to_str().unwrap(), gone.to_str().unwrap()]);
    let (out, told) = (text(&done.stdout), text(&done.stderr));
    assert_eq!(done.status.code(), Some(1), "{told}");
    assert!(told.contains("gone.csv: cannot be read: "), "{told}");
    assert!(out.starts_with("simulated shifts: 1 of 4 h, the design half: seeds 0 to 0\n"), "{out}");
    for detector in detectors::all(&settings()) {
        assert!(out.contains(&format!("\n\n{} ", detector.name)), "{out}");
    }
    let level = out.lines().find(|line| line.starts_with("level up to 1 m, dBm ")).unwrap();
    assert!(level.ends_with("  1") && level.contains(" -62.00 "), "{out}");
    assert!(out.lines().all(|line| line.chars().count() <= 100 && line.trim_end() == line), "{out}");
}

#[test]
fn shifts_are_like_recordings() {
    let Some(shared) = material::shared("fixtures/rssi-dev", "shifts were not put beside recordings") else { return };
    let entries = std::fs::read_dir(shared.join("fixtures/rssi-dev")).unwrap();
    let files =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|it| it == "csv"));
    let read = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        read(&name, &std::fs::read_to_string(&path).unwrap()).unwrap().trace
    };
    let traces: Vec<Trace> = files.map(read).collect();
    let shifts = Half::Unseen.seeds(48).map(|seed| Shift::new(seed, None, 1));
    let check = Check::new(shifts, &traces);
    eprintln!("{check}");
    let figures =
        |key: &str| check.0.iter().find(|row| row.key == key).map(|row| (row.simulated, row.measured)).unwrap();
    // How far the medians may be apart: rooms differ, and behind walls there are no recordings.
    let close = [("level_1_m", 3.0), ("level_2_m", 3.0), ("level_3_m", 3.0), ("level_6_m", 3.0), ("level_8_m", 5.0)];
    for (key, slack) in close.into_iter().chain([("place_sd", 1.5), ("still_sd", 1.5), ("rate", 1.0)]) {
        let (simulated, measured) = figures(key);
        assert!((simulated.value - measured.value).abs() <= slack, "{key}: {simulated:?} and {measured:?} measured");
    }
    for key in ["still_sd", "correlation_0_5_s", "correlation_1_s", "correlation_5_s", "gaps_1_s_pct", "gaps_10_s_pct"]
    {
        let (simulated, measured) = figures(key);
        let within = measured.p10..=measured.p90;
        assert!(within.contains(&simulated.value), "{key}: {simulated:?} and {measured:?} measured");
    }
}
