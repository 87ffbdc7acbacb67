//! zval → MessagePack.

use ext_php_rs::ffi::{ext_php_rs_is_known_valid_utf8, zend_array, zend_object, zend_string};
use ext_php_rs::types::Zval;
use tortoise_protocol::Depth;
use tortoise_protocol::codec::SegmentKind;
use tortoise_protocol::limits::{MAX_FRAME_BYTES, MAX_NAME_BYTES};

use super::path::Unconvertible;
use super::{big_integers, enums, moments, vectors};
use crate::engine::{Key, View, bytes_of, elements, have_same_keys, held_object, is_reference, packed_elements, view};
use crate::error::BridgeError;
use crate::link::Outgoing;
use crate::{bytes, proxy, raised};

/// Strings of so many bytes are sent from where they lie. For smaller ones a copy is cheaper than to treat them apart.
const MIN_SEGMENT_BYTES: usize = 16 << 10;

/// Writes a value, and what it contains.
///
/// # Errors
/// [`Unconvertible`] names what cannot cross and where it stands.
pub(crate) fn write_value(outgoing: &mut Outgoing<'_>, value: &Zval) -> Result<(), Unconvertible> {
    write_nested(outgoing, value, Depth::ROOT, None)
}

/// The arrays around a value, innermost first.
#[derive(Clone, Copy)]
struct Around<'a> {
    array: *const zend_array,
    outer: Option<&'a Around<'a>>,
}

fn write_nested(
    outgoing: &mut Outgoing<'_>,
    value: &Zval,
    depth: Depth,
    around: Option<&Around<'_>>,
) -> Result<(), Unconvertible> {
    match view(value) {
        View::Null => outgoing.nil(),
        View::Boolean(boolean) => outgoing.boolean(boolean),
        View::Integer(integer) => outgoing.integer(integer),
        View::Float(float) => outgoing.float(float),
        View::String(string) => write_string(outgoing, string)?,
        View::Array(array) => write_array_in(outgoing, value, array, depth, around, None).map(drop)?,
        View::Object(object) => write_object(outgoing, object)?,
        View::Resource => return Err(Unconvertible::new("a PHP resource cannot be given to Python")),
    }
    Ok(())
}

/// Holds the name of a method or an attribute against the limit.
///
/// # Errors
/// [`BridgeError::Access`] if it is longer than any name: the session would close the link over it.
pub(crate) fn check_name(name: &str) -> Result<(), BridgeError> {
    if name.len() > MAX_NAME_BYTES {
        let shown: String = name.chars().take(40).collect();
        return Err(BridgeError::Access(format!(
            "the name \"{shown}…\" has {} bytes; a name has at most {MAX_NAME_BYTES}",
            name.len()
        )));
    }
    Ok(())
}

/// Writes the name of an attribute.
///
/// # Errors
/// As [`check_name`].
pub(crate) fn write_name(outgoing: &mut Outgoing<'_>, name: &str) -> Result<(), BridgeError> {
    check_name(name)?;
    outgoing.text(name);
    Ok(())
}

/// A string as `str` where it is UTF-8, else as `bytes`.
fn write_string(outgoing: &mut Outgoing<'_>, string: &zend_string) -> Result<(), Unconvertible> {
    // SAFETY: the string belongs to a live zval.
    let (bytes, is_known_text) = unsafe { (bytes_of(string), ext_php_rs_is_known_valid_utf8(string)) };
    let is_text = is_known_text || std::str::from_utf8(bytes).is_ok();
    write_bulk(outgoing, bytes, if is_text { SegmentKind::Text } else { SegmentKind::Binary })
}

fn write_bulk(outgoing: &mut Outgoing<'_>, bytes: &[u8], kind: SegmentKind) -> Result<(), Unconvertible> {
    check_size(outgoing, bytes.len())?;
    if bytes.len() >= MIN_SEGMENT_BYTES {
        // SAFETY: the string is one of the call's arguments, or stands in one.
        unsafe { outgoing.segment(kind, bytes) };
    } else if kind == SegmentKind::Text {
        outgoing.text_bytes(bytes);
    } else {
        outgoing.binary(bytes);
    }
    Ok(())
}

fn check_size(outgoing: &Outgoing<'_>, more: usize) -> Result<(), Unconvertible> {
    let bytes = outgoing.bytes() + more;
    if bytes > MAX_FRAME_BYTES {
        return Err(Unconvertible::new(format!("with {bytes} bytes the call is over the limit of {MAX_FRAME_BYTES}")));
    }
    Ok(())
}

fn write_object(outgoing: &mut Outgoing<'_>, object: &zend_object) -> Result<(), Unconvertible> {
    if let Some(string) = bytes::string_of(object) {
        // SAFETY: the object holds the string.
        return write_bulk(outgoing, unsafe { bytes_of(string) }, SegmentKind::Binary);
    }
    match proxy::id_to_send(object).or_else(|| raised::id_to_send(object)) {
        Some(Ok(id)) => outgoing.handle(id),
        Some(Err(_)) if proxy::is_to_be_made(object) => {
            // SAFETY: the object is live.
            return Err(Unconvertible::unmade(unsafe { held_object(std::ptr::from_ref(object).cast_mut()) }));
        }
        Some(Err(_)) => return Err(Unconvertible::stale()),
        None => return write_native_object(outgoing, object),
    }
    Ok(())
}

