//! A dongle without a port, and a world in which time is stepped.

use std::collections::VecDeque;
use std::time::Duration;

use bgapi::gap::event::ScanResponse;
use bgapi::{
    AddressType, BdAddr, ByteArray, Command, ConnectionStatusFlags, Decoder, Encoded, ErrorCode, HardwareId, Item,
    Message, PacketType, connection, gap, system,
};

use crate::adapter::{Note, Output, PortInput, ScanSettings, Session, Wanted};
use crate::event::{AdapterId, AdapterPhase, AdapterState};
use crate::time::Time;

pub(super) const SCAN: ScanSettings = ScanSettings { interval_ticks: 0x10, window_ticks: 0x10, active: false };
pub(super) const ADDRESS: BdAddr = BdAddr([1, 2, 3, 4, 5, 6]);
pub(super) const PORT: &str = "/dev/ttyACM0";
const LATENCY: Duration = Duration::from_millis(2);

/// What is wrong with the fake.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fault {
    None,
    /// Nothing comes from it, and nothing has an effect on it.
    Dead,
    /// It answers nothing but a reset, and sends nothing.
    Hung,
    /// It reports and does not answer.
    Deaf,
    /// It answers and does not report.
    Numb,
    /// It reports adverts without content, until it is reset.
    Empty,
    /// Everything is answered so much later.
    Late(Duration),
    /// It is another thing that sends this ten times a second.
    Other(&'static [u8]),
    /// It sends back what it gets.
    Echo,
    /// Noise between and inside all it sends.
    Noise,
    /// It refuses this command, by class and id, with that code.
    Refuse(u8, u8, ErrorCode),
}

pub(super) struct Fake {
    pub(super) fault: Fault,
    pub(super) address: BdAddr,
    pub(super) scanning: bool,
    /// Somebody advertises so often.
    pub(super) every: Option<Duration>,
    pub(super) links: [bool; 3],
    pub(super) parameters: Option<(u16, u16, u8)>,
    /// Off the bus until then.
    pub(super) absent_until: Option<Time>,
    pub(super) resets: u32,
    pub(super) commands: Vec<(Time, String)>,
    /// Half a command, and when its last byte came.
    half: Decoder,
    last_write: Time,
    sending: VecDeque<(Time, Vec<u8>)>,
    next_report: Time,
    noise: u64,
}

impl Fake {
    pub(super) fn new() -> Self {
        Self::with(Fault::None)
    }

    pub(super) fn with(fault: Fault) -> Self {
        Self {
            fault,
            address: ADDRESS,
            scanning: false,
            every: Some(Duration::from_millis(50)),
            links: [false; 3],
            parameters: None,
            absent_until: None,
            resets: 0,
            commands: Vec::new(),
            half: Decoder::device(),
            last_write: Time::ZERO,
            sending: VecDeque::new(),
            next_report: Time::ZERO,
            noise: 1,
        }
    }

    /// Leaves the beginning of a command in the chip's parser.
    pub(super) fn leave_half_a_command(&mut self) {
        let _ = self.half.feed(&[0x00, 0x05, 0x06, 0x07]).next();
    }

    pub(super) fn send(&mut self, at: Time, bytes: &[u8]) {
        self.sending.push_back((at, bytes.to_vec()));
    }

    fn random(&mut self) -> u64 {
        self.noise ^= self.noise << 13;
        self.noise ^= self.noise >> 7;
        self.noise ^= self.noise << 17;
        self.noise
    }

    /// True if it leaves the bus.
    pub(super) fn handle_write(&mut self, now: Time, bytes: &[u8]) -> bool {
        let mut commands = Vec::new();
        if now.since(self.last_write) > Duration::from_secs(1) && self.half.pending() > 0 {
            self.half = Decoder::device();
            let reason = ErrorCode::TIMEOUT;
            self.send(now, &system::event::ProtocolError { reason }.encoded());
        }
        self.last_write = now;
        if self.fault == Fault::Echo {
            self.send(now, bytes);
            return false;
        }
        let mut half = self.half.clone();
        let mut items = half.feed(bytes);
        while let Some(item) = items.next() {
            if let Item::Frame(frame) = item {
                commands.push(frame.as_bytes().to_vec());
            }
        }
        self.half = half;
        let mut left = false;
        for bytes in commands {
            let frame = bgapi::Frame::parse(bgapi::Direction::ToDevice, &bytes).unwrap();
            let command = frame.command().unwrap();
            self.commands.push((now, command.name().into()));
            left |= self.handle_command(now, command, (frame.class(), frame.id()));
        }
        left
    }

