//! The table, held against the facts page of the protocol.

mod common;

use std::collections::BTreeMap;

use bgapi::{Command, Definition, Direction, ErrorCode, Event, Frame, HEADER_LEN, Kind, MAX_PAYLOAD, Response, Wire};
use common::shared;
use toml::Value;

fn facts() -> Option<toml::Table> {
    let text = std::fs::read_to_string(shared("bgapi/ble-1.x.toml")?).expect("a readable table");
    Some(text.parse().expect("valid TOML"))
}

fn all() -> Vec<Definition> {
    [Command::DEFINITIONS, Response::DEFINITIONS, Event::DEFINITIONS].concat().concat()
}

type Fields = Vec<(String, String)>;

fn fields(listed: &Value) -> Fields {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    listed.as_array().unwrap().iter().map(|field| (text(&field[0]), text(&field[1]))).collect()
}

#[test]
fn every_message_is_there_as_the_facts_page_has_it() {
    let Some(facts) = facts() else { return };
    let mut expected: BTreeMap<(&str, i64, i64), (&str, Fields)> = BTreeMap::new();
    let mut add = |kind, entry: &'_ toml::Table, listed| {
        let name: &str = Box::leak(entry["name"].as_str().unwrap().to_owned().into_boxed_str());
        let place = (kind, entry["class"].as_integer().unwrap(), entry["id"].as_integer().unwrap());
        assert!(expected.insert(place, (name, listed)).is_none(), "{name} twice");
    };
    for command in facts["command"].as_array().unwrap() {
        let command = command.as_table().unwrap();
        add("cmd", command, fields(&command["params"]));
        if command["response"].as_str() != Some("none") {
            add("rsp", command, fields(&command["response"]));
        }
    }
    for event in facts["event"].as_array().unwrap() {
        let event = event.as_table().unwrap();
        add("evt", event, fields(&event["params"]));
    }
    let ours: BTreeMap<_, _> = all()
        .iter()
        .map(|line| {
            let fields = line.fields.iter().map(|(name, wire)| (name.to_string(), wire.name().to_owned())).collect();
            ((line.kind.prefix(), line.class.into(), line.id.into()), (line.name, fields))
        })
        .collect();
    assert_eq!(ours, expected);
}

#[test]
fn the_table_has_as_many_messages_as_the_protocol() {
    let count = |classes: &[&[Definition]]| classes.iter().map(|class| class.len()).sum::<usize>();
    assert_eq!(count(Command::DEFINITIONS), 114);
    assert_eq!(count(Response::DEFINITIONS), 111, "the three that restart the chip are never answered");
    assert_eq!(count(Event::DEFINITIONS), 36);
}

#[test]
fn every_error_code_is_there() {
    let Some(facts) = facts() else { return };
    let errors = facts["error"].as_array().unwrap();
    for error in errors {
        let code = ErrorCode(error["code"].as_integer().unwrap().try_into().unwrap());
        assert_eq!(code.name(), error["name"].as_str(), "{code}");
    }
    assert_eq!(ErrorCode::NAMED.len(), errors.len());
}

#[test]
fn every_named_value_is_there() {
    let Some(facts) = facts() else { return };
    macro_rules! named {
        ($($name:literal $Type:path),* $(,)?) => {
            BTreeMap::from([$(($name, {
                use $Type as Type;
                Type::NAMED.iter().map(|(name, value)| (name.to_string(), i64::from(value.0))).collect()
            })),*])
        };
    }
    let mut ours: BTreeMap<&str, BTreeMap<String, i64>> = named! {
        "system_endpoint" bgapi::Endpoint,
        "attribute_change_reason" bgapi::AttributeChangeReason,
        "attribute_status_flag" bgapi::AttributeStatusFlags,
        "connection_status_flag" bgapi::ConnectionStatusFlags,
        "attclient_value_type" bgapi::AttributeValueType,
        "sm_bonding_key" bgapi::BondingKeys,
        "sm_io_capability" bgapi::IoCapability,
        "gap_scan_packet_type" bgapi::PacketType,
        "gap_address_type" bgapi::AddressType,
        "gap_discoverable_mode" bgapi::DiscoverableMode,
        "gap_connectable_mode" bgapi::ConnectableMode,
        "gap_discover_mode" bgapi::DiscoverMode,
        "gap_scan_policy" bgapi::ScanPolicy,
        "gap_advertising_policy" bgapi::AdvertisingPolicy,
        "gap_ad_flag" bgapi::ad::AdFlags,
        "gap_ad_type" bgapi::ad::AdType,
        "hardware_id" bgapi::HardwareId,
    };
    // The types above the manual's ten come from the Assigned Numbers.
    ours.get_mut("gap_ad_type").unwrap().retain(|_, value| *value <= 0x0a);
    let mut expected: BTreeMap<&str, BTreeMap<String, i64>> = BTreeMap::new();
    for listed in facts["enum"].as_array().unwrap() {
        let values = listed["values"].as_table().unwrap();
        let values = values.iter().map(|(name, value)| (name.clone(), value.as_integer().unwrap())).collect();
        expected.insert(listed["name"].as_str().unwrap(), values);
    }
    // Here the manual contradicts the Core Specification, which the devices on the air follow.
    let flags = expected.get_mut("gap_ad_flag").unwrap();
    flags.insert("simultaneous_controller".into(), 0x08);
    flags.insert("simultaneous_host".into(), 0x10);
    assert_eq!(ours, expected);
}

