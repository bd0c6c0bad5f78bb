//! What can be asked for, and who may.

use std::time::Duration;

use config::LogLevel;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::reply::{Code, Refusal, Reply};

/// The version of the protocol; every request and every reply bears it.
pub const VERSION: u64 = 1;

/// The longest text that a request may be called by.
const LONGEST_ID: usize = 64;

/// How long a level of the log holds where nothing is said of it.
const LOG_FOR: Duration = Duration::from_secs(600);

/// The longest that a level of the log may hold: a raised log forgotten fills disks.
const LOG_FOR_MOST: Duration = Duration::from_secs(24 * 60 * 60);

/// What somebody may do; each includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Ask how things are.
    Look,
    /// Change how things are.
    Change,
}

impl Access {
    /// What an account of this machine may do: the administrator and the daemon's own account change, all others look.
    pub fn of_account(peer: u32, daemon: u32) -> Self {
        if peer == 0 || peer == daemon { Self::Change } else { Self::Look }
    }
}

/// What is asked of the daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// How it is.
    Status,
    /// Look at the configuration now.
    Reload,
    /// What the log shows, or what it is to show.
    Log(Option<LogWish>),
}

/// What the log is to show, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogWish {
    /// The least severe lines that are written.
    pub level: LogLevel,
    /// The part of the daemon whose lines are meant; all of them where it is `None`.
    pub part: Option<String>,
    /// What the configuration says holds again after that.
    pub lasts: Duration,
}

impl LogWish {
    /// Whether it may be asked for that long.
    pub fn may_last(span: Duration) -> bool {
        !span.is_zero() && span <= LOG_FOR_MOST
    }
}

impl Command {
    /// What somebody must be allowed to do in order to ask for this.
    pub fn needs(&self) -> Access {
        match self {
            Self::Status | Self::Log(None) => Access::Look,
            Self::Reload | Self::Log(Some(_)) => Access::Change,
        }
    }

    /// Its name, and what is said with it.
    fn parts(&self) -> (&'static str, Value) {
        match self {
            Self::Status => ("status", json!({})),
            Self::Reload => ("reload", json!({})),
            Self::Log(None) => ("log", json!({})),
            Self::Log(Some(LogWish { level, part, lasts })) => {
                let mut args = json!({ "level": level.as_str(), "for_s": lasts.as_secs() });
                if let Some(part) = part {
                    args["part"] = json!(part);
                }
                ("log", args)
            }
        }
    }
}

/// One line of somebody who asks.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// What the reply is to be called by: a number or a short text of the asker's own, or null.
    pub id: Value,
    /// What is asked for.
    pub command: Command,
}

impl Request {
    /// Reads a line.
    ///
    /// # Errors
    /// With the reply that says what is wrong with it.
    pub fn read(line: &[u8], access: Access) -> Result<Self, Reply> {
        let mut id = Value::Null;
        match Self::parse(line, &mut id) {
            Ok(command) if command.needs() > access => {
                let what = command.parts().0;
                Err(Reply::no(
                    id,
                    Refusal::new(
                        Code::NotPermitted,
                        format!("{what} changes how the daemon runs, and this account may only look"),
                        "ask as root, or as the account that the daemon runs as",
                    ),
                ))
            }
            Ok(command) => Ok(Self { id, command }),
            Err(refusal) => Err(Reply::no(id, refusal)),
        }
    }

    /// The line that asks, with its end.
    pub fn line(&self) -> String {
        let (name, mut args) = self.command.parts();
        args["v"] = json!(VERSION);
        args["id"] = self.id.clone();
        args["cmd"] = json!(name);
        format!("{args}\n")
    }

