//! Device addresses.

use core::cmp::Ordering;
use core::fmt;
use core::str::FromStr;

use crate::AddressType;

/// A Bluetooth device address, kept as on the wire: least significant byte first.
///
/// Printed and parsed with the most significant byte first and colons between; `{:X}` prints
/// upper case. Ordered as printed.
///
/// ```
/// let address: bgapi::BdAddr = "5c:f3:70:8a:11:02".parse()?;
/// assert_eq!(address.0, [0x02, 0x11, 0x8a, 0x70, 0xf3, 0x5c]);
/// # Ok::<(), bgapi::ParseAddressError>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct BdAddr(
    /// The six bytes, least significant first.
    pub [u8; 6],
);

impl BdAddr {
    /// The address as a 48-bit number.
    #[inline]
    pub const fn to_u64(self) -> u64 {
        let [a, b, c, d, e, f] = self.0;
        u64::from_le_bytes([a, b, c, d, e, f, 0, 0])
    }
}

impl Ord for BdAddr {
    fn cmp(&self, other: &Self) -> Ordering {
        self.to_u64().cmp(&other.to_u64())
    }
}

impl PartialOrd for BdAddr {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for BdAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{g:02x}:{e:02x}:{d:02x}:{c:02x}:{b:02x}:{a:02x}")
    }
}

impl fmt::UpperHex for BdAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{g:02X}:{e:02X}:{d:02X}:{c:02X}:{b:02X}:{a:02X}")
    }
}

impl fmt::Debug for BdAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for BdAddr {
    type Err = ParseAddressError;

    fn from_str(text: &str) -> Result<Self, ParseAddressError> {
        let mut bytes = [0; 6];
        let mut parts = text.split(':');
        for byte in bytes.iter_mut().rev() {
            let digits = parts.next().ok_or(ParseAddressError)?;
            if digits.len() != 2 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return Err(ParseAddressError);
            }
            *byte = u8::from_str_radix(digits, 16).map_err(|_| ParseAddressError)?;
        }
        if parts.next().is_some() {
            return Err(ParseAddressError);
        }
        Ok(Self(bytes))
    }
}

/// The text is not a device address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseAddressError;

impl fmt::Display for ParseAddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a device address is six pairs of hex digits with colons between, such as 5c:f3:70:8a:11:02")
    }
}

impl core::error::Error for ParseAddressError {}

/// A device address together with its type, without which it names nobody.
///
/// The same 48 bits can belong to one device as a public and to another as a random address.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// The 48 bits.
    pub bytes: BdAddr,
    /// Public or random.
    pub address_type: AddressType,
}

impl Address {
    /// Address and type as one number: the 48 bits, and the type from bit 48 up.
    #[inline]
    pub const fn key(self) -> u64 {
        self.bytes.to_u64() | (self.address_type.0 as u64) << 48
    }

    /// What sort of address it is, which says how long it lasts.
    ///
    /// Source: Core Specification Vol 6, Part B, §1.3 "Device address": the two most significant
    /// bits of a random address.
    pub const fn kind(self) -> AddressKind {
        match (self.address_type, self.bytes.0[5] >> 6) {
            (AddressType::PUBLIC, _) => AddressKind::Public,
            (AddressType::RANDOM, 0b11) => AddressKind::Static,
            (AddressType::RANDOM, 0b01) => AddressKind::ResolvablePrivate,
            (AddressType::RANDOM, 0b00) => AddressKind::NonResolvablePrivate,
            _ => AddressKind::Reserved,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.bytes, self.address_type)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How long an address stays with its device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AddressKind {
    /// Given by the manufacturer, for good.
    Public,
    /// Random, kept at least until the device loses power.
    Static,
    /// Random, replaced every quarter of an hour or so; bonded peers can recognise it.
    ResolvablePrivate,
    /// Random, replaced at will; nobody can recognise it.
    NonResolvablePrivate,
    /// A form the specification keeps for later, or a type this protocol does not name.
    Reserved,
}
