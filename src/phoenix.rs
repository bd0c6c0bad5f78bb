//! Phoenix Channels V2 on the wire: one frame is `[join_ref, ref, topic, event, payload]`.
//!
//! Both sides of this project speak it: the link to the agent ([`crate::agent`]) and the reference agent.
//! Text frames are written and read; binary frames are only read, since a server may answer in them.

use std::borrow::Cow;

use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// The serializer's version, for the `vsn` query parameter; without it a server speaks V1.
pub const VSN: &str = "2.0.0";

/// The topic of heartbeats.
pub const HEARTBEAT_TOPIC: &str = "phoenix";

/// The events that Phoenix itself uses.
pub mod event {
    /// A client joins a topic.
    pub const JOIN: &str = "phx_join";
    /// A client leaves it.
    pub const LEAVE: &str = "phx_leave";
    /// The answer to a push.
    pub const REPLY: &str = "phx_reply";
    /// A channel crashed.
    pub const ERROR: &str = "phx_error";
    /// A channel ended.
    pub const CLOSE: &str = "phx_close";
    /// A client is alive.
    pub const HEARTBEAT: &str = "heartbeat";
}

/// One frame as received; borrows from the message where nothing is escaped.
#[derive(Debug, Clone)]
pub struct Frame<'a> {
    /// The join this frame belongs to; `None` in broadcasts and heartbeats.
    pub join_ref: Option<Cow<'a, str>>,
    /// What a reply answers; `None` where none is expected.
    pub reference: Option<Cow<'a, str>>,
    /// The channel.
    pub topic: Cow<'a, str>,
    /// What happened.
    pub event: Cow<'a, str>,
    /// The payload, not yet parsed.
    pub payload: Payload<'a>,
}

/// A payload as received.
#[derive(Debug, Clone, Copy)]
pub enum Payload<'a> {
    /// JSON text.
    Json(&'a RawValue),
    /// The data of a binary push or broadcast.
    Binary(&'a [u8]),
    /// A binary reply.
    BinaryReply {
        /// `ok`, `error`, or any other word.
        status: &'a str,
        /// What the handler answered.
        response: &'a [u8],
    },
}

/// The payload of a `phx_reply`.
#[derive(Debug, Deserialize)]
pub struct Reply<'a> {
    /// `ok`, `error`, or any other word.
    #[serde(borrow)]
    pub status: Cow<'a, str>,
    /// What the handler answered; may be missing.
    #[serde(borrow, default)]
    pub response: Option<&'a RawValue>,
}

/// Bytes that are no frame.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// Not an array of five with strings, or null, where they belong.
    #[error("not a Phoenix V2 frame")]
    Text(#[source] serde_json::Error),
    /// A binary frame whose lengths do not fit it.
    #[error("a binary Phoenix frame that does not hold what its lengths promise")]
    Binary,
}

impl<'a> Frame<'a> {
    /// Reads a text message.
    ///
    /// # Errors
    /// If it is not an array of at least five elements of the right kinds; more than five are ignored.
    pub fn parse(text: &'a str) -> Result<Self, FrameError> {
        serde_json::from_str(text).map_err(FrameError::Text)
    }

    /// Reads a binary message from a server: kind 0 push, 1 reply, 2 broadcast, one byte per length.
    ///
    /// # Errors
    /// If the lengths do not fit.
    pub fn parse_binary(bytes: &'a [u8]) -> Result<Self, FrameError> {
        let (&kind, rest) = bytes.split_first().ok_or(FrameError::Binary)?;
        let strings = match kind {
            0 => 3,
            1 => 4,
            2 => 2,
            _ => return Err(FrameError::Binary),
        };
        let (lengths, mut rest) = rest.split_at_checked(strings).ok_or(FrameError::Binary)?;
        let mut parts = [""; 4];
        for (part, &length) in parts.iter_mut().zip(lengths) {
            let (text, tail) = rest.split_at_checked(usize::from(length)).ok_or(FrameError::Binary)?;
            *part = std::str::from_utf8(text).map_err(|_| FrameError::Binary)?;
            rest = tail;
        }
        let some = |text: &'a str| (!text.is_empty()).then_some(Cow::Borrowed(text));
        let [a, b, c, d] = parts;
        let (join_ref, reference, topic, event, payload) = match kind {
            0 => (some(a), None, b, c, Payload::Binary(rest)),
            1 => (some(a), some(b), c, event::REPLY, Payload::BinaryReply { status: d, response: rest }),
            _ => (None, None, a, b, Payload::Binary(rest)),
        };
        Ok(Self { join_ref, reference, topic: Cow::Borrowed(topic), event: Cow::Borrowed(event), payload })
    }

