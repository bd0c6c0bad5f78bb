//! Where values come from.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::diagnostic::{Location, printable};

/// All that a configuration is made of, above the compiled-in default, as plain data.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The file, where there is one.
    pub file: Option<SourceFile>,
    /// Environment variables; those that are none of ours are passed over.
    pub environment: Vec<(String, String)>,
    /// Flags of the command line.
    pub flags: Vec<Flag>,
}

/// A file as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Where it was read from.
    pub path: PathBuf,
    /// What it holds.
    pub bytes: Vec<u8>,
    /// Its permission bits, on systems that have them.
    pub mode: Option<u32>,
    /// Where such a file belongs today, if it was found at an older place.
    pub belongs_at: Option<PathBuf>,
}

/// A flag of the command line that sets a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// The flag as it is typed, such as `--agent-url`.
    pub name: &'static str,
    /// The key it sets, such as `agent_url` or `adapter.port`.
    pub key: &'static str,
    /// What was typed after it.
    pub value: String,
}

/// The layer that a value was taken from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "layer")]
pub enum Origin {
    /// The compiled-in `nbe.default.toml`.
    Default,
    /// The file.
    File {
        /// The file's path.
        path: String,
        /// Lines count from 1.
        line: usize,
    },
    /// An environment variable.
    Environment {
        /// The variable's name.
        name: String,
    },
    /// A flag of the command line.
    Flag {
        /// The flag's name.
        name: String,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", printable(path)),
            Self::Environment { name } => write!(f, "environment {}", printable(name)),
            Self::Flag { name } => f.write_str(name),
        }
    }
}

impl From<&Location> for Origin {
    fn from(location: &Location) -> Self {
        match location.clone() {
            Location::Line { path, line, .. } => Self::File { path, line },
            Location::File { path } => Self::File { path, line: 1 },
            Location::Environment { name } => Self::Environment { name },
            Location::Flag { name } => Self::Flag { name },
            Location::None => Self::Default,
        }
    }
}
