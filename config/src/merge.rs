//! Lays the layers over each other.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Diagnostic, Diagnostics, Lines, Location, printable};
use crate::held::{Filled, Layer};
use crate::layers::{Flag, SourceFile};
use crate::names::{self, Name};
use crate::schema::{self, ADAPTER, ADAPTER_KEYS, AdapterDraft, Draft, KEYS};
use crate::syntax::{self, Parsed};

/// The most dongles in one file: a terminal has one or two, a USB hub seldom more than seven ports.
const MAX_ADAPTERS: usize = 8;

/// What all layers so far make together.
pub(crate) struct Merge {
    pub main: Filled<Draft>,
    /// One per `[[adapter]]`, at least one.
    pub adapters: Vec<Filled<AdapterDraft>>,
    pub diagnostics: Diagnostics,
    /// Whether part of the file could not be read, so that what seems missing may be there.
    pub is_garbled: bool,
    /// The file's lines that are not TOML; what is made of them is not looked at.
    garbled_lines: BTreeSet<usize>,
}

impl Merge {
    /// Begins with the compiled-in default.
    pub(crate) fn new(reference: &str) -> Self {
        let mut merge = Self {
            main: Filled::new(KEYS),
            adapters: vec![Filled::new(ADAPTER_KEYS)],
            diagnostics: Diagnostics::default(),
            is_garbled: false,
            garbled_lines: BTreeSet::new(),
        };
        let (table, errors) = DeTable::parse_recoverable(reference);
        debug_assert!(errors.is_empty(), "{errors:?}");
        merge.lay_table(table.as_ref(), "", &Layer::Default);
        merge
    }

