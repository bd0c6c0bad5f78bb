//! What happens around a virtual dongle, and to it.

use std::time::Duration;

use bgapi::{Address, AddressType, BdAddr, MAX_ADVERTISING_DATA, PacketType};

use super::fault::{Fault, FaultKind};
use super::firmware::Identity;
use super::signal::Loudness;
use super::track::Track;
use crate::time::Time;

/// Everything of one simulation but chance.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// The dongle.
    pub dongle: Dongle,
    /// The bands that somebody wears.
    pub bands: Vec<Band>,
    /// Other people's devices.
    pub neighbours: Vec<Neighbours>,
    /// Crowds of addresses that are each heard once.
    pub floods: Vec<Flood>,
    /// What goes wrong, and when it begins.
    pub faults: Vec<(Time, Fault)>,
}

/// The dongle at the beginning.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dongle {
    /// Who it is.
    pub identity: Identity,
    /// Whether a program that died has left it scanning.
    pub scanning: bool,
    /// How many links such a program has left open, 0 to 3.
    pub links: usize,
}

/// One band: what it sends, and where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Band {
    /// How the scenario calls it.
    pub id: String,
    /// Who it is on the air.
    pub address: Address,
    /// What it sends.
    pub advert: Advert,
    /// How often it sends.
    pub interval: Duration,
    /// The share of its adverts that is lost on the way, 0 to 1.
    pub loss: f64,
    /// How loud it is.
    pub loudness: Loudness,
    /// Its distance from the antenna, in m; 0.02 is lying on it.
    pub distance: Track,
    /// What stands in between, in dB: a body takes 18.
    pub shadow: Track,
    /// When it is switched off or out of reach, from and to.
    pub silent: Vec<(Time, Time)>,
}

/// The packets of one advertiser.
#[derive(Clone, Debug, PartialEq)]
pub struct Advert {
    /// What kind of advertising packet.
    pub packet_type: PacketType,
    /// Its AD structures, at most 31 bytes.
    pub data: Vec<u8>,
    /// What it answers to a scan request, at most 31 bytes and often none.
    pub scan_response: Vec<u8>,
}

/// Some devices of other makes.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbours {
    /// How many.
    pub count: u16,
    /// How far away the middle one is, in m.
    pub distance: f64,
    /// How often each sends.
    pub interval: Duration,
}

/// A crowd of devices that are each heard once, under random addresses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flood {
    /// When it begins.
    pub from: Time,
    /// When it ends.
    pub to: Time,
    /// How many are heard per second.
    pub per_second: u32,
}

/// The company whose manufacturer data makes an advertiser a band by default: Nymi Inc.
pub const BAND_COMPANY: u16 = 434;

impl Default for Scenario {
    /// One band that sits at 0.7 m, and five neighbours.
    fn default() -> Self {
        let address = BdAddr([0x02, 0x11, 0x8a, 0x70, 0xf3, 0x5c]);
        Self {
            dongle: Dongle::default(),
            bands: vec![Band::new("desk", Address { bytes: address, address_type: AddressType::PUBLIC })],
            neighbours: vec![Neighbours::default()],
            floods: Vec::new(),
            faults: Vec::new(),
        }
    }
}

impl Band {
    /// A band as most are, sitting at 0.7 m.
    pub fn new(id: &str, address: Address) -> Self {
        Self {
            id: id.to_owned(),
            address,
            advert: Advert::of_band(BAND_COMPANY, None, address.bytes).unwrap_or(Advert::EMPTY),
            interval: Duration::from_millis(100),
            loss: 0.14,
            loudness: Loudness::default(),
            distance: Track::constant(0.7),
            shadow: Track::constant(0.0),
            silent: Vec::new(),
        }
    }
}

impl Advert {
    const EMPTY: Self = Self { packet_type: PacketType::ADV_IND, data: Vec::new(), scan_response: Vec::new() };

    /// Flags, manufacturer data that carry the address, and a name; `None` if that is more than 31 bytes.
    pub fn of_band(company: u16, name: Option<&str>, address: BdAddr) -> Option<Self> {
        let mut data = vec![0x02, 0x01, 0x06];
        push_structure(&mut data, 0xff, &[&company.to_le_bytes()[..], &address.0].concat());
        if let Some(name) = name {
            push_structure(&mut data, 0x09, name.as_bytes());
        }
        (data.len() <= MAX_ADVERTISING_DATA).then_some(Self { data, ..Self::EMPTY })
    }
}

/// Appends one AD structure; what does not fit its length byte makes the data too long for any packet.
pub(super) fn push_structure(data: &mut Vec<u8>, ad_type: u8, content: &[u8]) {
    data.push(u8::try_from(content.len() + 1).unwrap_or(u8::MAX));
    data.push(ad_type);
    data.extend(content);
}

impl Default for Neighbours {
    fn default() -> Self {
        Self { count: 5, distance: 4.0, interval: Duration::from_millis(300) }
    }
}

impl Scenario {
    /// What happens when, in order, each in a few words; what the dongle's host does not see as it comes.
    pub fn timetable(&self) -> Vec<(Time, String)> {
        let mut lines = Vec::new();
        for band in &self.bands {
            let id = &band.id;
            for pair in band.distance.points().windows(2) {
                let ((since, from), (until, to)) = (pair[0], pair[1]);
                if from != to {
                    let takes = until.since(since).as_secs_f64();
                    lines.push((since, format!("band {id} moves from {from} m to {to} m within {takes} s")));
                }
            }
            for pair in band.shadow.points().windows(2) {
                let ((since, from), (_, to)) = (pair[0], pair[1]);
                if from != to {
                    lines.push((since, format!("band {id} is going to be shadowed by {to} dB")));
                }
            }
            for &(from, to) in &band.silent {
                lines.push((from, format!("band {id} falls silent")));
                lines.push((to, format!("band {id} is heard again")));
            }
        }
        for flood in &self.floods {
            lines.push((flood.from, format!("a flood of {} addresses a second begins", flood.per_second)));
            lines.push((flood.to, "the flood ends".to_owned()));
        }
        for (at, fault) in &self.faults {
            lines.push((*at, fault.to_string()));
            if fault.lasts > Duration::ZERO && fault.kind != FaultKind::Boot {
                lines.push((*at + fault.lasts, "the dongle is well again".to_owned()));
            }
        }
        lines.sort_by_key(|(at, _)| *at);
        lines
    }

    /// What it holds, in a few words.
    pub fn summary(&self) -> String {
        let ids: Vec<&str> = self.bands.iter().map(|band| band.id.as_str()).collect();
        let neighbours: u32 = self.neighbours.iter().map(|group| u32::from(group.count)).sum();
        let count = |number: usize, noun: &str| match number {
            1 => format!("1 {noun}"),
            _ => format!("{number} {noun}s"),
        };
        let mut text = count(ids.len(), "band");
        if !ids.is_empty() {
            text += &format!(" ({})", ids.join(", "));
        }
        text + &format!(
            ", {}, {}, {}",
            count(neighbours as usize, "neighbour"),
            count(self.floods.len(), "flood"),
            count(self.faults.len(), "fault"),
        )
    }
}
