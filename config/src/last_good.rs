//! Keeps a copy of the last file that was valid, to go on with when it no longer is.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use crate::diagnostic::printable;
use crate::find;
use crate::layers::{SourceFile, Sources};
use crate::resolve::{Resolution, resolve};

/// The copy's name within the state directory.
pub const NAME: &str = "last-good.toml";

/// The copy's first line, which says of which file it is; a copy that begins otherwise is of another, or not of this form.
fn header(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    format!("# nbe: the last valid copy of {}, form 2. Edits here are lost.\n", printable(&path.display().to_string()))
}

/// Keeps `file` whole, replacing the copy before it at once or not at all.
pub fn save(state_dir: &Path, file: &SourceFile) -> io::Result<()> {
    let new = state_dir.join(format!("{NAME}.new"));
    let mut copy = File::create(&new)?;
    copy.write_all(header(&file.path).as_bytes())?;
    copy.write_all(file.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&file.bytes))?;
    copy.sync_all()?;
    fs::rename(new, state_dir.join(NAME))
}

/// Resolves the copy in place of the file at `path`; `None` where there is none of that file, or it is no longer valid
/// either.
pub fn resolve_instead(state_dir: &Path, path: &Path, sources: &Sources) -> Option<Resolution> {
    let file = find::read(&state_dir.join(NAME), "the state directory").ok()?;
    if !file.bytes.starts_with(header(path).as_bytes()) {
        return None;
    }
    let sources = Sources { file: Some(file), ..sources.clone() };
    Some(resolve(&sources)).filter(|resolution| resolution.config.is_some())
}
