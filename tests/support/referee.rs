//! The referee, an independent program that scores detectors on real traces, where it lies beside the project.
#![allow(unreachable_pub, reason = "each test is a crate of its own")]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::material::{self, without_configuration};

/// The folder of shared material beside the project; says loudly why there is no referee.
pub fn shared() -> Option<PathBuf> {
    const NOT_DONE: &str = "the referee was not asked";
    let folder = material::shared("eval/detection_eval.py", NOT_DONE)?;
    if Command::new("python3").arg("--version").output().is_err() {
        assert!(std::env::var_os("NBE_REQUIRE_PEERS").is_none(), "python3 is missing and NBE_REQUIRE_PEERS is set");
        material::say(&format!("no python3, so {NOT_DONE}"));
        return None;
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
