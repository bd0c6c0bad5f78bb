//! One event as it arrived, and as one line.

use std::io::{self, Write};
use std::time::Duration;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;
use serde_json::ser::Formatter;

/// One event of one endpoint, received for the first time.
#[derive(Clone, Debug, PartialEq)]
pub struct Received {
    /// When, in milliseconds since 1970, UTC.
    pub unix_ms: u64,
    /// The endpoint's id, as its topic names it.
    pub endpoint: String,
    /// The event's name, such as `band.tap`.
    pub event: String,
    /// Its number within its boot; telemetry has none.
    pub seq: Option<u64>,
    /// The payload, envelope included.
    pub payload: Value,
    /// Whether a lock may be opened on it; only taps, and trends to near, could open one.
    pub verdict: Option<Verdict>,
}

/// Whether an event is young enough to act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// It is: a real agent would act now.
    pub acted: bool,
    /// From the moment of decision to the moment of receipt; `None` if the event does not say when it was decided.
    pub age: Option<Duration>,
}

impl Received {
    /// Writes it as one line of JSON. Whatever a terminal could take for a command is escaped.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_line(&self, mut out: impl Write) -> io::Result<()> {
        let mut line = Vec::with_capacity(512);
        self.serialize(&mut serde_json::Serializer::with_formatter(&mut line, Printable))?;
        line.push(b'\n');
        out.write_all(&line)?;
        out.flush()
    }
}

impl Serialize for Received {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("time", &rfc3339(self.unix_ms))?;
        map.serialize_entry("endpoint", &self.endpoint)?;
        map.serialize_entry("event", &self.event)?;
        if let Some(seq) = self.seq {
            map.serialize_entry("seq", &seq)?;
        }
        map.serialize_entry("payload", &self.payload)?;
        if let Some(Verdict { acted, age }) = self.verdict {
            map.serialize_entry("acted", &acted)?;
            map.serialize_entry("age_ms", &age.map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX)))?;
        }
        map.end()
    }
}

/// Compact JSON in which DEL and the C1 controls are escaped too; JSON itself escapes the others only.
struct Printable;

impl Formatter for Printable {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        for piece in fragment.split_inclusive(char::is_control) {
            match piece.chars().next_back().filter(|last| last.is_control()) {
                Some(control) => {
                    writer.write_all(&piece.as_bytes()[..piece.len() - control.len_utf8()])?;
                    write!(writer, "\\u{:04x}", u32::from(control))?;
                }
                None => writer.write_all(piece.as_bytes())?,
            }
        }
        Ok(())
    }
}

/// The moment as `2026-01-31T12:34:56.789Z`.
fn rfc3339(unix_ms: u64) -> String {
    let (seconds, millis) = (unix_ms / 1_000, unix_ms % 1_000);
    let (mut days, second) = (seconds / 86_400, seconds % 86_400);
    // Counted from 1 March of year 0, so that the leap day is a year's last; 719 468 days before 1970.
    days = days.saturating_add(719_468);
    let (era, day) = (days / 146_097, days % 146_097);
    let year_of_era = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day_of_month:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn line(received: &Received) -> String {
        let mut out = Vec::new();
        received.write_line(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_tap_is_one_line() {
        let mut received = Received {
            unix_ms: 1_700_000_000_123,
            endpoint: "e1".into(),
            event: "band.tap".into(),
            seq: Some(7),
            payload: json!({"v": 1, "seq": 7}),
            verdict: Some(Verdict { acted: false, age: Some(Duration::from_micros(3_000_900)) }),
        };
        let expected = concat!(
            r#"{"time":"2023-11-14T22:13:20.123Z","endpoint":"e1","event":"band.tap","seq":7,"#,
            r#""payload":{"seq":7,"v":1},"acted":false,"age_ms":3000}"#,
            "\n"
        );
        assert_eq!(line(&received), expected);
        received.verdict = Some(Verdict { acted: false, age: None });
        assert!(line(&received).ends_with("\"acted\":false,\"age_ms\":null}\n"));
        (received.seq, received.verdict) = (None, None);
        assert!(line(&received).ends_with("\"event\":\"band.tap\",\"payload\":{\"seq\":7,\"v\":1}}\n"));
    }

    #[test]
    fn what_a_terminal_would_obey_is_escaped_and_still_the_same_json() {
        let payload = json!({"a\u{9b}2J\n\u{1b}[2Jé\u{7f}": "\u{85}é\u{9b}"});
        let received = Received {
            unix_ms: 0,
            endpoint: String::new(),
            event: String::new(),
            seq: None,
            payload: payload.clone(),
            verdict: None,
        };
        let line = line(&received);
        assert!(!line.trim_end().contains(char::is_control), "{line:?}");
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap()["payload"], payload);
    }

    #[test]
    fn dates_follow_the_calendar() {
        let cases = [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (1_735_689_599_000, "2024-12-31T23:59:59.000Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ];
        for (unix_ms, text) in cases {
            assert_eq!(rfc3339(unix_ms), text);
        }
        rfc3339(u64::MAX);
    }
}
