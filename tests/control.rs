//! The control socket of a real daemon, and the commands that ask at it.
#![cfg(unix)]

#[path = "support/daemon.rs"]
mod daemon;
#[path = "support/machine.rs"]
mod machine;

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use self::daemon::{Asker, PATIENCE, Place, Program, nbe, program, through};
use nbe::clock::Clock;
use nbe::control::socket::{Listener, Server};
use nbe::simulate::{Scenario, VirtualDongle};
use nbe::time::Time;
use serde_json::{Value, json};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_daemon_without_a_dongle_says_so() {
    let place = Place::new();
    let mut daemon = place.daemon();
    daemon.expect_each(&["there is no port", "no agent"]);
    let status = place.status();
    assert_eq!((&status["state"], &status["adapters"][0]["phase"]), (&json!("trouble"), &json!("absent")), "{status}");
    assert_eq!(status["pid"], daemon.child.id());
    assert_eq!(status["boot"].as_str().map(str::len), Some(16));
    let (id, host) = (status["endpoint"]["id"].as_str().unwrap(), status["endpoint"]["host"].as_str().unwrap());
    assert!(id.parse::<config::Uuid>().is_ok() && !host.is_empty(), "{status}");
    assert_eq!(daemon.count(&format!("started endpoint={id}")), 1, "as in the log");
    let codes: Vec<&Value> = status["problems"].as_array().unwrap().iter().map(|problem| &problem["code"]).collect();
    assert_eq!(codes, ["no_dongle", "no_agent"], "{status}");
    assert!(status["agent"]["last_error"]["text"].as_str().unwrap().contains("127.0.0.1:1"), "{status}");
    let values = status["config"]["values"].as_array().unwrap();
    let origin = |key: &str| values.iter().find(|value| value["key"] == key).unwrap()["origin"].clone();
    assert_eq!(origin("adapter[0].port"), "--port");
    assert_eq!(origin("agent_url"), format!("{}:1", place.path("nbe.toml").display()));
    assert_eq!(origin("rssi_window_tap"), "default");

    let said = place.nbe(&["status"]);
    assert_eq!(said.status.code(), Some(69), "{}", text(&said.stderr));
    let said = text(&said.stdout);
    assert!(said.starts_with("no dongle; no band present; ") && said.contains("\n  ! adapter0: "), "{said}");
    assert!(said.contains("  adapter[0].port") && !said.contains("rssi_window_tap"), "{said}");
    daemon.stop();
    assert!(!place.socket().exists(), "the socket goes with its daemon");
}

#[test]
fn a_scanning_daemon_tells_its_bands_without_their_addresses() {
    let place = Place::new();
    let scenario = "[[band]]\nid = \"desk\"\naddress = \"5c:f3:70:8a:11:02\"\ndistance_m = 0.5\nplace_sd_db = 0\n";
    let scenario = Scenario::from_toml(scenario, Path::new("test.toml")).unwrap();
    let _dongle = VirtualDongle::spawn(&place.path("dongle"), &scenario, 7).unwrap();
    // The port is chosen by the system, tried and released; the agent says if somebody was quicker.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let listen = format!("127.0.0.1:{port}");
    let _agent = Program::start(nbe(program()).args(["agent", "--listen", &listen]), true);
    place.configure(&format!("ws://{listen}/socket/websocket?room=5"), "rssi_window_long = 10");
    let mut daemon = place.daemon();
    daemon.expect_each(&["is near", "joined the agent"]);
    let status = place.status();
    assert_eq!((&status["state"], &status["problems"]), (&json!("ok"), &json!([])), "{status}");
    let adapter = &status["adapters"][0];
    assert_eq!((&adapter["phase"], &adapter["id"]), (&json!("scanning"), &json!("adapter0")), "{adapter}");
    assert!(adapter["firmware"].is_string() && adapter["counters"]["reports"].as_u64() > Some(0), "{adapter}");
    assert!(adapter["last_advert_age_ms"].as_u64().unwrap() < 10_000, "{adapter}");
    assert_eq!(status["agent"]["phase"], "joined");
    assert_eq!(status["agent"]["url"], format!("ws://{listen}/socket/websocket?…"));
    let band = &status["bands"]["listed"][0];
    assert_eq!((&band["presence"], &band["side"]), (&json!("present"), &json!("near")), "{band}");
    assert!(band["label"].as_str().unwrap().starts_with("band-"), "{band}");
    assert!(band["mean_dbm"].as_f64().unwrap() < -30.0 && band["last_age_ms"].is_u64(), "{band}");
    assert!(!status.to_string().contains("5c:f3:70"), "{status}");
    assert!(!status.to_string().contains("room=5"), "{status}");

    let said = place.nbe(&["status"]);
    assert_eq!(said.status.code(), Some(0), "{}{}", text(&said.stdout), text(&said.stderr));
    let said = text(&said.stdout);
    assert!(said.starts_with("scanning at ") && said.contains("present  near"), "{said}");
    let json: Value = serde_json::from_slice(&place.nbe(&["status", "--json"]).stdout).unwrap();
    assert_eq!(json["pid"], daemon.child.id());
    place.configure(&format!("ws://{listen}/socket/websocket"), "[log]\nshow_addresses = true");
    assert!(place.nbe(&["reload"]).status.success());
    assert_eq!(place.status()["bands"]["listed"][0]["label"], "5c:f3:70:8a:11:02");
}

