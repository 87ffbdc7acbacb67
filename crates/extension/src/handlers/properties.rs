//! Attributes: `$o->name` read, written, asked for and unset.

use std::ffi::{c_int, c_void};

use ext_php_rs::ffi::{
    _zend_executor_globals, ZEND_ACC_CHANGED, ZEND_ACC_PRIVATE, ext_php_rs_executor_globals, zend_class_entry,
    zend_get_executed_scope, zend_hash_find, zend_object, zend_property_info, zend_std_get_property_ptr_ptr,
    zend_std_has_property, zend_std_read_property, zend_std_unset_property, zend_std_write_property, zend_string, zval,
};
use ext_php_rs::types::Zval;
use tortoise_protocol::frame::Kind;
use tortoise_protocol::request::Question;

use crate::engine::{guard, object_of, text_of, write_result};
use crate::error::BridgeError;
use crate::link::{self, Session};
use crate::proxy::target;
use crate::throw::throw;
use crate::values;

/// The engine's kinds of reading (`BP_VAR_*`).
const READ: c_int = 0;
pub(super) const READ_TO_WRITE: c_int = 1;
pub(super) const READ_AND_WRITE: c_int = 2;
pub(super) const READ_QUIETLY: c_int = 3;
pub(super) const READ_TO_UNSET: c_int = 5;

/// The engine's `ZEND_PROPERTY_EXISTS` and `ZEND_PROPERTY_NOT_EMPTY`.
const ASK_EXISTS: c_int = 2;
const ASK_NOT_EMPTY: c_int = 1;

/// Whether PHP declares the property itself: a PHP class may have properties of its own, or `__get` and the like.
///
/// # Safety
/// Object and name are live.
pub(super) unsafe fn is_php(object: *mut zend_object, name: *mut zend_string, has_magic: bool) -> bool {
    // SAFETY: a live object's class is live, and so is what it tells of its properties.
    unsafe {
        let class = (*object).ce;
        if has_magic || (*class).default_properties_count == 0 {
            return has_magic;
        }
        let found = zend_hash_find(&raw const (*class).properties_info, name);
        found.as_ref().is_some_and(|found| is_in_reach(class, &*found.value.ptr.cast()))
    }
}

/// Whether PHP finds this property of a class. What is private in a parent is nobody else's: PHP looks for a property of
/// the object itself then, and those are Python's.
fn is_in_reach(class: *mut zend_class_entry, property: &zend_property_info) -> bool {
    let is_parents = property.flags & (ZEND_ACC_PRIVATE | ZEND_ACC_CHANGED) == ZEND_ACC_PRIVATE && property.ce != class;
    // SAFETY: the executor's globals are there as long as PHP is. As there, native code may act for a class.
    let scope = || unsafe {
        let acting = (*ext_php_rs_executor_globals().cast::<_zend_executor_globals>()).fake_scope;
        if acting.is_null() { zend_get_executed_scope() } else { acting }
    };
    !is_parents || property.ce == scope()
}

unsafe fn name_of<'a>(name: *mut zend_string) -> Result<&'a str, BridgeError> {
    // SAFETY: the engine passes a live string.
    unsafe { text_of(name) }.ok_or_else(|| BridgeError::Access("an attribute's name must be UTF-8".to_owned()))
}

pub(super) unsafe extern "C" fn read(
    object: *mut zend_object,
    name: *mut zend_string,
    purpose: c_int,
    cache: *mut *mut c_void,
    result: *mut zval,
) -> *mut zval {
    // SAFETY: the engine passes a live proxy, a name and a slot for the result that holds nothing.
    unsafe {
        if is_php(object, name, !(*(*object).ce).__get.is_null()) {
            return zend_std_read_property(object, name, purpose, cache, result);
        }
        guard(uninitialized(), || match name_of(name).and_then(|name| get(&*object, name, purpose)) {
            Ok(value) => {
                write_result(result, value);
                result
            }
            Err(error) => {
                throw(error);
                uninitialized()
            }
        })
    }
}

fn uninitialized() -> *mut zval {
    // SAFETY: the executor's globals are there as long as PHP is; the engine itself returns this value for "nothing".
    unsafe { &raw mut (*(ext_php_rs_executor_globals().cast::<_zend_executor_globals>())).uninitialized_zval }
}

