//! Lists of readings: `t_s,rssi_dbm,…` lines after `#` header lines and, as a rule, a line of column names.

use std::io::{self, BufRead, Read};

/// The longest line that is read; no recording writes longer ones.
const MAX_LINE: u64 = 64 * 1024;

/// One reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// When, in µs on the recording's own axis.
    pub t_us: i64,
    /// The level in tenths of a dBm, as recorded: not yet corrected, not yet known to be one.
    pub tenths: i32,
}

/// A line that is no reading.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct ReadingError {
    /// Which line, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub what: String,
}

/// Reads a list of readings line by line, in memory that does not grow with it.
#[derive(Debug)]
pub struct Readings<R> {
    input: R,
    line: u64,
    text: String,
    /// Where `t_s` and `rssi_dbm` stand in a line.
    columns: (usize, usize),
}

impl<R: BufRead> Readings<R> {
    /// Begins at the top of the file.
    pub fn new(input: R) -> Self {
        Self { input, line: 0, text: String::new(), columns: (0, 1) }
    }

    /// Reads the next line into `text`; false at the end.
    fn advance(&mut self) -> io::Result<bool> {
        let mut bytes = std::mem::take(&mut self.text).into_bytes();
        bytes.clear();
        let read = self.input.by_ref().take(MAX_LINE).read_until(b'\n', &mut bytes)?;
        if read as u64 == MAX_LINE && !bytes.ends_with(b"\n") {
            self.input.skip_until(b'\n')?;
        }
        self.line += 1;
        self.text =
            String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        Ok(read > 0)
    }

    fn parse(&self, line: &str) -> Result<Reading, String> {
        let field = |column: usize, name: &str| {
            let text = line.split(',').nth(column).map(str::trim).filter(|text| !text.is_empty());
            let text = text.ok_or_else(|| format!("{name} is missing"))?;
            let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
            number.ok_or_else(|| format!("{name} is not a number: {:?}", text.chars().take(40).collect::<String>()))
        };
        let (t_s, rssi_dbm) = (field(self.columns.0, "t_s")?, field(self.columns.1, "rssi_dbm")?);
        if t_s.abs() > 1e12 {
            return Err(format!("t_s is out of range: {t_s:e}"));
        }
        // A level far outside is no reading either way; the clamp keeps it one that the engine refuses.
        let tenths = (rssi_dbm * 10.0).round().clamp(-1e6, 1e6);
        Ok(Reading { t_us: (t_s * 1e6).round() as i64, tenths: tenths as i32 })
    }

    /// Takes a line of column names, if it is one.
    fn name_columns(&mut self, line: &str) -> bool {
        let place = |name: &str| line.split(',').position(|column| column.trim() == name);
        match (place("t_s"), place("rssi_dbm")) {
            (Some(t_s), Some(rssi_dbm)) => {
                self.columns = (t_s, rssi_dbm);
                true
            }
            _ => false,
        }
    }
}

impl<R: BufRead> Iterator for Readings<R> {
    type Item = io::Result<Result<Reading, ReadingError>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.advance() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
            let text = std::mem::take(&mut self.text);
            let line = text.trim_start_matches('\u{feff}').trim();
            if line.is_empty() || line.starts_with('#') || self.name_columns(line) {
                continue;
            }
            let reading = self.parse(line).map_err(|what| ReadingError { line: self.line, what });
            self.text = text;
            return Some(Ok(reading));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Result<Reading, ReadingError>> {
        Readings::new(text.as_bytes()).map(Result::unwrap).collect()
    }

    #[test]
    fn headers_are_passed_over_and_columns_found_by_name() {
        let ok = |t_us, tenths| Ok(Reading { t_us, tenths });
        let cases: [(&str, &str, &[_]); 6] = [
            ("plain", "t_s,rssi_dbm\n0,-60\n1.5,-61\n", &[ok(0, -600), ok(1_500_000, -610)]),
            ("tenths, as after calibration", "0.45,-66.7,,\n", &[ok(450_000, -667)]),
            (
                "header lines",
                "# source: x\n# near_m: 1\r\nt_s,rssi_dbm,distance_m,label\r\n-2,-50,1,a\r\n",
                &[ok(-2_000_000, -500)],
            ),
            ("columns in another order", "rssi_dbm,band,t_s\n-70,x,3\n", &[ok(3_000_000, -700)]),
            ("a byte order mark before the names", "\u{feff}t_s,rssi_dbm\n1,-50\n", &[ok(1_000_000, -500)]),
            ("small times in exponents", "1e-05,-50\n", &[ok(10, -500)]),
        ];
        for (case, text, readings) in cases {
            assert_eq!(read(text), readings, "{case}");
        }
    }

    #[test]
    fn lines_that_are_no_readings_are_named_and_left_out() {
        let seen = read("0,-60\nx,-60\n1\n2,NaN\n1e300,-60\n3,-60\n");
        let whats: Vec<String> = seen.iter().filter_map(|line| line.as_ref().err()).map(ToString::to_string).collect();
        assert_eq!(
            whats,
            [
                "line 2: t_s is not a number: \"x\"",
                "line 3: rssi_dbm is missing",
                "line 4: rssi_dbm is not a number: \"NaN\"",
                "line 5: t_s is out of range: 1e300"
            ]
        );
        assert_eq!(seen.iter().flatten().count(), 2);
    }

    #[test]
    fn an_endless_line_does_not_fill_the_memory() {
        let text = "9".repeat(200_000) + "\n1,-50\n";
        let seen = read(&text);
        assert!(seen[0].is_err());
        assert!(matches!(seen.last(), Some(Ok(Reading { t_us: 1_000_000, .. }))));
    }
}
