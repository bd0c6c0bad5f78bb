//! Why this account may not read a file, and the command that mends it.

use std::path::Path;

use config::Diagnostic;
use config::find::FindError;

/// What is wrong with a configuration file that cannot be had; where it is a matter of permission, with who may what.
pub fn diagnose(error: &FindError) -> Diagnostic {
    let diagnostic = Diagnostic::from(error);
    let denied = match error {
        FindError::Read { path, source } if source.kind() == std::io::ErrorKind::PermissionDenied => path,
        _ => return diagnostic,
    };
    match denial(denied) {
        Some((why, cure)) => Diagnostic::error(diagnostic.location, format!("cannot be read: {why}")).with_help(cure),
        None => diagnostic,
    }
}

/// Permissions are kept otherwise here.
#[cfg(not(unix))]
fn denial(_: &Path) -> Option<(String, String)> {
    None
}

/// What is in the way to reading the file: a directory, or the file itself.
#[cfg(unix)]
fn denial(file: &Path) -> Option<(String, String)> {
    use rustix::fs::{Access, AtFlags, CWD};

    let file = std::path::absolute(file).ok()?;
    let may = |path: &Path, wish| rustix::fs::accessat(CWD, path, wish, AtFlags::EACCESS).is_ok();
    let mut above: Vec<&Path> = file.ancestors().skip(1).collect();
    above.reverse();
    match above.into_iter().find(|directory| !may(directory, Access::EXEC_OK)) {
        Some(directory) => explain(directory, "the directory ", 'x'),
        None if may(&file, Access::READ_OK) => None,
        None => explain(&file, "", 'r'),
    }
}

/// Says who may what with a path, and how everybody gets `right`.
#[cfg(unix)]
fn explain(path: &Path, kind: &str, right: char) -> Option<(String, String)> {
    use std::os::unix::fs::MetadataExt;

    let metadata = std::fs::metadata(path).ok()?;
    let (user, group) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let [user, owner] = [user, metadata.uid()].map(|number| name("/etc/passwd", number));
    let [own, other] = [group, metadata.gid()].map(|number| name("/etc/group", number));
    let (shown, mode) = (quoted(&path.display().to_string()), metadata.mode() & 0o7777);
    let cure = match () {
        // The owner's own bits decide for the owner.
        () if user == owner => format!("sudo chmod u+{right} {shown}"),
        // What else is in a directory, and who relies on its group, is not known here.
        () if metadata.is_dir() => {
            format!("move the file to where everybody may look, such as /etc/nbe, or: sudo chmod o+{right} {shown}")
        }
        () if own == other => format!("sudo chmod g+{right} {shown}"),
        () => format!("sudo chgrp {own} {shown} && sudo chmod g+{right} {shown}"),
    };
    Some((
        format!(
            "no permission: {kind}{} belongs to {owner} and the group {other} (mode {mode:04o}), and this runs as {user}",
            path.display()
        ),
        cure,
    ))
}

/// A path as one word of a shell.
#[cfg(unix)]
fn quoted(path: &str) -> String {
    match path.chars().all(|c| c.is_alphanumeric() || "/._-".contains(c)) {
        true => path.to_owned(),
        false => format!("'{}'", path.replace('\'', r"'\''")),
    }
}

/// The name of a user or group by its number, from the file that lists them; the number where that does not.
#[cfg(unix)]
pub(crate) fn name(file: &str, number: u32) -> String {
    let list = std::fs::read_to_string(file).unwrap_or_default();
    let number = number.to_string();
    let named = list.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == number).then(|| name.to_owned())
    });
    named.unwrap_or(number)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn who_may_what_is_said_with_the_command_that_changes_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("it's nbe.toml");
        std::fs::write(&file, "").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        let (why, cure) = explain(&file, "", 'r').unwrap();
        let user = name("/etc/passwd", rustix::process::geteuid().as_raw());
        assert!(why.contains("(mode 0600)") && why.ends_with(&format!("this runs as {user}")), "{why}");
        assert_eq!(cure, format!("sudo chmod u+r '{}/it'\\''s nbe.toml'", folder.path().display()));
        assert_eq!(denial(&file), None, "its owner may read it");
    }

    #[test]
    fn another_failure_is_told_as_it_is() {
        let error = FindError::NotAFile { path: "/etc".into() };
        assert_eq!(diagnose(&error), Diagnostic::from(&error));
    }
}
