//! The log: entries in the systemd journal where standard error leads there, events in the event log for a service of
//! Windows, else lines for people or JSON on standard error, or in a file.

mod catalogue;
#[cfg(windows)]
mod event_log;
mod file;
#[cfg(unix)]
mod journal;
mod levels;
mod limit;
mod repeats;
mod text;

use std::io::IsTerminal;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use config::{Log, LogFormat};
use tracing::Subscriber;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, reload};

pub use self::catalogue::Entry;
#[cfg(windows)]
pub use self::event_log::use_event_log;
pub use self::levels::{ADAPTER, AGENT, CONFIG, Levels, PROXIMITY};

use self::file::LogFile;
use self::limit::Limit;
use self::text::TextFields;
use crate::clock::Clock;
use crate::time::Time;

/// Says a line of the catalogue: level, target where it is not the module's, entry, then as for `tracing`.
///
/// With a level that is not the entry's, the program does not build.
macro_rules! entry {
    (@ error) => { $crate::adapter::Level::Error };
    (@ warn) => { $crate::adapter::Level::Warn };
    (@ info) => { $crate::adapter::Level::Info };
    ($level:ident, target: $target:expr, $entry:expr, $($rest:tt)+) => {{
        const {
            assert!($entry.level() as u8 == $crate::log::entry!(@ $level) as u8, "the level is not the entry's");
        }
        ::tracing::$level!(
            target: $target, message_id = $entry.message_id(), nbe_event = $entry.number(), $($rest)+
        )
    }};
    ($level:ident, $entry:expr, $($rest:tt)+) => {
        $crate::log::entry!($level, target: module_path!(), $entry, $($rest)+)
    };
}
pub(crate) use entry;

/// Changes how much a running log says; clones change the same log.
#[derive(Clone, Debug)]
pub struct Control {
    filter: reload::Handle<Targets, Registry>,
    levels: Arc<Mutex<Levels>>,
    limit: Limit,
}

/// Starts the log; what was logged before is lost, and a second call changes nothing.
///
/// With a clock, a line that comes too often is held back and counted: see [`Control::handle_timeout`].
pub fn start(log: &Log, clock: Option<Clock>) -> Control {
    let levels = Levels::from(log);
    let (filter, handle) = reload::Layer::new(levels.targets());
    let limit = Limit::new(clock);
    let (output, unused) = output(log);
    // A process has one log; a demo in a test may find it started already.
    let _ = tracing_subscriber::registry().with(filter).with(limit.clone()).with(output).try_init();
    if let Some(file) = unused {
        tracing::info!(target: CONFIG, "the log goes to the journal, so nothing is written to {}", file.display());
    }
    Control { filter: handle, levels: Arc::new(Mutex::new(levels)), limit }
}

type Output<S> = Box<dyn Layer<S> + Send + Sync>;

/// What writes lines as asked for, and a file that was asked for and is not written to.
fn output<S>(log: &Log) -> (Output<S>, Option<&Path>)
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    #[cfg(unix)]
    if let Some(journal) = journal::layer(|| lines(BoxMakeWriter::new(std::io::stderr), LogFormat::Text, false)) {
        return (journal.boxed(), log.file.as_deref());
    }
    #[cfg(windows)]
    if let Some(events) = event_log::layer() {
        let file = log.file.as_ref().map(|path| file_lines(path, log));
        return (events.and_then(file).boxed(), None);
    }
    match &log.file {
        Some(path) => (file_lines(path, log), None),
        None => {
            let is_terminal = std::io::stderr().is_terminal();
            (lines(BoxMakeWriter::new(std::io::stderr), log.format, is_terminal), None)
        }
    }
}

fn file_lines<S>(path: &Path, log: &Log) -> Output<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let file = LogFile::new(path, log.file_max_kib, log.format);
    lines(BoxMakeWriter::new(file), log.format, false)
}

fn lines<S>(writer: BoxMakeWriter, format: LogFormat, is_terminal: bool) -> Output<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    match format {
        LogFormat::Text => lines.fmt_fields(TextFields).with_ansi(is_terminal).with_target(false).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    }
}

impl Control {
    /// How much each part says.
    pub fn levels(&self) -> Levels {
        *self.levels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets how much each part says from now on.
    pub fn set_levels(&self, levels: Levels) {
        let mut held = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        // Fails only once the log is gone.
        let _ = self.filter.reload(levels.targets());
        *held = levels;
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to say.
    pub fn poll_timeout(&self) -> Option<Time> {
        self.limit.poll_timeout()
    }

    /// Says how often lines were held back, where that is due.
    pub fn handle_timeout(&self, now: Time) {
        self.limit.handle_timeout(now);
    }

    /// Says how often lines were held back, since nothing else will be said.
    pub fn finish(&self, now: Time) {
        self.limit.finish(now);
    }
}
