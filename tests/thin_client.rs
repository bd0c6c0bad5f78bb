//! What a thin client needs: keys from the environment, the older place of nbe.toml, a disk that cannot be written.
#![cfg(target_os = "linux")]

#[path = "support/machine.rs"]
mod machine;

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use self::machine::{can_unshare, skip};

/// Long enough for a busy machine; every wait ends as soon as what it waits for is there.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is said where nothing outlives a restart.
const IN_MEMORY: &str = "state is kept in memory only, since ";

/// The command with nothing of the environment that matters to it.
fn plain(mut command: Command) -> Command {
    for name in
        ["NBE_CONFIG", "STATE_DIRECTORY", "RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR", "NOTIFY_SOCKET", "JOURNAL_STREAM"]
    {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

/// A folder with a configuration, and the log of a daemon.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::create_dir(place.path("state")).unwrap();
        place.configure(10);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn configure(&self, rssi_window_tap: u8) {
        let text = format!("agent_url = \"ws://127.0.0.1:1/socket/websocket\"\nrssi_window_tap = {rssi_window_tap}\n");
        fs::write(self.path("nbe.toml.new"), text).unwrap();
        fs::rename(self.path("nbe.toml.new"), self.path("nbe.toml")).unwrap();
    }

    /// A daemon that has started, below `prepare`, a script in a mount namespace of its own with the folder as `$1`.
    fn daemon_after(&self, prepare: &str) -> Daemon {
        let mut command = Command::new("unshare");
        let script = format!("{prepare} && shift && exec \"$@\"");
        command.args(["-rm", "sh", "-c", &script, "sh"]).arg(self.0.path()).arg(env!("CARGO_BIN_EXE_nbe"));
        self.daemon(command, "run")
    }

    fn daemon(&self, command: Command, words: &str) -> Daemon {
        let mut command = plain(command);
        command.args(words.split(' ')).args(["--port", "/nowhere"]);
        command.env("STATE_DIRECTORY", self.path("state")).env("RUNTIME_DIRECTORY", self.0.path());
        command.env("NBE_CONFIG", self.path("nbe.toml"));
        self.start(command)
    }

    fn start(&self, mut command: Command) -> Daemon {
        let log = self.path("log");
        let child = command.stdout(Stdio::null()).stderr(File::create(&log).unwrap()).spawn().unwrap();
        let daemon = Daemon { child, log };
        daemon.expect("started", 1);
        daemon
    }
}

/// Ended with the test.
struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Waits until as many lines say that.
    fn expect(&self, words: &str, times: usize) {
        let end = Instant::now() + PATIENCE;
        while self.log().matches(words).count() < times {
            assert!(Instant::now() < end, "no {words:?} (times: {times}); seen:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(10)); // waiting for a process, which no clock of ours steps
        }
    }

    /// How often a line says that, once the daemon has ended as it should.
    fn said(mut self, words: &str) -> usize {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success(), "{}", self.log());
        self.log().matches(words).count()
    }

    /// A path as the daemon sees it.
    fn sees(&self, path: &Path) -> PathBuf {
        let root = format!("/proc/{}/root", self.child.id());
        Path::new(&root).join(path.strip_prefix("/").unwrap())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What `nbe check` says in this environment, by key: value and origin.
fn checked(environment: &[(&str, &str)], file: Option<&str>) -> (Output, Vec<(String, String)>) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = plain(Command::new(env!("CARGO_BIN_EXE_nbe")));
    command.args(["check", "--json"]).envs(environment.iter().copied());
    if let Some(text) = file {
        let path = folder.path().join("nbe.toml");
        fs::write(&path, text).unwrap();
        command.arg(path);
    }
    let done = command.output().unwrap();
    let said: Value = serde_json::from_slice(&done.stdout).unwrap();
    let origin = |value: &Value| match value["origin"]["layer"].as_str().unwrap() {
        "environment" => value["origin"]["name"].as_str().unwrap().to_owned(),
        layer => layer.to_owned(),
    };
    let told =
        |value: &Value| (value["key"].as_str().unwrap().to_owned(), format!("{} {}", value["value"], origin(value)));
    let values = said["values"].as_array().unwrap().iter().map(told).collect();
    (done, values)
}

#[test]
fn the_six_keys_come_from_the_environment_in_capitals() {
    let environment = [
        ("AGENT_URL", "wss://agent.example:9120/socket/websocket"),
        ("RSSI_WINDOW_TAP", "12"),
        ("RSSI_WINDOW_LONG", "40"),
        ("RSSI_TAP_THRESHOLD", "-42"),
        ("RSSI_CUTOFF_CLOSE", "-69"),
        ("RSSI_CUTOFF_FAR", "-83"),
        ("NBE_ABSENT_AFTER_S", "20"),
        ("NBE_LOG__LEVEL", "warn"),
    ];
    let expected = [
        ("agent_url", "\"wss://agent.example:9120/socket/websocket\" AGENT_URL"),
        ("rssi_window_tap", "12 RSSI_WINDOW_TAP"),
        ("rssi_window_long", "40 RSSI_WINDOW_LONG"),
        ("rssi_tap_threshold", "-42 RSSI_TAP_THRESHOLD"),
        ("rssi_cutoff_close", "-69 RSSI_CUTOFF_CLOSE"),
        ("rssi_cutoff_far", "-83 RSSI_CUTOFF_FAR"),
        ("absent_after_s", "20 NBE_ABSENT_AFTER_S"),
        ("log.level", "\"warn\" NBE_LOG__LEVEL"),
    ];
    // The file need not have agent_url where the environment has it.
    for file in [None, Some("rssi_window_tap = 9\nrssi_window_long = 9\n[log]\nformat = \"json\"\n")] {
        let (done, values) = checked(&environment, file);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
        for (key, value) in expected {
            assert!(values.contains(&(key.to_owned(), value.to_owned())), "{key}: {values:#?}");
        }
        assert!(file.is_none() || values.contains(&("log.format".into(), "\"json\" file".into())), "{values:#?}");
    }
    let (done, _) = checked(&[("RSSI_TAP_THRESHOLD", "42")], None);
    let said = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.code() == Some(1) && said.contains("is the minus sign missing?"), "{said}");
}

