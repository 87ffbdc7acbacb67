//! Becoming the private sidecar of the PHP process that starts us, and telling it how that went.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use nix::sys::stat::{Mode, umask};
use nix::unistd::{dup2_stdin, setsid};

use crate::cli::Serve;
use crate::log::LogFile;
use crate::process::{self, Side};

/// Bytes of an announcement: a pipe takes as much at once, even if nobody reads.
const MAX_ANNOUNCEMENT_BYTES: usize = 4096;

/// Why we cannot become a private sidecar.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The file descriptor of `--ready-fd` is not open.
    #[error("--ready-fd {0} is not an inherited file descriptor")]
    NoReadyFd(i32),
    /// The log file cannot be used.
    #[error("cannot open the log file {}: {error}", .path.display())]
    Log {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
    /// The system refused.
    #[error("cannot start in the background: {0}")]
    Io(#[from] io::Error),
}

/// Tells the PHP process that waits for us. It hears one line, or the end of the pipe if we die.
#[derive(Debug)]
pub(crate) struct Announcement(File);

impl Announcement {
    /// The inherited descriptor `number`.
    pub(crate) fn inherited(number: i32) -> Result<Self, DaemonError> {
        process::inherited(number).map(|fd| Self(fd.into())).ok_or(DaemonError::NoReadyFd(number))
    }

    /// We can be connected to.
    pub(crate) fn ready(self) {
        self.write("ready");
    }

    /// We leave, and why.
    pub(crate) fn fail(self, error: &impl ToString) {
        let mut text = format!("error: {}", error.to_string().replace('\n', " | "));
        let end = (0..text.len().min(MAX_ANNOUNCEMENT_BYTES)).rev().find(|end| text.is_char_boundary(*end));
        if text.len() >= MAX_ANNOUNCEMENT_BYTES {
            text.truncate(end.unwrap_or(0));
        }
        self.write(&text);
    }

    fn write(mut self, line: &str) {
        // The PHP process may have been interrupted and gone: then nobody waits for the answer.
        let _ = self.0.write_all(format!("{line}\n").as_bytes());
    }
}

/// Goes on in the background, in a process of its own session; the one that was started ends here, at once.
///
/// Must be called before the process opens descriptors or starts a thread.
pub(crate) fn detach(announcement: Announcement) -> Result<Announcement, DaemonError> {
    match process::fork_single_threaded()? {
        // Nothing of the parent is torn down here: it all belongs to the child now.
        Side::Parent => std::process::exit(0),
        Side::Child => {}
    }
    let fd = OwnedFd::from(announcement.0);
    setsid().map_err(io::Error::from)?;
    process::close_inherited(&fd)?;
    dup2_stdin(File::open("/dev/null")?).map_err(io::Error::from)?;
    umask(Mode::S_IRWXG | Mode::S_IRWXO);
    Ok(Announcement(fd.into()))
}

/// Makes the log file our standard output and error.
pub(crate) fn log_to(path: &Path) -> Result<LogFile, DaemonError> {
    let failed = |error| DaemonError::Log { path: path.to_owned(), error };
    let file = LogFile::open(path).map_err(failed)?;
    file.become_standard().map_err(failed)?;
    Ok(file)
}

/// Makes the paths of the command line independent of the current folder, which is about to change.
pub(crate) fn absolute_paths(flags: &mut Serve) -> io::Result<()> {
    for path in [&mut flags.config, &mut flags.lock, &mut flags.log].into_iter().flatten() {
        *path = std::path::absolute(&*path)?;
    }
    Ok(())
}
