//! Headers and whole frames.

use core::fmt;

use crate::{Command, Event, Kind, Message, Response, Value};

/// Bytes in front of every payload.
///
/// Source: BGAPI reference, "The BGAPI protocol definition".
pub const HEADER_LEN: usize = 4;

/// The longest payload the header's 11-bit length field can announce, in bytes.
///
/// Source: BGAPI reference, "The BGAPI protocol definition".
pub const MAX_PAYLOAD: usize = 0x7ff;

/// Which way bytes go; with the header's first bit it tells commands from responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the device: responses and events.
    ToHost,
    /// From the host: commands.
    ToDevice,
}

/// The four bytes in front of a payload, taken apart and not yet believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The first bit: set for events.
    pub event: bool,
    /// The chip family, 4 bits: 0 for the one spoken here, 1 for the Wi-Fi chip, 4 for Gecko chips.
    pub technology: u8,
    /// Bytes of payload that follow, 0 to [`MAX_PAYLOAD`].
    pub payload_len: usize,
    /// The class.
    pub class: u8,
    /// The number of the command or event within the class.
    pub id: u8,
}

impl Header {
    /// Takes four bytes apart.
    #[inline]
    pub const fn new([first, low, class, id]: [u8; HEADER_LEN]) -> Self {
        Self {
            event: first & 0x80 != 0,
            technology: first >> 3 & 0x0f,
            payload_len: ((first & 0x07) as usize) << 8 | low as usize,
            class,
            id,
        }
    }

    /// What the message is, `None` where that way nothing like it is sent.
    #[inline]
    pub const fn kind(self, direction: Direction) -> Option<Kind> {
        match (direction, self.event) {
            (Direction::ToHost, true) => Some(Kind::Event),
            (Direction::ToHost, false) => Some(Kind::Response),
            (Direction::ToDevice, false) => Some(Kind::Command),
            (Direction::ToDevice, true) => None,
        }
    }
}

/// The technology type in the header of Gecko chips, which speak another API.
pub const TECHNOLOGY_GECKO: u8 = 4;

/// Whether the bytes contain two Gecko headers the right distance apart, or one with its payload at
/// the end.
///
/// For bytes a [`Decoder`](crate::Decoder) discarded: says that the device on the port is of a later
/// family. Text never looks so; of garbled pieces of 64 bytes about one in a thousand does.
pub fn looks_like_gecko(bytes: &[u8]) -> bool {
    let header = |at: usize| {
        let header = Header::new(*bytes.get(at..)?.first_chunk()?);
        // Their classes for system, scanning and the like are low: no printable character among them.
        let is_gecko = header.technology == TECHNOLOGY_GECKO && header.payload_len <= 0xff && header.class < 0x20;
        is_gecko.then_some(header)
    };
    (0..bytes.len()).any(|at| {
        header(at).is_some_and(|first| {
            let next = at + HEADER_LEN + first.payload_len;
            next == bytes.len() || header(next).is_some()
        })
    })
}

/// One whole message as it came, header and payload.
///
/// Prints as one line, such as `rsp gap_discover result=0x0181`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    kind: Kind,
    bytes: &'a [u8],
}

impl<'a> Frame<'a> {
    /// Takes bytes that are one frame and nothing else.
    ///
    /// Any class, id and payload will do: messages of another firmware come out as [`Unknown`].
    /// For a stream, whose frames have to be found first, there is the [`Decoder`](crate::Decoder).
    pub fn parse(direction: Direction, bytes: &'a [u8]) -> Result<Self, FrameError> {
        let Some(&header) = bytes.first_chunk() else {
            return Err(FrameError::NoHeader { found: bytes.len() });
        };
        let header = Header::new(header);
        if header.technology != 0 {
            return Err(FrameError::Technology(header.technology));
        }
        let kind = header.kind(direction).ok_or(FrameError::EventToDevice)?;
        let found = bytes.len() - HEADER_LEN;
        if header.payload_len != found {
            return Err(FrameError::Length { announced: header.payload_len, found });
        }
        Ok(Self { kind, bytes })
    }

