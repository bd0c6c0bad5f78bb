//! Keeps a copy of the last file that was valid, to go on with when it no longer is.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use crate::find;
use crate::layers::SourceFile;

/// The copy's name within the state directory.
pub const NAME: &str = "last-good.toml";

/// The copy's first line; a copy that begins otherwise is not one of ours or not of this form.
const HEADER: &str = "# nbe: the last nbe.toml that was valid, form 1. Edits here are lost.\n";

/// Keeps `file` whole, replacing the copy before it at once or not at all.
pub fn save(state_dir: &Path, file: &SourceFile) -> io::Result<()> {
    let new = state_dir.join(format!("{NAME}.new"));
    let mut copy = File::create(&new)?;
    copy.write_all(HEADER.as_bytes())?;
    copy.write_all(file.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&file.bytes))?;
    copy.sync_all()?;
    fs::rename(new, state_dir.join(NAME))
}

/// The copy, where there is one; whether it is still valid is for [`crate::resolve`] to say.
pub fn load(state_dir: &Path) -> Option<SourceFile> {
    let file = find::read(&state_dir.join(NAME), "the state directory").ok()?;
    file.bytes.starts_with(HEADER.as_bytes()).then_some(file)
}
