//! `clone`: Python's `copy.copy`, as a PHP object of its own.

use ext_php_rs::ffi::{zend_class_entry, zend_object, zend_objects_clone_members};
use tortoise_protocol::operation::Operation;
use tortoise_protocol::{ObjectReference, Reader, Token};

use crate::engine::guard;
use crate::error::BridgeError;
use crate::native::{self, Native};
use crate::operate::ask;
use crate::throw::throw;
use crate::{classes, proxy};

/// The engine clones an object. It takes an object in any case; beside an exception, one that stands for nothing.
pub(super) unsafe extern "C" fn clone(object: *mut zend_object) -> *mut zend_object {
    // SAFETY: the engine passes a live proxy; a new object's one count is the engine's.
    unsafe {
        if proxy::is_to_be_made(&*object) {
            // There is nothing in Python to be copied.
            let new = proxy::create((*object).ce);
            zend_objects_clone_members(new, object);
            return new;
        }
        let copied = guard(None, || copy(&*object).map_err(throw).ok());
        let Some(Copied { reference, generation, class, has_two_halves }) = copied else {
            return proxy::create((*object).ce);
        };
        let new = proxy::create(class);
        if has_two_halves {
            proxy::bind_half(&mut *new, reference, generation);
        } else {
            proxy::bind(&mut *new, reference, generation);
        }
        if std::ptr::eq(class, (*object).ce) {
            // PHP's own properties, and a PHP subclass's `__clone`.
            zend_objects_clone_members(new, object);
        }
        new
    }
}

/// What Python made.
struct Copied {
    reference: ObjectReference,
    generation: u32,
    class: *mut zend_class_entry,
    has_two_halves: bool,
}

fn copy(object: &zend_object) -> Result<Copied, BridgeError> {
    let reply = ask(object, Operation::Copy, &[])?;
    let reference = match reply.judge(Reader::new(reply.payload()).token())? {
        Token::Object(reference) => reference,
        other => {
            return Err(BridgeError::Conversion(format!(
                "the copy that Python made of this object is {}, which is a value in PHP and no object; \
                 clone needs an object",
                other.describe()
            )));
        }
    };
    let (class, has_two_halves) = match reference.class {
        0 => (native::class(Native::PyObject), false),
        class => classes::class_of_value(class, reply.generation)?,
    };
    Ok(Copied { reference, generation: reply.generation, class, has_two_halves })
}
