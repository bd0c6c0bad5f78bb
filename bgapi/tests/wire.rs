//! Messages as bytes, with the field beside each: this is what devices and other programs rely on.

use bgapi::{
    AddressType, AdvertisingPolicy, BdAddr, ByteArray, ConnectableMode, ConnectionStatusFlags, DiscoverMode,
    DiscoverableMode, Encoded, ErrorCode, HardwareId, Message, PacketType, ScanPolicy, TooLong, attclient, connection,
    gap, hardware, system,
};

const PEER: BdAddr = BdAddr([0x02, 0x11, 0x8a, 0x70, 0xf3, 0x5c]);

#[track_caller]
fn frozen(encoded: Encoded, bytes: &[u8]) {
    assert_eq!(*encoded, *bytes, "{encoded:?}");
}

#[test]
#[rustfmt::skip]
fn commands() {
    frozen(system::command::Reset { boot_in_dfu: 0 }.encoded(), &[
        0x00, 0x01, 0x00, 0x00, // command, 1 byte, class 0, id 0
        0x00,                   // boot_in_dfu
    ]);
    frozen(system::command::Hello {}.encoded(), &[
        0x00, 0x00, 0x00, 0x01, // command, 0 bytes, class 0, id 1
    ]);
    frozen(system::command::WhitelistAppend { address: PEER, address_type: AddressType::RANDOM }.encoded(), &[
        0x00, 0x07, 0x00, 0x0a,             // command, 7 bytes, class 0, id 10
        0x02, 0x11, 0x8a, 0x70, 0xf3, 0x5c, // address, least significant byte first
        0x01,                               // address_type
    ]);
    frozen(gap::command::SetMode {
        discover: DiscoverableMode::NON_DISCOVERABLE,
        connect: ConnectableMode::NON_CONNECTABLE,
    }.encoded(), &[
        0x00, 0x02, 0x06, 0x01, // command, 2 bytes, class 6, id 1
        0x00,                   // discover
        0x00,                   // connect
    ]);
    frozen(gap::command::Discover { mode: DiscoverMode::OBSERVATION }.encoded(), &[
        0x00, 0x01, 0x06, 0x02, // command, 1 byte, class 6, id 2
        0x02,                   // mode
    ]);
    frozen(gap::command::EndProcedure {}.encoded(), &[
        0x00, 0x00, 0x06, 0x04, // command, 0 bytes, class 6, id 4
    ]);
    frozen(gap::command::SetFiltering {
        scan_policy: ScanPolicy::ALL,
        adv_policy: AdvertisingPolicy::WHITELIST_ALL,
        scan_duplicate_filtering: 1,
    }.encoded(), &[
        0x00, 0x03, 0x06, 0x06, // command, 3 bytes, class 6, id 6
        0x00,                   // scan_policy
        0x03,                   // adv_policy
        0x01,                   // scan_duplicate_filtering
    ]);
    frozen(gap::command::SetScanParameters { scan_interval: 0x4000, scan_window: 0x00c8, active: 1 }.encoded(), &[
        0x00, 0x05, 0x06, 0x07, // command, 5 bytes, class 6, id 7
        0x00, 0x40,             // scan_interval
        0xc8, 0x00,             // scan_window
        0x01,                   // active
    ]);
    frozen(attclient::command::AttributeWrite { connection: 0, atthandle: 0x1234, data: (&[1, 0]).into() }.encoded(), &[
        0x00, 0x06, 0x04, 0x05, // command, 6 bytes, class 4, id 5
        0x00,                   // connection
        0x34, 0x12,             // atthandle
        0x02, 0x01, 0x00,       // data: its length, and the bytes
    ]);
    frozen(hardware::command::SetSoftTimer { time: 0x0001_8000, handle: 7, single_shot: 1 }.encoded(), &[
        0x00, 0x06, 0x07, 0x01, // command, 6 bytes, class 7, id 1
        0x00, 0x80, 0x01, 0x00, // time
        0x07,                   // handle
        0x01,                   // single_shot
    ]);
}

#[test]
#[rustfmt::skip]
fn responses() {
    frozen(system::response::GetInfo {
        major: 1, minor: 3, patch: 2, build: 122, ll_version: 3, protocol_version: 1, hw: HardwareId::BLED112,
    }.encoded(), &[
        0x00, 0x0c, 0x00, 0x08, // response, 12 bytes, class 0, id 8
        0x01, 0x00,             // major
        0x03, 0x00,             // minor
        0x02, 0x00,             // patch
        0x7a, 0x00,             // build
        0x03, 0x00,             // ll_version
        0x01,                   // protocol_version
        0x03,                   // hw
    ]);
    frozen(gap::response::Discover { result: ErrorCode::WRONG_STATE }.encoded(), &[
        0x00, 0x02, 0x06, 0x02, // response, 2 bytes, class 6, id 2
        0x81, 0x01,             // result
    ]);
    frozen(connection::response::GetRssi { connection: 2, rssi: -70 }.encoded(), &[
        0x00, 0x02, 0x03, 0x01, // response, 2 bytes, class 3, id 1
        0x02,                   // connection
        0xba,                   // rssi
    ]);
}

