//! What `Tortoise\timeout()` does: calls PHP, and bounds how long all that is asked of Python in it may take together.

use std::mem::ManuallyDrop;

use ext_php_rs::ffi::{_call_user_function_impl, zend_is_callable, zval};
use ext_php_rs::types::Zval;
use ext_php_rs::zend::ExecuteData;

use crate::engine::{Frame, View, guard, view};
use crate::error::BridgeError;
use crate::link;
use crate::throw::throw;

/// `Tortoise\timeout(float $seconds, callable $function): mixed` gives what the function returns.
///
/// Nothing in this frame must be dropped while the function runs: a fatal error there jumps over it. The scope then ends with the
/// request.
pub(crate) extern "C" fn timeout(data: &mut ExecuteData, result: &mut Zval) {
    // SAFETY: the engine passes the frame of this very call, of a native function; its arguments stay there until it ends.
    let (frame, arguments) = unsafe {
        let frame = Frame::new(data);
        (frame, frame.native_arguments().surplus)
    };
    let is_open = guard(false, || match seconds_of(arguments) {
        Ok(seconds) => {
            link::open_scope(frame, seconds);
            true
        }
        Err(error) => {
            throw(error);
            false
        }
    });
    if !is_open {
        return;
    }
    let mut returned = ManuallyDrop::new(Zval::new());
    let function = std::ptr::from_ref(&arguments[1]).cast_mut();
    // SAFETY: the function was found to be callable, and all are live.
    unsafe {
        let returned: *mut zval = &raw mut *returned;
        _call_user_function_impl(
            std::ptr::null_mut(),
            function,
            returned,
            0,
            std::ptr::null_mut(),
            std::ptr::null_mut(),
        );
    }
    guard((), || {
        link::close_scope(frame);
        let returned = ManuallyDrop::into_inner(returned);
        // A function may return a reference, which is not what this one declares.
        *result = if returned.is_reference() { returned.dereference().shallow_clone() } else { returned };
    });
}

fn seconds_of(arguments: &[Zval]) -> Result<f64, BridgeError> {
    let [seconds, function] = arguments else {
        let count = arguments.len();
        return Err(BridgeError::ArgumentCount(format!(
            "Tortoise\\timeout() takes exactly 2 arguments, {count} given"
        )));
    };
    let wrong = |what| Err(BridgeError::Type(format!("Tortoise\\timeout(): {what}")));
    let seconds = match view(seconds.dereference()) {
        View::Float(seconds) => seconds,
        View::Integer(seconds) => seconds as f64,
        _ => return wrong("Argument #1 ($seconds) must be of type float"),
    };
    // SAFETY: the argument is live, and is only looked at.
    if !unsafe { zend_is_callable(std::ptr::from_ref(function).cast_mut(), 0, std::ptr::null_mut()) } {
        return wrong("Argument #2 ($function) must be of type callable");
    }
    if seconds >= 0.0 {
        return Ok(seconds);
    }
    Err(BridgeError::Access(format!(
        "Tortoise\\timeout(): $seconds is {seconds}; it must be a number of seconds, or 0 for no bound"
    )))
}
