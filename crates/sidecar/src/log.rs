//! Where the log goes: standard error, and for a private sidecar a file of bounded size behind it.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use nix::libc::O_NOFOLLOW;
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
    let builder = tracing_subscriber::fmt().with_max_level(level).with_target(false);
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
    limit: u64,
}

impl LogFile {
    /// Opens or makes the file, which nobody else can read.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Self::open_with(path, MAX_LOG_BYTES)
    }

    fn open_with(path: &Path, limit: u64) -> io::Result<Self> {
        let file = open(path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, bytes, limit })
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
        if self.bytes > 0 && self.bytes + bytes.len() as u64 > self.limit {
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
    OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(O_NOFOLLOW).open(path)
}
