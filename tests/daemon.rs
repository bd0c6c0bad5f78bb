//! The daemon as a user runs it: the program itself, a virtual dongle, the reference agent, signals and edited files.
#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Long enough for a busy machine; every wait ends as soon as what it waits for is there.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program of ours, ended with the test.
struct Program {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
    /// For its control socket, so that none is in another's way.
    _runtime: tempfile::TempDir,
}

impl Program {
    /// Starts `nbe` with these words; its lines come from `stdout` or, for a daemon's log, from standard error.
    fn start(words: &[&str], from_stdout: bool, variables: &[(&str, &Path)]) -> Self {
        Self::start_in(Path::new("."), words, from_stdout, variables)
    }

    fn start_in(folder: &Path, words: &[&str], from_stdout: bool, variables: &[(&str, &Path)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nbe"));
        command.current_dir(folder);
        command.args(words).stdin(Stdio::null()).env_remove("NBE_CONFIG").env_remove("STATE_DIRECTORY");
        let runtime = tempfile::tempdir().unwrap();
        command.env("RUNTIME_DIRECTORY", runtime.path());
        command.envs(variables.iter().map(|(name, value)| (name, value.as_os_str())));
        let (stdout, stderr) =
            if from_stdout { (Stdio::piped(), Stdio::null()) } else { (Stdio::null(), Stdio::piped()) };
        let mut child = command.stdout(stdout).stderr(stderr).spawn().unwrap();
        let (send, lines) = channel();
        let output: Box<dyn std::io::Read + Send> = match (child.stdout.take(), child.stderr.take()) {
            (Some(stdout), _) => Box::new(stdout),
            (None, Some(stderr)) => Box::new(stderr),
            (None, None) => unreachable!("one of them is piped"),
        };
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines, seen: Vec::new(), _runtime: runtime }
    }

    /// Waits for a line like that.
    fn expect(&mut self, what: &str, mut is_it: impl FnMut(&str) -> bool) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if is_it(&line) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Timeout) => panic!("no {what} in {PATIENCE:?}; seen:\n{}", self.seen.join("\n")),
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("it ended without {what}; seen:\n{}", self.seen.join("\n"))
                }
            }
        }
    }

    fn signal(&self, name: &str) {
        let pid = rustix::process::Pid::from_child(&self.child);
        let signal = match name {
            "TERM" => rustix::process::Signal::TERM,
            "HUP" => rustix::process::Signal::HUP,
            "STOP" => rustix::process::Signal::STOP,
            "CONT" => rustix::process::Signal::CONT,
            _ => rustix::process::Signal::INT,
        };
        rustix::process::kill_process(pid, signal).unwrap();
    }

    fn wait(&mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < end, "it does not end; seen:\n{}", self.seen.join("\n"));
            std::thread::sleep(Duration::from_millis(10)); // waiting for a process, which no clock of ours steps
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder with a virtual dongle, an agent and a configuration.
struct Place {
    folder: tempfile::TempDir,
    agent_url: String,
    _dongle: Program,
    agent: Program,
}

impl Place {
    fn new(scenario: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("scenario.toml"), scenario).unwrap();
        let (link, file) = (path("dongle"), path("scenario.toml"));
        let words = ["simulate", "--link", link.to_str().unwrap(), "--scenario", file.to_str().unwrap(), "--seed", "7"];
        let mut dongle = Program::start(&words, false, &[]);
        dongle.expect("a virtual dongle", |line| line.starts_with("scenario"));
        let (agent, agent_url) = agent(0);
        Self { folder, agent_url, _dongle: dongle, agent }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn configure(&self, keys: &str) {
        let text = format!("agent_url = \"{}\"\n{keys}\n", self.agent_url);
        // As careful editors do: the new file in one step.
        fs::write(self.path("nbe.toml.new"), text).unwrap();
        fs::rename(self.path("nbe.toml.new"), self.path("nbe.toml")).unwrap();
    }

    fn daemon(&self, more: &[&str]) -> Program {
        let (config, port) = (self.path("nbe.toml"), self.path("dongle"));
        let mut words = vec!["run", "--config", config.to_str().unwrap(), "--port", port.to_str().unwrap()];
        words.extend(more);
        Program::start(&words, false, &[("STATE_DIRECTORY", self.folder.path())])
    }