#[test]
#[rustfmt::skip]
fn events() {
    frozen(gap::event::ScanResponse {
        rssi: -54,
        packet_type: PacketType::SCAN_RSP,
        sender: PEER,
        address_type: AddressType::PUBLIC,
        bond: gap::NOT_BONDED,
        data: b"\x05\x09Band".into(),
    }.encoded(), &[
        0x80, 0x11, 0x06, 0x00,             // event, 17 bytes, class 6, id 0
        0xca,                               // rssi
        0x04,                               // packet_type
        0x02, 0x11, 0x8a, 0x70, 0xf3, 0x5c, // sender, least significant byte first
        0x00,                               // address_type
        0xff,                               // bond
        0x06, 0x05, 0x09, 0x42, 0x61, 0x6e, 0x64, // data: its length, and the bytes
    ]);
    frozen(connection::event::Status {
        connection: 1,
        flags: ConnectionStatusFlags::CONNECTED | ConnectionStatusFlags::COMPLETED,
        address: PEER,
        address_type: AddressType::RANDOM,
        conn_interval: 60,
        timeout: 100,
        latency: 0,
        bonding: gap::NOT_BONDED,
    }.encoded(), &[
        0x80, 0x10, 0x03, 0x00,             // event, 16 bytes, class 3, id 0
        0x01,                               // connection
        0x05,                               // flags
        0x02, 0x11, 0x8a, 0x70, 0xf3, 0x5c, // address, least significant byte first
        0x01,                               // address_type
        0x3c, 0x00,                         // conn_interval
        0x64, 0x00,                         // timeout
        0x00, 0x00,                         // latency
        0xff,                               // bonding
    ]);
    frozen(hardware::event::AdcResult { input: 14, value: -2 }.encoded(), &[
        0x80, 0x03, 0x07, 0x02, // event, 3 bytes, class 7, id 2
        0x0e,                   // input
        0xfe, 0xff,             // value
    ]);
}

#[test]
fn the_longest_array_needs_the_high_bits_of_the_length() {
    let data = [0x55; ByteArray::MAX_LEN];
    let sent = attclient::command::AttributeWrite { connection: 0, atthandle: 1, data: (&data).into() };
    let encoded = sent.encoded();
    assert_eq!(encoded[..8], [0x01, 0x03, 4, 5, 0, 1, 0, 0xff]);
    assert_eq!(encoded.len(), 4 + 3 + 1 + 255);
    assert_eq!(ByteArray::new(&[0; 256]), Err(TooLong(256)));
}

#[test]
fn addresses_print_and_parse_with_the_most_significant_byte_first() {
    assert_eq!(PEER.to_string(), "5c:f3:70:8a:11:02");
    assert_eq!(format!("{PEER:X}"), "5C:F3:70:8A:11:02");
    assert_eq!("5C:f3:70:8a:11:02".parse(), Ok(PEER));
    let wrong = ["", "5c:f3:70:8a:11", "5c:f3:70:8a:11:02:", "5c:f3:70:8a:11:2", "5c:f3:70:8a:11:+2", "5cf3708a1102"];
    for text in wrong {
        assert!(text.parse::<BdAddr>().is_err(), "{text}");
    }
}

#[test]
fn random_addresses_say_how_long_they_last() {
    use bgapi::AddressKind::*;
    let cases = [
        (0xc0, AddressType::RANDOM, Static),
        (0x40, AddressType::RANDOM, ResolvablePrivate),
        (0x3f, AddressType::RANDOM, NonResolvablePrivate),
        (0x80, AddressType::RANDOM, Reserved),
        (0xc0, AddressType::PUBLIC, Public),
        (0xc0, AddressType(2), Reserved),
    ];
    for (top, address_type, kind) in cases {
        let address = bgapi::Address { bytes: BdAddr([0, 0, 0, 0, 0, top]), address_type };
        assert_eq!(address.kind(), kind, "{address}");
        assert_eq!(address.key() >> 40, u64::from(address_type.0) << 8 | u64::from(top));
    }
}

#[test]
fn codes_and_flags_print_their_names_or_numbers() {
    assert_eq!(PacketType::ADV_SCAN_IND.to_string(), "adv_scan_ind");
    assert_eq!(PacketType(9).to_string(), "9");
    assert_eq!(ConnectionStatusFlags(0x05).to_string(), "connected+completed");
    assert_eq!(ConnectionStatusFlags(0x41).to_string(), "connected+0x40");
    assert_eq!(ConnectionStatusFlags(0).to_string(), "0x00");
    assert_eq!(ErrorCode(0x0237).to_string(), "Bluetooth controller error 0x37 (0x0237)");
    assert_eq!(ErrorCode(0x9999).to_string(), "unknown error 0x99 (0x9999)");
    assert_eq!(ErrorCode(0x0499).meaning(), "An error the peer's application defines");
}
