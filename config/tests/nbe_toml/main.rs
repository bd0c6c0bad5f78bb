//! nbe.toml as a person writes it, and what comes of it.

mod find; // where the file is
mod hostile; // anything at all
mod layers; // which value wins
mod mistakes; // what is wrong, and how it is told
mod reference; // nbe.default.toml
mod warnings; // what is allowed but unwise

use nbe_config::{Flag, Resolution, SourceFile, Sources, resolve};

/// The line that every file must have.
pub(crate) const URL: &str = "agent_url = \"ws://127.0.0.1:9120/socket/websocket\"\n";

/// A file called `nbe.toml` that only its owner can change.
pub(crate) fn file(text: impl Into<Vec<u8>>) -> SourceFile {
    SourceFile { path: "nbe.toml".into(), bytes: text.into(), mode: Some(0o100644), belongs_at: None }
}

/// What a file, variables and flags make together.
pub(crate) fn layers(
    text: &str,
    environment: &[(&str, &str)],
    flags: &[(&'static str, &'static str, &str)],
) -> Resolution {
    resolve(&Sources {
        file: Some(file(text)),
        environment: environment.iter().map(|&(name, value)| (name.into(), value.into())).collect(),
        flags: flags.iter().map(|&(name, key, value)| Flag { name, key, value: value.into() }).collect(),
    })
}

/// All that is said about a file, each with its first line only.
pub(crate) fn said(text: &str) -> Vec<String> {
    first_lines(&layers(text, &[], &[]))
}

/// The first line of each diagnostic.
pub(crate) fn first_lines(resolution: &Resolution) -> Vec<String> {
    let shown = resolution.diagnostics.iter().map(ToString::to_string);
    shown.map(|text| text.lines().next().unwrap_or_default().to_owned()).collect()
}
