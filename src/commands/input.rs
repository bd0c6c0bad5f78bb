//! A file or standard input, as a command's FILE argument names it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::failure::{Failure, exit};

/// The input could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {path}")]
struct OpenError {
    path: String,
    source: io::Error,
}

/// Opens a file for reading; `-` is standard input.
pub(super) fn open(path: &Path) -> Result<Box<dyn Read>, Failure> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(io::stdin().lock()));
    }
    let name = path.display().to_string();
    let failed = |source: io::Error| {
        let denied = source.kind() == io::ErrorKind::PermissionDenied;
        Failure::new(if denied { exit::NO_PERMISSION } else { exit::FOUND }, OpenError { path: name.clone(), source })
    };
    let file = File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        return Err(failed(io::Error::from(io::ErrorKind::IsADirectory)));
    }
    Ok(Box::new(file))
}
