//! The payload of telemetry.

use std::fmt;

use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use crate::event::{Band, Telemetry};
use crate::time::Time;

/// What telemetry says beyond the envelope.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Payload<'a> {
    Advert { band: &'a Band, rssi: i8, data: Hex<'a> },
    Rssi { levels: Levels<'a> },
    Stats { counters: Counters<'a> },
}

impl<'a> From<&'a Telemetry<'a>> for Payload<'a> {
    fn from(telemetry: &'a Telemetry<'a>) -> Self {
        match *telemetry {
            Telemetry::Advert { band, rssi, data, .. } => Self::Advert { band, rssi, data: Hex(data) },
            Telemetry::Rssi { levels } => Self::Rssi { levels: Levels(levels) },
            Telemetry::Stats { counters } => Self::Stats { counters: Counters(counters) },
        }
    }
}

/// Bytes as lower-case hex.
pub(super) struct Hex<'a>(&'a [u8]);

impl Serialize for Hex<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        // An advert's 31 bytes in one write.
        for chunk in self.0.chunks(32) {
            let mut text = [0; 64];
            for (pair, byte) in text.chunks_exact_mut(2).zip(chunk) {
                pair[0] = DIGITS[usize::from(byte >> 4)];
                pair[1] = DIGITS[usize::from(byte & 0xf)];
            }
            f.write_str(std::str::from_utf8(&text[..chunk.len() * 2]).unwrap_or_default())?;
        }
        Ok(())
    }
}

/// Levels as a list of objects.
pub(super) struct Levels<'a>(&'a [(Band, Time, i32, u32)]);

#[derive(Serialize)]
struct Level<'a> {
    band: &'a Band,
    t: u64,
    rssi_cdb: i32,
    n: u32,
}

impl Serialize for Levels<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for (band, at, rssi_cdb, n) in self.0 {
            list.serialize_element(&Level { band, t: at.as_micros(), rssi_cdb: *rssi_cdb, n: *n })?;
        }
        list.end()
    }
}

/// Counters as one object.
pub(super) struct Counters<'a>(pub(super) &'a [(&'static str, u64)]);

impl Serialize for Counters<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, count) in self.0 {
            map.serialize_entry(name, count)?;
        }
        map.end()
    }
}
