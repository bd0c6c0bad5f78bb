//! Names and numbers by which devices, services and certificates are known.

use std::fmt;
use std::str::FromStr;

/// A device address, most significant octet first, as it is written.
///
/// The radio sends it the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(pub [u8; 6]);

impl FromStr for Address {
    type Err = &'static str;

    /// Reads six pairs of hex digits parted by colons.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "six pairs of hex digits parted by colons";
        let mut octets = [0; 6];
        let mut pairs = text.split(':');
        for octet in &mut octets {
            let pair = pairs.next().filter(|pair| pair.len() == 2).ok_or(wrong)?;
            [*octet] = from_hex(pair).ok_or(wrong)?;
        }
        pairs.next().is_none().then_some(Self(octets)).ok_or(wrong)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// 128 bits, most significant octet first, written 8-4-4-4-12.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid(pub [u8; 16]);

impl FromStr for Uuid {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let lengths = text.split('-').map(str::len);
        lengths
            .eq([8, 4, 4, 4, 12])
            .then(|| from_hex(&text.replace('-', "")))
            .flatten()
            .map(Self)
            .ok_or("32 hex digits in groups of 8-4-4-4-12")
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, octet) in self.0.iter().enumerate() {
            let dash = if matches!(index, 4 | 6 | 8 | 10) { "-" } else { "" };
            write!(f, "{dash}{octet:02x}")?;
        }
        Ok(())
    }
}

/// A service's UUID as it can stand in an advert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServiceUuid {
    /// One of the Bluetooth SIG's 16-bit UUIDs.
    Short(u16),
    /// Anything else.
    Long(Uuid),
}

impl FromStr for ServiceUuid {
    type Err = &'static str;

    /// Reads four hex digits, or a whole UUID; one that only spells out a short one becomes short.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() == 4 {
            let octets = from_hex(text).ok_or("4 hex digits, or 32 in groups of 8-4-4-4-12")?;
            return Ok(Self::Short(u16::from_be_bytes(octets)));
        }
        let Uuid(octets) = text.parse().map_err(|_| "4 hex digits, or 32 in groups of 8-4-4-4-12")?;
        Ok(match octets {
            [0, 0, high, low, rest @ ..] if rest == BASE_UUID_TAIL => Self::Short(u16::from_be_bytes([high, low])),
            _ => Self::Long(Uuid(octets)),
        })
    }
}

impl fmt::Display for ServiceUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short(short) => write!(f, "{short:04x}"),
            Self::Long(uuid) => uuid.fmt(f),
        }
    }
}

/// What follows the short value in a spelt-out 16-bit UUID (Core Vol 3, Part B, §2.5.1).
const BASE_UUID_TAIL: [u8; 12] = [0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0x80, 0x5f, 0x9b, 0x34, 0xfb];

/// SHA-256 of a certificate's public key (its DER-encoded SubjectPublicKeyInfo).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pin(pub [u8; 32]);

impl FromStr for Pin {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        from_hex(text).map(Self).ok_or("64 hex digits")
    }
}

/// Reads exactly `N` octets of hex digits, either case, and nothing else.
fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let mut octets = [0; N];
    for (octet, pair) in octets.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *octet = u8::try_from(high << 4 | low).ok()?;
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_in_either_case_and_written_in_lower() {
        let address: Address = "00:07:80:2E:11:aA".parse().unwrap();
        assert_eq!(address, Address([0x00, 0x07, 0x80, 0x2e, 0x11, 0xaa]));
        assert_eq!(address.to_string(), "00:07:80:2e:11:aa");
        for wrong in
            ["", "00:07:80:2e:11", "00:07:80:2e:11:aa:bb", "0007802e11aa", "00:07:80:2e:11:+a", "0:07:80:2e:11:aaa"]
        {
            assert!(wrong.parse::<Address>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_spelt_out_short_uuid_is_the_short_one() {
        let cases = [
            ("180d", "180d"),
            ("0000180D-0000-1000-8000-00805f9b34fb", "180d"),
            ("6e400001-b5a3-f393-e0a9-e50e24dcca9e", "6e400001-b5a3-f393-e0a9-e50e24dcca9e"),
        ];
        for (text, written) in cases {
            assert_eq!(text.parse::<ServiceUuid>().unwrap().to_string(), written);
        }
        for wrong in ["18", "180g", "6e400001b5a3f393e0a9e50e24dcca9e", "6e400001-b5a3-f393-e0a9-e50e24dcca9", "é80"] {
            assert!(wrong.parse::<ServiceUuid>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_pin_is_64_digits() {
        assert!("0".repeat(64).parse::<Pin>().is_ok());
        assert!("0".repeat(63).parse::<Pin>().is_err());
        assert!("é".repeat(32).parse::<Pin>().is_err());
    }
}
