//! Tells when something in a directory may have changed, without looking again and again.

use std::path::{Path, PathBuf};

/// Watches the directory of a path, or the nearest one above it that exists.
///
/// It says only that it is time to look: what changed, and whether at all, is for the one who looks to find out.
#[derive(Debug)]
pub struct Watch {
    path: PathBuf,
    inner: source::Source,
}

impl Watch {
    /// Watches for changes at `path`, which need not exist; must be made inside a tokio runtime.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), inner: source::Source::new(&nearest_directory(path)) }
    }

    /// Waits until it is time to look. May be dropped and called again at any time.
    pub async fn changed(&mut self) {
        self.inner.changed().await;
        // A directory that was missing may be there now, or the watched one may have been replaced.
        self.inner = source::Source::new(&nearest_directory(&self.path));
    }
}

fn nearest_directory(path: &Path) -> PathBuf {
    path.ancestors().skip(1).find(|above| above.is_dir()).unwrap_or(Path::new("/")).to_owned()
}

/// How often to look where the system does not tell.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_secs(5);

#[cfg(target_os = "linux")]
mod source {
    use std::path::Path;

    use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
    use tokio::net::unix::pipe;

    /// An inotify descriptor; `None` where the system has none left.
    #[derive(Debug)]
    pub(super) struct Source(Option<pipe::Receiver>);

    impl Source {
        pub(super) fn new(directory: &Path) -> Self {
            Self(Self::watch(directory).ok())
        }

        fn watch(directory: &Path) -> std::io::Result<pipe::Receiver> {
            let descriptor = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
            let changes = WatchFlags::CREATE
                | WatchFlags::CLOSE_WRITE
                | WatchFlags::MOVED_TO
                | WatchFlags::MOVED_FROM
                | WatchFlags::DELETE
                | WatchFlags::DELETE_SELF
                | WatchFlags::ATTRIB;
            inotify::add_watch(&descriptor, directory, changes)?;
            // A readable descriptor; that it is no pipe makes no difference to waiting and reading.
            pipe::Receiver::from_owned_fd_unchecked(descriptor)
        }

        pub(super) async fn changed(&mut self) {
            let Some(receiver) = &self.0 else { return tokio::time::sleep(super::LOOK_EVERY).await };
            let mut events = [0; 4096];
            while receiver.readable().await.is_ok() {
                if receiver.try_read(&mut events).is_ok() {
                    return;
                }
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod source {
    #[derive(Debug)]
    pub(super) struct Source;

    impl Source {
        pub(super) fn new(_: &std::path::Path) -> Self {
            Self
        }

        pub(super) async fn changed(&mut self) {
            tokio::time::sleep(super::LOOK_EVERY).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    async fn is_told(watch: &mut Watch) -> bool {
        tokio::time::timeout(Duration::from_secs(10), watch.changed()).await.is_ok()
    }

    #[tokio::test]
    async fn a_file_is_noticed_when_it_comes_changes_and_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("nbe/nbe.toml");
        let mut watch = Watch::new(&path);
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
