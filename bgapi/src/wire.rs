//! How single fields look on the wire, and the buffer messages are encoded into.

use core::fmt;
use core::ops::Deref;

use crate::{BdAddr, ErrorCode, HEADER_LEN, Kind};

/// The types a field can have on the wire; integers are little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// An unsigned byte.
    Uint8,
    /// An unsigned 16-bit integer.
    Uint16,
    /// An unsigned 32-bit integer.
    Uint32,
    /// A signed byte.
    Int8,
    /// A signed 16-bit integer.
    Int16,
    /// A device address, least significant byte first.
    BdAddr,
    /// One length byte and that many bytes; always the last field of its message.
    Uint8Array,
}

impl Wire {
    /// The bytes the type always takes: for an array its length byte alone.
    pub const fn fixed_len(self) -> usize {
        match self {
            Self::Uint8 | Self::Int8 | Self::Uint8Array => 1,
            Self::Uint16 | Self::Int16 => 2,
            Self::Uint32 => 4,
            Self::BdAddr => 6,
        }
    }

    /// The type's name in the manual, such as `uint8array`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Uint8 => "uint8",
            Self::Uint16 => "uint16",
            Self::Uint32 => "uint32",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::BdAddr => "bd_addr",
            Self::Uint8Array => "uint8array",
        }
    }
}

/// The value of one field, for printing and for other formats such as JSON.
///
/// `Display` prints numbers in decimal, error codes as `0x0181`, arrays as hex digits (`-` when
/// empty) and addresses in upper case with the most significant byte first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// An unsigned number without named values.
    Unsigned(u32),
    /// A signed number.
    Signed(i32),
    /// A code from a list, or a set of flags; the name is `None` where the list has none for it.
    Code(u8, Option<&'static str>),
    /// An outcome or a reason.
    Error(ErrorCode),
    /// A device address.
    Address(BdAddr),
    /// Bytes.
    Bytes(&'a [u8]),
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Unsigned(number) => write!(f, "{number}"),
            Self::Signed(number) => write!(f, "{number}"),
            Self::Code(code, _) => write!(f, "{code}"),
            Self::Error(code) => write!(f, "{:#06x}", code.0),
            Self::Address(address) => write!(f, "{address:X}"),
            Self::Bytes([]) => f.write_str("-"),
            Self::Bytes(bytes) => bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
        }
    }
}

/// Bytes that fit an array field: at most 255.
///
/// Reads like the slice it holds. Made by [`ByteArray::new`], or from a reference to an array whose
/// length the compiler checks.
///
/// ```
/// let array = bgapi::ByteArray::from(b"\x02\x01\x06");
/// assert_eq!(array.len(), 3);
/// assert!(bgapi::ByteArray::new(&[0; 256]).is_err());
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct ByteArray<'a>(&'a [u8]);

impl<'a> ByteArray<'a> {
    /// The most bytes an array field can carry: its length is one byte.
    pub const MAX_LEN: usize = u8::MAX as usize;

    /// Wraps the bytes unless there are more than 255.
    pub const fn new(bytes: &'a [u8]) -> Result<Self, TooLong> {
        if bytes.len() <= Self::MAX_LEN { Ok(Self(bytes)) } else { Err(TooLong(bytes.len())) }
    }

    /// The bytes, for as long as the frame they came from.
    pub const fn as_slice(self) -> &'a [u8] {
        self.0
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for ByteArray<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        const { assert!(N <= ByteArray::MAX_LEN) };
        Self(bytes)
    }
}

impl<'a> TryFrom<&'a [u8]> for ByteArray<'a> {
    type Error = TooLong;

    fn try_from(bytes: &'a [u8]) -> Result<Self, TooLong> {
        Self::new(bytes)
    }
}

impl Deref for ByteArray<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0
    }
}

impl fmt::Debug for ByteArray<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Value::Bytes(self.0))
    }
}

/// More bytes than a message can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong(
    /// How many bytes there were.
    pub usize,
);

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes are more than a BGAPI message can carry", self.0)
    }
}

impl core::error::Error for TooLong {}

