//! `nbe migrate` as an administrator runs it: real files, real places, and what is left alone.

#[cfg(unix)]
#[path = "support/machine.rs"]
mod machine;

use std::fs;
#[cfg(unix)]
use std::path::Path;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

const VENDORS: &str = "# Front desk\r\nagent_url = \"ws://127.0.0.1:9120/socket/websocket\"\r\nRSSI_WINDOW_TAP = \"12\"\r\nlog_level = 'debug' # why\r\n";
const OURS: &str = "# Front desk\r\nagent_url = \"ws://127.0.0.1:9120/socket/websocket\"\r\nrssi_window_tap = 12\r\n# nbe does not read log_level:\r\n# log_level = 'debug' # why\r\n";

fn nbe(words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nbe"));
    command.args(words).stdin(Stdio::null()).env_remove("NBE_CONFIG").env_remove("RSSI_WINDOW_TAP");
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A folder with a vendor's file.
struct Place(tempfile::TempDir);

impl Place {
    fn new(vendors: &str) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::write(place.path("old.toml"), vendors).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn migrate(&self, words: &[&str]) -> Output {
        nbe(&[&["migrate", self.path("old.toml").to_str().unwrap()], words].concat())
    }

    fn write_to(&self, name: &str) -> Output {
        self.migrate(&["--write", "--to", self.path(name).to_str().unwrap()])
    }

    /// What is in the folder, but for the vendor's file, which is as it was.
    fn others(&self) -> Vec<String> {
        assert_eq!(fs::read_to_string(self.path("old.toml")).unwrap(), VENDORS, "the vendor's file was changed");
        let entries = fs::read_dir(self.0.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name != "old.toml").collect()
    }
}

#[test]
fn the_new_file_is_printed_and_what_changed_is_told_beside_it() {
    let place = Place::new(VENDORS);
    let done = place.migrate(&[]);
    assert_eq!((done.status.code(), text(&done.stdout).as_str()), (Some(0), OURS));
    let told = text(&done.stderr).replace(&format!("{}{}", place.0.path().display(), std::path::MAIN_SEPARATOR), "");
    let expected = "\
old.toml:3:1: RSSI_WINDOW_TAP: written rssi_window_tap, since keys in a file are written in small letters
old.toml:3:19: rssi_window_tap: written 12 instead of \"12\", since a number has no quotes
old.toml:4:1: log_level: kept as a comment, since nbe does not read it
note: rssi_tap_threshold is not in the file";
    assert!(told.starts_with(expected), "{told}");
    assert!(told.ends_with("old.toml: 3 changes; nothing is written without --write\n"), "{told}");
    assert!(place.others().is_empty());
}

#[test]
fn the_new_file_is_written_whole_and_passes_the_check() {
    let place = Place::new(VENDORS);
    let done = place.write_to("etc/nbe/nbe.toml");
    let told = text(&done.stderr);
    assert_eq!(done.status.code(), Some(1), "{told}");
    assert!(
        told.starts_with("error: there is no directory ")
            && told.contains("  try: make that directory first, or another"),
        "{told}"
    );
    assert!(place.others().is_empty(), "nothing is made on the way");
    fs::create_dir_all(place.path("etc/nbe")).unwrap();
    let done = place.write_to("etc/nbe/nbe.toml");
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    assert!(done.stdout.is_empty(), "{}", text(&done.stdout));
    assert!(text(&done.stderr).contains("nbe.toml is written, and this file is left as it was"));
    let new = place.path("etc/nbe/nbe.toml");
    assert_eq!(fs::read_to_string(&new).unwrap(), OURS);
    assert_eq!(place.others(), ["etc"]);
    assert_eq!(fs::read_dir(place.path("etc/nbe")).unwrap().count(), 1, "nothing else is left beside it");
    let check = nbe(&["check", new.to_str().unwrap()]);
    assert!(check.status.success() && !text(&check.stdout).contains("warning"), "{}", text(&check.stdout));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(&new), 0o644);
    }
}

