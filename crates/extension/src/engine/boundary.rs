//! Turns a panic into a PHP error: every entry from PHP passes through [`guard`].

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ext_php_rs::ffi::{zend_ce_error, zend_throw_exception};

thread_local! {
    static PANICKED: Cell<bool> = const { Cell::new(false) };
}

/// Runs what an entry from PHP does. A panic, which is a bug of ours, becomes a PHP `Error`, and `fallback` the result.
///
/// Nothing that `action` leaves half done is used again: see [`take_panic`].
pub(crate) fn guard<R>(fallback: R, action: impl FnOnce() -> R) -> R {
    match catch_unwind(AssertUnwindSafe(action)) {
        Ok(result) => result,
        Err(payload) => {
            PANICKED.set(true);
            let what = payload
                .downcast_ref::<&str>()
                .map(ToString::to_string)
                .or_else(|| payload.downcast_ref::<String>().cloned())
                .unwrap_or_else(|| "a panic without a message".to_owned());
            if !super::exception_is_pending() {
                let message = format!("internal error of tortoise.so: {what}; please report it");
                // The engine takes C text.
                let message = message.replace('\0', "\u{fffd}") + "\0";
                // SAFETY: the engine's class is there from its start; it copies the message, which ends with NUL.
                unsafe { zend_throw_exception(zend_ce_error, message.as_ptr().cast(), 0) };
            }
            fallback
        }
    }
}

/// Whether there was a panic since this was last asked. The link to the session is not to be trusted then.
pub(crate) fn take_panic() -> bool {
    PANICKED.replace(false)
}
