//! Before every output of the log: a line that comes again and again is held back, and counted.

use std::fmt::{self, Write};
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tracing::dispatcher::WeakDispatch;
use tracing::field::{Field, Value, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Dispatch, Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::PROXIMITY;
use super::repeats::{Ended, Repeats};
use crate::clock::Clock;
use crate::time::Time;

/// Holds back what is said too often; clones share what they know.
///
/// Decisions are never held back, nor what somebody asked for who looks for a fault: debug and trace.
#[derive(Clone, Debug)]
pub(super) struct Limit(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Without one, nothing is held back.
    clock: Option<Clock>,
    /// Keyed by chance, so that nobody outside can make two lines count as one.
    hash: RandomState,
    repeats: Mutex<Repeats<Kept>>,
    /// When a count is to be told, in microseconds, so that who asks takes no lock; the greatest where there is none.
    due: AtomicU64,
    dispatch: OnceLock<WeakDispatch>,
}

impl Limit {
    /// Nothing was said yet.
    pub(super) fn new(clock: Option<Clock>) -> Self {
        let (repeats, due) = (Mutex::new(Repeats::new()), AtomicU64::new(u64::MAX));
        Self(Arc::new(Shared { clock, hash: RandomState::new(), repeats, due, dispatch: OnceLock::new() }))
    }

    /// When a count is to be told next.
    pub(super) fn poll_timeout(&self) -> Option<Time> {
        let due = self.0.due.load(Ordering::Relaxed);
        (due != u64::MAX).then_some(Time::from_micros(due))
    }

    /// Tells the counts that are due.
    pub(super) fn handle_timeout(&self, now: Time) {
        if self.poll_timeout().is_some_and(|due| due <= now) {
            self.repeats().handle_timeout(now);
            self.tell();
        }
    }

    /// Tells all counts: the log ends.
    pub(super) fn finish(&self, now: Time) {
        self.repeats().finish(now);
        self.tell();
    }

    fn tell(&self) {
        let Some(dispatch) = self.0.dispatch.get().and_then(WeakDispatch::upgrade) else { return };
        loop {
            let ended = self.repeats().poll_ended();
            self.set_due(&self.repeats());
            match ended {
                Some(ended) => tell(&dispatch, ended),
                None => return,
            }
        }
    }

    fn repeats(&self) -> MutexGuard<'_, Repeats<Kept>> {
        self.0.repeats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_due(&self, repeats: &Repeats<Kept>) {
        self.0.due.store(repeats.poll_timeout().map_or(u64::MAX, Time::as_micros), Ordering::Relaxed);
    }
}

impl<S> Layer<S> for Limit
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        let _ = self.0.dispatch.set(dispatch.downgrade()); // a layer is part of one subscriber
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut words = Words(self.0.hash.build_hasher());
        attributes.metadata().callsite().hash(&mut words.0);
        attributes.record(&mut words);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(SpanKey(words.0.finish()));
        }
    }

    fn event_enabled(&self, event: &Event<'_>, context: Context<'_, S>) -> bool {
        let metadata = event.metadata();
        let Some(clock) = self.0.clock.filter(|_| *metadata.level() <= Level::INFO && metadata.target() != PROXIMITY)
        else {
            return true;
        };
        let span = context.lookup_current();
        let mut words = Words(self.0.hash.build_hasher());
        metadata.callsite().hash(&mut words.0);
        if let Some(SpanKey(key)) = span.as_ref().and_then(|span| span.extensions().get().copied()) {
            key.hash(&mut words.0);
        }
        event.record(&mut words);
        let span = span.map(|span| span.id());
        let mut repeats = self.repeats();
        let is_said = repeats.handle(clock.now(), words.0.finish(), || self.keep(event, span));
        self.set_due(&repeats);
        is_said
    }
}

impl Limit {
    fn keep(&self, event: &Event<'_>, span: Option<Id>) -> Kept {
        let mut kept = Kept { metadata: event.metadata(), values: Vec::new(), span: None };
        kept.values.resize_with(kept.metadata.fields().len(), || None);
        event.record(&mut kept);
        // It stays open until the count is told.
        let dispatch = self.0.dispatch.get().and_then(WeakDispatch::upgrade);
        kept.span = span.zip(dispatch).map(|(id, dispatch)| dispatch.clone_span(&id));
        kept
    }
}

/// What a span and its fields come to.
#[derive(Clone, Copy)]
struct SpanKey(u64);

/// Hashes what a line says.
struct Words<H>(H);

impl<H: Hasher> Visit for Words<H> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.write_usize(field.index());
        let _ = write!(self, "{value:?}"); // a hasher takes everything
    }
}

impl<H: Hasher> Write for Words<H> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}

/// A line with its fields, to be said again with its count.
struct Kept {
    metadata: &'static Metadata<'static>,
    values: Vec<Option<Box<dyn Value + Send>>>,
    span: Option<Id>,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("metadata", self.metadata).finish_non_exhaustive()
    }
}

impl Kept {
    fn set(&mut self, field: &Field, value: impl Value + Send + 'static) {
        if let Some(place) = self.values.get_mut(field.index()) {
            *place = Some(Box::new(value));
        }
    }
}

