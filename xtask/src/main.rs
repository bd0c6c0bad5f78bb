//! What carries the project on: `cargo xtask help`.

mod assets;
mod dist;
mod licences;
mod man;
mod packages;
mod run;
mod sbom;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What carries the project on: man pages, completions, packages
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Write man pages, completions and the libraries' licences to target/assets
    Assets,
    /// Build the Debian package, into target/debian
    Deb {
        /// A version of the package's own, in place of the program's
        #[arg(long, value_name = "VERSION")]
        version: Option<String>,
    },
    /// Build everything of a release, into target/dist
    Dist,
    /// Build the rpm, into target/generate-rpm
    Rpm {
        /// A version of the package's own, in place of the program's
        #[arg(long, value_name = "VERSION")]
        version: Option<String>,
    },
}

fn main() -> ExitCode {
    let root = root();
    let done = match Cli::parse().task {
        Task::Assets => assets::write(&root),
        Task::Deb { version } => packages::deb(&root, version.as_deref()),
        Task::Dist => dist::all(&root),
        Task::Rpm { version } => packages::rpm(&root, version.as_deref()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(1).map_or_else(PathBuf::new, Path::to_owned)
}
