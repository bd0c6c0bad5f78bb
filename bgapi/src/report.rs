//! Scan reports: what a scanning dongle sends all day, made quick to find and pleasant to read.

use crate::ad::Structures;
use crate::gap::event::ScanResponse;
use crate::{Address, HEADER_LEN};

/// The most advertising data a report can carry, in bytes.
///
/// Source: Core Specification Vol 6, Part B, §2.3.1 "Advertising PDUs".
pub const MAX_ADVERTISING_DATA: usize = 31;

/// Bytes of a report's payload before its data, their length byte included.
const FIXED_LEN: usize = 11;

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

/// The length of the scan report the bytes begin with, `None` where they do not or it is not whole.
#[inline]
pub(crate) fn len_if_whole(bytes: &[u8]) -> Option<usize> {
    let fixed: &[u8; HEADER_LEN + FIXED_LEN] = bytes.first_chunk()?;
    let [0x80, payload_len, 6, 0, ..] = *fixed else {
        return None;
    };
    let len = HEADER_LEN + usize::from(payload_len);
    let is_exact = usize::from(fixed[14]) + FIXED_LEN == usize::from(payload_len);
    (is_exact && is_plausible(fixed) && bytes.len() >= len).then_some(len)
}

/// Whether the fixed part of a report can be one, with its header in front.
///
/// The radio hears PDU types 0 to 6, address types 0 and 1, and at most 31 bytes of data (Core
/// Specification 4.0, Vol 6, Part B, §2.3). Any signal strength passes: the controller has special
/// values for "not known", and a report without one still says who is there.
#[inline]
pub(crate) fn is_plausible(report: &[u8]) -> bool {
    match report.first_chunk::<{ HEADER_LEN + FIXED_LEN }>() {
        Some(fixed) => (fixed[5] <= 6) & (fixed[12] <= 1) & (usize::from(fixed[14]) <= MAX_ADVERTISING_DATA),
        None => false,
    }
}
