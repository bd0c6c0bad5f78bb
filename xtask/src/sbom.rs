//! The bill of materials beside a program: every library in it, in the JSON of CycloneDX.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::dist::Release;
use crate::run::{TaskError, output, run};

/// The tool writes one beside each Cargo.toml of the workspace, under this name.
const WRITTEN: &str = "nbe.cdx.json";

/// Writes the list for the program built for `target`, once it is sure to be complete.
pub(crate) fn write(release: &Release, target: &str) -> Result<(), TaskError> {
    let root = release.root();
    let mut tool = release.command("cargo-cyclonedx");
    tool.args(["cyclonedx", "--quiet", "--format", "json", "--spec-version", "1.5", "--target", target]);
    tool.args(["--override-filename", WRITTEN.trim_end_matches(".json")]);
    run(&mut tool, "\n  try: cargo install --locked cargo-cyclonedx")?;
    let list = fs::read_to_string(root.join(WRITTEN))?;
    for member in ["", "bgapi", "config", "windows", "xtask"] {
        fs::remove_file(root.join(member).join(WRITTEN))?;
    }
    // Our own crates are named after where they lie, which is of no concern to anybody else.
    let list = list.replace(&format!("path+file://{}", root.display()), "path+file:///nbe");
    let missing = missing(&list, &tree(root, target)?)?;
    if !missing.is_empty() {
        return Err(TaskError::Incomplete { missing: missing.join(", ") });
    }
    Ok(fs::write(release.dist.join(format!("nbe-{}-{target}.cdx.json", release.version)), list)?)
}

/// What cargo builds the program from, a package and its version a line.
fn tree(root: &Path, target: &str) -> Result<String, TaskError> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root).args(["tree", "--locked", "--package", "nbe", "--target", target]);
    output(cargo.args(["--edges", "normal,build", "--prefix", "none", "--format", "{p}"]))
}

/// Packages of the tree that the list lacks.
fn missing(list: &str, tree: &str) -> Result<Vec<String>, TaskError> {
    let list: Value = serde_json::from_str(list).map_err(std::io::Error::from)?;
    let components = list["components"].as_array().into_iter().flatten().chain([&list["metadata"]["component"]]);
    let listed: BTreeSet<(&str, &str)> = components
        .filter_map(|component| Some((component["name"].as_str()?, component["version"].as_str()?)))
        .collect();
    let built: BTreeSet<(&str, &str)> = tree
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            Some((words.next()?, words.next()?.strip_prefix('v')?))
        })
        .collect();
    Ok(built.difference(&listed).map(|(name, version)| format!("{name} {version}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_and_not_listed_is_found() {
        let list = r#"{
            "metadata": {"component": {"name": "nbe", "version": "0.1.0"}},
            "components": [{"name": "serde", "version": "1.0.1"}, {"name": "toml", "version": "1.2.0"}]
        }"#;
        let tree =
            "nbe v0.1.0 (/somewhere)\nserde v1.0.1\nserde_derive v1.0.1 (proc-macro)\ntoml v1.3.0\nserde v1.0.1 (*)\n";
        assert_eq!(missing(list, tree).unwrap(), ["serde_derive 1.0.1", "toml 1.3.0"]);
    }
}
