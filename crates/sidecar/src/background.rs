//! Running `tortoise serve` in the background, and hearing from it how that went.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::process::{Command, Stdio};

use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::unistd::pipe2;

/// Runs the command, a `tortoise serve`, and waits until it says `ready` or `error: …`; nothing if it died before.
///
/// # Errors
/// The system's.
pub(crate) fn launch(mut command: Command) -> io::Result<String> {
    let (hear, tell) = pipe2(OFlag::O_CLOEXEC)?;
    fcntl(&tell, FcntlArg::F_SETFD(FdFlag::empty()))?;
    command.arg("--ready-fd").arg(tell.as_raw_fd().to_string());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // What we start puts itself into the background, and ends.
    let started = command.status();
    drop(tell);
    started?;
    let mut said = String::new();
    File::from(hear).read_to_string(&mut said)?;
    Ok(said)
}
