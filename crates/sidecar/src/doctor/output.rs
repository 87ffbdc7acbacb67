//! What a program prints, within bounds of time and size.

use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::time::timeout;

/// A program that says nothing for this long will not serve anybody either.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes of what it prints: some hundred are due.
const MAX_OUTPUT_BYTES: u64 = 64 << 10;

/// What a program printed, and how it ended.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) status: ExitStatus,
    pub(super) output: Vec<u8>,
    pub(super) errors: Vec<u8>,
}

/// Runs a program.
pub(super) async fn of(program: &Path, arguments: &[&str]) -> io::Result<Output> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let (output, errors) = (child.stdout.take(), child.stderr.take());
    let run = async { tokio::join!(read(output), read(errors), child.wait()) };
    let Ok((output, errors, status)) = timeout(PATIENCE, run).await else {
        return Err(io::Error::other(format!("it did not answer within {} s", PATIENCE.as_secs())));
    };
    Ok(Output { status: status?, output: output?, errors: errors? })
}

impl Output {
    /// How it ended, and the last line that it printed as an error.
    pub(super) fn failure(&self) -> io::Error {
        let errors = String::from_utf8_lossy(&self.errors);
        let last = errors.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it printed no error");
        io::Error::other(format!("{}; {last}", self.status))
    }
}

async fn read(pipe: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(MAX_OUTPUT_BYTES).read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}
