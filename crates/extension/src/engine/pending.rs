//! The exception that waits to be handled: taken, so that Python can be asked first, and thrown on.

use ext_php_rs::ffi::{ext_php_rs_executor_globals, zend_throw_exception_object};
use ext_php_rs::types::Zval;

use super::ffi::{zend_clear_exception, zend_is_graceful_exit, zend_is_unwind_exit, zend_throw_exception_internal};
use super::reading::{object_of, owned_object};

/// Whether PHP code is left for good and not by an exception: by `exit()`, or because its fiber is destroyed.
pub(crate) fn is_leaving() -> bool {
    // SAFETY: the executor's globals are there as long as PHP is; what waits is a live object.
    unsafe {
        let waiting = (*ext_php_rs_executor_globals()).exception;
        !waiting.is_null() && (zend_is_unwind_exit(waiting) || zend_is_graceful_exit(waiting))
    }
}

/// Takes the exception that waits, so that it does not any more.
pub(crate) fn take_exception() -> Option<Zval> {
    // SAFETY: as above; the count that is added is the value's, and the engine lets go of its own.
    unsafe {
        let exception = (*ext_php_rs_executor_globals()).exception.as_mut()?;
        exception.gc.refcount += 1;
        let taken = owned_object(exception);
        zend_clear_exception();
        Some(taken)
    }
}

/// The exception that waits, which goes on to do so. None also if PHP code is left for good.
pub(crate) fn copy_exception() -> Option<Zval> {
    if is_leaving() {
        return None;
    }
    // SAFETY: as above; the count that is added is the value's.
    unsafe {
        let exception = (*ext_php_rs_executor_globals()).exception.as_mut()?;
        exception.gc.refcount += 1;
        Some(owned_object(exception))
    }
}

/// Whether what was taken is no exception, but the way out of an `exit()`, or of a fiber that is destroyed.
pub(crate) fn is_exit(taken: &Zval) -> bool {
    // SAFETY: the value is a live object.
    object_of(taken).is_some_and(|taken| unsafe { zend_is_unwind_exit(taken) || zend_is_graceful_exit(taken) })
}

/// Lets PHP go on to leave, by what [`is_exit`] told of.
pub(crate) fn leave_by(exit: Zval) {
    // SAFETY: the engine takes the count of the object over. Where no PHP code stands below there is nothing to leave.
    unsafe {
        let globals = ext_php_rs_executor_globals();
        if (*globals).current_execute_data.is_null() || !(*globals).exception.is_null() {
            return;
        }
        (*globals).exception = exit.value.obj;
        std::mem::forget(exit);
        zend_throw_exception_internal(std::ptr::null_mut());
    }
}

/// Throws an exception as it is, with its own place and trace. One that waits becomes what came before it.
pub(crate) fn rethrow(mut exception: Zval) {
    // SAFETY: the value is an exception; the engine takes its count over.
    unsafe { zend_throw_exception_object(&raw mut exception) };
    std::mem::forget(exception);
}
