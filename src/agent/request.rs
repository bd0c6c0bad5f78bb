//! What the agent pushes, read into types; nothing of it is trusted.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::limits;
use super::wire::name;
use crate::event::Auth;
use crate::roster::Mode;

/// A push that asks for something.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Request {
    RosterSet(RosterSet),
    RosterPatch(RosterPatch),
    Snapshot,
    Telemetry { rssi_hz: u32, bands: Option<Vec<BandRef>>, lasting: Duration },
    UserActive { band: Option<BandRef>, age: Duration },
    UserSignedIn { band: BandRef },
    AdapterReset { deadline: Duration },
    Superseded,
}

/// Why a push is not carried out, as a sentence.
pub(super) type Refusal = String;

/// A whole roster.
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub(super) struct RosterSet {
    pub(super) rev: u64,
    #[serde(default)]
    pub(super) base_rev: Option<u64>,
    #[serde(default, with = "mode")]
    pub(super) mode: Option<Mode>,
    pub(super) bands: Vec<Listing>,
}

/// Changes to the roster whose revision is `base_rev`.
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub(super) struct RosterPatch {
    pub(super) rev: u64,
    #[serde(default)]
    pub(super) base_rev: Option<u64>,
    #[serde(default, with = "mode")]
    pub(super) mode: Option<Mode>,
    #[serde(default)]
    pub(super) bands: Vec<Listing>,
}

/// One band of a roster; in a patch, what is left out stays as it was, and `removed` takes the band out.
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub(super) struct Listing {
    pub(super) id: Arc<str>,
    #[serde(default)]
    pub(super) addr: Option<String>,
    #[serde(default)]
    pub(super) addr_type: Option<String>,
    #[serde(default)]
    pub(super) active: Option<bool>,
    #[serde(default)]
    pub(super) auth: Option<Auth>,
    #[serde(default)]
    pub(super) removed: bool,
}

/// A band in a command: by address, or by its name in the roster.
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub(super) struct BandRef {
    #[serde(default)]
    pub(super) addr: Option<String>,
    #[serde(default)]
    pub(super) addr_type: Option<String>,
    #[serde(default)]
    pub(super) id: Option<Arc<str>>,
}

#[derive(Deserialize)]
struct Telemetry {
    #[serde(default)]
    rssi_hz: u32,
    #[serde(default)]
    bands: Option<Vec<BandRef>>,
    #[serde(default)]
    for_ms: u64,
}

#[derive(Deserialize)]
struct UserActive {
    #[serde(default)]
    band: Option<BandRef>,
    #[serde(default)]
    age_ms: u64,
}

#[derive(Deserialize)]
struct UserSignedIn {
    band: BandRef,
}

#[derive(Deserialize)]
struct Cmd {
    verb: String,
    #[serde(default)]
    deadline_ms: Option<u64>,
}

/// Reads a push; `None` where the event is not known, which is no mistake.
pub(super) fn read(event: &str, payload: &RawValue) -> Option<Result<Request, Refusal>> {
    Some(match event {
        name::ROSTER_SET => parse(payload).map(Request::RosterSet),
        name::ROSTER_PATCH => parse(payload).map(Request::RosterPatch),
        name::SNAPSHOT_GET => Ok(Request::Snapshot),
        name::TELEMETRY_SET => parse(payload).map(|Telemetry { rssi_hz, bands, for_ms }| Request::Telemetry {
            rssi_hz,
            bands,
            lasting: Duration::from_millis(for_ms),
        }),
        name::USER_ACTIVE => parse(payload)
            .map(|UserActive { band, age_ms }| Request::UserActive { band, age: Duration::from_millis(age_ms) }),
        name::USER_SIGNED_IN => parse(payload).map(|UserSignedIn { band }| Request::UserSignedIn { band }),
        name::TUNE => Err("this version cannot be tuned from afar; edit nbe.toml".to_owned()),
        name::COMMAND => parse(payload).and_then(command),
        name::SUPERSEDED => Ok(Request::Superseded),
        _ => return None,
    })
}

/// The name under which a push wants its result; `None` where there is none, or none that can be said back.
///
/// `user.active` has none: it comes with every other key, and must not crowd out the results of commands.
pub(super) fn req(event: &str, payload: &RawValue) -> Option<Arc<str>> {
    #[derive(Deserialize)]
    struct Req {
        req: Arc<str>,
    }
    if event == name::USER_ACTIVE {
        return None;
    }
    serde_json::from_str::<Req>(payload.get()).ok().map(|named| named.req).filter(|req| req.len() <= limits::NAME)
}

fn command(Cmd { verb, deadline_ms }: Cmd) -> Result<Request, Refusal> {
    match verb.as_str() {
        "adapter.reset" => {
            let deadline = deadline_ms.map_or(limits::DEADLINE, Duration::from_millis);
            Ok(Request::AdapterReset { deadline })
        }
        _ => Err(super::note::clip(&format!("this version does not know the verb {verb:?}"))),
    }
}

