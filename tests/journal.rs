//! The daemon's log in the systemd journal, played by a socket in a mount namespace of its own.
#![cfg(target_os = "linux")]

#[path = "support/machine.rs"]
mod machine;

use std::collections::HashMap;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use self::machine::can_unshare;

/// Long enough for a busy machine; every wait ends as soon as what it waits for is there.
const PATIENCE: Duration = Duration::from_secs(30);

/// `MESSAGE_ID` of the daemon's start, which never changes.
const STARTED: &str = "27895f761b6d42f1b2f012e660fd26d1";

/// Ended with the test.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the daemon where the journal's socket leads to `socket`, with a file for standard error.
fn daemon(folder: &Path, socket: &Path, keys: &str) -> Daemon {
    let config = folder.join("nbe.toml");
    fs::write(&config, format!("agent_url = \"ws://127.0.0.1:9/socket/websocket\"\n{keys}\n")).unwrap();
    let stderr = File::create(folder.join("stderr")).unwrap();
    let file = stderr.metadata().unwrap();
    let script = "mount -t tmpfs none /run && mkdir -p /run/systemd/journal && ln -s \"$1\" /run/systemd/journal/socket \
                  && shift && exec \"$@\"";
    let mut command = Command::new("unshare");
    command
        .args(["-rm", "sh", "-c", script, "sh"])
        .arg(socket)
        .arg(env!("CARGO_BIN_EXE_nbe"))
        .args(["run", "--config"]);
    command.arg(config).args(["--port", "/nowhere"]).env("JOURNAL_STREAM", format!("{}:{}", file.dev(), file.ino()));
    command.env_remove("NBE_CONFIG").env("STATE_DIRECTORY", folder).stdin(Stdio::null()).stdout(Stdio::null());
    Daemon(command.stderr(stderr).spawn().unwrap())
}

/// The fields of one entry of the journal's native protocol.
fn fields(mut entry: &[u8]) -> HashMap<String, String> {
    let mut fields = HashMap::new();
    while let Some(end) = entry.iter().position(|byte| *byte == b'\n') {
        let name = String::from_utf8(entry[..end].to_vec()).unwrap();
        let rest = &entry[end + 1..];
        if let Some((name, value)) = name.split_once('=') {
            fields.insert(name.to_owned(), value.to_owned());
            entry = rest;
            continue;
        }
        let (length, rest) = rest.split_first_chunk().unwrap();
        let (value, rest) = rest.split_at(u64::from_le_bytes(*length) as usize);
        fields.insert(name, String::from_utf8(value.to_vec()).unwrap());
        entry = rest.strip_prefix(b"\n").unwrap();
    }
    fields
}

#[test]
fn the_journal_gets_entries_with_their_ids_and_fields() {
    if !can_unshare() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let journal = UnixDatagram::bind(&path).unwrap();
    journal.set_read_timeout(Some(PATIENCE)).unwrap();
    let file = folder.path().join("nbe.log");
    let _daemon = daemon(folder.path(), &path, &format!("[log]\nfile = {file:?}"));
    let mut buffer = vec![0; 65_536];
    let mut next = |what: &str, is_it: &dyn Fn(&HashMap<String, String>) -> bool| loop {
        let length = journal.recv(&mut buffer).unwrap_or_else(|error| panic!("no {what}: {error}"));
        let entry = fields(&buffer[..length]);
        if is_it(&entry) {
            return entry;
        }
    };
    let unused = format!("the log goes to the journal, so nothing is written to {}", file.display());
    next("word about the file", &|entry| entry.get("MESSAGE") == Some(&unused));
    let started = next("start", &|entry| entry.get("MESSAGE_ID").is_some_and(|id| id == STARTED));
    assert_eq!(started["MESSAGE"], "started");
    assert_eq!((&*started["PRIORITY"], &*started["NBE_EVENT"], &*started["SYSLOG_IDENTIFIER"]), ("6", "501", "nbe"));
    let missing = next("missing dongle", &|entry| entry.get("NBE_EVENT").is_some_and(|number| number.starts_with('1')));
    assert!(missing.contains_key("NBE_ADAPTER"), "{missing:?}");
    assert!(missing["PRIORITY"] == "4" || missing["PRIORITY"] == "3", "{missing:?}");
    assert_eq!(fs::read_to_string(folder.path().join("stderr")).unwrap(), "", "nothing is said twice");
    assert!(!file.exists());
}

#[test]
fn while_the_journal_is_away_or_does_not_read_lines_go_to_standard_error() {
    if !can_unshare() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let bind = || {
        let journal = UnixDatagram::bind(&path).unwrap();
        journal.set_read_timeout(Some(PATIENCE)).unwrap();
        journal
    };
    let until = |journal: &UnixDatagram, message: &str| {
        let mut buffer = vec![0; 65_536];
        loop {
            let length = journal.recv(&mut buffer).unwrap_or_else(|error| panic!("no {message}: {error}"));
            if fields(&buffer[..length]).get("MESSAGE").is_some_and(|said| said == message) {
                return;
            }
        }
    };
    let journal = bind();
    let daemon = daemon(folder.path(), &path, "");
    until(&journal, "started");
    let word = "nothing in the configuration has changed";
    let ask = || {
        let pid = rustix::process::Pid::from_child(&daemon.0);
        rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
    };
    let said = || fs::read_to_string(folder.path().join("stderr")).unwrap();
    let until_said = |times: usize| {
        let end = Instant::now() + PATIENCE;
        while said().matches(word).count() < times {
            assert!(Instant::now() < end, "not said {times} times: {}", said());
            std::thread::sleep(Duration::from_millis(10)); // waiting for a process, which no clock of ours steps
        }
    };
    ask();
    until(&journal, word);

    // Away: its socket does not listen, then is not there.
    drop(journal);
    ask();
    until_said(1);
    fs::remove_file(&path).unwrap();
    ask();
    until_said(2);

    // Back, and one that does not read.
    let journal = bind();
    ask();
    until(&journal, word);
    let other = UnixDatagram::unbound().unwrap();
    other.set_nonblocking(true).unwrap();
    while other.send_to(b"MESSAGE=x\n", &path).is_ok() {}
    ask();
    until_said(3);

    // It reads again.
    while {
        journal.set_nonblocking(true).unwrap();
        journal.recv(&mut [0; 64]).is_ok()
    } {}
    journal.set_nonblocking(false).unwrap();
    ask();
    until(&journal, word);
    assert_eq!(said().matches(word).count(), 3, "each was said in one place: {}", said());
}

#[test]
fn without_a_journal_that_answers_standard_error_gets_the_lines() {
    if !can_unshare() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let _daemon = daemon(folder.path(), &folder.path().join("nobody"), "");
    let end = Instant::now() + PATIENCE;
    loop {
        let said = fs::read_to_string(folder.path().join("stderr")).unwrap();
        if said.contains("started") {
            assert!(!said.contains(STARTED), "ids are not for people: {said}");
            return;
        }
        assert!(Instant::now() < end, "no start: {said}");
        std::thread::sleep(Duration::from_millis(10)); // waiting for a process, which no clock of ours steps
    }
}
