//! The air: who advertises when, on which channels, and how loud that arrives.

use std::time::Duration;

use bgapi::{Address, AddressType, BdAddr, PacketType};

use super::device::Device;
use super::random::Random;
use super::scanner::{Channel, Heard};
use super::scenario::{Advert, Band, Flood, Neighbours, Scenario, push_structure};
use super::signal::Signal;
use super::track::Track;
use crate::time::Time;

/// Everybody who advertises.
#[derive(Clone, Debug)]
pub(super) struct Radio {
    advertisers: Vec<Advertiser>,
    floods: Vec<Crowd>,
}

impl Radio {
    /// What was sent longer ago is over: after the machine has slept nobody hears what was sent meanwhile.
    const OVER: Duration = Duration::from_secs(1);

    pub(super) fn new(scenario: &Scenario, seed: u64) -> Self {
        let mut parts = (1..).map(|part| Random::new(seed, part));
        let mut part = || parts.next().unwrap_or_else(|| Random::new(seed, 0));
        let mut advertisers: Vec<_> = scenario.bands.iter().map(|band| Advertiser::new(band.clone(), part())).collect();
        for group in &scenario.neighbours {
            advertisers.extend((0..group.count).map(|_| Advertiser::neighbour(group, part())));
        }
        let floods = scenario.floods.iter().map(|flood| Crowd::new(*flood, part())).collect();
        Self { advertisers, floods }
    }

    pub(super) fn band(&mut self, id: &str) -> Option<&mut Advertiser> {
        self.advertisers.iter_mut().find(|advertiser| advertiser.band.id == id)
    }

    /// When the next packet is sent.
    pub(super) fn poll_timeout(&self) -> Option<Time> {
        let adverts = self.advertisers.iter().map(|advertiser| advertiser.next);
        adverts.chain(self.floods.iter().filter_map(Crowd::poll_timeout)).min()
    }

    /// Sends what is due and has the dongle hear it, in order.
    pub(super) fn handle_timeout(&mut self, now: Time, device: &mut Device) {
        while let Some(due) = self.poll_timeout().filter(|due| *due <= now) {
            let is_over = due + Self::OVER < now;
            for advertiser in self.advertisers.iter_mut().filter(|advertiser| advertiser.next == due) {
                advertiser.advertise(is_over.then_some(now), device);
            }
            for crowd in self.floods.iter_mut().filter(|crowd| crowd.poll_timeout() == Some(due)) {
                crowd.advertise(is_over.then_some(now), device);
            }
        }
    }
}

/// From one channel to the next within one advertising event.
const CHANNEL_STEP: Duration = Duration::from_micros(400);

/// The one packet of an advertising event that the dongle is there for, if any: when, and on which channel.
fn caught(at: Time, device: &Device) -> Option<(Time, Channel)> {
    (0..3)
        .map(|channel| (at + CHANNEL_STEP * u32::from(channel), channel))
        .find(|(at, channel)| device.listening(*at) == Some(*channel))
}

/// One device that advertises: a band, or a neighbour that is described as one.
#[derive(Clone, Debug)]
pub(super) struct Advertiser {
    band: Band,
    signal: Signal,
    random: Random,
    next: Time,
}

impl Advertiser {
    /// The most a device waits beyond its interval: advDelay, Core Specification Vol 6, Part B, §4.4.2.2.1.
    const DELAY_MICROS: u64 = 10_000;

    fn new(band: Band, mut random: Random) -> Self {
        let signal = Signal::new(band.loudness, Random::new(random.bits(), 0));
        let next = Time::from_micros(random.below(band.interval.as_micros() as u64));
        Self { band, signal, random, next }
    }

    fn neighbour(group: &Neighbours, mut random: Random) -> Self {
        let (address, advert) = stranger(&mut random);
        let distance = Track::constant(group.distance * (0.5 + random.unit()));
        let band = Band { advert, distance, interval: group.interval, ..Band::new("", address) };
        Self::new(band, random)
    }

    /// Walks to another distance, in m, within a while.
    pub(super) fn move_to(&mut self, now: Time, distance: f64, takes: Duration) {
        self.band.distance.redirect(now, distance, now + takes);
    }

