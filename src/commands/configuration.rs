//! The effective configuration of a command, or why there is none.

use std::path::Path;

use config::{Config, Diagnostic, Flag, Sources, find, resolve};

use crate::failure::{Failure, exit};

/// There are mistakes; each has been printed.
#[derive(Debug, thiserror::Error)]
#[error("the configuration has {} and is not used", count(*.0))]
struct Rejected(usize);

fn count(mistakes: usize) -> String {
    if mistakes == 1 { "a mistake".to_owned() } else { format!("{mistakes} mistakes") }
}

/// Where a configuration comes from, for `--help`.
pub(super) fn places() -> String {
    format!(
        "\
Without a path, the file that the variable NBE_CONFIG names is read, else the first of
  {}
If there is none, the defaults hold. Variables such as RSSI_WINDOW_TAP=12 go over the file.",
        find::PLACES.join("\n  ")
    )
}

/// Collects the layers: the file at `path` or wherever it is found, the environment, and flags.
pub(super) fn sources(path: Option<&Path>, flags: Vec<Flag>) -> Result<Sources, Diagnostic> {
    let file = find::find(path).map_err(|error| Diagnostic::from(&error))?;
    Ok(Sources { file, environment: find::environment(), flags })
}

/// Resolves the layers and prints what is to be said about them; fails with exit code 78 on mistakes.
pub(super) fn load(path: Option<&Path>, flags: Vec<Flag>) -> Result<Config, Failure> {
    let sources = sources(path, flags).map_err(|mistake| {
        eprintln!("{mistake}");
        Failure::new(exit::CONFIG, Rejected(1))
    })?;
    let resolution = resolve(&sources);
    for diagnostic in &resolution.diagnostics {
        eprintln!("{diagnostic}");
    }
    resolution.config.ok_or_else(|| {
        let mistakes = resolution.diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
        Failure::new(exit::CONFIG, Rejected(mistakes))
    })
}
