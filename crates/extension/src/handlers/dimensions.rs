//! Items: `$o[k]` read, written, asked for, unset and appended.

use std::ffi::c_int;

use ext_php_rs::ffi::{zend_object, zval};
use ext_php_rs::types::Zval;
use tortoise_protocol::operation::Operation;

use super::overridden::{Method, is_pythons};
use super::properties::{READ_AND_WRITE, READ_QUIETLY, READ_TO_UNSET, READ_TO_WRITE};
use crate::engine::{
    guard, object_of, write_result, zend_std_has_dimension, zend_std_read_dimension, zend_std_unset_dimension,
    zend_std_write_dimension,
};
use crate::error::BridgeError;
use crate::operate::{ask, truth_of, value_of};
use crate::throw::throw;

pub(super) unsafe extern "C" fn read(
    object: *mut zend_object,
    offset: *mut zval,
    purpose: c_int,
    result: *mut zval,
) -> *mut zval {
    // SAFETY: the engine passes a live proxy, null or a live key, and a slot for the result that holds nothing.
    unsafe {
        if !is_pythons(&*object, Method::OffsetGet) {
            return zend_std_read_dimension(object, offset, purpose, result);
        }
        guard(std::ptr::null_mut(), || match get(&*object, offset.as_ref(), purpose) {
            Ok(value) => {
                write_result(result, value);
                result
            }
            Err(error) => {
                throw(error);
                std::ptr::null_mut()
            }
        })
    }
}

fn get(object: &zend_object, key: Option<&Zval>, purpose: c_int) -> Result<Zval, BridgeError> {
    let Some(key) = key else {
        return Err(BridgeError::Conversion(
            "$object[] has no value that could be written into; append it whole: $object[] = $value".to_owned(),
        ));
    };
    let operation = if purpose == READ_QUIETLY { Operation::FindItem } else { Operation::GetItem };
    let value = value_of(object, operation, &[key])?;
    let would_be_lost = matches!(purpose, READ_TO_WRITE | READ_AND_WRITE | READ_TO_UNSET);
    if would_be_lost && object_of(&value).is_none() {
        return Err(BridgeError::Conversion(
            "$object[$key] is a copy of Python's value, so changing it in place would change nothing; write \
             $copy = $object[$key]; change $copy; then $object[$key] = $copy;"
                .to_owned(),
        ));
    }
    Ok(value)
}

pub(super) unsafe extern "C" fn write(object: *mut zend_object, offset: *mut zval, value: *mut zval) {
    // SAFETY: the engine passes a live proxy, null or a live key, and a live value.
    unsafe {
        if !is_pythons(&*object, Method::OffsetSet) {
            return zend_std_write_dimension(object, offset, value);
        }
        guard((), || {
            let outcome = match offset.as_ref() {
                Some(key) => ask(&*object, Operation::SetItem, &[key, &*value]),
                None => ask(&*object, Operation::Append, &[&*value]),
            };
            if let Err(error) = outcome {
                throw(error);
            }
        });
    }
}

pub(super) unsafe extern "C" fn has(object: *mut zend_object, offset: *mut zval, check_empty: c_int) -> c_int {
    // SAFETY: the engine passes a live proxy and a live key.
    unsafe {
        if !is_pythons(&*object, Method::OffsetExists) || !is_pythons(&*object, Method::OffsetGet) {
            return zend_std_has_dimension(object, offset, check_empty);
        }
        guard(0, || {
            let answer = if check_empty == 0 {
                truth_of(&*object, Operation::HasItem, &[&*offset])
            } else {
                value_of(&*object, Operation::FindItem, &[&*offset]).map(|value| value.coerce_to_bool())
            };
            answer.map_or_else(
                |error| {
                    throw(error);
                    0
                },
                c_int::from,
            )
        })
    }
}

pub(super) unsafe extern "C" fn unset(object: *mut zend_object, offset: *mut zval) {
    // SAFETY: the engine passes a live proxy and a live key.
    unsafe {
        if !is_pythons(&*object, Method::OffsetUnset) {
            return zend_std_unset_dimension(object, offset);
        }
        guard((), || {
            if let Err(error) = ask(&*object, Operation::DeleteItem, &[&*offset]) {
                throw(error);
            }
        });
    }
}
