//! The systemd journal, where standard error leads there.

use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_journald::{Priority, PriorityMappings};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::Output;

/// Where journald listens.
const SOCKET: &str = "/run/systemd/journal/socket";

/// Writes entries with their fields to the journal, and lines elsewhere while it takes none.
pub(super) struct Journal<S> {
    entries: tracing_journald::Layer,
    lines: Output<S>,
    /// Sends nothing: by it is seen whether the journal is there and reads.
    probe: UnixDatagram,
    /// Lines that nobody took.
    lost: AtomicU64,
}

const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

/// The journal, if standard error is the journal's and the journal answers.
pub(super) fn layer<S>(lines: impl FnOnce() -> Output<S>) -> Option<Journal<S>> {
    Some(Journal { entries: entries()?, probe: UnixDatagram::unbound().ok()?, lines: lines(), lost: AtomicU64::new(0) })
}

fn entries() -> Option<tracing_journald::Layer> {
    let stream = std::env::var("JOURNAL_STREAM").ok()?;
    let stderr = rustix::fs::fstat(std::io::stderr()).ok()?;
    if !names(&stream, stderr.st_dev, stderr.st_ino) {
        return None;
    }
    let priorities = PriorityMappings {
        info: Priority::Informational,
        debug: Priority::Debug,
        trace: Priority::Debug,
        ..PriorityMappings::new()
    };
    let layer = tracing_journald::Layer::new().ok()?;
    Some(layer.with_field_prefix(None).with_priority_mappings(priorities).with_syslog_identifier("nbe".to_owned()))
}

/// Whether a socket is there to send to, and takes something without waiting.
///
/// The crate that writes entries waits for a journal that does not read, and keeps quiet about one that is not there.
fn takes(probe: &UnixDatagram, socket: &str) -> bool {
    // Anew for each line: the one of before is dead after a restart that made another.
    probe.connect(socket).is_ok() && is_writable(probe)
}

/// Whether something can be written without waiting.
fn is_writable(to: impl AsFd) -> bool {
    poll(&mut [PollFd::new(&to, PollFlags::OUT)], Some(&AT_ONCE)).is_ok_and(|ready| ready > 0)
}

impl<S> Journal<S> {
    /// Says how many lines nobody took, once somebody takes one.
    fn tell_lost(&self) {
        if self.lost.load(Ordering::Relaxed) > 0 && is_writable(std::io::stderr()) {
            let lost = self.lost.swap(0, Ordering::Relaxed);
            eprintln!("{lost} lines of the log are lost: neither the journal nor standard error took them");
        }
    }
}

impl<S> Layer<S> for Journal<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        self.entries.on_new_span(attributes, id, context.clone());
        self.lines.on_new_span(attributes, id, context);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        Layer::<S>::on_record(&self.entries, id, values, context.clone());
        self.lines.on_record(id, values, context);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if takes(&self.probe, SOCKET) {
            self.tell_lost();
            self.entries.on_event(event, context);
        } else if is_writable(std::io::stderr()) {
            self.tell_lost();
            self.lines.on_event(event, context);
        } else {
            // Standard error may lead to the same journal, and whoever waited for it would miss taps.
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Whether `device:inode` is this file; a child whose output was sent elsewhere inherits the variable too.
fn names(stream: &str, device: u64, inode: u64) -> bool {
    stream.split_once(':').is_some_and(|(dev, ino)| dev.parse() == Ok(device) && ino.parse() == Ok(inode))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn a_socket_is_asked_for_before_each_line() {
        let folder = tempfile::tempdir().unwrap();
        let (path, probe) = (folder.path().join("socket"), UnixDatagram::unbound().unwrap());
        let takes = || super::takes(&probe, path.to_str().unwrap());
        assert!(!takes(), "nobody is there");
        let journal = UnixDatagram::bind(&path).unwrap();
        assert!(takes() && takes());
        drop(journal);
        assert!(!takes(), "it does not listen any more");
        std::fs::remove_file(&path).unwrap();
        let journal = UnixDatagram::bind(&path).unwrap();
        assert!(takes(), "another one does");
        let other = UnixDatagram::unbound().unwrap();
        other.set_nonblocking(true).unwrap();
        while other.send_to(b"x", &path).is_ok() {}
        assert!(!takes(), "it does not read, and is not waited for");
        journal.recv(&mut [0; 8]).unwrap();
        assert!(takes());
    }

    #[test]
    fn a_stream_that_nobody_reads_is_not_waited_for() {
        let (mut ours, mut theirs) = UnixStream::pair().unwrap();
        assert!(is_writable(&ours));
        ours.set_nonblocking(true).unwrap();
        while ours.write(&[b'x'; 4096]).is_ok() {}
        assert!(!is_writable(&ours));
        theirs.set_nonblocking(true).unwrap();
        while theirs.read(&mut [0; 4096]).is_ok() {}
        assert!(is_writable(&ours));
    }

    #[test]
    fn only_this_very_stream_is_the_journals() {
        assert!(names("9:1234", 9, 1234));
        for other in ["9:1235", "8:1234", "9", "", ":", "9:1234:1", "9: 1234", "x:y"] {
            assert!(!names(other, 9, 1234), "{other}");
        }
    }
}
