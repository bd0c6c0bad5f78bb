//! Links.

use crate::message::class;
use crate::{AddressType, BdAddr, ByteArray, ConnectionStatusFlags, ErrorCode};

class! {
    3 "connection"

    commands Command<'a> -> Response<'a> {
        /// Ends a link; `connection_disconnected` follows.
        0 "connection_disconnect" Disconnect { connection: u8 } -> { connection: u8, result: ErrorCode };

        /// Asks how strongly the peer of a link is heard.
        1 "connection_get_rssi" GetRssi { connection: u8 } -> {
            connection: u8,
            /// In dBm; 0 if the link is not open, 127 if there is no such handle.
            rssi: i8,
        };

        /// Asks for another timing of a link.
        2 "connection_update" Update {
            connection: u8,
            /// In units of 1.25 ms.
            interval_min: u16,
            /// In units of 1.25 ms.
            interval_max: u16,
            /// Connection events the peripheral may sleep through.
            latency: u16,
            /// Supervision timeout, in units of 10 ms.
            timeout: u16,
        } -> { connection: u8, result: ErrorCode };

        /// Asks the peer's link layer for its version; `connection_version_ind` follows.
        3 "connection_version_update" VersionUpdate { connection: u8 } -> { connection: u8, result: ErrorCode };

        /// Asks for the channels a link uses, one bit for each of 37.
        4 "connection_channel_map_get" ChannelMapGet { connection: u8 }
            -> <'a> { connection: u8, map: ByteArray<'a> };

        /// Sets the channels a link uses, one bit for each of 37.
        5 "connection_channel_map_set" ChannelMapSet<'a> { connection: u8, map: ByteArray<'a> }
            -> { connection: u8, result: ErrorCode };

        /// Asks the peer's link layer for its features; `connection_feature_ind` follows.
        6 "connection_features_get" FeaturesGet { connection: u8 } -> { connection: u8, result: ErrorCode };

        /// Asks for the `connection_status` event of one link.
        7 "connection_get_status" GetStatus { connection: u8 } -> { connection: u8 };

        /// Sends a raw link-layer packet.
        8 "connection_raw_tx" RawTx<'a> { connection: u8, data: ByteArray<'a> } -> { connection: u8 };

        /// Makes peripherals listen at every interval, whatever their latency allows.
        9 "connection_slave_latency_disable" SlaveLatencyDisable { disable: u8 } -> { result: ErrorCode };
    }

    events Event<'a> {
        /// The state of one link: it is new, it has changed, or somebody has asked.
        0 "connection_status" Status {
            connection: u8,
            flags: ConnectionStatusFlags,
            address: BdAddr,
            address_type: AddressType,
            /// In units of 1.25 ms.
            conn_interval: u16,
            /// Supervision timeout, in units of 10 ms.
            timeout: u16,
            /// Connection events the peripheral may sleep through.
            latency: u16,
            /// The handle of the bond, 255 if there is none.
            bonding: u8,
        };

        /// The version of the peer's link layer.
        1 "connection_version_ind" VersionInd {
            connection: u8,
            /// The specification it follows, by the number the Bluetooth SIG gives it.
            vers_nr: u8,
            /// Its maker, by the company id of the Bluetooth SIG.
            comp_id: u16,
            sub_vers_nr: u16,
        };

        /// The features of the peer's link layer.
        2 "connection_feature_ind" FeatureInd<'a> { connection: u8, features: ByteArray<'a> };

        /// A raw link-layer packet from the peer.
        3 "connection_raw_rx" RawRx<'a> { connection: u8, data: ByteArray<'a> };

        /// A link has ended.
        4 "connection_disconnected" Disconnected { connection: u8, reason: ErrorCode };
    }
}
