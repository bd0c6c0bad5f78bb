//! What is made from the program itself: its man pages and its completions; what is known of its libraries; and the README
//! as it lies among a package's documents.

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
    fs::write(assets.join("README.md"), packaged(&fs::read_to_string(root.join("README.md"))?))?;
    fs::write(assets.join("third-party.txt"), licences::third_party(root, TARGET)?)?;
    Ok(())
}

/// What the README names by its place among the sources, and where a package has it.
const PLACES: [(&str, &str); 4] = [
    ("](nbe.default.toml)", "](../../nbe/nbe.default.toml)"),
    ("](packaging/thin-clients/README.md)", "](examples/thin-clients/README.md)"),
    ("[LICENSE](LICENSE)", "`copyright` beside this file, or `/usr/share/licenses/nbe/LICENSE`"),
    ("fixtures/scenarios/tap.toml", "/usr/share/doc/nbe/examples/scenarios/tap.toml"),
];

/// The README for a package.
fn packaged(readme: &str) -> String {
    PLACES.iter().fold(readme.to_owned(), |text, (from, to)| text.replace(from, to))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use super::*;

    /// What the Debian package has, by where it lies, and what it is made of.
    fn shipped(root: &Path) -> BTreeMap<PathBuf, PathBuf> {
        let manifest: toml::Table = fs::read_to_string(root.join("Cargo.toml")).unwrap().parse().unwrap();
        let assets = manifest["package"]["metadata"]["deb"]["assets"].as_array().unwrap();
        let text = |value: &toml::Value| value.as_str().unwrap().to_owned();
        let mut shipped = BTreeMap::new();
        for asset in assets {
            let (from, to) = (text(&asset[0]), text(&asset[1]));
            let (folder, name) = from.rsplit_once('/').unwrap_or(("", &from));
            let names = match name.split_once('*') {
                // Made by the build; nothing links there.
                _ if folder.starts_with("target/assets/") => continue,
                Some((_, end)) => fs::read_dir(root.join(folder))
                    .unwrap()
                    .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                    .filter(|name| name.ends_with(end))
                    .collect(),
                None => vec![name.to_owned()],
            };
            for name in names {
                let place = if to.ends_with('/') { format!("/{to}{name}") } else { format!("/{to}") };
                shipped.insert(place.into(), Path::new(folder).join(name));
            }
        }
        shipped
    }

    /// A path without `..`, which need not exist.
    fn resolved(path: &Path) -> PathBuf {
        let mut whole = PathBuf::new();
        for part in path.components() {
            match part {
                std::path::Component::ParentDir => drop(whole.pop()),
                part => whole.push(part),
            }
        }
        whole
    }

    #[test]
    fn links_in_a_packages_documents_lead_somewhere() {
        let root = crate::root();
        let shipped = shipped(&root);
        let mut followed = 0;
        for (place, source) in shipped.iter().filter(|(place, _)| place.extension().is_some_and(|kind| kind == "md")) {
            let text = match source.strip_prefix("target/assets") {
                Ok(name) => packaged(&fs::read_to_string(root.join(name)).unwrap()),
                Err(_) => fs::read_to_string(root.join(source)).unwrap(),
            };
            let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
            for target in targets.filter(|target| !target.contains("://") && !target.starts_with('#')) {
                let leads_to = resolved(&place.parent().unwrap().join(target));
                assert!(shipped.contains_key(&leads_to), "{}: {target} is {}", place.display(), leads_to.display());
                followed += 1;
            }
        }
        assert!(followed > 15, "only {followed} links were followed");
        let readme = fs::read_to_string(root.join("README.md")).unwrap();
        for (from, _) in PLACES {
            assert!(readme.contains(from), "the README does not say {from} any more");
        }
    }
}
