//! AD structures: what advertisers put into the data of their packets.
//!
//! Each is a length byte, a type byte and the content. Data come from anybody on the air, so
//! lengths that lie are cut down to what is there.
//!
//! ```
//! let data = b"\x02\x01\x06\x05\x09Band\x05\xff\x34\x12\xaa\xbb";
//! let structures = bgapi::ad::Structures::new(data);
//! assert_eq!(structures.local_name(), Some(&b"Band"[..]));
//! assert_eq!(structures.manufacturer_data(0x1234), Some(&[0xaa, 0xbb][..]));
//! ```
//!
//! Source: Core Specification Vol 3, Part C, §11 "Advertising and scan response data format", and
//! the Supplement to it, Part A, for the contents.

use core::fmt;

pub use crate::codes::{AdFlags, AdType};

/// Goes through the AD structures of a packet's data.
///
/// Ends early at a length of zero, behind which there is only padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Structures<'a> {
    rest: &'a [u8],
}

impl<'a> Structures<'a> {
    /// Begins with the first structure of the data.
    pub const fn new(data: &'a [u8]) -> Self {
        Self { rest: data }
    }

    /// The Flags.
    pub fn flags(self) -> Option<AdFlags> {
        self.into_iter().find_map(|structure| structure.flags())
    }

    /// The device's name as bytes: the complete one if it is there, else the short one.
    ///
    /// [`Text`] makes it fit to print.
    pub fn local_name(self) -> Option<&'a [u8]> {
        let of = |wanted| self.into_iter().find(|structure| structure.ad_type == wanted);
        of(AdType::NAME_COMPLETE).or_else(|| of(AdType::NAME_SHORT)).map(|structure| structure.data)
    }

    /// The data of one manufacturer, behind the company id the Bluetooth SIG gave it.
    #[inline]
    pub fn manufacturer_data(mut self, company: u16) -> Option<&'a [u8]> {
        self.find_map(|structure| match structure.manufacturer_data() {
            Some((of, data)) if of == company => Some(data),
            _ => None,
        })
    }
}

impl<'a> Iterator for Structures<'a> {
    type Item = Structure<'a>;

    #[inline]
    fn next(&mut self) -> Option<Structure<'a>> {
        let (&len, rest) = self.rest.split_first()?;
        let clipped = usize::from(len) > rest.len();
        let (structure, rest) = rest.split_at(usize::from(len).min(rest.len()));
        let Some((&ad_type, data)) = structure.split_first() else {
            self.rest = &[];
            return None;
        };
        self.rest = rest;
        Some(Structure { ad_type: AdType(ad_type), data, clipped })
    }
}

impl core::iter::FusedIterator for Structures<'_> {}

/// One AD structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Structure<'a> {
    /// What it contains.
    pub ad_type: AdType,
    /// The bytes behind the type.
    pub data: &'a [u8],
    /// Whether its length points beyond the end, so that something is missing.
    pub clipped: bool,
}

impl<'a> Structure<'a> {
    /// The Flags, if it is them.
    pub fn flags(&self) -> Option<AdFlags> {
        self.first_of(AdType::FLAGS).map(AdFlags)
    }

    /// The transmit power in dBm, if it is that.
    pub fn tx_power(&self) -> Option<i8> {
        self.first_of(AdType::TX_POWER).map(u8::cast_signed)
    }

    /// The name, complete or short, if it is one.
    pub fn name(&self) -> Option<&'a [u8]> {
        matches!(self.ad_type, AdType::NAME_SHORT | AdType::NAME_COMPLETE).then_some(self.data)
    }

    /// The 16-bit service UUIDs; none if it is something else.
    pub fn uuids16(&self) -> impl Iterator<Item = u16> + 'a {
        self.uuids(AdType::UUID16_MORE, AdType::UUID16_ALL).map(u16::from_le_bytes)
    }

    /// The 32-bit service UUIDs; none if it is something else.
    pub fn uuids32(&self) -> impl Iterator<Item = u32> + 'a {
        self.uuids(AdType::UUID32_MORE, AdType::UUID32_ALL).map(u32::from_le_bytes)
    }

    /// The 128-bit service UUIDs as numbers; none if it is something else.
    pub fn uuids128(&self) -> impl Iterator<Item = u128> + 'a {
        self.uuids(AdType::UUID128_MORE, AdType::UUID128_ALL).map(u128::from_le_bytes)
    }

    /// A 16-bit service UUID and the data of that service, if it is that.
    pub fn service_data16(&self) -> Option<(u16, &'a [u8])> {
        self.split_of(AdType::SERVICE_DATA16).map(|(uuid, data)| (u16::from_le_bytes(uuid), data))
    }

    /// A 32-bit service UUID and the data of that service, if it is that.
    pub fn service_data32(&self) -> Option<(u32, &'a [u8])> {
        self.split_of(AdType::SERVICE_DATA32).map(|(uuid, data)| (u32::from_le_bytes(uuid), data))
    }

    /// A 128-bit service UUID as a number and the data of that service, if it is that.
    pub fn service_data128(&self) -> Option<(u128, &'a [u8])> {
        self.split_of(AdType::SERVICE_DATA128).map(|(uuid, data)| (u128::from_le_bytes(uuid), data))
    }

    /// A company id and the data of that manufacturer, if it is that.
    #[inline]
    pub fn manufacturer_data(&self) -> Option<(u16, &'a [u8])> {
        self.split_of(AdType::MANUFACTURER).map(|(company, data)| (u16::from_le_bytes(company), data))
    }

    fn first_of(&self, wanted: AdType) -> Option<u8> {
        (self.ad_type == wanted).then(|| self.data.first().copied()).flatten()
    }

    #[inline]
    fn split_of<const N: usize>(&self, wanted: AdType) -> Option<([u8; N], &'a [u8])> {
        if self.ad_type != wanted {
            return None;
        }
        self.data.split_first_chunk().map(|(head, tail)| (*head, tail))
    }

    fn uuids<const N: usize>(&self, more: AdType, all: AdType) -> impl Iterator<Item = [u8; N]> + 'a {
        let data = if [more, all].contains(&self.ad_type) { self.data } else { &[] };
        data.as_chunks().0.iter().copied()
    }
}

/// Prints bytes from the air as text that cannot do anything to a terminal.
///
/// What is not UTF-8 becomes U+FFFD; control characters and those that reorder or hide text are
/// escaped, as in `\u{1b}`.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a>(
    /// The bytes as they came.
    pub &'a [u8],
);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        for chunk in self.0.utf8_chunks() {
            for character in chunk.valid().chars() {
                if character.is_control() || is_invisible(character) {
                    write!(f, "{}", character.escape_unicode())?;
                } else {
                    f.write_char(character)?;
                }
            }
            if !chunk.invalid().is_empty() {
                f.write_char(char::REPLACEMENT_CHARACTER)?;
            }
        }
        Ok(())
    }
}

/// Whether a character has no width of its own but changes how its neighbours look.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
