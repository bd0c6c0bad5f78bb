//! What the firmware does with each command, and what it remembers until it restarts.

use std::time::Duration;

use bgapi::{
    Address, AddressType, BdAddr, ByteArray, Command, ConnectionStatusFlags, ErrorCode, Frame, HardwareId, attributes,
    connection, dfu, flash, gap, hardware, sm, system, test,
};

use super::output::Output;
use super::scanner::{Scanner, are_scan_ticks};
use super::shape::shaped_response;
use super::store::Store;
use super::timers::SoftTimers;
use crate::time::Time;

/// The links the stock firmware has room for.
pub const MAX_LINKS: usize = 3;

/// Who a dongle says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its own public address.
    pub address: BdAddr,
    /// Major, minor and patch number of its firmware.
    pub firmware: [u16; 3],
    /// The build of that firmware.
    pub build: u16,
    /// The hardware it says it is; a dongle says [`HardwareId::BLED112`].
    pub hw: HardwareId,
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            address: BdAddr([0x11, 0x2c, 0x4b, 0x80, 0x07, 0x00]),
            firmware: [1, 5, 0],
            build: 137,
            hw: HardwareId::BLED112,
        }
    }
}

impl Identity {
    const LL_VERSION: u16 = 3;
    const PROTOCOL_VERSION: u8 = 1;

    fn boot(&self) -> system::event::Boot {
        let [major, minor, patch] = self.firmware;
        system::event::Boot {
            major,
            minor,
            patch,
            build: self.build,
            ll_version: Self::LL_VERSION,
            protocol_version: Self::PROTOCOL_VERSION,
            hw: self.hw,
        }
    }

    fn info(&self) -> system::response::GetInfo {
        let system::event::Boot { major, minor, patch, build, ll_version, protocol_version, hw } = self.boot();
        system::response::GetInfo { major, minor, patch, build, ll_version, protocol_version, hw }
    }
}

/// A restart a command has asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Restart {
    pub(super) after: Duration,
    pub(super) into_bootloader: bool,
}

/// The firmware between two restarts.
#[derive(Clone, Debug)]
pub(super) struct Firmware {
    identity: Identity,
    is_bootloader: bool,
    pub(super) scanner: Scanner,
    is_connecting: bool,
    links: [Option<Address>; MAX_LINKS],
    closing: Vec<(Time, u8)>,
    timers: SoftTimers,
    store: Store,
    heard: u8,
}

impl Firmware {
    /// From a disconnect command to the event that says it is done: the peer gets some 6 intervals to answer.
    const CLOSING_TAKES: Duration = Duration::from_millis(180);

    pub(super) fn new(identity: Identity) -> Self {
        Self {
            identity,
            is_bootloader: false,
            scanner: Scanner::default(),
            is_connecting: false,
            links: [None; MAX_LINKS],
            closing: Vec::new(),
            timers: SoftTimers::default(),
            store: Store::default(),
            heard: 0,
        }
    }

    /// Forgets everything but what is in flash, and says so.
    pub(super) fn restart(&mut self, into_bootloader: bool, out: &mut Output) {
        let store = std::mem::take(&mut self.store);
        *self = Self { store, is_bootloader: into_bootloader, ..Self::new(self.identity) };
        match into_bootloader {
            true => out.send(&dfu::event::Boot { version: 0 }),
            false => out.send(&self.identity.boot()),
        }
    }

    /// Opens links as a program that died has left them.
    pub(super) fn open_links(&mut self, peers: &[Address]) {
        for (slot, peer) in self.links.iter_mut().zip(peers) {
            *slot = Some(*peer);
        }
    }

    pub(super) fn count_packet(&mut self) {
        self.heard = self.heard.saturating_add(1);
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        let closing = self.closing.iter().map(|(due, _)| *due).min();
        [closing, self.timers.poll_timeout()].into_iter().flatten().min()
    }

