//! Every event as the bytes that agents rely on.

use std::sync::Arc;

use super::{Joining, Number, Wall, Writer};
use crate::agent::Identity;
use crate::agent::item::{Item, Part};
use crate::agent::samples::{adapter, auth, band, decision, ms, presence, snapshot, tap, trend};
use crate::event::{
    AdapterId, AdapterPhase, Auth, Band, CommandError, Conclusion, Decision, EndpointPhase, Fact, Presence, Rule, Side,
    Telemetry, Trend, Why,
};
use crate::secret::Secret;
use crate::time::Time;

const WRITER: Writer<'static> = Writer {
    topic: "endpoint:e1",
    join_ref: "1",
    boot: "b1",
    wall: Wall { offset_ms: 1_700_000_000_000, synced: true },
};

/// Writes an item decided at 2 s, 5 ms later.
fn written(item: &Item) -> String {
    WRITER.fact(Time::from_micros(2_005_000), 7, Number { seq: 3, re: 0 }, item)
}

fn check(item: &Item, event: &str, middle: &str, payload: &str) {
    let expected = format!(
        r#"["1","7","endpoint:e1","{event}",{{"v":1,"boot":"b1","seq":3,"t":2000000,"wall":1700000002000,"clock":"ok","sent":2005000,{middle},"re":0,{payload}}}]"#
    );
    assert_eq!(written(item), expected);
}

const HEARD: &str = r#""adapter":"adapter0","cfg":"00c0ffee""#;
const BAND: &str = r#""band":{"addr":"5c:f3:70:8a:11:02","addr_type":"public"}"#;

fn why(rule: Rule) -> Why {
    Why {
        rule,
        mean_cdb: Some(-4125),
        threshold_cdb: Some(-4200),
        newer_cdb: Some(-4100),
        older_cdb: Some(-4150),
        contact: None,
        n: 10,
        span_ms: 900,
        age_ms: 0,
        reckoning: None,
        held_ms: None,
    }
}