#[test]
fn a_daemon_runs_by_the_file_at_the_older_place_and_names_the_way_on() {
    if !can_unshare() {
        return;
    }
    let place = Place::new();
    let mut command = plain(Command::new("unshare"));
    let script = "mount -t tmpfs none /usr/bin && read -r url < \"$1\" && echo \"$url\" > /usr/bin/nbe.toml && shift && exec \"$@\"";
    command.args(["-rm", "sh", "-c", script, "sh"]).arg(place.path("nbe.toml")).arg(env!("CARGO_BIN_EXE_nbe"));
    command.args(["run", "--port", "/nowhere"]).env("RSSI_WINDOW_TAP", "12").env("RUNTIME_DIRECTORY", place.0.path());
    if Path::new("/etc/nbe/nbe.toml").exists() {
        return skip("the older place, since there is a file at the new one");
    }
    let daemon = place.start(command);
    daemon.expect("is read from its older place", 1);
    daemon.expect("`nbe migrate --write` makes /etc/nbe/nbe.toml of it", 1);
    daemon.expect("rssi_window_tap = 12 (environment RSSI_WINDOW_TAP)", 1);
    daemon.expect("agent_url = \"ws://127.0.0.1:1/socket/websocket\" (/usr/bin/nbe.toml:1)", 1);
}

