//! `tortoise call`: calls a method as PHP would, and prints what comes of it.

use std::io::{self, Write};

use tortoise_protocol::failure::{Category, Failure};

use crate::cli::Call;
use crate::client::{self, ClientError, Request};
use crate::settings::{Given, SettingsError};
use crate::target::Target;
use crate::temporary::Temporary;

/// Why a call gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The settings cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// No sidecar could be started for it.
    #[error("the sidecar for this call did not start: {0}")]
    Temporary(String),
    /// There is no answer.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Python raised; what, has been printed.
    #[error("{0} was raised")]
    Raised(String),
    /// Nobody reads what we print.
    #[error("cannot write the result: {0}")]
    Print(#[from] io::Error),
}

/// Calls, and prints the result as JSON, or Python's traceback to standard error.
///
/// # Errors
/// [`CallError`].
pub(crate) fn call(flags: &Call) -> Result<(), CallError> {
    let asking = &flags.asking;
    let given = Given::read(&asking.flags, false)?;
    let temporary = if asking.address.is_none() && given.listen.is_empty() {
        Some(Temporary::start(&given).map_err(CallError::Temporary)?)
    } else {
        None
    };
    let target = match &temporary {
        Some(temporary) => temporary.target().clone(),
        None => Target::find(&asking.flags, asking.address.as_ref()).map_err(ClientError::from)?,
    };
    let request = Request {
        class: &flags.method.class,
        method: &flags.method.name,
        constructor: &flags.constructor.0,
        arguments: &flags.arguments,
        named: &flags.named,
    };
    match client::call(&target, &request) {
        Ok(value) => Ok(writeln!(io::stdout(), "{value:#}")?),
        Err(ClientError::Failure(failure)) if failure.category == Category::Python => Err(raised(&failure)?),
        Err(error) => Err(error.into()),
    }
}

/// Prints the exception as Python does: its causes first.
fn raised(failure: &Failure) -> Result<CallError, CallError> {
    let mut stderr = io::stderr().lock();
    for (place, exception) in failure.exceptions.iter().enumerate().rev() {
        write!(stderr, "{}", exception.traceback.text)?;
        if place > 0 {
            write!(stderr, "\nThis led to:\n\n")?;
        }
    }
    let name = failure.exceptions.first().map_or("an exception", |exception| exception.class_name.as_str());
    Ok(CallError::Raised(name.to_owned()))
}