    fn handle_command(&mut self, now: Time, command: Command<'_>, number: (u8, u8)) -> bool {
        if matches!(self.fault, Fault::Dead | Fault::Other(_)) {
            return false;
        }
        if let Command::System(system::Command::Reset(_)) = command {
            self.resets += 1;
            if !matches!(self.fault, Fault::Refuse(..) | Fault::Noise) {
                self.fault = Fault::None;
            }
            *self = Self {
                fault: self.fault.clone(),
                address: self.address,
                every: self.every,
                resets: self.resets,
                commands: std::mem::take(&mut self.commands),
                absent_until: Some(now + Duration::from_millis(1_200)),
                ..Self::new()
            };
            return true;
        }
        if matches!(self.fault, Fault::Hung | Fault::Deaf) {
            return false;
        }
        let latency = if let Fault::Late(latency) = self.fault { latency } else { LATENCY };
        let refused = match self.fault {
            Fault::Refuse(class, id, code) if (class, id) == number => Some(code),
            _ => None,
        };
        let result = refused.unwrap_or(ErrorCode::SUCCESS);
        let wrong_state = |wrong: bool| if wrong { ErrorCode::WRONG_STATE } else { result };
        let mut statuses = Vec::new();
        let response: Encoded = match command {
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
                for (handle, &open) in self.links.iter().enumerate() {
                    statuses.push(status(handle as u8, open));
                }
                system::response::GetConnections { maxconn: 3 }.encoded()
            }
            Command::Connection(connection::Command::Disconnect(command)) => {
                self.links[usize::from(command.connection)] = false;
                connection::response::Disconnect { connection: command.connection, result }.encoded()
            }
            Command::Gap(gap::Command::EndProcedure(_)) => {
                let result = wrong_state(!self.scanning);
                self.scanning = false;
                gap::response::EndProcedure { result }.encoded()
            }
            Command::Gap(gap::Command::SetMode(_)) => gap::response::SetMode { result }.encoded(),
            Command::Gap(gap::Command::SetFiltering(_)) => gap::response::SetFiltering { result }.encoded(),
            Command::Gap(gap::Command::SetScanParameters(command)) => {
                self.parameters = Some((command.scan_interval, command.scan_window, command.active));
                gap::response::SetScanParameters { result: wrong_state(self.scanning) }.encoded()
            }
            Command::Gap(gap::Command::Discover(_)) => {
                let result = wrong_state(self.scanning);
                self.scanning |= result.is_success();
                self.next_report = now + LATENCY;
                gap::response::Discover { result }.encoded()
            }
            other => panic!("nobody should send {other}"),
        };
        self.send(now + latency, &response);
        for status in statuses {
            self.send(now + latency, &status);
        }
        false
    }

    /// When it sends something next.
    fn next(&self) -> Option<Time> {
        let reports = self.every.is_some() && self.scanning && !matches!(self.fault, Fault::Numb | Fault::Hung);
        let own = reports || matches!(self.fault, Fault::Other(_) | Fault::Noise);
        let own = (own && self.fault != Fault::Dead).then_some(self.next_report);
        [own, self.sending.front().map(|(at, _)| *at)].into_iter().flatten().min()
    }

    pub(super) fn poll(&mut self, now: Time) -> Option<Vec<u8>> {
        if self.fault == Fault::Dead {
            self.sending.clear();
            return None;
        }
        if self.next_report <= now {
            let every = self.every.unwrap_or(Duration::from_millis(100)).max(Duration::from_millis(1));
            self.next_report = now + every;
            match self.fault {
                Fault::Other(bytes) => {
                    self.next_report = now + Duration::from_millis(100);
                    self.send(now, bytes);
                }
                Fault::Noise => {
                    let noise: Vec<u8> = (0..200).map(|_| self.random() as u8).collect();
                    self.send(now, &noise);
                }
                Fault::Numb | Fault::Hung => {}
                _ if self.scanning && self.every.is_some() => {
                    let report = report(self.fault == Fault::Empty);
                    self.send(now, &report);
                }
                _ => {}
            }
        }
        if self.sending.front().is_some_and(|(at, _)| *at <= now) {
            return self.sending.pop_front().map(|(_, bytes)| bytes);
        }
        None
    }
}

pub(super) fn report(empty: bool) -> Encoded {
    ScanResponse {
        rssi: -60,
        packet_type: PacketType::ADV_IND,
        sender: BdAddr([9, 8, 7, 6, 5, 4]),
        address_type: AddressType::PUBLIC,
        bond: gap::NOT_BONDED,
        data: if empty { ByteArray::default() } else { ByteArray::from(b"\x02\x01\x06") },
    }
    .encoded()
}

pub(super) fn boot(major: u16, protocol_version: u8) -> Encoded {
    system::event::Boot { major, minor: 3, patch: 2, build: 122, ll_version: 9, protocol_version, hw: HardwareId(3) }
        .encoded()
}

fn status(connection: u8, open: bool) -> Encoded {
    connection::event::Status {
        connection,
        flags: ConnectionStatusFlags(u8::from(open)),
        address: BdAddr([0x11; 6]),
        address_type: AddressType::PUBLIC,
        conn_interval: 60,
        timeout: 100,
        latency: 0,
        bonding: 0xff,
    }
    .encoded()
}

