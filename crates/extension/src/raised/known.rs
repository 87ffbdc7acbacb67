//! Which PHP exception stands for which Python exception: one that comes again is the same in PHP.

use std::cell::RefCell;
use std::collections::HashMap;

use ext_php_rs::ffi::zend_object;

use super::id_to_send;

thread_local! {
    /// The PHP exceptions of this request, by the ids of the Python ones. It does not own them: an exception takes itself out
    /// when PHP frees it.
    static KNOWN: RefCell<HashMap<u64, *mut zend_object>> = RefCell::new(HashMap::new());
}

/// Remembers the PHP exception of a Python one. The first one stays the one that is found.
pub(super) fn insert(id: u64, exception: &mut zend_object) {
    if find(id).is_none() {
        KNOWN.with_borrow_mut(|known| known.insert(id, exception));
    }
}

/// The PHP exception of a Python one, if PHP has it.
pub(super) fn find<'a>(id: u64) -> Option<&'a mut zend_object> {
    let found = KNOWN.with_borrow(|known| known.get(&id).copied())?;
    // SAFETY: what is in the table is alive.
    let found = unsafe { &mut *found };
    // The ids of a session that is gone mean nothing to another.
    id_to_send(found).is_some_and(|sent| sent.is_ok_and(|sent| sent == id)).then_some(found)
}

/// PHP frees an exception.
pub(super) fn forget(exception: &zend_object) {
    let Some(id) = super::id_of(exception) else { return };
    KNOWN.with_borrow_mut(|known| {
        if known.get(&id).is_some_and(|found| std::ptr::eq(*found, exception)) {
            known.remove(&id);
        }
    });
}

/// Nothing of the request is left.
pub(crate) fn forget_all() {
    KNOWN.with_borrow_mut(HashMap::clear);
}