    pub(super) fn handle_timeout(&mut self, now: Time, out: &mut Output) {
        while let Some(at) = self.closing.iter().position(|(due, _)| *due <= now) {
            let (_, connection) = self.closing.remove(at);
            self.links[usize::from(connection)] = None;
            out.send(&connection::event::Disconnected { connection, reason: ErrorCode::TERMINATED_BY_LOCAL_HOST });
        }
        self.timers.handle_timeout(now, out);
    }

    /// Answers one command.
    pub(super) fn answer(&mut self, now: Time, frame: Frame<'_>, out: &mut Output) -> Option<Restart> {
        match frame.command() {
            Some(Command::Dfu(command)) if self.is_bootloader => return answer_dfu(command, out),
            _ if self.is_bootloader => {} // the bootloader speaks nothing else
            Some(command) if self.is_too_old_for(&command) => refuse(frame, out),
            Some(Command::System(command)) => return self.answer_system(command, frame, out),
            Some(Command::Flash(command)) => self.answer_flash(command, frame, out),
            Some(Command::Connection(command)) => self.answer_connection(now, command, frame, out),
            Some(Command::Gap(command)) => self.answer_gap(now, command, frame, out),
            Some(Command::Hardware(command)) => self.answer_hardware(now, command, frame, out),
            Some(Command::Test(test::Command::GetChannelMap(_))) => {
                out.send(&test::response::GetChannelMap {
                    channel_map: ByteArray::from(&[0xff, 0xff, 0xff, 0xff, 0x1f]),
                });
            }
            Some(Command::Sm(command)) => answer_sm(command, frame, out),
            Some(Command::Test(_)) => reply(frame, ErrorCode::SUCCESS, out),
            Some(Command::Attributes(attributes::Command::Send(_))) | Some(Command::Attclient(_)) => {
                reply(frame, ErrorCode::NOT_CONNECTED, out);
            }
            Some(Command::Attributes(_)) => reply(frame, ErrorCode::INVALID_HANDLE, out),
            Some(Command::Dfu(_) | Command::Unknown(_)) | None => refuse(frame, out),
        }
        None
    }

    /// Commands that came with firmware 1.6.
    fn is_too_old_for(&self, command: &Command<'_>) -> bool {
        let is_late = matches!(
            command,
            Command::System(
                system::Command::UsbEnumerationStatusGet(_)
                    | system::Command::GetBootloaderCrc(_)
                    | system::Command::DelayReset(_)
            ) | Command::Hardware(hardware::Command::GetTimestamp(_))
        );
        is_late && self.identity.firmware < [1, 6, 0]
    }

    fn answer_system(&mut self, command: system::Command<'_>, frame: Frame<'_>, out: &mut Output) -> Option<Restart> {
        use system::{Command as C, response as r};
        match command {
            C::Reset(reset) => {
                return Some(Restart { after: Duration::ZERO, into_bootloader: reset.boot_in_dfu == 1 });
            }
            C::DelayReset(reset) => {
                let after = Duration::from_millis(reset.delay_ms.into());
                return Some(Restart { after, into_bootloader: reset.boot_in_dfu == 1 });
            }
            C::AddressGet(_) => out.send(&r::AddressGet { address: self.identity.address }),
            C::GetInfo(_) => out.send(&self.identity.info()),
            C::GetCounters(_) => {
                let rxok = std::mem::take(&mut self.heard);
                out.send(&r::GetCounters { txok: 0, txretry: 0, rxok, rxfail: 0, mbuf: 15 });
            }
            C::GetConnections(_) => {
                out.send(&r::GetConnections { maxconn: MAX_LINKS as u8 });
                (0..MAX_LINKS as u8).for_each(|connection| self.send_status(connection, out));
            }
            C::ReadMemory(read) => {
                let data = ByteArray::new(&[0; ByteArray::MAX_LEN][..read.length.into()]).unwrap_or_default();
                out.send(&r::ReadMemory { address: read.address, data });
            }
            C::WhitelistAppend(peer) => {
                let result = self.scanner.whitelist_append(address(peer.address, peer.address_type));
                out.send(&r::WhitelistAppend { result });
            }
            C::WhitelistRemove(peer) => {
                let result = self.scanner.whitelist_remove(address(peer.address, peer.address_type));
                out.send(&r::WhitelistRemove { result });
            }
            C::WhitelistClear(_) => {
                self.scanner.whitelist_clear();
                out.send(&r::WhitelistClear {});
            }
            C::UsbEnumerationStatusGet(_) => {
                out.send(&r::UsbEnumerationStatusGet { result: ErrorCode::SUCCESS, status: 1 });
            }
            C::EndpointTx(_) | C::EndpointRx(_) => reply(frame, endpoint_result(frame), out),
            C::Hello(_)
            | C::RegWrite(_)
            | C::RegRead(_)
            | C::EndpointSetWatermarks(_)
            | C::AesSetkey(_)
            | C::AesEncrypt(_)
            | C::AesDecrypt(_)
            | C::GetBootloaderCrc(_) => reply(frame, ErrorCode::SUCCESS, out),
        }
        None
    }

