//! What nbe asks of Windows that no safe library asks: the event log.
//!
//! The one crate of the project with `unsafe` in it; on other systems it is empty.
#![cfg(windows)]

use std::io;
use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::System::EventLog::{
    DeregisterEventSource, EVENTLOG_ERROR_TYPE, EVENTLOG_INFORMATION_TYPE, EVENTLOG_WARNING_TYPE, RegisterEventSourceW,
    ReportEventW,
};

/// How severe an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Something does not work.
    Error,
    /// Something may be wrong.
    Warning,
    /// What went on.
    Information,
}

/// The longest text of an event, in UTF-16 code units without the end: what ReportEvent takes.
pub const LONGEST: usize = 31_839;

/// A source of events in the log "Application".
#[derive(Debug)]
pub struct EventSource(HANDLE);

// SAFETY: the handle is no pointer into this process but a number of the event log service, and ReportEventW and
// DeregisterEventSource may be called from any thread.
unsafe impl Send for EventSource {}
// SAFETY: as above; the log orders what several threads report.
unsafe impl Sync for EventSource {}

impl EventSource {
    /// Opens the source of this name; one that is not in the registry still reports, but its texts are shown in a
    /// frame that says so.
    ///
    /// # Errors
    /// If the event log does not run.
    pub fn open(name: &str) -> io::Result<Self> {
        let name = utf16(name);
        // SAFETY: a null machine is this one, and the name ends with a zero and outlives the call.
        let handle = unsafe { RegisterEventSourceW(null(), name.as_ptr()) };
        if handle.is_null() { Err(io::Error::last_os_error()) } else { Ok(Self(handle)) }
    }

    /// Reports an event; a text beyond [`LONGEST`] is cut off, and one ends at its first zero character.
    ///
    /// # Errors
    /// If the event log does not take it.
    pub fn report(&self, severity: Severity, id: u32, text: &str) -> io::Result<()> {
        let kind = match severity {
            Severity::Error => EVENTLOG_ERROR_TYPE,
            Severity::Warning => EVENTLOG_WARNING_TYPE,
            Severity::Information => EVENTLOG_INFORMATION_TYPE,
        };
        let text = utf16(text);
        let strings = [text.as_ptr()];
        // SAFETY: the handle is open as long as self is; there is one string, which ends with a zero and outlives the
        // call; no account and no binary data are given.
        let done = unsafe { ReportEventW(self.0, kind, 0, id, null_mut(), 1, 0, strings.as_ptr(), null()) };
        if done == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

impl Drop for EventSource {
    fn drop(&mut self) {
        // SAFETY: opened by RegisterEventSourceW, and closed once.
        unsafe { DeregisterEventSource(self.0) };
    }
}

/// The text with a zero at its end, without half a character where it is cut off.
fn utf16(text: &str) -> Vec<u16> {
    let mut units = Vec::new();
    let mut last = ' ';
    for char in text.chars().take_while(|char| *char != '\0') {
        // What shows an event would put something in place of %1, as in an address such as fe80::1%12.
        let space = if last == '%' && (char.is_ascii_digit() || char == '%') { " " } else { "" };
        if units.len() + space.len() + char.len_utf16() > LONGEST {
            break;
        }
        units.extend(space.encode_utf16());
        units.extend_from_slice(char.encode_utf16(&mut [0; 2]));
        last = char;
    }
    units.push(0);
    units
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_end_with_one_zero_and_are_cut_between_characters() {
        assert_eq!(utf16("ab\0c"), [97, 98, 0]);
        assert_eq!(String::from_utf16(&utf16("1%12, %%, 5 %")).unwrap(), "1% 12, % %, 5 %\0");
        let long = utf16(&"x𝄞".repeat(LONGEST));
        assert!(long.len() <= LONGEST + 1 && long.len() >= LONGEST);
        assert!(String::from_utf16(&long[..long.len() - 1]).is_ok());
        assert_eq!(long.iter().filter(|unit| **unit == 0).count(), 1);
    }

    #[test]
    fn an_event_is_reported() {
        let source = EventSource::open("nbe").unwrap();
        source.report(Severity::Information, 501, "a test").unwrap();
        source.report(Severity::Error, 303, &"long ".repeat(LONGEST)).unwrap();
    }
}
