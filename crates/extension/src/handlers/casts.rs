//! Casts: `(string)`, `(int)`, `(float)`, and the length of what has no class of its own.

use std::ffi::c_int;

use ext_php_rs::ffi::{
    IS_DOUBLE, IS_LONG, IS_STRING, ZEND_RESULT_CODE_FAILURE, ZEND_RESULT_CODE_SUCCESS, zend_long, zend_object,
    zend_result, zval,
};
use ext_php_rs::types::Zval;
use tortoise_protocol::operation::Operation;

use super::overridden::{Method, is_pythons};
use crate::engine::{guard, write_result, zend_std_cast_object_tostring};
use crate::error::BridgeError;
use crate::operate::{text_of, value_of};
use crate::proxy;
use crate::throw::throw;

/// The engine asks for an object as another type.
pub(super) unsafe extern "C" fn cast(object: *mut zend_object, result: *mut zval, kind: c_int) -> zend_result {
    // SAFETY: the engine passes a live proxy and a slot for the result that holds nothing.
    unsafe {
        let converted = match u32::try_from(kind) {
            Ok(IS_STRING) if is_pythons(&*object, Method::ToString) => guard(None, || text(&*object)),
            Ok(IS_LONG) if proxy::is_constructed(&*object) => guard(None, || number(&*object, Operation::Integer)),
            Ok(IS_DOUBLE) if proxy::is_constructed(&*object) => guard(None, || number(&*object, Operation::Float)),
            _ => return zend_std_cast_object_tostring(object, result, kind),
        };
        match converted {
            Some(value) if value.is_null() => zend_std_cast_object_tostring(object, result, kind),
            Some(value) => {
                write_result(result, value);
                ZEND_RESULT_CODE_SUCCESS
            }
            None => ZEND_RESULT_CODE_FAILURE,
        }
    }
}

fn text(object: &zend_object) -> Option<Zval> {
    text_of(object, Operation::Text).map_err(throw).ok()
}

/// Null where Python's class has no such conversion. Beside an exception the engine takes 0 without a warning.
fn number(object: &zend_object, operation: Operation) -> Option<Zval> {
    let value = value_of(object, operation, &[]).and_then(|value| {
        if value.is_long() || value.is_double() || value.is_null() {
            return Ok(value);
        }
        let message = "this integer does not fit in PHP's 64 bits; (string) gives all its digits".to_owned();
        Err(BridgeError::Conversion(message))
    });
    Some(value.unwrap_or_else(|error| {
        throw(error);
        let mut nothing = Zval::new();
        match operation {
            Operation::Integer => nothing.set_long(0),
            _ => nothing.set_double(0.0),
        }
        nothing
    }))
}

/// The engine counts an object that has no class of its own. Others are `Countable`, or have no length.
pub(super) unsafe extern "C" fn count(object: *mut zend_object, count: *mut zend_long) -> zend_result {
    guard(ZEND_RESULT_CODE_FAILURE, || {
        // SAFETY: the engine passes a live proxy and a place for the answer.
        unsafe {
            match value_of(&*object, Operation::Length, &[]) {
                Ok(length) => {
                    count.write(length.long().unwrap_or(0));
                    ZEND_RESULT_CODE_SUCCESS
                }
                Err(error) => {
                    throw(error);
                    ZEND_RESULT_CODE_FAILURE
                }
            }
        }
    })
}
