//! Waiting for a device to be plugged in without looking again and again.

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

/// How often to look all the same. Where the system says nothing, a dongle is to be found within the 2 s that it may
/// take to be scanning.
const LOOK_AGAIN: Duration =
    if cfg!(target_os = "linux") { Duration::from_secs(5) } else { Duration::from_millis(500) };

/// Tells when ports may have come or gone.
#[derive(Debug)]
pub(super) struct Watch {
    notifier: system::Notifier,
    look_again: Pin<Box<Sleep>>,
}

impl Watch {
    /// Watches the directory of devices, and the one a port given by name is to appear in.
    pub(super) fn new(dev: &Path, port: Option<&Path>) -> Self {
        let mut dirs = vec![dev];
        // Directories such as /dev/serial/by-path come and go with their content.
        dirs.extend(port.and_then(|port| port.ancestors().skip(1).find(|dir| dir.is_dir())));
        let dirs: Vec<PathBuf> = dirs.into_iter().map(Path::to_owned).collect();
        Self { notifier: system::Notifier::new(&dirs), look_again: Box::pin(sleep(LOOK_AGAIN)) }
    }

    /// Ready when it is worth looking.
    pub(super) fn poll_change(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.look_again.as_mut().poll(cx).is_ready() {
            self.look_again.as_mut().reset(Instant::now() + LOOK_AGAIN);
            return Poll::Ready(());
        }
        self.notifier.poll_change(cx)
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::path::PathBuf;
    use std::pin::Pin;
    use std::task::{Context, Poll, ready};

    use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
    use tokio::io::{AsyncRead, ReadBuf};
    use tokio::net::unix::pipe;

    /// An inotify descriptor; that it is no pipe makes no difference to waiting and reading. Without one (their number
    /// is limited) there is still the looking again.
    #[derive(Debug)]
    pub(super) struct Notifier(Option<pipe::Receiver>);

    impl Notifier {
        pub(super) fn new(dirs: &[PathBuf]) -> Self {
            let flags = WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::DELETE | WatchFlags::ATTRIB;
            let watch = || {
                let notify = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).ok()?;
                for dir in dirs {
                    let _ = inotify::add_watch(&notify, dir, flags);
                }
                pipe::Receiver::from_owned_fd_unchecked(notify).ok()
            };
            Self(watch())
        }

        pub(super) fn poll_change(&mut self, cx: &mut Context<'_>) -> Poll<()> {
            let Some(notify) = &mut self.0 else { return Poll::Pending };
            // What changed does not matter: all is looked at anew.
            let mut changes = [0; 4096];
            match ready!(Pin::new(notify).poll_read(cx, &mut ReadBuf::new(&mut changes))) {
                Ok(()) => Poll::Ready(()),
                Err(_) => {
                    self.0 = None;
                    Poll::Pending
                }
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::path::PathBuf;
    use std::task::{Context, Poll};

    /// Nothing is told without a window or a framework; looking again has to do.
    #[derive(Debug)]
    pub(super) struct Notifier;

    impl Notifier {
        pub(super) fn new(_: &[PathBuf]) -> Self {
            Self
        }

        pub(super) fn poll_change(&mut self, _: &mut Context<'_>) -> Poll<()> {
            Poll::Pending
        }
    }
}
