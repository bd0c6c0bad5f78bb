//! Edits of a text at places in the text as it was.

use std::ops::Range;

/// Edits to be made together.
#[derive(Debug, Default)]
pub(super) struct Edits(Vec<Edit>);

#[derive(Debug)]
struct Edit {
    at: Range<usize>,
    new: String,
    /// Whether it adds whole lines.
    adds_lines: bool,
}

impl Edits {
    /// Writes something else in place of `at`.
    pub(super) fn replace(&mut self, at: Range<usize>, new: impl Into<String>) {
        self.0.push(Edit { at, new: new.into(), adds_lines: false });
    }

    /// Adds whole lines before the one that begins at `offset`.
    pub(super) fn add_lines(&mut self, offset: usize, lines: String) {
        self.0.push(Edit { at: offset..offset, new: lines, adds_lines: true });
    }

    /// Adds whole lines before everything else.
    pub(super) fn begin_with(&mut self, lines: String) {
        self.0.insert(0, Edit { at: 0..0, new: lines, adds_lines: true });
    }

    /// The text with all edits.
    pub(super) fn apply(&self, text: &str) -> String {
        self.applied(text, |_| true)
    }

    /// The text with those edits that leave each line where it was.
    pub(super) fn apply_in_place(&self, text: &str) -> String {
        self.applied(text, |edit| !edit.adds_lines)
    }

    fn applied(&self, text: &str, is_wanted: impl Fn(&&Edit) -> bool) -> String {
        let mut edits: Vec<&Edit> = self.0.iter().filter(is_wanted).collect();
        // Whole lines come before what else is put at their place.
        edits.sort_by_key(|edit| (edit.at.start, !edit.adds_lines));
        let (mut new, mut done) = (String::with_capacity(text.len() + 256), 0);
        for edit in edits {
            new.push_str(&text[done..edit.at.start]);
            new.push_str(&edit.new);
            done = edit.at.end;
        }
        new.push_str(&text[done..]);
        new
    }
}

/// How the line at `offset` ends, or, if it is the last and does not, the text's first line.
pub(super) fn line_end(text: &str, offset: usize) -> &'static str {
    let ends_with = |from: &str| {
        let (line, _) = from.split_once('\n')?;
        Some(if line.ends_with('\r') { "\r\n" } else { "\n" })
    };
    ends_with(&text[offset..]).or_else(|| ends_with(text)).unwrap_or("\n")
}
