//! A host that talks to a simulated dongle.

use std::time::Duration;

use bgapi::gap::command::{Discover, SetScanParameters};
use bgapi::gap::event::ScanResponse;
use bgapi::{Address, Decoder, DiscoverMode, Item, Message, PacketType, system};

use crate::simulate::{Scenario, Simulation, USB_PACKET};
use crate::time::Time;

/// A host beside a simulation: sends, lets time pass, and reads.
pub(super) struct Host {
    pub(super) simulation: Simulation,
    pub(super) decoder: Decoder,
    pub(super) now: Time,
    pub(super) reports: Vec<Report>,
}

#[derive(Debug, PartialEq)]
pub(super) struct Report {
    pub(super) rssi: i8,
    pub(super) packet_type: PacketType,
    pub(super) sender: Address,
    pub(super) data: Vec<u8>,
}

impl Host {
    pub(super) fn new(scenario: &Scenario) -> Self {
        Self::with_seed(scenario, 1)
    }

    pub(super) fn with_seed(scenario: &Scenario, seed: u64) -> Self {
        let simulation = Simulation::new(scenario, seed);
        let mut host = Self { simulation, decoder: Decoder::host(), now: Time::ZERO, reports: Vec::new() };
        assert!(host.wait(10)[0].starts_with("evt system_boot major=1 minor=5"));
        host
    }

    /// Lets as many milliseconds pass; what came, reports aside.
    pub(super) fn wait(&mut self, millis: u64) -> Vec<String> {
        self.now = self.now + Duration::from_millis(millis);
        let (decoder, reports) = (&mut self.decoder, &mut self.reports);
        let mut said = Vec::new();
        self.simulation.run_until(self.now, |_, _, bytes| {
            assert!(bytes.len() <= 2 * USB_PACKET);
            let mut items = decoder.feed(bytes);
            while let Some(item) = items.next() {
                match item {
                    Item::Frame(frame) => match frame.get::<ScanResponse>() {
                        Some(report) => reports.push(Report {
                            rssi: report.rssi,
                            packet_type: report.packet_type,
                            sender: report.address(),
                            data: report.data.to_vec(),
                        }),
                        None => said.push(frame.to_string()),
                    },
                    Item::Discarded(bytes) => said.push(format!("discarded {}", bytes.len())),
                }
            }
        });
        said
    }

    /// Sends a command; what came within 10 ms, reports aside.
    pub(super) fn ask<'a>(&mut self, command: &impl Message<'a>) -> Vec<String> {
        self.write(&command.encoded());
        self.wait(10)
    }

    pub(super) fn write(&mut self, bytes: &[u8]) {
        self.simulation.handle_bytes(self.now, bytes);
    }

    /// Scans all day, with window and interval in units of 625 µs.
    pub(super) fn scan(&mut self, interval: u16, window: u16, active: u8) {
        let parameters = SetScanParameters { scan_interval: interval, scan_window: window, active };
        assert_eq!(self.ask(&parameters), ["rsp gap_set_scan_parameters result=0x0000"]);
        assert_eq!(self.ask(&OBSERVE), ["rsp gap_discover result=0x0000"]);
    }

    pub(super) fn hear(&mut self, millis: u64) -> Vec<Report> {
        self.reports.clear();
        self.wait(millis);
        std::mem::take(&mut self.reports)
    }
}

pub(super) const OBSERVE: Discover = Discover { mode: DiscoverMode::OBSERVATION };
pub(super) const HELLO: system::command::Hello = system::command::Hello {};
