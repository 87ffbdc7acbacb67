//! PHP's autoload, extended: after every registered autoloader, a name with a `.py` file in a class root.

use std::sync::OnceLock;

use ext_php_rs::ffi::{zend_class_entry, zend_string};
use ext_php_rs::types::ZendStr;

use crate::engine::{self, Autoload, class_in_table, exception_is_pending, guard, is_preloading, lower_case, text_of};
use crate::error::BridgeError;
use crate::{classes, error, naming, settings};

/// What was the engine's autoload before us: SPL's, usually.
static PREVIOUS: OnceLock<Autoload> = OnceLock::new();

/// Puts us behind what is there, when the module starts.
pub(crate) fn install() {
    // SAFETY: modules start one after another, before any request.
    unsafe {
        PREVIOUS.get_or_init(|| engine::zend_autoload);
        engine::zend_autoload = Some(autoload);
    }
}

/// Takes us out again, when the module ends.
pub(crate) fn uninstall() {
    // SAFETY: modules end one after another, after every request.
    unsafe {
        engine::zend_autoload = PREVIOUS.get().copied().flatten();
    }
}

unsafe extern "C" fn autoload(name: *mut zend_string, lower_name: *mut zend_string) -> *mut zend_class_entry {
    if let Some(Some(previous)) = PREVIOUS.get() {
        // SAFETY: the arguments are passed on as they came.
        let class = unsafe { previous(name, lower_name) };
        if !class.is_null() || exception_is_pending() {
            return class;
        }
    }
    guard(std::ptr::null_mut(), || {
        // SAFETY: the engine passes a live name.
        let Some(name) = (unsafe { text_of(name) }) else { return std::ptr::null_mut() };
        if is_preloading() || !is_ours(name) {
            return std::ptr::null_mut();
        }
        match classes::load(name, true) {
            Ok(class) => class,
            Err(error) => {
                error::throw(error);
                std::ptr::null_mut()
            }
        }
    })
}

/// Whether PHP has a class of that name, or one of its autoloaders has.
///
/// # Errors
/// [`BridgeError::Pending`] if an autoloader throws.
pub(crate) fn php_has(name: &str) -> Result<bool, BridgeError> {
    let lower = lower_case(name.as_bytes());
    if class_in_table(&lower).is_some() {
        return Ok(true);
    }
    let Some(Some(previous)) = PREVIOUS.get() else { return Ok(false) };
    let mut asked = ZendStr::new(name, false);
    let mut asked_lower = ZendStr::new(&lower, false);
    // SAFETY: both are live strings, and the engine takes counts of its own.
    let found = unsafe { previous(&raw mut *asked, &raw mut *asked_lower) };
    if exception_is_pending() {
        return Err(BridgeError::Pending);
    }
    Ok(!found.is_null() || class_in_table(&lower).is_some())
}

/// Whether a class file of that name lies in a root. Asked of the file system, never of the sidecar.
pub(crate) fn is_ours(name: &str) -> bool {
    let roots = settings::roots();
    !roots.is_empty() && naming::find(&roots, name).is_some()
}
