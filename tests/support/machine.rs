//! What a test may need of the machine, and says loudly when it is not there.
#![allow(dead_code, unreachable_pub, reason = "each test takes what it needs")]

use std::path::Path;
use std::process::{Command, Stdio};

/// Says loudly what cannot be tried here; fails where the caller has asked for everything.
pub fn skip(what: &str) {
    eprintln!("SKIPPED: {what}");
    assert!(std::env::var_os("NBE_REQUIRE_PEERS").is_none_or(|value| value != "1"), "this is asked for: {what}");
}

/// Whether a test may mount in a namespace of its own.
pub fn can_unshare() -> bool {
    let mut mount = Command::new("unshare");
    mount.args(["-rm", "mount", "-t", "tmpfs", "none", "/run"]).stderr(Stdio::null());
    let can = mount.status().is_ok_and(|status| status.success());
    if !can {
        skip("what takes a mount namespace (unshare -rm)");
    }
    can
}

/// Whether this is root, for whom no file is closed.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Runs the command that is added as another account; only root can.
pub fn as_nobody() -> Option<Command> {
    let account = ["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"];
    let mut command = Command::new("setpriv");
    command.args(account);
    if Command::new("setpriv").args(account).arg("true").status().is_ok_and(|status| status.success()) {
        return Some(command);
    }
    skip("what another account may do, which takes root and setpriv");
    None
}

/// Copies the program to where another account may run it, for where it is built that account may not go.
pub fn copy_program(to: &Path) {
    // By another process: a child of another test would hold the copy open for writing, and it could not be run.
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_nbe")).arg(to).status();
    assert!(copied.is_ok_and(|status| status.success()), "cannot copy the program to {}", to.display());
}
