//! Goes through a vendor's file and finds what has to be different in ours.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use config::names::{self, Name};
use config::{Diagnostic, Excerpt, Lines, Location, printable};
use toml_edit::{Item, Key, Table, Value};

use super::edits::{self, Edits};
use super::{Change, Kind};

/// The keys that are documented for the vendor's endpoint.
const DOCUMENTED: [&str; 6] =
    ["agent_url", "rssi_window_tap", "rssi_window_long", "rssi_tap_threshold", "rssi_cutoff_close", "rssi_cutoff_far"];

/// The longest value that is looked at as a number.
const LONGEST_NUMBER: usize = 24;

/// What was found so far.
#[derive(Debug)]
pub(super) struct Survey<'t> {
    path: &'t Path,
    text: &'t str,
    lines: &'t Lines<'t>,
    pub(super) edits: Edits,
    pub(super) changes: Vec<Change>,
    /// What no edit mends and the configuration's own rules do not see.
    pub(super) mistakes: Vec<Diagnostic>,
    pub(super) has_agent_url: bool,
    /// Values that are written anew, as they were.
    written: Vec<(Location, Excerpt)>,
    /// Documented keys that stood there in capitals, and in which line.
    renamed: BTreeMap<&'static str, usize>,
}

impl<'t> Survey<'t> {
    pub(super) fn of(path: &'t Path, text: &'t str, lines: &'t Lines<'t>, document: &Table) -> Self {
        let mut survey = Self {
            path,
            text,
            lines,
            edits: Edits::default(),
            changes: Vec::new(),
            mistakes: Vec::new(),
            has_agent_url: false,
            written: Vec::new(),
            renamed: BTreeMap::new(),
        };
        survey.go_through("", document);
        survey
    }

    fn go_through(&mut self, scope: &str, table: &Table) {
        for (key, item) in entries(table) {
            let name = key.get();
            match (names::look_up(scope, name), item) {
                (Name::Key, item) if scope.is_empty() => self.take_documented(name, item),
                (Name::Key, _) => {}
                (Name::Table, Item::Table(inner)) if scope.is_empty() => self.go_through(name, inner),
                (Name::Table, Item::Table(inner)) => self.go_through(&format!("{scope}.{name}"), inner),
                (Name::Adapters, Item::ArrayOfTables(tables)) => {
                    tables.iter().for_each(|adapter| self.go_through(name, adapter));
                }
                // Of another form than it must have, or written within one line: the rules say what there is to say.
                (Name::Table | Name::Adapters, _) => {}
                (Name::Unknown(meant), item) => {
                    let capitals = DOCUMENTED.iter().find(|known| known.eq_ignore_ascii_case(name));
                    match (capitals, item) {
                        (Some(known), Item::Value(_)) if scope.is_empty() => self.rename(known, key, item, table),
                        _ => self.comment_out(scope, key, item, meant.map(|meant| format!(" ({meant})"))),
                    }
                }
            }
        }
    }

    /// A key that the vendor documents, under its right name.
    fn take_documented(&mut self, name: &str, item: &Item) {
        self.has_agent_url |= name == "agent_url";
        let (Item::Value(value), true) = (item, name.starts_with("rssi_")) else { return };
        let Some(span) = value.span() else { return };
        let raw = &self.text[span.clone()];
        let Some((number, why)) = number(value).filter(|_| raw.len() <= LONGEST_NUMBER) else { return };
        let (location, excerpt) = self.lines.locate(self.path, &span);
        let what = format!("written {number} instead of {}", printable(raw));
        self.change(Kind::Number, location.clone(), name, what, why.into());
        self.written.push((location, excerpt));
        self.edits.replace(span, number.to_string());
    }

    /// A documented key in capitals: the same in small letters, if it is the only one.
    fn rename(&mut self, known: &'static str, key: &Key, item: &Item, table: &Table) {
        let Some(span) = key.span() else { return };
        if table.contains_key(known) {
            return self.comment_out("", key, item, Some(format!(" ({known} is there too)")));
        }
        let (location, excerpt) = self.lines.locate_alone(self.path, &span);
        if let Some(other) = self.renamed.insert(known, self.lines.line(span.start)) {
            self.make_comment(key, item); // so that nothing else is said about it
            let message = format!("stands for {known}, as line {other} does");
            let mistake = Diagnostic::error(location, message).with_excerpt(excerpt);
            return self.mistakes.push(mistake.with_help("keep one of them"));
        }
        let what = format!("written {known}");
        self.change(Kind::Renamed, location, key.get(), what, "keys in a file are written in small letters".into());
        // Quotes around it stay.
        let small = self.text[span.clone()].to_ascii_lowercase();
        let is_plain = small.trim_matches(['"', '\'']) == known;
        self.edits.replace(span, if is_plain { small } else { known.to_owned() });
        self.take_documented(known, item);
    }