    /// Sends one event; if its time is over, nobody hears it and the next comes after `now`.
    fn advertise(&mut self, over: Option<Time>, device: &mut Device) {
        let (at, band) = (self.next, &self.band);
        let delay = Duration::from_micros(self.random.below(Self::DELAY_MICROS));
        self.next = over.unwrap_or(at) + band.interval + delay;
        let is_silent = band.silent.iter().any(|(from, to)| (*from..*to).contains(&at));
        if over.is_some() || is_silent {
            return;
        }
        let Some((at, channel)) = caught(at, device) else { return };
        let Advert { packet_type, data, scan_response } = &band.advert;
        let sender = band.address;
        let (distance, shadow) = (band.distance.at(at), band.shadow.at(at));
        let Some(rssi) = self.signal.level(at, distance, shadow, channel) else { return };
        if self.random.chance(band.loss) {
            return;
        }
        let is_asked = device.handle_heard(at, Heard { rssi, packet_type: *packet_type, sender, data });
        // Request and answer can get lost like any packet.
        if is_asked && !self.random.chance(band.loss) && !self.random.chance(band.loss) {
            device.handle_heard(at, Heard { rssi, packet_type: PacketType::SCAN_RSP, sender, data: scan_response });
        }
    }
}

/// A flood under way.
#[derive(Clone, Debug)]
struct Crowd {
    flood: Flood,
    next: Time,
    random: Random,
}

impl Crowd {
    fn new(flood: Flood, random: Random) -> Self {
        Self { flood, next: flood.from, random }
    }

    fn poll_timeout(&self) -> Option<Time> {
        (self.next < self.flood.to).then_some(self.next)
    }

    fn advertise(&mut self, over: Option<Time>, device: &mut Device) {
        let at = self.next;
        // Evenly from nothing to twice the mean gap.
        let gap = self.random.below(2_000_000 / u64::from(self.flood.per_second.max(1)) + 1);
        self.next = over.unwrap_or(at) + Duration::from_micros(gap.max(1));
        if over.is_some() {
            return;
        }
        let (mut bytes, payload) = (self.random.bytes::<6>(), self.random.bytes::<8>());
        bytes[5] &= 0x3f; // non-resolvable private
        let sender = Address { bytes: BdAddr(bytes), address_type: AddressType::RANDOM };
        let mut data = vec![0x02, 0x01, 0x04];
        push_structure(&mut data, 0xff, &[&[0xff, 0xff][..], &payload].concat());
        let rssi = -95 + self.random.below(45) as i8;
        if let Some((at, _)) = caught(at, device) {
            device.handle_heard(at, Heard { rssi, packet_type: PacketType::ADV_NONCONN_IND, sender, data: &data });
        }
    }
}

/// A device of another make, as offices are full of them.
fn stranger(random: &mut Random) -> (Address, Advert) {
    let (mut bytes, payload) = (random.bytes::<6>(), random.bytes::<20>());
    let mut data = vec![0x02, 0x01, 0x1a];
    let mut scan_response = Vec::new();
    let mut packet_type = PacketType::ADV_IND;
    let mut address_type = AddressType::RANDOM;
    bytes[5] = bytes[5] & 0x3f | 0x40; // resolvable private
    match random.below(5) {
        0 => push_structure(&mut data, 0xff, &[&[0x4c, 0x00, 0x10, 0x05][..], &payload[..5]].concat()),
        1 => {
            packet_type = PacketType::ADV_NONCONN_IND;
            data.clear(); // no Flags: this make leaves them out
            push_structure(&mut data, 0xff, &[&[0x06, 0x00, 0x01, 0x09, 0x20][..], &payload].concat());
        }
        2 => push_structure(&mut data, 0xff, &[&[0x75, 0x00, 0x42, 0x04][..], &payload].concat()),
        3 => {
            packet_type = PacketType::ADV_SCAN_IND;
            push_structure(&mut data, 0x03, &[0xaa, 0xfe]);
            push_structure(&mut data, 0x16, &[&[0xaa, 0xfe, 0x00, 0xe7][..], &payload[..16]].concat());
        }
        _ => {
            address_type = AddressType::PUBLIC;
            push_structure(&mut data, 0x03, &[0x1a, 0x18]);
            push_structure(&mut scan_response, 0x09, format!("Sensor {:02X}", payload[0]).as_bytes());
        }
    }
    (Address { bytes: BdAddr(bytes), address_type }, Advert { packet_type, data, scan_response })
}

