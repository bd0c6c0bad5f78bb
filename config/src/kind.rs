//! What a key can take: a TOML value goes in, a proven one comes out.

use std::marker::PhantomData;
use std::ops::Range;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use toml::Spanned;
use toml::de::DeValue;

use crate::agent_url::{AgentUrl, AgentUrlError};
use crate::identity::{Address, Pin, ServiceUuid, Uuid};
use crate::quantity::{Level, RssiOffset, ScanTicks, WindowLength};
use crate::schema::nearest;
use crate::settings::{Detector, LogFormat, LogLevel};

/// A kind of value.
pub(crate) trait Kind {
    /// What a proven value is.
    type Value;

    /// Whether it is written as a TOML string.
    const IS_TEXT: bool = false;

    /// What is taken, as it reads after "must be".
    fn takes() -> String;

    /// Proves a value.
    fn read(value: &Spanned<DeValue<'_>>) -> Result<Self::Value, Misfit>;
}

/// Why a value does not fit its key.
#[derive(Debug, Default)]
pub(crate) struct Misfit {
    /// The value as it is shown.
    pub found: String,
    /// The likely cause.
    pub because: Option<String>,
    /// Which entry of a list is meant.
    pub at: Option<Range<usize>>,
    /// Whether the value holds a secret, so that neither it nor its line is shown.
    pub is_secret: bool,
}

impl Misfit {
    fn new(value: &DeValue<'_>) -> Self {
        Self {
            found: shown(value),
            ..Self::default()
        }
    }

    fn because(self, cause: impl Into<String>) -> Self {
        Self {
            because: Some(cause.into()),
            ..self
        }
    }
}

/// A window's length.
pub(crate) struct Readings;

impl Kind for Readings {
    type Value = WindowLength;

    fn takes() -> String {
        "1 to 200".into()
    }

    fn read(value: &Spanned<DeValue<'_>>) -> Result<WindowLength, Misfit> {
        let number = whole(value.as_ref())?;
        u8::try_from(number)
            .ok()
            .and_then(WindowLength::new)
            .ok_or_else(|| Misfit::new(value.as_ref()))
    }
}

/// A level in dBm.
pub(crate) struct LevelInDbm;

impl Kind for LevelInDbm {
    type Value = Level;

    fn takes() -> String {
        "-99 to -1".into()
    }

    fn read(value: &Spanned<DeValue<'_>>) -> Result<Level, Misfit> {
        let number = whole(value.as_ref())?;
        i8::try_from(number)
            .ok()
            .and_then(Level::new)
            .ok_or_else(|| {
                let misfit = Misfit::new(value.as_ref());
                match number {
                    1..=99 => misfit.because("is the minus sign missing?"),
                    _ => misfit,
                }
            })
    }
}

/// A level in dBm, or 0 for none.
pub(crate) struct LevelOrZero;

impl Kind for LevelOrZero {
    type Value = Option<Level>;

    fn takes() -> String {
        "0 or -99 to -1".into()
    }

    fn read(value: &Spanned<DeValue<'_>>) -> Result<Option<Level>, Misfit> {
        match whole(value.as_ref()) {
            Ok(0) => Ok(None),
            _ => LevelInDbm::read(value).map(Some),
        }
    }
}

/// A time in whole seconds.
pub(crate) struct Seconds<const MIN: u64, const MAX: u64>;

impl<const MIN: u64, const MAX: u64> Kind for Seconds<MIN, MAX> {
    type Value = Duration;

    fn takes() -> String {
        format!("{MIN} to {MAX}")
    }

    fn read(value: &Spanned<DeValue<'_>>) -> Result<Duration, Misfit> {
        let number = u64::try_from(whole(value.as_ref())?).ok();
        let number = number.filter(|number| (MIN..=MAX).contains(number));
        number
            .map(Duration::from_secs)
            .ok_or_else(|| Misfit::new(value.as_ref()))
    }
}

/// A correction in dB.
pub(crate) struct OffsetInDb;

impl Kind for OffsetInDb {
    type Value = RssiOffset;

