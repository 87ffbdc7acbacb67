//! The commands that talk to a sidecar, each of which runs in the foreground and ends.

mod admin;
mod call;
mod check;
mod display;
mod start;
mod status;

use std::io::{self, Write};

use serde_json::Value;

pub(crate) use self::admin::{Admin, AdminError};
pub(crate) use self::call::{CallError, call};
pub(crate) use self::check::{CheckError, check};
pub(crate) use self::start::{LaunchError, start};
use crate::cli::{Asking, Status};
use crate::target::Target;

/// `tortoise status`.
///
/// # Errors
/// [`AdminError`].
pub(crate) fn status(flags: &Status) -> Result<(), AdminError> {
    let told = Admin::connect(flags.asking.target()?)?.ask("status")?;
    let text = if flags.json { format!("{told:#}\n") } else { status::as_text(&told) };
    io::stdout().write_all(text.as_bytes()).map_err(AdminError::Print)
}

/// `tortoise reload`: returns when the new worker has taken over.
///
/// # Errors
/// [`AdminError`].
pub(crate) fn reload(flags: &Asking) -> Result<(), AdminError> {
    let told = Admin::connect(flags.target()?)?.ask("reload")?;
    for warning in told.get("warnings").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        eprintln!("warning: {warning}");
    }
    say(&match number(&told, "worker") {
        Some(worker) => format!("reloaded: worker {worker} takes new sessions"),
        None => "reloaded".to_owned(),
    })
}

/// `tortoise restart`: returns when the successor has taken over.
///
/// # Errors
/// [`AdminError`].
pub(crate) fn restart(flags: &Asking) -> Result<(), AdminError> {
    let told = Admin::connect(flags.target()?)?.ask("restart")?;
    say(&match number(&told, "restarted") {
        Some(process) => format!("restarted: process {process} has taken over"),
        None => "restarted".to_owned(),
    })
}

/// `tortoise stop`: returns when the sidecar has left.
///
/// # Errors
/// [`AdminError`].
pub(crate) fn stop(flags: &Asking) -> Result<(), AdminError> {
    say(&match Admin::connect(flags.target()?)?.stop()? {
        Some(process) => format!("stopped: process {process} has left"),
        None => "stopped".to_owned(),
    })
}

impl Asking {
    fn target(&self) -> Result<Target, AdminError> {
        Ok(Target::find(&self.flags, self.address.as_ref())?)
    }
}

fn number(told: &Value, key: &str) -> Option<u64> {
    told.get(key).and_then(Value::as_u64)
}

fn say(line: &str) -> Result<(), AdminError> {
    writeln!(io::stdout(), "{line}").map_err(AdminError::Print)
}
