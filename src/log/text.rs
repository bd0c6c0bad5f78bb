//! A line's fields as a person reads them.

use std::fmt::{self, Write};

use tracing::field::{Field, Visit};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::Writer;

/// Fields that are for machines, or that the message says already.
const UNSAID: [&str; 4] = ["message_id", "nbe_event", "nbe_band", "nbe_mean_dbm"];

/// Writes the message as it is and every other field as `name=value`.
#[derive(Clone, Copy, Debug)]
pub(super) struct TextFields;

impl<'writer> FormatFields<'writer> for TextFields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut line = Line { writer, is_empty: true, result: Ok(()) };
        fields.record(&mut line);
        line.result
    }
}

struct Line<'writer> {
    writer: Writer<'writer>,
    is_empty: bool,
    result: fmt::Result,
}

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let name = field.name();
        if UNSAID.contains(&name) || self.result.is_err() {
            return;
        }
        let between = if std::mem::take(&mut self.is_empty) { "" } else { " " };
        self.result = match name.strip_prefix("nbe_").unwrap_or(name) {
            "message" => write!(self.writer, "{between}"),
            name => write!(self.writer, "{between}{name}="),
        };
        self.result = self.result.and_then(|()| write!(Visible(&mut self.writer), "{value:?}"));
    }
}

/// Shows as escapes what would steer a terminal or turn a line around.
struct Visible<'a, W>(&'a mut W);

impl<W: Write> Write for Visible<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                    write!(self.0, "{}", c.escape_unicode())?;
                }
                c if c.is_control() => write!(self.0, "{}", c.escape_default())?,
                c => self.0.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing::Subscriber;
    use tracing_subscriber::Layer;
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::registry::LookupSpan;

    use super::*;

    /// What a log wrote.
    #[derive(Clone, Default)]
    pub(in crate::log) struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Written {
        /// Writes lines as on standard error, without the time.
        pub(in crate::log) fn layer<S>(&self) -> impl Layer<S> + use<S>
        where
            S: Subscriber + for<'span> LookupSpan<'span>,
        {
            let writer = self.clone();
            let lines = tracing_subscriber::fmt::layer().fmt_fields(TextFields).with_ansi(false).without_time();
            lines.with_target(false).with_writer(move || writer.clone())
        }

        pub(in crate::log) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    fn written(say: impl FnOnce()) -> String {
        let written = Written::default();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(written.layer()), say);
        written.text()
    }

    #[test]
    fn ids_are_for_machines_and_fields_lose_what_the_journal_needs() {
        let line = written(|| tracing::info!(message_id = "ab", nbe_event = 401, nbe_band = "b7", nbe_n = 3, "tap"));
        assert_eq!(line, " INFO tap n=3\n");
    }

    #[test]
    fn nothing_in_a_line_steers_the_terminal() {
        let evil = "a\x1b[2Jb\r\nc\u{202e}d\u{9b}é";
        let line = written(|| tracing::warn!(name = %evil, "{evil}"));
        let shown = "a\\u{1b}[2Jb\\r\\nc\\u{202e}d\\u{9b}é";
        assert_eq!(line, format!(" WARN {shown} name={shown}\n"));
    }
}