/// A payload for every message, with an array of this length where it has one, and bytes that
/// differ from each other.
fn payload(line: &Definition, array_len: u8) -> Vec<u8> {
    let mut payload = Vec::new();
    for (_, wire) in line.fields {
        let count = if *wire == Wire::Uint8Array {
            payload.push(array_len);
            array_len.into()
        } else {
            wire.fixed_len()
        };
        let begin = payload.len();
        payload.extend((0..count).map(|at| (0x81 + begin + at) as u8));
    }
    payload
}

fn framed(line: &Definition, payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(payload.len()).unwrap();
    let first = if line.kind == Kind::Event { 0x80 } else { 0x00 };
    [&[first | (len >> 8) as u8, len as u8, line.class, line.id], payload].concat()
}

fn direction(kind: Kind) -> Direction {
    if kind == Kind::Command { Direction::ToDevice } else { Direction::ToHost }
}

#[test]
fn every_message_comes_back_as_the_bytes_it_was_read_from() {
    let mut read = 0;
    for line in all() {
        for array_len in [0, 1, 31, 255] {
            let bytes = framed(&line, &payload(&line, array_len));
            let frame = Frame::parse(direction(line.kind), &bytes).unwrap();
            let (name, again, mut shown) = match line.kind {
                Kind::Command => {
                    let message = frame.command().unwrap();
                    let mut shown = Vec::new();
                    message.fields(&mut |name, value| shown.push((name, value.to_string())));
                    (message.name(), message.encoded(), shown)
                }
                Kind::Response => {
                    let message = frame.response().unwrap();
                    let mut shown = Vec::new();
                    message.fields(&mut |name, value| shown.push((name, value.to_string())));
                    (message.name(), message.encoded(), shown)
                }
                Kind::Event => {
                    let message = frame.event().unwrap();
                    let mut shown = Vec::new();
                    message.fields(&mut |name, value| shown.push((name, value.to_string())));
                    (message.name(), message.encoded(), shown)
                }
            };
            assert_eq!(name, line.name);
            assert_eq!(again.as_deref(), Some(&bytes[..]), "{name}");
            let mut printed = format!("{} {name}", line.kind.prefix());
            assert_eq!(shown.len(), line.fields.len(), "{name}");
            for ((field, value), (expected, _)) in shown.drain(..).zip(line.fields) {
                assert_eq!(field, *expected, "{name}");
                printed += &format!(" {field}={value}");
            }
            assert_eq!(frame.to_string(), printed);
            read += 1;
        }
    }
    assert_eq!(read, 4 * (114 + 111 + 36));
}

#[test]
fn a_known_message_of_another_length_is_kept_whole_as_unknown() {
    for line in all() {
        for change in [-1, 1] {
            let mut payload = payload(&line, 3);
            match change {
                1 => payload.push(0),
                _ if payload.is_empty() => continue,
                _ => drop(payload.pop()),
            }
            let bytes = framed(&line, &payload);
            let frame = Frame::parse(direction(line.kind), &bytes).unwrap();
            assert_eq!(frame.payload(), &bytes[HEADER_LEN..]);
            let kept = match (frame.command(), frame.response(), frame.event()) {
                (Some(Command::Unknown(unknown)), None, None) => unknown,
                (None, Some(Response::Unknown(unknown)), None) => unknown,
                (None, None, Some(Event::Unknown(unknown))) => unknown,
                other => panic!("{}: {other:?}", line.name),
            };
            assert_eq!((kept.kind, kept.class, kept.id, kept.payload), (line.kind, line.class, line.id, &payload[..]));
        }
    }
}

#[test]
fn bytes_that_are_not_one_frame_are_refused_with_the_reason() {
    let cases: [(Direction, &[u8], &str); 6] = [
        (Direction::ToHost, &[], "0 bytes are too few for a BGAPI header of 4"),
        (Direction::ToHost, &[0x80, 0, 0], "3 bytes are too few for a BGAPI header of 4"),
        (Direction::ToHost, &[0xa0, 0, 1, 0], "the header is a Gecko chip's, which speaks another API"),
        (Direction::ToHost, &[0x88, 0, 1, 0], "the header names technology type 1, not 0 (Bluetooth LE)"),
        (Direction::ToDevice, &[0x80, 0, 0, 5], "the header is an event's, and only commands go to a device"),
        (Direction::ToHost, &[0x07, 0xff, 0, 1, 9], "the header announces a payload of 2047 bytes, 1 follow"),
    ];
    for (direction, bytes, reason) in cases {
        assert_eq!(Frame::parse(direction, bytes).unwrap_err().to_string(), reason, "{bytes:02x?}");
    }
}

#[test]
fn an_unknown_message_is_kept_whole_up_to_the_longest_payload() {
    let bytes = [&[0x87, 0xff, 0xee, 0xdd][..], &[7; MAX_PAYLOAD]].concat();
    let frame = Frame::parse(Direction::ToHost, &bytes).unwrap();
    let event = frame.event().unwrap();
    let Event::Unknown(unknown) = event else { panic!("{event}") };
    assert_eq!((unknown.class, unknown.id, unknown.payload), (0xee, 0xdd, &bytes[4..]));
    assert_eq!((event.name(), event.encoded()), ("unknown", None));
    assert!(frame.to_string().starts_with("evt unknown class=238 id=221 payload=0707"));
}
