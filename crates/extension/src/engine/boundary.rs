//! Turns a panic into a PHP error: every entry from PHP passes through [`guard`].

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::{self, BridgeError};

/// Runs what an entry from PHP does. A panic, which is a bug of ours, becomes a PHP `Error`, and `fallback` the result.
///
/// Nothing that `action` leaves half done is used again: a panic drops the link to the session.
pub(crate) fn guard<R>(fallback: R, action: impl FnOnce() -> R) -> R {
    match catch_unwind(AssertUnwindSafe(action)) {
        Ok(result) => result,
        Err(payload) => {
            let what = payload
                .downcast_ref::<&str>()
                .map(ToString::to_string)
                .or_else(|| payload.downcast_ref::<String>().cloned())
                .unwrap_or_else(|| "a panic without a message".to_owned());
            crate::link::abandon();
            error::throw(BridgeError::Internal(what));
            fallback
        }
    }
}