#[test]
fn a_file_that_goes_is_told_with_what_holds_in_its_place() {
    if !can_unshare() {
        return;
    }
    if Path::new("/usr/bin/nbe.toml").exists() {
        return skip("a file that goes, since there is one at the older place");
    }
    let place = Place::new();
    place.configure(12);
    let mut command = plain(Command::new("unshare"));
    let script = "mount -t tmpfs none /etc && mkdir /etc/nbe && while read -r line; do echo \"$line\"; done < \"$1\" \
                  > /etc/nbe/nbe.toml && shift && exec \"$@\"";
    command.args(["-rm", "sh", "-c", script, "sh"]).arg(place.path("nbe.toml")).arg(env!("CARGO_BIN_EXE_nbe"));
    command.args(["run", "--port", "/nowhere"]).env("RUNTIME_DIRECTORY", place.0.path());
    let daemon = place.start(command);
    fs::remove_file(daemon.sees(Path::new("/etc/nbe/nbe.toml"))).unwrap();
    daemon.expect("WARN /etc/nbe/nbe.toml is gone: the defaults hold", 1);
    daemon.expect("INFO rssi_window_tap: 12 -> 10  (default)", 1);
    daemon.expect("INFO agent_url: \"ws://127.0.0.1:1/socket/websocket\" -> \"ws://127.0.0.1:9120/", 1);
    daemon.expect("configuration reloaded", 1);
    assert_eq!(daemon.said("adapter[0].port"), 1, "what has not changed is not told again");
}

#[test]
fn with_a_read_only_root_it_runs_and_says_once_that_state_is_in_memory() {
    if !can_unshare() {
        return;
    }
    let place = Place::new();
    // All of the system but /run, and no nbe.toml: the defaults and the environment.
    let mut command = plain(Command::new("unshare"));
    let script =
        "mount -t tmpfs none /run && mkdir /run/nbe && mount -o remount,bind,ro / && ! touch /x && exec \"$@\"";
    command.args(["-rm", "sh", "-c", script, "sh", env!("CARGO_BIN_EXE_nbe"), "run", "--port", "/nowhere"]);
    command.env("AGENT_URL", "ws://127.0.0.1:1/socket/websocket").env("RUNTIME_DIRECTORY", "/run/nbe");
    command.env("STATE_DIRECTORY", "/var/lib");
    let daemon = place.start(command);
    let cause = format!("{IN_MEMORY}/var/lib is on a read-only file system: at the next start, no copy of");
    daemon.expect(&cause, 1);
    let mut ask = plain(Command::new(env!("CARGO_BIN_EXE_nbe")));
    ask.args(["status", "--json", "--socket"]).arg(daemon.sees(Path::new("/run/nbe/control.sock")));
    let status: Value = serde_json::from_slice(&ask.output().unwrap().stdout).unwrap();
    assert_eq!(status["pid"], daemon.child.id(), "{status}");
    assert_eq!(daemon.said(IN_MEMORY), 1);
}

#[test]
fn a_read_only_state_directory_is_told_once_however_often_the_configuration_changes() {
    if !can_unshare() {
        return;
    }
    let place = Place::new();
    let daemon = place.daemon_after("mount --bind \"$1/state\" \"$1/state\" && mount -o remount,bind,ro \"$1/state\"");
    daemon.expect(&format!("{IN_MEMORY}{} is on a read-only file system", place.path("state").display()), 1);
    for (times, tap) in [(1, 11), (2, 12), (3, 13)] {
        place.configure(tap);
        daemon.expect("configuration reloaded", times);
    }
    assert_eq!(daemon.said(IN_MEMORY), 1);
    assert_eq!(fs::read_dir(place.path("state")).unwrap().count(), 0);
}

#[test]
fn an_earlier_copy_on_a_read_only_disk_still_stands_in_for_a_mistake() {
    if !can_unshare() {
        return;
    }
    let place = Place::new();
    let daemon = place.daemon(Command::new(env!("CARGO_BIN_EXE_nbe")), "run");
    assert_eq!(daemon.said(IN_MEMORY), 0);
    place.configure(0);
    let read_only = "mount --bind \"$1/state\" \"$1/state\" && mount -o remount,bind,ro \"$1/state\"";
    let daemon = place.daemon_after(read_only);
    daemon.expect("running by the last good copy", 1);
    assert!(!daemon.log().contains(IN_MEMORY), "there was nothing to keep yet: {}", daemon.log());
    place.configure(12);
    daemon.expect("configuration reloaded", 1);
    daemon.expect(IN_MEMORY, 1);
}