    /// Waits until the agent gets an event like that.
    fn event(&mut self, name: &str, key: &str, value: &str) -> Value {
        let mut found = Value::Null;
        self.agent.expect(&format!("{name} {key}={value}"), |line| {
            let event: Value = serde_json::from_str(line).unwrap();
            let matches = event["event"] == name && event["payload"][key] == value;
            if matches {
                found = event["payload"].clone();
            }
            matches
        });
        found
    }
}

/// Starts an agent and learns where it listens.
fn agent(port: u16) -> (Program, String) {
    // The port is chosen by the system, tried and released; the agent says if somebody was quicker.
    let port =
        if port == 0 { std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port() } else { port };
    let listen = format!("127.0.0.1:{port}");
    let agent = Program::start(&["agent", "--listen", &listen], true, &[]);
    (agent, format!("ws://{listen}/socket/websocket"))
}

const DESK: &str = "[[band]]\nid = \"desk\"\naddress = \"5c:f3:70:8a:11:02\"\ndistance_m = 0.5\nplace_sd_db = 0\n";

#[test]
fn the_daemon_tells_the_agent_and_stops_politely() {
    let mut place = Place::new(DESK);
    place.configure("rssi_window_long = 10");
    let mut daemon = place.daemon(&["--log-format", "json"]);
    let started = daemon.expect("a start", |line| line.contains("\"started\""));
    assert!(serde_json::from_str::<Value>(&started).is_ok(), "{started}");
    place.event("adapter.state", "state", "scanning");
    let present = place.event("band.presence", "after", "present");
    assert_eq!(present["band"]["addr"], "5c:f3:70:8a:11:02");
    assert_eq!(present["authenticated"], Value::Null, "presence says nothing about who");
    let near = place.event("band.trend", "after", "near");
    assert_eq!(near["authenticated"], false);
    assert!(near["why"]["n"].as_u64().unwrap() >= 4, "{near}");
    daemon.signal("TERM");
    place.event("endpoint.state", "state", "stopping");
    assert!(daemon.wait().success());
    assert!(!daemon.seen.iter().any(|line| line.contains("5c:f3:70")), "an address stands in the log");
}

#[test]
fn an_edit_takes_effect_at_once_and_a_bad_one_not_at_all() {
    let mut place = Place::new(DESK);
    place.configure("");
    let mut daemon = place.daemon(&[]);
    let before = place.event("band.trend", "after", "near")["cfg"].clone();
    place.configure("rssi_tap_threshold = 42");
    daemon.expect("a mistake with its place", |line| {
        line.contains("nbe.toml:2:22") && line.contains("is the minus sign missing?")
    });
    let rejected = place.event("endpoint.state", "state", "config_rejected");
    assert!(rejected["reason"].as_str().unwrap().contains("rssi_tap_threshold"), "{rejected}");
    place.configure("rssi_tap_threshold = -42\nrssi_cutoff_far = -80\nrssi_cutof_close = -70");
    daemon.expect("a warning with its cure", |line| line.contains("did you mean rssi_cutoff_close?"));
    daemon.expect("a reload", |line| line.contains("configuration reloaded"));
    place.event("endpoint.state", "state", "online");
    let held = place.event("band.trend", "after", "hold");
    assert_ne!(held["cfg"], before, "decided under the new configuration, without becoming near again");
}

#[test]
fn a_part_of_the_log_is_turned_up_while_the_daemon_runs() {
    let place = Place::new(DESK);
    place.configure("[log]\nlevel = \"warn\"\nparts = { service = \"info\" }");
    let mut daemon = place.daemon(&[]);
    daemon.expect("a start, which the service tells", |line| line.contains("started"));
    place.configure("[log]\nlevel = \"warn\"\n[log.parts]\nservice = \"info\"\nwire = \"trace\"");
    daemon.expect("bytes of the wire", |line| line.contains("TRACE") && line.contains("bytes"));
    assert!(!daemon.seen.iter().any(|line| line.contains("INFO") && line.contains("adapter{")), "{:?}", daemon.seen);
}

