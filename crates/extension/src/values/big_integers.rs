//! Integers of more than 64 bits: `GMP`, where PHP has that extension.

use ext_php_rs::ffi::{instanceof_function_slow, zend_object};
use ext_php_rs::types::Zval;
use tortoise_protocol::codec::BigInteger;
use tortoise_protocol::limits::MAX_INTEGER_BYTES;

use super::path::Unconvertible;
use crate::engine::{NewString, NotCalled, borrowed, call_native, class_in_table, make};
use crate::error::BridgeError;
use crate::link::Outgoing;

/// Writes a `GMP` number, and says whether the object is one.
pub(super) fn write(outgoing: &mut Outgoing<'_>, object: &zend_object) -> Result<bool, Unconvertible> {
    let Some(class) = class_in_table(b"gmp") else { return Ok(false) };
    // SAFETY: both classes are live.
    if !std::ptr::eq(object.ce, class) && !unsafe { instanceof_function_slow(object.ce, class) } {
        return Ok(false);
    }
    let sign = call_native("gmp_sign", [&borrowed(object)]).map_err(failed)?;
    let content = call_native("gmp_export", [&borrowed(object)]).map_err(failed)?;
    let (Some(sign), Some(magnitude)) = (sign.long(), content.zend_str()) else { return Err(Unconvertible::pending()) };
    let magnitude = magnitude.as_bytes();
    if magnitude.len() > MAX_INTEGER_BYTES {
        return Err(Unconvertible::new(format!(
            "an integer of {} bytes is over the limit of {MAX_INTEGER_BYTES}",
            magnitude.len()
        )));
    }
    let magnitude = if magnitude.is_empty() { &[0] } else { magnitude };
    outgoing.big_integer(BigInteger { is_negative: sign < 0, magnitude });
    Ok(true)
}

/// The `GMP` number of an integer.
///
/// # Errors
/// [`BridgeError`] if PHP has no room for it.
pub(super) fn read(integer: BigInteger<'_>) -> Result<Zval, BridgeError> {
    let content = make(|slot| Ok::<_, BridgeError>(slot.string(NewString::copy(integer.magnitude)?)))?;
    let number = call_native("gmp_import", [&content]).map_err(unread)?;
    if integer.is_negative { call_native("gmp_neg", [&number]).map_err(unread) } else { Ok(number) }
}

fn failed(error: NotCalled) -> Unconvertible {
    match error {
        NotCalled::Missing => Unconvertible::new("a GMP number needs PHP's functions gmp_sign and gmp_export"),
        NotCalled::Raised => Unconvertible::pending(),
    }
}

fn unread(error: NotCalled) -> BridgeError {
    match error {
        NotCalled::Missing => BridgeError::Conversion("an integer of more than 64 bits needs PHP's GMP".to_owned()),
        NotCalled::Raised => BridgeError::Pending,
    }
}
