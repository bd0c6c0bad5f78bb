//! Packages, made by the tools of their kind from what `packaging/` holds.

use std::path::Path;
use std::process::Command;

use crate::assets;
use crate::run::{TaskError, run};

/// Builds the program, what goes with it, and the Debian package around them.
pub(crate) fn deb(root: &Path, version: Option<&str>) -> Result<(), TaskError> {
    build(root)?;
    let mut tool = Command::new("cargo-deb");
    tool.current_dir(root).args(["deb", "--no-build", "--locked", "--package", "nbe"]);
    if let Some(version) = version {
        tool.args(["--deb-version", version]);
    }
    run(&mut tool, "\n  try: cargo install --locked cargo-deb")
}

/// Builds the program, what goes with it, and the rpm around them.
pub(crate) fn rpm(root: &Path, version: Option<&str>) -> Result<(), TaskError> {
    build(root)?;
    let mut tool = Command::new("cargo-generate-rpm");
    // The machine's own way of finding what the program needs would differ from one to the next.
    tool.current_dir(root).args(["generate-rpm", "--auto-req", "builtin"]);
    if let Some(version) = version {
        tool.args(["--set-metadata", &format!("version = \"{version}\"")]);
    }
    run(&mut tool, "\n  try: cargo install --locked cargo-generate-rpm")
}

fn build(root: &Path) -> Result<(), TaskError> {
    assets::write(root)?;
    run(Command::new("cargo").current_dir(root).args(["build", "--release", "--locked", "--package", "nbe"]), "")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_account_made_before_the_files_is_the_one_among_them() {
        let account = include_str!("../../packaging/linux/nbe.sysusers");
        for script in
            [include_str!("../../packaging/linux/debian/preinst"), include_str!("../../packaging/linux/rpm/pre")]
        {
            assert!(script.contains(account.trim()), "{account}");
        }
    }
}