    fn parse(line: &[u8], id: &mut Value) -> Result<Command, Refusal> {
        let bad = |text: String| Refusal::new(Code::BadRequest, text, r#"a request looks like {"v":1,"cmd":"status"}"#);
        let mut object: Map<String, Value> =
            serde_json::from_slice(line).map_err(|error| bad(format!("not one JSON object: {error}")))?;
        match object.remove("id").unwrap_or_default() {
            Value::String(text) if text.len() > LONGEST_ID => {
                return Err(bad(format!("`id` is longer than {LONGEST_ID} bytes")));
            }
            given @ (Value::Null | Value::Number(_) | Value::String(_)) => *id = given,
            _ => return Err(bad("`id` must be a number or a text".to_owned())),
        }
        match object.remove("v") {
            Some(version) if version == VERSION => {}
            Some(version) => {
                return Err(Refusal::new(
                    Code::UnknownVersion,
                    format!("version {version} of the protocol is not known; this daemon speaks version {VERSION}"),
                    "use the nbe command that was installed with the daemon",
                ));
            }
            None => return Err(bad("`v`, the version of the protocol, is missing".to_owned())),
        }
        let Some(Value::String(name)) = object.remove("cmd") else {
            return Err(bad("`cmd` is missing, or not a text".to_owned()));
        };
        let args = Value::Object(object);
        let read = match name.as_str() {
            "status" => serde_json::from_value(args).map(|Nothing {}| Ok(Command::Status)),
            "reload" => serde_json::from_value(args).map(|Nothing {}| Ok(Command::Reload)),
            "log" => serde_json::from_value(args).map(|args: LogArgs| args.wish().map(Command::Log)),
            _ => {
                return Err(Refusal::new(
                    Code::UnknownCommand,
                    format!("no such command: {name:.40}"),
                    "the commands are status, reload and log",
                ));
            }
        };
        read.unwrap_or_else(|error| Err(error.to_string())).map_err(|error| bad(format!("{name}: {error}")))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogArgs {
    level: Option<String>,
    part: Option<String>,
    for_s: Option<u64>,
}

impl LogArgs {
    fn wish(self) -> Result<Option<LogWish>, String> {
        let Some(level) = self.level else {
            return match (self.part, self.for_s) {
                (None, None) => Ok(None),
                _ => Err("`part` and `for_s` are nothing without `level`".to_owned()),
            };
        };
        let level = log_level(&level).ok_or("`level` must be error, warn, info, debug or trace")?;
        let lasts = self.for_s.map_or(LOG_FOR, Duration::from_secs);
        if !LogWish::may_last(lasts) {
            return Err(format!("`for_s` must be 1 to {}", LOG_FOR_MOST.as_secs()));
        }
        Ok(Some(LogWish { level, part: self.part, lasts }))
    }
}

/// The level of that name.
pub fn log_level(name: &str) -> Option<LogLevel> {
    use LogLevel::{Debug, Error, Info, Trace, Warn};
    [Error, Warn, Info, Debug, Trace].into_iter().find(|level| level.as_str() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_and_the_daemon_itself_change_and_everybody_else_looks() {
        let cases = [(0, 990, Access::Change), (990, 990, Access::Change), (1000, 990, Access::Look)];
        for (peer, daemon, expected) in cases {
            assert_eq!(Access::of_account(peer, daemon), expected, "{peer} asks {daemon}");
        }
        assert_eq!(Access::of_account(65534, 0), Access::Look, "nobody is not somebody");
    }

    #[test]
    fn what_is_written_is_read() {
        let wish = |part: Option<&str>| LogWish {
            level: LogLevel::Trace,
            part: part.map(str::to_owned),
            lasts: Duration::from_secs(7),
        };
        let commands = [Command::Status, Command::Reload, Command::Log(None), Command::Log(Some(wish(Some("agent"))))];
        for command in commands.into_iter().chain([Command::Log(Some(wish(None)))]) {
            let request = Request { id: json!("mine"), command };
            let line = request.line();
            assert_eq!(Request::read(line.trim_end().as_bytes(), Access::Change), Ok(request), "{line}");
        }
    }

    #[test]
    fn the_wire_form_stays() {
        let cases: [(&str, Command); 4] = [
            (r#"{"v":1,"id":7,"cmd":"status"}"#, Command::Status),
            (r#"{"v":1,"cmd":"reload"}"#, Command::Reload),
            (r#"{"v":1,"cmd":"log"}"#, Command::Log(None)),
            (
                r#"{"v":1,"cmd":"log","level":"debug"}"#,
                Command::Log(Some(LogWish { level: LogLevel::Debug, part: None, lasts: LOG_FOR })),
            ),
        ];
        for (line, command) in cases {
            assert_eq!(Request::read(line.as_bytes(), Access::Change).map(|request| request.command), Ok(command));
        }
    }

    #[test]
    fn every_mistake_has_its_own_answer() {
        let long = format!(r#"{{"v":1,"id":"{}","cmd":"status"}}"#, "x".repeat(65));
        let deep = "[".repeat(4000);
        let cases: [(&str, Code, &str); 17] = [
            ("", Code::BadRequest, "not one JSON object"),
            ("\u{1}\u{2}", Code::BadRequest, "not one JSON object"),
            ("[]", Code::BadRequest, "not one JSON object"),
            (&deep, Code::BadRequest, "not one JSON object"),
            ("{}", Code::BadRequest, "`v`"),
            (r#"{"v":2,"cmd":"status"}"#, Code::UnknownVersion, "version 2"),
            (r#"{"v":"1","cmd":"status"}"#, Code::UnknownVersion, "version \"1\""),
            (r#"{"v":1}"#, Code::BadRequest, "`cmd`"),
            (r#"{"v":1,"cmd":5}"#, Code::BadRequest, "`cmd`"),
            (r#"{"v":1,"cmd":"fly"}"#, Code::UnknownCommand, "fly"),
            (r#"{"v":1,"cmd":"status","loud":true}"#, Code::BadRequest, "unknown field `loud`"),
            (r#"{"v":1,"id":[1],"cmd":"status"}"#, Code::BadRequest, "`id`"),
            (&long, Code::BadRequest, "`id`"),
            (r#"{"v":1,"cmd":"log","level":"loud"}"#, Code::BadRequest, "error, warn, info, debug or trace"),
            (r#"{"v":1,"cmd":"log","part":"agent"}"#, Code::BadRequest, "nothing without `level`"),
            (r#"{"v":1,"cmd":"log","level":"info","for_s":0}"#, Code::BadRequest, "1 to 86400"),
            (r#"{"v":1,"cmd":"log","level":"info","for_s":-1}"#, Code::BadRequest, "invalid value"),
        ];
        for (line, code, words) in cases {
            let reply = Request::read(line.as_bytes(), Access::Change).unwrap_err();
            let refusal = reply.result.unwrap_err();
            assert_eq!(refusal.code, code, "{line}");
            assert!(refusal.text.contains(words) && !refusal.cure.is_empty(), "{line}: {refusal}");
        }
    }

    #[test]
    fn who_may_only_look_is_told_so() {
        let allowed = [r#"{"v":1,"cmd":"status"}"#, r#"{"v":1,"cmd":"log"}"#];
        for line in allowed {
            assert!(Request::read(line.as_bytes(), Access::Look).is_ok(), "{line}");
        }
        let refused = [r#"{"v":1,"id":3,"cmd":"reload"}"#, r#"{"v":1,"id":3,"cmd":"log","level":"trace"}"#];
        for line in refused {
            let reply = Request::read(line.as_bytes(), Access::Look).unwrap_err();
            assert_eq!(reply.id, 3);
            assert_eq!(reply.result.unwrap_err().code, Code::NotPermitted, "{line}");
        }
    }
}
