//! A restart without a gap: the binary is started anew, gets our listeners, and takes over when it is ready.
//!
//! ```text
//! sidecar                                     successor: the same command line, and
//!   --listeners 7,8 --managed 9   ─────────▶  the listeners that are ours, and the service manager's
//!   --successor-fd 10             ◀─────────  "ready\n" or "error: why\n"
//! stops accepting, drains, ends               accepts
//! ```
//!
//! It is found again by the name by which this process was started: after an upgrade that is the new binary.

use std::ffi::OsString;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::fcntl::OFlag;
use nix::unistd::pipe2;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;
use tokio::time::timeout;

use crate::listener::{Listener, Owner};
use crate::orphans::Own;
use crate::{notify, process};

/// Bytes of what a successor says, at most: `daemon` writes no more.
const MAX_WORDS: u64 = 4096;

/// Flags that a process gets from the one that starts it, each with a value.
const INHERITED_FLAGS: [&str; 4] = ["--ready-fd", "--successor-fd", "--listeners", "--managed"];

/// How to start the binary anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    program: OsString,
    arguments: Vec<OsString>,
}

impl CommandLine {
    /// That of this process: what only it has from its parent is left out.
    pub(crate) fn of(arguments: impl IntoIterator<Item = OsString>) -> Option<Self> {
        let mut arguments = arguments.into_iter();
        let program = arguments.next()?;
        let mut kept = Vec::new();
        while let Some(argument) = arguments.next() {
            let name = argument.to_str().unwrap_or_default();
            if INHERITED_FLAGS.contains(&name) {
                // Its value.
                arguments.next();
            } else if !INHERITED_FLAGS
                .iter()
                .any(|flag| name.strip_prefix(flag).is_some_and(|rest| rest.starts_with('=')))
            {
                kept.push(argument);
            }
        }
        Some(Self { program, arguments: kept })
    }
}

/// Starts a successor and waits until it is ready; gives its process. Dropping the future kills it.
///
/// # Errors
/// Why there is none, for a person.
pub(crate) async fn start(
    command_line: &CommandLine,
    listeners: &[BorrowedFd<'_>],
    managed: &[BorrowedFd<'_>],
    limit: Duration,
) -> Result<u32, String> {
    let failed = |error: std::io::Error| format!("cannot start {} anew: {error}", command_line.program.display());
    let (hear, tell) = pipe2(OFlag::O_CLOEXEC).map_err(|error| failed(error.into()))?;
    let mut command = Command::new(&command_line.program);
    command.args(&command_line.arguments).stdin(Stdio::null());
    for (flag, descriptors) in [("--listeners", listeners), ("--managed", managed)] {
        if !descriptors.is_empty() {
            let numbers: Vec<_> = descriptors.iter().map(|descriptor| descriptor.as_raw_fd().to_string()).collect();
            command.arg(flag).arg(numbers.join(","));
        }
    }
    command.arg("--successor-fd").arg(tell.as_raw_fd().to_string());
    notify::prepare_successor(&mut command);
    let kept: Vec<_> = listeners.iter().chain(managed).copied().chain([tell.as_fd()]).collect();
    process::prepare_successor(&mut command, &kept);
    let mut child = tokio::process::Command::from(command).kill_on_drop(true).spawn().map_err(failed)?;
    let own = Own::new(child.id());
    drop(tell);
    let mut said = String::new();
    let hear = Receiver::from_owned_fd(hear).map_err(failed)?;
    // Cut off if it is killed.
    let heard = timeout(limit, hear.take(MAX_WORDS).read_to_string(&mut said)).await;
    match (heard, said.trim_end()) {
        (Ok(Ok(_)), "ready") => {
            let pid = child.id().unwrap_or_default();
            // It is on its own from here on.
            std::mem::forget((child, own));
            Ok(pid)
        }
        (Ok(_), "") => match child.wait().await {
            Ok(status) => Err(format!("the successor ended before it was ready ({status})")),
            Err(error) => Err(failed(error)),
        },
        (Ok(_), said) => Err(said.strip_prefix("error: ").unwrap_or(said).to_owned()),
        (Err(_), _) => Err(format!("the successor was not ready within {} s", limit.as_secs_f64())),
    }
}

/// The listeners that are ours, and those of the service manager.
pub(crate) fn split<'a>(listeners: impl Iterator<Item = &'a Listener>) -> (Vec<BorrowedFd<'a>>, Vec<BorrowedFd<'a>>) {
    let (managed, ours): (Vec<_>, Vec<_>) = listeners.partition(|listener| listener.owner() == Owner::Manager);
    let descriptors = |listeners: Vec<&'a Listener>| listeners.into_iter().map(AsFd::as_fd).collect();
    (descriptors(ours), descriptors(managed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<OsString> {
        text.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn what_a_process_has_from_its_parent_is_left_out() {
        let line = words(
            "bin/tortoise serve --ready-fd 3 --path /a --listeners=4,5 --managed 6 --successor-fd 7 --listen unix:///a.sock",
        );
        let expected = words("serve --path /a --listen unix:///a.sock");
        assert_eq!(CommandLine::of(line), Some(CommandLine { program: "bin/tortoise".into(), arguments: expected }));
        assert_eq!(CommandLine::of([]), None);
    }

    #[tokio::test]
    async fn what_goes_wrong_is_said() {
        let limit = Duration::from_secs(60);
        for (program, arguments, expected) in [
            ("/nowhere/tortoise", "", "cannot start /nowhere/tortoise anew: No such file"),
            ("/bin/sh", "-c|exit 3", "the successor ended before it was ready (exit status: 3)"),
            ("/bin/sh", r#"-c|echo error: no > /proc/self/fd/$2|--"#, "no"),
        ] {
            let arguments = arguments.split('|').filter(|word| !word.is_empty()).map(OsString::from).collect();
            let line = CommandLine { program: program.into(), arguments };
            let error = start(&line, &[], &[], limit).await.expect_err(program);
            assert!(error.starts_with(expected), "{error}");
        }
        let arguments = ["-c", "exec sleep 3600"].map(OsString::from).to_vec();
        let line = CommandLine { program: "/bin/sh".into(), arguments };
        let error = start(&line, &[], &[], Duration::from_millis(50)).await.expect_err("it says nothing");
        assert_eq!(error, "the successor was not ready within 0.05 s");
    }
}
