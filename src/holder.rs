//! Which programs have a file, a port or a socket open, as far as the system lets one look.

use std::fmt;
use std::path::Path;

use serde::Serialize;

/// A program that has something open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// Its name, as `ps` shows it.
    pub name: String,
    /// Its process id.
    pub pid: u32,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (process {})", self.name, self.pid)
    }
}

/// Every open descriptor that leads to what `is_it` knows, by the program that has it; lowest process id first.
///
/// `is_it` is asked about the system's name of what is open: a path, or `socket:[inode]`.
#[cfg(target_os = "linux")]
pub fn holders(is_it: impl Fn(&Path) -> bool) -> impl Iterator<Item = Holder> {
    let number = |entry: std::fs::DirEntry| entry.file_name().to_str()?.parse::<u32>().ok();
    let mut pids: Vec<u32> = std::fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(number).collect();
    pids.sort_unstable();
    pids.into_iter().flat_map(move |pid| {
        let open = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        let count = open.filter(|fd| std::fs::read_link(fd.path()).is_ok_and(|target| is_it(&target))).count();
        std::iter::repeat_n(pid, count).map(|pid| Holder { name: name(pid), pid })
    })
}

/// Whether a program makes pseudo-terminals: it has the other end of one, and may keep our end open too.
#[cfg(target_os = "linux")]
pub fn makes_terminals(pid: u32) -> bool {
    let open = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let mut targets = open.filter_map(|fd| std::fs::read_link(fd.path()).ok());
    targets.any(|target| target == Path::new("/dev/ptmx") || target == Path::new("/dev/pts/ptmx"))
}

/// Nothing tells it on this system.
#[cfg(not(target_os = "linux"))]
pub fn makes_terminals(_: u32) -> bool {
    false
}

/// Nothing tells it on this system.
#[cfg(not(target_os = "linux"))]
pub fn holders(_: impl Fn(&Path) -> bool) -> impl Iterator<Item = Holder> {
    std::iter::empty()
}

#[cfg(target_os = "linux")]
fn name(pid: u32) -> String {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    name.trim().chars().filter(|char| !char.is_control()).collect()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn every_descriptor_counts_and_names_its_program() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().canonicalize().unwrap();
        let again = file.reopen().unwrap();
        let found: Vec<Holder> = holders(|target| target == path).collect();
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|holder| holder.pid == std::process::id() && !holder.name.is_empty()));
        drop(again);
        assert_eq!(holders(|target| target == path).count(), 1);
    }
}
