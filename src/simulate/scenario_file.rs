//! Scenarios as TOML files.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bgapi::{Address, AddressType, BdAddr, MAX_ADVERTISING_DATA, PacketType};
use serde::Deserialize;
use toml::Spanned;

use super::fault::{Fault, FaultKind};
use super::firmware::MAX_LINKS;
use super::scenario::{Advert, BAND_COMPANY, Band, Dongle, Flood, Neighbours, Scenario};
use super::track::Track;
use crate::time::Time;

/// Why a scenario cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The file cannot be read.
    #[error("cannot read the scenario {}", .path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something in it is wrong.
    #[error("{}:{line}:{column}: {message}{excerpt}", .path.display())]
    Wrong {
        /// Which file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong: as a rule the key, what it may be, and what was found.
        message: String,
        /// The line itself, indented on a line of its own.
        excerpt: String,
    },
}

impl Scenario {
    /// Reads a scenario file.
    ///
    /// # Errors
    /// If it cannot be read, is not TOML, or a key is unknown or out of its range.
    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        let read = |source| ScenarioError::Read { path: path.to_owned(), source };
        let mut text = String::new();
        File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_string(&mut text)).map_err(read)?;
        if text.len() as u64 > MAX_FILE {
            return Err(read(io::Error::other(format!("it is longer than {MAX_FILE} bytes"))));
        }
        Self::from_toml(&text, path)
    }

    /// Reads a scenario from TOML; `path` is what errors call it.
    ///
    /// # Errors
    /// If it is not TOML, or a key is unknown or out of its range.
    pub fn from_toml(text: &str, path: &Path) -> Result<Self, ScenarioError> {
        let parsed = toml::from_str(text)
            .map_err(|error| Wrong { at: error.span().unwrap_or(0..0), message: error.message().to_owned() });
        parsed.and_then(Root::check).map_err(|Wrong { at, message }| {
            let before = text.get(..at.start).unwrap_or(text);
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            let excerpt = text.lines().nth(line - 1).map(excerpt).unwrap_or_default();
            ScenarioError::Wrong { path: path.to_owned(), line, column, message, excerpt }
        })
    }
}

/// The largest file, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// The latest moment a scenario may name, in seconds: a week.
const SECONDS: RangeInclusive<f64> = 0.0..=604_800.0;

/// Distances, in m; at the lower end the band lies on the antenna.
const METRES: RangeInclusive<f64> = 0.01..=1_000.0;

struct Wrong {
    at: Range<usize>,
    message: String,
}

impl Wrong {
    fn new<T>(value: &Spanned<T>, message: impl fmt::Display) -> Self {
        Self { at: value.span(), message: message.to_string() }
    }
}

