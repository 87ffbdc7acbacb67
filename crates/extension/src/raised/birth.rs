//! How the exceptions that stand for Python's are made and freed: as PHP's own, with handlers of ours.

use std::sync::OnceLock;

use ext_php_rs::ffi::{zend_class_entry, zend_object, zend_object_handlers};

use super::known;
use crate::engine::guard;

type Create = unsafe extern "C" fn(*mut zend_class_entry) -> *mut zend_object;
type Fill = fn(&mut zend_object_handlers);

/// The handlers of every Python exception. The engine takes their address.
struct Handlers {
    table: zend_object_handlers,
    /// How PHP frees an exception.
    free: unsafe extern "C" fn(*mut zend_object),
}

// SAFETY: the table holds function pointers and an offset, and is never written after it was made.
unsafe impl Sync for Handlers {}
// SAFETY: as above.
unsafe impl Send for Handlers {}

static HANDLERS: OnceLock<Handlers> = OnceLock::new();

/// How PHP makes an exception, and what goes into the handlers of ours.
static MAKING: OnceLock<(Create, Fill)> = OnceLock::new();

/// Makes a class of PHP exceptions, and so all that inherit from it, one of Python's: `fill` adds the handlers that this
/// file does not know. When the module starts.
pub(crate) fn adopt(class: *mut zend_class_entry, fill: Fill) {
    // SAFETY: the class was just registered and nobody has made an object of it. It inherits its maker from PHP's own
    // exceptions.
    unsafe {
        if let Some(create) = (*class).__bindgen_anon_2.create_object {
            MAKING.get_or_init(|| (create, fill));
            (*class).__bindgen_anon_2.create_object = Some(self::create);
        }
    }
}

/// # Safety
/// `class` is a linked class of Python's exceptions.
unsafe extern "C" fn create(class: *mut zend_class_entry) -> *mut zend_object {
    let Some((create, fill)) = MAKING.get() else { return std::ptr::null_mut() };
    // SAFETY: the engine passes a linked class; its own maker gives a whole object, whose handlers are a constant table.
    unsafe {
        let object = create(class);
        let handlers = HANDLERS.get_or_init(|| {
            let mut table = *(*object).handlers;
            let free = table.free_obj.unwrap_or(ext_php_rs::ffi::zend_object_std_dtor);
            table.free_obj = Some(self::free);
            fill(&mut table);
            Handlers { table, free }
        });
        (*object).handlers = &raw const handlers.table;
        object
    }
}

/// PHP has let go of an exception.
unsafe extern "C" fn free(object: *mut zend_object) {
    // SAFETY: the engine frees an object once, and only our own have this handler.
    guard((), || known::forget(unsafe { &*object }));
    if let Some(handlers) = HANDLERS.get() {
        // SAFETY: the object's PHP part is whole.
        unsafe { (handlers.free)(object) };
    }
}
