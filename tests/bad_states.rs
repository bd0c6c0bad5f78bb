//! What an administrator meets: a clock in 1970, two daemons for one dongle, a file that may not be read, a name that is
//! not known yet. The daemon says in one sentence what is wrong, is asked how it is, and recovers by itself.
#![cfg(target_os = "linux")]

#[path = "support/daemon.rs"]
mod daemon;
#[path = "support/machine.rs"]
mod machine;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;

use self::daemon::{PATIENCE, Place, Program, nbe, program, through};
use self::machine::skip;

/// A virtual dongle with a band that lies on the desk.
fn dongle(place: &Place) -> Program {
    let scenario = "[[band]]\nid = \"desk\"\naddress = \"5c:f3:70:8a:11:02\"\ndistance_m = 0.5\nplace_sd_db = 0\n";
    fs::write(place.path("scenario.toml"), scenario).unwrap();
    let mut command = nbe(program());
    command.args(["simulate", "--seed", "7", "--link"]).arg(place.path("dongle"));
    command.arg("--scenario").arg(place.path("scenario.toml"));
    let mut dongle = Program::start(&mut command, false);
    dongle.expect("scenario");
    dongle
}

/// An agent, and the port where it listens.
fn agent() -> (Program, u16) {
    // Chosen by the system, tried and released; the agent says if somebody was quicker.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let agent = Program::start(nbe(program()).arg("agent").arg("--listen").arg(format!("127.0.0.1:{port}")), true);
    (agent, port)
}

/// `nbe status --json`.
fn status(place: &Place) -> Value {
    let output = place.nbe(&["status", "--json"]);
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}{output:?}"))
}

fn problems(status: &Value) -> Vec<(&str, &str)> {
    let problems = status["problems"].as_array().unwrap().iter();
    problems.map(|problem| (problem["code"].as_str().unwrap(), problem["text"].as_str().unwrap())).collect()
}

/// Asks until the answer is as wished.
fn status_until(place: &Place, wish: &str, is_it: impl Fn(&Value) -> bool) -> Value {
    let end = Instant::now() + PATIENCE;
    loop {
        let status = status(place);
        if is_it(&status) {
            return status;
        }
        assert!(Instant::now() < end, "not {wish}: {status:#}");
        std::thread::sleep(Duration::from_millis(50)); // waiting for a process, which no clock of ours steps
    }
}

fn is_ok(status: &Value) -> bool {
    status["state"] == "ok"
}

