//! zval → MessagePack.

use ext_php_rs::ffi::{ext_php_rs_is_known_valid_utf8, zend_array};
use ext_php_rs::types::Zval;
use tortoise_protocol::limits::{MAX_FRAME_BYTES, MAX_NAME_BYTES};
use tortoise_protocol::{Depth, Writer};

use super::path::Unconvertible;
use crate::engine::{Key, bytes_of, class_name, elements, object_of};
use crate::error::BridgeError;
use crate::{bytes, proxy, raised};

/// Writes a value, and what it contains.
///
/// # Errors
/// [`Unconvertible`] names what cannot cross and where it stands.
pub(crate) fn write_value(writer: &mut Writer<'_>, value: &Zval) -> Result<(), Unconvertible> {
    write_nested(writer, value, Depth::ROOT, &mut Vec::new())
}

fn write_nested(
    writer: &mut Writer<'_>,
    value: &Zval,
    depth: Depth,
    ancestors: &mut Vec<*const zend_array>,
) -> Result<(), Unconvertible> {
    let value = value.dereference();
    if let Some(text) = string_of(value) {
        write_string(writer, text)?;
    } else if let Some(integer) = value.long() {
        writer.integer(integer);
    } else if let Some(array) = array_of(value) {
        write_array(writer, array, depth, ancestors)?;
    } else if let Some(float) = value.double() {
        writer.float(float);
    } else if let Some(boolean) = value.bool() {
        writer.boolean(boolean);
    } else if let Some(object) = object_of(value) {
        if let Some(string) = bytes::string_of(object) {
            // SAFETY: the object holds the string.
            writer.binary(within_limit(unsafe { bytes_of(string) })?);
            return Ok(());
        }
        match proxy::id_to_send(object).or_else(|| raised::id_to_send(object)) {
            Some(id) => writer.handle(id.map_err(|_| Unconvertible::stale())?),
            None => {
                return Err(Unconvertible::new(format!(
                    "an object of the PHP class {} cannot be given to Python; pass its values as an array, or an \
                     object of a Python class",
                    // SAFETY: a live object's class is live.
                    unsafe { class_name(object.ce) }
                )));
            }
        }
    } else if value.is_resource() {
        return Err(Unconvertible::new("a PHP resource cannot be given to Python"));
    } else {
        writer.nil();
    }
    Ok(())
}

/// Writes the name of a method or an attribute.
///
/// # Errors
/// [`BridgeError::Access`] if it is longer than any name: the session would close the link over it.
pub(crate) fn write_name(writer: &mut Writer<'_>, name: &str) -> Result<(), BridgeError> {
    if name.len() > MAX_NAME_BYTES {
        let shown: String = name.chars().take(40).collect();
        return Err(BridgeError::Access(format!(
            "the name \"{shown}…\" has {} bytes; a name has at most {MAX_NAME_BYTES}",
            name.len()
        )));
    }
    writer.text(name);
    Ok(())
}

/// A string as `str` where it is UTF-8, else as `bytes`.
fn write_string(writer: &mut Writer<'_>, string: *const ext_php_rs::ffi::zend_string) -> Result<(), Unconvertible> {
    // SAFETY: the string belongs to a live zval.
    let (bytes, is_known_text) = unsafe { (bytes_of(string), ext_php_rs_is_known_valid_utf8(string)) };
    within_limit(bytes)?;
    if is_known_text || std::str::from_utf8(bytes).is_ok() {
        writer.text_bytes(bytes);
    } else {
        writer.binary(bytes);
    }
    Ok(())
}

fn within_limit(bytes: &[u8]) -> Result<&[u8], Unconvertible> {
    if bytes.len() > MAX_FRAME_BYTES {
        let length = bytes.len();
        return Err(Unconvertible::new(format!("a string of {length} bytes is over the limit of {MAX_FRAME_BYTES}")));
    }
    Ok(bytes)
}

fn write_array(
    writer: &mut Writer<'_>,
    array: &zend_array,
    depth: Depth,
    ancestors: &mut Vec<*const zend_array>,
) -> Result<(), Unconvertible> {
    // Only a reference can make an array contain itself, and then it is its own ancestor.
    if ancestors.contains(&std::ptr::from_ref(array)) {
        return Err(Unconvertible::new("the array contains itself, by a reference"));
    }
    if writer.position() > MAX_FRAME_BYTES {
        return Err(Unconvertible::new(format!("the value is over the limit of {MAX_FRAME_BYTES} bytes")));
    }
    let depth = depth.enter().map_err(|error| Unconvertible::new(error.to_string()))?;
    ancestors.push(array);
    let count = array.nNumOfElements as usize;
    // SAFETY: the array belongs to a live zval, and nothing here runs PHP code that could change it.
    let is_list = unsafe { elements(array) }
        .enumerate()
        .all(|(at, (key, _))| matches!(key, Key::Index(index) if index == at as i64));
    if is_list {
        writer.array(count);
    } else {
        writer.map(count);
    }
    // SAFETY: as above.
    for (key, element) in unsafe { elements(array) } {
        if !is_list {
            write_index_or_name(writer, key)?;
        }
        write_nested(writer, element, depth, ancestors).map_err(|error| match key {
            Key::Index(index) => error.at_index(index),
            Key::Name(name) => error.at_name(name),
        })?;
    }
    ancestors.pop();
    Ok(())
}

/// Writes a key of an array.
fn write_index_or_name(writer: &mut Writer<'_>, key: Key<'_>) -> Result<(), Unconvertible> {
    match key {
        Key::Index(index) => writer.integer(index),
        Key::Name(name) if std::str::from_utf8(name).is_ok() => writer.text_bytes(name),
        Key::Name(name) => {
            let shown = String::from_utf8_lossy(&name[..name.len().min(MAX_NAME_BYTES)]).into_owned();
            return Err(Unconvertible::new(format!("the array key \"{shown}\" is not UTF-8")));
        }
    }
    Ok(())
}

fn string_of(value: &Zval) -> Option<*const ext_php_rs::ffi::zend_string> {
    // SAFETY: the type says which member of the union is set.
    value.is_string().then(|| unsafe { value.value.str_.cast_const() })
}

fn array_of(value: &Zval) -> Option<&zend_array> {
    // SAFETY: the type says which member of the union is set; the array lives as long as the value.
    if value.is_array() { unsafe { value.value.arr.as_ref() } } else { None }
}
