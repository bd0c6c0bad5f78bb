//! Who may open a port, and who has it open.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use crate::holder::Holder;
#[cfg(unix)]
use crate::holder::{holders, makes_terminals};
#[cfg(unix)]
use crate::permission::name;

/// How often to look up who holds a port that is tried every second.
const LOOK_UP_EVERY: Duration = Duration::from_secs(30);

/// Who may open a port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Access {
    /// Whether this program may.
    pub permitted: bool,
    /// The owner's name, or number.
    pub owner: String,
    /// The group's name, or number.
    pub group: String,
    /// The permissions, such as `0660`.
    pub mode: String,
}

/// Finds the program that has the port open, as far as this one may look. Whoever makes pseudo-terminals comes last: it
/// plays the device rather than use it.
#[cfg(unix)]
pub fn holder(port: &Path) -> Option<Holder> {
    let port = std::fs::canonicalize(port).ok()?;
    let plays = |holder: &Holder| port.starts_with("/dev/pts") && makes_terminals(holder.pid);
    holders(|target| target == port).min_by_key(plays)
}

/// Nothing tells it on this system.
#[cfg(not(unix))]
pub fn holder(_: &Path) -> Option<Holder> {
    None
}

/// Whether another program has a device's port open, though it did not lock it: each would get half of the bytes.
///
/// A pseudo-terminal is no device's: the program at its other end may well have this one open too.
#[cfg(unix)]
pub(super) fn is_shared(port: &Path) -> bool {
    let Ok(port) = std::fs::canonicalize(port) else { return false };
    !port.starts_with("/dev/pts") && holders(|target| target == port).any(|holder| holder.pid != std::process::id())
}

/// Who holds a port, looked up at the first refusal and then seldom: it takes a walk through all processes.
#[derive(Clone, Debug, Default)]
pub(super) struct LastHolder(Arc<Mutex<Option<Lookup>>>);

#[derive(Debug)]
struct Lookup {
    port: PathBuf,
    at: Instant,
    holder: Option<String>,
}

impl LastHolder {
    /// The program that has the port open, as it was found a short time ago at most.
    pub(super) fn of(&self, port: &Path, now: Instant) -> Option<String> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lookup) = last.as_ref().filter(|lookup| lookup.port == port && now < lookup.at + LOOK_UP_EVERY) {
            return lookup.holder.clone();
        }
        let holder = holder(port).map(|holder| holder.to_string());
        *last = Some(Lookup { port: port.to_owned(), at: now, holder: holder.clone() });
        holder
    }

    /// The port could be opened: whoever has it next time is another one.
    pub(super) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Finds out who may open the port; `None` if it is gone, or on a system that keeps it elsewhere.
#[cfg(unix)]
pub fn access(port: &Path) -> Option<Access> {
    use std::os::unix::fs::MetadataExt;

    use rustix::fs::{Access as Wish, AtFlags, CWD};

    let metadata = std::fs::metadata(port).ok()?;
    let wish = Wish::READ_OK | Wish::WRITE_OK;
    Some(Access {
        permitted: rustix::fs::accessat(CWD, port, wish, AtFlags::EACCESS).is_ok(),
        owner: name("/etc/passwd", metadata.uid()),
        group: name("/etc/group", metadata.gid()),
        mode: format!("{:04o}", metadata.mode() & 0o7777),
    })
}

/// Permissions of ports are not kept with files here.
#[cfg(not(unix))]
pub fn access(_: &Path) -> Option<Access> {
    None
}

/// What to do about a port that this program may not open, as a sentence.
pub fn remedy(port: &Path) -> String {
    #[cfg(unix)]
    let user = name("/etc/passwd", rustix::process::geteuid().as_raw());
    #[cfg(not(unix))]
    let user = String::new(); // unknown is also who may open the port
    remedy_for(port, access(port).as_ref(), &user)
}

