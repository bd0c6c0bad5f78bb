//! Dongle, air and timetable together, without a clock or a port.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bgapi::{Address, AddressType, BdAddr};

use super::device::Device;
use super::fault::{Fault, FaultKind};
use super::radio::Radio;
use super::scenario::Scenario;
use crate::time::Time;

/// A scenario under way: fed with the host's bytes and time, it gives the dongle's bytes.
#[derive(Clone, Debug)]
pub struct Simulation {
    device: Device,
    radio: Radio,
    faults: VecDeque<(Time, Fault)>,
    notices: VecDeque<(Time, String)>,
    link: Option<PathBuf>,
}

/// What somebody outside the scenario makes happen.
#[derive(Clone, Debug, PartialEq)]
pub enum Steer {
    /// A band goes to a distance.
    Move {
        /// Its name in the scenario.
        band: String,
        /// In m.
        distance: f64,
        /// How long it is on its way.
        takes: Duration,
    },
    /// Something goes wrong.
    Fault(Fault),
}

impl Simulation {
    /// Begins a scenario; the same seed gives the same packets.
    pub fn new(scenario: &Scenario, seed: u64) -> Self {
        let mut device = Device::new(scenario.dongle.identity, seed);
        let peers: Vec<_> = (0..scenario.dongle.links).map(left_over_peer).collect();
        device.leave_behind(scenario.dongle.scanning, &peers);
        let mut faults = scenario.faults.clone();
        faults.sort_by_key(|(at, _)| *at);
        Self {
            device,
            radio: Radio::new(scenario, seed),
            faults: faults.into(),
            notices: scenario.timetable().into(),
            link: None,
        }
    }

    /// Takes bytes from the host.
    pub fn handle_bytes(&mut self, now: Time, bytes: &[u8]) {
        self.handle_timeout(now);
        self.device.handle_bytes(now, bytes);
    }

    /// Whether the dongle takes bytes at the moment.
    pub fn wants_bytes(&self, now: Time) -> bool {
        self.device.wants_bytes(now)
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Time) {
        while let Some((_, fault)) = pop_due(&mut self.faults, now) {
            self.inject(now, &fault);
        }
        self.radio.handle_timeout(now, &mut self.device);
        self.device.handle_timeout(now);
    }

    /// When [`Simulation::handle_timeout`] has something to do.
    pub fn poll_timeout(&self) -> Option<Time> {
        let next_fault = self.faults.front().map(|(at, _)| *at);
        let next_notice = self.notices.front().map(|(at, _)| *at);
        [next_fault, next_notice, self.radio.poll_timeout(), self.device.poll_timeout()].into_iter().flatten().min()
    }

    /// The next USB packet for the host: 64 bytes unless garbled, fewer at the end, none if there is nothing to say.
    pub fn poll_packet(&mut self, now: Time) -> Vec<u8> {
        self.device.poll_packet(now)
    }

    /// Loses what is on its way, as happens when nobody has the port open.
    pub fn discard_output(&mut self) {
        self.device.discard_output();
    }

    /// What has just happened in the scenario, in words.
    pub fn poll_notice(&mut self, now: Time) -> Option<(Time, String)> {
        pop_due(&mut self.notices, now)
    }

    /// Whether the host sees the dongle; while it is away it has no port.
    pub fn is_on_bus(&self) -> bool {
        self.device.is_on_bus()
    }

    /// The name its port has been given by a fault.
    pub fn link(&self) -> Option<&Path> {
        self.link.as_deref()
    }

    /// Makes something happen now. False if there is no such band.
    pub fn steer(&mut self, now: Time, steer: &Steer) -> bool {
        match steer {
            Steer::Move { band, distance, takes } => match self.radio.band(band) {
                Some(band) => band.move_to(now, *distance, *takes),
                None => return false,
            },
            Steer::Fault(fault) => self.inject(now, fault),
        }
        true
    }

    /// Lets time pass from event to event, and shows every packet the host gets.
    pub fn run_until(&mut self, end: Time, mut host: impl FnMut(&mut Self, Time, &[u8])) {
        while let Some(now) = self.poll_timeout().filter(|due| *due <= end) {
            self.step(now, &mut host);
        }
        self.step(end, &mut host);
    }

    fn step(&mut self, now: Time, host: &mut impl FnMut(&mut Self, Time, &[u8])) {
        self.handle_timeout(now);
        while self.poll_notice(now).is_some() {}
        loop {
            let packet = self.poll_packet(now);
            if packet.is_empty() {
                return;
            }
            host(self, now, &packet);
        }
    }

    fn inject(&mut self, now: Time, fault: &Fault) {
        if let FaultKind::Vanish { link: Some(link) } = &fault.kind {
            self.link = Some(link.clone());
        }
        self.device.inject(now, fault);
    }
}

/// Somebody a program that died was connected to.
fn left_over_peer(number: usize) -> Address {
    Address { bytes: BdAddr([number as u8, 0, 0, 0x8a, 0x5b, 0xc0]), address_type: AddressType::RANDOM }
}

/// The first of a queue in order of time, if it is due.
fn pop_due<T>(queue: &mut VecDeque<(Time, T)>, now: Time) -> Option<(Time, T)> {
    match queue.front() {
        Some((at, _)) if *at <= now => queue.pop_front(),
        _ => None,
    }
}
