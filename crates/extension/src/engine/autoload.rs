//! The chain of PHP's autoloading: what stood there before us, and how it is asked.

use std::cell::RefCell;
use std::sync::OnceLock;

use ext_php_rs::ffi::{zend_class_entry, zend_string};
use ext_php_rs::types::ZendStr;

use super::ffi::{self, Autoload};
use super::reading::{class_in_table, exception_is_pending, lower_case, text_of};

/// What was the engine's autoload before us: SPL's, usually.
static PREVIOUS: OnceLock<Autoload> = OnceLock::new();

/// Who is asked for a class that nobody before us has. Null if it has none either, or has thrown.
static NEXT: OnceLock<fn(&str) -> *mut zend_class_entry> = OnceLock::new();

thread_local! {
    /// The names that autoloaders are being asked for, in small letters. The engine keeps such a list too, for what it asks itself.
    static ASKED: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Puts `next` behind what is there, when the module starts.
pub(crate) fn chain_autoload(next: fn(&str) -> *mut zend_class_entry) {
    NEXT.get_or_init(|| next);
    // SAFETY: modules start one after another, before any request.
    unsafe {
        PREVIOUS.get_or_init(|| ffi::zend_autoload);
        ffi::zend_autoload = Some(autoload);
    }
}

/// Restores what was there, when the module ends.
pub(crate) fn unchain_autoload() {
    // SAFETY: modules end one after another, after every request.
    unsafe {
        ffi::zend_autoload = PREVIOUS.get().copied().flatten();
    }
}

/// The request is over, perhaps by `exit()` in an autoloader.
pub(crate) fn forget_asked() {
    ASKED.with_borrow_mut(Vec::clear);
}

unsafe extern "C" fn autoload(name: *mut zend_string, lower_name: *mut zend_string) -> *mut zend_class_entry {
    if let Some(Some(previous)) = PREVIOUS.get() {
        // SAFETY: the arguments are passed on as they came.
        let class = unsafe { previous(name, lower_name) };
        if !class.is_null() || exception_is_pending() {
            return class;
        }
    }
    // SAFETY: the engine passes a live name.
    match (NEXT.get(), unsafe { text_of(name) }) {
        (Some(next), Some(name)) => next(name),
        _ => std::ptr::null_mut(),
    }
}

/// Whether PHP has a class of that name, or one of the autoloaders before us has. Look for a pending exception after it.
pub(crate) fn ask_php_for_class(name: &str) -> bool {
    let lower = lower_case(name.as_bytes());
    if class_in_table(&lower).is_some() {
        return true;
    }
    let Some(Some(previous)) = PREVIOUS.get() else { return false };
    // An autoloader that wants the class from us knows of no other.
    if ASKED.with_borrow(|asked| asked.contains(&lower)) {
        return false;
    }
    ASKED.with_borrow_mut(|asked| asked.push(lower.clone()));
    let mut asked = ZendStr::new(name, false);
    let mut asked_lower = ZendStr::new(&lower, false);
    // SAFETY: both are live strings, and the engine takes counts of its own.
    let found = unsafe { previous(&raw mut *asked, &raw mut *asked_lower) };
    ASKED.with_borrow_mut(|asked| asked.retain(|name| *name != lower));
    !found.is_null() || class_in_table(&lower).is_some()
}
