//! Drivers on real ptys, with a small dongle at the other end.

#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bgapi::gap::event::ScanResponse;
use bgapi::{
    AddressType, BdAddr, ByteArray, Command, Decoder, Encoded, ErrorCode, HardwareId, Item, Message, PacketType,
    connection, gap, system,
};
use nbe::adapter::{Choice, Claims, Driver, Note, Said, ScanSettings, next_of};
use nbe::clock::{Alarm, Clock};
use nbe::event::{AdapterId, AdapterPhase};
use rustix::fd::OwnedFd;
use rustix::fs::OFlags;
use rustix::pty::OpenptFlags;
use rustix::termios::OptionalActions;

const SCAN: ScanSettings = ScanSettings { interval_ticks: 0x10, window_ticks: 0x10, active: false };

/// How a device behaves; may be changed while it runs.
#[derive(Clone, Debug, Default)]
struct Manner {
    /// It neither reads nor sends.
    stalled: bool,
    /// It prints this and is no dongle.
    text: Option<&'static [u8]>,
    /// Nobody advertises.
    alone: bool,
    /// It sends this once.
    once: Vec<u8>,
}

/// A device on a pty, with a link to it as udev makes one. Dropped, it is gone.
struct Device {
    link: PathBuf,
    manner: Arc<Mutex<Manner>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Device {
    fn plug(link: &Path, address: BdAddr, manner: Manner) -> Self {
        let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        rustix::pty::grantpt(&master).unwrap();
        rustix::pty::unlockpt(&master).unwrap();
        let name = rustix::pty::ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let slave = rustix::fs::open(&*name, flags, rustix::fs::Mode::empty()).unwrap();
        let mut termios = rustix::termios::tcgetattr(&slave).unwrap();
        termios.make_raw();
        rustix::termios::tcsetattr(&slave, OptionalActions::Now, &termios).unwrap();
        rustix::io::ioctl_fionbio(&master, true).unwrap();
        std::os::unix::fs::symlink(&name, link).unwrap();

        let (manner, stop) = (Arc::new(Mutex::new(manner)), Arc::new(AtomicBool::new(false)));
        let firmware = Firmware { address, scanning: false, master, _slave: slave };
        let thread = std::thread::spawn({
            let (manner, stop) = (manner.clone(), stop.clone());
            move || firmware.run(&manner, &stop)
        });
        Self { link: link.into(), manner, stop, thread: Some(thread) }
    }

    fn change(&self, change: impl FnOnce(&mut Manner)) {
        change(&mut self.manner.lock().unwrap());
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        std::fs::remove_file(&self.link).unwrap();
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

struct Firmware {
    address: BdAddr,
    scanning: bool,
    master: OwnedFd,
    /// Kept open, or the master sees an end whenever nobody else has it open.
    _slave: OwnedFd,
}

impl Firmware {
    fn run(mut self, manner: &Mutex<Manner>, stop: &AtomicBool) {
        let mut decoder = Decoder::device();
        let mut next_report = Instant::now();
        while !stop.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(1));
            let now = {
                let mut manner = manner.lock().unwrap();
                let now = manner.clone();
                manner.once.clear();
                now
            };
            self.send(&now.once);
            let mut buffer = [0; 256];
            let read = rustix::io::read(&self.master, &mut buffer).unwrap_or(0);
            if now.stalled {
                continue;
            }
            let mut answers = Vec::new();
            let mut items = decoder.feed(&buffer[..read]);
            while let Some(item) = items.next() {
                if let Item::Frame(frame) = item
                    && now.text.is_none()
                {
                    answers.push(self.answer(frame.command().unwrap()));
                }
            }
            answers.iter().for_each(|answer| self.send(answer));
            if next_report <= Instant::now() {
                next_report = Instant::now() + Duration::from_millis(20);
                match now.text {
                    Some(text) => self.send(text),
                    None if self.scanning && !now.alone => self.send(&report(self.address)),
                    None => {}
                }
            }
        }
    }

    fn send(&self, bytes: &[u8]) {
        let _ = rustix::io::write(&self.master, bytes);
    }

    fn answer(&mut self, command: Command<'_>) -> Encoded {
        let result = ErrorCode::SUCCESS;
        match command {
            Command::System(system::Command::Hello(_)) => system::response::Hello {}.encoded(),
            Command::System(system::Command::GetInfo(_)) => system::response::GetInfo {
                major: 1,
                minor: 3,
                patch: 2,
                build: 122,
                ll_version: 9,
                protocol_version: 1,
                hw: HardwareId(3),
            }
            .encoded(),
            Command::System(system::Command::AddressGet(_)) => {
                system::response::AddressGet { address: self.address }.encoded()
            }
            Command::System(system::Command::GetConnections(_)) => {
                system::response::GetConnections { maxconn: 0 }.encoded()
            }
            Command::Connection(connection::Command::Disconnect(command)) => {
                connection::response::Disconnect { connection: command.connection, result }.encoded()
            }
            Command::Gap(gap::Command::EndProcedure(_)) => {
                let result = if self.scanning { result } else { ErrorCode::WRONG_STATE };
                self.scanning = false;
                gap::response::EndProcedure { result }.encoded()
            }
            Command::Gap(gap::Command::SetMode(_)) => gap::response::SetMode { result }.encoded(),
            Command::Gap(gap::Command::SetFiltering(_)) => gap::response::SetFiltering { result }.encoded(),
            Command::Gap(gap::Command::SetScanParameters(_)) => gap::response::SetScanParameters { result }.encoded(),
            Command::Gap(gap::Command::Discover(_)) => {
                self.scanning = true;
                gap::response::Discover { result }.encoded()
            }
            other => panic!("nobody should send {other}"),
        }
    }
}

fn report(sender: BdAddr) -> Encoded {
    let data = ByteArray::from(b"\x02\x01\x06");
    let (packet_type, address_type) = (PacketType::ADV_IND, AddressType::PUBLIC);
    ScanResponse { rssi: -60, packet_type, sender, address_type, bond: gap::NOT_BONDED, data }.encoded()
}

/// Drivers, what they heard and what they said.
struct Rig {
    clock: Clock,
    alarm: Alarm,
    drivers: Vec<Driver>,
    heard: Vec<(usize, BdAddr)>,
    notes: Vec<Note>,
}

impl Rig {
    fn new(choices: Vec<Choice>) -> Self {
        let (clock, claims) = (Clock::start(), Claims::default());
        let driver = |(id, choice)| Driver::new(AdapterId(id), choice, SCAN, claims.clone(), clock);
        let drivers = (0..).zip(choices).map(driver).collect();
        Self { clock, alarm: Alarm::new(clock).unwrap(), drivers, heard: Vec::new(), notes: Vec::new() }
    }

