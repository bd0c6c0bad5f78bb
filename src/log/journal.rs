//! The systemd journal, where standard error leads there.

use tracing_journald::{Layer, Priority, PriorityMappings};

/// Writes entries with their fields, if standard error is the journal's and the journal answers.
pub(super) fn layer() -> Option<Layer> {
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
    let layer = Layer::new().ok()?;
    Some(layer.with_field_prefix(None).with_priority_mappings(priorities).with_syslog_identifier("nbe".to_owned()))
}

/// Whether `device:inode` is this file; a child whose output was sent elsewhere inherits the variable too.
fn names(stream: &str, device: u64, inode: u64) -> bool {
    stream.split_once(':').is_some_and(|(dev, ino)| dev.parse() == Ok(device) && ino.parse() == Ok(inode))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_very_stream_is_the_journals() {
        assert!(names("9:1234", 9, 1234));
        for other in ["9:1235", "8:1234", "9", "", ":", "9:1234:1", "9: 1234", "x:y"] {
            assert!(!names(other, 9, 1234), "{other}");
        }
    }
}
