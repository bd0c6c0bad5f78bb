//! The configuration of a running daemon: found, watched, taken over when good, kept when the new one is not.

use std::path::{Path, PathBuf};
use std::time::Duration;

use config::{Change, Config, Diagnostic, Flag, SourceFile, Sources, find, last_good, resolve};

use crate::failure::{Failure, exit};
use crate::watch::Watch;

/// How often to look where the system does not tell of changes.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What a look at the file brought.
#[derive(Debug)]
pub(super) enum Look {
    /// It is as it was.
    Unchanged,
    /// A good one, now in force, with what is to be said about it.
    Changed(Change, Vec<Diagnostic>),
    /// One with mistakes; the configuration in force stays.
    Rejected(Vec<Diagnostic>),
}

/// The configuration in force, and where it comes from.
#[derive(Debug)]
pub(super) struct Configuration {
    explicit: Option<PathBuf>,
    flags: Vec<Flag>,
    state: Option<PathBuf>,
    config: Config,
    /// What was found at the last look, good or not.
    seen: Seen,
    watch: Watch,
}

/// What a look found, to tell whether the next finds the same.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Nothing,
    File { path: PathBuf, bytes: Vec<u8> },
    Error(String),
}

/// How the daemon starts.
#[derive(Debug)]
pub(super) struct Start {
    pub(super) configuration: Configuration,
    /// What is to be said about the file.
    pub(super) diagnostics: Vec<Diagnostic>,
    /// The mistakes for which the last good copy is in force in place of the file.
    pub(super) rejected: bool,
}

/// There are mistakes, and no earlier good file to go on with.
#[derive(Debug, thiserror::Error)]
#[error("the configuration has mistakes, and there is no earlier good one to go on with")]
struct NoneGood;

impl Configuration {
    /// Finds the configuration: the file's if it is good, else the last good copy's.
    ///
    /// # Errors
    /// With exit code 78 if there is neither; the mistakes are printed.
    pub(super) fn start(explicit: Option<PathBuf>, flags: Vec<Flag>, state: Option<PathBuf>) -> Result<Start, Failure> {
        let (seen, sources, mut diagnostics) = read(explicit.as_deref(), &flags);
        let unreadable = !diagnostics.is_empty();
        let resolution = resolve(&sources);
        diagnostics.extend(resolution.diagnostics);
        let good = resolution.config.filter(|_| !unreadable);
        let rejected = good.is_none();
        let config = match good {
            Some(config) => config,
            None => {
                let copy = state.as_deref().and_then(|state| last_good::resolve_instead(state, &sources));
                match copy.and_then(|resolution| resolution.config) {
                    Some(config) => config,
                    None => {
                        diagnostics.iter().for_each(|diagnostic| eprintln!("{diagnostic}\n"));
                        return Err(
                            Failure::new(exit::CONFIG, NoneGood).advise("mend it; `nbe check` tells when it is")
                        );
                    }
                }
            }
        };
        if !rejected {
            keep(state.as_deref(), sources.file.as_ref());
        }
        let watch = watch(explicit.as_deref(), &seen);
        let configuration = Self { explicit, flags, state, config, seen, watch };
        Ok(Start { configuration, diagnostics, rejected })
    }

    /// The configuration in force.
    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    /// Waits until it is time to look. May be dropped and called again at any time.
    pub(super) async fn changed(&mut self) {
        self.watch.changed().await;
    }

    /// Looks at the file; tells each change once, and mistakes again only when `insist`ed on.
    pub(super) fn look(&mut self, insist: bool) -> Look {
        let (seen, sources, unreadable) = read(self.explicit.as_deref(), &self.flags);
        if seen == self.seen && !insist {
            return Look::Unchanged;
        }
        self.watch = watch(self.explicit.as_deref(), &seen);
        self.seen = seen;
        if !unreadable.is_empty() {
            return Look::Rejected(unreadable);
        }
        let resolution = resolve(&sources);
        let Some(config) = resolution.config else { return Look::Rejected(resolution.diagnostics) };
        if let (Some(state), Some(file)) = (self.state.clone(), sources.file) {
            // Off the loop: writing to a disk and waiting for it would make readings late.
            tokio::task::spawn_blocking(move || keep(Some(&state), Some(&file)));
        }
        let change = config.change_since(&self.config);
        self.config = config;
        Look::Changed(change, resolution.diagnostics)
    }
}

/// Reads the file, if there is one; an unreadable one is a diagnostic.
fn read(explicit: Option<&Path>, flags: &[Flag]) -> (Seen, Sources, Vec<Diagnostic>) {
    let mut sources = Sources { file: None, environment: find::environment(), flags: flags.to_vec() };
    match find::find(explicit) {
        Ok(Some(file)) => {
            let seen = Seen::File { path: file.path.clone(), bytes: file.bytes.clone() };
            sources.file = Some(file);
            (seen, sources, Vec::new())
        }
        Ok(None) => (Seen::Nothing, sources, Vec::new()),
        Err(error) => {
            let diagnostic = Diagnostic::from(&error);
            (Seen::Error(diagnostic.to_string()), sources, vec![diagnostic])
        }
    }
}

/// Watches every path at which a change matters, and what links there lead to.
fn watch(explicit: Option<&Path>, seen: &Seen) -> Watch {
    let mut paths: Vec<PathBuf> = match explicit {
        Some(path) => vec![path.to_owned()],
        None => find::PLACES.iter().map(PathBuf::from).collect(),
    };
    if let Seen::File { path, .. } = seen {
        paths.push(path.clone());
        paths.extend(path.canonicalize());
    }
    Watch::new(&paths.iter().map(PathBuf::as_path).collect::<Vec<_>>(), LOOK_EVERY)
}

fn keep(state: Option<&Path>, file: Option<&SourceFile>) {
    if let (Some(state), Some(file)) = (state, file)
        && let Err(error) = last_good::save(state, file)
    {
        tracing::warn!(%error, "cannot keep a copy of the configuration in the state directory");
    }
}