type Number = Spanned<f64>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Root {
    #[serde(default)]
    dongle: DongleTable,
    #[serde(default)]
    band: Vec<BandTable>,
    #[serde(default)]
    neighbour: Vec<NeighbourTable>,
    #[serde(default)]
    flood: Vec<FloodTable>,
    #[serde(default)]
    fault: Vec<FaultTable>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct DongleTable {
    address: Option<Spanned<String>>,
    firmware: Option<Spanned<String>>,
    #[serde(default)]
    scanning: bool,
    links: Option<Number>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BandTable {
    id: Spanned<String>,
    address: Spanned<String>,
    addr_type: Option<Spanned<String>>,
    name: Option<Spanned<String>>,
    company: Option<Number>,
    packet: Option<Spanned<String>>,
    data: Option<Spanned<String>>,
    scan_response: Option<Spanned<String>>,
    interval_ms: Option<Number>,
    loss: Option<Number>,
    dbm_at_1_m: Option<Number>,
    db_per_decade: Option<Number>,
    place_sd_db: Option<Number>,
    time_sd_db: Option<Number>,
    distance_m: Option<Number>,
    path: Option<Spanned<Vec<(f64, f64)>>>,
    body: Option<Spanned<Vec<(f64, f64)>>>,
    silent: Option<Spanned<Vec<(f64, f64)>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NeighbourTable {
    count: Option<Number>,
    distance_m: Option<Number>,
    interval_ms: Option<Number>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FloodTable {
    from_s: Number,
    to_s: Number,
    per_second: Number,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultTable {
    at_s: Number,
    kind: Spanned<String>,
    for_s: Option<Number>,
    share: Option<Number>,
    late_ms: Option<Number>,
    link: Option<Spanned<String>>,
}

impl Root {
    fn check(self) -> Result<Scenario, Wrong> {
        limit("[[band]]", self.band.len(), 64)?;
        limit("[[neighbour]]", self.neighbour.len(), 64)?;
        let neighbours: f64 =
            self.neighbour.iter().filter_map(|group| group.count.as_ref()).map(Spanned::get_ref).sum();
        limit("neighbours in all", neighbours as usize, 1_000)?;
        limit("[[flood]]", self.flood.len(), 64)?;
        limit("[[fault]]", self.fault.len(), 1_000)?;
        let mut bands: Vec<Band> = Vec::new();
        for table in self.band {
            let (id_at, address_at) = (table.id.clone(), table.address.clone());
            let band = table.check()?;
            if bands.iter().any(|other| other.id == band.id) {
                return Err(Wrong::new(&id_at, format!("another band is called `{}` already", band.id)));
            }
            if bands.iter().any(|other| other.address == band.address) {
                return Err(Wrong::new(&address_at, format!("another band has the address {} already", band.address)));
            }
            bands.push(band);
        }
        Ok(Scenario {
            dongle: self.dongle.check()?,
            bands,
            neighbours: self.neighbour.into_iter().map(NeighbourTable::check).collect::<Result<_, _>>()?,
            floods: self.flood.into_iter().map(FloodTable::check).collect::<Result<_, _>>()?,
            faults: self.fault.into_iter().map(FaultTable::check).collect::<Result<_, _>>()?,
        })
    }
}

impl DongleTable {
    fn check(self) -> Result<Dongle, Wrong> {
        let mut dongle = Dongle { scanning: self.scanning, ..Dongle::default() };
        if let Some(address) = &self.address {
            dongle.identity.address = bd_addr("dongle.address", address)?;
        }
        if let Some(firmware) = &self.firmware {
            let numbers: Result<Vec<u16>, _> = firmware.get_ref().split('.').map(str::parse).collect();
            match numbers.as_deref() {
                Ok(&[major, minor, patch, build]) => {
                    (dongle.identity.firmware, dongle.identity.build) = ([major, minor, patch], build);
                }
                _ => return Err(Wrong::new(firmware, "dongle.firmware must be four numbers, such as \"1.5.0.137\"")),
            }
        }
        dongle.links = number("dongle.links", self.links, 0.0, 0.0..=MAX_LINKS as f64)? as usize;
        Ok(dongle)
    }
}

impl BandTable {
    fn check(self) -> Result<Band, Wrong> {
        if self.id.get_ref().is_empty() || self.id.get_ref().len() > 64 {
            return Err(Wrong::new(&self.id, "band.id must be 1 to 64 bytes long"));
        }
        let address_type = match self.addr_type.as_ref().map(|kind| (kind, kind.get_ref().as_str())) {
            None | Some((_, "public")) => AddressType::PUBLIC,
            Some((_, "random")) => AddressType::RANDOM,
            Some((kind, other)) => {
                return Err(Wrong::new(
                    kind,
                    format!("band.addr_type must be \"public\" or \"random\", found {other:?}"),
                ));
            }
        };
        let address = Address { bytes: bd_addr("band.address", &self.address)?, address_type };
        let mut band = Band::new(self.id.get_ref(), address);
        band.advert = self.advert(address.bytes)?;
        band.interval = millis(number("band.interval_ms", self.interval_ms, 100.0, 20.0..=10_240.0)?);
        band.loss = number("band.loss", self.loss, band.loss, 0.0..=1.0)?;
        let loudness = &mut band.loudness;
        loudness.at_1_m = number("band.dbm_at_1_m", self.dbm_at_1_m, loudness.at_1_m, -100.0..=-20.0)?;
        loudness.per_decade = number("band.db_per_decade", self.db_per_decade, loudness.per_decade, 0.0..=60.0)?;
        loudness.place_sd = number("band.place_sd_db", self.place_sd_db, loudness.place_sd, 0.0..=20.0)?;
        loudness.time_sd = number("band.time_sd_db", self.time_sd_db, loudness.time_sd, 0.0..=20.0)?;
        band.distance = match (&self.path, self.distance_m) {
            (Some(path), None) => track("band.path", path, METRES, "m")?,
            (None, distance) => Track::constant(number("band.distance_m", distance, 0.7, METRES)?),
            (Some(path), Some(_)) => {
                return Err(Wrong::new(path, "band.path and band.distance_m are two answers to one question"));
            }
        };
        if let Some(body) = &self.body {
            band.shadow = track("band.body", body, 0.0..=60.0, "dB")?;
        }
        if let Some(silent) = &self.silent {
            for &(from, to) in silent.get_ref() {
                if !SECONDS.contains(&from) || !SECONDS.contains(&to) || from >= to {
                    return Err(Wrong::new(silent, "band.silent must be pairs of seconds, each from before to"));
                }
                band.silent.push((seconds(from), seconds(to)));
            }
        }
        Ok(band)
    }

    fn advert(&self, address: BdAddr) -> Result<Advert, Wrong> {
        let company = number("band.company", self.company.clone(), f64::from(BAND_COMPANY), 0.0..=65_535.0)? as u16;
        let name = self.name.as_ref().map(|name| name.get_ref().as_str());
        let mut advert = match (&self.data, Advert::of_band(company, name, address)) {
            (Some(data), _) => {
                Advert { data: hex("band.data", data)?, packet_type: PacketType::ADV_IND, scan_response: Vec::new() }
            }
            (None, Some(advert)) => advert,
            (None, None) => {
                let at = self.name.as_ref().unwrap_or(&self.id);
                return Err(Wrong::new(at, "band.name must be at most 16 bytes long, or an advert cannot hold it"));
            }
        };
        if let Some(scan_response) = &self.scan_response {
            advert.scan_response = hex("band.scan_response", scan_response)?;
        }
        advert.packet_type = match self.packet.as_ref().map(|packet| (packet, packet.get_ref().as_str())) {
            None | Some((_, "connectable")) => PacketType::ADV_IND,
            Some((_, "scannable")) => PacketType::ADV_SCAN_IND,
            Some((_, "nonconnectable")) => PacketType::ADV_NONCONN_IND,
            Some((packet, other)) => {
                let kinds = "\"connectable\", \"scannable\" or \"nonconnectable\"";
                return Err(Wrong::new(packet, format!("band.packet must be {kinds}, found {other:?}")));
            }
        };
        Ok(advert)
    }
}

impl NeighbourTable {
    fn check(self) -> Result<Neighbours, Wrong> {
        Ok(Neighbours {
            count: number("neighbour.count", self.count, 5.0, 0.0..=500.0)? as u16,
            distance: number("neighbour.distance_m", self.distance_m, 4.0, METRES)?,
            interval: millis(number("neighbour.interval_ms", self.interval_ms, 300.0, 20.0..=10_240.0)?),
        })
    }
}

impl FloodTable {
    fn check(self) -> Result<Flood, Wrong> {
        let from = moment("flood.from_s", self.from_s)?;
        let to_at = self.to_s.clone();
        let to = moment("flood.to_s", self.to_s)?;
        if to <= from {
            return Err(Wrong::new(&to_at, "flood.to_s must be later than flood.from_s"));
        }
        let per_second = number("flood.per_second", Some(self.per_second), 0.0, 1.0..=5_000.0)? as u32;
        Ok(Flood { from, to, per_second })
    }
}

impl FaultTable {
    fn check(mut self) -> Result<(Time, Fault), Wrong> {
        let at = moment("fault.at_s", self.at_s)?;
        let kind = match self.kind.get_ref().as_str() {
            "garble" => FaultKind::Garble { share: number("fault.share", self.share.take(), 0.01, 0.0..=1.0)? },
            "late" => {
                FaultKind::Late { by: millis(number("fault.late_ms", self.late_ms.take(), 2_000.0, 0.0..=60_000.0)?) }
            }
            "vanish" => FaultKind::Vanish { link: self.link.take().map(|link| PathBuf::from(link.into_inner())) },
            "stall" => FaultKind::Stall,
            "deaf" => FaultKind::Deaf,
            "empty" => FaultKind::Empty,
            "boot" => FaultKind::Boot,
            other => {
                let kinds = "garble, stall, vanish, boot, deaf, empty or late";
                return Err(Wrong::new(&self.kind, format!("fault.kind must be {kinds}, found {other:?}")));
            }
        };
        let misplaced = self.share.map(|key| ("share", key.span())).or(self.late_ms.map(|key| ("late_ms", key.span())));
        if let Some((key, at)) = misplaced.or(self.link.map(|key| ("link", key.span()))) {
            let message = format!("fault.{key} means nothing to the kind {:?}", self.kind.get_ref());
            return Err(Wrong { at, message });
        }
        let lasts = match kind {
            FaultKind::Boot => Duration::ZERO,
            _ => seconds(number("fault.for_s", self.for_s, 2.0, 0.01..=86_400.0)?).since(Time::ZERO),
        };
        Ok((at, Fault { kind, lasts }))
    }
}

/// As much of a line as is safe and sensible to show.
fn excerpt(line: &str) -> String {
    let shown: String = line.trim().chars().filter(|c| !c.is_control()).take(100).collect();
    format!("\n  {shown}")
}

fn limit(key: &str, count: usize, most: usize) -> Result<(), Wrong> {
    if count > most {
        return Err(Wrong { at: 0..0, message: format!("there may be at most {most} {key}, found {count}") });
    }
    Ok(())
}

fn number(key: &str, value: Option<Number>, default: f64, range: RangeInclusive<f64>) -> Result<f64, Wrong> {
    let Some(value) = value else { return Ok(default) };
    let found = *value.get_ref();
    if !range.contains(&found) {
        let (least, most) = (range.start(), range.end());
        return Err(Wrong::new(&value, format!("{key} must be {least} to {most}, found {found}")));
    }
    Ok(found)
}

fn moment(key: &str, value: Number) -> Result<Time, Wrong> {
    number(key, Some(value), 0.0, SECONDS).map(seconds)
}

fn track(key: &str, points: &Spanned<Vec<(f64, f64)>>, range: RangeInclusive<f64>, unit: &str) -> Result<Track, Wrong> {
    limit(key, points.get_ref().len(), 10_000)?;
    for (second, value) in points.get_ref() {
        if !SECONDS.contains(second) || !range.contains(value) {
            let (least, most) = (range.start(), range.end());
            let message = format!("{key} must be [seconds, {least} to {most} {unit}], found [{second}, {value}]");
            return Err(Wrong::new(points, message));
        }
    }
    let points_in_time = points.get_ref().iter().map(|(second, value)| (seconds(*second), *value)).collect();
    Track::new(points_in_time)
        .ok_or_else(|| Wrong::new(points, format!("{key} must have points, each later than the one before")))
}

fn bd_addr(key: &str, text: &Spanned<String>) -> Result<BdAddr, Wrong> {
    text.get_ref().parse().map_err(|error| Wrong::new(text, format!("{key}: {error}")))
}

/// AD structures as hex digits.
fn hex(key: &str, text: &Spanned<String>) -> Result<Vec<u8>, Wrong> {
    let digits = text.get_ref();
    let bytes: Option<Vec<u8>> = digits
        .as_bytes()
        .chunks(2)
        .map(|pair| {
            let is_hex = pair.len() == 2 && pair.iter().all(u8::is_ascii_hexdigit);
            std::str::from_utf8(pair).ok().filter(|_| is_hex).and_then(|pair| u8::from_str_radix(pair, 16).ok())
        })
        .collect();
    bytes.filter(|bytes| bytes.len() <= MAX_ADVERTISING_DATA).ok_or_else(|| {
        Wrong::new(text, format!("{key} must be at most {MAX_ADVERTISING_DATA} bytes as pairs of hex digits"))
    })
}

fn seconds(seconds: f64) -> Time {
    Time::from_micros((seconds * 1e6).round() as u64)
}

fn millis(millis: f64) -> Duration {
    Duration::from_micros((millis * 1e3).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_scenario_is_told_by_line_and_key() {
        let band = "[[band]]\nid = \"a\"\naddress = \"5c:f3:70:8a:11:02\"\n";
        let cases = [
            ("loss = 7", "4:8: band.loss must be 0 to 1, found 7"),
            ("loss = nan", "4:8: band.loss must be 0 to 1, found NaN"),
            ("lost = 0.1", "4:1: unknown field `lost`"),
            ("path = [[0, 1], [0, 2]]", "4:8: band.path must have points, each later than the one before"),
            ("path = [[0, 0]]", "4:8: band.path must be [seconds, 0.01 to 1000 m], found [0, 0]"),
            ("data = \"0\"", "4:8: band.data must be at most 31 bytes as pairs of hex digits"),
            ("name = \"twenty bytes and more\"", "4:8: band.name must be at most 16 bytes long"),
            ("packet = \"loud\"", "4:10: band.packet must be"),
            ("[[fault]]\nat_s = 1\nkind = \"crash\"", "6:8: fault.kind must be garble"),
            (
                "[[fault]]\nat_s = 1\nkind = \"stall\"\nshare = 1",
                "7:9: fault.share means nothing to the kind \"stall\"",
            ),
            ("[[flood]]\nfrom_s = 5\nto_s = 4\nper_second = 10", "6:8: flood.to_s must be later than flood.from_s"),
            ("[[neighbour]]\ncount = 501", "5:9: neighbour.count must be 0 to 500, found 501"),
            ("[dongle]\nfirmware = \"1.5\"", "5:12: dongle.firmware must be four numbers"),
            ("[[band]]\nid = \"a\"\naddress = \"5c:f3:70:8a:11:03\"", "5:6: another band is called `a` already"),
            ("[[band]]\nid = \"b\"\naddress = \"5c:f3:70:8a:11:02\"", "6:11: another band has the address"),
            ("loss = \"much\"", "4:8: invalid type: string \"much\", expected f64\n  loss = \"much\""),
            ("x", "4:2: "),
        ];
        for (line, expected) in cases {
            let error = Scenario::from_toml(&format!("{band}{line}\n"), Path::new("s.toml")).unwrap_err().to_string();
            assert!(error.starts_with(&format!("s.toml:{expected}")), "{line}: {error}");
        }
    }

    #[test]
    fn the_reference_names_every_key() {
        let reference = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/SCENARIOS.md")).unwrap();
        for table in ["[dongle]", "[[band]]", "[[neighbour]]", "[[flood]]", "[[fault]]"] {
            let section = reference.split("\n## ").find(|section| section.starts_with(&format!("`{table}`")));
            let section = section.unwrap_or_else(|| panic!("{table} has no section"));
            let error = Scenario::from_toml(&format!("{table}\nnothing = 0\n"), Path::new("s.toml")).unwrap_err();
            // unknown field `nothing`, expected one of `a`, `b`
            let text = error.to_string();
            let keys: Vec<_> = text.split('`').skip(3).step_by(2).collect();
            assert!(keys.len() >= 3, "{text}");
            for key in keys {
                assert!(section.contains(&format!("`{key}`")), "{table} {key}");
            }
        }
    }
}
