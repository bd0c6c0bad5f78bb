//! Keeps a copy of the last file that was valid, to go on with when it no longer is.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use crate::find;
use crate::layers::{SourceFile, Sources};
use crate::resolve::{Resolution, resolve};

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

/// Resolves the copy in place of the file; `None` where there is none, or it is no longer valid either.
pub fn resolve_instead(state_dir: &Path, sources: &Sources) -> Option<Resolution> {
    let file = find::read(&state_dir.join(NAME), "the state directory").ok()?;
    if !file.bytes.starts_with(HEADER.as_bytes()) {
        return None;
    }
    let sources = Sources { file: Some(file), ..sources.clone() };
    Some(resolve(&sources)).filter(|resolution| resolution.config.is_some())
}
