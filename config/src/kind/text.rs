//! Keys that take text.

use std::marker::PhantomData;
use std::path::PathBuf;
use std::str::FromStr;

use toml::Spanned;
use toml::de::DeValue;

use super::{Kind, Misfit};
use crate::agent_url::{AgentUrl, AgentUrlError};
use crate::identity::{Address, Pin, ServiceUuid, Uuid};
use crate::schema::nearest;
use crate::settings::{AwayPace, Detector, LogFormat, LogLevel};

/// What a local name begins with; an advert of 31 octets has room for 29.
pub(crate) struct NamePrefix;

impl Kind for NamePrefix {
    type Value = String;

    const IS_TEXT: bool = true;

    fn takes() -> String {
        "text of 1 to 29 bytes".into()
    }

    fn read(value: &Spanned<DeValue<'_>>) -> Result<String, Misfit> {
        let prefix = text(value.as_ref())?;
        match prefix.len() {
            1..=29 => Ok(prefix.to_owned()),
            0 => Err(Misfit::new(value.as_ref()).because("every name begins with it; `all = true` says that")),
            _ => Err(Misfit::new(value.as_ref())),
        }
    }
}

/// The name of a serial port.
pub(crate) struct PortName;

impl Kind for PortName {
    type Value = String;

    const IS_TEXT: bool = true;

    fn takes() -> String {
        "a serial port such as \"/dev/ttyACM0\" or \"COM5\"".into()
    }

    fn read(value: &Spanned<DeValue<'_>>) -> Result<String, Misfit> {
        let port = text(value.as_ref())?;
        let is_name = (1..=1024).contains(&port.len()) && !port.contains(char::is_control);
        is_name.then(|| port.to_owned()).ok_or_else(|| Misfit::new(value.as_ref()))
    }
}

/// The path of a file, from the root of any system: a service has no directory of its own to start from.
pub(crate) struct AbsolutePath;

impl Kind for AbsolutePath {
    type Value = PathBuf;

    const IS_TEXT: bool = true;

    fn takes() -> String {
        "an absolute path".into()
    }

    fn read(value: &Spanned<DeValue<'_>>) -> Result<PathBuf, Misfit> {
        let path = text(value.as_ref())?;
        let is_absolute = match path.as_bytes() {
            [b'/', ..] | [b'\\', b'\\', ..] => true,
            [drive, b':', b'/' | b'\\', ..] => drive.is_ascii_alphabetic(),
            _ => false,
        };
        let is_path = is_absolute && !path.contains(char::is_control);
        is_path.then(|| path.into()).ok_or_else(|| Misfit::new(value.as_ref()))
    }
}

/// Text with a form of its own.
pub(crate) struct Parsed<T>(PhantomData<T>);

impl<T: Form> Kind for Parsed<T> {
    type Value = T;

    const IS_TEXT: bool = true;

    fn takes() -> String {
        T::FORM.into()
    }

    fn read(value: &Spanned<DeValue<'_>>) -> Result<T, Misfit> {
        T::parse(text(value.as_ref())?, Misfit::new(value.as_ref()))
    }
}

/// A type that is read from text, and what the text looks like.
pub(crate) trait Form: FromStr {
    const FORM: &'static str;

    /// Reads the text, or completes `misfit`.
    fn parse(text: &str, misfit: Misfit) -> Result<Self, Misfit> {
        text.parse().map_err(|_| misfit)
    }
}

impl Form for AgentUrl {
    const FORM: &'static str = "a ws:// or wss:// address";

    fn parse(text: &str, misfit: Misfit) -> Result<Self, Misfit> {
        // Where a password or a token may stand, whatever else is wrong.
        let is_secret = text.contains('@') || text.to_ascii_lowercase().contains("token");
        text.parse().map_err(|error: AgentUrlError| Misfit { is_secret, ..misfit.because(error.to_string()) })
    }
}

impl Form for Address {
    const FORM: &'static str = "a device address such as \"00:07:80:2e:11:aa\"";
}

impl Form for Uuid {
    const FORM: &'static str = "a UUID such as \"6e400001-b5a3-f393-e0a9-e50e24dcca9e\"";
}

impl Form for ServiceUuid {
    const FORM: &'static str = "a UUID such as \"180d\" or \"6e400001-b5a3-f393-e0a9-e50e24dcca9e\"";
}

impl Form for Pin {
    const FORM: &'static str = "64 hex digits, the SHA-256 of a public key";
}

/// One of a few words.
pub(crate) struct Choice<T>(PhantomData<T>);

impl<T: Words> Kind for Choice<T> {
    type Value = T;

    const IS_TEXT: bool = true;

    fn takes() -> String {
        let words: Vec<_> = T::WORDS.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        match words.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
            _ => words.concat(),
        }
    }

    fn read(value: &Spanned<DeValue<'_>>) -> Result<T, Misfit> {
        let wanted = text(value.as_ref())?;
        match T::WORDS.iter().find(|(word, _)| *word == wanted) {
            Some((_, choice)) => Ok(*choice),
            None => {
                let misfit = Misfit::new(value.as_ref());
                Err(match nearest(wanted, T::WORDS.iter().map(|(word, _)| word)) {
                    Some(word) => misfit.because(format!("did you mean \"{word}\"?")),
                    None => misfit,
                })
            }
        }
    }
}

/// A type whose values are words.
pub(crate) trait Words: Copy + 'static {
    const WORDS: &'static [(&'static str, Self)];
}

impl Words for Detector {
    const WORDS: &'static [(&'static str, Self)] = &[("classic", Self::Classic), ("adaptive", Self::Adaptive)];
}

impl Words for AwayPace {
    const WORDS: &'static [(&'static str, Self)] =
        &[("sooner", Self::Sooner), ("balanced", Self::Balanced), ("calmer", Self::Calmer)];
}

impl Words for LogLevel {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("error", Self::Error),
        ("warn", Self::Warn),
        ("info", Self::Info),
        ("debug", Self::Debug),
        ("trace", Self::Trace),
    ];
}

impl Words for LogFormat {
    const WORDS: &'static [(&'static str, Self)] = &[("text", Self::Text), ("json", Self::Json)];
}

fn text<'v>(value: &'v DeValue<'_>) -> Result<&'v str, Misfit> {
    value.as_str().ok_or_else(|| Misfit::new(value).because("put it in quotes"))
}
