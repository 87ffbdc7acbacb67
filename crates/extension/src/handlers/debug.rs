//! What dumps, exports and `json_encode` see of a proxy: a summary that is made here, without a word to Python.

use ext_php_rs::ffi::{
    _zend_prop_purpose_ZEND_PROP_PURPOSE_DEBUG as DEBUG, _zend_prop_purpose_ZEND_PROP_PURPOSE_JSON as JSON,
    _zend_prop_purpose_ZEND_PROP_PURPOSE_VAR_EXPORT as EXPORT, zend_array, zend_array_dup, zend_object,
    zend_prop_purpose, zend_std_get_properties,
};
use ext_php_rs::types::{ZendStr, Zval};

use super::overridden::{Method, has};
use crate::engine::{class_name, guard, zend_hash_str_add, zend_std_get_properties_for};
use crate::error::BridgeError;
use crate::throw::throw;
use crate::{classes, proxy};

/// The engine asks for an object's properties for a purpose. The caller owns one count of the table.
pub(super) unsafe extern "C" fn properties_for(
    object: *mut zend_object,
    purpose: zend_prop_purpose,
) -> *mut zend_array {
    // SAFETY: the engine passes a live proxy.
    unsafe {
        match purpose {
            DEBUG if !has(&*object, Method::DebugInfo) => {}
            EXPORT => {}
            // Below a class of PHP code it is that class's public properties.
            JSON if classes::php_ancestor((*object).ce).is_some() => {
                return zend_std_get_properties_for(object, purpose);
            }
            JSON => {
                guard((), || throw(without_json(&*object)));
                return std::ptr::null_mut();
            }
            _ => return zend_std_get_properties_for(object, purpose),
        }
        guard(std::ptr::null_mut(), || summary(object))
    }
}

/// PHP asks for properties only of what is not `JsonSerializable`. An empty object would look like an answer.
fn without_json(object: &zend_object) -> BridgeError {
    // SAFETY: a live object's class is live.
    let name = unsafe { class_name(object.ce) };
    BridgeError::Conversion(format!(
        "an object of {name} has no form in JSON: dataclasses, mappings, sequences and arrays of Python have one; give \
         json_encode a value of it, such as a text or an attribute"
    ))
}

/// PHP's own properties, and who the object is in Python.
///
/// # Safety
/// `object` is a live proxy.
unsafe fn summary(object: *mut zend_object) -> *mut zend_array {
    // SAFETY: the caller's promise; the copy is ours, and is given to the caller.
    unsafe {
        let table = zend_array_dup(zend_std_get_properties(object));
        let class = classes::synthesized((*object).ce);
        if let Some(class) = class {
            add(table, "python", text(&class.python_name));
        }
        let (id, is_live) = proxy::identity(&*object);
        add(table, "id", id.map_or_else(Zval::null, number));
        add(table, "session", text(if is_live { "live" } else { "gone" }));
        table
    }
}

/// Adds an entry, unless PHP has a property of that name.
///
/// # Safety
/// `table` is live and nobody else's.
unsafe fn add(table: *mut zend_array, name: &str, mut value: Zval) {
    // SAFETY: the caller's promise; the engine copies the name, and the table takes the value over if it adds it.
    unsafe {
        if !zend_hash_str_add(table, name.as_ptr().cast(), name.len(), &raw mut value).is_null() {
            std::mem::forget(value);
        }
    }
}

fn text(text: &str) -> Zval {
    let mut value = Zval::new();
    value.set_zend_string(ZendStr::new(text, false));
    value
}

fn number(number: u64) -> Zval {
    let mut value = Zval::new();
    value.set_long(i64::try_from(number).unwrap_or(i64::MAX));
    value
}
