//! The log: lines for people, or JSON, on standard error.

use std::io::IsTerminal;

use config::{LogFormat, LogLevel};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, reload};

/// Changes the level of a running log.
#[derive(Clone, Debug)]
pub struct Control(reload::Handle<Targets, Registry>);

/// Starts the log; what was logged before is lost, and a second call changes nothing.
pub fn start(format: LogFormat, level: LogLevel) -> Control {
    let (filter, handle) = reload::Layer::new(targets(level));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).with_target(false).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    // A process has one log; a demo in a test may find it started already.
    let _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
    Control(handle)
}

impl Control {
    /// Sets the level from now on.
    pub fn set_level(&self, level: LogLevel) {
        // Fails only once the log is gone.
        let _ = self.0.reload(targets(level));
    }
}

/// Ours at the level asked for, those of libraries from warnings up.
fn targets(level: LogLevel) -> Targets {
    let level = level.as_str().parse().unwrap_or(LevelFilter::INFO);
    Targets::new().with_default(LevelFilter::WARN.min(level)).with_target("nbe", level).with_target("wire", level)
}
