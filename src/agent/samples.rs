//! Facts for tests.

use std::sync::Arc;

use crate::event::{
    AdapterId, AdapterPhase, AdapterState, Auth, Band, BandState, Conclusion, Decision, Digest, Fact, Presence,
    PresenceReason, Rule, Side, Snapshot, Trend, Why,
};
use crate::time::Time;

pub(super) fn ms(millis: u64) -> Time {
    Time::from_millis(millis)
}

/// A band whose address ends in `n`.
pub(super) fn band(n: u8) -> Band {
    let address = super::address::parse(&format!("5c:f3:70:8a:11:{n:02x}"), None).unwrap();
    Band { address, id: None }
}

pub(super) fn decision(at: Time, n: u8, conclusion: Conclusion) -> Decision {
    Decision {
        at,
        band: band(n),
        listed: false,
        authenticated: false,
        adapter: Some(AdapterId(0)),
        config: Digest(0x00c0_ffee),
        conclusion,
        why: Why {
            rule: Rule::Heard,
            mean_cdb: None,
            threshold_cdb: None,
            newer_cdb: None,
            older_cdb: None,
            contact: None,
            n: 1,
            span_ms: 0,
            age_ms: 0,
            reckoning: None,
            held_ms: None,
        },
    }
}

pub(super) fn tap(at: Time, n: u8) -> Fact {
    let conclusion =
        Conclusion::Tap { mean_cdb: -4125, peak_cdb: -3900, samples: 10, span_ms: 900, threshold_cdb: -4200 };
    Fact::Band(decision(at, n, conclusion))
}

pub(super) fn presence(at: Time, n: u8, after: Presence) -> Fact {
    let (before, reason) = match after {
        Presence::Present => (Presence::Absent, PresenceReason::Heard),
        Presence::Absent => (Presence::Present, PresenceReason::Silence),
    };
    Fact::Band(decision(at, n, Conclusion::Presence { before, after, reason }))
}

pub(super) fn trend(at: Time, n: u8, before: Side, after: Trend) -> Fact {
    let conclusion = Conclusion::Trend { before, after, mean_cdb: Some(-5500), slope_cdb: Some(120), samples: 50 };
    Fact::Band(decision(at, n, conclusion))
}

pub(super) fn auth(at: Time, n: u8, before: Auth, after: Auth) -> Fact {
    Fact::Band(decision(at, n, Conclusion::Auth { before, after }))
}

pub(super) fn adapter(at: Time, phase: AdapterPhase) -> Fact {
    let state = AdapterState {
        id: AdapterId(0),
        phase,
        quiet: false,
        port: Some("/dev/ttyACM0".to_owned()),
        address: Some(band(0xfe).address.bytes),
        firmware: Some("1.7.2-119".to_owned()),
        error: None,
    };
    Fact::Adapter { at, state }
}

pub(super) fn snapshot(at: Time, bands: usize) -> Snapshot {
    let bands = (0..bands).map(|n| BandState {
        band: Band { id: Some(Arc::from(format!("band {n}"))), ..band(u8::try_from(n % 256).unwrap()) },
        presence: Presence::Present,
        side: Side::Near,
        auth: Auth::Authenticated,
        active: true,
        last: Some(at),
        mean_cdb: Some(-5500),
    });
    Snapshot {
        at,
        config: Digest(0x00c0_ffee),
        adapters: Vec::new(),
        bands: bands.collect(),
        roster_rev: None,
        counters: vec![("samples", 12)],
    }
}
