//! What an agent's "ok" may say; every part is optional, so that `{}` is a full answer.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::limits;
use super::note::clip;
use super::outbox::Terms;

/// The answer to a join.
#[derive(Debug, Default, Deserialize)]
pub(super) struct JoinReply<'a> {
    #[serde(borrow, default)]
    resume: Option<Resume<'a>>,
    #[serde(default)]
    limits: Option<Limits>,
    /// The revision of the roster that the agent would have in force.
    #[serde(default)]
    pub(super) roster_rev: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct Resume<'a> {
    #[serde(borrow)]
    boot: Cow<'a, str>,
    ack: u64,
}

#[derive(Debug, Default, Deserialize)]
struct Limits {
    #[serde(default)]
    inflight: Option<usize>,
    #[serde(default)]
    rssi_hz: Option<u32>,
    #[serde(default)]
    frame: Option<usize>,
}

/// Reads the answer to a join, or says what it was instead.
pub(super) fn read_join(response: &RawValue) -> Result<JoinReply<'_>, String> {
    serde_json::from_str(response.get())
        .map_err(|error| clip(&format!("an answer to the join that makes no sense ({error})")))
}

/// The seq up to which an answer acknowledges, if it says so.
pub(super) fn read_ack(response: &RawValue) -> Option<u64> {
    #[derive(Deserialize)]
    struct Ack {
        ack: u64,
    }
    serde_json::from_str::<Ack>(response.get()).ok().map(|response| response.ack)
}

impl JoinReply<'_> {
    /// What the agent has of this boot; `None` if it knows nothing of it.
    pub(super) fn resume(&self, boot: &str) -> Option<u64> {
        self.resume.as_ref().filter(|resume| resume.boot == boot).map(|resume| resume.ack)
    }

    /// Its bounds, never wider than our own.
    pub(super) fn terms(&self) -> Terms {
        let asked = self.limits.as_ref();
        Terms {
            in_flight: asked.and_then(|limits| limits.inflight).unwrap_or(usize::MAX).clamp(1, limits::IN_FLIGHT),
            frame: asked.and_then(|limits| limits.frame).unwrap_or(usize::MAX).clamp(limits::FRAME_MIN, limits::FRAME),
        }
    }

    /// How often levels may be reported per band, in Hz.
    pub(super) fn rssi_hz(&self) -> u32 {
        self.limits.as_ref().and_then(|limits| limits.rssi_hz).unwrap_or(limits::RSSI_HZ)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).unwrap()
    }

    #[test]
    fn an_empty_answer_is_a_full_one() {
        let json = raw("{}");
        let reply = read_join(&json).unwrap();
        assert_eq!((reply.resume("b"), reply.roster_rev, reply.rssi_hz()), (None, None, 2));
        assert_eq!(reply.terms(), Terms { in_flight: 32, frame: 32_768 });
    }

    #[test]
    fn every_part_is_read_and_bounded() {
        let json = raw(r#"{"proto":1,"session":"s","resume":{"boot":"b","ack":7},
                "limits":{"inflight":0,"rssi_hz":5,"frame":9},"roster_rev":3,"time_ms":1}"#);
        let reply = read_join(&json).unwrap();
        assert_eq!((reply.resume("b"), reply.resume("c"), reply.roster_rev), (Some(7), None, Some(3)));
        assert_eq!((reply.terms(), reply.rssi_hz()), (Terms { in_flight: 1, frame: 4_096 }, 5));
    }

    #[test]
    fn nonsense_is_told_apart() {
        for json in [r#"{"resume":5}"#, "7", r#"{"limits":{"inflight":-1}}"#] {
            assert!(read_join(&raw(json)).is_err(), "{json}");
        }
        assert_eq!(read_ack(&raw(r#"{"ack":4}"#)), Some(4));
        assert_eq!(read_ack(&raw(r#"{"ack":"4"}"#)), None);
    }
}
