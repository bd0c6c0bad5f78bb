//! The receiver while it scans: when it listens, on which channel, and what it lets through.

use std::collections::VecDeque;
use std::time::Duration;

use bgapi::gap::command::{Discover, SetFiltering, SetScanParameters};
use bgapi::gap::event::ScanResponse;
use bgapi::gap::{NOT_BONDED, SCAN_TICKS};
use bgapi::{Address, ByteArray, DiscoverMode, Encoded, ErrorCode, Message, PacketType, ScanPolicy, ad};

use crate::time::Time;

/// One of the three advertising channels, 0 for 37 to 2 for 39.
pub type Channel = u8;

/// One packet as the antenna gets it.
#[derive(Clone, Copy, Debug)]
pub struct Heard<'a> {
    /// Signal strength in dBm, as the chip measures it.
    pub rssi: i8,
    /// What kind of packet.
    pub packet_type: PacketType,
    /// Who sent it.
    pub sender: Address,
    /// AD structures, at most 31 bytes.
    pub data: &'a [u8],
}

/// How many advertisers the duplicate filter remembers. No source gives the chip's number.
const SEEN_LIMIT: usize = 64;

/// How many devices the white list holds. No source gives the chip's number.
const WHITELIST_LIMIT: usize = 8;

/// The scan settings and the scan itself.
#[derive(Clone, Debug)]
pub(super) struct Scanner {
    interval: Duration,
    window: Duration,
    pub(super) active: bool,
    filtering: SetFiltering,
    whitelist: Vec<Address>,
    running: Option<Running>,
}

#[derive(Clone, Debug)]
struct Running {
    since: Time,
    mode: DiscoverMode,
    seen: VecDeque<(u64, bool)>,
}

impl Default for Scanner {
    fn default() -> Self {
        let filtering = SetFiltering {
            scan_policy: ScanPolicy::ALL,
            adv_policy: bgapi::AdvertisingPolicy::ALL,
            scan_duplicate_filtering: 0,
        };
        Self {
            interval: ticks(0x4b),
            window: ticks(0x32),
            active: false,
            filtering,
            whitelist: Vec::new(),
            running: None,
        }
    }
}

impl Scanner {
    pub(super) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    pub(super) fn set_parameters(&mut self, command: SetScanParameters) -> ErrorCode {
        let SetScanParameters { scan_interval, scan_window, active } = command;
        if self.is_running() {
            return ErrorCode::WRONG_STATE;
        }
        if !are_scan_ticks(scan_interval, scan_window) || active > 1 {
            return ErrorCode::INVALID_PARAM;
        }
        (self.interval, self.window, self.active) = (ticks(scan_interval), ticks(scan_window), active == 1);
        ErrorCode::SUCCESS
    }

    pub(super) fn set_filtering(&mut self, command: SetFiltering) -> ErrorCode {
        if command.scan_policy.0 > 1 || command.adv_policy.0 > 3 || command.scan_duplicate_filtering > 1 {
            return ErrorCode::INVALID_PARAM;
        }
        self.filtering = command;
        ErrorCode::SUCCESS
    }

    pub(super) fn start(&mut self, now: Time, Discover { mode }: Discover) -> ErrorCode {
        if mode.name().is_none() {
            return ErrorCode::INVALID_PARAM;
        }
        if self.is_running() {
            return ErrorCode::WRONG_STATE;
        }
        self.running = Some(Running { since: now, mode, seen: VecDeque::new() });
        ErrorCode::SUCCESS
    }

    pub(super) fn stop(&mut self) -> ErrorCode {
        match self.running.take() {
            Some(_) => ErrorCode::SUCCESS,
            None => ErrorCode::WRONG_STATE,
        }
    }

    pub(super) fn whitelist_append(&mut self, peer: Address) -> ErrorCode {
        if self.is_running() {
            return ErrorCode::WRONG_STATE;
        }
        if !self.whitelist.contains(&peer) {
            if self.whitelist.len() == WHITELIST_LIMIT {
                return ErrorCode::OUT_OF_MEMORY;
            }
            self.whitelist.push(peer);
        }
        ErrorCode::SUCCESS
    }

    pub(super) fn whitelist_remove(&mut self, peer: Address) -> ErrorCode {
        if self.is_running() {
            return ErrorCode::WRONG_STATE;
        }
        let before = self.whitelist.len();
        self.whitelist.retain(|listed| *listed != peer);
        if self.whitelist.len() < before { ErrorCode::SUCCESS } else { ErrorCode::INVALID_PARAM }
    }

