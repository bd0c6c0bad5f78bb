//! What a key can take: a TOML value goes in, a proven one comes out.

mod number;
mod text;

use std::marker::PhantomData;
use std::ops::Range;

use toml::Spanned;
use toml::de::DeValue;

pub(crate) use number::{CompanyId, Kibibytes, LevelInDbm, LevelOrZero, OffsetInDb, Readings, ScanMillis, Seconds};
pub(crate) use text::{AbsolutePath, Choice, NamePrefix, Parsed, PortName};

/// A kind of value.
pub(crate) trait Kind {
    /// What a proven value is.
    type Value;

    /// Whether it is written as a TOML string.
    const IS_TEXT: bool = false;

    /// For a kind that is a single number, one that is taken.
    const NUMBER: Option<&'static str> = None;

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
        Self { found: shown(value), ..Self::default() }
    }

    fn because(self, cause: impl Into<String>) -> Self {
        Self { because: Some(cause.into()), ..self }
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
        value.as_ref().as_bool().ok_or_else(|| match value.as_ref().as_str() {
            Some("true" | "false") => Misfit::new(value.as_ref()).because("remove the quotes"),
            _ => Misfit::new(value.as_ref()),
        })
    }
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
            return Err(Misfit { found, ..Misfit::default() }.because(format!("{MAX_ENTRIES} is the most")));
        }
        let read = |entry| K::read(entry).map_err(|misfit| Misfit { at: Some(entry.span()), ..misfit });
        entries.iter().map(read).collect()
    }
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