    /// Lays the file over it.
    pub(crate) fn lay_file(&mut self, SourceFile { path, bytes, .. }: &SourceFile) {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                self.is_garbled = true;
                return self.diagnostics.push(syntax::not_utf8(path, bytes, error.valid_up_to()));
            }
        };
        let lines = Lines::new(text);
        let Parsed { text: sound, mistakes } = syntax::parse(text, &lines);
        for mistake in mistakes {
            self.is_garbled = true;
            if self.garbled_lines.insert(lines.line(mistake.span.start)) && !self.diagnostics.is_full() {
                self.diagnostics.push(mistake.told(path, &lines));
            }
        }
        let (table, _) = DeTable::parse_recoverable(&sound);
        let layer = Layer::File { path, lines: &lines };
        self.lay_table(table.as_ref(), "", &layer);
    }

    /// Lays one environment variable over it, if it is one of ours.
    pub(crate) fn lay_variable(&mut self, name: &str, text: &str) {
        let location = Location::Environment { name: printable(name) };
        match schema::full_names().find(|full_name| schema::variable(full_name) == name) {
            Some(full_name) if text.is_empty() => {
                let message = format!("{full_name} is empty and counts as not set");
                self.diagnostics.push(Diagnostic::warning(location, message));
            }
            Some(full_name) => self.lay_single(&full_name, text, &Layer::Environment { name, text }),
            None if ["NBE_", "RSSI_"].iter().any(|start| name.starts_with(start)) && name != crate::find::VARIABLE => {
                let names = schema::full_names().map(|full_name| schema::variable(&full_name));
                let meant = schema::nearest(name, names);
                // Another program's variable may begin the same way, so a likeness is asked for.
                if meant.is_some() || name.contains("__") {
                    let warning = Diagnostic::warning(location, "sets no key that is known");
                    self.diagnostics.push(with_meant(warning, meant));
                }
            }
            None => {}
        }
    }

    /// Lays one flag over it.
    pub(crate) fn lay_flag(&mut self, flag: &Flag) {
        let layer = Layer::Flag { name: flag.name, text: &flag.value };
        self.lay_single(flag.key, &flag.value, &layer);
    }

    /// Lays over it a single value as a person types it at a shell.
    fn lay_single(&mut self, full_name: &str, text: &str, layer: &Layer<'_>) {
        let as_text = || Spanned::new(0..text.len(), DeValue::String(text.into()));
        let value = |is_text: bool| match DeValue::parse(text) {
            Ok(value) if !is_text => value,
            _ => as_text(),
        };
        let out = &mut self.diagnostics;
        match (full_name.strip_prefix("adapter."), self.adapters.as_mut_slice()) {
            (None, _) => {
                if let Some(key) = self.main.find(full_name) {
                    self.main.set(key, full_name, &value(key.1.is_text), layer, out);
                }
            }
            (Some(name), [only]) => {
                if let Some(key) = only.find(name) {
                    only.set(key, full_name, &value(key.1.is_text), layer, out);
                }
            }
            (Some(_), several) => {
                let count = several.len();
                let message = format!("cannot say which of the {count} [[adapter]] it means");
                let (location, _) = layer.locate(&(0..0));
                out.push(Diagnostic::error(location, message));
            }
        }
    }

    /// Lays over it a table of a file; `scope` is the table's name, empty for the top.
    fn lay_table(&mut self, table: &DeTable<'_>, scope: &str, layer: &Layer<'_>) {
        for (name, value) in table {
            let (short, span) = (name.as_ref().as_ref(), value.span());
            if self.is_garbled_at(&name.span(), layer) || self.is_garbled_at(&span, layer) {
                continue;
            }
            let full_name = match scope {
                "" => short.to_owned(),
                table => format!("{table}.{short}"),
            };
            if let Some(key) = self.main.find(&full_name) {
                self.main.set(key, &full_name, value, layer, &mut self.diagnostics);
            } else if full_name == ADAPTER {
                self.lay_adapters(value, layer);
            } else if schema::is_table(&full_name) {
                match value.as_ref().as_table() {
                    Some(table) => self.lay_table(table, &full_name, layer),
                    None => self.refuse(&span, layer, &format!("{full_name} must be a table, written [{full_name}]")),
                }
            } else {
                self.warn_unknown(name, scope, layer);
            }
        }
    }

    fn lay_adapters(&mut self, value: &Spanned<DeValue<'_>>, layer: &Layer<'_>) {
        let entries = value.as_ref().as_array().into_iter().flatten();
        let tables: Vec<_> = entries.filter_map(|entry| Some((entry.span(), entry.as_ref().as_table()?))).collect();
        if value.as_ref().as_array().map(|entries| entries.len()) != Some(tables.len()) {
            let message = "adapter must be written [[adapter]], once for each dongle";
            return self.refuse(&value.span(), layer, message);
        }
        if tables.len() > MAX_ADAPTERS {
            let count = tables.len();
            let message = format!("{count} [[adapter]] are too many, {MAX_ADAPTERS} is the most");
            return self.refuse(&value.span(), layer, &message);
        }
        // Each begins with the default's, which is the only one so far.
        let template = self.adapters[0].clone();
        self.adapters.resize(tables.len().max(1), template);
        for (index, (span, table)) in tables.into_iter().enumerate() {
            self.adapters[index].place = layer.locate(&span);
            for (name, value) in table {
                if self.is_garbled_at(&name.span(), layer) || self.is_garbled_at(&value.span(), layer) {
                    continue;
                }
                let adapter = &mut self.adapters[index];
                match adapter.find(name.as_ref()) {
                    Some(key) => {
                        let full_name = format!("{ADAPTER}.{}", key.1.name);
                        adapter.set(key, &full_name, value, layer, &mut self.diagnostics);
                    }
                    None => self.warn_unknown(name, ADAPTER, layer),
                }
            }
        }
    }

    fn is_garbled_at(&self, span: &Range<usize>, layer: &Layer<'_>) -> bool {
        match layer {
            Layer::File { lines, .. } => {
                let last = lines.line(span.end.max(span.start));
                self.garbled_lines.range(lines.line(span.start)..=last).next().is_some()
            }
            _ => false,
        }
    }

    fn refuse(&mut self, span: &Range<usize>, layer: &Layer<'_>, message: &str) {
        let (location, excerpt) = layer.locate(span);
        self.diagnostics.push(Diagnostic::error(location, message).with_excerpt(excerpt));
    }

    fn warn_unknown(&mut self, name: &Spanned<impl AsRef<str>>, scope: &str, layer: &Layer<'_>) {
        if self.diagnostics.is_full() {
            return self.diagnostics.omit_warning();
        }
        let (location, excerpt) = match layer {
            // Without its value: what stands behind a name that we do not know may be a secret.
            Layer::File { path, lines } => lines.locate_alone(path, &name.span()),
            _ => layer.locate(&name.span()),
        };
        let name = name.as_ref().as_ref();
        let table = match scope {
            "" => String::new(),
            ADAPTER => format!(" in [[{ADAPTER}]]"),
            scope => format!(" in [{scope}]"),
        };
        let warning = Diagnostic::warning(location, format!("unknown key {name}{table}")).with_excerpt(excerpt);
        let help = match names::look_up(scope, name) {
            Name::Unknown(Some(help)) => help,
            _ => format!("it sets nothing; known there: {}", schema::names_in(scope).join(", ")),
        };
        self.diagnostics.push(warning.with_help(help));
    }
}

fn with_meant(warning: Diagnostic, meant: Option<String>) -> Diagnostic {
    match meant {
        Some(meant) => warning.with_help(format!("did you mean {meant}?")),
        None => warning,
    }
}
