//! Going into the background, and telling the one who starts us how that went: PHP, a shell, or our predecessor.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use nix::sys::stat::{Mode, umask};
use nix::unistd::{dup2_stdin, setsid};

use crate::log::LogFile;
use crate::process::{self, Side};

/// Bytes of an announcement: a pipe takes as much at once, even if nobody reads.
const MAX_ANNOUNCEMENT_BYTES: usize = 4096;

/// Why we cannot start as we were told.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The file descriptor of `--ready-fd` is not open.
    #[error("--ready-fd {0} is not an inherited file descriptor")]
    NoReadyFd(i32),
    /// A listener that we are to go on with is not open.
    #[error("{0} is not an inherited file descriptor to listen on")]
    NoListener(i32),
    /// What the service manager says does not hold.
    #[error("cannot take the service manager's sockets (LISTEN_FDS): {0}")]
    Activation(io::Error),
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

/// Tells the process that waits for us. It hears one line, or the end of the pipe if we die.
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
        let error = error.to_string();
        let lines: Vec<_> = error.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let mut text = format!("error: {}", lines.join(" | "));
        let room = text.len().min(MAX_ANNOUNCEMENT_BYTES - 1);
        text.truncate((0..=room).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0));
        self.write(&text);
    }

    fn write(mut self, line: &str) {
        // It may have been interrupted and gone: then nobody waits for the answer.
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

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn announced(announce: impl FnOnce(Announcement)) -> String {
        let (near, far) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).expect("a pipe");
        announce(Announcement(far.into()));
        let mut text = String::new();
        File::from(near).read_to_string(&mut text).expect("read");
        text
    }

    #[test]
    fn an_announcement_is_one_line_of_bounded_length() {
        assert_eq!(announced(Announcement::ready), "ready\n");
        assert_eq!(announced(|pipe| pipe.fail(&"one\n\n  two\n")), "error: one | two\n");
        let long = announced(|pipe| pipe.fail(&"é".repeat(10_000)));
        assert!((MAX_ANNOUNCEMENT_BYTES - 1..=MAX_ANNOUNCEMENT_BYTES).contains(&long.len()), "{}", long.len());
        assert!(long.ends_with("é\n"));
    }
}
