//! Standard output that somebody may stop reading, as `head` does.

use std::io;
use std::process::ExitCode;

/// Success where the only trouble is that whoever read has seen enough.
pub(crate) fn unless_unread(done: io::Result<ExitCode>) -> io::Result<ExitCode> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        done => done,
    }
}