#[test]
fn a_dongle_left_out_of_an_edited_file_is_gone_and_the_other_goes_on() {
    let mut place = Place::new(DESK);
    let link = place.path("second");
    let words = ["simulate", "--link", link.to_str().unwrap(), "--seed", "8"];
    let mut second = Program::start(&words, false, &[]);
    second.expect("a second dongle", |line| line.starts_with("scenario"));
    let table = |name: &str| format!("[[adapter]]\nport = {:?}\n", place.path(name));
    let (both, first) = (format!("{}{}", table("dongle"), table("second")), table("dongle"));
    place.configure(&both);
    let config = place.path("nbe.toml");
    let mut daemon = Program::start(&["run", "--config", config.to_str().unwrap()], false, &[]);
    for _ in 0..2 {
        place.event("adapter.state", "state", "scanning");
    }
    place.configure(&first);
    daemon.expect("a reload", |line| line.contains("configuration reloaded"));
    let gone = place.event("adapter.state", "state", "absent");
    assert_eq!(gone["adapter"], "adapter1");
    place.event("band.trend", "after", "hold");
    assert!(!daemon.seen.iter().any(|line| line.contains("unplugged")), "the first was left alone");
}

#[test]
fn a_token_that_others_can_read_is_refused_until_it_is_mended() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new(DESK);
    place.configure("");
    let mut daemon = place.daemon(&[]);
    daemon.expect("a start", |line| line.contains("scanning"));
    let token = place.path("token");
    fs::write(&token, "s3cret-of-the-house\n").unwrap();
    fs::set_permissions(&token, fs::Permissions::from_mode(0o644)).unwrap();
    let secure = format!("agent_url = \"wss://127.0.0.1:9/socket/websocket\"\n[agent]\ntoken_file = {token:?}\n");
    fs::write(place.path("nbe.toml"), secure).unwrap();
    daemon.expect("a cure", |line| line.contains("chmod 600"));
    daemon.expect("a refusal", |line| line.contains("nothing is changed"));
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
    daemon.signal("HUP");
    daemon.expect("the agent's new address", |line| line.contains("127.0.0.1:9") && line.contains("no agent"));
    assert!(!daemon.seen.iter().any(|line| line.contains("s3cret")), "the token stands in the log");
}

#[test]
fn a_relative_path_is_watched_too() {
    let place = Place::new(DESK);
    place.configure("");
    let port = place.path("dongle");
    let words = ["run", "--config", "nbe.toml", "--port", port.to_str().unwrap()];
    let mut daemon = Program::start_in(place.folder.path(), &words, false, &[]);
    daemon.expect("a start", |line| line.contains("scanning"));
    place.configure("rssi_window_tap = 11");
    daemon.expect("a reload", |line| line.contains("configuration reloaded"));
}

#[test]
fn the_demo_tells_its_story_whatever_the_environment_says() {
    let elsewhere = Path::new("ws://127.0.0.1:1/socket/websocket");
    let mut demo = Program::start(&["demo"], true, &[("AGENT_URL", elsewhere), ("RSSI_CUTOFF_CLOSE", Path::new("0"))]);
    for beat in ["ARRIVES", "TAPS", "LEAVES", "RETURNS", "acknowledged every fact"] {
        demo.expect(beat, |line| line.contains(beat));
    }
    assert!(demo.wait().success());
}

#[cfg(target_os = "linux")]
#[test]
fn the_service_manager_is_told_how_it_goes() {
    let place = Place::new(DESK);
    place.configure("");
    let socket = place.path("notify");
    let manager = std::os::unix::net::UnixDatagram::bind(&socket).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    let (config, port) = (place.path("nbe.toml"), place.path("dongle"));
    let words = ["run", "--config", config.to_str().unwrap(), "--port", port.to_str().unwrap()];
    let variables = [("NOTIFY_SOCKET", socket.as_path()), ("WATCHDOG_USEC", Path::new("400000"))];
    let mut daemon = Program::start(&words, false, &variables);
    let mut told = String::new();
    let mut expect = |wanted: &str| {
        let mut message = [0; 4096];
        let end = Instant::now() + PATIENCE;
        while !told.contains(wanted) {
            assert!(Instant::now() < end, "no {wanted} after\n{told}");
            let read = manager.recv(&mut message).unwrap_or_else(|_| panic!("no {wanted} after\n{told}"));
            told.push_str(&String::from_utf8_lossy(&message[..read]));
            told.push('\n');
        }
        told.clear();
    };
    expect("READY=1");
    expect("STATUS=scanning at");
    expect("agent joined");
    expect("WATCHDOG=1");
    expect("WATCHDOG=1");
    // An agent that hangs, with something to tell it.
    place.agent.signal("STOP");
    place.configure("rssi_tap_threshold = -42");
    expect("agent joined, but it does not acknowledge");
    place.agent.signal("CONT");
    expect("agent joined\n");
    daemon.signal("TERM");
    expect("STOPPING=1");
    assert!(daemon.wait().success());
}

