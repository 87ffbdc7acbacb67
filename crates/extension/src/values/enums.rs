//! Cases of PHP's enums: a backed one is its value.

use ext_php_rs::ffi::{ZEND_ACC_ENUM, zend_object, zend_read_property};
use ext_php_rs::types::Zval;

use super::path::Unconvertible;
use crate::engine::class_name;

/// The property in which a case has its value.
const VALUE: &str = "value";

/// The value of a case; None if the object is no case of an enum.
///
/// # Errors
/// [`Unconvertible`] for a case of an enum without values.
pub(super) fn value_of(object: &zend_object) -> Result<Option<&Zval>, Unconvertible> {
    // SAFETY: a live object's class is live.
    if unsafe { (*object.ce).ce_flags } & ZEND_ACC_ENUM == 0 {
        return Ok(None);
    }
    let mut unused = Zval::new();
    // SAFETY: a case's value is a property that never changes, and an enum cannot define `__get`; where there is none the
    // engine gives its own null. The slot is for what is computed, which no property of a case is.
    let value = unsafe {
        let object = std::ptr::from_ref(object).cast_mut();
        &*zend_read_property(
            object.as_ref().map_or(std::ptr::null_mut(), |object| object.ce),
            object,
            VALUE.as_ptr().cast(),
            VALUE.len(),
            true,
            &raw mut unused,
        )
    };
    if value.is_long() || value.is_string() {
        return Ok(Some(value));
    }
    Err(Unconvertible::new(format!(
        "a case of the PHP enum {} has no value that Python could get; back the enum with texts or integers, or pass a \
         value for the case",
        // SAFETY: as above.
        unsafe { class_name(object.ce) }
    )))
}
