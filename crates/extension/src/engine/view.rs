//! PHP's values as they lie: what a zval is, and the elements of an array.

use ext_php_rs::ffi::{
    _Bucket, IS_ARRAY, IS_DOUBLE, IS_FALSE, IS_INDIRECT, IS_LONG, IS_OBJECT, IS_REFERENCE, IS_RESOURCE, IS_STRING,
    IS_TRUE, IS_UNDEF, zend_array, zend_object, zend_string,
};
use ext_php_rs::types::Zval;

use super::reading::bytes_of;

/// The engine's `HASH_FLAG_PACKED`: elements without keys of their own.
const HASH_PACKED: u32 = 1 << 2;

/// What a zval holds.
#[derive(Clone, Copy)]
pub(crate) enum View<'a> {
    /// Null, or nothing.
    Null,
    /// A truth value.
    Boolean(bool),
    /// An integer.
    Integer(i64),
    /// A float.
    Float(f64),
    /// A string that is live.
    String(&'a zend_string),
    /// An array.
    Array(&'a zend_array),
    /// An object.
    Object(&'a zend_object),
    /// A resource.
    Resource,
}

/// A key of a PHP array.
#[derive(Clone, Copy)]
pub(crate) enum Key<'a> {
    /// An integer key.
    Index(i64),
    /// A text key, as bytes.
    Name(&'a [u8]),
}

fn type_of(value: &Zval) -> u32 {
    // SAFETY: every written zval has a type, and the word of flags is always the union's whole.
    u32::from(unsafe { value.u1.v.type_ })
}

/// What a value is; of a reference, what it refers to.
pub(crate) fn view(value: &Zval) -> View<'_> {
    // SAFETY: the type says which member of the union is set, and the value holds what it points to.
    unsafe {
        match type_of(value) {
            IS_FALSE => View::Boolean(false),
            IS_TRUE => View::Boolean(true),
            IS_LONG => View::Integer(value.value.lval),
            IS_DOUBLE => View::Float(value.value.dval),
            IS_STRING => View::String(&*value.value.str_),
            IS_ARRAY => View::Array(&*value.value.arr),
            IS_OBJECT => View::Object(&*value.value.obj),
            IS_RESOURCE => View::Resource,
            IS_REFERENCE => view(&(*value.value.ref_).val),
            IS_INDIRECT => view(&*value.value.zv),
            _ => View::Null,
        }
    }
}

/// Whether the value is a reference, by which an array may contain itself.
pub(crate) fn is_reference(value: &Zval) -> bool {
    type_of(value) == IS_REFERENCE
}

/// What the elements of a list are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Elements {
    /// Exactly floats.
    Floats,
    /// Exactly integers.
    Integers,
    /// Both.
    Numbers,
    /// Others among them, or none at all.
    Others,
}

/// What the elements of a list are; it is left at the first that is no number.
pub(crate) fn elements_of(list: &[Zval]) -> Elements {
    /// So many are looked at before it is asked what was found.
    const STRIDE: usize = 64;
    // The types of both are the same but for the lowest bit, which is set in that of floats.
    const { assert!(IS_LONG & 1 == 0 && IS_LONG | 1 == IS_DOUBLE) };
    let (mut any, mut all) = (0, IS_DOUBLE);
    for part in list.chunks(STRIDE) {
        (any, all) = part.iter().map(type_of).fold((any, all), |(any, all), kind| (any | kind, all & kind));
        if any | 1 != IS_DOUBLE || all | 1 != IS_DOUBLE {
            return Elements::Others;
        }
    }
    match (any, all) {
        (IS_DOUBLE, IS_DOUBLE) => Elements::Floats,
        (IS_LONG, _) => Elements::Integers,
        (IS_DOUBLE, _) => Elements::Numbers,
        _ => Elements::Others,
    }
}

/// Whether it holds exactly an integer.
pub(crate) fn is_integer(value: &Zval) -> bool {
    type_of(value) == IS_LONG
}

