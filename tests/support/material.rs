//! What lies beside the project: recordings with truth, and programs that judge.
#![allow(unreachable_pub, reason = "each test is a crate of its own")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of shared material beside the project, where it has this; else says loudly, past the test harness, what
/// was not done.
pub fn shared(has: &str, not_done: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let folder = std::env::var_os("NBE_SHARED").map_or(beside, PathBuf::from);
    if folder.join(has).exists() {
        return Some(folder);
    }
    assert!(std::env::var_os("NBE_SHARED").is_none(), "NBE_SHARED has no {has}");
    say(&format!("no shared/{has} beside the project, so {not_done}"));
    None
}

/// Says that something was left out, past the test harness.
pub fn say(why: &str) {
    std::io::stderr().write_all(format!("SKIPPED, LOUDLY: {why}\n").as_bytes()).unwrap();
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
