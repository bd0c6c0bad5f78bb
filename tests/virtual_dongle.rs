//! The virtual dongle behind its real port, with our own reader and with public BGAPI clients.

#![cfg(unix)]

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bgapi::{Decoder, Item, Message, gap, system};
use nbe::simulate::{Fault, FaultKind, Scenario, SimulateError, VirtualDongle};
use serialport::{SerialPort, TTYPort};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A host that has the port open.
struct Host {
    port: TTYPort,
    decoder: Decoder,
}

impl Host {
    fn open(link: &Path) -> Self {
        let builder = serialport::new(link.to_string_lossy(), 115_200).timeout(Duration::from_millis(100));
        Self { port: builder.open_native().unwrap(), decoder: Decoder::host() }
    }

    fn send<'a>(&mut self, command: &impl Message<'a>) {
        self.port.write_all(&command.encoded()).unwrap();
    }

    /// Reads until a frame begins with `wanted`; how many scan reports came before it.
    fn wait_for(&mut self, wanted: &str) -> io::Result<usize> {
        let since = Instant::now();
        let mut reports = 0;
        let mut buffer = [0; 256];
        while since.elapsed() < PATIENCE {
            let len = match self.port.read(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::TimedOut => continue,
                result => result?,
            };
            let mut items = self.decoder.feed(&buffer[..len]);
            while let Some(item) = items.next() {
                let Item::Frame(frame) = item else { continue };
                let text = frame.to_string();
                if text.starts_with(wanted) {
                    return Ok(reports);
                }
                reports += usize::from(text.starts_with("evt gap_scan_response"));
            }
        }
        panic!("no `{wanted}` within {PATIENCE:?}");
    }

    fn ask<'a>(&mut self, command: &impl Message<'a>, answer: &str) {
        self.send(command);
        self.wait_for(answer).unwrap();
    }

    fn scan(&mut self) {
        self.ask(&OBSERVE, "rsp gap_discover result=0x0000");
    }
}

const HELLO: system::command::Hello = system::command::Hello {};
const OBSERVE: gap::command::Discover = gap::command::Discover { mode: bgapi::DiscoverMode::OBSERVATION };