    /// What nbe does not read: the same as a comment.
    fn comment_out(&mut self, scope: &str, key: &Key, item: &Item, more: Option<String>) {
        let (Some(span), Some(first)) = (key.span(), self.make_comment(key, item)) else { return };
        let full_name = match scope {
            "" => shown(key.get()),
            table => format!("{table}.{}", shown(key.get())),
        };
        let more = more.unwrap_or_default();
        // A table may stand in several places, of which the key tells one.
        let at = if self.lines.span_at(span.start).start == first { span } else { first..first };
        let (location, _) = self.lines.locate_alone(self.path, &at);
        let why = format!("nbe does not read it{more}");
        self.change(Kind::Commented, location, &full_name, "kept as a comment".into(), why);
        let line_end = edits::line_end(self.text, first);
        self.edits.add_lines(first, format!("# nbe does not read {full_name}{more}:{line_end}"));
    }

    /// Makes comments of the lines that `key` and all below it stand in; where the first of them begins.
    fn make_comment(&mut self, key: &Key, item: &Item) -> Option<usize> {
        let mut at = BTreeSet::new();
        self.lines_of(key, item, &mut at);
        at.iter().for_each(|&start| self.edits.replace(start..start, "# "));
        at.first().copied()
    }

    /// Collects where the lines begin that `key` and all below it stand in.
    fn lines_of(&self, key: &Key, item: &Item, at: &mut BTreeSet<usize>) {
        let mut add = |span: Range<usize>| {
            let mut line = self.lines.span_at(span.start);
            at.insert(line.start);
            while let Some(next) = self.next_line(&line).filter(|next| *next < span.end) {
                at.insert(next);
                line = self.lines.span_at(next);
            }
        };
        match item {
            Item::None => {}
            Item::Value(value) => {
                if let (Some(key), Some(value)) = (key.span(), value.span()) {
                    add(key.start..value.end);
                }
            }
            Item::Table(table) => {
                // Its header's; a table without one has its key's, beside which there is more of it.
                table.span().into_iter().for_each(&mut add);
                entries(table).for_each(|(key, item)| self.lines_of(key, item, at));
            }
            Item::ArrayOfTables(tables) => {
                tables.iter().filter_map(Table::span).for_each(&mut add);
                tables.iter().flat_map(entries).for_each(|(key, item)| self.lines_of(key, item, at));
            }
        }
    }

    fn next_line(&self, line: &Range<usize>) -> Option<usize> {
        self.text[line.end..].find('\n').map(|end| line.end + end + 1)
    }

    fn change(&mut self, kind: Kind, location: Location, key: &str, what: String, why: String) {
        self.changes.push(Change { kind, location, key: shown(key), what, why });
    }

    /// Has mistakes in values that were written anew show them as they were.
    pub(super) fn show_as_written(&self, diagnostics: &mut [Diagnostic]) {
        for diagnostic in diagnostics {
            if let Some((_, excerpt)) = self.written.iter().find(|(location, _)| *location == diagnostic.location) {
                diagnostic.excerpt = Some(excerpt.clone());
            }
        }
    }

    /// What to say about line ends of two kinds.
    pub(super) fn line_ends(&self) -> Option<String> {
        let windows = self.text.matches("\r\n").count();
        let unix = self.text.matches('\n').count() - windows;
        let are_mixed = windows > 0 && unix > 0;
        are_mixed.then(|| {
            format!("The line ends are mixed: {windows} as Windows has them, {unix} as Unix. They stay as they are.")
        })
    }
}

fn entries(table: &Table) -> impl Iterator<Item = (&Key, &Item)> {
    table.iter().filter_map(|(name, item)| Some((table.key(name)?, item)))
}

/// A name as it is shown: safe to print, and no longer than a line.
fn shown(name: &str) -> String {
    match name.char_indices().nth(48) {
        Some((end, _)) => format!("{}…", printable(&name[..end])),
        None => printable(name),
    }
}

/// The whole number that is meant by a value which is none as it is written, and why it is none.
fn number(value: &Value) -> Option<(i64, &'static str)> {
    let whole = |number: f64| (number.fract() == 0.0 && number.abs() < 1e6).then_some(number as i64);
    match value {
        Value::String(text) => {
            let text = text.value().trim();
            let number = text.parse().ok().or_else(|| text.parse().ok().and_then(whole))?;
            Some((number, "a number has no quotes"))
        }
        Value::Float(number) => Some((whole(*number.value())?, "nbe takes whole numbers there")),
        _ => None,
    }
}