#[cfg(test)]
mod tests {
    use bgapi::gap::command::{Discover, SetScanParameters};
    use bgapi::{DiscoverMode, Message};

    use super::*;
    use crate::simulate::{Identity, Loudness};

    /// A scanning dongle, and one band without fading or loss at 1 m.
    fn dongle_and_band(change: impl FnOnce(&mut Band)) -> (Device, Radio) {
        let mut device = Device::new(Identity::default(), 1);
        for command in [
            &SetScanParameters { scan_interval: 16, scan_window: 16, active: 0 }.encoded()[..],
            &Discover { mode: DiscoverMode::OBSERVATION }.encoded(),
        ] {
            device.handle_bytes(Time::ZERO, command);
            device.handle_timeout(Time::from_millis(1));
        }
        device.discard_output();
        let mut scenario = Scenario { neighbours: Vec::new(), ..Scenario::default() };
        let band = &mut scenario.bands[0];
        band.loss = 0.0;
        band.loudness = Loudness { place_sd: 0.0, time_sd: 0.0, ..Loudness::default() };
        band.distance = Track::constant(1.0);
        change(band);
        (device, Radio::new(&scenario, 1))
    }

    /// The levels the dongle reports up to a moment, in steps.
    fn levels(device: &mut Device, radio: &mut Radio, from: u64, to: u64) -> Vec<i8> {
        let mut bytes = Vec::new();
        for now in (from..to).map(Time::from_millis) {
            radio.handle_timeout(now, device);
            device.handle_timeout(now);
            bytes.extend(std::iter::repeat_with(|| device.poll_packet(now)).take_while(|p| !p.is_empty()).flatten());
        }
        // A band's report is 28 bytes long, and its level is the fifth.
        bytes.chunks(28).map(|report| report[4] as i8).collect()
    }

    #[test]
    fn a_body_takes_its_decibels_and_a_silent_band_is_not_heard() {
        let (mut device, mut radio) = dongle_and_band(|band| {
            let steps = [(0, 0.0), (1_000, 0.0), (1_001, 18.0)];
            band.shadow = Track::new(steps.map(|(ms, db)| (Time::from_millis(ms), db)).to_vec()).unwrap();
            band.silent = vec![(Time::from_secs(2), Time::from_secs(3))];
        });
        let heard = levels(&mut device, &mut radio, 0, 1_000);
        assert!(heard.len() >= 9 && heard.iter().all(|dbm| *dbm == -61), "{heard:?}");
        let heard = levels(&mut device, &mut radio, 1_010, 2_000);
        assert!(heard.len() >= 8 && heard.iter().all(|dbm| *dbm == -79), "{heard:?}");
        assert_eq!(levels(&mut device, &mut radio, 2_001, 3_000).len(), 0);
        assert!(levels(&mut device, &mut radio, 3_000, 4_000).len() >= 8);
    }

    #[test]
    fn after_a_sleep_of_the_machine_what_was_sent_meanwhile_is_over() {
        let (mut device, mut radio) = dongle_and_band(|_| {});
        let waking = Time::from_secs(3_600);
        radio.handle_timeout(waking, &mut device);
        device.handle_timeout(waking);
        assert!(device.poll_packet(waking).is_empty());
        assert!(levels(&mut device, &mut radio, 3_600_000, 3_601_000).len() >= 8);
    }

    #[test]
    fn more_reports_than_buffers_are_lost() {
        let (mut device, _) = dongle_and_band(|_| {});
        let sender = Scenario::default().bands[0].address;
        let heard = Heard { rssi: -50, packet_type: PacketType::ADV_IND, sender, data: &[] };
        let now = Time::from_secs(1);
        (0..100).for_each(|_| _ = device.handle_heard(now, heard));
        (0..100).for_each(|millis| device.handle_timeout(now + Duration::from_millis(millis)));
        let bytes: usize = std::iter::repeat_with(|| device.poll_packet(now).len()).take_while(|len| *len > 0).sum();
        assert_eq!(bytes / 15, 9, "one is served at once, eight wait");
    }
}