#[test]
fn nothing_that_is_sent_ends_the_daemon_or_keeps_others_waiting() {
    let place = Place::new();
    let daemon = place.daemon();
    let code = |reply: &Value| reply["error"]["code"].as_str().unwrap_or("none").to_owned();
    let cases: [(&[u8], &str); 6] = [
        (b"GET / HTTP/1.1\r\n", "bad_request"),
        (b"\xff\x00\x1b[2J\n", "bad_request"),
        (b"{\"v\":99,\"cmd\":\"status\"}\n", "unknown_version"),
        (b"{\"v\":1,\"cmd\":\"self-destruct\"}\n", "unknown_command"),
        (b"\n\n{\"v\":1,\"id\":\"mine\",\"cmd\":\"log\"}\n", "none"),
        (&[b'x'; 5_000], "too_long"),
    ];
    let mut asker = place.connect();
    for (bytes, expected) in cases {
        asker.say(bytes);
        let reply = asker.hear();
        assert_eq!(code(&reply), expected, "{reply}");
        assert!(expected == "none" || reply["error"]["cure"].as_str().is_some_and(|cure| !cure.is_empty()), "{reply}");
    }
    asker.say(b"the rest of the long line\n");
    assert_eq!(asker.ask(r#"{"v":1,"id":5,"cmd":"log"}"#)["id"], 5, "and the connection lives on");

    place.connect().say(b"{\"v\":1,\"cmd\":\"sta");
    let mut gone = place.connect();
    gone.say(b"{\"v\":1,\"cmd\":\"status\"}\n");
    drop(gone);
    let mut half = place.connect();
    half.say(b"{\"v\":1,\"cmd\":\"status\"}\n");
    half.lines.get_ref().shutdown(std::net::Shutdown::Write).unwrap();
    assert!(half.hear()["ok"]["pid"].is_u64(), "one who asks and then only listens is answered");
    assert_eq!(place.status()["pid"], daemon.child.id());
    daemon.stop();
}

#[test]
fn one_who_never_reads_is_no_burden() {
    let place = Place::new();
    let daemon = place.daemon();
    let before = place.status()["memory_kib"].as_u64();
    let deaf: Vec<UnixStream> = (0..4)
        .map(|_| {
            let mut stream = UnixStream::connect(place.socket()).unwrap();
            stream.set_nonblocking(true).unwrap();
            let many = b"{\"v\":1,\"cmd\":\"status\"}\n".repeat(1_000);
            // Until nothing more goes in, which must come soon.
            let all = (0..1_000).try_for_each(|_| stream.write_all(&many));
            assert_eq!(all.unwrap_err().kind(), ErrorKind::WouldBlock);
            stream
        })
        .collect();
    for _ in 0..20 {
        assert_eq!(place.status()["pid"], daemon.child.id());
    }
    if let (Some(before), Some(after)) = (before, place.status()["memory_kib"].as_u64()) {
        assert!(after < before + 8 * 1024, "{before} KiB before, {after} KiB after");
    }
    drop(deaf);
    daemon.stop();
}

#[test]
fn one_who_never_stops_talking_is_heard_no_more_than_the_others() {
    let place = Place::new();
    let daemon = place.daemon();
    let talkers: Vec<UnixStream> = (0..5).map(|_| UnixStream::connect(place.socket()).unwrap()).collect();
    let threads: Vec<_> = talkers
        .iter()
        .map(|talker| {
            let (mut talker, mut ears) = (talker.try_clone().unwrap(), talker.try_clone().unwrap());
            // Each line is answered and the answer read, so that nothing but fairness holds them back.
            std::thread::spawn(move || std::io::copy(&mut ears, &mut std::io::sink()));
            std::thread::spawn(move || while talker.write_all(&b"{}\n".repeat(1_000)).is_ok() {})
        })
        .collect();
    for _ in 0..3 {
        let asked = Instant::now();
        assert_eq!(place.status()["pid"], daemon.child.id());
        assert!(asked.elapsed() < Duration::from_secs(5), "it took {:?}", asked.elapsed());
    }
    for talker in &talkers {
        talker.shutdown(std::net::Shutdown::Both).unwrap();
    }
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    daemon.stop();
}

#[test]
fn twenty_at_once_are_answered_or_told_that_it_is_busy() {
    let place = Place::new();
    let daemon = place.daemon();
    let mut askers: Vec<Asker> = (0..20).map(|_| place.connect()).collect();
    let replies: Vec<Value> = askers
        .iter_mut()
        .map(|asker| {
            // One who is too many is told so and is gone, perhaps before asking.
            let _ = asker.lines.get_mut().write_all(b"{\"v\":1,\"cmd\":\"status\"}\n");
            asker.hear()
        })
        .collect();
    let answered = replies.iter().filter(|reply| reply["ok"]["pid"] == daemon.child.id()).count();
    let busy = replies.iter().filter(|reply| reply["error"]["code"] == "busy").count();
    assert_eq!((answered, busy), (8, 12), "{replies:?}");
    let busy = place.nbe(&["status"]);
    assert!(text(&busy.stderr).contains("8 others are connected"), "{}", text(&busy.stderr));
    drop(askers);
    // They are gone one after the other; whoever comes is let in as soon as there is room.
    let end = Instant::now() + PATIENCE;
    while place.connect().ask(r#"{"v":1,"cmd":"status"}"#)["ok"].is_null() {
        assert!(Instant::now() < end, "nobody is let in any more");
    }
    daemon.stop();
}

#[test]
fn a_dead_daemons_socket_is_taken_over_and_a_living_ones_is_left() {
    let place = Place::new();
    place.daemon().kill();
    assert!(place.socket().exists());
    let said = place.nbe(&["status"]);
    assert_eq!(said.status.code(), Some(1));
    let said = text(&said.stderr);
    assert!(said.contains(place.socket().to_str().unwrap()) && said.contains("systemctl status nbe"), "{said}");

    let first = place.daemon();
    assert_eq!(place.status()["pid"], first.child.id());
    let second = Program::start(&mut place.command(), false);
    let (ended, said) = second.end();
    assert_eq!(ended.code(), Some(1), "{said}");
    assert!(
        said.starts_with(&format!("error: nbe runs already (process {}) and answers at ", first.child.id())),
        "{said}"
    );
    assert!(said.contains("  try: `nbe status` tells how it is") && said.contains("`systemctl stop nbe`"), "{said}");
    assert!(!said.contains("no dongle") && !said.contains("agent"), "neither was touched: {said}");
    assert_eq!(place.status()["pid"], first.child.id(), "the first still has its socket");
    first.stop();
}

#[test]
fn the_log_says_more_for_a_time_and_not_longer() {
    let place = Place::new();
    let mut daemon = place.daemon();
    assert_eq!(text(&place.nbe(&["log"]).stdout), "info, as configured\n");
    assert_eq!(text(&place.nbe(&["log", "debug", "--for", "1s"]).stdout), "debug; for 1 s more, then as configured\n");
    daemon.expect("the log shows debug for 1 s");
    daemon.expect("DEBUG");
    daemon.expect("the log shows info again");
    assert_eq!(text(&place.nbe(&["log"]).stdout), "info, as configured\n");
    let wire = text(&place.nbe(&["log", "trace", "--part", "wire", "--for", "1m"]).stdout);
    assert_eq!(wire, "info, wire trace; for 60 s more, then as configured\n");
    let moon = place.nbe(&["log", "trace", "--part", "moon"]);
    assert!(text(&moon.stderr).contains("try: the parts are adapter, "), "{}", text(&moon.stderr));
    assert_eq!(place.nbe(&["log", "loud"]).status.code(), Some(2));
    let asked = place.connect().ask(r#"{"v":1,"cmd":"log","level":"warn","for_s":86400}"#);
    assert_eq!((&asked["ok"]["level"], &asked["ok"]["for_s"]), (&json!("warn"), &json!(86_400)), "{asked}");
    assert_eq!(place.status()["log"], asked["ok"]);
    daemon.stop();
}

#[test]
fn a_reload_says_what_changed_or_quotes_the_mistake() {
    let place = Place::new();
    let url = "ws://127.0.0.1:1/socket/websocket";
    let mut daemon = place.daemon();
    let before = place.status()["config"]["digest"].clone();
    place.configure(url, "rssi_tap_threshold = 42");
    let said = place.nbe(&["reload"]);
    assert_eq!(said.status.code(), Some(1));
    let said = text(&said.stderr);
    assert!(
        said.contains("nbe.toml:2:22: rssi_tap_threshold") && said.contains("is the minus sign missing?"),
        "{said}"
    );
    assert_eq!(said.matches("error").count(), 1, "said once: {said}");
    daemon.expect("ERROR ");
    assert_eq!(daemon.count("error:"), 0, "the level says it");
    assert!(said.contains("what was in force stays"), "{said}");
    let status = place.status();
    assert_eq!(status["config"]["digest"], before);
    assert!(status["config"]["rejected"].as_str().unwrap().contains("rssi_tap_threshold"), "{status}");
    let health = status["health"].as_str().unwrap();
    assert!(health.ends_with("the edited configuration is rejected"), "{health}");

    place.configure(url, "rssi_tap_threshold = -42\nrssi_windwo_tap = 5");
    let said = place.nbe(&["reload"]);
    assert_eq!(said.status.code(), Some(0), "{}", text(&said.stderr));
    let said = text(&said.stdout);
    // The watch may have been quicker than the command; then nothing is new to it.
    assert!(said.contains("rssi_tap_threshold: 0 -> -42") || said.contains("no value has changed"), "{said}");
    assert!(said.contains("did you mean rssi_window_tap?"), "{said}");
    let status = place.status();
    assert_ne!(status["config"]["digest"], before);
    assert_eq!(status["config"]["rejected"], Value::Null);
    assert!(status["config"]["warnings"][0].as_str().unwrap().contains("did you mean rssi_window_tap?"), "{status}");
    let said = text(&place.nbe(&["status"]).stdout);
    assert!(said.contains("\n  1 warning: `nbe status --all` shows it\n"), "{said}");
    let said = text(&place.nbe(&["status", "--all"]).stdout);
    assert!(said.contains("\n  warning: ") && said.contains("did you mean rssi_window_tap?"), "{said}");
    daemon.expect("configuration reloaded");
    daemon.stop();
}

#[test]
fn another_account_may_look_and_not_change() {
    let place = Place::new();
    fs::set_permissions(place.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let copy = place.path("nbe");
    machine::copy_program(&copy);
    let daemon = place.daemon();
    let ask = |words: &[&str]| {
        let mut command = machine::as_nobody()?;
        Some(command.arg(&copy).args(words).arg("--socket").arg(place.socket()).output().unwrap())
    };
    for (words, code, said) in [
        (["status", "--json"].as_slice(), 69, "\"state\":\"trouble\""),
        (&["log"], 0, "info, as configured"),
        (&["reload"], 77, "this account may only look"),
        (&["log", "trace"], 77, "this account may only look"),
    ] {
        let Some(output) = ask(words) else { return };
        let all = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{words:?}: {all}");
        assert!(all.contains(said), "{words:?}: {all}");
    }
    // Those who may only look do not keep out whoever may change.
    if Command::new("socat").arg("-V").output().is_ok() {
        let address = format!("UNIX-CONNECT:{}", place.socket().display());
        let hold =
            || Program::start(machine::as_nobody().unwrap().args(["socat", "-", &address]).stdin(Stdio::piped()), true);
        let _held: Vec<Program> = (0..8).map(|_| hold()).collect();
        let end = Instant::now() + PATIENCE;
        while !text(&ask(&["log"]).unwrap().stderr).contains("8 others are connected") {
            assert!(Instant::now() < end, "eight connections are not too many");
        }
        assert_eq!(place.nbe(&["log"]).status.code(), Some(0));
    } else {
        machine::skip("eight connections of another account, which take socat");
    }
    daemon.stop();
}

#[test]
fn the_socket_is_there_when_the_service_manager_hears_that_the_daemon_is_ready() {
    let place = Place::new();
    let notify = place.path("notify");
    let manager = UnixDatagram::bind(&notify).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    let daemon = Program::start(place.command().env("NOTIFY_SOCKET", &notify), false);
    let mut message = [0; 1024];
    while manager.recv(&mut message).unwrap() == 0 || !message.starts_with(b"READY=1") {}
    assert_eq!(place.status()["pid"], daemon.child.id());
    daemon.stop();
}

#[test]
fn a_daemon_started_by_hand_has_its_socket_with_the_login() {
    if Path::new("/run/nbe/control.sock").exists() {
        return machine::skip("a daemon started by hand, since one may run at /run/nbe");
    }
    let place = Place::new();
    let login = place.path("login");
    fs::create_dir(&login).unwrap();
    let copy = place.path("program");
    machine::copy_program(&copy);
    let ask = |words: &[&str]| {
        let mut command = nbe(&copy);
        command.args(words).env("XDG_RUNTIME_DIR", &login);
        if !machine::is_root() {
            return Some(command);
        }
        machine::as_nobody().map(|nobody| through(nobody, &command))
    };
    if machine::is_root() {
        fs::set_permissions(place.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        // What is left of it after `su`: it is root's, whose daemon it is not.
        let Some(mut log) = ask(&["log"]) else { return };
        let said = text(&log.output().unwrap().stderr);
        assert!(said.contains("nobody answers at /run/nbe/control.sock:"), "{said}");
        assert!(Command::new("chown").arg("nobody").arg(&login).status().unwrap().success());
    }
    let config = place.path("nbe.toml");
    let mut daemon =
        Program::start(&mut ask(&["run", "--config", config.to_str().unwrap(), "--port", "/nowhere"]).unwrap(), false);
    daemon.expect("started");
    let asked = ask(&["log"]).unwrap().output().unwrap();
    assert!(asked.status.success(), "found without being named: {}", text(&asked.stderr));
    assert!(login.join("nbe/control.sock").exists());
    daemon.stop();
    assert!(!login.join("nbe").exists());
}

#[test]
fn a_second_daemon_finds_the_first_at_another_place() {
    if !machine::can_unshare() {
        return;
    }
    let place = Place::new();
    fs::create_dir(place.path("nbe")).unwrap();
    let first = Program::start(place.command().env("RUNTIME_DIRECTORY", place.path("nbe")), false);
    let end = Instant::now() + PATIENCE;
    while UnixStream::connect(place.path("nbe/control.sock")).is_err() {
        assert!(Instant::now() < end, "the first does not start");
        std::thread::yield_now();
    }
    let second = |runtime: Option<&Path>| {
        let mut command = place.command();
        command.env_remove("RUNTIME_DIRECTORY").env("XDG_RUNTIME_DIR", place.folder.path());
        runtime.map(|runtime| command.env("RUNTIME_DIRECTORY", runtime));
        // Root has its own place in /run.
        let mut apart = Command::new("unshare");
        apart.args(["-rm", "sh", "-c", "mount -t tmpfs none /run && exec \"$@\"", "sh"]);
        Program::start(&mut through(apart, &command), false)
    };
    let (first_id, socket) = (first.child.id(), place.path("nbe/control.sock"));
    let mut refused = second(None);
    refused.expect(&format!("error: nbe runs already (process {first_id}) and answers at {}", socket.display()));
    let (ended, said) = refused.end();
    assert_eq!(ended.code(), Some(1), "{said}");
    let mut beside = second(Some(place.folder.path()));
    beside.expect("started");
    beside.stop();
    first.stop();
}

#[test]
fn a_daemon_started_by_root_makes_the_directory_where_everybody_finds_its_socket() {
    if !machine::can_unshare() {
        return;
    }
    let place = Place::new();
    let mut apart = Command::new("unshare");
    // A shell's mask must not keep others out.
    apart.args(["-rm", "sh", "-c", "mount -t tmpfs none /run && umask 077 && exec \"$@\"", "sh"]);
    // As `sudo -E` leaves it behind.
    let mut command = place.command();
    command.env_remove("RUNTIME_DIRECTORY").env("XDG_RUNTIME_DIR", place.folder.path());
    let mut daemon = Program::start(&mut through(apart, &command), false);
    daemon.expect("started");
    let run = format!("/proc/{}/root/run/nbe", daemon.child.id());
    assert_eq!(fs::metadata(&run).unwrap().permissions().mode() & 0o777, 0o755);
    let said = nbe(program()).args(["log", "--socket", &format!("{run}/control.sock")]).output().unwrap();
    assert!(said.status.success(), "{}", text(&said.stderr));
    assert_eq!(daemon.count("no control socket"), 0);
    daemon.stop();
}

#[test]
fn a_daemon_that_nobody_can_ask_says_so_and_what_helps() {
    let place = Place::new();
    let mut command = place.command();
    if machine::is_root() {
        fs::set_permissions(place.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(place.path("nbe.toml"), fs::Permissions::from_mode(0o644)).unwrap();
        let copy = place.path("nbe");
        machine::copy_program(&copy);
        let Some(nobody) = machine::as_nobody() else { return };
        command = nobody;
        command.arg(copy).arg("run").arg("--config").arg(place.path("nbe.toml")).args(["--port", "/nowhere"]);
    }
    let mut daemon = Program::start(command.env_remove("RUNTIME_DIRECTORY").env_remove("XDG_RUNTIME_DIR"), false);
    daemon.expect("WARN no control socket: there is neither RUNTIME_DIRECTORY nor an XDG_RUNTIME_DIR of this account");
    daemon.expect("started");
    daemon.stop();
    let asked = place.nbe(&["status"]);
    let said = text(&asked.stderr);
    assert!(said.contains("control.sock: nbe does not run, or has no control socket (its log says so), or"), "{said}");
    assert!(said.contains("another account's XDG_RUNTIME_DIR"), "{said}");
}

#[tokio::test]
async fn the_idle_and_the_deaf_are_let_go_by_the_time_that_is_fed_in() {
    let place = Place::new();
    let clock = Clock::start();
    let mut server = Server::new(Listener::bind(&place.socket()).unwrap(), clock.now());
    assert_eq!(server.poll_timeout(), None, "nothing is due while nobody is connected");
    let mut idle = UnixStream::connect(place.socket()).unwrap();
    assert!(server.next(clock).await.is_none());
    let due = server.poll_timeout().unwrap();
    assert!(due > Time::from_secs(59) && due < Time::from_secs(120), "{due:?}");

    let mut deaf = UnixStream::connect(place.socket()).unwrap();
    deaf.write_all(b"{\"v\":1,\"cmd\":\"status\"}\n").unwrap();
    let asked = loop {
        if let Some(asked) = server.next(clock).await {
            break asked;
        }
    };
    // More than a socket takes.
    server.answer(clock.now(), asked, Ok(json!("x".repeat(4 << 20))));
    let late = tokio::time::timeout(Duration::from_millis(50), server.next(clock)).await;
    assert!(late.is_err(), "nothing happens while it is not read, and nobody waits for it");
    let slow = server.poll_timeout().unwrap();
    assert!(slow < due, "{slow:?}");
    server.handle_timeout(slow);
    assert_eq!(server.poll_timeout(), Some(due), "the deaf one is gone, the idle one is not");
    server.handle_timeout(due);
    assert_eq!(server.poll_timeout(), None);
    let mut byte = [0];
    assert_eq!(std::io::Read::read(&mut idle, &mut byte).unwrap(), 0, "it was hung up on");
}
