//! Where a PHP exception comes from: its file, its line, its trace.

use ext_php_rs::ffi::{
    ext_php_rs_executor_globals, instanceof_function_slow, zend_ce_error, zend_ce_exception, zend_class_entry,
    zend_object,
};
use ext_php_rs::types::{ZendHashTable, ZendStr, Zval};

use super::{read, set};

/// Lets the pending exception come from another place.
pub(crate) fn move_pending(file: &[u8], line: u32) {
    // SAFETY: a pending exception is a live object of one of the engine's two families.
    unsafe {
        let Some(object) = (*ext_php_rs_executor_globals()).exception.as_mut() else { return };
        let is_error = std::ptr::eq(object.ce, zend_ce_error) || instanceof_function_slow(object.ce, zend_ce_error);
        let base = if is_error { zend_ce_error } else { zend_ce_exception };
        let mut number = Zval::new();
        number.set_long(i64::from(line));
        let mut path = Zval::new();
        path.set_zend_string(ZendStr::new(file, false));
        set(base, object, "file", path);
        set(base, object, "line", number);
        hide_bridge(base, object);
    }
}

/// Takes our own function, which every generated method calls, off the top of an exception's trace.
pub(super) fn hide_bridge(base: *mut zend_class_entry, object: &mut zend_object) {
    const OWN: &str = "Tortoise\\Bridge\\";
    let Some(frames) = read(base, object, "trace").array() else { return };
    let function = frames.get_index(0).and_then(Zval::array).and_then(|frame| frame.get("function"));
    if !function.and_then(Zval::str).is_some_and(|name| name.starts_with(OWN)) {
        return;
    }
    let mut rest = ZendHashTable::with_capacity(u32::try_from(frames.len()).unwrap_or(0));
    for frame in frames.values().skip(1) {
        // Only an overflow of the array's keys could fail, and there are as many as there were.
        let _ = rest.push(frame.shallow_clone());
    }
    let mut trace = Zval::new();
    trace.set_hashtable(rest);
    set(base, object, "trace", trace);
}
