//! What the log shows: as configured, or otherwise for a time.

use config::{LogLevel, LogParts};

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
        let mut levels = self.shown();
        match part {
            None => levels = level.into(),
            Some(part) => match of_part(&mut levels.parts, &part) {
                Some(of_part) => *of_part = Some(level),
                None => {
                    let text = format!("the log has no part {part:.40}");
                    return Err(Refusal::new(Code::BadRequest, text, format!("the parts are {}", PARTS.join(", "))));
                }
            },
        }
        self.asked = Some((levels, now + lasts));
        self.set(levels);
        tracing::info!("the log shows {} for {} s, as was asked", said(levels), lasts.as_secs());
        Ok(())
    }

    /// When what the configuration says holds again, or the log has something to add.
    pub(super) fn poll_timeout(&self) -> Option<Time> {
        let log = self.log.as_ref().and_then(log::Control::poll_timeout);
        self.asked.map(|(_, until)| until).into_iter().chain(log).min()
    }

    /// Goes back to what the configuration says when that is due, and lets the log add what it has to.
    pub(super) fn handle_timeout(&mut self, now: Time) {
        self.log.iter().for_each(|log| log.handle_timeout(now));
        if self.asked.is_some_and(|(_, until)| until <= now) {
            self.asked = None;
            self.set(self.configured);
            tracing::info!("the log shows {} again, as configured", said(self.configured));
        }
    }

    /// Lets the log say what it was to add later.
    pub(super) fn finish(&self, now: Time) {
        self.log.iter().for_each(|log| log.finish(now));
    }

    /// What it shows, and for how long.
    pub(super) fn status(&self, now: Time) -> status::Log {
        let levels = self.shown();
        let for_s = self.asked.map(|(_, until)| until.since(now).as_millis().div_ceil(1_000) as u64);
        let parts = others(levels).map(|(part, level)| (part.to_owned(), level.to_owned())).collect();
        status::Log { level: levels.default.as_str().to_owned(), parts, for_s }
    }

    fn shown(&self) -> log::Levels {
        self.asked.map_or(self.configured, |(levels, _)| levels)
    }

    fn set(&self, levels: log::Levels) {
        if let Some(log) = &self.log {
            log.set_levels(levels);
        }
    }
}

/// The parts by name, as under `[log.parts]`.
const PARTS: [&str; 6] = ["adapter", "proximity", "agent", "config", "service", "wire"];

/// What is said of one part.
fn of_part<'a>(parts: &'a mut LogParts, name: &str) -> Option<&'a mut Option<LogLevel>> {
    let LogParts { adapter, proximity, agent, config, service, wire } = parts;
    let place = PARTS.iter().position(|part| *part == name)?;
    [adapter, proximity, agent, config, service, wire].into_iter().nth(place)
}

/// The parts of which something else is said than of all.
fn others(mut levels: log::Levels) -> impl Iterator<Item = (&'static str, &'static str)> {
    PARTS.into_iter().filter_map(move |part| {
        let level = (*of_part(&mut levels.parts, part)?)?;
        (level != levels.default).then(|| (part, level.as_str()))
    })
}

/// What a log shows, in a few words.
fn said(levels: log::Levels) -> String {
    let others = others(levels).map(|(part, level)| format!(", {part} {level}"));
    std::iter::once(levels.default.as_str().to_owned()).chain(others).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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

    #[test]
    fn one_part_says_more_beside_what_was_asked_before() {
        let configured = LogParts { wire: Some(LogLevel::Warn), ..LogParts::default() };
        let mut levels = Levels::new(None, log::Levels { default: LogLevel::Info, parts: configured });
        let part = |part: &str, level| LogWish { part: Some(part.to_owned()), ..wish(level, 60) };
        let shown = |levels: &Levels| said(levels.shown());
        assert_eq!(shown(&levels), "info, wire warn");
        levels.ask(Time::ZERO, part("agent", LogLevel::Trace)).unwrap();
        assert_eq!(shown(&levels), "info, agent trace, wire warn");
        levels.ask(Time::from_secs(1), part("wire", LogLevel::Info)).unwrap();
        assert_eq!(shown(&levels), "info, agent trace");
        assert_eq!(
            levels.status(Time::from_secs(1)).parts.into_iter().collect::<Vec<_>>(),
            [("agent".into(), "trace".into())]
        );
        let refusal = levels.ask(Time::from_secs(2), part("moon", LogLevel::Trace)).unwrap_err();
        assert!(refusal.text.contains("moon") && refusal.cure.ends_with("config, service, wire"), "{refusal:?}");
        for name in PARTS {
            levels.ask(Time::from_secs(2), part(name, LogLevel::Debug)).unwrap();
            assert!(shown(&levels).contains(&format!("{name} debug")), "{name}");
        }
        levels.ask(Time::from_secs(3), wish(LogLevel::Error, 60)).unwrap();
        assert_eq!(shown(&levels), "error", "all means every part");
        levels.handle_timeout(Time::from_secs(63));
        assert_eq!(shown(&levels), "info, wire warn");
    }
}