    fn answer_flash(&mut self, command: flash::Command<'_>, frame: Frame<'_>, out: &mut Output) {
        use flash::{Command as C, response as r};
        match command {
            C::PsDump(_) => {
                out.send(&r::PsDump {});
                self.store.dump(out);
            }
            C::PsEraseAll(_) => {
                self.store.erase_all();
                out.send(&r::PsEraseAll {});
            }
            C::PsErase(erase) => {
                self.store.erase(erase.key);
                out.send(&r::PsErase {});
            }
            C::PsSave(save) => out.send(&r::PsSave { result: self.store.save(save.key, &save.value) }),
            C::PsLoad(load) => {
                let (result, value) = self.store.load(load.key);
                out.send(&r::PsLoad { result, value });
            }
            C::PsDefrag(_) => out.send(&r::PsDefrag {}),
            C::ErasePage(_) | C::WriteData(_) | C::ReadData(_) => reply(frame, ErrorCode::NOT_IMPLEMENTED, out),
        }
    }

    fn answer_connection(&mut self, now: Time, command: connection::Command<'_>, frame: Frame<'_>, out: &mut Output) {
        use connection::{Command as C, response as r};
        match command {
            C::Disconnect(disconnect) => {
                let connection = disconnect.connection;
                let is_closing = self.closing.iter().any(|(_, handle)| *handle == connection);
                let result = match self.link(connection) {
                    Some(_) if !is_closing => ErrorCode::SUCCESS,
                    _ => ErrorCode::NOT_CONNECTED,
                };
                out.send(&r::Disconnect { connection, result });
                if result.is_success() {
                    self.closing.push((now + Self::CLOSING_TAKES, connection));
                }
            }
            C::GetRssi(get) => {
                let rssi = match (self.link(get.connection), usize::from(get.connection) < MAX_LINKS) {
                    (Some(_), _) => -60,
                    (None, true) => 0,
                    (None, false) => i8::MAX,
                };
                out.send(&r::GetRssi { connection: get.connection, rssi });
            }
            C::GetStatus(get) => {
                out.send(&r::GetStatus { connection: get.connection });
                self.send_status(get.connection, out);
            }
            C::SlaveLatencyDisable(_) => reply(frame, ErrorCode::SUCCESS, out),
            C::Update(_)
            | C::VersionUpdate(_)
            | C::ChannelMapGet(_)
            | C::ChannelMapSet(_)
            | C::FeaturesGet(_)
            | C::RawTx(_) => reply(frame, ErrorCode::NOT_CONNECTED, out),
        }
    }

