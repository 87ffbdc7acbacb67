//! Whether a protocol of an object is Python's, or PHP code of a subclass has its own.

use ext_php_rs::ffi::{ZEND_USER_FUNCTION, zend_function, zend_hash_str_find, zend_object};

use crate::classes;
use crate::native::{self, Native};

/// A method by which PHP code can have a protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// `$o[k]`
    OffsetGet,
    /// `$o[k] = v`
    OffsetSet,
    /// `isset($o[k])`
    OffsetExists,
    /// `unset($o[k])`
    OffsetUnset,
    /// `(string) $o`
    ToString,
    /// `var_dump($o)`
    DebugInfo,
}

impl Method {
    const fn lower_name(self) -> &'static str {
        match self {
            Self::OffsetGet => "offsetget",
            Self::OffsetSet => "offsetset",
            Self::OffsetExists => "offsetexists",
            Self::OffsetUnset => "offsetunset",
            Self::ToString => "__tostring",
            Self::DebugInfo => "__debuginfo",
        }
    }
}

/// Whether Python is to be asked, and not a method in PHP: the object has no class of its own, or a generated method.
pub(super) fn is_pythons(object: &zend_object, method: Method) -> bool {
    if std::ptr::eq(object.ce, native::class(Native::PyObject)) {
        return true;
    }
    // SAFETY: a live class's methods are live; the type says that this one is a user function, which has code.
    unsafe {
        found(object, method).is_some_and(|found| {
            u32::from(found.type_) == ZEND_USER_FUNCTION && classes::method_of(&found.op_array).is_some()
        })
    }
}

/// Whether the object's class has a method of that name, PHP's or a generated one.
pub(super) fn has(object: &zend_object, method: Method) -> bool {
    found(object, method).is_some()
}

fn found(object: &zend_object, method: Method) -> Option<&zend_function> {
    let name = method.lower_name();
    // SAFETY: a live object's class is live, and its functions are keyed by lower-case names.
    unsafe {
        let table = &raw const (*object.ce).function_table;
        zend_hash_str_find(table, name.as_ptr().cast(), name.len()).as_ref().and_then(|found| found.value.func.as_ref())
    }
}
