//! What a join says.

use std::net::IpAddr;

use bgapi::BdAddr;
use serde::Serialize;

use super::{Joining, VERSION, as_string, as_text};
use crate::event::{self, AdapterId, AdapterPhase};

/// What this daemon tells; it neither reports levels nor connects to bands.
const CAPABILITIES: &[&str] = &["tap", "trend"];

#[derive(Serialize)]
pub(super) struct Params<'a> {
    proto: Versions,
    agent: String,
    endpoint_id: &'a str,
    boot: &'a str,
    host: &'a str,
    addrs: &'a [IpAddr],
    os: &'a str,
    adapters: Vec<Adapter<'a>>,
    next_seq: u64,
    oldest_seq: u64,
    roster_rev: Option<u64>,
    caps: &'static [&'static str],
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
}

/// The protocol's versions that we speak.
#[derive(Serialize)]
struct Versions {
    min: u32,
    max: u32,
}

/// A dongle, in short.
#[derive(Serialize)]
pub(super) struct Adapter<'a> {
    #[serde(serialize_with = "as_string")]
    id: AdapterId,
    kind: &'static str,
    #[serde(serialize_with = "as_text")]
    addr: Option<BdAddr>,
    fw: Option<&'a str>,
    state: AdapterPhase,
}

impl<'a> From<&Joining<'a>> for Params<'a> {
    fn from(joining: &Joining<'a>) -> Self {
        let identity = joining.identity;
        Self {
            proto: Versions { min: VERSION, max: VERSION },
            agent: format!("nbe/{}", identity.version),
            endpoint_id: &identity.endpoint_id,
            boot: &identity.boot,
            host: &identity.host,
            addrs: &identity.addrs,
            os: &identity.os,
            adapters: joining.adapters.iter().map(Adapter::from).collect(),
            next_seq: joining.next_seq,
            oldest_seq: joining.oldest_seq,
            roster_rev: joining.roster_rev,
            caps: CAPABILITIES,
            token: identity.token.as_ref().map(|token| token.reveal()),
        }
    }
}

impl<'a> From<&'a event::AdapterState> for Adapter<'a> {
    fn from(state: &'a event::AdapterState) -> Self {
        Self { id: state.id, kind: "bled112", addr: state.address, fw: state.firmware.as_deref(), state: state.phase }
    }
}
