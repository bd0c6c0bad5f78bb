//! The configuration of a running daemon: found, watched, taken over when good, kept when the new one is not.

use std::path::{Path, PathBuf};
use std::time::Duration;

use config::{Change, Config, Diagnostic, Effective, Flag, Location, SourceFile, Sources, find, last_good, resolve};

use crate::failure::{Failure, exit};
use crate::permission;
use crate::watch::Watch;

/// How often to look where the system does not tell of changes.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What a look at the file brought.
#[derive(Debug)]
pub(super) enum Look<T> {
    /// It is as it was.
    Unchanged,
    /// A good one, now in force.
    Changed {
        change: Change,
        /// What is to be said about it.
        diagnostics: Vec<Diagnostic>,
        /// What was in force until now.
        before: Vec<Effective>,
        /// What was made ready for it.
        ready: T,
        /// The file that was in force and is not there any more, nor another in its place.
        gone: Option<PathBuf>,
        /// The file, where there is one, of which a copy is to be kept.
        file: Option<SourceFile>,
    },
    /// One with mistakes; the configuration in force stays.
    Rejected {
        diagnostics: Vec<Diagnostic>,
        /// The first mistake, or what could not be made ready.
        reason: String,
        /// Whether the reason stands among the diagnostics.
        told: bool,
    },
}

/// Where the layers come from.
#[derive(Debug)]
pub(super) struct Origins {
    /// The file, in place of the usual places.
    pub(super) file: Option<PathBuf>,
    pub(super) flags: Vec<Flag>,
    /// In place of the process's.
    pub(super) environment: Option<Vec<(String, String)>>,
}

/// The configuration in force, and where it comes from.
#[derive(Debug)]
pub(super) struct Configuration {
    origins: Origins,
    config: Config,
    values: Vec<Effective>,
    /// What in it is allowed and worth a word, a line each.
    warnings: Vec<String>,
    /// The file in force, where there is one.
    file: Option<PathBuf>,
    /// Whether the last good copy is in force in that file's place.
    is_copy: bool,
    /// What was found at the last look, good or not.
    seen: Seen,
    watch: Watch,
}

/// What a look found, to tell whether the next finds the same.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Nothing,
    File { path: PathBuf, bytes: Vec<u8> },
    Error { path: PathBuf, said: String },
}

impl Seen {
    fn path(&self) -> Option<&Path> {
        match self {
            Self::Nothing => None,
            Self::File { path, .. } | Self::Error { path, .. } => Some(path),
        }
    }
}

/// How the daemon starts.
#[derive(Debug)]
pub(super) struct Start<T> {
    pub(super) configuration: Configuration,
    /// What was made ready for it.
    pub(super) ready: T,
    /// What is to be said about the file.
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Whether the last good copy is in force in place of the file.
    pub(super) rejected: bool,
    /// What could not be made ready for the file.
    pub(super) reason: Option<String>,
    /// The file, where there is one and it is good, of which a copy is to be kept.
    pub(super) good: Option<SourceFile>,
}

/// There is nothing to run by.
#[derive(Debug, thiserror::Error)]
enum NoneGood {
    #[error("the configuration has mistakes, and there is no earlier good one to go on with")]
    Mistakes,
    #[error("the configuration cannot be read, and there is no earlier good one to go on with")]
    Unread,
}

/// What one reading of all layers brought.
struct Read {
    seen: Seen,
    sources: Sources,
    /// Why the file could not be read.
    unreadable: Option<Diagnostic>,
    /// Whether a file was asked for that does not exist: no copy of another stands in for it.
    missing: bool,
}

impl Configuration {
    /// Finds the configuration: the file's if it is good and `prepare` can make ready what it asks for, else the last
    /// good copy's of that file.
    ///
    /// # Errors
    /// With exit code 78 if there is neither; the mistakes are printed.
    pub(super) fn start<T>(
        origins: Origins,
        state: Option<&Path>,
        prepare: impl Fn(&Config) -> Result<T, Failure>,
    ) -> Result<Start<T>, Failure> {
        let mut read = origins.read();
        let mut resolution = resolve(&read.sources);
        let mut diagnostics = Vec::from_iter(read.unreadable);
        diagnostics.append(&mut resolution.diagnostics);
        let good = resolution.config.take().filter(|_| !matches!(read.seen, Seen::Error { .. }));
        let mut reason = None;
        let taken = match good.map(|config| (prepare(&config), config)) {
            Some((Ok(ready), config)) => Some((ready, config)),
            Some((Err(failure), _)) => {
                reason = Some(failure);
                None
            }
            None => None,
        };
        let rejected = taken.is_none();
        let taken = taken.or_else(|| {
            let (state, path) = (state?, read.seen.path().filter(|_| !read.missing)?);
            resolution = last_good::resolve_instead(state, path, &read.sources)?;
            let config = resolution.config.take()?;
            Some((prepare(&config).ok()?, config))
        });
        let Some((ready, config)) = taken else {
            diagnostics.iter().for_each(|diagnostic| eprintln!("{diagnostic}\n"));
            let is_unread = matches!(read.seen, Seen::Error { .. });
            let none_good = if is_unread { NoneGood::Unread } else { NoneGood::Mistakes };
            let none_good =
                || Failure::new(exit::CONFIG, none_good).advise(cure(origins.file.as_deref(), &diagnostics));
            return Err(reason.unwrap_or_else(none_good));
        };
        let good = read.sources.file.take().filter(|_| !rejected);
        let watch = watch(origins.file.as_deref(), &read.seen);
        let (values, file) = (resolution.values, read.seen.path().map(Path::to_owned));
        let warnings = warnings(if rejected { &resolution.diagnostics } else { &diagnostics });
        let configuration = Self { origins, config, values, warnings, file, is_copy: rejected, seen: read.seen, watch };
        let reason = reason.map(|failure| failure.one_line());
        Ok(Start { configuration, diagnostics, ready, rejected, reason, good })
    }

