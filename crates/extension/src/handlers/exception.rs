//! The methods of `Tortoise\PythonException`.

use ext_php_rs::types::Zval;
use ext_php_rs::zend::ExecuteData;

use crate::engine::{Frame, guard};
use crate::raised::{Told, tell};
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
