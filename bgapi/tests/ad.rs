//! AD structures, good and bad.

use bgapi::ad::{AdFlags, AdType, Structure, Structures, Text};

#[test]
fn lengths_that_lie_are_clipped() {
    type Seen = [(u8, &'static [u8], bool)];
    let cases: [(&str, &[u8], &Seen); 10] = [
        ("nothing", b"", &[]),
        ("one structure", b"\x02\x01\x06", &[(1, b"\x06", false)]),
        ("two", b"\x02\x01\x06\x02\x0a\x0c", &[(1, b"\x06", false), (10, b"\x0c", false)]),
        ("a type without content", b"\x01\x09", &[(9, b"", false)]),
        ("padding", b"\x02\x01\x06\0\0\0", &[(1, b"\x06", false)]),
        ("something behind a length of zero", b"\0\x02\x01\x06", &[]),
        ("one byte too few", b"\x03\x01\x06", &[(1, b"\x06", true)]),
        ("far too few", b"\x02\x01\x06\xff\x09A", &[(1, b"\x06", false), (9, b"A", true)]),
        ("only a type is left", b"\x05\x09", &[(9, b"", true)]),
        ("only a length is left", b"\x02\x01\x06\x04", &[(1, b"\x06", false)]),
    ];
    for (case, data, expected) in cases {
        let seen: Vec<_> = Structures::new(data).map(|one| (one.ad_type.0, one.data, one.clipped)).collect();
        assert_eq!(seen, expected, "{case}");
    }
}

#[test]
fn contents_are_read_by_their_type() {
    let structure = |ad_type, data| Structure { ad_type, data, clipped: false };
    assert_eq!(structure(AdType::FLAGS, b"\x06").flags(), Some(AdFlags(6)));
    assert_eq!(structure(AdType::FLAGS, b"").flags(), None);
    assert_eq!(structure(AdType::TX_POWER, b"\xf4").tx_power(), Some(-12));
    assert_eq!(structure(AdType::NAME_SHORT, b"Ba").name(), Some(&b"Ba"[..]));
    assert_eq!(structure(AdType::FLAGS, b"Ba").name(), None);

    let uuids = structure(AdType::UUID16_ALL, b"\x0f\x18\x0a\x18\xff");
    assert_eq!(uuids.uuids16().collect::<Vec<_>>(), [0x180f, 0x180a], "half a UUID is none");
    assert_eq!(uuids.uuids32().count(), 0, "of another width");
    assert_eq!(structure(AdType::UUID32_MORE, b"\x04\x03\x02\x01").uuids32().collect::<Vec<_>>(), [0x01020304]);
    let wide =
        structure(AdType::UUID128_MORE, &[0xfb, 0x34, 0x9b, 0x5f, 0x80, 0, 0, 0x80, 0, 0x10, 0, 0, 0x0d, 0x18, 0, 0]);
    assert_eq!(wide.uuids128().collect::<Vec<_>>(), [0x0000180d_0000_1000_8000_00805f9b34fb]);

    let service = structure(AdType::SERVICE_DATA16, b"\xaa\xfe\x20");
    assert_eq!(service.service_data16(), Some((0xfeaa, &b"\x20"[..])));
    assert_eq!(service.service_data32(), None);
    assert_eq!(structure(AdType::SERVICE_DATA32, b"\x01\0\0\0\x07").service_data32(), Some((1, &b"\x07"[..])));
    assert_eq!(
        structure(AdType::SERVICE_DATA128, &[1; 16]).service_data128(),
        Some((u128::from_le_bytes([1; 16]), &b""[..]))
    );
    assert_eq!(
        structure(AdType::MANUFACTURER, b"\x4c\x00\x02\x15").manufacturer_data(),
        Some((0x004c, &b"\x02\x15"[..]))
    );
    assert_eq!(structure(AdType::MANUFACTURER, b"\x4c").manufacturer_data(), None);
}

#[test]
fn a_packet_is_searched_for_what_matters() {
    let data = b"\x02\x01\x06\x03\x08Ba\x05\x09Band\x03\xff\x01\x00\x05\xff\xb2\x01\xaa\xbb";
    let structures = Structures::new(data);
    assert_eq!(structures.flags(), Some(AdFlags::GENERAL_DISCOVERABLE | AdFlags::BREDR_NOT_SUPPORTED));
    assert_eq!(structures.local_name(), Some(&b"Band"[..]), "the complete name goes first");
    assert_eq!(structures.manufacturer_data(0x01b2), Some(&[0xaa, 0xbb][..]));
    assert_eq!(structures.manufacturer_data(0x0001), Some(&[][..]));
    assert_eq!(structures.manufacturer_data(0x004c), None);
    assert_eq!(Structures::new(b"\x03\x08Ba").local_name(), Some(&b"Ba"[..]));
}

#[test]
fn names_cannot_play_tricks_on_a_terminal() {
    let cases: [(&[u8], &str); 4] = [
        ("Türöffner ✓".as_bytes(), "Türöffner ✓"),
        (b"\x1b[2Jgone\n", r"\u{1b}[2Jgone\u{a}"),
        (b"ab\xff\xfecd", "ab\u{fffd}\u{fffd}cd"),
        ("a\u{202e}b".as_bytes(), r"a\u{202e}b"),
    ];
    for (name, printed) in cases {
        assert_eq!(Text(name).to_string(), printed);
    }
}