fn plug(directory: &tempfile::TempDir, name: &str) -> (PathBuf, VirtualDongle) {
    let link = directory.path().join(name);
    let dongle = VirtualDongle::spawn(&link, &Scenario::default(), 1).unwrap();
    (link, dongle)
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_scan_outlives_the_program_that_began_it() {
    let directory = tempfile::tempdir().unwrap();
    let (link, dongle) = plug(&directory, "dongle");
    let mut host = Host::open(&link);
    host.ask(&HELLO, "rsp system_hello");
    host.scan();
    host.wait_for("evt gap_scan_response").unwrap();
    drop(host);

    let mut host = Host::open(&link);
    host.ask(&OBSERVE, "rsp gap_discover result=0x0181");
    host.wait_for("evt gap_scan_response").unwrap();
    host.ask(&gap::command::EndProcedure {}, "rsp gap_end_procedure result=0x0000");
    drop(host);
    dongle.stop().unwrap();
    assert!(link.symlink_metadata().is_err(), "the link is gone");
}

#[test]
fn what_a_program_has_not_read_is_not_left_to_the_next() {
    let directory = tempfile::tempdir().unwrap();
    let (link, _dongle) = plug(&directory, "dongle");
    let mut host = Host::open(&link);
    host.scan();
    host.ask(&HELLO, "rsp system_hello");
    host.send(&gap::command::EndProcedure {});
    wait_until("reports and an answer lie unread", || host.port.bytes_to_read().unwrap() > 0);
    drop(host);
    std::thread::sleep(Duration::from_millis(50)); // for the dongle to see it; nothing tells when it has
    let mut host = Host::open(&link);
    host.ask(&HELLO, "rsp system_hello");
    assert_eq!(host.decoder.stats().frames, 1, "the answer and nothing older");
}

#[test]
fn a_command_written_just_before_closing_is_carried_out() {
    let directory = tempfile::tempdir().unwrap();
    let (link, _dongle) = plug(&directory, "dongle");
    let mut host = Host::open(&link);
    host.send(&OBSERVE);
    drop(host);
    let mut host = Host::open(&link);
    host.ask(&OBSERVE, "rsp gap_discover result=0x0181");
}

#[tokio::test]
async fn it_can_be_at_a_given_device_and_outlives_that_one_hanging_up() {
    let (mut far_end, device) = TTYPort::pair().unwrap();
    let path = PathBuf::from(device.name().unwrap());
    far_end.set_timeout(Duration::from_millis(100)).unwrap();
    let mut dongle = VirtualDongle::at(&path, &Scenario::default(), 1).unwrap();
    let mut host = Host { port: far_end, decoder: Decoder::host() };
    host.ask(&HELLO, "rsp system_hello");
    assert_eq!(host.decoder.stats().frames, 2, "that it has started and the answer, but no echo of the command");
    host.scan();
    host.wait_for("evt gap_scan_response").unwrap();

    drop((host, device));
    let (_, told) = dongle.notice().await.unwrap();
    assert!(told.starts_with("the device hung up"), "{told}");
    dongle.stop().unwrap();
    assert!(matches!(
        VirtualDongle::at(&path, &Scenario::default(), 1),
        Err(SimulateError::Device { device, .. }) if device == path
    ));
}

#[test]
fn a_reset_closes_the_port_and_brings_it_back() {
    let directory = tempfile::tempdir().unwrap();
    let (link, _dongle) = plug(&directory, "dongle");
    let mut host = Host::open(&link);
    host.scan();
    let since = Instant::now();
    host.send(&system::command::Reset { boot_in_dfu: 0 });
    let error = host.wait_for("evt system_boot").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    assert!(link.symlink_metadata().is_err(), "no name while it is away");
    wait_until("the port comes back", || link.exists());
    assert!((Duration::from_millis(400)..Duration::from_secs(5)).contains(&since.elapsed()));
    Host::open(&link).scan(); // which also says that no scan runs
}

#[test]
fn a_dongle_may_come_back_under_another_name() {
    let directory = tempfile::tempdir().unwrap();
    let (link, dongle) = plug(&directory, "dongle");
    let vanish = FaultKind::Vanish { link: Some("elsewhere".into()) };
    dongle.inject(Fault { kind: vanish, lasts: Duration::from_millis(50) });
    let elsewhere = directory.path().join("elsewhere");
    wait_until("the port comes back", || elsewhere.exists());
    assert!(link.symlink_metadata().is_err());
    Host::open(&elsewhere).ask(&HELLO, "rsp system_hello");
    dongle.stop().unwrap();
    assert!(elsewhere.symlink_metadata().is_err());
}

#[test]
fn a_restart_in_place_is_one_event_in_the_stream() {
    let directory = tempfile::tempdir().unwrap();
    let (link, dongle) = plug(&directory, "dongle");
    let mut host = Host::open(&link);
    host.scan();
    dongle.inject(Fault { kind: FaultKind::Boot, lasts: Duration::ZERO });
    host.wait_for("evt system_boot").unwrap();
    host.scan();
}

#[test]
fn a_host_that_does_not_read_blocks_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let mut scenario = Scenario::default();
    let end = nbe::time::Time::from_secs(2);
    scenario.floods.push(nbe::simulate::Flood { from: nbe::time::Time::ZERO, to: end, per_second: 2_000 });
    let link = directory.path().join("dongle");
    let dongle = VirtualDongle::spawn(&link, &scenario, 1).unwrap();
    let mut host = Host::open(&link);
    host.send(&OBSERVE);
    std::thread::sleep(Duration::from_millis(2_100)); // the flood is the point, and it is real time
    assert!(host.port.bytes_to_read().unwrap() < 8_192, "the rest was dropped by the dongle");
    host.send(&HELLO);
    let reports = host.wait_for("rsp system_hello").unwrap();
    assert!((50..500).contains(&reports), "{reports} reports were kept");
    dongle.stop().unwrap();
}

#[test]
fn two_dongles_do_not_know_each_other() {
    let directory = tempfile::tempdir().unwrap();
    let ((first, one), (second, _two)) = (plug(&directory, "first"), plug(&directory, "second"));
    let mut hosts = [Host::open(&first), Host::open(&second)];
    hosts[0].scan();
    hosts[1].ask(&gap::command::EndProcedure {}, "rsp gap_end_procedure result=0x0181");
    one.stop().unwrap();
    hosts[1].ask(&HELLO, "rsp system_hello");
}

#[test]
fn a_band_goes_where_it_is_sent() {
    let directory = tempfile::tempdir().unwrap();
    let (link, dongle) = plug(&directory, "dongle");
    let mut host = Host::open(&link);
    host.scan();
    assert!(!dongle.move_to("nobody", 0.02, Duration::ZERO));
    assert!(dongle.move_to("desk", 0.01, Duration::ZERO));
    host.wait_for("evt gap_scan_response rssi=-38 packet_type=0 sender=5C:F3:70:8A:11:02").unwrap();
}