    pub(super) fn whitelist_clear(&mut self) {
        self.whitelist.clear();
    }

    /// The channel the receiver is on at a moment: one per interval in turn, and none outside the window.
    pub(super) fn listening(&self, at: Time) -> Option<Channel> {
        let elapsed = at.since(self.running.as_ref()?.since).as_micros();
        let interval = self.interval.as_micros();
        let is_open = elapsed % interval < self.window.as_micros();
        is_open.then_some((elapsed / interval % 3) as Channel)
    }

    /// The report of a packet, unless a filter holds it back.
    pub(super) fn report(&mut self, heard: Heard<'_>) -> Option<Encoded> {
        let running = self.running.as_mut()?;
        let Heard { rssi, packet_type, sender, data } = heard;
        let is_scan_response = packet_type == PacketType::SCAN_RSP;
        let is_wanted = is_scan_response || has_flags_for(running.mode, data);
        let is_listed = self.filtering.scan_policy != ScanPolicy::WHITELIST || self.whitelist.contains(&sender);
        if !is_wanted || !is_listed {
            return None;
        }
        if self.filtering.scan_duplicate_filtering == 1 {
            let key = (sender.key(), is_scan_response);
            if running.seen.contains(&key) {
                return None;
            }
            if running.seen.len() == SEEN_LIMIT {
                running.seen.pop_front();
            }
            running.seen.push_back(key);
        }
        let data = ByteArray::new(data).ok()?;
        let (sender, address_type) = (sender.bytes, sender.address_type);
        Some(ScanResponse { rssi, packet_type, sender, address_type, bond: NOT_BONDED, data }.encoded())
    }
}

/// Whether interval and window are within the chip's range and fit each other.
pub(super) fn are_scan_ticks(interval: u16, window: u16) -> bool {
    SCAN_TICKS.contains(&interval) && SCAN_TICKS.contains(&window) && window <= interval
}

fn ticks(count: u16) -> Duration {
    Duration::from_micros(625) * u32::from(count)
}

/// Whether an advertisement's Flags make it one that this discovery looks for.
fn has_flags_for(mode: DiscoverMode, data: &[u8]) -> bool {
    let flags = || ad::Structures::new(data).flags().unwrap_or_default().0;
    match mode {
        DiscoverMode::LIMITED => flags() & ad::AdFlags::LIMITED_DISCOVERABLE.0 != 0,
        DiscoverMode::GENERIC => {
            let either = ad::AdFlags::LIMITED_DISCOVERABLE | ad::AdFlags::GENERAL_DISCOVERABLE;
            flags() & either.0 != 0
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_channels_take_turns_and_the_rest_of_an_interval_is_deaf() {
        let mut scanner = Scanner::default();
        // 10 ms, of which 5 ms listening.
        scanner.set_parameters(SetScanParameters { scan_interval: 16, scan_window: 8, active: 0 });
        assert_eq!(scanner.listening(Time::ZERO), None);
        scanner.start(Time::from_millis(100), Discover { mode: DiscoverMode::OBSERVATION });
        let heard = [100, 104, 105, 109, 110, 120, 130].map(|millis| scanner.listening(Time::from_millis(millis)));
        assert_eq!(heard, [Some(0), Some(0), None, None, Some(1), Some(2), Some(0)]);
    }

    #[test]
    fn the_white_list_has_room_for_eight() {
        let mut scanner = Scanner::default();
        let peer = |n| Address { bytes: bgapi::BdAddr([n, 0, 0, 0, 0, 0]), address_type: bgapi::AddressType::PUBLIC };
        assert!((0..8).all(|n| scanner.whitelist_append(peer(n)).is_success()));
        assert_eq!(scanner.whitelist_append(peer(3)), ErrorCode::SUCCESS, "it is there already");
        assert_eq!(scanner.whitelist_append(peer(8)), ErrorCode::OUT_OF_MEMORY);
        assert_eq!(scanner.whitelist_remove(peer(8)), ErrorCode::INVALID_PARAM);
        assert_eq!(scanner.whitelist_remove(peer(3)), ErrorCode::SUCCESS);
        assert_eq!(scanner.whitelist_append(peer(8)), ErrorCode::SUCCESS);
    }
}
