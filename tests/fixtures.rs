//! Captures beside what the program says to them. A capture joins by being dropped in; `UPDATE=1` writes the answers.
//!
//! `fixtures/decode/NAME.hex` has its answer in `NAME.txt`; `fixtures/replay/NAME.csv` or `NAME.bin` is decided by
//! `NAME.toml` (raw bytes at 25 frames a second) and has its answer in `NAME.jsonl`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn captures(folder: &str, extensions: &[&str]) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder);
    let mut captures: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    captures.retain(|path| path.extension().is_some_and(|found| extensions.iter().any(|wanted| found == *wanted)));
    captures.sort();
    assert!(!captures.is_empty(), "no captures in {}", folder.display());
    captures
}

fn nbe(arguments: &[&str]) -> String {
    let done = Command::new(env!("CARGO_BIN_EXE_nbe")).args(arguments).output().unwrap();
    assert!(done.status.success(), "nbe {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

fn compare(capture: &Path, answer: &Path, said: &str) {
    if std::env::var_os("UPDATE").is_some() {
        return fs::write(answer, said).unwrap();
    }
    let expected = fs::read_to_string(answer).unwrap_or_default();
    for (line, (expected, said)) in expected.lines().zip(said.lines()).enumerate() {
        assert_eq!(said, expected, "{}, line {} of the answer (UPDATE=1 takes it over)", capture.display(), line + 1);
    }
    assert_eq!(said.lines().count(), expected.lines().count(), "{}: lines", capture.display());
}

#[test]
fn captures_decode_as_noted() {
    for capture in captures("decode", &["hex"]) {
        let said = nbe(&["decode", "--hex", capture.to_str().unwrap()]);
        compare(&capture, &capture.with_extension("txt"), &said);
    }
}

#[test]
fn captures_replay_to_the_decisions_noted() {
    for capture in captures("replay", &["csv", "bin"]) {
        let config = capture.with_extension("toml");
        let mut arguments = vec!["replay", "--json", "--config", config.to_str().unwrap(), capture.to_str().unwrap()];
        if capture.extension().is_some_and(|extension| extension == "bin") {
            arguments.extend(["--rate", "25"]);
        }
        compare(&capture, &capture.with_extension("jsonl"), &nbe(&arguments));
    }
}
