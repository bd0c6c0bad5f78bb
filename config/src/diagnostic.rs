//! What is wrong with a configuration, where it stands, and what to do about it.
//!
//! All text is made safe for a terminal: control characters and other invisible ones are shown as escapes.

use std::fmt;
use std::ops::Range;
use std::path::Path;

use serde::Serialize;
use unicode_width::UnicodeWidthChar;

/// One mistake, or one thing worth a word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Whether the configuration is refused for it.
    pub severity: Severity,
    /// Where it stands.
    pub location: Location,
    /// What is wrong, in one sentence.
    pub message: String,
    /// The line it stands in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<Excerpt>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The configuration is refused.
    Error,
    /// The configuration is taken.
    Warning,
}

/// Where a mistake stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase", tag = "in")]
pub enum Location {
    /// In a file as a whole.
    File {
        /// The file's path.
        path: String,
    },
    /// At one place in a file.
    Line {
        /// The file's path.
        path: String,
        /// Lines count from 1.
        line: usize,
        /// Characters of the line count from 1.
        column: usize,
    },
    /// In an environment variable.
    Environment {
        /// The variable's name.
        name: String,
    },
    /// In a flag of the command line.
    Flag {
        /// The flag's name, such as `--port`.
        name: String,
    },
    /// In no single place.
    None,
}

/// The line a mistake stands in, ready to print, and the part of it that is meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Excerpt {
    /// The line, or the part of a long one around the mistake.
    pub line: String,
    /// Terminal cells before the part that is meant.
    pub indent: usize,
    /// Terminal cells of the part that is meant, at least 1.
    pub width: usize,
}

impl Diagnostic {
    /// Something for which the configuration is refused.
    pub fn error(location: Location, message: impl AsRef<str>) -> Self {
        Self::new(Severity::Error, location, message.as_ref())
    }

    /// Something worth a word.
    pub fn warning(location: Location, message: impl AsRef<str>) -> Self {
        Self::new(Severity::Warning, location, message.as_ref())
    }

    /// Adds the line it stands in.
    pub fn with_excerpt(mut self, excerpt: Option<Excerpt>) -> Self {
        self.excerpt = excerpt;
        self
    }

    /// Adds what to do.
    pub fn with_help(mut self, help: impl AsRef<str>) -> Self {
        self.help = Some(printable(help.as_ref()));
        self
    }

    /// Whether the configuration is refused for it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    fn new(severity: Severity, location: Location, message: &str) -> Self {
        Self { severity, location, message: printable(message), excerpt: None, help: None }
    }
}

impl Diagnostic {
    /// The same without the word for how bad it is, for where that is said already.
    pub fn without_severity(&self) -> impl fmt::Display {
        Plain(self)
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, severity: &str) -> fmt::Result {
        if self.location != Location::None {
            write!(f, "{}: ", self.location)?;
        }
        write!(f, "{severity}{}", self.message)?;
        if let Some(Excerpt { line, indent, width }) = &self.excerpt {
            write!(f, "\n  {line}\n  {:indent$}{:^<width$}", "", "")?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n  help: {help}")?;
        }
        Ok(())
    }
}

struct Plain<'a>(&'a Diagnostic);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write(f, "")
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, if self.is_error() { "error: " } else { "warning: " })
    }
}

impl Location {
    /// A file as a whole.
    pub fn file(path: &Path) -> Self {
        Self::File { path: printable(&path.to_string_lossy()) }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path } => path.fmt(f),
            Self::Line { path, line, column } => write!(f, "{path}:{line}:{column}"),
            Self::Environment { name } => write!(f, "environment {name}"),
            Self::Flag { name } => name.fmt(f),
            Self::None => Ok(()),
        }
    }
}

/// The most characters of a line shown before and after where the mistake begins.
const BEFORE: usize = 48;
const AFTER: usize = 72;