    fn takes() -> String {
        "-40.0 to 40.0 in steps of 0.1".into()
    }

    fn read(value: &Spanned<DeValue<'_>>) -> Result<RssiOffset, Misfit> {
        let tenths = decimal(value.as_ref())? * 10.0;
        // A tenth has no exact binary form, so what is next to one counts as one.
        let is_step = (tenths - tenths.round()).abs() < 1e-6 && tenths.abs() <= 400.5;
        // Bounded just above, so nothing is lost.
        let offset = is_step
            .then_some(tenths.round() as i16)
            .and_then(RssiOffset::from_tenths);
        offset.ok_or_else(|| Misfit::new(value.as_ref()))
    }
}

/// A stretch of scanning in milliseconds.
pub(crate) struct ScanMillis;

impl Kind for ScanMillis {
    type Value = ScanTicks;

    fn takes() -> String {
        "2.5 to 10240 in steps of 0.625".into()
    }

    fn read(value: &Spanned<DeValue<'_>>) -> Result<ScanTicks, Misfit> {
        let ticks = decimal(value.as_ref())? / 0.625;
        let in_range = (4.0..=16384.0).contains(&ticks);
        match in_range
            .then_some(ticks.round() as u16)
            .and_then(ScanTicks::new)
        {
            Some(whole) if f64::from(whole.get()) == ticks => Ok(whole),
            Some(_) => Err(Misfit::new(value.as_ref()).because(format!(
                "the radio's nearest steps are {} and {}",
                ticks.floor() * 0.625,
                ticks.ceil() * 0.625
            ))),
            None => Err(Misfit::new(value.as_ref())),
        }
    }
}

/// True or false.
pub(crate) struct Switch;

impl Kind for Switch {
    type Value = bool;

    fn takes() -> String {
        "true or false".into()
    }

    fn read(value: &Spanned<DeValue<'_>>) -> Result<bool, Misfit> {
        value
            .as_ref()
            .as_bool()
            .ok_or_else(|| match value.as_ref().as_str() {
                Some("true" | "false") => Misfit::new(value.as_ref()).because("remove the quotes"),
                _ => Misfit::new(value.as_ref()),
            })
    }
}

/// A number the Bluetooth SIG gave to a company.
pub(crate) struct CompanyId;

impl Kind for CompanyId {
    type Value = u16;

    fn takes() -> String {
        "0 to 65535".into()
    }

    fn read(value: &Spanned<DeValue<'_>>) -> Result<u16, Misfit> {
        u16::try_from(whole(value.as_ref())?).map_err(|_| Misfit::new(value.as_ref()))
    }
}

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
            0 => Err(Misfit::new(value.as_ref())
                .because("every name begins with it; `all = true` says that")),
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
        is_name
            .then(|| port.to_owned())
            .ok_or_else(|| Misfit::new(value.as_ref()))
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
        is_path
            .then(|| path.into())
            .ok_or_else(|| Misfit::new(value.as_ref()))
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
        text.parse().map_err(|error: AgentUrlError| {
            let is_secret = error.is_secret();
            Misfit {
                is_secret,
                ..misfit.because(error.to_string())
            }
        })
    }
}

impl Form for Address {
    const FORM: &'static str = "a device address such as \"00:07:80:2e:11:aa\"";
}

impl Form for Uuid {
    const FORM: &'static str = "a UUID such as \"6e400001-b5a3-f393-e0a9-e50e24dcca9e\"";
}

