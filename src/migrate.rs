//! A vendor's nbe.toml as ours: what has to change is changed, what only might is told, and the rest stays byte for byte.
//!
//! Changes are made in the text itself rather than in a document that is written anew, so that line ends, tabs and
//! whatever else a person put there are still there.

mod edits;
mod survey;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;

use config::{Config, Diagnostic, Flag, Lines, Location, Origin, Resolution, SourceFile, Sources, resolve};
use serde::Serialize;
use toml_edit::Document;

use self::survey::Survey;

/// What a vendor's file becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// The new file, unless the old one holds a mistake that only a person can mend.
    pub text: Option<String>,
    /// What is different in it, by place in the old file.
    pub changes: Vec<Change>,
    /// What a person has to judge, a sentence or two each.
    pub notes: Vec<String>,
    /// The mistakes, or what is allowed but worth a word.
    pub diagnostics: Vec<Diagnostic>,
}

/// One thing that is different in the new file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Of what kind.
    pub kind: Kind,
    /// Where in the old file.
    pub location: Location,
    /// The key as the old file has it.
    pub key: String,
    /// What was done.
    pub what: String,
    /// The reason.
    pub why: String,
}

/// The kinds of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// What a file must have was added.
    Added,
    /// What nbe does not read became a comment.
    Commented,
    /// A key in capitals is in small letters.
    Renamed,
    /// A number is written as one.
    Number,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}, since {}", self.location, self.key, self.what, self.why)
    }
}

/// What newer releases of the vendor's endpoint have where a file leaves these out; older ones have what nbe has.
///
/// Source: the vendor's troubleshooting guide 5.0 beside its later articles and the IGEL app 1.21.
const NEWER_DEFAULTS: [(&str, &str); 2] = [("rssi_tap_threshold", "-42"), ("rssi_cutoff_far", "-83")];

/// Makes our file out of the vendor's at `path`.
pub fn migrate(path: &Path, bytes: &[u8]) -> Migration {
    let body = bytes.strip_prefix(MARK.as_bytes()).unwrap_or(bytes);
    let parsed = std::str::from_utf8(body).ok().and_then(|text| Some((text, Document::parse(text).ok()?)));
    let Some((text, document)) = parsed else {
        return Migration::refused(path, resolved(path, bytes, None).diagnostics, Vec::new());
    };
    let lines = Lines::new(text);
    let survey = Survey::of(path, text, &lines, document.as_table());
    let default_url = Config::default().agent_url.to_string();

    // With every line where it was, so that a mistake is told where it stands.
    let in_place = survey.edits.apply_in_place(text);
    let mut resolution = resolved(path, in_place.as_bytes(), (!survey.has_agent_url).then_some(&default_url));
    let mut notes = left_out(&resolution);
    notes.extend(survey.line_ends());
    if resolution.config.is_none() || !survey.mistakes.is_empty() {
        survey.show_as_written(&mut resolution.diagnostics);
        return Migration::refused(path, [survey.mistakes, resolution.diagnostics].concat(), notes);
    }

    let Survey { mut edits, mut changes, has_agent_url, .. } = survey;
    if !has_agent_url {
        let line_end = edits::line_end(text, 0);
        let gap = if text.is_empty() { "" } else { line_end };
        let comment = "# Added by nbe migrate: a file must have agent_url, and this one had none. This is the default.";
        edits.begin_with(format!("{comment}{line_end}agent_url = \"{default_url}\"{line_end}{gap}"));
        changes.push(Change {
            kind: Kind::Added,
            location: Location::file(path),
            key: "agent_url".into(),
            what: format!("added with the default {default_url}"),
            why: "a file must have it".into(),
        });
    }
    changes.sort_by(|one, other| one.location.cmp(&other.location));
    let new = edits.apply(text);
    let check = resolved(path, new.as_bytes(), None);
    match check.config {
        Some(_) => Migration { text: Some(new), changes, notes, diagnostics: resolution.diagnostics },
        // Never seen; but no file is handed out that the daemon would refuse.
        None => Migration::refused(path, check.diagnostics, notes),
    }
}

impl Migration {
    fn refused(path: &Path, mut diagnostics: Vec<Diagnostic>, notes: Vec<String>) -> Self {
        if !diagnostics.iter().any(Diagnostic::is_error) {
            diagnostics.push(Diagnostic::error(Location::file(path), "the file cannot be read as TOML"));
        }
        diagnostics.sort_by(|one, other| one.location.cmp(&other.location));
        Self { text: None, changes: Vec::new(), notes, diagnostics }
    }
}

/// What Windows editors put before a file's first line; nobody needs it in UTF-8.
const MARK: &str = "\u{feff}";

/// Resolves a text alone, without the environment; `agent_url` as if the text had it.
fn resolved(path: &Path, text: &[u8], agent_url: Option<&String>) -> Resolution {
    let file = SourceFile { path: path.into(), bytes: text.into(), mode: None, belongs_at: None };
    let flag = |url: &String| Flag { name: "default", key: "agent_url", value: url.clone() };
    resolve(&Sources { file: Some(file), environment: Vec::new(), flags: agent_url.map(flag).into_iter().collect() })
}

/// What to say about keys that the file leaves to a default which not every release shares.
fn left_out(resolution: &Resolution) -> Vec<String> {
    let value = |key: &str| resolution.values.iter().find(|value| value.key == key);
    let is_bypassed = value("rssi_cutoff_close").is_some_and(|close| close.text() == "0");
    let is_left_out = |key: &str| value(key).filter(|value| value.origin == Origin::Default);
    NEWER_DEFAULTS
        .iter()
        .filter(|(key, _)| !(is_bypassed && *key == "rssi_cutoff_far"))
        .filter_map(|&(key, newer)| {
            let ours = is_left_out(key)?.text();
            let effect = if ours == "0" { " (no taps)" } else { "" };
            Some(format!(
                "{key} is not in the file, so nbe's default {ours}{effect} holds. Older releases of the vendor's \
                 endpoint have {ours} too, newer ones {newer}: if the file served one of those, add {key} = {newer}."
            ))
        })
        .collect()
}
