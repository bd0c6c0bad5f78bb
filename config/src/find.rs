//! Finds and reads nbe.toml; with `last_good` the only part that touches the disk.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Location};
use crate::layers::SourceFile;

/// The environment variable that names the file.
pub const VARIABLE: &str = "NBE_CONFIG";

/// The largest file that is read; the reference with all its comments is a fortieth of it.
pub const MAX_BYTES: u64 = 256 * 1024;

/// Where the file belongs, and where it lay before, for which a hint is given.
#[cfg(not(windows))]
pub const PLACES: [&str; 2] = ["/etc/nbe/nbe.toml", "/usr/bin/nbe.toml"];
/// Where the file belongs, and where it lay before, for which a hint is given.
#[cfg(windows)]
pub const PLACES: [&str; 2] = [r"C:\ProgramData\nbe\nbe.toml", r"C:\Nymi\Bluetooth_Endpoint\nbe.toml"];

/// Why there is no file to resolve.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// The file that was asked for is not there.
    #[error("there is no such file, and {by} asks for it")]
    Missing {
        /// The path asked for.
        path: PathBuf,
        /// What asked for it.
        by: &'static str,
    },
    /// The path leads to a directory, a pipe or a device.
    #[error("is not a file")]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The file is larger than [`MAX_BYTES`].
    #[error("is larger than {} KiB, which no nbe.toml needs", MAX_BYTES / 1024)]
    TooLarge {
        /// The path.
        path: PathBuf,
    },
    /// The system does not let us read it.
    #[error("cannot be read")]
    Read {
        /// The path.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl FindError {
    /// The path that led nowhere.
    pub fn path(&self) -> &Path {
        match self {
            Self::Missing { path, .. }
            | Self::NotAFile { path }
            | Self::TooLarge { path }
            | Self::Read { path, .. } => path,
        }
    }
}

impl From<&FindError> for Diagnostic {
    fn from(error: &FindError) -> Self {
        let message = match error {
            FindError::Read { source, .. } => format!("{error}: {source}"),
            _ => error.to_string(),
        };
        Self::error(Location::file(error.path()), message)
    }
}

/// Reads the file that `explicit`, then [`VARIABLE`], names; otherwise the first of [`PLACES`] that is there.
///
/// `None` where nobody named one and there is none: the defaults hold.
pub fn find(explicit: Option<&Path>) -> Result<Option<SourceFile>, FindError> {
    find_among(explicit, std::env::var_os(VARIABLE), &PLACES.map(PathBuf::from))
}

/// Reads a file that must be there; `by` says who asks for it.
pub fn read(path: &Path, by: &'static str) -> Result<SourceFile, FindError> {
    read_if_there(path)?.ok_or_else(|| FindError::Missing { path: path.into(), by })
}

/// The environment variables that can be ours, in the order of their names.
pub fn environment() -> Vec<(String, String)> {
    let text = |raw: OsString| raw.to_string_lossy().into_owned();
    let mut variables: Vec<_> = std::env::vars_os()
        .map(|(name, value)| (text(name), text(value)))
        // Windows does not tell cases apart and may hand out either.
        .map(|(name, value)| (if cfg!(windows) { name.to_ascii_uppercase() } else { name }, value))
        .filter(|(name, _)| ["NBE_", "RSSI_", "AGENT_URL"].iter().any(|prefix| name.starts_with(prefix)))
        .collect();
    variables.sort();
    variables
}

fn find_among(
    explicit: Option<&Path>,
    variable: Option<OsString>,
    places: &[PathBuf],
) -> Result<Option<SourceFile>, FindError> {
    if let Some(path) = explicit {
        return read(path, "the command line").map(Some);
    }
    if let Some(path) = variable.filter(|path| !path.is_empty()) {
        return read(Path::new(&path), VARIABLE).map(Some);
    }
    for (index, place) in places.iter().enumerate() {
        if let Some(mut file) = read_if_there(place)? {
            file.belongs_at = (index > 0).then(|| places[0].clone());
            return Ok(Some(file));
        }
    }
    Ok(None)
}

fn read_if_there(path: &Path) -> Result<Option<SourceFile>, FindError> {
    let failed = |source| FindError::Read { path: path.into(), source };
    // Asked first: opening a pipe would wait for its other end.
    let metadata = match fs::metadata(path) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        metadata => metadata.map_err(failed)?,
    };
    if !metadata.is_file() {
        return Err(FindError::NotAFile { path: path.into() });
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(failed)?;
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(FindError::TooLarge { path: path.into() });
    }
    Ok(Some(SourceFile { path: path.into(), bytes, mode: mode(&metadata), belongs_at: None }))
}

#[cfg(unix)]
fn mode(metadata: &fs::Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    Some(metadata.permissions().mode())
}

#[cfg(not(unix))]
fn mode(_: &fs::Metadata) -> Option<u32> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_is_named_or_there_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let places = [path("new/nbe.toml"), path("old/nbe.toml")];
        let found = |explicit: Option<&Path>, variable: Option<&str>| {
            let variable = variable.map(|name| path(name).into());
            find_among(explicit, variable, &places)
        };
        assert!(found(None, None).unwrap().is_none(), "nothing is there, so the defaults hold");

        fs::create_dir_all(path("old")).unwrap();
        fs::write(&places[1], "").unwrap();
        let file = found(None, None).unwrap().unwrap();
        assert_eq!((&file.path, file.belongs_at.as_ref()), (&places[1], Some(&places[0])));

        fs::create_dir_all(path("new")).unwrap();
        fs::write(&places[0], "").unwrap();
        let file = found(None, None).unwrap().unwrap();
        assert_eq!((&file.path, file.belongs_at.as_ref()), (&places[0], None));

        fs::write(path("variable.toml"), "").unwrap();
        fs::write(path("flag.toml"), "").unwrap();
        let file = found(None, Some("variable.toml")).unwrap().unwrap();
        assert_eq!(file.path, path("variable.toml"));
        let file = found(Some(&path("flag.toml")), Some("variable.toml")).unwrap().unwrap();
        assert_eq!(file.path, path("flag.toml"));

        let error = found(None, Some("gone.toml")).unwrap_err();
        assert_eq!(error.to_string(), "there is no such file, and NBE_CONFIG asks for it");
    }
}