    fn answer_gap(&mut self, now: Time, command: gap::Command<'_>, frame: Frame<'_>, out: &mut Output) {
        use gap::Command as C;
        let is_idle = !self.scanner.is_running() && !self.is_connecting;
        let valid = |is_valid| if is_valid { ErrorCode::SUCCESS } else { ErrorCode::INVALID_PARAM };
        let result = match command {
            C::SetPrivacyFlags(_) | C::SetNonresolvableAddress(_) => ErrorCode::SUCCESS,
            C::SetMode(set) => valid(set.discover.0 & 0x7f <= 4 && set.connect.0 <= 3),
            C::Discover(_) if self.is_connecting => ErrorCode::WRONG_STATE,
            C::Discover(discover) => self.scanner.start(now, discover),
            C::ConnectDirect(_) | C::ConnectSelective(_) if !is_idle => ErrorCode::WRONG_STATE,
            C::ConnectDirect(_) | C::ConnectSelective(_) if self.free_link().is_none() => {
                ErrorCode::CONNECTION_LIMIT_EXCEEDED
            }
            C::ConnectDirect(c) => self.connect(c.conn_interval_min, c.conn_interval_max, c.timeout, c.latency),
            C::ConnectSelective(c) => self.connect(c.conn_interval_min, c.conn_interval_max, c.timeout, c.latency),
            C::EndProcedure(_) if std::mem::take(&mut self.is_connecting) => ErrorCode::SUCCESS,
            C::EndProcedure(_) => self.scanner.stop(),
            C::SetFiltering(set) => self.scanner.set_filtering(set),
            C::SetScanParameters(set) => self.scanner.set_parameters(set),
            C::SetInitiatingConParameters(set) => valid(are_scan_ticks(set.scan_interval, set.scan_window)),
            C::SetAdvParameters(set) => {
                let range = 0x20..=0x4000;
                valid(
                    range.contains(&set.adv_interval_min)
                        && range.contains(&set.adv_interval_max)
                        && set.adv_interval_min <= set.adv_interval_max
                        && (1..=7).contains(&set.adv_channels),
                )
            }
            C::SetAdvData(set) => valid(set.set_scanrsp <= 1 && set.adv_data.len() <= bgapi::MAX_ADVERTISING_DATA),
            C::SetDirectedConnectableMode(set) => valid(set.addr_type.name().is_some()),
        };
        match command {
            C::ConnectDirect(_) => {
                out.send(&gap::response::ConnectDirect { result, connection_handle: self.free_link().unwrap_or(0) });
            }
            C::ConnectSelective(_) => {
                out.send(&gap::response::ConnectSelective { result, connection_handle: self.free_link().unwrap_or(0) });
            }
            _ => reply(frame, result, out),
        }
    }

    /// Begins an attempt to connect. The peer is never reached: it lasts until `gap_end_procedure`.
    fn connect(&mut self, interval_min: u16, interval_max: u16, timeout: u16, latency: u16) -> ErrorCode {
        // Ranges: Core Specification Vol 6, Part B, §4.5.1 and §4.5.2.
        let intervals = 6..=3200;
        let is_valid = intervals.contains(&interval_min)
            && intervals.contains(&interval_max)
            && interval_min <= interval_max
            && (10..=3200).contains(&timeout)
            && latency < 500;
        if !is_valid {
            return ErrorCode::INVALID_PARAM;
        }
        self.is_connecting = true;
        ErrorCode::SUCCESS
    }

    fn answer_hardware(&mut self, now: Time, command: hardware::Command<'_>, frame: Frame<'_>, out: &mut Output) {
        use hardware::Command as C;
        match command {
            C::SetSoftTimer(set) => {
                let result = self.timers.set(now, set);
                out.send(&hardware::response::SetSoftTimer { result });
            }
            C::GetTimestamp(_) => {
                let ticks = now.as_micros().wrapping_mul(SoftTimers::TICKS_PER_SECOND) / 1_000_000;
                out.send(&hardware::response::GetTimestamp { value: ticks as u32 });
            }
            // A dongle has no wires to these.
            C::AdcRead(_)
            | C::SpiConfig(_)
            | C::SpiTransfer(_)
            | C::I2cRead(_)
            | C::I2cWrite(_)
            | C::TimerComparator(_)
            | C::AnalogComparatorRead(_)
            | C::AnalogComparatorConfigIrq(_) => reply(frame, ErrorCode::NOT_IMPLEMENTED, out),
            C::SetTxpower(_)
            | C::SetRxgain(_)
            | C::SleepEnable(_)
            | C::UsbEnable(_)
            | C::AnalogComparatorEnable(_)
            | C::IoPortConfigIrq(_)
            | C::IoPortConfigDirection(_)
            | C::IoPortConfigFunction(_)
            | C::IoPortConfigPull(_)
            | C::IoPortWrite(_)
            | C::IoPortRead(_)
            | C::IoPortIrqEnable(_)
            | C::IoPortIrqDirection(_) => reply(frame, ErrorCode::SUCCESS, out),
        }
    }

