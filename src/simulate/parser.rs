//! The chip's command parser, which believes every header it reads.

use std::time::Duration;

use bgapi::{ErrorCode, HEADER_LEN, Header};

use crate::time::Time;

/// The longest payload a command may have, in bytes. No source gives the chip's limit: public programs stay within 60.
pub(super) const MAX_COMMAND_PAYLOAD: usize = 64;

/// How long half a command is kept, since firmware 1.2.
pub(super) const HALF_COMMAND_KEPT: Duration = Duration::from_secs(1);

/// Cuts the host's bytes into commands by their headers alone, so that one stray byte shifts all that follow, as it
/// does on the chip; only silence mends that.
#[derive(Clone, Debug, Default)]
pub(super) struct CommandParser {
    bytes: Vec<u8>,
    /// Payload bytes of a command that is too long, still to be ignored.
    ignoring: usize,
    /// When the newest byte of half a command came.
    touched: Option<Time>,
}

impl CommandParser {
    /// Takes bytes; gives whole commands, and an error for each that does not fit.
    pub(super) fn handle_bytes(&mut self, now: Time, bytes: &[u8], mut found: impl FnMut(Result<Vec<u8>, ErrorCode>)) {
        for &byte in bytes {
            if self.ignoring > 0 {
                self.ignoring -= 1;
                continue;
            }
            self.bytes.push(byte);
            let Some(&header) = self.bytes.first_chunk::<HEADER_LEN>() else { continue };
            let payload_len = Header::new(header).payload_len;
            if payload_len > MAX_COMMAND_PAYLOAD {
                self.bytes.clear();
                self.ignoring = payload_len;
                found(Err(ErrorCode::COMMAND_TOO_LONG));
            } else if self.bytes.len() == HEADER_LEN + payload_len {
                found(Ok(std::mem::take(&mut self.bytes)));
            }
        }
        if !bytes.is_empty() {
            self.touched = self.is_inside_command().then_some(now);
        }
    }

    /// Drops half a command that has waited too long; true if there was one.
    pub(super) fn handle_timeout(&mut self, now: Time) -> bool {
        let is_over = self.poll_timeout().is_some_and(|due| due <= now);
        if is_over {
            *self = Self::default();
        }
        is_over
    }

    /// When half a command is going to be dropped.
    pub(super) fn poll_timeout(&self) -> Option<Time> {
        self.touched.map(|touched| touched + HALF_COMMAND_KEPT)
    }

    fn is_inside_command(&self) -> bool {
        !self.bytes.is_empty() || self.ignoring > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(parser: &mut CommandParser, now: Time, bytes: &[u8]) -> Vec<Result<Vec<u8>, ErrorCode>> {
        let mut all = Vec::new();
        parser.handle_bytes(now, bytes, |found| all.push(found));
        all
    }

    #[test]
    fn a_command_may_come_byte_by_byte() {
        let mut parser = CommandParser::default();
        let mut all = Vec::new();
        for byte in [0x00, 0x01, 0x06, 0x02, 0x02, 0x00] {
            all.extend(feed(&mut parser, Time::ZERO, &[byte]));
        }
        assert_eq!(all, [Ok(vec![0x00, 0x01, 0x06, 0x02, 0x02])]);
        assert_eq!(parser.poll_timeout(), Some(Time::from_secs(1)), "the last byte begins another");
    }

    #[test]
    fn a_stray_byte_shifts_what_follows_until_the_line_is_silent() {
        let mut parser = CommandParser::default();
        let shifted = feed(&mut parser, Time::ZERO, &[0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00]);
        assert_eq!(shifted, [Ok(vec![0, 0, 0, 0])], "not the hello behind the stray byte");
        assert!(!parser.handle_timeout(Time::from_millis(999)));
        assert!(parser.handle_timeout(Time::from_secs(1)));
        assert_eq!(feed(&mut parser, Time::from_secs(1), &[0, 0, 0, 1]), [Ok(vec![0, 0, 0, 1])]);
    }

    #[test]
    fn the_second_begins_anew_with_each_byte() {
        let mut parser = CommandParser::default();
        feed(&mut parser, Time::ZERO, &[0x00]);
        feed(&mut parser, Time::from_millis(900), &[0x00]);
        assert!(!parser.handle_timeout(Time::from_millis(1_800)));
        assert!(parser.handle_timeout(Time::from_millis(1_900)));
    }

    #[test]
    fn a_command_that_is_too_long_is_ignored_whole() {
        let mut parser = CommandParser::default();
        let mut bytes = vec![0x07, 0xff, 0x00, 0x09];
        bytes.extend([0xaa; 0x7ff]);
        bytes.extend([0x00, 0x00, 0x00, 0x01]);
        let found = feed(&mut parser, Time::ZERO, &bytes);
        assert_eq!(found, [Err(ErrorCode::COMMAND_TOO_LONG), Ok(vec![0, 0, 0, 1])]);
    }
}
