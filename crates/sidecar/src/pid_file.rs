//! The pid file: holds the process id of a sidecar, and is locked for as long as that runs.

use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::libc::O_NOFOLLOW;

/// Bytes of a process id and its line's end, and more.
const MAX_BYTES: usize = 32;

/// Everybody may read who runs.
const MODE: u32 = 0o644;

/// Why the pid file cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum PidFileError {
    /// The sidecar runs already.
    #[error(
        "a sidecar runs already with the pid file {}: process {pid}; end it with `tortoise stop`, or choose another pid_file",
        .path.display()
    )]
    Runs {
        /// The file.
        path: PathBuf,
        /// What it holds.
        pid: String,
    },
    /// It is something else, which is not to be overwritten.
    #[error("{} holds something else than a process id, and is left as it is; set another pid_file", .0.display())]
    Foreign(PathBuf),
    /// The system refused.
    #[error("cannot use the pid file {}: {error}; set another pid_file", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
}

/// A pid file that holds our process id. Dropping it removes it.
#[derive(Debug)]
pub(crate) struct PidFile {
    path: PathBuf,
    file: Flock<File>,
}

impl PidFile {
    /// Makes it, or takes it from a process that is gone.
    ///
    /// # Errors
    /// [`PidFileError::Runs`], if that process is not gone.
    pub(crate) fn take(path: &Path) -> Result<Self, PidFileError> {
        Self::lock(path, FlockArg::LockExclusiveNonblock)
    }

    /// Takes it from the process whose successor we are, as soon as that has gone.
    ///
    /// # Errors
    /// [`PidFileError::Io`].
    pub(crate) fn inherit(path: &Path) -> Result<Self, PidFileError> {
        Self::lock(path, FlockArg::LockExclusive)
    }

    fn lock(path: &Path, how: FlockArg) -> Result<Self, PidFileError> {
        let failed = |error| PidFileError::Io { path: path.to_owned(), error };
        loop {
            let file = open(path).map_err(failed)?;
            // A device is neither to be written nor to be removed, and a file of somebody else's neither.
            let is_ours = file.metadata().map_err(failed)?.is_file() && is_pid(&file).map_err(failed)?;
            if !is_ours {
                return Err(PidFileError::Foreign(path.to_owned()));
            }
            let file = match Flock::lock(file, how) {
                Ok(file) => file,
                Err((file, Errno::EAGAIN)) => {
                    let pid = read(&file).unwrap_or_else(|_| "unknown".to_owned());
                    return Err(PidFileError::Runs { path: path.to_owned(), pid });
                }
                Err((_, Errno::EINTR)) => continue,
                Err((_, error)) => return Err(failed(error.into())),
            };
            // Who had it may have removed it between our opening and our locking: then nobody else sees our lock.
            if is_at(&file, path).map_err(failed)? {
                write(&file).map_err(failed)?;
                return Ok(Self { path: path.to_owned(), file });
            }
        }
    }
}

/// The pid file of a successor: its predecessor's, until that has gone. Dropping it removes it.
#[derive(Debug)]
pub(crate) struct NextPidFile {
    _file: Arc<Mutex<Option<PidFile>>>,
}

impl NextPidFile {
    /// Waits for it in a thread, which ends with the process.
    pub(crate) fn wait_for(path: PathBuf) -> Self {
        let ours = Arc::new(Mutex::new(None));
        let theirs = Arc::downgrade(&ours);
        thread::spawn(move || match PidFile::inherit(&path) {
            Ok(file) => {
                if let Some(ours) = theirs.upgrade() {
                    *ours.lock().unwrap_or_else(PoisonError::into_inner) = Some(file);
                }
            }
            Err(error) => tracing::warn!("{error}"),
        });
        Self { _file: ours }
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        if is_at(&self.file, &self.path).unwrap_or(false) {
            // It may lie in a folder that we cannot write to any more: the lock ends in any case.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(MODE).custom_flags(O_NOFOLLOW).open(path)
}

fn read(file: &File) -> io::Result<String> {
    let mut bytes = [0; MAX_BYTES];
    let count = file.read_at(&mut bytes, 0)?;
    Ok(String::from_utf8_lossy(&bytes[..count]).trim_end().to_owned())
}

/// Whether it holds a process id or nothing.
fn is_pid(file: &File) -> io::Result<bool> {
    let content = read(file)?;
    Ok(content.len() < MAX_BYTES && content.bytes().all(|byte| byte.is_ascii_digit()))
}

fn write(file: &File) -> io::Result<()> {
    // A daemon's umask leaves it to its owner alone.
    file.set_permissions(Permissions::from_mode(MODE))?;
    file.set_len(0)?;
    file.write_all_at(format!("{}\n", std::process::id()).as_bytes(), 0)
}

fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let here = file.metadata()?;
    match std::fs::symlink_metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (here.dev(), here.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_our_id_and_goes_when_we_go() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("t.pid");
        let file = PidFile::take(&path).expect("taken");
        assert_eq!(std::fs::read_to_string(&path).expect("text"), format!("{}\n", std::process::id()));
        assert_eq!(std::fs::metadata(&path).expect("there").mode() & 0o777, MODE);
        drop(file);
        assert!(!path.exists());
    }

    #[test]
    fn one_that_is_locked_is_refused_and_its_owner_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("t.pid");
        let file = PidFile::take(&path).expect("taken");
        let error = PidFile::take(&path).expect_err("locked").to_string();
        assert!(error.contains(&format!("t.pid: process {};", std::process::id())), "{error}");
        assert!(path.exists());
        drop(file);
    }

    #[test]
    fn a_stale_one_is_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("t.pid");
        std::fs::write(&path, "123456789\n").expect("written");
        let _file = PidFile::take(&path).expect("taken");
        assert_eq!(std::fs::read_to_string(&path).expect("text"), format!("{}\n", std::process::id()));
    }

    #[test]
    fn a_successor_has_it_when_the_other_has_gone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("t.pid");
        let first = PidFile::take(&path).expect("taken");
        let second = NextPidFile::wait_for(path.clone());
        drop(first);
        while second._file.lock().expect("no panic").is_none() {
            thread::yield_now();
        }
        assert!(path.exists());
        drop(second);
        assert!(!path.exists());
    }

    #[test]
    fn what_is_no_pid_file_is_left_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        for content in ["root:x:0:0\n", "12345678901234567890123456789012345", "12 34"] {
            let path = folder.path().join("precious");
            std::fs::write(&path, content).expect("written");
            let error = PidFile::take(&path).expect_err(content).to_string();
            assert!(error.contains("precious holds something else than a process id"), "{error}");
            assert_eq!(std::fs::read_to_string(&path).expect("text"), content);
        }
        let mode = || std::fs::metadata("/dev/full").expect("there").mode();
        let before = mode();
        assert!(matches!(PidFile::take(Path::new("/dev/full")), Err(PidFileError::Foreign(_))));
        assert_eq!(mode(), before);
    }

    #[test]
    fn one_that_cannot_be_made_is_named() {
        let error = PidFile::take(Path::new("/nowhere/t.pid")).expect_err("no folder").to_string();
        assert!(error.contains("/nowhere/t.pid: No such file"), "{error}");
    }
}
