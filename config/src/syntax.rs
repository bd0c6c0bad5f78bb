//! What in a file is no TOML, and how reading goes on behind it.

use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;

use toml::de::DeTable;

use crate::diagnostic::{Diagnostic, Lines, Location};
use crate::odd::odd;
use crate::schema;

/// A file's text as far as it can be read.
pub(crate) struct Parsed<'t> {
    /// The text, with blanks for what stops the parser; every byte keeps its place.
    pub text: Cow<'t, str>,
    /// In the order in which they were met.
    pub mistakes: Vec<Mistake>,
}

/// Something that is no TOML.
pub(crate) struct Mistake {
    /// Where it stands, in bytes of the text.
    pub span: Range<usize>,
    message: String,
}

/// How often the text is read anew; each time what stopped the parser is blanked, all of it that was met.
const ROUNDS: usize = 4;

/// Finds what is no TOML.
pub(crate) fn parse<'t>(text: &'t str, lines: &Lines<'_>) -> Parsed<'t> {
    let mut parsed = Parsed { text: text.into(), mistakes: Vec::new() };
    for _ in 0..ROUNDS {
        let (_, errors) = DeTable::parse_recoverable(&parsed.text);
        let met = errors.iter().map(|error| Mistake {
            span: error.span().unwrap_or(0..0),
            message: error.message().trim_end_matches(", expected nothing").to_owned(),
        });
        let met: Vec<_> = met.collect();
        let mut stops: Vec<Range<usize>> = Vec::new();
        for mistake in &met {
            // What is left out already need not be looked through again for where it ends.
            if stops.last().is_none_or(|last| last.end <= mistake.span.start) {
                stops.extend(mistake.stops(lines));
            }
        }
        parsed.mistakes.extend(met);
        if stops.is_empty() {
            break;
        }
        parsed.text = blanked(&parsed.text, &stops).into();
    }
    parsed
}

/// `text` with spaces in place of all but the line ends of `parts`.
fn blanked(text: &str, parts: &[Range<usize>]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for part in parts {
        let line_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
        bytes[part.clone()].iter_mut().filter(|byte| !line_end(byte)).for_each(|byte| *byte = b' ');
    }
    // Whole lines were replaced, so no character was cut.
    String::from_utf8(bytes).unwrap_or_default()
}

impl Mistake {
    /// The mistake as a person is told it.
    pub(crate) fn told(&self, path: &Path, lines: &Lines<'_>) -> Diagnostic {
        let (location, excerpt) = lines.locate(path, &self.span);
        let line = lines.text_at(self.span.start);
        let message = match self.message.as_str() {
            unquoted if unquoted.contains(UNQUOTED) => match number_of(line) {
                _ if lines.text(&self.span).trim().is_empty() => "a value is missing",
                Some(_) => "the value is not a number",
                None => unquoted,
            },
            message => message,
        };
        // The line could not be read, so a password in an address may stand anywhere in it.
        let excerpt = Some(excerpt).filter(|excerpt| !excerpt.line.contains('@'));
        let error = Diagnostic::error(location, format!("not TOML: {message}")).with_excerpt(excerpt);
        match self.help(line) {
            Some(help) => error.with_help(help),
            None => error,
        }
    }

    fn help(&self, line: &str) -> Option<String> {
        let message = self.message.as_str();
        let begins = |starts: &[&str]| starts.iter().any(|start| message.starts_with(start));
        let help = if message == "duplicate key" {
            "the key or the table stands above already; keep one of them"
        } else if line.trim_start().starts_with('[') {
            "the keys below it, up to the next [table], were not looked at"
        } else if self.is_key_alone() {
            return has_colon(line).then(|| "use = instead of :".into());
        } else if begins(&["missing comma", "unclosed array", "unclosed inline table"]) {
            "is a bracket above not closed? what follows it was not looked at"
        } else if begins(&["invalid multi-line"]) {
            "are three quotes above not closed? what follows them was not looked at"
        } else if let Some(example) = number_of(line) {
            return Some(with_odd(&format!("write a plain number such as {example}"), line));
        } else if message.contains(UNQUOTED) {
            return Some(with_odd("put the text in plain \"quotes\"", line));
        } else if message.contains("escape") || message.contains("unicode") {
            "a path with \\ goes in 'single quotes'"
        } else {
            return None;
        };
        Some(help.into())
    }

    /// The part of the text to leave out, if the parser gives up at it.
    fn stops(&self, lines: &Lines<'_>) -> Option<Range<usize>> {
        let line = lines.span_at(self.span.start);
        if self.is_key_alone() {
            return Some(line);
        }
        // Without its name, nobody knows whose keys follow.
        self.spoils_table().then(|| line.start..lines.next_beginning_with('[', line.end))
    }

    fn is_key_alone(&self) -> bool {
        self.message.starts_with("key with no value") || self.message.starts_with("missing value for key")
    }

    fn spoils_table(&self) -> bool {
        ["unclosed table", "unclosed array table", "missing table open"]
            .iter()
            .any(|start| self.message.starts_with(start))
    }
}

/// What the parser says of a value that is neither a number nor in quotes.
const UNQUOTED: &str = "string values must be quoted";

/// A number that the line's key takes, if it takes one.
fn number_of(line: &str) -> Option<&'static str> {
    line.split_once('=').and_then(|(key, _)| schema::example_of_number(key.trim()))
}

/// What to do, with the odd character that the line's value holds.
fn with_odd(cure: &str, line: &str) -> String {
    match line.split_once('=').and_then(|(_, value)| odd(value)) {
        Some(odd) => format!("{cure}; {odd}"),
        None => cure.to_owned(),
    }
}

/// Whether the line has the form `key: value`.
fn has_colon(line: &str) -> bool {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    line.split_once(':').is_some_and(|(key, _)| key.trim().chars().all(is_bare))
}

/// Tells that the file is not UTF-8.
pub(crate) fn not_utf8(path: &Path, bytes: &[u8], valid_up_to: usize) -> Diagnostic {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Diagnostic::error(Location::file(path), "the file is saved as UTF-16")
            .with_help("save it as UTF-8; the editor asks for the encoding in \"Save as\"");
    }
    // Up to there it is valid, so nothing is replaced.
    let text = String::from_utf8_lossy(&bytes[..valid_up_to]);
    let (location, _) = Lines::new(&text).locate(path, &(valid_up_to..valid_up_to));
    let byte = bytes[valid_up_to];
    Diagnostic::error(location, format!("the byte 0x{byte:02x} is not UTF-8")).with_help("save the file as UTF-8")
}