    fn link(&self, connection: u8) -> Option<Address> {
        *self.links.get(usize::from(connection))?
    }

    fn free_link(&self) -> Option<u8> {
        self.links.iter().position(Option::is_none).map(|slot| slot as u8)
    }

    fn send_status(&self, connection: u8, out: &mut Output) {
        let mut status = connection::event::Status {
            connection,
            flags: ConnectionStatusFlags(0),
            address: BdAddr::default(),
            address_type: AddressType::PUBLIC,
            conn_interval: 0,
            timeout: 0,
            latency: 0,
            bonding: gap::NOT_BONDED,
        };
        if let Some(peer) = self.link(connection) {
            status.flags = ConnectionStatusFlags::CONNECTED;
            (status.address, status.address_type) = (peer.bytes, peer.address_type);
            (status.conn_interval, status.timeout) = (60, 100); // 75 ms, 1 s
        }
        out.send(&status);
    }
}

/// Answers with the response's own shape: the result, what the command named, and zeros.
fn reply(frame: Frame<'_>, result: ErrorCode, out: &mut Output) {
    if let Some(response) = shaped_response(frame, result) {
        out.send_frame(&response);
    }
}

/// Says that the command means nothing here: in the response if it has a result, otherwise in an event.
fn refuse(frame: Frame<'_>, out: &mut Output) {
    match shaped_response(frame, ErrorCode::INVALID_COMMAND).filter(|_| super::shape::has_result(frame)) {
        Some(response) => out.send_frame(&response),
        None => out.send(&system::event::ProtocolError { reason: ErrorCode::INVALID_COMMAND }),
    }
}

/// The two UARTs take bytes and have none; other endpoints cannot be written to from USB.
fn endpoint_result(frame: Frame<'_>) -> ErrorCode {
    match frame.payload().first() {
        Some(4 | 5) => ErrorCode::SUCCESS,
        _ => ErrorCode::INVALID_PARAM,
    }
}

/// There are no links to encrypt and no bonds.
fn answer_sm(command: sm::Command<'_>, frame: Frame<'_>, out: &mut Output) {
    use sm::Command as C;
    let result = match command {
        C::EncryptStart(_) => ErrorCode::NOT_CONNECTED,
        C::PasskeyEntry(_) => ErrorCode::WRONG_STATE,
        C::DeleteBonding(delete) if delete.handle != u8::MAX => ErrorCode::INVALID_PARAM,
        _ => ErrorCode::SUCCESS,
    };
    reply(frame, result, out);
}

fn answer_dfu(command: dfu::Command<'_>, out: &mut Output) -> Option<Restart> {
    use dfu::{Command as C, response as r};
    let result = ErrorCode::SUCCESS;
    match command {
        C::Reset(reset) => return Some(Restart { after: Duration::ZERO, into_bootloader: reset.dfu == 1 }),
        C::FlashSetAddress(_) => out.send(&r::FlashSetAddress { result }),
        C::FlashUpload(_) => out.send(&r::FlashUpload { result }),
        C::FlashUploadFinish(_) => out.send(&r::FlashUploadFinish { result }),
    }
    None
}

const fn address(bytes: BdAddr, address_type: AddressType) -> Address {
    Address { bytes, address_type }
}
