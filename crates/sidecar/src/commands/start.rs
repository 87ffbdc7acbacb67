//! `tortoise start`: runs `tortoise serve` in the background and waits until it is ready.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::admin::Admin;
use crate::background;
use crate::cli::Start;
use crate::settings::{Given, SettingsError};
use crate::target::Target;

/// Why a sidecar does not run in the background.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The settings cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// There is nothing to name the files after.
    #[error("there is no Unix socket to have the {0} beside; set {0}")]
    NoPlace(&'static str),
    /// It said why.
    #[error("the sidecar did not start: {reason}{log}")]
    Failed {
        /// Its words.
        reason: String,
        /// Where it logs, if it has come to that.
        log: String,
    },
    /// It ended before it said anything.
    #[error("the sidecar ended while it started, and did not say why; its log is {}", .0.display())]
    Silent(PathBuf),
    /// The system refused.
    #[error("cannot start the sidecar: {0}")]
    Io(#[from] io::Error),
}

/// Starts it. `arguments`: the command line of this process.
///
/// # Errors
/// [`LaunchError`] names the log, once there is one.
pub(crate) fn start(flags: &Start, arguments: impl IntoIterator<Item = OsString>) -> Result<(), LaunchError> {
    let given = Given::read(&flags.flags, false)?;
    if given.listen.is_empty() {
        return Err(SettingsError::NoAddress.into());
    }
    let log = std::path::absolute(given.log_file().ok_or(LaunchError::NoPlace("log_file"))?)?;
    let pid_file = std::path::absolute(given.pid_file().ok_or(LaunchError::NoPlace("pid_file"))?)?;
    let mut arguments = arguments.into_iter();
    let program = program(&arguments.next().unwrap_or_default())?;
    let mut command = Command::new(program);
    command.arg("serve").arg("--log").arg(&log);
    if flags.flags.values.pid_file.is_none() {
        command.arg("--pid-file").arg(&pid_file);
    }
    // The first is the word `start`.
    command.args(arguments.skip(1));
    match background::launch(command)?.trim_end() {
        "ready" => {}
        "" => return Err(LaunchError::Silent(log)),
        other => {
            let reason = other.strip_prefix("error: ").unwrap_or(other).to_owned();
            let log = if log.is_file() { format!("; its log is {}", log.display()) } else { String::new() };
            return Err(LaunchError::Failed { reason, log });
        }
    }
    let pid = std::fs::read_to_string(&pid_file).unwrap_or_default();
    let (pid, addresses) = (pid.trim_end(), addresses(flags, &given).join(" and "));
    writeln!(io::stdout(), "tortoise runs as process {pid} and listens on {addresses}; its log is {}", log.display())?;
    Ok(())
}

/// Where it listens: it knows which ports the system chose.
fn addresses(flags: &Start, given: &Given) -> Vec<String> {
    let asked =
        Target::find(&flags.flags, None).ok().and_then(|target| Admin::connect(target).ok()?.ask("status").ok());
    let told = asked.and_then(|status| serde_json::from_value(status.get("addresses")?.clone()).ok());
    told.unwrap_or_else(|| given.listen.iter().map(ToString::to_string).collect())
}

/// The path by which we were started: after an upgrade it leads to the new program, which a restart is to run.
fn program(name: &OsStr) -> io::Result<PathBuf> {
    let path = Path::new(name);
    if name.as_bytes().contains(&b'/') {
        return std::path::absolute(path);
    }
    let search = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&search).map(|folder| folder.join(path)).find(|path| path.is_file());
    found.map_or_else(std::env::current_exe, std::path::absolute)
}
