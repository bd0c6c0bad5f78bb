//! BGAPI 1.x, the serial protocol of Bluegiga's BLE112, BLE113 and BLED112: every message, in both
//! directions, and a decoder that keeps step with the stream.
//!
//! ```text
//!             bytes in pieces → Decoder → Frame → Command, Response, Event
//! frame ready to be written  ←  Encoded  ←  one message
//! ```
//!
//! - The table: [`system`], [`flash`], [`attributes`], [`connection`], [`attclient`], [`sm`], [`gap`],
//!   [`hardware`], [`test`](mod@test) and [`dfu`], one module per class as in the manual. A message
//!   is a struct in `command`, `response` or `event`, and all of them are [`Message`]s.
//! - The stream: [`Decoder`] finds [`Frame`]s and says what it discarded.
//! - Advertising: [`ad`] reads what is inside a scan report, [`Address`] says who sent it.
//! - Numbers with names: [`ErrorCode`], [`PacketType`] and the others. All keep values they have no
//!   name for.
//!
//! No I/O, no clock, no allocation, no `std`.
//!
//! ```
//! use bgapi::{Decoder, DiscoverMode, Item, Message, gap};
//!
//! let scan = gap::command::Discover { mode: DiscoverMode::OBSERVATION }.encoded();
//! assert_eq!(*scan, [0x00, 0x01, 0x06, 0x02, 0x02]); // to be written to the port
//!
//! let answer = [0x00, 0x02, 0x06, 0x02, 0x81, 0x01]; // read from the port
//! let mut decoder = Decoder::host();
//! let mut items = decoder.feed(&answer);
//! while let Some(item) = items.next() {
//!     let Item::Frame(frame) = item else { continue };
//!     assert_eq!(frame.to_string(), "rsp gap_discover result=0x0181");
//! }
//! ```
#![no_std]

pub mod ad;
mod address;
mod codes;
mod decoder;
mod error_code;
mod frame;
mod message;
mod report;
mod table;
mod wire;

pub use address::{Address, AddressKind, BdAddr, ParseAddressError};
pub use codes::{
    AddressType, AdvertisingPolicy, AttributeChangeReason, AttributeStatusFlags, AttributeValueType, BondingKeys,
    ConnectableMode, ConnectionStatusFlags, DiscoverMode, DiscoverableMode, Endpoint, HardwareId, IoCapability,
    PacketType, ScanPolicy,
};
pub use decoder::{Decoder, Item, Items, Stats};
pub use error_code::ErrorCode;
pub use frame::{
    Direction, Frame, FrameError, HEADER_LEN, Header, MAX_PAYLOAD, TECHNOLOGY_GECKO, Unknown, looks_like_gecko,
};
pub use message::{Definition, Kind, Message};
pub use report::MAX_ADVERTISING_DATA;
pub use table::{
    Command, Event, Response, attclient, attributes, connection, dfu, flash, gap, hardware, sm, system, test,
};
pub use wire::{ByteArray, Encoded, TooLong, Value, Wire};

/// The README's example is a test as well.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
