//! The licences of the libraries in the program, from their own packages.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::run::TaskError;

/// One library in the program.
struct Library {
    name: String,
    version: String,
    licence: String,
    /// Its licence files, by name.
    texts: BTreeMap<String, String>,
}

/// A list of all libraries in the program built for `target`, and each different licence text once.
pub(crate) fn third_party(root: &Path, target: &str) -> Result<String, TaskError> {
    let libraries = libraries(root, target)?;
    let mut list = String::from("The libraries in the program nbe, and their licences.\n\n");
    let mut texts: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for library in &libraries {
        let title = format!("{} {}", library.name, library.version);
        let _ = writeln!(list, "{title:<40} {}", library.licence);
        for (file, text) in &library.texts {
            texts.entry(text).or_default().push(format!("{title}, {file}"));
        }
    }
    let mut texts: Vec<_> = texts.into_iter().map(|(text, of)| (of, text)).collect();
    texts.sort();
    for (of, text) in texts {
        let _ = write!(list, "\n{}\n{}\n\n{text}\n", "-".repeat(80), of.join("\n"));
    }
    Ok(list)
}

fn libraries(root: &Path, target: &str) -> Result<Vec<Library>, TaskError> {
    let metadata = metadata(root, target)?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let packages: BTreeMap<&str, &Value> =
        packages.filter_map(|package| Some((package["id"].as_str()?, package))).collect();
    let in_program = in_program(&metadata, &packages);
    let mut libraries: Vec<Library> =
        in_program.iter().filter_map(|id| packages.get(id)).filter_map(|package| library(package)).collect();
    libraries.sort_by(|one, other| (&one.name, &one.version).cmp(&(&other.name, &other.version)));
    Ok(libraries)
}

fn metadata(root: &Path, target: &str) -> Result<Value, TaskError> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root).args(["metadata", "--format-version=1", "--locked", "--filter-platform", target]);
    let output = cargo.output()?;
    if !output.status.success() {
        eprint!("{}", String::from_utf8_lossy(&output.stderr));
        return Err(TaskError::Failed { program: "cargo metadata".to_owned(), status: output.status });
    }
    Ok(serde_json::from_slice(&output.stdout).map_err(std::io::Error::from)?)
}

/// What the program is linked with: dependencies of dependencies, less what only builds and tests use.
fn in_program<'a>(metadata: &'a Value, packages: &BTreeMap<&str, &Value>) -> BTreeSet<&'a str> {
    let nodes = metadata["resolve"]["nodes"].as_array().into_iter().flatten();
    let nodes: BTreeMap<&str, &Value> = nodes.filter_map(|node| Some((node["id"].as_str()?, node))).collect();
    let is_program = |id: &&str| packages.get(id).is_some_and(|package| package["name"] == "nbe");
    let mut waiting: Vec<&str> = nodes.keys().copied().filter(|id| is_program(id)).collect();
    let mut found = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        if !found.insert(id) {
            continue;
        }
        for dependency in nodes[id]["deps"].as_array().into_iter().flatten() {
            let is_linked = |kinds: &Value| kinds.as_array().into_iter().flatten().any(|kind| kind["kind"].is_null());
            if is_linked(&dependency["dep_kinds"]) {
                waiting.extend(dependency["pkg"].as_str());
            }
        }
    }
    found
}

/// A package from a registry; our own are under the licence of the program.
fn library(package: &Value) -> Option<Library> {
    let text = |key: &str| package[key].as_str().map(str::to_owned);
    package["source"].as_str()?;
    let folder = Path::new(package["manifest_path"].as_str()?).parent()?;
    let mut texts = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_licence =
            ["LICEN", "COPYING", "NOTICE", "UNLICENSE"].iter().any(|word| name.to_uppercase().contains(word));
        if let (true, Ok(text)) = (is_licence, fs::read_to_string(entry.path())) {
            texts.insert(name, text.trim().to_owned());
        }
    }
    Some(Library { name: text("name")?, version: text("version")?, licence: text("license")?, texts })
}
