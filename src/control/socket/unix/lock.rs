//! Who may have the socket: a lock beside it, and the directory of both.

use std::fs::{self, File, FileType, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags, Uid};
use rustix::io::Errno;

use super::{BindError, RUNTIME, listening};

/// How often the lock is tried for while others let go of it.
const TRIES: usize = 8;

/// Held by the one daemon that may have the socket. Dropped, it is gone from the file system too.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    path: PathBuf,
    /// Removed after the lock, as fields are dropped last.
    _made: Option<Made>,
}

/// A directory that was made for the socket; dropped, it is removed unless there is anything in it.
#[derive(Debug)]
struct Made(PathBuf);

impl Lock {
    /// Takes the lock that belongs to a socket, and makes its directory where that is missing.
    pub(super) fn take(socket: &Path) -> Result<Self, BindError> {
        let failed = |source: io::Error| BindError::Failed { path: socket.to_owned(), source };
        let path = socket.with_extension("lock");
        let directory = socket.parent().filter(|directory| !directory.as_os_str().is_empty());
        let directory = directory.unwrap_or(Path::new("."));
        for _ in 0..TRIES {
            let made = make(directory).map_err(failed)?;
            let owner = fs::metadata(directory).map_err(failed)?.uid();
            let own = rustix::process::geteuid();
            if !may_hold(directory, owner, own.as_raw()) {
                return Err(BindError::Foreign { directory: directory.to_owned(), owner });
            }
            let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let file = match rustix::fs::open(&path, flags, Mode::RUSR | Mode::WUSR) {
                Ok(file) => File::from(file),
                // Whoever had made the directory has removed it.
                Err(Errno::NOENT) => continue,
                Err(error) => return Err(failed(error.into())),
            };
            if own.as_raw() != owner && own.is_root() {
                // Or the service could not open what is left behind; where this is refused, it will say so.
                let _ = rustix::fs::fchown(&file, Some(Uid::from_raw(owner)), None);
            }
            match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => return Err(held(socket, path)),
                Err(error) => return Err(failed(error.into())),
            }
            let lock = Self { file, path: path.clone(), _made: made };
            // Whoever held it before may have removed it before letting go.
            if lock.is_in_place() {
                return Ok(lock);
            }
        }
        Err(held(socket, path))
    }

    fn is_in_place(&self) -> bool {
        let ours = self.file.metadata().ok().map(|ours| identity(&ours));
        ours.is_some() && ours == fs::symlink_metadata(&self.path).ok().map(|found| identity(&found))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.is_in_place() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

/// Another daemon has the lock; it may not answer yet, or no more.
fn held(socket: &Path, lock: PathBuf) -> BindError {
    match listening(socket) {
        Ok(Some(pid)) => BindError::Taken { path: socket.to_owned(), pid },
        _ => BindError::Held { lock },
    }
}

/// Whether a socket is safe in a directory of `owner` from others than root and `own`: who owns it may put anything
/// in its place. Root trusts the service's account with the directory that the package has for it.
fn may_hold(directory: &Path, owner: u32, own: u32) -> bool {
    owner == 0 || owner == own || own == 0 && directory == Path::new(RUNTIME)
}

/// Makes the directory where it is missing: open to everybody, as the socket in it is, whatever the account's mask says.
fn make(directory: &Path) -> io::Result<Option<Made>> {
    match fs::create_dir(directory) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
        // As on a disk that is mounted read-only.
        Err(_) if directory.is_dir() => return Ok(None),
        Err(error) => return Err(error),
    }
    let made = Made(directory.to_owned());
    permit(directory, FileType::is_dir, 0o755)?;
    Ok(Some(made))
}

/// Device and inode, by which our own is known from one that has taken its place.
pub(super) fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// Sets the mode of what this account has just made, and says which it is; what has taken its place is left alone.
pub(super) fn permit(path: &Path, is_kind: impl Fn(&FileType) -> bool, mode: u32) -> io::Result<(u64, u64)> {
    let (found, set) = look(path)?;
    if !is_kind(&found.file_type()) || found.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::other("something else has taken its place"));
    }
    set(Mode::from_bits_truncate(mode))?;
    Ok(identity(&found))
}

/// What is at a path, a link itself, and how its mode is set.
#[cfg(target_os = "linux")]
fn look(path: &Path) -> io::Result<(Metadata, impl FnOnce(Mode) -> io::Result<()>)> {
    use std::os::fd::AsRawFd;

    let file = rustix::fs::open(path, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
    let file = File::from(file);
    let found = file.metadata()?;
    // Leads to what was opened, whatever is at the path by now.
    Ok((found, move |mode| Ok(rustix::fs::chmod(format!("/proc/self/fd/{}", file.as_raw_fd()), mode)?)))
}

/// What is at a path, a link itself, and how its mode is set.
#[cfg(not(target_os = "linux"))]
fn look(path: &Path) -> io::Result<(Metadata, impl FnOnce(Mode) -> io::Result<()>)> {
    use rustix::fs::{AtFlags, CWD, chmodat};

    let found = fs::symlink_metadata(path)?;
    Ok((found, move |mode| Ok(chmodat(CWD, path, mode, AtFlags::SYMLINK_NOFOLLOW)?)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_link_is_not_followed_to_what_it_leads_to() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        fs::create_dir(&target).unwrap();
        fs::set_permissions(&target, fs::Permissions::from_mode(0o700)).unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert!(permit(&link, FileType::is_dir, 0o755).is_err());
        assert_eq!(fs::metadata(&target).unwrap().mode() & 0o777, 0o700);
        permit(&target, FileType::is_dir, 0o755).unwrap();
        assert_eq!(fs::metadata(&target).unwrap().mode() & 0o777, 0o755);
        fs::write(folder.path().join("file"), "").unwrap();
        std::os::unix::fs::symlink(folder.path().join("file"), folder.path().join("control.lock")).unwrap();
        assert!(Lock::take(&folder.path().join("control.sock")).is_err(), "nor is it locked");
    }

    #[test]
    fn a_directory_of_a_third_account_is_no_place() {
        let (ours, packaged) = (Path::new("/tmp/nbe"), Path::new(RUNTIME));
        for (directory, owner, own, may) in [
            (ours, 1000, 1000, true),
            (ours, 0, 1000, true),
            (ours, 1001, 1000, false),
            (ours, 1000, 0, false),
            (packaged, 998, 0, true),
            (packaged, 998, 1000, false),
        ] {
            assert_eq!(may_hold(directory, owner, own), may, "{} of {owner}, for {own}", directory.display());
        }
    }

    #[test]
    fn one_at_a_time_has_the_lock_and_it_goes_with_whoever_had_it() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("nbe").join("control.sock");
        let first = Lock::take(&socket).unwrap();
        let error = Lock::take(&socket).unwrap_err();
        assert!(matches!(error, BindError::Held { .. }), "{error}");
        drop(first);
        assert!(!folder.path().join("nbe").exists());
        drop(Lock::take(&socket).unwrap());
    }
}
