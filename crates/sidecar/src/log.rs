//! Where the log goes: standard error, and for a private sidecar a file of bounded size behind it.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use nix::libc::{O_NOFOLLOW, O_NONBLOCK};
use nix::unistd::{dup2_stderr, dup2_stdout};
use serde::{Deserialize, Serialize};
use tracing::level_filters::LevelFilter;

/// Bytes of a log file; then it becomes `FILE.1`, in place of the one before.
const MAX_LOG_BYTES: u64 = 10 << 20;

/// How much is logged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are the field's own")]
pub enum LogLevel {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

/// Logs to standard error, which is `file` if there is one.
pub(crate) fn start(level: LogLevel, file: Option<LogFile>) {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    // A line that cannot be written (the disk is full) is lost. To say so on standard error, which may be the same file,
    // would be a panic.
    let builder = tracing_subscriber::fmt().with_max_level(level).with_target(false).log_internal_errors(false);
    // The log may have been started already by a test that runs more than one sidecar.
    let _ = match file {
        Some(file) => builder.with_ansi(false).with_writer(Mutex::new(file)).try_init(),
        None => builder.with_ansi(io::stderr().is_terminal()).with_writer(io::stderr).try_init(),
    };
}

/// A log file that is standard output and standard error at once.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: PathBuf,
    file: File,
    bytes: u64,
    /// None for what is no regular file, such as `/dev/null`: that does not grow, and is not ours to rename.
    limit: Option<u64>,
}

impl LogFile {
    /// Opens or makes the file, which nobody else can read.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Self::open_with(path, MAX_LOG_BYTES)
    }

    fn open_with(path: &Path, limit: u64) -> io::Result<Self> {
        let file = open(path)?;
        let metadata = file.metadata()?;
        let limit = metadata.is_file().then_some(limit);
        Ok(Self { path: path.to_owned(), file, bytes: metadata.len(), limit })
    }

    /// Makes it standard output and standard error, so that a panic's message is kept too.
    pub(crate) fn become_standard(&self) -> io::Result<()> {
        dup2_stdout(&self.file)?;
        dup2_stderr(&self.file)?;
        Ok(())
    }

    /// Begins a new file. Whatever happens, the size stays bounded.
    fn rotate(&mut self) {
        let mut former = self.path.clone().into_os_string();
        former.push(".1");
        match std::fs::rename(&self.path, former).and_then(|()| open(&self.path)) {
            Ok(file) => self.file = file,
            // The folder may be gone: begin the same file anew.
            Err(_) => drop(self.file.set_len(0)),
        }
        self.bytes = 0;
    }
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes > 0 && self.limit.is_some_and(|limit| self.bytes + bytes.len() as u64 > limit) {
            self.rotate();
            self.become_standard()?;
        }
        let written = self.file.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn open(path: &Path) -> io::Result<File> {
    // A pipe that nobody reads is an error, and one that is full loses lines, where either would stop the sidecar.
    OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(O_NOFOLLOW | O_NONBLOCK).open(path)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;

    use super::*;

    #[test]
    fn what_is_no_regular_file_is_not_put_aside() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pipe");
        mkfifo(&path, Mode::S_IRWXU).expect("a pipe");
        let error = LogFile::open_with(&path, 10).expect_err("nobody reads");
        assert_eq!(error.raw_os_error(), Some(nix::libc::ENXIO));
        let reader = OpenOptions::new().read(true).custom_flags(O_NONBLOCK).open(&path);
        let mut log = LogFile::open_with(&path, 10).expect("opened");
        for _ in 0..3 {
            // Not `write_all`: each is one line.
            assert_eq!(log.write(b"a line\n").expect("written"), 7);
        }
        assert_eq!(std::fs::read_dir(folder.path()).expect("listed").count(), 1);
        drop(log);
        let mut text = String::new();
        reader.expect("a reader").read_to_string(&mut text).expect("read");
        assert_eq!(text, "a line\na line\na line\n");
    }
}