/// Writes a PHP object: by value where its class is one of values, else by reference.
fn write_native_object(outgoing: &mut Outgoing<'_>, object: &zend_object) -> Result<(), Unconvertible> {
    if let Some(value) = enums::value_of(object)? {
        return write_nested(outgoing, value, Depth::ROOT, None);
    }
    if moments::write(outgoing, object)? || big_integers::write(outgoing, object)? {
        return Ok(());
    }
    if bytes::is_one(object) {
        return Err(Unconvertible::new("this Tortoise\\Bytes has no bytes: its constructor was never called"));
    }
    outgoing.export(object);
    Ok(())
}

/// Writes the array that `value` holds: see [`write_array`].
fn write_array_in(
    outgoing: &mut Outgoing<'_>,
    value: &Zval,
    array: &zend_array,
    depth: Depth,
    around: Option<&Around<'_>>,
    last: Option<&zend_array>,
) -> Result<bool, Unconvertible> {
    // Only a reference can make an array contain itself, and then it is its own ancestor.
    let mut ancestors = std::iter::successors(around, |around| around.outer);
    if is_reference(value) && ancestors.any(|around| std::ptr::eq(around.array, array)) {
        return Err(Unconvertible::new("the array contains itself, by a reference"));
    }
    write_array(outgoing, array, depth, Around { array, outer: around }, last)
}

/// Writes an array, and says whether it is a map. `last` is the map before it in the same list, if there is one: its keys
/// need not be said again.
fn write_array(
    outgoing: &mut Outgoing<'_>,
    array: &zend_array,
    depth: Depth,
    around: Around<'_>,
    last: Option<&zend_array>,
) -> Result<bool, Unconvertible> {
    check_size(outgoing, array.nNumOfElements as usize)?;
    let depth = depth.enter().map_err(|error| Unconvertible::new(error.to_string()))?;
    if let Some(list) = packed_elements(array) {
        write_list(outgoing, list, depth, &around)?;
        return Ok(false);
    }
    let form = form_of(array, last);
    // SAFETY: the array belongs to a live zval, and nothing here runs PHP code that could change it.
    let elements = || unsafe { elements(array) };
    match form {
        Form::SameKeys(count) => outgoing.same_keys(count),
        // What a table of an object's properties lacks is counted in the table.
        Form::List => outgoing.array(elements().count()),
        Form::Map => outgoing.map(elements().count()),
    }
    for (key, element) in elements() {
        if form == Form::Map {
            write_key(outgoing, key)?;
        }
        write_nested(outgoing, element, depth, Some(&around)).map_err(|error| error.at(key))?;
    }
    Ok(form != Form::List)
}

/// As what an array with keys is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    List,
    Map,
    /// So many values.
    SameKeys(u8),
}

fn form_of(array: &zend_array, last: Option<&zend_array>) -> Form {
    if let (Some(last), Ok(count)) = (last, u8::try_from(array.nNumOfElements))
        && have_same_keys(last, array)
    {
        return Form::SameKeys(count);
    }
    // SAFETY: as in `write_array`.
    let mut keys = unsafe { elements(array) }.enumerate();
    let is_list = keys.all(|(at, (key, _))| matches!(key, Key::Index(index) if index == at as i64));
    if is_list { Form::List } else { Form::Map }
}

/// Writes what PHP keeps as a list.
fn write_list(
    outgoing: &mut Outgoing<'_>,
    list: &[Zval],
    depth: Depth,
    around: &Around<'_>,
) -> Result<(), Unconvertible> {
    if vectors::write(outgoing, list) {
        return Ok(());
    }
    outgoing.array(list.len());
    let mut last = None;
    for (at, element) in list.iter().enumerate() {
        let written = match view(element) {
            // Most lists that are no vectors are still of numbers.
            View::Float(float) => {
                outgoing.float(float);
                continue;
            }
            View::Integer(integer) => {
                outgoing.integer(integer);
                continue;
            }
            View::Array(array) => write_array_in(outgoing, element, array, depth, Some(around), last).map(|is_map| {
                if is_map {
                    last = Some(array);
                }
            }),
            _ => write_nested(outgoing, element, depth, Some(around)),
        };
        written.map_err(|error| error.at(Key::Index(at as i64)))?;
    }
    Ok(())
}

/// Writes a key of an array.
fn write_key(outgoing: &mut Outgoing<'_>, key: Key<'_>) -> Result<(), Unconvertible> {
    match key {
        Key::Index(index) => outgoing.integer(index),
        Key::Name(name) if std::str::from_utf8(name).is_ok() => outgoing.text_bytes(name),
        Key::Name(name) => {
            let shown = String::from_utf8_lossy(&name[..name.len().min(MAX_NAME_BYTES)]).into_owned();
            return Err(Unconvertible::new(format!("the array key \"{shown}\" is not UTF-8")));
        }
    }
    Ok(())
}
