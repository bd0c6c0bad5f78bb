//! What is answered.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::request::VERSION;

/// One line in answer to one request.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// What the request was called by.
    pub id: Value,
    /// What was asked for, or why it cannot be had.
    pub result: Result<Value, Refusal>,
}

/// Why something cannot be had, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{text}")]
pub struct Refusal {
    /// For a script.
    pub code: Code,
    /// For a person.
    pub text: String,
    /// What to do about it.
    pub cure: String,
}

/// Why something cannot be had, for a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The request cannot be read.
    BadRequest,
    /// The line is too long to be a request.
    TooLong,
    /// The request is of another version of the protocol.
    UnknownVersion,
    /// There is no such command.
    UnknownCommand,
    /// Whoever asks may only look.
    NotPermitted,
    /// Too many are connected.
    Busy,
    /// The configuration has mistakes; what was in force stays.
    Rejected,
    /// The daemon is about to end.
    Stopping,
    /// One that a later version has.
    #[serde(other)]
    Other,
}

impl Refusal {
    /// A refusal for this reason.
    pub fn new(code: Code, text: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { code, text: text.into(), cure: cure.into() }
    }
}

impl Reply {
    /// What was asked for.
    pub fn ok(id: Value, ok: Value) -> Self {
        Self { id, result: Ok(ok) }
    }

    /// Why it cannot be had.
    pub fn no(id: Value, refusal: Refusal) -> Self {
        Self { id, result: Err(refusal) }
    }

    /// Reads a line of a daemon.
    ///
    /// # Errors
    /// If it is no reply of this version.
    pub fn read(line: &[u8]) -> Result<Self, Garbled> {
        let Wire { v, id, ok, error } = serde_json::from_slice(line).map_err(|_| Garbled)?;
        match (v, ok, error) {
            (VERSION, Some(ok), None) => Ok(Self::ok(id, ok)),
            (VERSION, None, Some(refusal)) => Ok(Self::no(id, refusal)),
            _ => Err(Garbled),
        }
    }

    /// The line that says it, with its end.
    pub fn line(self) -> String {
        let (ok, error) = match self.result {
            Ok(ok) => (Some(ok), None),
            Err(refusal) => (None, Some(refusal)),
        };
        let wire = Wire { v: VERSION, id: self.id, ok, error };
        let mut line = serde_json::to_string(&wire).unwrap_or_else(|_| unreachable!("plain values become text"));
        line.push('\n');
        line
    }
}

/// What came back is no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Garbled;

impl std::error::Error for Garbled {}

impl fmt::Display for Garbled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer makes no sense: another program, or a daemon of another version, has the socket")
    }
}

#[derive(Serialize, Deserialize)]
struct Wire {
    v: u64,
    #[serde(default)]
    id: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ok: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<Refusal>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_wire_form_stays() {
        let ok = Reply::ok(json!(7), json!({"pid": 1}));
        assert_eq!(ok.clone().line(), "{\"v\":1,\"id\":7,\"ok\":{\"pid\":1}}\n");
        assert_eq!(Reply::read(ok.clone().line().as_bytes()), Ok(ok));
        let no = Reply::no(Value::Null, Refusal::new(Code::NotPermitted, "no", "ask"));
        let line = r#"{"v":1,"id":null,"error":{"code":"not_permitted","text":"no","cure":"ask"}}"#;
        assert_eq!(no.clone().line(), format!("{line}\n"));
        assert_eq!(Reply::read(line.as_bytes()), Ok(no));
    }

    #[test]
    fn what_is_no_reply_is_told_from_one() {
        for line in ["", "{}", r#"{"v":2,"id":1,"ok":{}}"#, r#"{"v":1,"id":1}"#, "HTTP/1.1 400 Bad Request"] {
            assert_eq!(Reply::read(line.as_bytes()), Err(Garbled), "{line}");
        }
        let later = r#"{"v":1,"id":1,"error":{"code":"moon_phase","text":"t","cure":"c"}}"#;
        assert_eq!(Reply::read(later.as_bytes()).unwrap().result.unwrap_err().code, Code::Other);
    }
}
