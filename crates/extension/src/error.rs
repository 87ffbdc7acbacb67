//! What can go wrong on the way to Python and back.

use ext_php_rs::types::Zval;
use tortoise_channel::ChannelError;
use tortoise_protocol::Malformed;
use tortoise_protocol::failure::Failure;

use crate::engine::OverLimit;

/// Why an operation has no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BridgeError {
    /// No sidecar, or the link to it broke.
    #[error("{0}")]
    Connection(String),
    /// No answer in the time that `tortoise.timeout` or `Tortoise\\timeout()` gives.
    #[error("{0}")]
    Timeout(String),
    /// The session retires, and has done nothing of the request; another can be asked.
    #[error("the Python session retired between two requests, and did nothing of this one; make its objects anew")]
    Retired,
    /// An object of a link that is gone, or one that was never made.
    #[error("{0}")]
    Stale(String),
    /// A value that Python cannot have, or PHP cannot.
    #[error("{0}")]
    Conversion(String),
    /// A name that is not for clients, or a use that the bridge does not allow.
    #[error("{0}")]
    Access(String),
    /// None of many futures has a value.
    #[error("{0}")]
    Aggregate(String),
    /// An argument of a function of ours has the wrong type.
    #[error("{0}")]
    Type(String),
    /// Arguments are missing.
    #[error("{0}")]
    ArgumentCount(String),
    /// The session says what went wrong.
    #[error("{}", .0.message)]
    Remote(Box<Failure>),
    /// A value has no Python half yet; to be made, so that the request can be written anew.
    #[error("this object has no Python half")]
    Unmade(Zval),
    /// A PHP exception waits already.
    #[error("a PHP exception is pending")]
    Pending,
    /// PHP leaves its request, by an `exit()` in a callback. The request that was waited for was answered.
    #[error("PHP leaves its request")]
    Leaving,
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
