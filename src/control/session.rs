//! One connection as a plain value: bytes and time in, requests out; replies in, bytes out.

use std::time::Duration;

use super::reply::{Code, Refusal, Reply};
use super::request::{Access, Request};
use crate::time::Time;

/// The longest line that is read, in bytes without its end; a request is far shorter.
pub const LONGEST_LINE: usize = 4096;

/// How long a connection may be without a request.
const IDLE: Duration = Duration::from_secs(60);

/// How long a reply may take to be read.
const SLOW: Duration = Duration::from_secs(5);

/// One connection to somebody who asks.
///
/// It holds one line and one reply at a time: while a reply is not read, nothing more is.
#[derive(Debug)]
pub struct Session {
    access: Access,
    /// What was read and not taken as a request yet.
    read: Vec<u8>,
    /// Whether the rest of a line that is too long is still to come.
    skipping: bool,
    /// Whether a request waits for its answer.
    asked: bool,
    unsent: Vec<u8>,
    sent: usize,
    /// Whether nothing more will be asked.
    ended: bool,
    deadline: Time,
}

impl Session {
    /// A connection of somebody who may do this much.
    pub fn new(access: Access, now: Time) -> Self {
        Self {
            access,
            read: Vec::new(),
            skipping: false,
            asked: false,
            unsent: Vec::new(),
            sent: 0,
            ended: false,
            deadline: now + IDLE,
        }
    }

    /// What its owner may do.
    pub fn access(&self) -> Access {
        self.access
    }

    /// How many bytes may be read now.
    pub fn room(&self) -> usize {
        let is_busy = self.asked || !self.unsent.is_empty() || self.ended;
        if is_busy { 0 } else { (LONGEST_LINE + 1).saturating_sub(self.read.len()) }
    }

    /// Takes bytes, at most [`Session::room`] of them.
    pub fn handle_bytes(&mut self, bytes: &[u8]) {
        self.read.extend_from_slice(bytes);
    }

    /// Nothing more will be asked; what was asked is answered still.
    pub fn handle_end(&mut self) {
        self.ended = true;
    }

    /// Takes the next request out; what is no request is answered here.
    pub fn poll_request(&mut self, now: Time) -> Option<Request> {
        while !self.asked && self.unsent.is_empty() {
            let Some(end) = self.read.iter().position(|byte| *byte == b'\n') else {
                if self.read.len() > LONGEST_LINE {
                    self.read.clear();
                    if !std::mem::replace(&mut self.skipping, true) {
                        self.send(now, too_long());
                    }
                }
                return None;
            };
            let mut line: Vec<u8> = self.read.drain(..=end).collect();
            line.pop();
            if std::mem::take(&mut self.skipping) || line.is_empty() {
                continue;
            }
            match Request::read(&line, self.access) {
                Ok(request) => {
                    self.asked = true;
                    return Some(request);
                }
                Err(reply) => self.send(now, reply),
            }
        }
        None
    }

    /// Answers the request that was taken out last.
    pub fn answer(&mut self, now: Time, reply: Reply) {
        self.asked = false;
        self.send(now, reply);
    }

    /// What is to be written.
    pub fn unsent(&self) -> &[u8] {
        &self.unsent[self.sent..]
    }

    /// Takes note of what was written.
    pub fn handle_sent(&mut self, now: Time, bytes: usize) {
        self.sent += bytes;
        if self.sent >= self.unsent.len() {
            // A long reply's memory is not kept.
            (self.unsent, self.sent) = (Vec::new(), 0);
            self.deadline = now + IDLE;
        }
    }

    /// When it has been idle or slow for too long.
    pub fn deadline(&self) -> Time {
        self.deadline
    }

    /// Whether everything is said.
    pub fn is_over(&self) -> bool {
        self.ended && !self.asked && self.unsent.is_empty() && !self.read.contains(&b'\n')
    }

    fn send(&mut self, now: Time, reply: Reply) {
        self.unsent = reply.line().into_bytes();
        self.deadline = now + SLOW;
    }
}

