//! What is to outlive a restart: the endpoint's id, a copy of the last good nbe.toml and what was learnt, where they can
//! be kept.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use config::{SourceFile, last_good};
use tokio::task::JoinHandle;

use crate::identity::{self, EndpointId};
use crate::log::{self, Entry};
use crate::proximity::MAX_BYTES;

/// How long a stop waits for the disk.
const PATIENCE: Duration = Duration::from_secs(2);

/// The file in the state directory that keeps what was learnt.
const LEARNT: &str = "learnt.json";

/// Keeps the state; clones keep the same.
#[derive(Clone, Debug)]
pub(super) struct State(Arc<Keeper>);

#[derive(Debug)]
struct Keeper {
    directory: Option<PathBuf>,
    machine: EndpointId,
    /// Whether the endpoint's id comes from the machine's own, which needs no keeping.
    is_derived: bool,
    /// A good file that is still to be copied; a later one takes its place.
    file: Mutex<Option<SourceFile>>,
    /// What was learnt and is still to be written; the same.
    learnt: Mutex<Option<Vec<u8>>>,
    /// The last write, which may be over; it waits for those before.
    write: Mutex<Option<JoinHandle<()>>>,
    /// Whether the log's last word is that it is kept in memory: said when it begins, not at every save.
    in_memory: Mutex<bool>,
}

impl State {
    /// State in `directory`, of the endpoint with the id `machine`.
    pub(super) fn new(directory: Option<PathBuf>, machine: EndpointId, is_derived: bool) -> Self {
        let (file, learnt, write) = (Mutex::new(None), Mutex::new(None), Mutex::new(None));
        Self(Arc::new(Keeper { directory, machine, is_derived, file, learnt, write, in_memory: Mutex::new(false) }))
    }

    /// Keeps the endpoint's id and, if there is one, a copy of `file`, and says so where that is news.
    pub(super) fn keep(&self, file: Option<SourceFile>) {
        *lock(&self.0.file) = file;
        self.0.keep();
    }

    /// The same off the loop: writing to a disk and waiting for it would make readings late.
    pub(super) fn keep_soon(&self, file: Option<SourceFile>) {
        if file.is_some() {
            *lock(&self.0.file) = file;
            self.write();
        }
    }

    /// The same of what was learnt, in its written form.
    pub(super) fn keep_learnt_soon(&self, learnt: Vec<u8>) {
        *lock(&self.0.learnt) = Some(learnt);
        self.write();
    }

    /// What was learnt at another time, in its written form, if anything was; `None` where nothing is kept.
    pub(super) fn learnt(&self) -> Option<io::Result<Option<Vec<u8>>>> {
        let path = self.0.directory.as_ref()?.join(LEARNT);
        if fs::metadata(&path).is_ok_and(|found| !found.is_file()) {
            return Some(Err(io::Error::other("it is no file"))); // to open a pipe would wait for ever
        }
        let read = File::open(path).and_then(|file| {
            let mut bytes = Vec::new();
            // One more than there can be, so that a longer one is seen to be none of ours.
            file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map(|_| Some(bytes))
        });
        Some(read.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(None) } else { Err(error) }))
    }

    fn write(&self) {
        let keeper = Arc::clone(&self.0);
        let write = tokio::task::spawn_blocking(move || keeper.keep());
        *lock(&self.0.write) = Some(write);
    }

    /// Waits until it is kept, but not for long: a disk may never answer.
    pub(super) async fn finish(&self) {
        let write = lock(&self.0.write).take();
        if let Some(write) = write
            && tokio::time::timeout(PATIENCE, write).await.is_err()
        {
            log::entry!(
                warn,
                Entry::StateInMemory,
                "the disk does not answer: no copy of today's nbe.toml can stand in for one with a mistake"
            );
        }
    }
}

impl Keeper {
    fn keep(&self) {
        // Held while writing, so that a later file is written later.
        let mut in_memory = lock(&self.in_memory);
        let file = lock(&self.file).take();
        let Some(directory) = &self.directory else {
            if !std::mem::replace(&mut *in_memory, true) {
                tracing::info!("{}", self.told(&none_named()));
            }
            return;
        };
        let kept = self.machine.keep(directory);
        let kept = kept.and_then(|()| file.map_or(Ok(()), |file| last_good::save(directory, &file)));
        let learnt = lock(&self.learnt).take();
        let write = |learnt: &Vec<u8>| last_good::replace_private(&directory.join(LEARNT), learnt);
        let kept = kept.and_then(|()| learnt.as_ref().map_or(Ok(()), write));
        if kept.is_err() {
            let mut waiting = lock(&self.learnt);
            *waiting = waiting.take().or(learnt); // for when there is room again
        }
        let was_in_memory = std::mem::replace(&mut *in_memory, kept.is_err());
        match (kept, was_in_memory) {
            (Ok(()), true) => tracing::info!("state is kept in {} from now on", directory.display()),
            (Err(error), false) => log::entry!(warn, Entry::StateInMemory, "{}", self.told(&cause(directory, &error))),
            (Ok(()), false) | (Err(_), true) => {}
        }
    }

    /// What it is, why, and what it means.
    fn told(&self, cause: &str) -> String {
        let id = if self.is_derived { "" } else { ", and the endpoint gets another id" };
        format!(
            "state is kept in memory only, since {cause}: at the next start, no copy of today's nbe.toml can stand in \
             for one with a mistake{id}"
        )
    }
}

/// Why there is no directory, where none is named.
fn none_named() -> String {
    match Path::new(identity::STATE).is_dir() {
        true => format!("this account may not write to {}, and STATE_DIRECTORY is not set", identity::STATE),
        false => format!("{} does not exist, and STATE_DIRECTORY is not set", identity::STATE),
    }
}

/// Why nothing can be kept in a directory.
fn cause(directory: &Path, error: &io::Error) -> String {
    let directory = directory.display();
    match error.kind() {
        io::ErrorKind::ReadOnlyFilesystem => format!("{directory} is on a read-only file system"),
        io::ErrorKind::PermissionDenied => format!("this account may not write to {directory}"),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => format!("there is no space left in {directory}"),
        io::ErrorKind::NotFound => format!("{directory} does not exist"),
        io::ErrorKind::NotADirectory => format!("{directory} is not a directory"),
        _ => format!("{directory} cannot be written ({error})"),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_is_lost() {
        let told = |machine_id: Option<&str>| {
            let machine = EndpointId::of_machine(machine_id, None).unwrap();
            State::new(None, machine, machine_id.is_some()).0.told("so it is")
        };
        let copy = "state is kept in memory only, since so it is: at the next start, no copy of today's nbe.toml can stand \
                    in for one with a mistake";
        assert_eq!(told(Some("0123456789abcdef0123456789abcdef")), copy);
        assert_eq!(told(None), format!("{copy}, and the endpoint gets another id"));
    }

    #[test]
    fn the_cause_is_named() {
        let cause = |kind: io::ErrorKind| cause(Path::new("/state"), &kind.into());
        assert_eq!(cause(io::ErrorKind::QuotaExceeded), "there is no space left in /state");
        assert_eq!(cause(io::ErrorKind::NotADirectory), "/state is not a directory");
        assert_eq!(cause(io::ErrorKind::TimedOut), "/state cannot be written (timed out)");
    }
}