impl Form for ServiceUuid {
    const FORM: &'static str =
        "a UUID such as \"180d\" or \"6e400001-b5a3-f393-e0a9-e50e24dcca9e\"";
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
        let words: Vec<_> = T::WORDS
            .iter()
            .map(|(word, _)| format!("\"{word}\""))
            .collect();
        match words.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
            _ => words.concat(),
        }
    }

    fn read(value: &Spanned<DeValue<'_>>) -> Result<T, Misfit> {
        let wanted = text(value.as_ref())?;
        match T::WORDS.iter().find(|(word, _)| *word == wanted) {
            Some((_, choice)) => Ok(*choice),
            None if T::PLANNED.contains(&wanted) => {
                Err(Misfit::new(value.as_ref()).because("not in this version"))
            }
            None => {
                let misfit = Misfit::new(value.as_ref());
                Err(
                    match nearest(wanted, T::WORDS.iter().map(|(word, _)| word)) {
                        Some(word) => misfit.because(format!("did you mean \"{word}\"?")),
                        None => misfit,
                    },
                )
            }
        }
    }
}

/// A type whose values are words.
pub(crate) trait Words: Copy + 'static {
    const WORDS: &'static [(&'static str, Self)];

    /// Words that documents mention and this version does not know.
    const PLANNED: &'static [&'static str] = &[];
}

impl Words for Detector {
    const WORDS: &'static [(&'static str, Self)] = &[("classic", Self::Classic)];
    const PLANNED: &'static [&'static str] = &["adaptive"];
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

/// The longest list: as many bands as the daemon tracks at once.
const MAX_ENTRIES: usize = 256;

/// A list of one kind of value.
pub(crate) struct List<K>(PhantomData<K>);

impl<K: Kind> Kind for List<K> {
    type Value = Vec<K::Value>;

    fn takes() -> String {
        format!("a list, each entry {}", K::takes())
    }

    fn read(value: &Spanned<DeValue<'_>>) -> Result<Vec<K::Value>, Misfit> {
        let Some(entries) = value.as_ref().as_array() else {
            return Err(Misfit::new(value.as_ref()).because("put it in [brackets]"));
        };
        if entries.len() > MAX_ENTRIES {
            let found = format!("{} entries", entries.len());
            return Err(Misfit {
                found,
                ..Misfit::default()
            }
            .because(format!("{MAX_ENTRIES} is the most")));
        }
        let read = |entry| {
            K::read(entry).map_err(|misfit| Misfit {
                at: Some(entry.span()),
                ..misfit
            })
        };
        entries.iter().map(read).collect()
    }
}

fn whole(value: &DeValue<'_>) -> Result<i64, Misfit> {
    match value {
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_err(|_| Misfit::new(value))
        }
        DeValue::Float(_) => Err(Misfit::new(value).because("whole numbers only")),
        _ => Err(not_a_number(value)),
    }
}

fn decimal(value: &DeValue<'_>) -> Result<f64, Misfit> {
    match value {
        DeValue::Float(number) => number.as_str().parse().map_err(|_| Misfit::new(value)),
        // Far outside of every range, a rounded number still is.
        DeValue::Integer(_) => whole(value).map(|number| number as f64),
        _ => Err(not_a_number(value)),
    }
}

fn not_a_number(value: &DeValue<'_>) -> Misfit {
    match value.as_str().map(str::parse::<f64>) {
        Some(Ok(_)) => Misfit::new(value).because("remove the quotes"),
        _ => Misfit::new(value),
    }
}

fn text<'v>(value: &'v DeValue<'_>) -> Result<&'v str, Misfit> {
    value
        .as_str()
        .ok_or_else(|| Misfit::new(value).because("put it in quotes"))
}

/// A value as a message shows it, at most a few words long.
fn shown(value: &DeValue<'_>) -> String {
    let clipped = |text: &str| match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    };
    match value {
        DeValue::String(text) => format!("\"{}\"", clipped(text)),
        DeValue::Integer(number) => clipped(&number.to_string()),
        DeValue::Float(number) => clipped(number.as_str()),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Datetime(_) => "a date".into(),
        DeValue::Array(_) => "a list".into(),
        DeValue::Table(_) => "a table".into(),
    }
}