    /// Wraps bytes whose header has been checked, and of which there are at least four.
    #[inline]
    pub(crate) const fn believed(kind: Kind, bytes: &'a [u8]) -> Self {
        Self { kind, bytes }
    }

    /// What the message is.
    #[inline]
    pub const fn kind(self) -> Kind {
        self.kind
    }

    /// The class.
    #[inline]
    pub const fn class(self) -> u8 {
        self.bytes[2]
    }

    /// The number of the message within the class.
    #[inline]
    pub const fn id(self) -> u8 {
        self.bytes[3]
    }

    /// The bytes after the header.
    #[inline]
    pub fn payload(self) -> &'a [u8] {
        &self.bytes[HEADER_LEN..]
    }

    /// Header and payload, as they came.
    #[inline]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// The message, if it is the one asked for.
    ///
    /// ```
    /// use bgapi::{Direction, Frame, gap};
    /// let frame = Frame::parse(Direction::ToHost, &[0x00, 0x02, 0x06, 0x02, 0x81, 0x01])?;
    /// let response = frame.get::<gap::response::Discover>().unwrap();
    /// assert_eq!(response.result, bgapi::ErrorCode::WRONG_STATE);
    /// # Ok::<(), bgapi::FrameError>(())
    /// ```
    #[inline]
    pub fn get<M: Message<'a>>(self) -> Option<M> {
        (self.kind == M::KIND && self.class() == M::CLASS && self.id() == M::ID)
            .then(|| M::parse(self.payload()))
            .flatten()
    }

    /// The command, `None` if it is none.
    #[inline]
    pub fn command(self) -> Option<Command<'a>> {
        (self.kind == Kind::Command).then(|| Command::parse(self))
    }

    /// The response, `None` if it is none.
    #[inline]
    pub fn response(self) -> Option<Response<'a>> {
        (self.kind == Kind::Response).then(|| Response::parse(self))
    }

    /// The event, `None` if it is none.
    #[inline]
    pub fn event(self) -> Option<Event<'a>> {
        (self.kind == Kind::Event).then(|| Event::parse(self))
    }
}

impl fmt::Display for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Command => Command::parse(*self).fmt(f),
            Kind::Response => Response::parse(*self).fmt(f),
            Kind::Event => Event::parse(*self).fmt(f),
        }
    }
}

impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({self})")
    }
}

/// A message that is not in the table, or whose payload has another length than the table's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown<'a> {
    /// What it is.
    pub kind: Kind,
    /// Its class.
    pub class: u8,
    /// Its number within the class.
    pub id: u8,
    /// Its payload, whole.
    pub payload: &'a [u8],
}

impl fmt::Display for Unknown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, class, id, payload } = *self;
        write!(f, "{} unknown class={class} id={id} payload={}", kind.prefix(), Value::Bytes(payload))
    }
}

/// Why bytes are not one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// There are fewer bytes than a header has.
    NoHeader {
        /// How many there are.
        found: usize,
    },
    /// The header is of another chip family, whose messages differ.
    Technology(
        /// The number of the family.
        u8,
    ),
    /// The header is an event's, and devices are sent commands alone.
    EventToDevice,
    /// The payload is shorter or longer than the header says.
    Length {
        /// What the header says, in bytes.
        announced: usize,
        /// What follows the header, in bytes.
        found: usize,
    },
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHeader { found } => write!(f, "{found} bytes are too few for a BGAPI header of {HEADER_LEN}"),
            Self::Technology(TECHNOLOGY_GECKO) => f.write_str("the header is a Gecko chip's, which speaks another API"),
            Self::Technology(number) => write!(f, "the header names technology type {number}, not 0 (Bluetooth LE)"),
            Self::EventToDevice => f.write_str("the header is an event's, and only commands go to a device"),
            Self::Length { announced, found } => {
                write!(f, "the header announces a payload of {announced} bytes, {found} follow")
            }
        }
    }
}

impl core::error::Error for FrameError {}