#[test]
fn only_a_link_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let link = directory.path().join("dongle");
    std::fs::write(&link, "precious").unwrap();
    let error = VirtualDongle::spawn(&link, &Scenario::default(), 1).unwrap_err();
    assert!(matches!(error, SimulateError::NotALink { .. }), "{error}");
    assert_eq!(std::fs::read_to_string(&link).unwrap(), "precious");

    std::fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink("/nowhere", &link).unwrap();
    let older = VirtualDongle::spawn(&link, &Scenario::default(), 1).unwrap();
    let newer = VirtualDongle::spawn(&link, &Scenario::default(), 1).unwrap();
    older.stop().unwrap();
    Host::open(&link).ask(&HELLO, "rsp system_hello");
    newer.stop().unwrap();
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "nothing is left");
}

#[tokio::test]
async fn what_happens_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let text = "[[band]]\nid = \"a\"\naddress = \"5c:f3:70:8a:11:02\"\npath = [[0, 1], [0.1, 2]]\n\
                [[fault]]\nat_s = 0.05\nkind = \"boot\"\n";
    let scenario = Scenario::from_toml(text, Path::new("test.toml")).unwrap();
    let mut dongle = VirtualDongle::spawn(&directory.path().join("dongle"), &scenario, 1).unwrap();
    let told = [dongle.notice().await.unwrap().1, dongle.notice().await.unwrap().1];
    assert_eq!(told, ["band a moves from 1 m to 2 m within 0.1 s", "the dongle restarts"]);
}

#[tokio::test]
async fn the_command_ends_at_a_signal_and_takes_its_link_along() {
    let directory = tempfile::tempdir().unwrap();
    let link = directory.path().join("dongle");
    let args =
        nbe::commands::simulate::SimulateArgs { link: Some(link.clone()), port: None, scenario: None, seed: Some(1) };
    let ended = async {
        while !link.exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // The command listens before it makes the link, so this ends the command and not the tests.
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TERM).unwrap();
    };
    let (result, ()) =
        tokio::time::timeout(PATIENCE, async { tokio::join!(nbe::commands::simulate::run(&args), ended) })
            .await
            .unwrap();
    result.unwrap();
    assert!(link.symlink_metadata().is_err());
}

#[test]
fn public_clients_scan_through_it_unchanged() {
    let python = match python_with_clients() {
        Ok(python) => python,
        Err(reason) if std::env::var_os("NBE_REQUIRE_PEERS").is_some() => panic!("{reason}"),
        Err(reason) => {
            // Past the test harness, which hides what a test prints that does not fail.
            let _ = writeln!(
                io::stderr(),
                "SKIPPED: no public BGAPI client was tried against the virtual dongle: {reason}"
            );
            return;
        }
    };
    let directory = tempfile::tempdir().unwrap();
    let link = directory.path().join("dongle");
    // So many adverts that nobody is missed by chance within two seconds.
    let mut scenario = Scenario::default();
    scenario.neighbours[0].interval = Duration::from_millis(100);
    let _dongle = VirtualDongle::spawn(&link, &scenario, 1).unwrap();
    let run = |script: &str| {
        let script = peers().join(script);
        let output = Command::new(&python).arg(&script).arg(&link).stdin(Stdio::null()).output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{}: {err}", script.display());
        serde_json::from_str::<serde_json::Value>(out.trim()).unwrap_or_else(|error| panic!("{error}: {out}{err}"))
    };
    let everyone = 6; // the band and five neighbours
    let count = |list: &serde_json::Value| list.as_array().map(Vec::len);

    let heard = run("pygatt_scan.py");
    assert_eq!((count(&heard[0]), count(&heard[1])), (Some(everyone), Some(everyone)), "{heard}");

    let heard = run("bgapi_scan.py");
    assert_eq!((&heard["firmware"], &heard["address"]), (&"1.5.0.137".into(), &"00:07:80:4B:2C:11".into()));
    assert_eq!(count(&heard["passive"]), Some(everyone), "{heard}");
    assert!(heard["packet_types"].as_array().unwrap().contains(&4.into()), "scan responses: {heard}");
}

fn peers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/python")
}

/// A Python that has the clients installed, kept from one run to the next.
fn python_with_clients() -> Result<PathBuf, String> {
    let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python-bgapi-clients");
    let (python, wanted) = (venv.join("bin/python"), peers().join("requirements.txt"));
    let installed = venv.join("installed.txt");
    let requirements = std::fs::read_to_string(&wanted).map_err(|error| error.to_string())?;
    if std::fs::read_to_string(&installed).is_ok_and(|text| text == requirements) {
        return Ok(python);
    }
    let run = |command: &mut Command| {
        let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
        let err = String::from_utf8_lossy(&output.stderr);
        if output.status.success() { Ok(()) } else { Err(format!("{command:?}: {err}")) }
    };
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
    let pip = ["-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--retries", "1", "--requirement"];
    run(Command::new(&python).args(pip).arg(&wanted))?;
    std::fs::write(&installed, requirements).map_err(|error| error.to_string())?;
    Ok(python)
}
