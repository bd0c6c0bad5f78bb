//! The event log of Windows, for a service.

use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, Ordering};

use nbe_windows::{EventSource, Severity};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::layer::Context;

use super::text::TextFields;

/// The id of lines that are not of the catalogue.
const OTHER: u32 = 1;

static IS_WANTED: AtomicBool = AtomicBool::new(false);

/// From now on a log that is started goes to the event log.
pub fn use_event_log() {
    IS_WANTED.store(true, Ordering::Relaxed);
}

/// Writes events with their numbers, if that was asked for and the event log runs.
pub(super) fn layer() -> Option<EventLog> {
    IS_WANTED.load(Ordering::Relaxed).then(|| EventSource::open(crate::service::windows::NAME).ok().map(EventLog))?
}

#[derive(Debug)]
pub(super) struct EventLog(EventSource);

impl<S: Subscriber> Layer<S> for EventLog {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        // The log is everybody's, and has room for a few thousand lines: what is for developers goes to a file.
        if *event.metadata().level() > Level::INFO {
            return;
        }
        let mut text = String::new();
        if TextFields.format_fields(Writer::new(&mut text), event).is_err() {
            return;
        }
        let mut number = Number(OTHER);
        event.record(&mut number);
        let severity = match *event.metadata().level() {
            Level::ERROR => Severity::Error,
            Level::WARN => Severity::Warning,
            _ => Severity::Information,
        };
        if self.0.report(severity, number.0, &text).is_err() {
            eprintln!("{text}");
        }
    }
}

/// The event's number in the catalogue.
struct Number(u32);

impl Visit for Number {
    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "nbe_event" {
            self.0 = u32::try_from(value).unwrap_or(OTHER);
        }
    }
}