fn too_long() -> Reply {
    let text = format!("the line is longer than {LONGEST_LINE} bytes");
    Reply::no(serde_json::Value::Null, Refusal::new(Code::TooLong, text, "send one short request a line"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Command;
    use serde_json::json;

    const STATUS: &[u8] = b"{\"v\":1,\"id\":1,\"cmd\":\"status\"}\n";

    fn session() -> Session {
        Session::new(Access::Look, Time::ZERO)
    }

    /// Feeds all of it as a socket would, and says what was asked and answered meanwhile.
    fn feed(session: &mut Session, mut bytes: &[u8]) -> (usize, String) {
        let (mut asked, mut said) = (0, String::new());
        loop {
            let piece = bytes.len().min(session.room());
            session.handle_bytes(&bytes[..piece]);
            bytes = &bytes[piece..];
            assert!(session.read.len() <= LONGEST_LINE + 1);
            let is_asked = session.poll_request(Time::ZERO).is_some();
            if is_asked {
                asked += 1;
                session.answer(Time::ZERO, Reply::ok(json!(asked), json!({})));
            }
            let unsent = session.unsent().to_vec();
            session.handle_sent(Time::ZERO, unsent.len());
            said += &String::from_utf8(unsent.clone()).unwrap();
            if bytes.is_empty() && !is_asked && unsent.is_empty() {
                return (asked, said);
            }
        }
    }

    #[test]
    fn requests_come_out_however_their_bytes_come_in() {
        let mut session = session();
        for byte in &STATUS[..STATUS.len() - 1] {
            session.handle_bytes(&[*byte]);
            assert_eq!(session.poll_request(Time::ZERO), None);
        }
        session.handle_bytes(b"\n");
        let request = session.poll_request(Time::ZERO).unwrap();
        assert_eq!((request.id, request.command), (json!(1), Command::Status));
        assert_eq!(session.room(), 0, "the next one waits until this one is answered");
        session.answer(Time::ZERO, Reply::ok(json!(1), json!({})));
        assert_eq!(session.unsent(), b"{\"v\":1,\"id\":1,\"ok\":{}}\n");
        assert_eq!(session.room(), 0, "and read");
        session.handle_sent(Time::ZERO, 5);
        assert_eq!(session.unsent().first(), Some(&b'1'));
        session.handle_sent(Time::ZERO, session.unsent().len());
        assert_eq!(session.room(), LONGEST_LINE + 1);
        assert_eq!(feed(&mut session, &STATUS.repeat(200)).0, 200);
    }

    #[test]
    fn a_line_without_an_end_is_told_once_and_costs_no_memory() {
        let mut session = session();
        let (asked, said) = feed(&mut session, &vec![b'x'; 1_000_000]);
        assert_eq!((asked, said.matches("too_long").count()), (0, 1), "{said}");
        let (asked, said) = feed(&mut session, &[b"rest\n", STATUS].concat());
        assert_eq!(asked, 1, "the next line is a request again: {said}");
        let longest = [vec![b' '; LONGEST_LINE + 1 - STATUS.len()], STATUS.to_vec()].concat();
        assert_eq!(feed(&mut session, &longest).0, 1, "the longest line is none too long");
    }

    #[test]
    fn garbage_is_answered_and_forgotten() {
        let mut session = session();
        let (asked, said) = feed(&mut session, &[b"\xff\xfe\n\n{}\nGET / HTTP/1.1\r\n", STATUS].concat());
        assert_eq!((asked, said.matches("bad_request").count()), (1, 3), "{said}");
    }

    #[test]
    fn what_was_asked_before_a_hang_up_is_answered() {
        let mut session = session();
        session.handle_bytes(STATUS);
        session.handle_bytes(b"half a li");
        session.handle_end();
        assert!(!session.is_over());
        assert!(session.poll_request(Time::ZERO).is_some());
        session.answer(Time::ZERO, Reply::ok(json!(1), json!({})));
        assert!(!session.is_over());
        session.handle_sent(Time::ZERO, session.unsent().len());
        assert!(session.is_over(), "half a line is nothing");
    }

    #[test]
    fn the_idle_and_the_slow_run_out_of_time() {
        let mut session = session();
        assert_eq!(session.deadline(), Time::ZERO + IDLE);
        session.handle_bytes(b"half a line does not put it off");
        session.poll_request(Time::from_secs(9));
        assert_eq!(session.deadline(), Time::ZERO + IDLE);
        session.handle_bytes(b"\n");
        session.poll_request(Time::from_secs(10));
        assert_eq!(session.deadline(), Time::from_secs(10) + SLOW);
        session.handle_sent(Time::from_secs(14), 1);
        assert_eq!(session.deadline(), Time::from_secs(10) + SLOW, "a byte at a time is slow");
        session.handle_sent(Time::from_secs(15), session.unsent().len());
        assert_eq!(session.deadline(), Time::from_secs(15) + IDLE);
    }
}