impl Visit for Kept {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field, tracing::field::display(format!("{value:?}")));
    }
}

/// Says a line once more, with how often it was held back.
fn tell(dispatch: &Dispatch, ended: Ended<Kept>) {
    let Ended { line: Kept { metadata, mut values, span }, times, lasted } = ended;
    // Its part may say less by now.
    if dispatch.enabled(metadata)
        && let Some(message) = metadata.fields().field("message")
        && let Some(place) = values.get_mut(message.index())
    {
        let mut text = Text(String::new());
        if let Some(value) = place {
            value.record(&message, &mut text);
        }
        let count = said_more(times, lasted);
        *place = Some(Box::new(tracing::field::display(format!("{} ({count})", text.0))));
        let values: Vec<Option<&dyn Value>> =
            values.iter().map(|value| value.as_deref().map(|value| value as &dyn Value)).collect();
        let values = metadata.fields().value_set_all(&values);
        span.iter().for_each(|id| dispatch.enter(id));
        dispatch.event(&Event::new(metadata, &values));
        span.iter().for_each(|id| dispatch.exit(id));
    }
    if let Some(id) = span {
        dispatch.try_close(id);
    }
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, _: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, "{value:?}"); // a string takes everything
    }
}

fn said_more(times: u64, lasted: Duration) -> String {
    let times = if times == 1 { "once more".to_owned() } else { format!("{times} more times") };
    match lasted.as_secs() {
        secs @ 0..60 => format!("said {times} in {} s", secs.max(1)),
        secs => format!("said {times} in {} min", secs.div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;
    use crate::log::repeats::{MOST, PERIOD};
    use crate::log::text::tests::Written;
    use crate::log::{ADAPTER, Entry};

    /// What is written while `say` has the limit.
    fn written(say: impl FnOnce(&Limit)) -> Vec<String> {
        let (written, limit) = (Written::default(), Limit::new(Some(Clock::start())));
        let layers = tracing_subscriber::registry().with(limit.clone()).with(written.layer());
        tracing::subscriber::with_default(layers, || say(&limit));
        written.text().lines().map(|line| line.trim_start().to_owned()).collect()
    }

    fn dongle(adapter: u8) {
        let _span = tracing::info_span!(target: ADAPTER, "adapter", adapter).entered();
        crate::log::entry!(warn, target: ADAPTER, Entry::DongleLost, port = "ttyACM0", "the dongle is gone: {}", "x");
    }

    fn now(limit: &Limit) -> Time {
        limit.0.clock.unwrap().now()
    }

    #[test]
    fn a_line_said_too_often_is_counted_and_told_with_its_fields_in_its_span() {
        let lines = written(|limit| {
            for _ in 0..MOST + 7 {
                dongle(1);
            }
            dongle(2);
            assert!(limit.poll_timeout().is_some_and(|due| due > now(limit)));
            limit.handle_timeout(now(limit) + PERIOD);
            assert_eq!(limit.poll_timeout(), None);
        });
        let said = "WARN adapter{adapter=1}: the dongle is gone: x port=\"ttyACM0\"";
        assert_eq!(lines.len(), MOST as usize + 2, "{lines:#?}");
        assert!(lines[..MOST as usize].iter().all(|line| line == said), "{lines:#?}");
        assert_eq!(lines[MOST as usize], said.replace("=1", "=2"), "the other dongle's is another line");
        let count = said.replace("gone: x", "gone: x (said 7 more times in 10 min)");
        assert_eq!(lines[MOST as usize + 1], count);
    }

    #[test]
    fn decisions_and_what_was_asked_for_are_never_held_back() {
        let lines = written(|limit| {
            for _ in 0..100 {
                tracing::info!(target: PROXIMITY, "band-1 taps");
                tracing::debug!("a detail");
                tracing::trace!(target: "wire::adapter::read", bytes = "00");
            }
            assert_eq!(limit.poll_timeout(), None);
        });
        assert_eq!(lines.len(), 300);
    }

    #[test]
    fn what_differs_in_text_field_or_place_is_another_line() {
        let lines = written(|_| {
            for n in 0..50 {
                tracing::error!("number {n}");
                tracing::error!(n, "number");
            }
            (0..MOST).for_each(|_| tracing::error!("here"));
            (0..MOST).for_each(|_| tracing::error!("here"));
        });
        assert_eq!(lines.len(), 100 + 2 * MOST as usize);
    }

    #[test]
    fn at_the_end_of_the_log_counts_are_told_early() {
        let lines = written(|limit| {
            (0..=MOST).for_each(|_| tracing::info!("again"));
            limit.finish(now(limit));
            limit.finish(now(limit));
        });
        assert_eq!(lines.len(), MOST as usize + 1);
        assert_eq!(lines[MOST as usize], "INFO again (said once more in 1 s)");
    }

    #[test]
    fn a_count_says_how_often_in_how_long() {
        for (times, secs, said) in [
            (1, 600, "said once more in 10 min"),
            (2, 59, "said 2 more times in 59 s"),
            (3, 60, "said 3 more times in 1 min"),
            (4, 61, "said 4 more times in 2 min"),
        ] {
            assert_eq!(said_more(times, Duration::from_secs(secs)), said);
        }
    }
}
