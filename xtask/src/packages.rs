//! Packages, made by the tools of their kind from what `packaging/` holds.

use std::path::Path;
use std::process::Command;

use crate::assets;
use crate::dist::Release;
use crate::run::{TaskError, run};

/// Builds the program, what goes with it, and the Debian package around them.
pub(crate) fn deb(root: &Path, version: Option<&str>) -> Result<(), TaskError> {
    build(root)?;
    run_deb(Command::new("cargo-deb").current_dir(root), version)
}

/// Builds the program, what goes with it, and the rpm around them.
pub(crate) fn rpm(root: &Path, version: Option<&str>) -> Result<(), TaskError> {
    build(root)?;
    run_rpm(Command::new("cargo-generate-rpm").current_dir(root), version)
}

/// Both packages, around the program that the release has built for `target`.
pub(crate) fn released(release: &Release, target: &str) -> Result<(), TaskError> {
    let mut tool = release.command("cargo-deb");
    // It is stripped already, as it lies in the archives.
    run_deb(tool.args(["--target", target, "--no-strip", "--output"]).arg(&release.dist), release.own_version())?;
    let mut tool = release.command("cargo-generate-rpm");
    run_rpm(tool.args(["--target", target, "--output"]).arg(&release.dist), release.own_version())
}

fn run_deb(tool: &mut Command, version: Option<&str>) -> Result<(), TaskError> {
    tool.args(["--no-build", "--locked", "--package", "nbe"]);
    if let Some(version) = version {
        tool.args(["--deb-version", version]);
    }
    run(tool, "\n  try: cargo install --locked cargo-deb")
}

fn run_rpm(tool: &mut Command, version: Option<&str>) -> Result<(), TaskError> {
    // The machine's own way of finding what the program needs would differ from one to the next.
    tool.args(["--auto-req", "builtin"]);
    if let Some(version) = version {
        tool.args(["--set-metadata", &format!("version = \"{version}\"")]);
    }
    run(tool, "\n  try: cargo install --locked cargo-generate-rpm")
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
