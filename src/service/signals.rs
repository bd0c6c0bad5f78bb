//! What the operating system asks of the daemon.

use std::io;

/// A wish of the administrator or news from the service manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// End, for this reason.
    Stop(&'static str),
    /// Look at the configuration now.
    Reload,
    /// The machine is awake again.
    Woke,
}

/// SIGTERM, SIGINT and SIGHUP, or what stands for them.
#[derive(Debug)]
pub struct Signals(source::Source);

impl Signals {
    /// Begins to listen; must be made inside a tokio runtime.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn new() -> io::Result<Self> {
        Ok(Self(source::Source::new()?))
    }

    /// Waits for the next wish. May be dropped and called again at any time.
    pub async fn next(&mut self) -> Signal {
        self.0.next().await
    }
}

#[cfg(unix)]
mod source {
    use std::io;

    use tokio::signal::unix::{self, SignalKind, signal};

    use super::Signal;

    #[derive(Debug)]
    pub(super) struct Source {
        terminate: unix::Signal,
        interrupt: unix::Signal,
        hang_up: unix::Signal,
    }

    impl Source {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self {
                terminate: signal(SignalKind::terminate())?,
                interrupt: signal(SignalKind::interrupt())?,
                hang_up: signal(SignalKind::hangup())?,
            })
        }

        pub(super) async fn next(&mut self) -> Signal {
            tokio::select! {
                _ = self.terminate.recv() => Signal::Stop("SIGTERM"),
                _ = self.interrupt.recv() => Signal::Stop("SIGINT"),
                _ = self.hang_up.recv() => Signal::Reload,
            }
        }
    }
}

#[cfg(not(unix))]
mod source {
    use std::io;

    use tokio::signal::windows::{CtrlC, ctrl_c};

    use super::Signal;

    #[derive(Debug)]
    pub(super) struct Source(CtrlC);

    impl Source {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self(ctrl_c()?))
        }

        pub(super) async fn next(&mut self) -> Signal {
            self.0.recv().await;
            Signal::Stop("Ctrl-C")
        }
    }
}
