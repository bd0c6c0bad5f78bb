//! A log file of bounded size, where there is no journal.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use config::LogFormat;
use tracing_subscriber::fmt::MakeWriter;

/// How often it is said that the file cannot be written, should it be so again and again.
const TELL_EVERY: Duration = Duration::from_secs(600);

/// Writes lines to a file, and to standard error while that cannot be.
#[derive(Debug)]
pub(super) struct LogFile(Mutex<Lines>);

impl LogFile {
    /// A file at `path` of at most so many KiB, made when there is something to write.
    pub(super) fn new(path: &Path, max_kib: u32, format: LogFormat) -> Self {
        Self(Mutex::new(Lines::new(path, u64::from(max_kib) * 1024, format)))
    }
}

impl<'a> MakeWriter<'a> for LogFile {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}

impl Write for &LogFile {
    /// Takes a whole line, as it is written by those who use a [`MakeWriter`].
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).say(line, Instant::now(), &mut io::stderr().lock());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[derive(Debug)]
struct Lines {
    path: PathBuf,
    /// Where a full file goes.
    before: PathBuf,
    /// In bytes.
    max: u64,
    format: LogFormat,
    file: Option<File>,
    told: Option<Instant>,
}

impl Lines {
    fn new(path: &Path, max: u64, format: LogFormat) -> Self {
        let mut before = path.as_os_str().to_owned();
        before.push(".1");
        Self { path: path.to_owned(), before: before.into(), max, format, file: None, told: None }
    }

    /// Writes a line, else says `otherwise` why not, and the line.
    fn say(&mut self, line: &[u8], now: Instant, otherwise: &mut impl Write) {
        let Err(error) = self.write(line) else { return };
        // Opened anew for the next line: by then the cause may be gone.
        self.file = None;
        if self.told.is_none_or(|told| now.duration_since(told) >= TELL_EVERY) {
            self.told = Some(now);
            let path = self.path.display();
            let text =
                format!("cannot write the log file {path}: {error}; lines go here until it can be (`[log] file`)");
            // There is nowhere left to say that this fails.
            let _ = match self.format {
                LogFormat::Text => writeln!(otherwise, "ERROR {text}"),
                LogFormat::Json => writeln!(otherwise, "{}", serde_json::json!({"level": "ERROR", "message": text})),
            };
        }
        let _ = otherwise.write_all(line);
    }

    /// Writes a line, whole or not at all.
    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let length = line.len() as u64;
        if length > self.max {
            return Err(io::Error::other("a line is longer than the file may be"));
        }
        let mut file = match self.file.take().filter(|file| is_at(file, &self.path)) {
            Some(file) => file,
            None => open(&self.path)?,
        };
        // The end may have moved: somebody may have emptied the file.
        let mut end = file.seek(SeekFrom::End(0))?;
        if end + length > self.max {
            // Closed first, or Windows does not let it be renamed.
            drop(file);
            fs::rename(&self.path, &self.before)?;
            (file, end) = (open(&self.path)?, 0);
        }
        file.write_all(line).inspect_err(|_| {
            let _ = file.set_len(end); // half a line is worse than none
        })?;
        self.file = Some(file);
        Ok(())
    }
}

/// Opens a plain file, and makes it where there is none.
fn open(path: &Path) -> io::Result<File> {
    let no_file = || io::Error::other("it is no plain file");
    if fs::symlink_metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(no_file());
    }
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    // Should something else be there by now, it is neither followed nor waited for.
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;

        use rustix::fs::OFlags;

        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        options.mode(0o640).custom_flags(flags.bits().cast_signed());
    }
    #[cfg(windows)]
    {
        use std::os::windows::fs::OpenOptionsExt;

        /// `FILE_FLAG_OPEN_REPARSE_POINT`: a link itself rather than where it leads.
        const OPEN_REPARSE_POINT: u32 = 0x0020_0000;
        options.custom_flags(OPEN_REPARSE_POINT);
    }
    let file = options.open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(no_file()) }
}

/// Whether this is still the file at the path, and not one that was moved away or removed.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;

    let id = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata().map(id), fs::symlink_metadata(path).map(id)) {
        (Ok(open), Ok(there)) => open == there,
        _ => false,
    }
}

