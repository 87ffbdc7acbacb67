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
        let copied = guard(None, || copy(&*object).map_err(throw).ok());
        let Some((reference, generation, class)) = copied else { return proxy::create((*object).ce) };
        let new = proxy::create(class);
        proxy::bind(&mut *new, reference, generation);
        if std::ptr::eq(class, (*object).ce) {
            // PHP's own properties, and a PHP subclass's `__clone`.
            zend_objects_clone_members(new, object);
        }
        new
    }
}

fn copy(object: &zend_object) -> Result<(ObjectReference, u32, *mut zend_class_entry), BridgeError> {
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
    let class = match reference.class {
        0 => native::class(Native::PyObject),
        class => classes::class_of_value(class, reply.generation)?,
    };
    // An object of a PHP subclass stays one.
    let is_same = classes::synthesized(object.ce).is_some_and(|own| std::ptr::eq(own.entry, class));
    Ok((reference, reply.generation, if is_same { object.ce } else { class }))
}
