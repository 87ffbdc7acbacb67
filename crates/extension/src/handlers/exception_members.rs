//! Attributes and methods of Python's exceptions in PHP: what PHP's class does not declare is asked of the Python exception.

use std::ffi::{c_int, c_void};

use ext_php_rs::ffi::{
    zend_function, zend_hash_find, zend_object, zend_object_handlers, zend_std_get_property_ptr_ptr,
    zend_std_has_property, zend_std_read_property, zend_std_unset_property, zend_std_write_property, zend_string, zval,
};

use super::{methods, properties};
use crate::engine::{exception_is_pending, guard, text_of, zend_std_get_method};
use crate::{classes, proxy, raised};

/// Puts the handlers into the table that is every Python exception's.
pub(crate) fn fill(handlers: &mut zend_object_handlers) {
    handlers.read_property = Some(read);
    handlers.write_property = Some(write);
    handlers.has_property = Some(has);
    handlers.unset_property = Some(unset);
    handlers.get_property_ptr_ptr = Some(pointer);
    handlers.get_method = Some(method);
}

/// The Python exception, if a property is its: one that PHP's class does not declare, and PHP code has not made.
///
/// # Safety
/// The exception is live, and has our handlers.
unsafe fn python_of(object: *mut zend_object, name: *mut zend_string, has_magic: bool) -> Option<*mut zend_object> {
    // SAFETY: the caller's promise; an object's table of properties is live, if there is one.
    unsafe {
        let made = (*object).properties;
        if properties::is_php(object, name, has_magic) || !made.is_null() && !zend_hash_find(made, name).is_null() {
            return None;
        }
        let python = raised::python_exception_of(&*object)?.ok()?;
        Some(std::ptr::from_ref(python).cast_mut())
    }
}

unsafe extern "C" fn read(
    object: *mut zend_object,
    name: *mut zend_string,
    purpose: c_int,
    cache: *mut *mut c_void,
    result: *mut zval,
) -> *mut zval {
    // SAFETY: the engine passes a live exception, a name and a slot for the result that holds nothing.
    unsafe {
        match python_of(object, name, !(*(*object).ce).__get.is_null()) {
            Some(python) => properties::read(python, name, purpose, std::ptr::null_mut(), result),
            None => zend_std_read_property(object, name, purpose, cache, result),
        }
    }
}

unsafe extern "C" fn write(
    object: *mut zend_object,
    name: *mut zend_string,
    value: *mut zval,
    cache: *mut *mut c_void,
) -> *mut zval {
    // SAFETY: the engine passes a live exception, a name and a value.
    unsafe {
        match python_of(object, name, !(*(*object).ce).__set.is_null()) {
            Some(python) => properties::write(python, name, value, std::ptr::null_mut()),
            None => zend_std_write_property(object, name, value, cache),
        }
    }
}

unsafe extern "C" fn has(
    object: *mut zend_object,
    name: *mut zend_string,
    question: c_int,
    cache: *mut *mut c_void,
) -> c_int {
    // SAFETY: the engine passes a live exception and a name.
    unsafe {
        match python_of(object, name, !(*(*object).ce).__isset.is_null()) {
            // Who shows an exception asks for much: what is gone with its session is not set.
            Some(python) if !matches!(proxy::id_to_send(&*python), Some(Ok(_))) => 0,
            Some(python) => properties::has(python, name, question, std::ptr::null_mut()),
            None => zend_std_has_property(object, name, question, cache),
        }
    }
}

unsafe extern "C" fn unset(object: *mut zend_object, name: *mut zend_string, cache: *mut *mut c_void) {
    // SAFETY: the engine passes a live exception and a name.
    unsafe {
        match python_of(object, name, !(*(*object).ce).__unset.is_null()) {
            Some(python) => properties::unset(python, name, std::ptr::null_mut()),
            None => zend_std_unset_property(object, name, cache),
        }
    }
}

/// Null makes the engine read, which refuses what cannot be written in place.
unsafe extern "C" fn pointer(
    object: *mut zend_object,
    name: *mut zend_string,
    purpose: c_int,
    cache: *mut *mut c_void,
) -> *mut zval {
    // SAFETY: the engine passes a live exception and a name.
    unsafe {
        match python_of(object, name, false) {
            Some(_) => std::ptr::null_mut(),
            None => zend_std_get_property_ptr_ptr(object, name, purpose, cache),
        }
    }
}

/// The engine asks for a method. What only Python has is called on the Python exception.
unsafe extern "C" fn method(
    object: *mut *mut zend_object,
    name: *mut zend_string,
    lower_name: *const zval,
) -> *mut zend_function {
    // SAFETY: the engine passes a live exception and a name.
    unsafe {
        let class = (**object).ce;
        let found = guard(std::ptr::null_mut(), || {
            let Some(text) = text_of(name) else { return std::ptr::null_mut() };
            let is_php = methods::is_declared(class, text) || !(*class).__call.is_null();
            if is_php && classes::undeclared(class, text).is_none() {
                return std::ptr::null_mut();
            }
            let Some(Ok(python)) = raised::python_exception_of(&**object) else { return std::ptr::null_mut() };
            let found = methods::find(python.ce, proxy::target(python), text, false);
            if !found.is_null() {
                object.write(std::ptr::from_ref(python).cast_mut());
            }
            found
        });
        if !found.is_null() || exception_is_pending() {
            return found;
        }
        zend_std_get_method(object, name, lower_name)
    }
}