impl Excerpt {
    /// Shows `line` (without its end) with `span`, in bytes of it, marked.
    pub fn new(line: &str, span: Range<usize>) -> Self {
        let start = floor_char_boundary(line, span.start);
        let from = line[..start].char_indices().rev().nth(BEFORE - 1).map_or(0, |(at, _)| at);
        let to = line[start..].char_indices().nth(AFTER).map_or(line.len(), |(at, _)| start + at);
        let mut excerpt = Self { line: String::new(), indent: 0, width: 0 };
        if from > 0 {
            excerpt.line.push('…');
            excerpt.indent = 1;
        }
        for (at, c) in line[from..to].char_indices().map(|(at, c)| (from + at, c)) {
            let shown = match c {
                '\t' => "    ".to_owned(),
                c => printable_char(c),
            };
            let cells = shown.chars().filter_map(UnicodeWidthChar::width).sum::<usize>();
            if at < start {
                excerpt.indent += cells;
            } else if at < span.end {
                excerpt.width += cells;
            }
            excerpt.line.push_str(&shown);
        }
        if to < line.len() {
            excerpt.line.push('…');
        }
        excerpt.width = excerpt.width.max(1);
        excerpt
    }
}

/// The most mistakes told one by one.
const MAX_DIAGNOSTICS: usize = 100;

/// Mistakes, a bounded number of them.
#[derive(Default)]
pub(crate) struct Diagnostics {
    list: Vec<Diagnostic>,
    omitted: usize,
    omitted_errors: bool,
}

impl Diagnostics {
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        if self.is_full() {
            self.omitted += 1;
            self.omitted_errors |= diagnostic.is_error();
        } else {
            self.list.push(diagnostic);
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.list.len() >= MAX_DIAGNOSTICS
    }

    pub(crate) fn omit_warning(&mut self) {
        self.omitted += 1;
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.omitted_errors || self.list.iter().any(Diagnostic::is_error)
    }

    /// All in the order of their places.
    pub(crate) fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.list.sort_by(|a, b| a.location.cmp(&b.location));
        if self.omitted > 0 {
            let message = format!("{} more are not shown", self.omitted);
            self.list.push(match self.omitted_errors {
                true => Diagnostic::error(Location::None, message),
                false => Diagnostic::warning(Location::None, message),
            });
        }
        self.list
    }
}

/// `text` with what a terminal would obey or hide written as escapes.
pub fn printable(text: &str) -> String {
    text.chars().map(printable_char).collect()
}

fn printable_char(c: char) -> String {
    match c {
        '"' | '\'' | '\\' => c.to_string(),
        c => c.escape_debug().to_string(),
    }
}

/// The lines of a text, to turn offsets into places.
#[derive(Debug)]
pub struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    /// Finds where each line begins.
    pub fn new(text: &'t str) -> Self {
        let ends = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n');
        Self { text, starts: std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect() }
    }

    /// The line, counted from 1, that holds the byte at `offset`.
    pub fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|&start| start <= offset)
    }

    /// Where the line that holds the byte at `offset` begins and ends, the line end left out.
    pub fn span_at(&self, offset: usize) -> Range<usize> {
        let line = self.line(offset);
        let start = self.starts[line - 1];
        let end = self.starts.get(line).copied().unwrap_or(self.text.len());
        start..start + self.text[start..end].trim_end_matches(['\n', '\r']).len()
    }

    /// The line that holds the byte at `offset`.
    pub(crate) fn text_at(&self, offset: usize) -> &'t str {
        &self.text[self.span_at(offset)]
    }

    /// The text at `span`; nothing where that cuts a character.
    pub(crate) fn text(&self, span: &Range<usize>) -> &'t str {
        self.text.get(span.clone()).unwrap_or_default()
    }

    /// Where the first line after `offset` whose first mark is `c` begins, or the text's end.
    pub(crate) fn next_beginning_with(&self, c: char, offset: usize) -> usize {
        let later = &self.starts[self.line(offset)..];
        let begins = |start: &&usize| self.text[**start..].trim_start_matches([' ', '\t']).starts_with(c);
        later.iter().find(begins).copied().unwrap_or(self.text.len())
    }

    /// Where the name at `span` begins, and the name without anything else that its line holds.
    pub fn locate_alone(&self, path: &Path, span: &Range<usize>) -> (Location, Option<Excerpt>) {
        let (location, _) = self.locate(path, span);
        let line = self.span_at(span.start);
        let end = span.end.min(line.end);
        let (before, rest) = (&self.text[line.start..span.start], &self.text[end..line.end]);
        let closing = rest.len() - rest.trim_start_matches(']').len();
        let more = if rest[closing..].trim().is_empty() { "" } else { " …" };
        let before = if before.trim_start_matches(BEFORE_A_NAME).is_empty() { before } else { "… " };
        let shown = format!("{before}{}{more}", &self.text[span.start..end + closing]);
        (location, Some(Excerpt::new(&shown, before.len()..before.len() + end - span.start)))
    }

    /// Where `span` begins, and its line.
    pub fn locate(&self, path: &Path, span: &Range<usize>) -> (Location, Excerpt) {
        let (line, text) = (self.line(span.start), self.text_at(span.start));
        let start = self.starts[line - 1];
        let span = span.start - start..span.end.max(span.start) - start;
        let before = &text[..floor_char_boundary(text, span.start)];
        let path = printable(&path.to_string_lossy());
        let location = Location::Line { path, line, column: before.chars().count() + 1 };
        (location, Excerpt::new(text, span))
    }
}