fn parse<'a, T: Deserialize<'a>>(payload: &'a RawValue) -> Result<T, Refusal> {
    serde_json::from_str(payload.get()).map_err(|error| super::note::clip(&error.to_string()))
}

/// The roster's mode in the agent's words.
mod mode {
    use serde::{Deserialize, Deserializer};

    use crate::roster::Mode;

    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Word {
        Listed,
        All,
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Mode>, D::Error> {
        Ok(Option::<Word>::deserialize(deserializer)?.map(|word| match word {
            Word::Listed => Mode::Listed,
            Word::All => Mode::All,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).unwrap()
    }

    #[test]
    fn commands_are_read() {
        let listing =
            |id: &str| Listing { id: id.into(), addr: None, addr_type: None, active: None, auth: None, removed: false };
        let cases = [
            (
                "roster.set",
                r#"{"req":"1","rev":7,"mode":"all","bands":[{"id":"ada","addr":"5c:f3:70:8a:11:02","irk":"00","active":true,"auth":"authenticated","x":1}]}"#,
                Request::RosterSet(RosterSet {
                    rev: 7,
                    base_rev: None,
                    mode: Some(Mode::All),
                    bands: vec![Listing {
                        addr: Some("5c:f3:70:8a:11:02".to_owned()),
                        active: Some(true),
                        auth: Some(Auth::Authenticated),
                        ..listing("ada")
                    }],
                }),
            ),
            (
                "roster.patch",
                r#"{"rev":8,"base_rev":7,"bands":[{"id":"ada","removed":true}]}"#,
                Request::RosterPatch(RosterPatch {
                    rev: 8,
                    base_rev: Some(7),
                    mode: None,
                    bands: vec![Listing { removed: true, ..listing("ada") }],
                }),
            ),
            ("snapshot.get", r#"{"req":"2"}"#, Request::Snapshot),
            (
                "telemetry.set",
                r#"{"req":"3","rssi_hz":2,"bands":[{"id":"ada"}],"for_ms":5000}"#,
                Request::Telemetry {
                    rssi_hz: 2,
                    bands: Some(vec![BandRef { addr: None, addr_type: None, id: Some("ada".into()) }]),
                    lasting: Duration::from_secs(5),
                },
            ),
            ("user.active", r#"{"age_ms":40}"#, Request::UserActive { band: None, age: Duration::from_millis(40) }),
            (
                "user.signed_in",
                r#"{"req":"4","band":{"addr":"5c:f3:70:8a:11:02","addr_type":"random"}}"#,
                Request::UserSignedIn {
                    band: BandRef {
                        addr: Some("5c:f3:70:8a:11:02".to_owned()),
                        addr_type: Some("random".to_owned()),
                        id: None,
                    },
                },
            ),
            ("cmd", r#"{"req":"5","verb":"adapter.reset"}"#, Request::AdapterReset { deadline: limits::DEADLINE }),
            ("superseded", "{}", Request::Superseded),
        ];
        for (event, payload, expected) in cases {
            assert_eq!(read(event, &raw(payload)), Some(Ok(expected)), "{event}");
        }
    }

    #[test]
    fn mistakes_are_refused_with_a_reason() {
        let cases = [
            ("roster.set", r#"{"rev":"7","bands":[]}"#, "expected u64"),
            ("roster.set", r#"{"rev":7}"#, "missing field `bands`"),
            ("roster.set", r#"{"rev":7,"mode":"some","bands":[]}"#, "unknown variant `some`"),
            ("roster.patch", "[]", "invalid length 0"),
            ("telemetry.set", r#"{"rssi_hz":-1}"#, "expected u32"),
            ("user.signed_in", "{}", "missing field `band`"),
            ("user.active", r#"{"age_ms":-1}"#, "expected u64"),
            ("tune", "{}", "cannot be tuned"),
            ("cmd", r#"{"verb":"gatt.connect"}"#, "does not know the verb \"gatt.connect\""),
            ("cmd", "null", "invalid type: null"),
        ];
        for (event, payload, reason) in cases {
            let refusal = read(event, &raw(payload)).unwrap().unwrap_err();
            assert!(refusal.contains(reason), "{event} {payload}: {refusal}");
        }
        assert_eq!(read("roster.sett", &raw("{}")), None);
    }

    #[test]
    fn a_req_is_a_short_text() {
        assert_eq!(req("cmd", &raw(r#"{"rev":1,"req":"a"}"#)).as_deref(), Some("a"));
        assert_eq!(req("user.active", &raw(r#"{"req":"a"}"#)), None);
        for payload in [r"{}", r#"{"req":7}"#, "7", &format!(r#"{{"req":"{}"}}"#, "x".repeat(129))] {
            assert_eq!(req("cmd", &raw(payload)), None, "{payload}");
        }
    }
}