    /// The configuration in force.
    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    /// Every value in force, and where it comes from.
    pub(super) fn values(&self) -> &[Effective] {
        &self.values
    }

    /// What in it is allowed and worth a word, a line each.
    pub(super) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The file in force, where there is one, and whether its last good copy is in force in its place.
    pub(super) fn file(&self) -> (Option<&Path>, bool) {
        (self.file.as_deref(), self.is_copy)
    }

    /// Waits until it is time to look. May be dropped and called again at any time.
    pub(super) async fn changed(&mut self) {
        self.watch.changed().await;
    }

    /// Looks at the file, and at it again where nothing seems changed only when `insist`ed on.
    ///
    /// A good file comes into force once `prepare` has made ready what it asks for; a failure of that is a mistake too.
    pub(super) fn look<T>(&mut self, insist: bool, prepare: impl FnOnce(&Config) -> Result<T, Failure>) -> Look<T> {
        let read = self.origins.read();
        if read.seen == self.seen && !insist {
            return Look::Unchanged;
        }
        self.watch = watch(self.origins.file.as_deref(), &read.seen);
        self.seen = read.seen;
        let resolution = resolve(&read.sources);
        let mut diagnostics = Vec::from_iter(read.unreadable);
        diagnostics.extend(resolution.diagnostics);
        if let Some(mistake) = diagnostics.iter().find(|diagnostic| diagnostic.is_error()) {
            let reason = super::who::one_line(mistake);
            return Look::Rejected { diagnostics, reason, told: true };
        }
        let Some(config) = resolution.config else { return Look::Unchanged };
        let ready = match prepare(&config) {
            Ok(ready) => ready,
            Err(failure) => return Look::Rejected { diagnostics, reason: failure.one_line(), told: false },
        };
        let change = config.change_since(&self.config);
        self.config = config;
        let before = std::mem::replace(&mut self.values, resolution.values);
        self.warnings = warnings(&diagnostics);
        let was = std::mem::replace(&mut self.file, self.seen.path().map(Path::to_owned));
        let gone = was.filter(|_| self.file.is_none());
        self.is_copy = false;
        Look::Changed { change, diagnostics, before, ready, gone, file: read.sources.file }
    }
}

fn warnings(diagnostics: &[Diagnostic]) -> Vec<String> {
    diagnostics.iter().filter(|diagnostic| !diagnostic.is_error()).map(super::who::one_line).collect()
}

/// What to do about the mistakes, by where they stand; `nbe check` knows the file and the environment, but no flags.
fn cure(explicit: Option<&Path>, diagnostics: &[Diagnostic]) -> String {
    let mut cures: Vec<String> = Vec::new();
    for mistake in diagnostics.iter().filter(|diagnostic| diagnostic.is_error()) {
        let cure = match (&mistake.location, explicit) {
            (Location::File { .. }, _) if mistake.help.is_some() => mistake.help.clone().unwrap_or_default(),
            (Location::Flag { name }, _) => format!("correct the flag {name}"),
            (Location::Environment { name }, _) => format!("correct the variable {name}"),
            (_, Some(path)) => format!("mend the file; `nbe check {}` tells when it is", path.display()),
            (_, None) => "mend the file; `nbe check` tells when it is".to_owned(),
        };
        if !cures.contains(&cure) {
            cures.push(cure);
        }
    }
    cures.join("; ")
}

impl Origins {
    fn read(&self) -> Read {
        let environment = self.environment.clone().unwrap_or_else(find::environment);
        let mut sources = Sources { file: None, environment, flags: self.flags.clone() };
        match find::find(self.file.as_deref()) {
            Ok(file) => {
                let seen = file
                    .as_ref()
                    .map_or(Seen::Nothing, |file| Seen::File { path: file.path.clone(), bytes: file.bytes.clone() });
                sources.file = file;
                Read { seen, sources, unreadable: None, missing: false }
            }
            Err(error) => {
                let diagnostic = permission::diagnose(&error);
                let seen = Seen::Error { path: error.path().to_owned(), said: diagnostic.to_string() };
                let missing = matches!(error, find::FindError::Missing { .. });
                Read { seen, sources, unreadable: Some(diagnostic), missing }
            }
        }
    }
}

/// Watches every path at which a change matters, and what links there lead to.
fn watch(explicit: Option<&Path>, seen: &Seen) -> Watch {
    let mut paths: Vec<PathBuf> = match explicit {
        Some(path) => vec![path.to_owned()],
        None => find::PLACES.iter().map(PathBuf::from).collect(),
    };
    if let Some(path) = seen.path() {
        paths.push(path.to_owned());
        paths.extend(path.canonicalize());
    }
    Watch::new(&paths.iter().map(PathBuf::as_path).collect::<Vec<_>>(), LOOK_EVERY)
}