#[test]
fn a_file_that_is_there_is_never_replaced() {
    let place = Place::new(VENDORS);
    fs::write(place.path("nbe.toml"), "mine").unwrap();
    let refused = |name: &str| {
        let done = place.write_to(name);
        let told = text(&done.stderr);
        assert_eq!(done.status.code(), Some(1), "{told}");
        assert!(
            told.contains("is there already and is not replaced") && told.contains("  try: compare them"),
            "{told}"
        );
    };
    refused("nbe.toml");
    assert_eq!(fs::read_to_string(place.path("nbe.toml")).unwrap(), "mine");
    refused("old.toml");
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(place.path("elsewhere"), place.path("link.toml")).unwrap();
        refused("link.toml");
        assert!(!place.path("elsewhere").exists(), "a link is not written through");
        assert_eq!(place.others().len(), 2);
    }
}

#[test]
fn a_mistake_leaves_nothing_behind() {
    let place = Place::new("rssi_window_tap = 500\nx = 1\n");
    for words in [&[][..], &["--write"]] {
        let done = place.migrate(&[words, &["--to", place.path("new.toml").to_str().unwrap()]].concat());
        let told = text(&done.stderr);
        assert_eq!((done.status.code(), done.stdout.len()), (Some(1), 0), "{told}");
        assert!(told.contains("old.toml:1:19: error: rssi_window_tap must be 1 to 200, found 500\n"), "{told}");
        assert!(told.ends_with("nothing is written; mend the mistakes in it, or in a copy, and try again\n"), "{told}");
        assert!(!place.path("new.toml").exists());
    }
    for (words, code, told) in [
        (
            ["migrate", "/nonexistent/old.toml"],
            1,
            "error: cannot migrate /nonexistent/old.toml\n  because: there is no",
        ),
        (["migrate", "/"], 1, "because: is not a file"),
        (["migrate", "--rewrite"], 2, "unexpected argument"),
    ] {
        let done = nbe(&words);
        assert_eq!(done.status.code(), Some(code), "{words:?}");
        assert!(text(&done.stderr).contains(told), "{words:?}: {}", text(&done.stderr));
    }
    let help = text(&nbe(&["migrate", "--help"]).stdout);
    let places = config::find::PLACES;
    assert!(help.contains("Examples:\n  nbe migrate  ") && places.iter().all(|place| help.contains(place)), "{help}");
}

#[test]
fn scripts_get_one_object() {
    let place = Place::new(VENDORS);
    let object = |done: &Output| -> serde_json::Value { serde_json::from_slice(&done.stdout).unwrap() };
    let printed = place.migrate(&["--json", "--to", "/etc/x/nbe.toml"]);
    assert!(printed.stderr.is_empty());
    let said = object(&printed);
    assert_eq!(
        (&said["to"], &said["written"], &said["text"]),
        (&"/etc/x/nbe.toml".into(), &false.into(), &OURS.into())
    );
    assert_eq!(said["from"], place.path("old.toml").to_str().unwrap());
    let kinds: Vec<_> = said["changes"].as_array().unwrap().iter().map(|change| change["kind"].clone()).collect();
    assert_eq!(kinds, ["renamed", "number", "commented"]);
    assert_eq!((&said["changes"][2]["location"]["line"], &said["changes"][2]["key"]), (&4.into(), &"log_level".into()));
    assert_eq!(said["notes"].as_array().unwrap().len(), 2);
    let written = place.migrate(&["--json", "--write", "--to", place.path("new.toml").to_str().unwrap()]);
    assert_eq!(object(&written)["written"], true);
    fs::write(place.path("old.toml"), "rssi_window_tap = 500\n").unwrap();
    let refused = place.migrate(&["--json"]);
    assert_eq!(refused.status.code(), Some(1));
    let said = object(&refused);
    assert_eq!((&said["text"], &said["written"]), (&serde_json::Value::Null, &false.into()));
    assert_eq!(said["diagnostics"][0]["severity"], "error");
}

