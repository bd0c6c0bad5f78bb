//! What the log shows: as configured, or otherwise for a time.

use crate::control::status;
use crate::control::{Code, LogWish, Refusal};
use crate::log;
use crate::time::Time;

/// The level of a running log.
#[derive(Debug)]
pub(super) struct Levels {
    /// None where the log is somebody else's.
    log: Option<log::Control>,
    configured: log::Levels,
    /// What was asked for instead, and until when.
    asked: Option<(log::Levels, Time)>,
}

impl Levels {
    /// A log that shows what the configuration says.
    pub(super) fn new(log: Option<log::Control>, configured: log::Levels) -> Self {
        Self { log, configured, asked: None }
    }

    /// Follows the configuration; what was asked for instead holds as long as it was to.
    pub(super) fn configure(&mut self, configured: log::Levels) {
        let is_news = self.configured != configured;
        self.configured = configured;
        if is_news && self.asked.is_none() {
            self.set(configured);
        }
    }

    /// Shows something else for a time.
    pub(super) fn ask(&mut self, now: Time, wish: LogWish) -> Result<(), Refusal> {
        let LogWish { level, part, lasts } = wish;
        if part.is_some() {
            let text = "this daemon's log has one level for all parts";
            return Err(Refusal::new(Code::BadRequest, text, "leave the part out"));
        }
        let levels = log::Levels::from(level);
        self.asked = Some((levels, now + lasts));
        self.set(levels);
        tracing::info!("the log's level is {} for {} s, as was asked", level.as_str(), lasts.as_secs());
        Ok(())
    }

    /// When what the configuration says holds again.
    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.asked.map(|(_, until)| until)
    }

    /// Goes back to what the configuration says when that is due.
    pub(super) fn handle_timeout(&mut self, now: Time) {
        if self.asked.is_some_and(|(_, until)| until <= now) {
            self.asked = None;
            self.set(self.configured);
            tracing::info!("the log's level is {} again, as configured", self.configured.default.as_str());
        }
    }

    /// What it shows, and for how long.
    pub(super) fn status(&self, now: Time) -> status::Log {
        let level = self.asked.map_or(self.configured, |(level, _)| level);
        let for_s = self.asked.map(|(_, until)| until.since(now).as_millis().div_ceil(1_000) as u64);
        status::Log { level: level.default.as_str().to_owned(), for_s, ..status::Log::default() }
    }

    fn set(&self, levels: log::Levels) {
        if let Some(log) = &self.log {
            log.set_levels(levels);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use config::LogLevel;

    use super::*;

    fn wish(level: LogLevel, secs: u64) -> LogWish {
        LogWish { level, part: None, lasts: Duration::from_secs(secs) }
    }

    #[test]
    fn what_was_asked_for_holds_for_its_time_and_not_longer() {
        let mut levels = Levels::new(None, LogLevel::Info.into());
        let shown = |levels: &Levels, secs| {
            let status = levels.status(Time::from_secs(secs));
            (status.level, status.for_s)
        };
        assert_eq!((shown(&levels, 0), levels.poll_timeout()), (("info".to_owned(), None), None));
        levels.ask(Time::from_secs(10), wish(LogLevel::Trace, 600)).unwrap();
        assert_eq!(shown(&levels, 70), ("trace".to_owned(), Some(540)));
        levels.configure(LogLevel::Warn.into());
        assert_eq!(shown(&levels, 70), ("trace".to_owned(), Some(540)), "an edit does not end it");
        assert_eq!(levels.poll_timeout(), Some(Time::from_secs(610)));
        levels.handle_timeout(Time::from_secs(609));
        assert_eq!(shown(&levels, 609), ("trace".to_owned(), Some(1)));
        levels.handle_timeout(Time::from_secs(610));
        assert_eq!(shown(&levels, 610), ("warn".to_owned(), None));
        levels.ask(Time::from_secs(700), wish(LogLevel::Debug, 600)).unwrap();
        levels.ask(Time::from_secs(710), wish(LogLevel::Error, 5)).unwrap();
        assert_eq!(shown(&levels, 710), ("error".to_owned(), Some(5)), "the last word counts");
    }
}