fn get(object: &zend_object, name: &str, purpose: c_int) -> Result<Zval, BridgeError> {
    let (id, generation) = target(object)?;
    if purpose == READ_QUIETLY && !has_attribute(id, generation, name, Question::Exists)? {
        return Ok(Zval::null());
    }
    let reply = link::exchange(Session::Of(generation), Kind::Get, Kind::Value, |writer| {
        writer.unsigned(id);
        values::write_name(writer, name)
    })?;
    let value = values::read_reply(&reply)?;
    let would_be_lost = matches!(purpose, READ_TO_WRITE | READ_AND_WRITE | READ_TO_UNSET);
    if would_be_lost && object_of(&value).is_none() {
        return Err(BridgeError::Conversion(format!(
            "$object->{name} is a copy of Python's value, so changing it in place would change nothing; write \
             $copy = $object->{name}; change $copy; then $object->{name} = $copy;"
        )));
    }
    debug_assert!(would_be_lost || purpose == READ || purpose == READ_QUIETLY);
    Ok(value)
}

fn has_attribute(id: u64, generation: u32, name: &str, question: Question) -> Result<bool, BridgeError> {
    let reply = link::exchange(Session::Of(generation), Kind::Has, Kind::Value, |writer| {
        writer.unsigned(id);
        values::write_name(writer, name)?;
        writer.unsigned(question as u64);
        Ok(())
    })?;
    link::read_boolean(&reply)
}

pub(super) unsafe extern "C" fn write(
    object: *mut zend_object,
    name: *mut zend_string,
    value: *mut zval,
    cache: *mut *mut c_void,
) -> *mut zval {
    // SAFETY: the engine passes a live proxy, a name and a value.
    unsafe {
        if is_php(object, name, !(*(*object).ce).__set.is_null()) {
            return zend_std_write_property(object, name, value, cache);
        }
        guard((), || {
            if let Err(error) = name_of(name).and_then(|name| set(&*object, name, &*value)) {
                throw(error);
            }
        });
        value
    }
}

fn set(object: &zend_object, name: &str, value: &Zval) -> Result<(), BridgeError> {
    let (id, generation) = target(object)?;
    link::exchange(Session::Of(generation), Kind::Set, Kind::Value, |writer| {
        writer.unsigned(id);
        values::write_name(writer, name)?;
        values::write_value(writer, value).map_err(|error| error.within(&format!("$object->{name}")))
    })
    .map(drop)
}

pub(super) unsafe extern "C" fn has(
    object: *mut zend_object,
    name: *mut zend_string,
    question: c_int,
    cache: *mut *mut c_void,
) -> c_int {
    // SAFETY: the engine passes a live proxy and a name.
    unsafe {
        if is_php(object, name, !(*(*object).ce).__isset.is_null()) {
            return zend_std_has_property(object, name, question, cache);
        }
        guard(0, || {
            let answer = name_of(name).and_then(|name| has_answer(&*object, name, question));
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

fn has_answer(object: &zend_object, name: &str, question: c_int) -> Result<bool, BridgeError> {
    let (id, generation) = target(object)?;
    let asked = if question == ASK_EXISTS { Question::Exists } else { Question::IsSet };
    if !has_attribute(id, generation, name, asked)? {
        return Ok(false);
    }
    if question != ASK_NOT_EMPTY {
        return Ok(true);
    }
    Ok(get(object, name, READ)?.coerce_to_bool())
}

pub(super) unsafe extern "C" fn unset(object: *mut zend_object, name: *mut zend_string, cache: *mut *mut c_void) {
    // SAFETY: the engine passes a live proxy and a name.
    unsafe {
        if is_php(object, name, !(*(*object).ce).__unset.is_null()) {
            return zend_std_unset_property(object, name, cache);
        }
        guard((), || {
            if let Err(error) = name_of(name).and_then(|name| delete(&*object, name)) {
                throw(error);
            }
        });
    }
}

fn delete(object: &zend_object, name: &str) -> Result<(), BridgeError> {
    let (id, generation) = target(object)?;
    link::exchange(Session::Of(generation), Kind::Delete, Kind::Value, |writer| {
        writer.unsigned(id);
        values::write_name(writer, name)
    })
    .map(drop)
}

/// A pointer to a property, for writing in place: only PHP's own properties have one. For others null makes the engine
/// read, which refuses what cannot be written in place.
pub(super) unsafe extern "C" fn pointer(
    object: *mut zend_object,
    name: *mut zend_string,
    purpose: c_int,
    cache: *mut *mut c_void,
) -> *mut zval {
    // SAFETY: the engine passes a live proxy and a name.
    unsafe {
        if is_php(object, name, false) {
            return zend_std_get_property_ptr_ptr(object, name, purpose, cache);
        }
    }
    std::ptr::null_mut()
}