/// A file that is open stays where it is.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Place {
        folder: tempfile::TempDir,
        lines: Lines,
        now: Instant,
    }

    impl Place {
        fn new(max: u64) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let lines = Lines::new(&folder.path().join("nbe.log"), max, LogFormat::Text);
            Self { folder, lines, now: Instant::now() }
        }

        /// Says a line and returns what did not go to the file.
        fn say(&mut self, line: &str) -> String {
            let mut otherwise = Vec::new();
            self.lines.say(format!("{line}\n").as_bytes(), self.now, &mut otherwise);
            String::from_utf8(otherwise).unwrap()
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn text(&self, name: &str) -> String {
            fs::read_to_string(self.path(name)).unwrap_or_default()
        }
    }

    #[test]
    fn a_full_file_goes_on_as_the_one_before() {
        let mut place = Place::new(12);
        for line in ["one", "two", "three", "four", "five", "six"] {
            assert_eq!(place.say(line), "");
        }
        assert_eq!((&*place.text("nbe.log.1"), &*place.text("nbe.log")), ("three\nfour\n", "five\nsix\n"));
        assert!(place.say("longer than twelve").contains("a line is longer"));
        assert_eq!(place.say("seven"), "");
        assert_eq!(fs::read_dir(place.folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_is_there_at_the_start_is_kept() {
        let mut place = Place::new(100);
        fs::write(place.path("nbe.log"), "before\n").unwrap();
        place.say("now");
        assert_eq!(place.text("nbe.log"), "before\nnow\n");
        fs::write(place.path("nbe.log"), "").unwrap();
        place.say("emptied");
        assert_eq!(place.text("nbe.log"), "emptied\n", "no hole is left");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_taken_away_is_made_anew_for_its_owner_and_group() {
        use std::os::unix::fs::PermissionsExt;
        let mut place = Place::new(100);
        place.say("one");
        let mode = fs::metadata(place.path("nbe.log")).unwrap().permissions().mode() & 0o7777;
        assert_eq!((mode & !0o640, mode & 0o600), (0, 0o600), "{mode:o}");
        fs::rename(place.path("nbe.log"), place.path("elsewhere")).unwrap();
        assert_eq!(place.say("two"), "");
        fs::remove_file(place.path("nbe.log")).unwrap();
        assert_eq!(place.say("three"), "");
        assert_eq!((&*place.text("elsewhere"), &*place.text("nbe.log")), ("one\n", "three\n"));
    }

    #[cfg(unix)] // elsewhere a directory with an open file stays
    #[test]
    fn while_it_cannot_be_written_lines_go_on_elsewhere_and_that_is_said_once() {
        let mut place = Place::new(100);
        place.lines = Lines::new(&place.path("logs/nbe.log"), 100, LogFormat::Text);
        let said = place.say("one");
        assert!(
            said.starts_with("ERROR cannot write the log file ") && said.ends_with(" can be (`[log] file`)\none\n"),
            "{said}"
        );
        assert_eq!(place.say("two"), "two\n");
        assert!(!place.path("logs").exists(), "no directory is made");
        fs::create_dir(place.path("logs")).unwrap();
        assert_eq!((place.say("three"), place.text("logs/nbe.log")), (String::new(), "three\n".to_owned()));
        fs::remove_dir_all(place.path("logs")).unwrap();
        assert_eq!(place.say("four"), "four\n", "said a short time ago");
        place.now += TELL_EVERY;
        assert!(place.say("five").starts_with("ERROR"));
        place.lines.format = LogFormat::Json;
        place.now += TELL_EVERY;
        let said = place.say("six");
        let (first, line) = said.split_once('\n').unwrap();
        assert!(serde_json::from_str::<serde_json::Value>(first).is_ok() && line == "six\n", "{said}");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_a_pipe_or_a_directory_is_no_place_for_a_log() {
        let mut place = Place::new(20);
        fs::write(place.path("victim"), "precious").unwrap();
        std::os::unix::fs::symlink(place.path("victim"), place.path("nbe.log")).unwrap();
        assert!(place.say("one").contains("it is no plain file"));
        assert_eq!(place.text("victim"), "precious");
        fs::remove_file(place.path("nbe.log")).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            place.path("nbe.log"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RWXU,
            0,
        )
        .unwrap();
        assert_eq!(place.say("two"), "two\n", "nobody is waited for");
        fs::remove_file(place.path("nbe.log")).unwrap();
        fs::create_dir(place.path("nbe.log.1")).unwrap();
        assert_eq!((place.say("0123456789"), place.say("0123456789")), (String::new(), "0123456789\n".to_owned()));
        assert_eq!(place.text("nbe.log"), "0123456789\n", "a file that cannot be moved does not grow");
    }

    proptest! {
        #[test]
        fn only_the_newest_whole_lines_are_kept(lengths in proptest::collection::vec(0..60_usize, 1..200)) {
            let mut place = Place::new(64);
            let mut all = String::new();
            for (n, length) in lengths.into_iter().enumerate() {
                let line = format!("{n} {}", "x".repeat(length)).chars().take(63).collect::<String>();
                prop_assert_eq!(place.say(&line), "");
                let line = line + "\n";
                all += &line;
                let (before, now) = (place.text("nbe.log.1"), place.text("nbe.log"));
                prop_assert!(before.len() <= 64 && now.len() <= 64);
                let kept = before + &now;
                prop_assert!(all.ends_with(&kept) && kept.ends_with(&line));
                prop_assert!(all.len() == kept.len() || all[..all.len() - kept.len()].ends_with('\n'));
            }
        }
    }
}