/// A session, a fake and the time.
pub(super) struct World {
    pub(super) now: Time,
    pub(super) session: Session,
    pub(super) fake: Fake,
    pub(super) open: bool,
    wants_port: bool,
    told_missing: bool,
    pub(super) states: Vec<(Time, AdapterState)>,
    pub(super) notes: Vec<(Time, Note)>,
    pub(super) opened: Vec<Time>,
    pub(super) heard: Vec<Time>,
    /// So long after it was opened the port is lost.
    pub(super) lifetime: Option<Duration>,
    /// What opening the port gives instead of a port.
    pub(super) refuse: Option<PortInput>,
    /// Pieces of at most so many bytes.
    pub(super) piece: usize,
}

impl World {
    pub(super) fn new(fake: Fake) -> Self {
        Self::wanting(fake, Wanted::Any)
    }

    pub(super) fn wanting(fake: Fake, wanted: Wanted) -> Self {
        Self {
            now: Time::ZERO,
            session: Session::new(AdapterId(0), wanted, SCAN, Time::ZERO),
            fake,
            open: false,
            wants_port: false,
            told_missing: false,
            states: Vec::new(),
            notes: Vec::new(),
            opened: Vec::new(),
            heard: Vec::new(),
            lifetime: None,
            refuse: None,
            piece: 64,
        }
    }

    pub(super) fn run(&mut self, span: Duration) {
        let end = self.now + span;
        let mut steps_here = 0;
        loop {
            self.act();
            let absence = self.fake.absent_until.filter(|_| self.wants_port);
            let fake = self.fake.next().filter(|_| self.open);
            let death = self.lifetime.and_then(|lifetime| Some(*self.opened.last()? + lifetime)).filter(|_| self.open);
            let next = [self.session.poll_timeout(), fake, absence, death].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            steps_here = if next > self.now { 0 } else { steps_here + 1 };
            assert!(steps_here < 1_000, "spins at {:?}: {:?}", self.now, self.session);
            self.now = self.now.max(next);
            if death.is_some_and(|death| death <= self.now) {
                self.unplug(Duration::ZERO);
            }
            while self.open
                && let Some(bytes) = self.fake.poll(self.now)
            {
                self.read(&bytes);
            }
            if self.session.poll_timeout().is_some_and(|due| due <= self.now) {
                self.session.handle_timeout(self.now);
            }
            self.session.handle_empty(self.now);
        }
        self.now = end;
    }

    pub(super) fn read(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(self.piece) {
            let heard = &mut self.heard;
            self.session.handle_bytes(self.now, piece, &mut |at, _| heard.push(at));
        }
    }

    pub(super) fn unplug(&mut self, span: Duration) {
        self.fake.absent_until = Some(self.now + span);
        self.lose();
    }

    fn lose(&mut self) {
        if std::mem::take(&mut self.open) {
            self.session.handle_port(self.now, PortInput::Lost { message: "unplugged".into() });
        }
    }

    fn act(&mut self) {
        loop {
            while let Some(output) = self.session.poll_output() {
                match output {
                    Output::Open => self.wants_port = true,
                    Output::Write(bytes) => {
                        if self.open && self.fake.handle_write(self.now, &bytes) {
                            self.lose();
                        }
                    }
                    Output::Flush => self.fake.sending.retain(|(at, _)| *at > self.now),
                    Output::Close | Output::Rest | Output::Reject => (self.open, self.wants_port) = (false, false),
                    Output::State(state) => self.states.push((self.now, state)),
                    Output::Note(note) => self.notes.push((self.now, note)),
                }
            }
            if !self.wants_port {
                return;
            }
            if self.fake.absent_until.is_some_and(|until| until > self.now) {
                if !std::mem::replace(&mut self.told_missing, true) {
                    self.session.handle_port(self.now, PortInput::Missing { reason: "no dongle found".into() });
                    continue;
                }
                return;
            }
            self.fake.absent_until = None;
            self.told_missing = false;
            self.wants_port = false;
            self.opened.push(self.now);
            self.session.handle_port(self.now, PortInput::Found { port: PORT.into() });
            match self.refuse.clone() {
                Some(refusal) => self.session.handle_port(self.now, refusal),
                None => {
                    self.open = true;
                    self.session.handle_port(self.now, PortInput::Opened);
                }
            }
        }
    }

    pub(super) fn phase(&self) -> AdapterPhase {
        self.session.state().phase
    }

    pub(super) fn error(&self) -> &str {
        self.session.state().error.as_deref().unwrap_or("")
    }

    pub(super) fn noted(&self, wanted: &Note) -> usize {
        self.notes.iter().filter(|(_, note)| note == wanted).count()
    }

    pub(super) fn sent(&self) -> Vec<&str> {
        self.fake.commands.iter().map(|(_, name)| name.as_str()).collect()
    }
}
