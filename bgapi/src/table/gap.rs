//! Scanning, advertising, connecting.

use core::ops::RangeInclusive;

use crate::message::class;
use crate::{
    AddressType, AdvertisingPolicy, BdAddr, ByteArray, ConnectableMode, DiscoverMode, DiscoverableMode, ErrorCode,
    PacketType, ScanPolicy,
};

/// The scan intervals and windows the chip takes, in units of 625 µs: 2.5 ms to 10.24 s.
pub const SCAN_TICKS: RangeInclusive<u16> = 0x0004..=0x4000;

/// The signal strengths the chip can measure, in dBm; at the upper end its receiver saturates.
pub const RSSI: RangeInclusive<i8> = -103..=-38;

/// The bond handle of a device without a bond.
pub const NOT_BONDED: u8 = 0xff;

class! {
    6 "gap"

    commands Command<'a> -> Response {
        /// Makes the device use private addresses, separately for its two roles.
        0 "gap_set_privacy_flags" SetPrivacyFlags { peripheral_privacy: u8, central_privacy: u8 } -> {};

        /// Begins or ends advertising.
        1 "gap_set_mode" SetMode { discover: DiscoverableMode, connect: ConnectableMode }
            -> { result: ErrorCode };

        /// Begins a scan, which goes on until `gap_end_procedure`; a `gap_scan_response` for each packet heard.
        2 "gap_discover" Discover { mode: DiscoverMode } -> { result: ErrorCode };

        /// Connects to one device.
        3 "gap_connect_direct" ConnectDirect {
            address: BdAddr,
            addr_type: AddressType,
            /// In units of 1.25 ms.
            conn_interval_min: u16,
            /// In units of 1.25 ms.
            conn_interval_max: u16,
            /// Supervision timeout, in units of 10 ms.
            timeout: u16,
            /// Connection events the peer may sleep through.
            latency: u16,
        } -> { result: ErrorCode, connection_handle: u8 };

        /// Ends the scan or the attempt to connect.
        4 "gap_end_procedure" EndProcedure {} -> { result: ErrorCode };

        /// Connects to the first device of the white list that is heard.
        5 "gap_connect_selective" ConnectSelective {
            /// In units of 1.25 ms.
            conn_interval_min: u16,
            /// In units of 1.25 ms.
            conn_interval_max: u16,
            /// Supervision timeout, in units of 10 ms.
            timeout: u16,
            /// Connection events the peer may sleep through.
            latency: u16,
        } -> { result: ErrorCode, connection_handle: u8 };

        /// Sets who is let through while scanning and advertising.
        6 "gap_set_filtering" SetFiltering {
            scan_policy: ScanPolicy,
            adv_policy: AdvertisingPolicy,
            /// 1 reports each advertiser once, 0 every packet.
            scan_duplicate_filtering: u8,
        } -> { result: ErrorCode };

        /// Sets how a scan listens; not while it runs.
        7 "gap_set_scan_parameters" SetScanParameters {
            /// From the begin of one window to the next, in units of 625 µs within [`SCAN_TICKS`].
            scan_interval: u16,
            /// How long to listen on one channel, in the same units; at most the interval.
            scan_window: u16,
            /// 1 asks scannable advertisers for their scan response, 0 only listens.
            active: u8,
        } -> { result: ErrorCode };

        /// Sets how often and on which channels to advertise.
        8 "gap_set_adv_parameters" SetAdvParameters {
            /// In units of 625 µs.
            adv_interval_min: u16,
            /// In units of 625 µs.
            adv_interval_max: u16,
            /// A bit for each of the channels 37, 38 and 39, from the lowest.
            adv_channels: u8,
        } -> { result: ErrorCode };

        /// Sets the data to advertise.
        9 "gap_set_adv_data" SetAdvData<'a> {
            /// 0 for the advertisement, 1 for the scan response.
            set_scanrsp: u8,
            /// AD structures, at most 31 bytes.
            adv_data: ByteArray<'a>,
        } -> { result: ErrorCode };

        /// Advertises to one device alone.
        10 "gap_set_directed_connectable_mode" SetDirectedConnectableMode {
            address: BdAddr,
            addr_type: AddressType,
        } -> { result: ErrorCode };

        /// Sets how the device listens while it connects.
        11 "gap_set_initiating_con_parameters" SetInitiatingConParameters {
            /// In units of 625 µs.
            scan_interval: u16,
            /// In units of 625 µs.
            scan_window: u16,
        } -> { result: ErrorCode };

        /// Sets the private address to use.
        12 "gap_set_nonresolvable_address" SetNonresolvableAddress { address: BdAddr } -> { result: ErrorCode };
    }

    events Event<'a> {
        /// One advertising packet or scan response, as it was heard.
        0 "gap_scan_response" ScanResponse<'a> {
            /// Signal strength in dBm, as a rule within [`RSSI`].
            rssi: i8,
            packet_type: PacketType,
            sender: BdAddr,
            address_type: AddressType,
            /// The handle of the bond with the sender, [`NOT_BONDED`] if there is none.
            bond: u8,
            /// AD structures, at most 31 bytes.
            data: ByteArray<'a>,
        };

        /// Advertising has begun or ended; firmware does not send it.
        1 "gap_mode_changed" ModeChanged { discover: DiscoverableMode, connect: ConnectableMode };
    }
}