/// What may stand before a key or a table's name in its line.
const BEFORE_A_NAME: [char; 3] = ['[', ' ', '\t'];

/// The last place at or before `offset` where `text` can be parted.
fn floor_char_boundary(text: &str, offset: usize) -> usize {
    let offset = offset.min(text.len());
    (0..=offset).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, span: Range<usize>) -> String {
        let (location, excerpt) = Lines::new(text).locate(Path::new("nbe.toml"), &span);
        Diagnostic::error(location, "wrong").with_excerpt(Some(excerpt)).to_string()
    }

    #[test]
    fn the_caret_stands_under_what_is_meant() {
        let cases = [
            ("one of several lines", "a = 1\nkey = 42\n", 12..14, "2:7", "key = 42", "      ^^"),
            ("after a tab", "\tkey = 42", 7..9, "1:8", "    key = 42", "          ^^"),
            ("after wide characters", "漢字 = 42", 9..11, "1:6", "漢字 = 42", "       ^^"),
            ("after an escape sequence", "\u{1b}[2J = 42", 7..9, "1:8", "\\u{1b}[2J = 42", "            ^^"),
            ("text written backwards", "\u{202e}x = 4", 3..4, "1:2", "\\u{202e}x = 4", "        ^"),
            ("the end of the text", "key =", 5..5, "1:6", "key =", "     ^"),
            ("past a Windows line end", "a = 1\r\nkey = 42\r\n", 13..15, "2:7", "key = 42", "      ^^"),
            ("several lines", "a = [1,\n2]", 4..10, "1:5", "a = [1,", "    ^^^"),
            ("within a character", "é = 1", 1..2, "1:1", "é = 1", "^"),
            ("past everything", "a = 1", 9..12, "1:6", "a = 1", "     ^"),
        ];
        for (case, text, span, place, line, caret) in cases {
            let expected = format!("nbe.toml:{place}: error: wrong\n  {line}\n  {caret}");
            assert_eq!(shown(text, span), expected, "{case}");
        }
    }

    #[test]
    fn a_long_line_is_shown_in_part() {
        let text = format!("{}!!{}", "a".repeat(5000), "b".repeat(5000));
        let (_, excerpt) = Lines::new(&text).locate(Path::new("nbe.toml"), &(5000..5002));
        assert_eq!(excerpt.line, format!("…{}!!{}…", "a".repeat(BEFORE), "b".repeat(AFTER - 2)));
        assert_eq!((excerpt.indent, excerpt.width), (BEFORE + 1, 2));
    }
}
