//! How much each part of the daemon says.

use config::{Log, LogLevel, LogParts};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

/// The target of lines about dongles.
pub const ADAPTER: &str = "nbe::adapter";
/// The target of decisions.
pub const PROXIMITY: &str = "nbe::proximity";
/// The target of lines about the link to the agent.
pub const AGENT: &str = "nbe::agent";
/// The target of lines about the configuration.
pub const CONFIG: &str = "nbe::config";

/// The least severe lines that are written, for all parts and for single ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    /// For every part of which nothing else is said.
    pub default: LogLevel,
    /// For single parts.
    pub parts: LogParts,
}

impl From<&Log> for Levels {
    fn from(log: &Log) -> Self {
        Self { default: log.level, parts: log.parts }
    }
}

impl From<LogLevel> for Levels {
    fn from(default: LogLevel) -> Self {
        Self { default, parts: LogParts::default() }
    }
}

impl Levels {
    /// Ours at the levels asked for, those of libraries from warnings up.
    pub(super) fn targets(&self) -> Targets {
        let LogParts { adapter, proximity, agent, config, service, wire } = self.parts;
        let parts: [(Option<LogLevel>, &[&str]); 6] = [
            (adapter, &[ADAPTER]),
            (proximity, &[PROXIMITY]),
            (agent, &[AGENT, "nbe::credentials"]),
            (config, &[CONFIG, "nbe::service::configuration", "nbe::watch"]),
            // What is in no other part; a longer target goes before a shorter one.
            (service, &["nbe"]),
            (wire, &["wire"]),
        ];
        let libraries = LevelFilter::WARN.min(filter(self.default));
        parts.into_iter().fold(Targets::new().with_default(libraries), |targets, (level, names)| {
            let level = filter(level.unwrap_or(self.default));
            targets.with_targets(names.iter().map(|name| (*name, level)))
        })
    }
}

fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn a_part_says_what_is_asked_of_it_and_the_others_what_is_asked_of_all() {
        let parts = LogParts { adapter: Some(LogLevel::Debug), service: Some(LogLevel::Error), ..LogParts::default() };
        let targets = Levels { default: LogLevel::Info, parts }.targets();
        assert!(targets.would_enable("nbe::adapter::port::open", &Level::DEBUG));
        assert!(!targets.would_enable("nbe::adapter", &Level::TRACE));
        assert!(targets.would_enable("nbe::agent", &Level::INFO) && !targets.would_enable("nbe::agent", &Level::DEBUG));
        assert!(targets.would_enable("nbe::service::configuration", &Level::INFO), "it is of the configuration");
        assert!(!targets.would_enable("nbe::service", &Level::WARN));
        assert!(!targets.would_enable("wire::adapter::read", &Level::TRACE));
        assert!(
            targets.would_enable("tungstenite", &Level::WARN) && !targets.would_enable("tungstenite", &Level::INFO)
        );
    }

    #[test]
    fn the_wire_shows_its_bytes_while_all_else_is_quiet() {
        let parts = LogParts { wire: Some(LogLevel::Trace), ..LogParts::default() };
        let targets = Levels { default: LogLevel::Error, parts }.targets();
        assert!(targets.would_enable("wire::adapter::write", &Level::TRACE));
        assert!(!targets.would_enable("nbe::adapter", &Level::WARN) && !targets.would_enable("rustls", &Level::WARN));
    }
}
