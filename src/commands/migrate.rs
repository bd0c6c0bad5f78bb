//! `nbe migrate`: a vendor's nbe.toml as ours, and what changed.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use config::{Diagnostic, find, printable};
use serde::Serialize;

use super::output;
use crate::failure::{Failure, exit};
use crate::migrate::{Change, Migration, migrate};
use crate::permission;

/// Make our nbe.toml out of a vendor's, and tell what changed
#[derive(Debug, Args)]
#[command(after_help = explanation())]
pub struct MigrateArgs {
    /// The vendor's file, which is only read; by default the one at the older place
    from: Option<PathBuf>,
    /// Where the new file goes
    #[arg(long, value_name = "PATH", default_value = find::PLACES[0])]
    to: PathBuf,
    /// Write the new file rather than print it; a file that is there is never replaced
    #[arg(long)]
    write: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

fn explanation() -> String {
    format!(
        "\
Examples:
  nbe migrate                      the new file; what changed goes to standard error
  nbe migrate --write              to {}
  nbe migrate old.toml --write --to new.toml

Without a file, {} is read. Values, comments and their order stay.
What nbe does not read becomes a comment.

Exits with 1 if there is a mistake that only a person can mend; nothing is written then.",
        find::PLACES[0],
        OLDER_PLACES.join(", else ")
    )
}

/// Where a vendor's file lies.
const OLDER_PLACES: &[&str] = find::PLACES.split_at(1).1;

/// There is nothing to migrate.
#[derive(Debug, thiserror::Error)]
#[error("there is no {}", OLDER_PLACES.join(" and no "))]
struct NothingThere;

/// The new file cannot go where it is to.
#[derive(Debug, thiserror::Error)]
enum WriteError {
    #[error("{} is there already and is not replaced", .0.display())]
    Exists(PathBuf),
    #[error("there is no directory {}", .0.display())]
    NoFolder(PathBuf),
    #[error("cannot write {}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

/// All there is to say, as `--json` says it.
#[derive(Debug, Serialize)]
struct Report<'a> {
    from: String,
    to: String,
    written: bool,
    changes: &'a [Change],
    notes: &'a [String],
    diagnostics: &'a [Diagnostic],
    text: Option<&'a str>,
}

/// Migrates a file; prints or writes what it becomes.
///
/// # Errors
/// If there is no file, it cannot be read, or the new one cannot be written.
pub fn run(args: &MigrateArgs) -> Result<ExitCode, Failure> {
    let file = read(args.from.as_deref())?;
    let migration = migrate(&file.path, &file.bytes);
    let written = match &migration.text {
        Some(text) if args.write => {
            write(&args.to, text).map_err(|error| error.into_failure(&file.path))?;
            true
        }
        _ => false,
    };
    let Migration { text, changes, notes, diagnostics } = &migration;
    let text = text.as_deref();
    let code = if text.is_some() { ExitCode::SUCCESS } else { ExitCode::from(exit::FOUND) };
    if args.json {
        let (from, to) = (said(&file.path), said(&args.to));
        let report = Report { from, to, written, changes, notes, diagnostics, text };
        let print = || {
            let mut out = io::stdout().lock();
            serde_json::to_writer(&mut out, &report)?;
            writeln!(out)?;
            Ok(code)
        };
        return Ok(unless_unread(print(), code)?);
    }
    let told = tell(&migration, &file.path, &args.to, written);
    if let (Some(text), false) = (text, written) {
        let print = || io::stdout().lock().write_all(text.as_bytes()).map(|()| code);
        unless_unread(print(), code)?;
    }
    eprint!("{told}");
    Ok(code)
}

/// A path as text, as well as that goes.
fn said(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// The code, even where whoever read has seen enough.
fn unless_unread(done: io::Result<ExitCode>, code: ExitCode) -> io::Result<ExitCode> {
    output::unless_unread(done).map(|_| code)
}

/// Reads the file that is named, or the first at an older place.
fn read(from: Option<&Path>) -> Result<config::SourceFile, Failure> {
    let places = OLDER_PLACES.iter().map(Path::new);
    let path = from.or_else(|| places.into_iter().find(|place| place.exists()));
    let Some(path) = path else {
        let advice = "name the vendor's file: `nbe migrate PATH`";
        return Err(Failure::new(exit::FOUND, NothingThere).advise(advice));
    };
    find::read(path, "the command line").map_err(|error| {
        let code = match &error {
            find::FindError::Read { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                exit::NO_PERMISSION
            }
            _ => exit::FOUND,
        };
        let (from, diagnosis) = (error.path().to_owned(), permission::diagnose(&error));
        let advice = diagnosis.help.unwrap_or_else(|| "name the vendor's file: `nbe migrate PATH`".to_owned());
        Failure::new(code, Unreadable { from, why: Why(diagnosis.message) }).advise(advice)
    })
}

/// A file that cannot be read, told with its path.
#[derive(Debug, thiserror::Error)]
#[error("cannot migrate {}", from.display())]
struct Unreadable {
    from: PathBuf,
    #[source]
    why: Why,
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Why(String);

/// What is said to the person: the changes, what to judge, and what is next.
fn tell(migration: &Migration, from: &Path, to: &Path, written: bool) -> String {
    let mut told = String::new();
    let mut say = |line: String| told += &format!("{line}\n");
    migration.changes.iter().for_each(|change| say(change.to_string()));
    migration.notes.iter().for_each(|note| say(format!("note: {note}")));
    migration.diagnostics.iter().for_each(|diagnostic| say(diagnostic.to_string()));
    let (from, to) = (printable(&said(from)), printable(&said(to)));
    let changes = match migration.changes.len() {
        0 => "nothing needs to change".to_owned(),
        1 => "one change".to_owned(),
        count => format!("{count} changes"),
    };
    say(match (&migration.text, written) {
        (None, _) => format!("{from}: nothing is written; mend the mistakes in it, or in a copy, and try again"),
        (Some(_), false) => format!("{from}: {changes}; nothing is written without --write"),
        (Some(_), true) => format!("{from}: {changes}; {to} is written, and this file is left as it was"),
    });
    told
}

/// Writes the new file whole or not at all, and never in place of another.
fn write(to: &Path, text: &str) -> Result<(), WriteError> {
    let exists = || WriteError::Exists(to.into());
    let failed = |source: io::Error| WriteError::Io { path: to.into(), source };
    // Not followed: a link that leads nowhere is somebody's too.
    if fs::symlink_metadata(to).is_ok() {
        return Err(exists());
    }
    let folder = match to.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        // Our own and no other: a name that is misspelt makes no tree.
        if Some(folder) != Path::new(find::PLACES[0]).parent() {
            return Err(WriteError::NoFolder(folder.into()));
        }
        fs::create_dir(folder).map_err(failed)?;
        permit(folder, 0o755).map_err(failed)?;
    }
    let mut new = tempfile::Builder::new().prefix(".nbe.toml.").tempfile_in(folder).map_err(failed)?;
    new.write_all(text.as_bytes()).map_err(failed)?;
    permit(new.path(), 0o644).map_err(failed)?;
    new.as_file().sync_all().map_err(failed)?;
    match new.persist_noclobber(to) {
        Ok(_) => Ok(()),
        // Somebody else has made one in the meantime.
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Err(exists()),
        Err(error) => Err(failed(error.error)),
    }
}

/// Whatever the account's usual permissions: the service runs under another.
#[cfg(unix)]
fn permit(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn permit(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}

impl WriteError {
    /// With the exit code and what to do.
    fn into_failure(self, from: &Path) -> Failure {
        let from = from.display();
        let (code, advice) = match &self {
            Self::Exists(to) => {
                let to = to.display();
                (exit::FOUND, format!("compare them: `nbe migrate {from} | diff {to} -`; or name another with --to"))
            }
            Self::NoFolder(_) => (exit::FOUND, "make that directory first, or another place with --to".into()),
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied => (exit::NO_PERMISSION, "as root, or another place with --to".into()),
                io::ErrorKind::ReadOnlyFilesystem => {
                    let print =
                        format!("`nbe migrate {from}` prints it: bring it on the way this system keeps settings");
                    (exit::FOUND, print)
                }
                _ => (exit::FOUND, "another place with --to".into()),
            },
        };
        Failure::new(code, self).advise(advice)
    }
}
