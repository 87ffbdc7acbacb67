//! PHP's autoload, extended: after every registered autoloader, a name with a `.py` file in a class root.

use ext_php_rs::ffi::zend_class_entry;

use crate::engine::{guard, is_preloading};
use crate::throw::throw;
use crate::{classes, naming, settings};

/// Declares the class of that name, if a class file has it.
pub(crate) fn autoload(name: &str) -> *mut zend_class_entry {
    guard(std::ptr::null_mut(), || {
        if is_preloading() || !is_ours(name) {
            return std::ptr::null_mut();
        }
        match classes::load(name, true) {
            Ok(class) => class,
            Err(error) => {
                throw(error);
                std::ptr::null_mut()
            }
        }
    })
}

/// Whether a class file of that name lies in a root. Asked of the file system, never of the sidecar.
pub(crate) fn is_ours(name: &str) -> bool {
    let roots = settings::roots();
    !roots.is_empty() && naming::find(&roots, name).is_some()
}
