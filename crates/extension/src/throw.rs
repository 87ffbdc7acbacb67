//! The PHP exception that an error becomes.

use ext_php_rs::ffi::{
    zend_ce_argument_count_error, zend_ce_error, zend_ce_type_error, zend_throw_exception, zend_throw_exception_object,
};
use tortoise_protocol::failure::{Category, Failure};

use crate::engine::{Frame, exception_is_pending};
use crate::error::BridgeError;
use crate::native::{self, Native};
use crate::raised;

/// Throws the PHP exception for `error`, as from the PHP code that made the call in `frame`.
///
/// Otherwise it would seem to come from the generated method, and so from the Python file. An exception that was raised
/// in a Python file says so itself.
pub(crate) fn throw_from(frame: Frame<'_>, error: BridgeError) {
    if exception_is_pending() {
        return;
    }
    let has_place = matches!(&error, BridgeError::Remote(failure)
        if failure.exceptions.first().is_some_and(|raised| raised.file.is_some() || raised.php != 0));
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
        BridgeError::Remote(failure) => return throw_failure(failure),
        BridgeError::Pending | BridgeError::Leaving => return,
        BridgeError::Connection(_) | BridgeError::Retired => native::class(Native::ConnectionException),
        BridgeError::Timeout(_) => native::class(Native::TimeoutException),
        BridgeError::Stale(_) => native::class(Native::StaleObjectException),
        BridgeError::Conversion(_) => native::class(Native::ConversionException),
        BridgeError::Access(_) => native::class(Native::AccessException),
        BridgeError::Aggregate(_) => native::class(Native::AggregateException),
        // SAFETY: the engine's own exception classes are set once, before any extension starts.
        BridgeError::ArgumentCount(_) => unsafe { zend_ce_argument_count_error },
        // SAFETY: as above.
        BridgeError::Type(_) => unsafe { zend_ce_type_error },
        // SAFETY: as above.
        BridgeError::Internal(_) | BridgeError::Unmade(_) => unsafe { zend_ce_error },
    };
    // The engine takes C text.
    let message = error.to_string().replace('\0', "\u{fffd}") + "\0";
    // SAFETY: the class is an exception class and the message ends with NUL; the engine copies it.
    unsafe { zend_throw_exception(class, message.as_ptr().cast(), 0) };
}

/// Throws what a session said went wrong.
fn throw_failure(failure: &Failure) {
    let message = failure.message.clone();
    throw(match failure.category {
        Category::Python if !failure.exceptions.is_empty() => match raised::exception(&failure.exceptions) {
            Ok(mut exception) => {
                // SAFETY: the value is an exception; the engine takes its count over.
                unsafe { zend_throw_exception_object(&raw mut exception) };
                std::mem::forget(exception);
                return;
            }
            Err(error) => error,
        },
        Category::Python | Category::Protocol => BridgeError::Connection(message),
        Category::Access => BridgeError::Access(message),
        Category::Unsupported => BridgeError::Type(message),
        Category::Conversion => BridgeError::Conversion(message),
        Category::Stale => BridgeError::Stale(message),
    });
}
