//! The daemon's log in a file: bounded, whole lines, and on standard error while the file cannot be written.
#![cfg(target_os = "linux")]

#[path = "support/daemon.rs"]
mod daemon;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::Instant;

use self::daemon::{PATIENCE, Place, Program, nbe, program};

/// Waits for what a process writes, which no clock of ours steps.
fn wait_for(what: &str, mut is_it: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_it() {
        assert!(Instant::now() < end, "no {what}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

fn configure(place: &Place, log: &str) {
    place.configure("ws://127.0.0.1:1/socket/websocket", &format!("[log]\nfile = {:?}\n{log}", place.path("nbe.log")));
}

#[test]
fn lines_go_to_the_file_which_stays_as_small_as_it_is_to() {
    let place = Place::new();
    let mut command = nbe(program());
    command.args(["simulate", "--seed", "7", "--link"]).arg(place.path("dongle"));
    let mut dongle = Program::start(&mut command, false);
    dongle.expect("scenario");
    configure(&place, "file_max_kib = 64\nformat = \"json\"\nparts = { wire = \"trace\" }");
    let daemon = Program::start(&mut place.command(), false);
    let read = |name: &str| fs::read_to_string(place.path(name)).unwrap_or_default();
    wait_for("start in the file", || read("nbe.log").contains("\"message\":\"started\""));
    // Every byte of the wire: more than the file holds within seconds.
    wait_for("second file", || place.path("nbe.log.1").exists());
    daemon.signal(rustix::process::Signal::TERM);
    let (ended, said) = daemon.end();
    assert!(ended.success());
    assert_eq!(said, "", "nothing is said twice");
    for name in ["nbe.log", "nbe.log.1"] {
        let text = read(name);
        assert!(text.len() <= 64 * 1024, "{name} has {} bytes", text.len());
        for line in text.lines() {
            assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{name}: {line}");
        }
        let mode = fs::metadata(place.path(name)).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode & !0o640, 0, "{name}: {mode:o}");
    }
    assert!(read("nbe.log").contains("stopping: SIGTERM"));
}

#[test]
fn while_the_disk_is_full_lines_go_to_standard_error_and_that_is_said_once() {
    let place = Place::new();
    // A file system of its own, full but for one page; the test frees it from within by way of a file outside.
    let script = "mount -t tmpfs -o size=64k none \"$1\" && head -c 65536 /dev/zero >\"$1/ballast\"
                  { until [ -e \"$2\" ]; do sleep 0.05; done; rm \"$1/ballast\"; : >\"$2.done\"
                    until grep -q again \"$1/nbe.log\"; do sleep 0.05; done; cp \"$1/nbe.log\" \"$2.log\"; } &
                  shift 2; exec \"$@\"";
    let can =
        Command::new("unshare").args(["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]).stderr(Stdio::null()).status();
    if !can.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: a full disk under the log file, since no mount namespace can be had (unshare -rm)");
        assert!(std::env::var_os("NBE_REQUIRE_PEERS").is_none(), "a mount namespace is asked for");
        return;
    }
    fs::create_dir(place.path("disk")).unwrap();
    let log = place.path("disk/nbe.log");
    place.configure("ws://127.0.0.1:1/socket/websocket", &format!("[log]\nfile = {log:?}"));
    let inner = place.command();
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", script, "sh"]).arg(place.path("disk")).arg(place.path("free"));
    command.arg(inner.get_program()).args(inner.get_args()).stdin(Stdio::null()).stdout(Stdio::null());
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let mut daemon = Program::start(&mut command, false);
    daemon.expect("cannot write the log file");
    daemon.expect("started");
    daemon.expect("no agent");
    assert_eq!(daemon.count("cannot write the log file"), 1);
    fs::write(place.path("free"), "").unwrap();
    wait_for("room", || place.path("free.done").exists());
    let asked = place.nbe(&["log", "debug", "--for", "1s"]);
    assert!(asked.status.success(), "{asked:?}");
    wait_for("line in the file", || place.path("free.log").exists());
    let text = fs::read_to_string(place.path("free.log")).unwrap();
    assert!(text.starts_with("20") && text.contains("the log shows info again, as configured"), "whole lines: {text}");
    assert_eq!(daemon.count("as configured"), 0, "and not on standard error");
    daemon.stop();
}