/// The longest fixed part any message has, in bytes: `connection_status`.
pub(crate) const MAX_FIXED: usize = 16;

/// The longest frame a message of the table can make, in bytes.
pub(crate) const MAX_FRAME: usize = HEADER_LEN + MAX_FIXED + ByteArray::MAX_LEN;

/// One encoded frame, header included, ready to be written to the port.
#[derive(Clone, Copy)]
pub struct Encoded {
    len: usize,
    bytes: [u8; MAX_FRAME],
}

impl Encoded {
    /// Starts a frame; the length in its header grows with every `push`.
    pub(crate) fn start(kind: Kind, class: u8, id: u8) -> Self {
        let mut bytes = [0; MAX_FRAME];
        bytes[..HEADER_LEN].copy_from_slice(&[kind.first_byte(), 0, class, id]);
        Self { len: HEADER_LEN, bytes }
    }

    /// Appends payload bytes. The macro that makes the messages proves that they fit.
    pub(crate) fn push(&mut self, payload: &[u8]) {
        let end = self.len + payload.len();
        self.bytes[self.len..end].copy_from_slice(payload);
        self.len = end;
        let [high, low] = ((end - HEADER_LEN) as u16).to_be_bytes();
        self.bytes[0] = self.bytes[0] & !0x07 | high;
        self.bytes[1] = low;
    }
}

impl Deref for Encoded {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl AsRef<[u8]> for Encoded {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl PartialEq for Encoded {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Encoded {}

impl fmt::Debug for Encoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Value::Bytes(self))
    }
}

/// A Rust type that stands for a field: what it is on the wire, and the way there and back.
pub(crate) trait Field<'a>: Copy {
    const WIRE: Wire;

    /// Reads the field at an offset. The message's length has been checked: the bytes are there.
    fn take(payload: &'a [u8], at: usize) -> Self;

    fn put(self, out: &mut Encoded);

    fn value(self) -> Value<'a>;
}

macro_rules! integers {
    ($($type:ident $wire:ident $value:ident;)*) => {$(
        impl Field<'_> for $type {
            const WIRE: Wire = Wire::$wire;

            #[inline]
            fn take(payload: &[u8], at: usize) -> Self {
                let mut bytes = [0; size_of::<$type>()];
                bytes.copy_from_slice(&payload[at..at + size_of::<$type>()]);
                Self::from_le_bytes(bytes)
            }

            fn put(self, out: &mut Encoded) {
                out.push(&self.to_le_bytes());
            }

            fn value(self) -> Value<'static> {
                Value::$value(self.into())
            }
        }
    )*};
}

integers! {
    u8 Uint8 Unsigned;
    u16 Uint16 Unsigned;
    u32 Uint32 Unsigned;
    i8 Int8 Signed;
    i16 Int16 Signed;
}

impl Field<'_> for BdAddr {
    const WIRE: Wire = Wire::BdAddr;

    #[inline]
    fn take(payload: &[u8], at: usize) -> Self {
        let mut bytes = [0; 6];
        bytes.copy_from_slice(&payload[at..at + 6]);
        Self(bytes)
    }

    fn put(self, out: &mut Encoded) {
        out.push(&self.0);
    }

    fn value(self) -> Value<'static> {
        Value::Address(self)
    }
}

impl Field<'_> for ErrorCode {
    const WIRE: Wire = Wire::Uint16;

    #[inline]
    fn take(payload: &[u8], at: usize) -> Self {
        Self(u16::take(payload, at))
    }

    fn put(self, out: &mut Encoded) {
        self.0.put(out);
    }

    fn value(self) -> Value<'static> {
        Value::Error(self)
    }
}

impl<'a> Field<'a> for ByteArray<'a> {
    const WIRE: Wire = Wire::Uint8Array;

    #[inline]
    fn take(payload: &'a [u8], at: usize) -> Self {
        Self(&payload[at + 1..])
    }

    fn put(self, out: &mut Encoded) {
        out.push(&[self.0.len() as u8]);
        out.push(self.0);
    }

    fn value(self) -> Value<'a> {
        Value::Bytes(self.0)
    }
}