#[test]
fn a_full_disk_is_told_once_and_so_is_its_end() {
    if !can_unshare() {
        return;
    }
    let place = Place::new();
    let full = "mount -t tmpfs -o size=32k none \"$1/state\" && cp \"$1/nbe.toml\" \"$1/state/last-good.toml\" && \
                ! head -c 64k /dev/zero > \"$1/state/filler\" 2> /dev/null";
    let daemon = place.daemon_after(full);
    let state = daemon.sees(&place.path("state"));
    daemon.expect(&format!("{IN_MEMORY}there is no space left in {}", place.path("state").display()), 1);
    place.configure(11);
    daemon.expect("configuration reloaded", 1);
    let names = || {
        let names = fs::read_dir(&state).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    };
    assert_eq!(names(), ["filler", "last-good.toml"], "nothing half written is left");
    let earlier = fs::read_to_string(state.join("last-good.toml")).unwrap();
    assert!(earlier.contains("rssi_window_tap = 10"), "the copy before is whole: {earlier}");

    fs::remove_file(state.join("filler")).unwrap();
    place.configure(12);
    daemon.expect(&format!("state is kept in {} from now on", place.path("state").display()), 1);
    assert_eq!(names(), ["endpoint_id", "last-good.toml"]);
    assert!(fs::read_to_string(state.join("last-good.toml")).unwrap().contains("rssi_window_tap = 12"));
    place.configure(13);
    daemon.expect("configuration reloaded", 3);
    let log = daemon.log();
    assert_eq!(daemon.said(IN_MEMORY), 1, "{log}");
    assert_eq!(log.matches("from now on").count(), 1, "{log}");
}

#[test]
fn a_state_directory_that_is_missing_is_used_once_it_is_there() {
    let place = Place::new();
    fs::remove_dir(place.path("state")).unwrap();
    let daemon = place.daemon(Command::new(env!("CARGO_BIN_EXE_nbe")), "run");
    daemon.expect(&format!("{IN_MEMORY}{} does not exist", place.path("state").display()), 1);
    fs::create_dir(place.path("state")).unwrap();
    place.configure(11);
    daemon.expect("from now on", 1);
    assert!(place.path("state/last-good.toml").exists());
    assert_eq!(daemon.said(IN_MEMORY), 1);
}

#[test]
fn without_any_state_directory_that_is_said_and_no_alarm() {
    let place = Place::new();
    let mut command = plain(Command::new(env!("CARGO_BIN_EXE_nbe")));
    command.args(["run", "--port", "/nowhere", "--config"]).arg(place.path("nbe.toml"));
    command.env("RUNTIME_DIRECTORY", place.0.path()).env("STATE_DIRECTORY", "");
    if Path::new("/var/lib/nbe").exists() {
        return skip("no state directory, since /var/lib/nbe is there");
    }
    let daemon = place.start(command);
    daemon.expect(&format!("INFO {IN_MEMORY}/var/lib/nbe does not exist, and STATE_DIRECTORY is not set"), 1);
    place.configure(11);
    daemon.expect("configuration reloaded", 1);
    assert_eq!(daemon.said(IN_MEMORY), 1);
}

#[test]
fn a_state_directory_of_another_account_is_told_as_such() {
    let place = Place::new();
    fs::set_permissions(place.0.path(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(place.path("nbe.toml"), fs::Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(place.path("state"), fs::Permissions::from_mode(0o555)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_nbe"));
    // A directory's mode does not stop root.
    if machine::is_root() {
        let Some(mut nobody) = machine::as_nobody() else { return };
        machine::copy_program(&place.path("nbe"));
        nobody.arg(place.path("nbe"));
        command = nobody;
    }
    let daemon = place.daemon(command, "run");
    daemon.expect(&format!("{IN_MEMORY}this account may not write to {}", place.path("state").display()), 1);
    assert_eq!(daemon.said(IN_MEMORY), 1);
}