fn remedy_for(port: &Path, access: Option<&Access>, user: &str) -> String {
    let shown = port.display();
    let Some(Access { owner, group, mode, .. }) = access else {
        return format!("no permission to open {shown}: run nbe as a user who may open serial ports");
    };
    // A group of root's alone is not one to join; the rule that gives the port another is missing.
    let is_open_to_group = u32::from_str_radix(mode, 8).is_ok_and(|mode| mode & 0o060 == 0o060);
    let cure = match is_open_to_group && group != "root" {
        true => format!(
            "add it to that group with `sudo usermod -aG {group} {user}`, then log in again or restart the service"
        ),
        false => "give dongles to a group you are in, with a line such as SUBSYSTEM==\"tty\", ATTRS{idVendor}==\"2458\", \
                  ATTRS{idProduct}==\"0001\", GROUP=\"dialout\", MODE=\"0660\" in /etc/udev/rules.d/70-nbe.rules, and plug the \
                  dongle in again"
            .into(),
    };
    format!(
        "no permission to open {shown}: it belongs to {owner} and the group {group} (mode {mode}), and this runs as \
         {user}; {cure}"
    )
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_holder_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let holder = holder(file.path()).unwrap();
        assert_eq!(holder.pid, std::process::id());
        assert!(!holder.name.is_empty());
        let path = file.into_temp_path();
        wait_until_closed(&path);
    }

    /// A child that another test starts holds what is open here until it runs its own program.
    fn wait_until_closed(path: &Path) {
        let since = Instant::now();
        while let Some(holder) = holder(path) {
            assert!(since.elapsed() < Duration::from_secs(10), "{holder:?} still holds it");
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_holder_is_looked_up_seldom() {
        let (last, now) = (LastHolder::default(), Instant::now());
        let file = tempfile::NamedTempFile::new().unwrap();
        let this = last.of(file.path(), now);
        assert!(this.is_some());
        let path = file.into_temp_path();
        assert_eq!(last.of(&path, now + LOOK_UP_EVERY / 2), this, "not looked up again");
        assert_eq!(last.of(Path::new("/nowhere"), now), None, "another port");
        let _file = std::fs::File::open(&path).unwrap();
        assert_eq!(last.of(&path, now), this);
        drop(_file);
        wait_until_closed(&path);
        assert_eq!(last.of(&path, now + LOOK_UP_EVERY), None, "closed, as is found out now");
        let _file = std::fs::File::open(&path).unwrap();
        assert_eq!(last.of(&path, now + LOOK_UP_EVERY), None);
        last.forget();
        assert_eq!(last.of(&path, now + LOOK_UP_EVERY), this);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_port_is_shared_when_another_program_has_it_open() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut command = std::process::Command::new("sleep");
        assert!(!is_shared(file.path()), "this program has it open itself");
        let mut other = command.arg("60").stdin(file.reopen().unwrap()).spawn().unwrap();
        let shared = is_shared(file.path());
        other.kill().unwrap();
        other.wait().unwrap();
        assert!(shared && !is_shared(file.path()));
    }

    #[test]
    fn the_remedy_is_a_command_or_the_rule() {
        let cases = [
            ("dialout", "0660", "`sudo usermod -aG dialout kim`"),
            ("uucp", "0640", "/etc/udev/rules.d/70-nbe.rules"), // the group may only read
            ("dialout", "0600", "/etc/udev/rules.d/70-nbe.rules"),
            ("root", "0660", "/etc/udev/rules.d/70-nbe.rules"),
            ("18", "0666", "`sudo usermod -aG 18 kim`"),
        ];
        for (group, mode, cure) in cases {
            let access = Access { permitted: false, owner: "root".into(), group: group.into(), mode: mode.into() };
            let remedy = remedy_for(Path::new("/dev/ttyACM0"), Some(&access), "kim");
            let begin = format!(
                "no permission to open /dev/ttyACM0: it belongs to root and the group {group} (mode {mode}), and this \
                 runs as kim; "
            );
            assert!(remedy.starts_with(&begin) && remedy.contains(cure), "{remedy}");
        }
        let unknown = remedy_for(Path::new("COM3"), None, "");
        assert_eq!(unknown, "no permission to open COM3: run nbe as a user who may open serial ports");
    }

    #[test]
    fn the_access_is_what_the_node_says() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for mode in [0o600, 0o660] {
            std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).unwrap();
            let access = access(file.path()).unwrap();
            assert_eq!(access.mode, format!("{mode:04o}"));
            assert!(access.permitted && remedy(file.path()).contains(&access.owner));
        }
    }

    #[test]
    fn what_is_not_there_has_no_access() {
        assert_eq!(access(Path::new("/nowhere/at/all")), None);
        assert!(remedy(Path::new("/nowhere/at/all")).contains("no permission"));
    }
}
