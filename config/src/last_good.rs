//! Keeps a copy of the last file that was valid, to go on with when it no longer is.

use std::fs::{self, OpenOptions};
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
    let bytes = file.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&file.bytes);
    replace(&state_dir.join(NAME), &[header(&file.path).as_bytes(), bytes].concat())
}

/// Writes a file whole, in place of the one before it, or leaves that as it was.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_with(OpenOptions::new().write(true).create(true).truncate(true), path, bytes)
}

/// The same, for the eyes of this account only where the system has such files.
pub fn replace_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    replace_with(options.write(true).create(true).truncate(true), path, bytes)
}

fn replace_with(options: &OpenOptions, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let written = options.open(&new).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let replaced = written.and_then(|()| fs::rename(&new, path));
    if replaced.is_err() {
        // Half a file helps nobody and takes room; where it cannot be removed, the next one is written over it.
        let _ = fs::remove_file(&new);
    }
    replaced
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
