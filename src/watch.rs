//! Tells when something in a directory may have changed, without looking again and again.

use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

/// Watches the directories of some paths, or the nearest ones above them that exist.
///
/// It says only that it is time to look: what changed, and whether at all, is for the one who looks to find out.
#[derive(Debug)]
pub struct Watch {
    paths: Vec<PathBuf>,
    every: Duration,
    state: State,
}

#[derive(Debug)]
enum State {
    Told(system::Notifier),
    /// The system tells nothing, or has no watch left: looked at from time to time.
    Untold(Pin<Box<Sleep>>),
}

impl Watch {
    /// Watches for changes at `paths`, which need not exist; where the system tells nothing, it is time to look `every`
    /// so often. Must be made inside a tokio runtime.
    pub fn new(paths: &[&Path], every: Duration) -> Self {
        let absolute = |path: &&Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        let paths: Vec<PathBuf> = paths.iter().map(absolute).collect();
        let state = State::new(&paths, every);
        Self { paths, every, state }
    }

    /// Waits until it is time to look. May be dropped and called again at any time.
    pub async fn changed(&mut self) {
        poll_fn(|cx| self.poll_changed(cx)).await;
    }

    /// Ready when it is time to look.
    pub fn poll_changed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.state {
            State::Told(notifier) => {
                std::task::ready!(notifier.poll_changed(cx));
                // A directory that was missing may be there now, or a watched one may have been replaced.
                self.state = State::new(&self.paths, self.every);
            }
            State::Untold(sleep) => {
                std::task::ready!(sleep.as_mut().poll(cx));
                sleep.as_mut().reset(Instant::now() + self.every);
            }
        }
        Poll::Ready(())
    }
}

impl State {
    fn new(paths: &[PathBuf], every: Duration) -> Self {
        let directories = paths.iter().map(|path| nearest_directory(path));
        system::Notifier::new(directories).map_or_else(|| Self::Untold(Box::pin(sleep(every))), Self::Told)
    }
}

fn nearest_directory(path: &Path) -> &Path {
    path.ancestors().skip(1).find(|above| above.is_dir()).unwrap_or(Path::new("/"))
}

#[cfg(target_os = "linux")]
mod system {
    use std::path::Path;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
    use tokio::io::{AsyncRead, ReadBuf};
    use tokio::net::unix::pipe;

    /// An inotify descriptor; that it is no pipe makes no difference to waiting and reading.
    #[derive(Debug)]
    pub(super) struct Notifier(pipe::Receiver);

    impl Notifier {
        /// `None` where the system has no watch left.
        pub(super) fn new<'a>(directories: impl Iterator<Item = &'a Path>) -> Option<Self> {
            let descriptor = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).ok()?;
            let changes = WatchFlags::CREATE
                | WatchFlags::CLOSE_WRITE
                | WatchFlags::MOVED_TO
                | WatchFlags::MOVED_FROM
                | WatchFlags::DELETE
                | WatchFlags::DELETE_SELF
                | WatchFlags::ATTRIB;
            for directory in directories {
                inotify::add_watch(&descriptor, directory, changes).ok()?;
            }
            pipe::Receiver::from_owned_fd_unchecked(descriptor).ok().map(Self)
        }

        pub(super) fn poll_changed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
            // What changed does not matter: all is looked at anew. Nor does an error: the next watch is another one.
            let mut events = [0; 4096];
            Pin::new(&mut self.0).poll_read(cx, &mut ReadBuf::new(&mut events)).map(drop)
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::path::Path;
    use std::task::{Context, Poll};

    #[derive(Debug)]
    pub(super) struct Notifier;

    impl Notifier {
        pub(super) fn new<'a>(_: impl Iterator<Item = &'a Path>) -> Option<Self> {
            None
        }

        pub(super) fn poll_changed(&mut self, _: &mut Context<'_>) -> Poll<()> {
            Poll::Pending
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn is_told(watch: &mut Watch) -> bool {
        tokio::time::timeout(Duration::from_secs(10), watch.changed()).await.is_ok()
    }

    #[tokio::test]
    async fn a_file_is_noticed_when_it_comes_changes_and_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("nbe/nbe.toml");
        let mut watch = Watch::new(&[&path], Duration::from_secs(5));
        std::fs::create_dir(path.parent().unwrap()).unwrap();
        assert!(is_told(&mut watch).await, "its directory comes");
        std::fs::write(&path, "a").unwrap();
        assert!(is_told(&mut watch).await, "it comes");
        std::fs::write(&path, "b").unwrap();
        assert!(is_told(&mut watch).await, "it changes");
        std::fs::write(path.with_extension("new"), "c").unwrap();
        std::fs::rename(path.with_extension("new"), &path).unwrap();
        assert!(is_told(&mut watch).await, "it is replaced");
    }
}