fn does(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// The environment that makes a program believe in the clock that a file holds, where there is libfaketime.
fn clock_of(file: &Path) -> Option<[(&'static str, PathBuf); 4]> {
    let libraries = fs::read_dir("/usr/lib").unwrap().flatten();
    let library = libraries.map(|entry| entry.path().join("faketime/libfaketimeMT.so.1")).find(|path| path.exists());
    Some([
        ("LD_PRELOAD", library?),
        ("FAKETIME_TIMESTAMP_FILE", file.to_owned()),
        ("FAKETIME_NO_CACHE", "1".into()),
        // The clocks that count on are the kernel's own.
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
    ])
}

#[test]
fn a_certificate_that_the_clock_makes_too_young_is_told_of_once() {
    let place = Place::new();
    let Some(clock) = clock_of(&place.path("clock")) else {
        return skip("a certificate in 1970, since there is no libfaketime (package faketime)");
    };
    let tls = |file: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/tls").join(file);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("wss://{}/socket/websocket", listener.local_addr().unwrap());
    let certificate = CertificateDer::from_pem_file(tls("agent.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(tls("agent.key")).unwrap();
    let server = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let server = Arc::new(server);
    // Ends with the test's process.
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut tls = rustls::ServerConnection::new(Arc::clone(&server)).unwrap();
            let _ = tls.complete_io(&mut stream); // refused, as is to be seen
        }
    });
    fs::write(place.path("clock"), "@1970-01-01 00:01:00\n").unwrap();
    place.configure(&url, &format!("[agent]\nca_file = {:?}", tls("ca.pem")));
    let mut daemon = Program::start(place.command().envs(clock), false);
    let why = "its certificate is not valid yet; the clock of this machine is wrong, so set it first";
    daemon.expect(why);
    let status = status_until(&place, "a while", |status| status["uptime_s"].as_u64() >= Some(3));
    assert!(problems(&status).iter().any(|(code, text)| *code == "no_agent" && text.contains(why)), "{status:#}");
    assert_eq!(daemon.count("cannot trust"), 1, "the seconds that are missing are no news");
    daemon.stop();
}

#[test]
fn a_clock_in_1970_is_told_and_decisions_do_not_depend_on_it() {
    let place = Place::new();
    let Some(clock) = clock_of(&place.path("clock")) else {
        return skip("a clock in 1970, since there is no libfaketime (package faketime)");
    };
    let (_dongle, (mut agent, port)) = (dongle(&place), agent());
    place.configure(&format!("ws://127.0.0.1:{port}/socket/websocket"), "");
    let set_clock = |date: &str| {
        fs::write(place.path("clock.new"), format!("@{date}\n")).unwrap();
        fs::rename(place.path("clock.new"), place.path("clock")).unwrap();
    };
    set_clock("1970-01-01 00:01:00");
    let mut daemon = Program::start(place.command().envs(clock), false);
    daemon.expect("the clock of this machine is wrong");
    daemon.expect("is near");
    agent.expect("\"clock\":\"unsynced\"");
    let before = status_until(&place, "joined and scanning", |status| status["agent"]["phase"] == "joined");
    assert_eq!((&before["state"], &before["clock"]), (&"degraded".into(), &"unsynced".into()), "{before:#}");
    assert_eq!(problems(&before), [("clock", "the clock of this machine is wrong: set it, or let the network set it")]);

    set_clock("2030-06-01 12:00:00");
    daemon.expect("the clock of this machine is set now");
    agent.expect("\"clock\":\"ok\"");
    let after = status_until(&place, "ok", is_ok);
    assert_eq!(after["clock"], "ok");
    assert!(after["uptime_s"].as_u64().unwrap() < 300, "60 years are no uptime: {after:#}");
    assert_eq!(after["bands"]["listed"][0]["side"], "near", "{after:#}");
    assert_eq!(daemon.count("away") + daemon.count("absent") + daemon.count("slept"), 0, "nothing was decided by it");
    assert_eq!((daemon.count("machine is wrong"), daemon.count("machine is set")), (1, 1), "said once");
    daemon.stop();
}

#[test]
fn a_second_daemon_for_the_same_dongle_says_who_holds_it_and_takes_over() {
    let (place, other) = (Place::new(), Place::new());
    // The virtual dongle is older and has the port open too, but plays the device.
    let _dongle = dongle(&place);
    let mut first = place.daemon();
    first.expect("scanning");
    let holder = format!("is held by nbe (process {})", first.child.id());
    let mut command = place.command();
    let mut second = Program::start(command.env("RUNTIME_DIRECTORY", other.folder.path()), false);
    second.expect(&holder);
    let held = status_until(&other, "tried again", |status| status["uptime_s"].as_u64() >= Some(4));
    assert_eq!(held["state"], "trouble");
    let (code, text) = problems(&held)[0];
    assert!(code == "dongle" && text.contains(&holder) && text.contains("end that program"), "{code}: {text}");
    assert_eq!(second.count("is held by"), 1, "tried every second, and said once");
    assert_eq!(status(&place)["adapters"][0]["phase"], "scanning", "the first is not disturbed");
    first.stop();
    second.expect("scanning");
    let free = status(&other);
    assert_eq!(problems(&free).iter().filter(|(code, _)| *code == "dongle").count(), 0, "{free:#}");
    second.stop();
}

/// The same daemon through `account`, with a program and a folder that it may use.
fn daemon_of(account: Command, place: &Place) -> Command {
    let own = place.path("nbe");
    if !own.exists() {
        machine::copy_program(&own);
    }
    let mut command = nbe(&own);
    command.env("RUNTIME_DIRECTORY", place.folder.path()).env("STATE_DIRECTORY", place.folder.path());
    command.arg("run").arg("--config").arg(place.path("etc/nbe.toml")).arg("--port").arg(place.path("dongle"));
    through(account, &command)
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_file_that_the_account_may_not_read_is_told_with_the_command_that_mends_it() {
    if machine::as_nobody().is_none() {
        return;
    }
    let place = Place::new();
    let daemon_as_nobody = || daemon_of(machine::as_nobody().unwrap(), &place);
    let file = place.path("etc/nbe.toml");
    fs::create_dir(place.path("etc")).unwrap();
    set_mode(&place.path("etc"), 0o755);
    fs::write(&file, "agent_url = \"ws://127.0.0.1:1/socket/websocket\"\nrssi_window_tap = 7\n").unwrap();
    chown(place.folder.path(), Some(nobody()), None).unwrap();

    set_mode(&file, 0o600);
    let (ended, said) = Program::start(&mut daemon_as_nobody(), false).end();
    assert_eq!(ended.code(), Some(78), "{said}");
    let why = "no permission: FILE belongs to root and the group root (mode 0600), and this runs as nobody";
    let cure = "sudo chgrp nogroup FILE && sudo chmod g+r FILE";
    let [why, cure] = [why, cure].map(|text| text.replace("FILE", file.to_str().unwrap()));
    assert!(said.contains(&why) && said.contains(&format!("try: {cure}")), "{said}");
    assert!(said.contains("cannot be read") && !said.contains("has mistakes"), "{said}");

    set_mode(&file, 0o644);
    set_mode(&place.path("etc"), 0o700);
    let (ended, said) = Program::start(&mut daemon_as_nobody(), false).end();
    assert_eq!(ended.code(), Some(78), "{said}");
    assert!(said.contains("no permission: the directory") && said.contains("sudo chmod o+x"), "{said}");

    // One good start, then the same with a copy to go on with.
    set_mode(&place.path("etc"), 0o755);
    let mut daemon = Program::start(&mut daemon_as_nobody(), false);
    daemon.expect("started");
    daemon.stop();
    set_mode(&file, 0o600);
    let mut daemon = Program::start(&mut daemon_as_nobody(), false);
    daemon.expect_each(&[&why, &cure, "rssi_window_tap = 7", "running by the last good copy", "started"]);
    let copy = status(&place);
    assert_eq!(copy["config"]["is_copy"], true, "{copy:#}");
    let rejected = problems(&copy).into_iter().find(|(code, _)| *code == "config_rejected").unwrap().1;
    assert!(rejected.contains(&why) && rejected.contains(&cure), "{rejected}");
    set_mode(&file, 0o644);
    daemon.expect("configuration reloaded");
    let mended = status(&place);
    assert_eq!((&mended["config"]["is_copy"], &mended["config"]["rejected"]), (&false.into(), &Value::Null));
    assert_eq!(daemon.count("no permission"), 1, "said once");
    daemon.stop();
}

fn nobody() -> u32 {
    let accounts = fs::read_to_string("/etc/passwd").unwrap();
    accounts.lines().find_map(|line| line.strip_prefix("nobody:")?.split(':').nth(1)?.parse().ok()).unwrap()
}

#[test]
fn an_agent_whose_name_is_known_later_is_joined_then() {
    let place = Place::new();
    let file = |name: &str, text: &str| {
        fs::write(place.path(name), text).unwrap();
        place.path(name)
    };
    // The name server is asked on this machine, where none answers: nothing leaves it.
    let mounts: [(PathBuf, &str); 3] = [
        (file("hosts", "127.0.0.1 localhost\n"), "/etc/hosts"),
        (file("resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"), "/etc/resolv.conf"),
        (file("nsswitch.conf", "hosts: files dns\n"), "/etc/nsswitch.conf"),
    ];
    let namespace = || {
        let binds = mounts.iter().map(|(from, to)| format!("mount --bind '{}' {to} && ", from.display()));
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c", &format!("{}exec \"$@\"", binds.collect::<String>()), "sh"]);
        command
    };
    if !does(namespace().arg("true")) {
        return skip("a name that is not known yet, since no mount namespace can be had (unshare -rm)");
    }
    let (_dongle, (_agent, port)) = (dongle(&place), agent());
    place.configure(&format!("ws://agent.test:{port}/socket/websocket"), "");
    let mut daemon = Program::start(&mut through(namespace(), &place.command()), false);
    daemon.expect("cannot find the address of agent.test");
    let before = status_until(&place, "scanning", |status| status["adapters"][0]["phase"] == "scanning");
    let (code, text) = problems(&before)[0];
    assert!(code == "no_agent" && text.contains("cannot find the address of agent.test"), "{code}: {text}");
    assert!(text.contains("see that the name is right and the network is up"), "{text}");
    status_until(&place, "a while", |status| status["uptime_s"].as_u64() >= Some(3));
    assert_eq!(daemon.count("cannot find the address"), 1, "tried again and again, and said once");

    // In place: another file under the same name would not be the mounted one.
    fs::write(place.path("hosts"), "127.0.0.1 localhost agent.test\n").unwrap();
    daemon.expect("joined the agent");
    let after = status_until(&place, "ok", is_ok);
    assert_eq!((&after["boot"], &after["pid"]), (&before["boot"], &before["pid"]), "without a restart");
    daemon.stop();
}

#[test]
fn what_is_said_again_and_again_is_counted() {
    let place = Place::new();
    let mut daemon = place.daemon();
    let mut asker = place.connect();
    for _ in 0..25 {
        assert!(asker.ask(r#"{"v":1,"cmd":"reload"}"#)["ok"].is_object());
    }
    assert_eq!(daemon.count("nothing in the configuration has changed"), 10);
    daemon.signal(Signal::TERM);
    let (ended, said) = daemon.end();
    assert!(ended.success());
    assert!(said.contains("nothing in the configuration has changed (said 15 more times in "), "{said}");
}
