//! What can go wrong on the way to Python and back, and the PHP exception that each becomes.

use ext_php_rs::ffi::{zend_ce_argument_count_error, zend_ce_error, zend_throw_exception};
use tortoise_channel::ChannelError;
use tortoise_protocol::Malformed;
use tortoise_protocol::failure::Failure;

use crate::engine::{Frame, OverLimit, exception_is_pending};
use crate::native::{self, Native};
use crate::raised;

/// Why an operation has no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BridgeError {
    /// No sidecar, or the link to it broke.
    #[error("{0}")]
    Connection(String),
    /// No answer in the time that `tortoise.timeout` gives.
    #[error("{0}")]
    Timeout(String),
    /// An object of a link that is gone, or one that was never made.
    #[error("{0}")]
    Stale(String),
    /// A value that Python cannot have, or PHP cannot.
    #[error("{0}")]
    Conversion(String),
    /// A name that is not for clients, or a use that the bridge does not allow.
    #[error("{0}")]
    Access(String),
    /// Arguments are missing.
    #[error("{0}")]
    ArgumentCount(String),
    /// The session says what went wrong.
    #[error("{}", .0.message)]
    Remote(Box<Failure>),
    /// A PHP exception waits already.
    #[error("a PHP exception is pending")]
    Pending,
    /// A bug of ours.
    #[error("internal error of tortoise.so: {0}; please report it")]
    Internal(String),
}

impl BridgeError {
    /// User code called what only generated classes call.
    pub(crate) fn not_generated() -> Self {
        Self::Access("the functions of Tortoise\\Bridge are for generated classes only".to_owned())
    }
}

impl From<Malformed> for BridgeError {
    fn from(malformed: Malformed) -> Self {
        Self::Connection(format!("the session's answer makes no sense: {malformed}"))
    }
}

impl From<OverLimit> for BridgeError {
    fn from(error: OverLimit) -> Self {
        Self::Conversion(error.to_string())
    }
}

impl From<ChannelError> for BridgeError {
    fn from(error: ChannelError) -> Self {
        match error {
            ChannelError::TimedOut(_) => Self::Timeout(error.to_string()),
            _ => Self::Connection(error.to_string()),
        }
    }
}

/// Throws the PHP exception for `error`, as from the PHP code that made the call in `frame`.
///
/// Otherwise it would seem to come from the generated method, and so from the Python file. An exception that was raised
/// in a Python file says so itself.
pub(crate) fn throw_from(frame: Frame<'_>, error: BridgeError) {
    if exception_is_pending() {
        return;
    }
    let has_place = matches!(&error, BridgeError::Remote(failure)
        if failure.exceptions.first().is_some_and(|raised| raised.file.is_some()));
    throw(error);
    if let Some((file, line)) = frame.place_of_call().filter(|_| !has_place) {
        raised::move_pending(file, line);
    }
}

/// Throws the PHP exception for `error`. An exception that waits already stays the first one.
pub(crate) fn throw(error: BridgeError) {
    if exception_is_pending() {
        return;
    }
    let class = match &error {
        BridgeError::Remote(failure) => return raised::throw(failure),
        BridgeError::Pending => return,
        BridgeError::Connection(_) => native::class(Native::ConnectionException),
        BridgeError::Timeout(_) => native::class(Native::TimeoutException),
        BridgeError::Stale(_) => native::class(Native::StaleObjectException),
        BridgeError::Conversion(_) => native::class(Native::ConversionException),
        BridgeError::Access(_) => native::class(Native::AccessException),
        // SAFETY: the engine's own exception classes are set once, before any extension starts.
        BridgeError::ArgumentCount(_) => unsafe { zend_ce_argument_count_error },
        // SAFETY: as above.
        BridgeError::Internal(_) => unsafe { zend_ce_error },
    };
    // The engine takes C text.
    let message = error.to_string().replace('\0', "\u{fffd}") + "\0";
    // SAFETY: the class is an exception class and the message ends with NUL; the engine copies it.
    unsafe { zend_throw_exception(class, message.as_ptr().cast(), 0) };
}
