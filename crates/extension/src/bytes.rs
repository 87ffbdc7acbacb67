//! `Tortoise\Bytes`: a string that Python gets as `bytes`, whatever stands in it.

use ext_php_rs::ffi::{zend_object, zend_read_property, zend_string};
use ext_php_rs::types::{ZendStr, Zval};
use ext_php_rs::zend::ExecuteData;

use crate::engine::{Frame, guard, zend_update_property};
use crate::error::BridgeError;
use crate::native::{self, Native};
use crate::throw::throw;

/// The private property that holds the string.
pub(crate) const PROPERTY: &str = "bytes";

/// Whether the object is a `Tortoise\Bytes`.
pub(crate) fn is_one(object: &zend_object) -> bool {
    // The class is final.
    std::ptr::eq(object.ce, native::class(Native::Bytes))
}

/// The string of a `Tortoise\Bytes`; None if the object is none, or its constructor never ran.
pub(crate) fn string_of(object: &zend_object) -> Option<*const zend_string> {
    if !is_one(object) {
        return None;
    }
    let mut unused = Zval::new();
    // SAFETY: the class declares the property, so that the engine gives the property itself and not the slot that is
    // dropped here; the type says which member of the union is set.
    unsafe {
        let object = std::ptr::from_ref(object).cast_mut();
        let value = zend_read_property(
            native::class(Native::Bytes),
            object,
            PROPERTY.as_ptr().cast(),
            PROPERTY.len(),
            true,
            &raw mut unused,
        );
        (*value).is_string().then(|| (*value).value.str_.cast_const())
    }
}

/// `__construct(string $bytes)`
pub(crate) extern "C" fn construct(data: &mut ExecuteData, _result: &mut Zval) {
    guard((), || {
        // SAFETY: the engine passes the frame of this very call, of a native function.
        let (frame, arguments) = unsafe {
            let frame = Frame::new(data);
            (frame, frame.native_arguments().surplus)
        };
        let Some(object) = frame.this() else { return };
        let [argument] = arguments else {
            return throw(BridgeError::ArgumentCount(format!(
                "Tortoise\\Bytes::__construct() expects exactly 1 argument, {} given",
                arguments.len()
            )));
        };
        let argument = argument.dereference();
        if !argument.is_string() {
            return throw(BridgeError::Type(
                "Tortoise\\Bytes::__construct(): Argument #1 ($bytes) must be of type string".to_owned(),
            ));
        }
        let mut value = argument.shallow_clone();
        let class = native::class(Native::Bytes);
        // SAFETY: object and value are live; the engine takes a count of the value of its own.
        unsafe { zend_update_property(class, object, PROPERTY.as_ptr().cast(), PROPERTY.len(), &raw mut value) };
    });
}

/// `__toString(): string`
pub(crate) extern "C" fn to_string(data: &mut ExecuteData, result: &mut Zval) {
    guard((), || {
        // SAFETY: the engine passes the frame of this very call.
        let frame = unsafe { Frame::new(data) };
        let string = frame.this().and_then(|object| string_of(object));
        // SAFETY: the object holds the string.
        let bytes = string.map_or(&b""[..], |string| unsafe { crate::engine::bytes_of(string) });
        result.set_zend_string(ZendStr::new(bytes, false));
    });
}
