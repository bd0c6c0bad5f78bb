//! What a port turns out to be that does not speak BGAPI, judged by the bytes that made no sense.

use bgapi::{Encoded, Message, looks_like_gecko, system};

use super::constants::{KEPT_DISCARDS, TEXT_BYTES};
use super::trouble::Trouble;

/// The newest bytes that belong to no frame, and the newest command.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    discarded: Vec<u8>,
    sent: Option<Encoded>,
}

impl Evidence {
    /// Begins anew, as when a port is opened.
    pub(super) fn clear(&mut self) {
        self.discarded.clear();
        self.sent = None;
    }

    /// Takes bytes that belong to no frame.
    pub(super) fn handle_discarded(&mut self, bytes: &[u8]) {
        let bytes = &bytes[bytes.len().saturating_sub(KEPT_DISCARDS)..];
        let excess = (self.discarded.len() + bytes.len()).saturating_sub(KEPT_DISCARDS);
        self.discarded.drain(..excess);
        self.discarded.extend_from_slice(bytes);
    }

    /// Takes a command that was sent.
    pub(super) fn handle_sent(&mut self, command: Encoded) {
        // An echoed hello is no evidence: it looks like the answer.
        if command != (system::command::Hello {}.encoded()) {
            self.sent = Some(command);
        }
    }

    /// What it looks like, if the dongle has answered nothing.
    pub(super) fn verdict(&self) -> Trouble {
        if self.is_echo() {
            Trouble::Echo
        } else if self.is_text() {
            // First, since a space looks like the beginning of a Gecko's frame.
            Trouble::Text
        } else if looks_like_gecko(&self.discarded) {
            Trouble::Gecko
        } else if self.discarded.is_empty() {
            Trouble::NeverAnswered
        } else {
            Trouble::Garbage
        }
    }

    /// Whether the port gives back what is written to it, as it is or as a terminal shows it (`^@^@^F^D`).
    pub(super) fn is_echo(&self) -> bool {
        let Some(sent) = self.sent else { return false };
        let shown: Vec<u8> = sent.iter().flat_map(|&byte| shown_by_terminal(byte)).collect();
        [&sent[..], &shown].iter().any(|echo| self.discarded.windows(echo.len()).any(|bytes| bytes == *echo))
    }

    fn is_text(&self) -> bool {
        let printable = |byte: &&u8| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n');
        let count = self.discarded.iter().filter(printable).count();
        self.discarded.len() >= TEXT_BYTES && count * 10 >= self.discarded.len() * 9
    }
}

/// The bytes a terminal echoes for one byte: a control character as a caret and a letter.
fn shown_by_terminal(byte: u8) -> impl Iterator<Item = u8> {
    let shown = if byte < 0x20 { [Some(b'^'), Some(byte + b'@')] } else { [Some(byte), None] };
    shown.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use bgapi::gap;

    use super::*;

    #[test]
    fn a_port_is_known_by_what_it_sends() {
        let cases: [(&str, &[&[u8]], Trouble); 10] = [
            ("silence", &[], Trouble::NeverAnswered),
            ("our own command", &[&[0x00, 0x00, 0x06, 0x04]], Trouble::Echo),
            ("our own command, one byte at a time", &[&[0x00], &[0x00], &[0x06], &[0x04]], Trouble::Echo),
            ("a terminal's picture of it", &[b"^@^@^F", b"^D"], Trouble::Echo),
            ("a Gecko's boot event", &[&[0xa0, 0x02, 0x01, 0x00, 0x01, 0x02]], Trouble::Gecko),
            ("a script's words", &[b"Hello, I am a script\r\n"], Trouble::Text),
            ("many of them", &[b"I am a script.\r\n", b"I am a script.\r\n"], Trouble::Text),
            ("a word", &[b"OK"], Trouble::Garbage),
            ("words in noise", &[b"temperature \xff\xfe\xfd\xfc\xfb"], Trouble::Garbage),
            ("noise", &[&[0x55, 0xaa, 0x13, 0x91]], Trouble::Garbage),
        ];
        for (case, pieces, verdict) in cases {
            let mut evidence = Evidence::default();
            evidence.handle_sent(gap::command::EndProcedure {}.encoded());
            pieces.iter().for_each(|piece| evidence.handle_discarded(piece));
            assert_eq!(evidence.verdict(), verdict, "{case}");
        }
    }

    #[test]
    fn only_the_newest_bytes_are_kept() {
        let mut evidence = Evidence::default();
        for _ in 0..1_000 {
            evidence.handle_discarded(&[0xff; 100]);
            evidence.handle_discarded(&[b'x'; 300]);
            assert_eq!(evidence.discarded, [b'x'; KEPT_DISCARDS]);
        }
        evidence.clear();
        assert_eq!(evidence.verdict(), Trouble::NeverAnswered);
    }
}