#[test]
fn bands() {
    check(
        &Item::Fact(presence(ms(2_000), 2, Presence::Present)),
        "band.presence",
        HEARD,
        &format!(r#"{BAND},"before":"absent","after":"present","age_ms":0,"reason":"heard""#),
    );
    check(
        &Item::Fact(auth(ms(2_000), 2, Auth::Unknown, Auth::Authenticated)),
        "band.auth",
        HEARD,
        &format!(r#"{BAND},"before":"unknown","after":"authenticated""#),
    );
    let Fact::Band(named) = tap(ms(2_000), 2) else { unreachable!() };
    let named = Decision {
        band: Band { id: Some(Arc::from("ada \"7\"")), ..band(2) },
        authenticated: true,
        why: why(Rule::TapMean),
        ..named
    };
    let payload = r#""band":{"addr":"5c:f3:70:8a:11:02","addr_type":"public","id":"ada \"7\""},"mean_cdb":-4125,"peak_cdb":-3900,"samples":10,"span_ms":900,"threshold_cdb":-4200,"ttl_ms":3000,"authenticated":true,"why":{"rule":"tap.mean","mean_cdb":-4125,"threshold_cdb":-4200,"newer_cdb":-4100,"older_cdb":-4150,"n":10,"span_ms":900,"age_ms":0}"#;
    check(&Item::Fact(Fact::Band(named.clone())), "band.tap", HEARD, payload);
    check(&Item::TapExpired(named), "band.tap.expired", HEARD, payload);
    check(
        &Item::Fact(trend(ms(2_000), 2, Side::Unknown, Trend::Near)),
        "band.trend",
        HEARD,
        &format!(
            r#"{BAND},"before":"unknown","after":"near","mean_cdb":-5500,"slope_cdb":120,"samples":50,"authenticated":false,"why":{{"rule":"heard","n":1,"span_ms":0,"age_ms":0}}"#
        ),
    );
    let gone =
        Conclusion::Trend { before: Side::Near, after: Trend::Away, mean_cdb: None, slope_cdb: None, samples: 0 };
    let gone = Decision { adapter: None, ..decision(ms(2_000), 2, gone) };
    check(
        &Item::Fact(Fact::Band(gone)),
        "band.trend",
        r#""adapter":null,"cfg":"00c0ffee""#,
        &format!(
            r#"{BAND},"before":"near","after":"away","mean_cdb":null,"slope_cdb":null,"samples":0,"authenticated":false,"why":{{"rule":"heard","n":1,"span_ms":0,"age_ms":0}}"#
        ),
    );
}

#[test]
fn the_endpoint_and_its_adapters() {
    check(
        &Item::Fact(adapter(ms(2_000), AdapterPhase::Scanning)),
        "adapter.state",
        r#""adapter":"adapter0""#,
        r#""state":"scanning","quiet":false,"port":"/dev/ttyACM0","addr":"5c:f3:70:8a:11:fe","firmware":"1.7.2-119","error":null"#,
    );
    check(
        &Item::Fact(Fact::Endpoint {
            at: ms(2_000),
            phase: EndpointPhase::ConfigRejected,
            reason: Some("nbe.toml:3".to_owned()),
        }),
        "endpoint.state",
        r#""adapter":null"#,
        r#""state":"config_rejected","reason":"nbe.toml:3""#,
    );
}

#[test]
fn answers() {
    let at = ms(2_000);
    check(
        &Item::Fact(Fact::RosterAck { at, rev: 8, accepted: false, have: None, unknown: vec![Arc::from("ada")] }),
        "roster.ack",
        r#""adapter":null"#,
        r#""rev":8,"accepted":false,"have":null,"unknown":["ada"]"#,
    );
    check(
        &Item::Fact(Fact::CommandResult { at, req: Arc::from("r1"), outcome: Ok(()) }),
        "cmd.result",
        r#""adapter":null"#,
        r#""req":"r1","status":"ok","code":0,"data":{}"#,
    );
    let error = CommandError { code: 5100, message: "no dongle".to_owned() };
    check(
        &Item::Fact(Fact::CommandResult { at, req: Arc::from("r1"), outcome: Err(error) }),
        "cmd.result",
        r#""adapter":null"#,
        r#""req":"r1","status":"error","code":5100,"data":{"message":"no dongle"}"#,
    );
    check(
        &Item::Dropped { at, kind: "band.trend", reason: "not now".to_owned() },
        "fact.dropped",
        r#""adapter":null"#,
        r#""kind":"band.trend","reason":"not now""#,
    );
}

#[test]
fn a_snapshot() {
    let Fact::Adapter { state, .. } = adapter(ms(0), AdapterPhase::Scanning) else { unreachable!() };
    let mut whole = snapshot(ms(2_000), 1);
    whole.adapters.push(state);
    whole.roster_rev = Some(4);
    let part = |part| {
        let bands = if part == 1 { 0..0 } else { 0..1 };
        Item::Snapshot(Part { snapshot: Arc::new(whole.clone()), as_of: 2, part, parts: 2, bands })
    };
    check(
        &part(1),
        "snapshot",
        r#""adapter":null,"cfg":"00c0ffee""#,
        r#""as_of":2,"part":1,"parts":2,"adapters":[{"id":"adapter0","kind":"bled112","addr":"5c:f3:70:8a:11:fe","fw":"1.7.2-119","state":"scanning","quiet":false,"port":"/dev/ttyACM0","error":null}],"bands":[],"roster_rev":4,"counters":{"samples":12},"slots":0"#,
    );
    check(
        &part(2),
        "snapshot",
        r#""adapter":null,"cfg":"00c0ffee""#,
        r#""as_of":2,"part":2,"parts":2,"adapters":[],"bands":[{"band":{"addr":"5c:f3:70:8a:11:00","addr_type":"public","id":"band 0"},"presence":"present","side":"near","auth":"authenticated","authenticated":true,"active":true,"last_t":2000000,"mean_cdb":-5500}],"roster_rev":4,"counters":{},"slots":0"#,
    );
}

#[test]
fn a_join() {
    let identity = Identity {
        endpoint_id: "e1".to_owned(),
        boot: "b1".to_owned(),
        host: "front-desk".to_owned(),
        addrs: vec!["192.0.2.7".parse().unwrap(), "2001:db8::7".parse().unwrap()],
        os: "linux".to_owned(),
        version: "0.1.0".to_owned(),
        token: Some(Secret::new("s3")),
    };
    let Fact::Adapter { state, .. } = adapter(ms(0), AdapterPhase::Opening) else { unreachable!() };
    let joining = Joining { identity: &identity, adapters: &[state], next_seq: 9, oldest_seq: 4, roster_rev: Some(3) };
    assert_eq!(
        WRITER.join(&joining),
        r#"["1","1","endpoint:e1","phx_join",{"proto":{"min":1,"max":1},"agent":"nbe/0.1.0","endpoint_id":"e1","boot":"b1","host":"front-desk","addrs":["192.0.2.7","2001:db8::7"],"os":"linux","adapters":[{"id":"adapter0","kind":"bled112","addr":"5c:f3:70:8a:11:fe","fw":"1.7.2-119","state":"opening"}],"next_seq":9,"oldest_seq":4,"roster_rev":3,"caps":["tap","trend"],"token":"s3"}]"#
    );
    assert!(!format!("{identity:?}").contains("s3"));
}

#[test]
fn telemetry_has_neither_ref_nor_seq() {
    let writer = Writer { wall: Wall { offset_ms: -1, synced: false }, ..WRITER };
    let head = r#""v":1,"boot":"b1""#;
    let advert = Telemetry::Advert {
        at: ms(1_000),
        adapter: AdapterId(0),
        band: &band(2),
        rssi: -58,
        data: &[0x02, 0x01, 0x06, 0xff],
    };
    assert_eq!(
        writer.telemetry(ms(1_001), &advert),
        format!(
            r#"["1",null,"endpoint:e1","advert",{{{head},"t":1000000,"wall":999,"clock":"unsynced","sent":1001000,"adapter":"adapter0",{BAND},"rssi":-58,"data":"020106ff"}}]"#
        )
    );
    let rssi = Telemetry::Rssi { levels: &[(band(2), ms(900), -5512, 4)] };
    assert_eq!(
        writer.telemetry(ms(1_000), &rssi),
        format!(
            r#"["1",null,"endpoint:e1","rssi",{{{head},"t":1000000,"wall":999,"clock":"unsynced","sent":1000000,"adapter":null,"levels":[{{{BAND},"t":900000,"rssi_cdb":-5512,"n":4}}]}}]"#
        )
    );
    let stats = Telemetry::Stats { counters: &[("samples", 5), ("resets", 0)] };
    assert_eq!(
        writer.telemetry(ms(1_000), &stats),
        format!(
            r#"["1",null,"endpoint:e1","stats",{{{head},"t":1000000,"wall":999,"clock":"unsynced","sent":1000000,"adapter":null,"counters":{{"samples":5,"resets":0}}}}]"#
        )
    );
}

#[test]
fn a_resend_says_so() {
    let text = WRITER.fact(ms(4_000), 9, Number { seq: 3, re: 2 }, &Item::Fact(tap(ms(2_000), 2)));
    assert!(text.starts_with(r#"["1","9","endpoint:e1","band.tap",{"#), "{text}");
    assert!(text.contains(r#""seq":3,"t":2000000,"#) && text.contains(r#""sent":4000000,"#), "{text}");
    assert!(text.contains(r#""re":2,"#), "{text}");
}

#[test]
fn no_part_of_a_snapshot_is_longer_than_a_frame() {
    for (bands, limit, least) in [(0, 4_096, 1), (1, 4_096, 1), (256, 4_096, 12), (256, 32_768, 2), (2_000, 32_768, 12)]
    {
        let whole = Arc::new(snapshot(Time::from_micros(u64::MAX), bands));
        let ranges = WRITER.split(&whole, limit);
        assert!(ranges.len() >= least, "{bands} bands in {limit} bytes: {} parts", ranges.len());
        let mut next = 0;
        for (n, bands) in ranges.iter().enumerate() {
            assert_eq!(bands.start, next);
            next = bands.end;
            let parts = ranges.len();
            let part = Part { snapshot: Arc::clone(&whole), as_of: u64::MAX, part: n + 1, parts, bands: bands.clone() };
            let number = Number { seq: u64::MAX, re: u32::MAX };
            let text = WRITER.fact(Time::from_micros(u64::MAX), u64::MAX, number, &Item::Snapshot(part));
            assert!(text.len() <= limit, "{} bytes in part {n}", text.len());
        }
        assert_eq!(next, bands);
    }
}