/// Runs a script with the program as `$1`, as root of a system where `/etc` and `/usr/bin` are empty, so that the
/// script has the shell's own words alone.
#[cfg(target_os = "linux")]
fn on_an_empty_system(etc: &str, script: &str) -> Option<Output> {
    let script = format!("mount -t tmpfs -o {etc} none /etc && mount -t tmpfs none /usr/bin && {script}");
    let run = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c", script, "sh", env!("CARGO_BIN_EXE_nbe")]).env_remove("NBE_CONFIG");
        command.stdin(Stdio::null()).output().ok()
    };
    if run("mount -t tmpfs none /etc").is_some_and(|done| done.status.success()) {
        return run(&script);
    }
    eprintln!("SKIPPED: the usual places, since no mount namespace can be had (unshare -rm)");
    assert!(std::env::var_os("NBE_REQUIRE_PEERS").is_none(), "a mount namespace is asked for");
    None
}

#[cfg(target_os = "linux")]
#[test]
fn the_older_place_leads_to_the_new_one() {
    let Some(done) = on_an_empty_system(
        "rw",
        "\"$1\" migrate; echo \"none: $?\"
        echo 'RSSI_WINDOW_TAP = 12' > /usr/bin/nbe.toml
        \"$1\" check; echo \"before: $?\"
        \"$1\" migrate --write; echo \"migrated: $?\"
        \"$1\" check; echo \"after: $?\"",
    ) else {
        return;
    };
    let (out, err) = (text(&done.stdout), text(&done.stderr));
    assert!(out.starts_with("none: 1\n"), "{out}");
    assert!(err.starts_with("error: there is no /usr/bin/nbe.toml\n  try: name the vendor's file"), "{err}");
    let (before, after) = out.split_once("migrated: 0\n").unwrap_or_else(|| panic!("{out}\n{err}"));
    assert!(before.contains("help: `nbe migrate --write` makes /etc/nbe/nbe.toml of it"), "{before}");
    assert!(before.ends_with("before: 1\n"), "without agent_url, it is not valid yet: {before}");
    assert!(after.contains("12                                      /etc/nbe/nbe.toml:4"), "{after}");
    assert!(after.contains("/etc/nbe/nbe.toml: valid") && after.ends_with("after: 0\n"), "{after}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_cannot_be_written_is_told_with_what_to_do() {
    let Some(done) = on_an_empty_system(
        "ro",
        "echo 'rssi_window_tap = 12' > /usr/bin/nbe.toml
        \"$1\" migrate --write; echo \"read-only: $?\"",
    ) else {
        return;
    };
    let err = text(&done.stderr);
    assert_eq!(text(&done.stdout), "read-only: 1\n", "{err}");
    assert!(err.starts_with("error: cannot write /etc/nbe/nbe.toml\n  because: Read-only file system"), "{err}");
    assert!(err.contains("  try: `nbe migrate /usr/bin/nbe.toml` prints it"), "{err}");
}

#[cfg(unix)]
#[test]
fn an_account_that_may_not_is_told_so() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new(VENDORS);
    fs::set_permissions(place.0.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let folder = place.0.path();
    let (old, new) = (place.path("old.toml"), place.path("new.toml"));
    let words = ["migrate", old.to_str().unwrap(), "--write", "--to", new.to_str().unwrap()];
    let done = if machine::is_root() {
        let copy = tempfile::tempdir().unwrap();
        fs::set_permissions(copy.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let program = copy.path().join("nbe");
        machine::copy_program(&program);
        let Some(mut command) = machine::as_nobody() else { return };
        command.arg(program).args(words).output().unwrap()
    } else {
        nbe(&words)
    };
    let told = text(&done.stderr);
    assert_eq!(done.status.code(), Some(77), "{told}");
    assert!(
        told.starts_with(&format!("error: cannot write {}/new.toml\n  because: Permission denied", folder.display()))
    );
    assert!(told.contains("  try: as root, or another place with --to"), "{told}");
}
