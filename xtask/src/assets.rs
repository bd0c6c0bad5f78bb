//! What is made from the program itself: its man pages and its completions; and what is known of its libraries.

use std::fs;
use std::path::Path;

use clap_complete::Shell;

use crate::run::TaskError;
use crate::{licences, man};

/// What the packages of Linux are built for.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Writes all of them to `target/assets`.
pub(crate) fn write(root: &Path) -> Result<(), TaskError> {
    let assets = root.join("target/assets");
    let pages = assets.join("man");
    // What commands of an earlier build left is not packed.
    if assets.exists() {
        fs::remove_dir_all(&assets)?;
    }
    fs::create_dir_all(&pages)?;
    let mut program = nbe::cli::command().disable_help_subcommand(true);
    program.build();
    // One page for each command, `nbe-run.1` beside `nbe.1`.
    clap_mangen::generate_to(program.clone(), &pages)?;
    let reference = fs::read_to_string(root.join("nbe.default.toml"))?;
    fs::write(pages.join("nbe.toml.5"), man::configuration(&reference))?;
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        let folder = assets.join("completions");
        fs::create_dir_all(&folder)?;
        clap_complete::generate_to(shell, &mut program, "nbe", folder)?;
    }
    fs::write(assets.join("third-party.txt"), licences::third_party(root, TARGET)?)?;
    Ok(())
}