#[test]
fn sighup_looks_at_once() {
    let mut place = Place::new(DESK);
    place.configure("");
    let mut daemon = place.daemon(&[]);
    place.event("adapter.state", "state", "scanning");
    daemon.signal("HUP");
    daemon.expect("a look", |line| line.contains("nothing in the configuration has changed"));
    daemon.signal("INT");
    assert!(daemon.wait().success());
}

#[test]
fn a_bad_file_at_the_start_means_the_last_good_copy_or_exit_code_78() {
    let mut place = Place::new(DESK);
    place.configure("rssi_window_tap = 0");
    let mut daemon = place.daemon(&[]);
    assert_eq!(daemon.wait().code(), Some(78), "there is no good copy yet");
    daemon.expect("the mistake", |line| line.contains("rssi_window_tap must be 1 to 200"));

    place.configure("rssi_window_tap = 7");
    let mut daemon = place.daemon(&[]);
    place.event("adapter.state", "state", "scanning");
    daemon.signal("TERM");
    daemon.wait();

    // Neither a value out of range nor a file that is not there may stand in the way, or be kept as good.
    let missing = "rssi_window_tap = 0";
    let no_token = "[agent]\ntoken_file = \"/nonexistent/token\"";
    for bad in [missing, no_token] {
        place.configure(bad);
        if bad == no_token {
            let secure = format!("agent_url = \"wss://127.0.0.1:9/socket/websocket\"\n{bad}\n");
            fs::write(place.path("nbe.toml"), secure).unwrap();
        }
        let mut daemon = place.daemon(&[]);
        daemon.expect("the old value", |line| line.contains("rssi_window_tap = 7"));
        place.event("endpoint.state", "state", "config_rejected");
    }
    let other = place.path("other.toml");
    fs::write(&other, "rssi_window_tap = 0\n").unwrap();
    let words = ["run", "--config", other.to_str().unwrap()];
    let mut daemon = Program::start(&words, false, &[("STATE_DIRECTORY", place.folder.path())]);
    assert_eq!(daemon.wait().code(), Some(78), "the copy is of another file");
}

#[test]
fn a_dongle_that_vanishes_comes_back_by_itself() {
    let fault = "[[fault]]\nat_s = 9\nkind = \"vanish\"\nfor_s = 1\n";
    let mut place = Place::new(&format!("{DESK}{fault}"));
    place.configure("");
    let _daemon = place.daemon(&[]);
    place.event("band.trend", "after", "near");
    let absent = place.event("adapter.state", "state", "absent");
    let again = place.event("adapter.state", "state", "scanning");
    let gone_for = again["t"].as_u64().unwrap() - absent["t"].as_u64().unwrap();
    assert!(gone_for < 3_000_000, "gone for 1 s, and {gone_for} us until the scan went on: more than 2 s after that");
    place.event("band.trend", "after", "hold");
}

#[test]
fn facts_wait_for_an_agent_that_starts_late() {
    let place = Place::new(DESK);
    // A port on which nobody listens yet.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut place = Place { agent_url: format!("ws://127.0.0.1:{port}/socket/websocket"), ..place };
    place.configure("");
    let mut daemon = place.daemon(&[]);
    daemon.expect("nobody listening", |line| line.contains("nothing listens on 127.0.0.1"));
    daemon.expect("a decision", |line| line.contains("near"));
    place.agent = agent(port).0;
    let mut snapshot = Value::Null;
    place.agent.expect("a snapshot", |line| {
        snapshot = serde_json::from_str(line).unwrap();
        snapshot["event"] == "snapshot"
    });
    let band = &snapshot["payload"]["bands"][0];
    assert_eq!((&band["presence"], &band["side"]), (&"present".into(), &"near".into()), "{snapshot}");
}

#[test]
fn a_laboratory_gets_every_advert() {
    let mut place = Place::new(DESK);
    place.configure("");
    let mut daemon = place.daemon(&["--forward-adverts"]);
    daemon.expect("a loud word", |line| line.contains("for laboratories only"));
    let mut data = String::new();
    place.agent.expect("an advert", |line| {
        let event: Value = serde_json::from_str(line).unwrap();
        data = event["payload"]["data"].as_str().unwrap_or_default().to_owned();
        event["event"] == "advert"
    });
    assert!(data.contains("ffb201"), "the company's data as hex: {data}");
}
