//! Lines of hex, as people write captures down.

use std::io::{self, BufRead, Read};

use bgapi::Direction;

/// How much of a line is read at once.
const PIECE: u64 = 64 * 1024;

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
    /// What a line that was too long to be read at once goes on with.
    within: Option<Within>,
    /// The word that such a line was cut in.
    cut: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
enum Within {
    Digits(Direction),
    /// A comment, or a line that is passed over.
    Comment,
}

impl<R: BufRead> HexLines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, line: 0, within: None, cut: Vec::new() }
    }

    /// The bytes of the next line that holds any, or of a piece of it, and which way they went.
    pub(super) fn next(&mut self) -> io::Result<Option<Result<(Direction, Vec<u8>), HexError>>> {
        loop {
            let mut piece = std::mem::take(&mut self.cut);
            if self.input.by_ref().take(PIECE).read_until(b'\n', &mut piece)? == 0 && piece.is_empty() {
                return Ok(None);
            }
            let is_whole = piece.last() == Some(&b'\n') || self.input.fill_buf()?.is_empty();
            let begun = self.within.take();
            self.line += u64::from(begun.is_none());
            if !is_whole {
                // Cut at a space, or at a pair of digits where a word is as long as that.
                let end = piece.iter().rposition(u8::is_ascii_whitespace).unwrap_or(piece.len() & !1);
                self.cut = piece.split_off(end);
            }
            let text = String::from_utf8_lossy(&piece);
            let (digits, comment) = match text.split_once('#') {
                Some((digits, _)) => (digits.trim(), true),
                None => (text.trim(), false),
            };
            let (direction, digits) = match begun {
                Some(Within::Digits(direction)) => (Some(direction), digits),
                Some(Within::Comment) => (None, ""),
                None => begin(digits),
            };
            if !is_whole {
                let goes_on = direction.filter(|_| !comment);
                self.within = Some(goes_on.map_or(Within::Comment, Within::Digits));
            }
            let Some(direction) = direction.filter(|_| !digits.is_empty()) else { continue };
            return Ok(Some(match parse(digits) {
                Ok(bytes) => Ok((direction, bytes)),
                Err(found) => Err(HexError { line: self.line, found }),
            }));
        }
    }
}

/// Which way the bytes of a line went, `None` for one that is passed over, and its digits.
fn begin(text: &str) -> (Option<Direction>, &str) {
    if text.starts_with('=') {
        return (None, "");
    }
    let marked = text.trim_start_matches(['~', '!', '+']).trim_start();
    match (marked.strip_prefix('>'), marked.strip_prefix('<')) {
        (Some(digits), _) => (Some(Direction::ToDevice), digits),
        (None, digits) => (Some(Direction::ToHost), digits.unwrap_or(marked)),
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
    fn a_line_of_any_length_is_read_in_pieces() {
        let long = format!("> {}# {}\n< 07\n", "ab cd ".repeat(50_000), "no hex ".repeat(50_000));
        let dense = "0123".repeat(50_000);
        for (text, direction, count) in [(&long, Direction::ToDevice, 100_000), (&dense, Direction::ToHost, 100_000)] {
            let mut lines = HexLines::new(text.as_bytes());
            let mut bytes = 0;
            let mut last = None;
            while let Some(line) = lines.next().unwrap() {
                let (way, piece) = line.unwrap();
                if piece == [0x07] {
                    last = Some((way, lines.line));
                } else {
                    assert_eq!(way, direction);
                    bytes += piece.len();
                }
            }
            assert_eq!(bytes, count);
            assert_eq!(last, text.ends_with("07\n").then_some((Direction::ToHost, 2)));
        }
    }

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