    fn at(links: &[&Path]) -> Self {
        Self::new(links.iter().map(|link| Choice::Port(link.to_path_buf())).collect())
    }

    /// Runs until the condition holds, and says how long that took, which should be `seconds` at most; panics if it
    /// takes [`BUSY`] times as long.
    async fn until(&mut self, seconds: f64, what: &str, mut condition: impl FnMut(&Self) -> bool) {
        let begun = Instant::now();
        let bound = self.clock.now() + Duration::from_secs_f64(seconds * BUSY);
        loop {
            while let Some(said) = self.drivers.iter_mut().find_map(Driver::poll_said) {
                if let Said::Note(note) = said {
                    self.notes.push(note);
                }
            }
            if condition(self) {
                eprintln!("{what}: after {} ms of {} ms", begun.elapsed().as_millis(), seconds * 1e3);
                return;
            }
            let now = self.clock.now();
            let states: Vec<_> = self.drivers.iter().map(Driver::state).collect();
            assert!(now < bound, "not within {BUSY} times {seconds} s: {what}: {states:?}");
            let due = self.drivers.iter().filter_map(Driver::poll_timeout).chain([bound]).min();
            tokio::select! {
                (place, happened) = next_of(&mut self.drivers) => {
                    let heard = &mut self.heard;
                    self.drivers[place].handle(happened, &mut |_, report| heard.push((place, report.sender)));
                }
                () = self.alarm.ring(due) => {
                    let now = self.clock.now();
                    self.drivers.iter_mut().for_each(|driver| driver.handle_timeout(now));
                }
            }
        }
    }

    fn error(&self) -> &str {
        self.drivers[0].state().error.as_deref().unwrap_or("")
    }

    fn phase(&self) -> AdapterPhase {
        self.drivers[0].state().phase
    }