    /// The reply in this frame, if it is one in JSON.
    pub fn reply(&self) -> Option<Reply<'a>> {
        match self.payload {
            Payload::Json(json) if self.event == event::REPLY => serde_json::from_str(json.get()).ok(),
            _ => None,
        }
    }
}

/// Writes one text frame.
///
/// # Panics
/// Never for payloads that serialize to JSON with string keys, which all of ours do.
pub fn write(
    join_ref: Option<&str>,
    reference: Option<&str>,
    topic: &str,
    event: &str,
    payload: &impl Serialize,
) -> String {
    serde_json::to_string(&(join_ref, reference, topic, event, payload)).expect("payloads are JSON by construction")
}

impl<'de: 'a, 'a> Deserialize<'de> for Frame<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Elements)
    }
}

/// A string that borrows when nothing in it is escaped.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

struct Elements;

impl<'de> Visitor<'de> for Elements {
    type Value = Frame<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array of join_ref, ref, topic, event, payload")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let missing = |index| serde::de::Error::invalid_length(index, &self);
        let frame = Frame {
            join_ref: seq.next_element::<Option<Text<'de>>>()?.ok_or_else(|| missing(0))?.map(|t| t.0),
            reference: seq.next_element::<Option<Text<'de>>>()?.ok_or_else(|| missing(1))?.map(|t| t.0),
            topic: seq.next_element::<Text<'de>>()?.ok_or_else(|| missing(2))?.0,
            event: seq.next_element::<Text<'de>>()?.ok_or_else(|| missing(3))?.0,
            payload: Payload::Json(seq.next_element::<&'de RawValue>()?.ok_or_else(|| missing(4))?),
        };
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_read_and_further_elements_are_ignored() {
        let frame =
            Frame::parse(r#"["3","7","endpoint:a","phx_reply",{"response":{"ack":4},"status":"ok"},1,{}]"#).unwrap();
        assert_eq!(frame.join_ref.as_deref(), Some("3"));
        assert_eq!(frame.reference.as_deref(), Some("7"));
        assert_eq!(frame.topic, "endpoint:a");
        let reply = frame.reply().unwrap();
        assert_eq!((reply.status.as_ref(), reply.response.unwrap().get()), ("ok", r#"{"ack":4}"#));
    }

    #[test]
    fn a_broadcast_has_neither_join_ref_nor_ref() {
        let frame = Frame::parse(r#"[null,null,"endpoint:a","roster.set",{"rev":1}]"#).unwrap();
        assert_eq!((frame.join_ref.as_deref(), frame.reference.as_deref()), (None, None));
        assert!(frame.reply().is_none());
    }

    #[test]
    fn what_is_no_frame_is_an_error() {
        for text in ["", "{}", "[]", r#"["1","2","t","e"]"#, r#"[1,"2","t","e",{}]"#, r#"["1","2",null,"e",{}]"#] {
            assert!(Frame::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn binary_frames_of_a_server_are_read() {
        let push = Frame::parse_binary(b"\x00\x01\x01\x021tevdata").unwrap();
        assert_eq!((push.join_ref.as_deref(), push.topic.as_ref(), push.event.as_ref()), (Some("1"), "t", "ev"));
        assert!(matches!(push.payload, Payload::Binary(b"data")));
        let reply = Frame::parse_binary(b"\x01\x01\x01\x01\x0217tokdata").unwrap();
        assert_eq!((reply.reference.as_deref(), reply.event.as_ref()), (Some("7"), event::REPLY));
        assert!(matches!(reply.payload, Payload::BinaryReply { status: "ok", response: b"data" }));
        let broadcast = Frame::parse_binary(b"\x02\x01\x02tevx").unwrap();
        assert_eq!((broadcast.join_ref, broadcast.event.as_ref()), (None, "ev"));
        for cut in [&b""[..], b"\x03", b"\x00\x01", b"\x00\x05\x01\x01ab", b"\x02\x01\x01\xff\xff"] {
            assert!(Frame::parse_binary(cut).is_err(), "{cut:?}");
        }
    }

    #[test]
    fn a_frame_is_written_as_five_elements() {
        let text = write(Some("3"), None, "endpoint:a", "band.tap", &serde_json::json!({"v": 1}));
        assert_eq!(text, r#"["3",null,"endpoint:a","band.tap",{"v":1}]"#);
    }
}
