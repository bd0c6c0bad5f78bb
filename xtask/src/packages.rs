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
    let version = release.own_version();
    // It is stripped already, as it lies in the archives.
    run_deb(tool.args(["--target", target, "--no-strip", "--output"]).arg(&release.dist), version.as_deref())?;
    let mut tool = release.command("cargo-generate-rpm");
    run_rpm(tool.args(["--target", target, "--output"]).arg(&release.dist), version.as_deref())
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
        tool.args(["--set-metadata", &rpm_version(version)]);
    }
    run(tool, "\n  try: cargo install --locked cargo-generate-rpm")
}

/// An rpm keeps the number of the package, what Debian has after the hyphen, apart from the version of the program.
fn rpm_version(version: &str) -> String {
    let (version, release) = version.rsplit_once('-').unwrap_or((version, "1"));
    format!("version = \"{version}\"\nrelease = \"{release}\"")
}

fn build(root: &Path) -> Result<(), TaskError> {
    assets::write(root)?;
    run(Command::new("cargo").current_dir(root).args(["build", "--release", "--locked", "--package", "nbe"]), "")
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_rpm_has_the_number_of_the_package_apart() {
        assert_eq!(super::rpm_version("0.1.0-2"), "version = \"0.1.0\"\nrelease = \"2\"");
        assert_eq!(super::rpm_version("0.1.0"), "version = \"0.1.0\"\nrelease = \"1\"");
    }

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
