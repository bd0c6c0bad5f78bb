use std::fs;
use std::future::poll_fn;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::task::Poll;
use std::time::Duration;

use bgapi::BdAddr;
use rustix::fd::OwnedFd;
use rustix::pty::OpenptFlags;
use tempfile::TempDir;

use crate::adapter::port::claims::By;
use crate::adapter::port::discover::tests::{BLED112, plug};
use crate::adapter::port::discover::{Roots, ports};
use crate::adapter::port::{Choice, Port, PortEvent};
use crate::adapter::{Claims, OpenFailure, PortInput};

/// A made-up machine whose dongles are ptys.
pub(super) struct Machine {
    dir: TempDir,
}

impl Machine {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("dev")).unwrap();
        Self { dir }
    }

    pub(super) fn roots(&self) -> Roots {
        Roots { sys: self.dir.path().join("sys"), dev: self.dir.path().join("dev") }
    }

    pub(super) fn node(&self, tty: &str) -> PathBuf {
        self.roots().dev.join(tty)
    }

    fn port(&self, choice: Choice, claims: &Claims) -> Port {
        let mut port = Port::new(choice, self.roots(), claims.clone());
        port.open();
        port
    }

    /// Plugs a dongle in: first the kernel knows it, then its node appears.
    pub(super) fn plug(&self, tty: &str, usb: &str) -> OwnedFd {
        plug(&self.roots().sys, tty, usb, "tty", BLED112);
        self.plug_node(tty)
    }

    fn plug_node(&self, tty: &str) -> OwnedFd {
        let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        rustix::pty::unlockpt(&master).unwrap();
        let name = rustix::pty::ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        symlink(name, self.node(tty)).unwrap();
        master
    }

    fn unplug(&self, tty: &str, usb: &str, device: OwnedFd) {
        drop(device);
        fs::remove_file(self.node(tty)).unwrap();
        fs::remove_file(self.roots().sys.join("class/tty").join(tty)).unwrap();
        fs::remove_dir_all(self.roots().sys.join("devices/pci0000:00/usb1").join(usb)).unwrap();
    }
}

/// The next thing that happens, which is to take no more than 3 s.
async fn next(port: &mut Port) -> PortInput {
    let mut buffer = [0; 64];
    let event = poll_fn(|cx| port.poll_next(cx, &mut buffer));
    match tokio::time::timeout(Duration::from_secs(3), event).await.expect("something happens") {
        PortEvent::Port(input) => input,
        other => panic!("{other:?} from nobody"),
    }
}

/// That nothing happens, as far as one can wait for it.
async fn nothing(port: &mut Port) {
    let mut buffer = [0; 64];
    let event = poll_fn(|cx| port.poll_next(cx, &mut buffer));
    let happened = tokio::time::timeout(Duration::from_millis(100), event).await;
    assert!(happened.is_err(), "{happened:?}");
}

/// That there is nothing to tell at this moment.
async fn nothing_now(port: &mut Port) {
    let mut buffer = [0; 64];
    let happened = poll_fn(|cx| Poll::Ready(port.poll_next(cx, &mut buffer))).await;
    assert!(happened.is_pending(), "{happened:?}");
}

fn missing(input: PortInput) -> String {
    match input {
        PortInput::Missing { reason } => reason,
        other => panic!("{other:?}"),
    }
}

fn found(path: &Path) -> PortInput {
    PortInput::Found { port: path.display().to_string() }
}

#[tokio::test]
async fn a_dongle_is_found_when_it_is_plugged_in() {
    let (machine, claims) = (Machine::new(), Claims::default());
    let mut port = machine.port(Choice::Any, &claims);
    assert!(missing(next(&mut port).await).starts_with("no dongle found: plug"));
    nothing(&mut port).await;
    let device = machine.plug("ttyACM0", "1-1");
    assert_eq!(next(&mut port).await, found(&machine.node("ttyACM0")));
    assert_eq!(next(&mut port).await, PortInput::Opened);
    nothing(&mut port).await;

    machine.unplug("ttyACM0", "1-1", device);
    assert!(matches!(next(&mut port).await, PortInput::Lost { .. }));
    nothing(&mut port).await;
    let _device = machine.plug("ttyACM1", "1-2");
    assert_eq!(next(&mut port).await, PortInput::Replugged, "also under another number");
    port.open();
    assert_eq!(next(&mut port).await, found(&machine.node("ttyACM1")));
    assert_eq!(next(&mut port).await, PortInput::Opened);
    port.close();
    nothing(&mut port).await;
}

