//! `C:\ProgramData\nbe`: what is in it, and who may read and write it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use config::{Flag, REFERENCE, Sources, find, resolve};

use super::manage::ACCOUNT;
use crate::failure::{Failure, exit};

/// The folder.
pub(super) const ROOT: &str = r"C:\ProgramData\nbe";

/// What the system and administrators may do with everything, by the numbers that are the same in every language.
const FULL: [&str; 2] = ["*S-1-5-18:(OI)(CI)F", "*S-1-5-32-544:(OI)(CI)F"];

/// Whoever has an account may read what is configured.
const USERS_READ: &str = "*S-1-5-32-545:(OI)(CI)RX";

/// Who owns it: administrators, whoever of them made it.
const OWNER: &str = "*S-1-5-32-544";

/// Makes the folders and sets who may do what, brings nbe.default.toml up to date, and writes an nbe.toml with the agent's
/// address if one is given and there is none.
pub(super) fn make(root: &Path, agent_url: Option<&str>) -> Result<(), Failure> {
    // Anybody may make a folder in ProgramData, and what is in it: each is taken from them before it is believed in.
    make_folder(root)?;
    own(root)?;
    let (reads, writes) = (format!("{ACCOUNT}:(OI)(CI)RX"), format!("{ACCOUNT}:(OI)(CI)M"));
    permit(root, &reads)?;
    for file in ["nbe.toml", "nbe.default.toml"].map(|name| root.join(name)) {
        if fs::symlink_metadata(&file).is_ok_and(|found| found.is_file()) {
            own(&file)?;
        }
    }
    let state = root.join("state");
    make_folder(&state)?;
    own(&state)?;
    permit(&state, &writes)?;
    let reference = root.join("nbe.default.toml");
    fs::write(&reference, REFERENCE).map_err(|error| failed(&reference, &error))?;
    match agent_url {
        Some(url) => write_agent_url(&root.join("nbe.toml"), url),
        None => Ok(()),
    }
}

/// Refuses an address that the daemon would refuse.
pub(super) fn check_agent_url(url: &str) -> Result<(), Failure> {
    let flags = vec![Flag { name: "--agent-url", key: "agent_url", value: url.to_owned() }];
    let resolution = resolve(&Sources { file: None, environment: Vec::new(), flags });
    match resolution.diagnostics.iter().find(|diagnostic| diagnostic.is_error()) {
        Some(mistake) => Err(Failure::new(exit::USAGE, mistake.to_string())),
        None => Ok(()),
    }
}

/// What is configured already stays.
fn write_agent_url(path: &Path, url: &str) -> Result<(), Failure> {
    // Checked before, so that nothing in it ends the string.
    let text =
        format!("# Written by `nbe service install`; nbe.default.toml explains every key.\r\nagent_url = {url:?}\r\n");
    let made = fs::File::create_new(path).and_then(|mut file| io::Write::write_all(&mut file, text.as_bytes()));
    match made {
        Ok(()) => println!("{} names the agent.", path.display()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let file = find::find(Some(path)).ok().flatten();
            let resolution = resolve(&Sources { file, environment: Vec::new(), flags: Vec::new() });
            if resolution.config.is_none_or(|config| config.agent_url.to_string() != url) {
                println!("{} is there already and stays as it is: it decides, and not {url}.", path.display());
            }
        }
        Err(error) => return Err(failed(path, &error)),
    }
    Ok(())
}

fn make_folder(folder: &Path) -> Result<(), Failure> {
    // One that leads elsewhere would have another's rights changed.
    if fs::symlink_metadata(folder).is_ok_and(|found| !found.is_dir()) {
        return Err(Failure::new(exit::FOUND, format!("{} is no folder", folder.display()))
            .advise("move it away, and install again"));
    }
    fs::create_dir_all(folder).map_err(|error| failed(folder, &error))
}

/// Takes a folder or a file away from whoever made it, with the rights that they gave; what is above it decides then.
fn own(path: &Path) -> Result<(), Failure> {
    icacls(path, &["/setowner", OWNER])?;
    icacls(path, &["/reset"])
}

/// Lets the system and administrators do everything in the folder, the service what it has to, everybody else read.
fn permit(folder: &Path, service: &str) -> Result<(), Failure> {
    let rights = FULL.into_iter().chain([USERS_READ, service]);
    let rights: Vec<&str> = rights.flat_map(|right| ["/grant:r", right]).collect();
    icacls(folder, &[&["/inheritance:r"], rights.as_slice()].concat())
}

fn icacls(folder: &Path, args: &[&str]) -> Result<(), Failure> {
    let windows = std::env::var_os("SystemRoot").map_or_else(|| PathBuf::from(r"C:\Windows"), PathBuf::from);
    let done = Command::new(windows.join(r"System32\icacls.exe")).arg(folder).args(args).args(["/L", "/Q"]).output();
    let said = match done {
        Ok(output) if output.status.success() => return Ok(()),
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) => error.to_string(),
    };
    Err(Failure::new(exit::FOUND, format!("cannot set who may use {}: icacls says: {said}", folder.display()))
        .advise("do this at a prompt run as administrator"))
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    let code = if error.kind() == io::ErrorKind::PermissionDenied { exit::NO_PERMISSION } else { exit::FOUND };
    Failure::new(code, format!("cannot write {}: {error}", path.display()))
        .advise("do this at a prompt run as administrator")
}
