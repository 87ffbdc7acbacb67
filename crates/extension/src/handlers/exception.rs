//! The methods of `Tortoise\PythonException`, and of exception groups.

use ext_php_rs::types::Zval;
use ext_php_rs::zend::ExecuteData;

use crate::calls::deliver;
use crate::engine::{Frame, guard};
use crate::error::BridgeError;
use crate::raised::{Told, members, tell};
use crate::throw::throw;

/// `getPythonClass(): string`
pub(crate) extern "C" fn get_python_class(data: &mut ExecuteData, result: &mut Zval) {
    give(data, Told::Class, result);
}

/// `getPythonTraceback(): string`
pub(crate) extern "C" fn get_python_traceback(data: &mut ExecuteData, result: &mut Zval) {
    give(data, Told::Traceback, result);
}

/// `getPythonException(): PyObject`
pub(crate) extern "C" fn get_python_exception(data: &mut ExecuteData, result: &mut Zval) {
    give(data, Told::Exception, result);
}

/// `Tortoise\Bridge\members()`, the body of `BaseExceptionGroup::getExceptions(): array`
pub(crate) extern "C" fn bridge_members(data: &mut ExecuteData, result: &mut Zval) {
    guard((), || {
        // SAFETY: the engine passes the frame of this very call.
        let frame = unsafe { Frame::new(data) };
        let caller = frame.caller().map(|(caller, _)| caller);
        let outcome = match caller.and_then(Frame::this) {
            Some(object) => members(object),
            None => Err(BridgeError::not_generated()),
        };
        deliver(caller.unwrap_or(frame), outcome, result);
    });
}

fn give(data: &ExecuteData, what: Told, result: &mut Zval) {
    guard((), || {
        // SAFETY: the engine passes the frame of this very call.
        let frame = unsafe { Frame::new(data) };
        let Some(object) = frame.this() else { return };
        match tell(object, what) {
            Ok(value) => *result = value,
            Err(error) => throw(error),
        }
    });
}
