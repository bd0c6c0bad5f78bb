//! Scan reports: what a scanning dongle sends all day, made quick to find and pleasant to read.

use crate::ad::Structures;
use crate::gap::event::ScanResponse;
use crate::message::Shape;
use crate::{Address, HEADER_LEN, Kind, Message};

/// The most advertising data a report can carry, in bytes.
///
/// Source: Core Specification Vol 6, Part B, §2.3.1 "Advertising PDUs".
pub const MAX_ADVERTISING_DATA: usize = 31;

impl<'a> ScanResponse<'a> {
    /// Who was heard.
    #[inline]
    pub const fn address(&self) -> Address {
        Address { bytes: self.sender, address_type: self.address_type }
    }

    /// The AD structures in the data.
    #[inline]
    pub const fn structures(&self) -> Structures<'a> {
        Structures::new(self.data.as_slice())
    }
}

/// Header and fixed part of a report, up to the length byte of its data.
type Head = [u8; HEADER_LEN + FIXED_LEN];

/// Bytes of a report's payload before its data.
const FIXED_LEN: usize = Shape::of(ScanResponse::FIELDS).fixed;

/// The header of every report, with its payload's length left out.
const MARK: u32 = u32::from_le_bytes([Kind::Event.first_byte(), 0, ScanResponse::CLASS, ScanResponse::ID]);

/// The length of the scan report the bytes begin with, `None` where they do not or it is not whole.
///
/// Says the same as the table does for any message, but much faster.
#[inline]
pub(crate) fn len_if_whole(bytes: &[u8]) -> Option<usize> {
    let head: &Head = bytes.first_chunk()?;
    let payload_len = usize::from(head[1]);
    let is_exact = usize::from(head[14]) + FIXED_LEN == payload_len;
    let len = HEADER_LEN + payload_len;
    (is_report(head) & is_exact & is_plausible(head) & (bytes.len() >= len)).then_some(len)
}

/// Whether the bytes begin with a report's header and something no report can contain.
#[inline]
pub(crate) fn is_impossible(bytes: &[u8]) -> bool {
    bytes.first_chunk().is_some_and(|head| is_report(head) && !is_plausible(head))
}

#[inline]
fn is_report(head: &Head) -> bool {
    u32::from_le_bytes([head[0], 0, head[2], head[3]]) == MARK
}

/// Whether the radio can have heard it: PDU types 0 to 6, address types 0 and 1, at most 31 bytes of
/// data (Core Specification 4.0, Vol 6, Part B, §2.3).
///
/// Any signal strength passes. The controller has special values for "not known", and a report
/// without one still says who is there.
#[inline]
fn is_plausible(head: &Head) -> bool {
    let (packet_type, address_type, data_len) = (head[5], head[12], usize::from(head[14]));
    (packet_type <= 6) & (address_type <= 1) & (data_len <= MAX_ADVERTISING_DATA)
}