    async fn until_heard(&mut self, seconds: f64, what: &str) {
        self.heard.clear();
        self.until(seconds, what, |rig| rig.heard.len() >= 3).await;
    }
}

/// How much slower than its own a machine may be that has others to serve.
const BUSY: f64 = 10.0;

const FIRST: BdAddr = BdAddr([1; 6]);
const SECOND: BdAddr = BdAddr([2; 6]);

#[tokio::test]
async fn a_dongle_boots_garbles_stalls_vanishes_and_returns() {
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().join("dongle");
    let device = Device::plug(&link, FIRST, Manner::default());
    let mut rig = Rig::at(&[&link]);
    rig.until_heard(2.0, "scanning").await;
    assert_eq!(rig.drivers[0].state().address, Some(FIRST));

    let boot = system::event::Boot {
        major: 1,
        minor: 3,
        patch: 2,
        build: 122,
        ll_version: 9,
        protocol_version: 1,
        hw: HardwareId(3),
    };
    device.change(|manner| manner.once = boot.encoded().to_vec());
    rig.until(2.0, "boot noticed", |rig| rig.notes.contains(&Note::Booted)).await;
    rig.until(2.0, "scanning after the boot", |rig| rig.phase() == AdapterPhase::Scanning).await;
    rig.until_heard(2.0, "heard after the boot").await;

    device.change(|manner| manner.once = (0..200u8).collect());
    rig.until(2.0, "garbage counted", |rig| rig.drivers[0].counters().discarded_bytes > 100).await;
    rig.until_heard(2.0, "heard after the garbage").await;

    device.change(|manner| manner.stalled = true);
    rig.until(13.0, "stall noticed", |rig| rig.phase() == AdapterPhase::Stalled).await;
    device.change(|manner| manner.stalled = false);
    rig.until_heard(5.0, "heard after the stall").await;

    drop(device);
    rig.until(1.0, "gone", |rig| rig.phase() == AdapterPhase::Absent).await;
    assert!(rig.error().starts_with("there is no port"), "{}", rig.error());
    let keeper = Device::plug(&dir.path().join("other"), SECOND, Manner::default()); // takes the old number
    let back = Device::plug(&link, FIRST, Manner::default());
    rig.until_heard(2.0, "heard under another number").await;

    rig.drivers[0].stop();
    let reopened = Rig::at(&[&link]).until_heard(1.0, "released at once").await;
    drop((back, keeper, reopened));
}

#[tokio::test]
async fn a_frame_survives_that_the_program_is_held_up_in_the_middle_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().join("dongle");
    let device = Device::plug(&link, FIRST, Manner::default());
    let mut rig = Rig::at(&[&link]);
    rig.until_heard(2.0, "scanning").await;
    device.change(|manner| manner.alone = true);
    let (begin, rest) = (report(SECOND)[..16].to_vec(), report(SECOND)[16..].to_vec());
    let bytes = |rig: &Rig| rig.drivers[0].counters().bytes % report(FIRST).len() as u64;
    let before = bytes(&rig);
    device.change(|manner| manner.once = begin);
    rig.until(1.0, "half a report", |rig| bytes(rig) != before).await;
    let waiting = rig.until(1.0, "never", |_| false); // until the runtime has seen that nothing more is there
    tokio::time::timeout(Duration::from_millis(5), waiting).await.unwrap_err();
    device.change(|manner| manner.once = rest);
    std::thread::sleep(Duration::from_millis(300)); // held up, while the rest comes in
    rig.until(1.0, "the whole report", |rig| rig.heard.contains(&(0, SECOND))).await;
    assert_eq!(rig.drivers[0].counters().discarded_bytes, 0);
}

#[tokio::test]
async fn two_dongles_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let links = [dir.path().join("one"), dir.path().join("two")];
    let _first = Device::plug(&links[0], FIRST, Manner::default());
    let second = Device::plug(&links[1], SECOND, Manner::default());
    let mut rig = Rig::at(&[&links[0], &links[1]]);
    let both = |rig: &Rig| rig.heard.contains(&(0, FIRST)) && rig.heard.contains(&(1, SECOND));
    rig.until(3.0, "both heard", both).await;
    assert!(rig.heard.iter().all(|heard| [(0, FIRST), (1, SECOND)].contains(heard)));
    drop(second);
    rig.until(2.0, "one gone", |rig| rig.drivers[1].state().phase == AdapterPhase::Absent).await;
    rig.until_heard(1.0, "the other is still heard").await;
    assert!(rig.drivers[0].is_well());
}

#[tokio::test]
async fn a_port_in_use_is_refused_with_its_holders_name_and_taken_when_it_is_free() {
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().join("dongle");
    let _device = Device::plug(&link, FIRST, Manner::default());
    let mut holder = Rig::at(&[&link]);
    holder.until_heard(2.0, "held").await;

    // Other claims, as another program would have.
    let mut rig = Rig::at(&[&link]);
    rig.until(2.0, "refused", |rig| rig.phase() == AdapterPhase::Failed).await;
    assert!(rig.error().contains("dongle is held by "), "{}", rig.error());
    if cfg!(target_os = "linux") {
        assert!(rig.error().contains(&format!("(process {})", std::process::id())), "{}", rig.error());
    }
    drop(holder);
    rig.until_heard(2.0, "taken").await;
    drop(rig);

    // The same claims: two tables that name one port.
    let mut rig = Rig::at(&[&link, &link]);
    let told = |rig: &Rig| rig.drivers[1].state().error.as_deref().is_some_and(|error| error.contains("[[adapter]]"));
    rig.until(2.0, "one of two has it", told).await;
}

#[tokio::test]
async fn what_is_no_dongle_is_called_so() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "not a port").unwrap();
    let mut rig = Rig::at(&[&file]);
    rig.until(1.0, "a plain file", |rig| rig.error().contains("it is no serial port")).await;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "not a port");

    let mut rig = Rig::at(&[&dir.path().join("nothing")]);
    rig.until(1.0, "nothing", |rig| rig.error().contains("there is no port")).await;

    let cases: [(&str, Manner, &str); 2] = [
        ("silent", Manner { stalled: true, ..Manner::default() }, "nothing has answered so far"),
        ("text", Manner { text: Some(b"I am a script.\r\n"), ..Manner::default() }, "prints text"),
    ];
    for (case, manner, sentence) in cases {
        let link = dir.path().join(case);
        let device = Device::plug(&link, FIRST, manner);
        let mut rig = Rig::at(&[&link]);
        rig.until(3.0, case, |rig| rig.error().contains(sentence)).await;
        device.change(|manner| *manner = Manner::default());
        rig.until_heard(10.0, "a dongle after all").await;
        assert_eq!(rig.error(), "");
    }
}