#[tokio::test]
async fn it_is_looked_for_when_something_changes_and_not_whenever_somebody_wakes() {
    let (machine, claims) = (Machine::new(), Claims::default());
    let mut port = machine.port(Choice::Any, &claims);
    assert!(missing(next(&mut port).await).starts_with("no dongle found"));
    // Its node, which is what is watched, is still to come: a look would find it all the same.
    plug(&machine.roots().sys, "ttyACM0", "1-1", "tty", BLED112);
    for _ in 0..100 {
        nothing_now(&mut port).await;
    }
    let _device = machine.plug_node("ttyACM0");
    assert_eq!(next(&mut port).await, found(&machine.node("ttyACM0")));
    assert_eq!(next(&mut port).await, PortInput::Opened);

    let mut further = machine.port(Choice::Any, &claims);
    assert!(missing(next(&mut further).await).starts_with("no further dongle found"));
    let release = async {
        tokio::task::yield_now().await;
        drop(port);
    };
    let (found_it, ()) = tokio::join!(next(&mut further), release);
    assert_eq!(found_it, found(&machine.node("ttyACM0")), "a release is told");
}

#[tokio::test]
async fn no_two_take_the_same() {
    let (machine, claims) = (Machine::new(), Claims::default());
    let (one, two) = (machine.node("ttyACM0"), machine.node("ttyACM1"));
    let _devices = [machine.plug("ttyACM0", "1-1"), machine.plug("ttyACM1", "1-2")];
    let mut named = machine.port(Choice::Port(one.clone()), &claims);
    let mut any = machine.port(Choice::Any, &claims);
    let mut further = machine.port(Choice::Any, &claims);
    assert_eq!(next(&mut any).await, found(&two), "the first is left to the one who names it");
    assert_eq!(next(&mut any).await, PortInput::Opened);
    assert!(missing(next(&mut further).await).starts_with("no further dongle found"));
    assert_eq!(next(&mut named).await, found(&one));
    assert_eq!(next(&mut named).await, PortInput::Opened);

    let mut rival = machine.port(Choice::Port(one.clone()), &Claims::default());
    assert_eq!(next(&mut rival).await, found(&one));
    let refused = next(&mut rival).await;
    let PortInput::OpenFailed { failure: OpenFailure::Busy { holder: Some(holder) }, message } = &refused else {
        panic!("{refused:?}");
    };
    assert!(holder.contains(&std::process::id().to_string()) && message.contains(holder), "{message}");

    drop(named);
    rival.open();
    assert_eq!(next(&mut rival).await, found(&one));
    assert_eq!(next(&mut rival).await, PortInput::Opened, "released at once");
}

#[tokio::test]
async fn a_port_that_another_is_about_to_open_is_waited_for() {
    let (machine, claims) = (Machine::new(), Claims::default());
    let one = machine.node("ttyACM0");
    let _device = machine.plug("ttyACM0", "1-1");
    // As after a reload, while a sick device holds up the thread that opens it for a driver gone by now.
    let attempt = claims.claim(&one, By::Name).unwrap();
    let mut named = machine.port(Choice::Port(one.clone()), &claims);
    assert!(missing(next(&mut named).await).contains("is still opening"));
    drop(attempt);
    assert_eq!(next(&mut named).await, found(&one));
    assert_eq!(next(&mut named).await, PortInput::Opened);
    drop(named);

    let attempt = claims.claim(&one, By::Search).unwrap();
    let mut any = machine.port(Choice::Any, &claims);
    nothing(&mut any).await;
    attempt.keep();
    assert!(missing(next(&mut any).await).starts_with("no further dongle found"));
    let mut named = machine.port(Choice::Port(one.clone()), &claims);
    assert!(missing(next(&mut named).await).contains("for an [[adapter]] without a port"));
    let _second = machine.port(Choice::Port(one.clone()), &claims);
    named.open();
    assert!(missing(next(&mut named).await).contains("correct one of them"));
}

