//! Where the shared pages are, for the tests that hold the crate against them.

use std::io::Write;
use std::path::PathBuf;

/// A file or folder of the shared pages: beside the repository, or where `NBE_SHARED` says.
///
/// Says so loudly when it is not there.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared");
    let root = std::env::var_os("NBE_SHARED").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let found = root.join(path);
    if found.exists() {
        return Some(found);
    }
    // Not by `eprintln!`, which a test that passes keeps to itself.
    let line = format!("SKIPPED: {} is not there; set NBE_SHARED to the folder of the shared pages\n", found.display());
    std::io::stderr().write_all(line.as_bytes()).expect("standard error");
    None
}
