//! What the service manager is told: ready, how it goes, still alive, stopping.

use std::time::Duration;

use crate::time::Time;

/// The link to the service manager; without one, nothing is told and nothing is due.
#[derive(Debug)]
pub(super) struct Notify {
    status: String,
    watchdog: Option<Duration>,
    next_feed: Time,
}

impl Notify {
    pub(super) fn new(now: Time) -> Self {
        // Twice as often as asked for, so that one late feed is no bite.
        let watchdog = source::watchdog().map(|interval| interval / 2);
        Self { status: String::new(), watchdog, next_feed: now }
    }

    /// The loops run and the configuration is valid.
    pub(super) fn ready(&mut self) {
        source::tell(source::State::Ready);
    }

    /// The health sentence, told when it changes.
    pub(super) fn status(&mut self, status: String) {
        if status != self.status {
            source::tell(source::State::Status(&status));
            tracing::debug!(status, "health");
            self.status = status;
        }
    }

    pub(super) fn stopping(&mut self) {
        source::tell(source::State::Stopping);
    }

    /// When the watchdog is to be fed next.
    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.watchdog.map(|_| self.next_feed)
    }

    /// Feeds the watchdog; called from the loop that reads, decides and delivers, so that it starves with any of them.
    pub(super) fn handle_timeout(&mut self, now: Time) {
        if let Some(interval) = self.watchdog
            && now >= self.next_feed
        {
            self.next_feed = now + interval;
            source::tell(source::State::Watchdog);
        }
    }
}

#[cfg(target_os = "linux")]
mod source {
    use sd_notify::NotifyState;

    pub(super) enum State<'a> {
        Ready,
        Status(&'a str),
        Watchdog,
        Stopping,
    }

    pub(super) fn tell(state: State<'_>) {
        let state = match state {
            State::Ready => NotifyState::Ready,
            State::Status(status) => NotifyState::Status(status),
            State::Watchdog => NotifyState::Watchdog,
            State::Stopping => NotifyState::Stopping,
        };
        if let Err(error) = sd_notify::notify(&[state]) {
            tracing::debug!(%error, "the service manager does not listen");
        }
    }

    pub(super) fn watchdog() -> Option<std::time::Duration> {
        sd_notify::watchdog_enabled()
    }
}

#[cfg(not(target_os = "linux"))]
mod source {
    pub(super) enum State<'a> {
        Ready,
        Status(#[expect(dead_code, reason = "nobody listens on this system")] &'a str),
        Watchdog,
        Stopping,
    }

    pub(super) fn tell(_: State<'_>) {}

    pub(super) fn watchdog() -> Option<std::time::Duration> {
        None
    }
}
