//! Lines of hex, as people write captures down.

use std::io::{self, BufRead, Read};

use bgapi::Direction;

/// The longest line that is read.
const MAX_LINE: u64 = 64 * 1024;

/// A line that is not hex.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {found:?} is not hex; expected pairs of digits such as `80 0c 00 00`, `#` before a comment")]
pub(super) struct HexError {
    line: u64,
    found: String,
}

/// Reads lines of hex.
///
/// `#` begins a comment. A line may begin with `<` (from the dongle, as is one without a mark) or `>` (to it), either
/// with `~` or `!` before it, or with `+` (a piece of a stream from the dongle); a line beginning with `=` says in words
/// what the one before it holds, and is passed over.
#[derive(Debug)]
pub(super) struct HexLines<R> {
    input: R,
    line: u64,
}

impl<R: BufRead> HexLines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, line: 0 }
    }

    /// The bytes of the next line that holds any, and which way they went.
    pub(super) fn next(&mut self) -> io::Result<Option<Result<(Direction, Vec<u8>), HexError>>> {
        loop {
            let mut line = Vec::new();
            if self.input.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)? == 0 {
                return Ok(None);
            }
            self.line += 1;
            let text = String::from_utf8_lossy(&line);
            let text = text.split('#').next().unwrap_or_default().trim();
            if text.is_empty() || text.starts_with('=') {
                continue;
            }
            let marked = text.trim_start_matches(['~', '!', '+']).trim_start();
            let (direction, digits) = match (marked.strip_prefix('>'), marked.strip_prefix('<')) {
                (Some(digits), _) => (Direction::ToDevice, digits),
                (None, digits) => (Direction::ToHost, digits.unwrap_or(marked)),
            };
            return Ok(Some(match parse(digits) {
                Ok(bytes) => Ok((direction, bytes)),
                Err(found) => Err(HexError { line: self.line, found }),
            }));
        }
    }
}

/// Parses pairs of hex digits with any white space between; answers with the first word that is none.
fn parse(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    for word in text.split_ascii_whitespace() {
        let wrong = || word.chars().take(20).collect();
        if !word.len().is_multiple_of(2) || !word.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        for pair in word.as_bytes().chunks_exact(2) {
            let pair = std::str::from_utf8(pair).map_err(|_| wrong())?;
            bytes.push(u8::from_str_radix(pair, 16).map_err(|_| wrong())?);
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_people_write_them() {
        let text = "# header\n80 0c\n<800C # why\n> 00 00\n\n= evt system_boot\n+ 01\n!< 02\nx\n123\n";
        let mut lines = HexLines::new(text.as_bytes());
        let mut seen = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            seen.push(line.map_err(|error| error.to_string().chars().take(20).collect::<String>()));
        }
        use Direction::{ToDevice, ToHost};
        assert_eq!(
            seen,
            [
                Ok((ToHost, vec![0x80, 0x0c])),
                Ok((ToHost, vec![0x80, 0x0c])),
                Ok((ToDevice, vec![0, 0])),
                Ok((ToHost, vec![1])),
                Ok((ToHost, vec![2])),
                Err("line 9: \"x\" is not h".to_owned()),
                Err("line 10: \"123\" is no".to_owned()),
            ]
        );
    }
}