/// The 8 bytes of an integer or a float, little-endian.
pub(crate) fn number_bytes(value: &Zval) -> [u8; 8] {
    // SAFETY: all members of the union are at most 8 bytes, and all of it is always written.
    unsafe { value.value.lval.to_le_bytes() }
}

/// The elements of an array that PHP keeps as a list, if none is missing.
pub(crate) fn packed_elements(array: &zend_array) -> Option<&[Zval]> {
    // SAFETY: the first `nNumUsed` places of a packed table are zvals (since PHP 8.2).
    (is_packed(array) && is_without_holes(array))
        .then(|| unsafe { std::slice::from_raw_parts(array.__bindgen_anon_1.arPacked, array.nNumUsed as usize) })
}

/// The keys and values of an array that PHP keeps with keys, if none is missing.
fn buckets(array: &zend_array) -> Option<&[_Bucket]> {
    // SAFETY: the first `nNumUsed` places of a table that is not packed are buckets.
    (!is_packed(array) && is_without_holes(array))
        .then(|| unsafe { std::slice::from_raw_parts(array.__bindgen_anon_1.arData, array.nNumUsed as usize) })
}

fn is_packed(array: &zend_array) -> bool {
    // SAFETY: `u.flags` is the whole word of which the union's other members are parts.
    unsafe { array.u.flags & HASH_PACKED != 0 }
}

fn is_without_holes(array: &zend_array) -> bool {
    array.nNumUsed == array.nNumOfElements
}

/// Whether two arrays that PHP keeps with keys have the same ones in the same order.
pub(crate) fn have_same_keys(one: &zend_array, other: &zend_array) -> bool {
    let (Some(one), Some(other)) = (buckets(one), buckets(other)) else { return false };
    let is_same = |(one, other): (&_Bucket, &_Bucket)| {
        let is_name = !one.key.is_null() && !other.key.is_null();
        // For a text, `h` is its hash.
        let is_alike = one.key == other.key || is_name;
        // SAFETY: a key of a live array is a live string.
        let is_same = || one.key == other.key || unsafe { bytes_of(one.key) == bytes_of(other.key) };
        // An element that is missing after all is left to those who walk through the elements.
        one.h == other.h && is_alike && is_same() && ![IS_INDIRECT, IS_UNDEF].contains(&type_of(&other.val))
    };
    one.len() == other.len() && one.iter().zip(other).all(is_same)
}

/// Where the elements of an array lie, without holes: to be changed by whoever is the array's only owner.
pub(super) fn places(array: &zend_array) -> impl Iterator<Item = *mut Zval> {
    let packed = is_packed(array);
    (0..array.nNumUsed as usize)
        // SAFETY: as in `elements`; only addresses are made.
        .map(move |at| unsafe {
            if packed {
                array.__bindgen_anon_1.arPacked.add(at)
            } else {
                &raw mut (*array.__bindgen_anon_1.arData.add(at)).val
            }
        })
        // SAFETY: the first `nNumUsed` places are written, and a hole has no type.
        .filter(|place| unsafe { type_of(&**place) } != IS_UNDEF)
}

/// The elements of a PHP array in order, without holes.
///
/// # Safety
/// `array` is live and not changed while the iterator is used.
pub(crate) unsafe fn elements<'a>(array: &'a zend_array) -> impl Iterator<Item = (Key<'a>, &'a Zval)> {
    let packed = is_packed(array);
    (0..array.nNumUsed as usize).filter_map(move |at| {
        // SAFETY: the first `nNumUsed` places are written; a packed table has zvals there (since PHP 8.2), any other
        // buckets.
        let (key, value) = unsafe {
            if packed {
                (Key::Index(at as i64), &*array.__bindgen_anon_1.arPacked.add(at))
            } else {
                let bucket: &_Bucket = &*array.__bindgen_anon_1.arData.add(at);
                let key = match bucket.key.is_null() {
                    true => Key::Index(bucket.h as i64),
                    false => Key::Name(bytes_of(bucket.key)),
                };
                (key, &bucket.val)
            }
        };
        let value = value.indirect().unwrap_or(value);
        // A hole has no type.
        (type_of(value) != IS_UNDEF).then_some((key, value))
    })
}