#[tokio::test]
async fn two_that_wait_for_one_held_dongle_do_not_contradict_each_other() {
    let machine = Machine::new();
    let one = machine.node("ttyACM0");
    let _device = machine.plug("ttyACM0", "1-1");
    let mut holder = machine.port(Choice::Port(one.clone()), &Claims::default());
    assert_eq!(next(&mut holder).await, found(&one));
    assert_eq!(next(&mut holder).await, PortInput::Opened);

    async fn refusals(mut port: Port, one: &Path) {
        for _ in 0..20 {
            assert_eq!(next(&mut port).await, found(one));
            let refused = next(&mut port).await;
            assert!(matches!(refused, PortInput::OpenFailed { failure: OpenFailure::Busy { .. }, .. }), "{refused:?}");
            port.open();
        }
    }
    let claims = Claims::default();
    let ports = [(); 2].map(|()| machine.port(Choice::Any, &claims));
    let [left, right] = ports;
    tokio::join!(refusals(left, &one), refusals(right, &one));
}

#[tokio::test]
async fn a_dongle_in_use_is_left_for_a_free_one() {
    let machine = Machine::new();
    let (one, two) = (machine.node("ttyACM0"), machine.node("ttyACM1"));
    let _devices = [machine.plug("ttyACM0", "1-1"), machine.plug("ttyACM1", "1-2")];
    let mut others = machine.port(Choice::Port(one.clone()), &Claims::default());
    assert_eq!(next(&mut others).await, found(&one));
    assert_eq!(next(&mut others).await, PortInput::Opened);

    let mut port = machine.port(Choice::Any, &Claims::default());
    assert_eq!(next(&mut port).await, found(&one));
    assert_eq!(next(&mut port).await, found(&two));
    assert_eq!(next(&mut port).await, PortInput::Opened);

    let mut late = machine.port(Choice::Any, &Claims::default());
    for _ in 0..2 {
        assert_eq!(next(&mut late).await, found(&one), "all are in use");
        assert!(matches!(next(&mut late).await, PortInput::OpenFailed { failure: OpenFailure::Busy { .. }, .. }));
        late.open();
    }
    drop(port);
    assert_eq!(next(&mut late).await, found(&one));
    assert_eq!(next(&mut late).await, found(&two), "not any more");
    assert_eq!(next(&mut late).await, PortInput::Opened);
}

#[tokio::test]
async fn a_rejected_dongle_is_offered_again_only_when_it_was_plugged_in_anew() {
    let (machine, claims) = (Machine::new(), Claims::default());
    let (one, two) = (machine.node("ttyACM0"), machine.node("ttyACM1"));
    let first = machine.plug("ttyACM0", "1-1");
    let _second = machine.plug("ttyACM1", "1-2");
    let mut port = machine.port(Choice::Address(BdAddr([7; 6])), &claims);
    for node in [&one, &two] {
        assert_eq!(next(&mut port).await, found(node));
        assert_eq!(next(&mut port).await, PortInput::Opened);
        port.reject();
        port.open();
    }
    assert!(missing(next(&mut port).await).contains("no dongle found with the address 07:07:07:07:07:07"));
    nothing(&mut port).await;
    machine.unplug("ttyACM0", "1-1", first);
    nothing(&mut port).await;
    let _third = machine.plug("ttyACM0", "1-1");
    assert_eq!(next(&mut port).await, found(&one));
}

#[tokio::test]
async fn a_dongle_that_was_given_up_comes_last_next_time() {
    let (machine, claims) = (Machine::new(), Claims::default());
    let nodes = ["ttyACM0", "ttyACM1", "ttyACM2"].map(|tty| machine.node(tty));
    let first = machine.plug("ttyACM0", "1-1");
    let _others = [machine.plug("ttyACM1", "1-2"), machine.plug("ttyACM2", "1-3")];
    let mut port = machine.port(Choice::Any, &claims);
    for turn in [0, 1, 2, 0, 1] {
        assert_eq!(next(&mut port).await, found(&nodes[turn]));
        assert_eq!(next(&mut port).await, PortInput::Opened);
        port.give_up();
        port.open();
    }
    assert_eq!(next(&mut port).await, found(&nodes[2]));
    port.close();
    machine.unplug("ttyACM0", "1-1", first);
    let _again = machine.plug("ttyACM0", "1-1");
    port.open();
    assert_eq!(next(&mut port).await, found(&nodes[0]), "plugged in anew");
}

#[tokio::test]
async fn a_bootloader_is_recognised() {
    let machine = Machine::new();
    plug(&machine.roots().sys, "ttyACM0", "1-1", "tty", &[("idVendor", "2458"), ("idProduct", "fffe")]);
    let mut port = machine.port(Choice::Any, &Claims::default());
    assert!(missing(next(&mut port).await).contains("waits for new firmware"));
    assert_eq!(ports(&machine.roots()).len(), 1);
}
