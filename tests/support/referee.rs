//! The referee, an independent program that scores detectors on real traces, where it lies beside the project.
#![allow(unreachable_pub, reason = "each test is a crate of its own")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The folder of shared material beside the project; says loudly, past the test harness, why there is no referee.
pub fn shared() -> Option<PathBuf> {
    let skip = |why: &str| {
        let line = format!("SKIPPED, LOUDLY: {why}, so the referee was not asked\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        None
    };
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let folder = std::env::var_os("NBE_SHARED").map_or(beside, PathBuf::from);
    if !folder.join("eval/detection_eval.py").exists() {
        assert!(std::env::var_os("NBE_SHARED").is_none(), "NBE_SHARED leads to no referee");
        return skip("no shared/eval beside the project");
    }
    if Command::new("python3").arg("--version").output().is_err() {
        assert!(std::env::var_os("NBE_REQUIRE_PEERS").is_none(), "python3 is missing and NBE_REQUIRE_PEERS is set");
        return skip("no python3");
    }
    Some(folder)
}

/// All numbers of the referee, which is asked with these words; `detector` is how it runs the program.
pub fn ask(shared: &Path, detector: &str, name: &str, words: &[&str]) -> Value {
    let work = tempfile::tempdir().unwrap();
    let json = work.path().join("numbers.json");
    let mut command = Command::new("python3");
    command.args(["-B", "detection_eval.py", "--detector", detector, "--name", name, "--json"]).arg(&json);
    let done = without_configuration(command.args(words)).current_dir(shared.join("eval")).output().unwrap();
    assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap()
}

/// A command that the environment of whoever runs the tests does not configure.
pub fn without_configuration(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os() {
        if ["NBE_", "RSSI_", "AGENT_URL"].iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command
}
