//! PHP's autoload, extended: after every registered autoloader, a name with a `.py` file in a class root, and Python's
//! built-in exceptions.

use ext_php_rs::ffi::zend_class_entry;
use tortoise_protocol::failure::Category;

use crate::engine::{guard, is_preloading};
use crate::error::BridgeError;
use crate::throw::throw;
use crate::{classes, naming, settings};

/// Declares the class of that name, if a class file has it.
pub(crate) fn autoload(name: &str) -> *mut zend_class_entry {
    guard(std::ptr::null_mut(), || {
        if is_preloading() || !is_ours(name) {
            return std::ptr::null_mut();
        }
        let is_builtin = naming::may_be_builtin_exception(name);
        match classes::load(name, true) {
            Ok(class) => class,
            // Python has no exception of that name.
            Err(BridgeError::Remote(failure)) if is_builtin && failure.category == Category::Access => {
                std::ptr::null_mut()
            }
            Err(error) => {
                throw(error);
                std::ptr::null_mut()
            }
        }
    })
}

/// Whether a class file of that name lies in a root, or it is a name that only Python's own exceptions have. Asked of the
/// file system, never of the sidecar.
pub(crate) fn is_ours(name: &str) -> bool {
    let roots = settings::roots();
    naming::may_be_builtin_exception(name) || !roots.is_empty() && naming::find(&roots, name).is_some()
}
