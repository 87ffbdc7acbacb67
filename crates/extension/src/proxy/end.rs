//! The end of the PHP half of an object: PHP has no reference to it any more, but Python may have the other half.
//!
//! The session is asked to let go. If nobody in Python has the object, both halves go. Else Python alone keeps both from then
//! on: the PHP half is held in the exports, until Python lets go of its half, or PHP code is handed the object again.

use ext_php_rs::ffi::zend_object;
use tortoise_protocol::frame::Kind;

use super::{WAS_DESTRUCTED, half, of, of_own};
use crate::engine::{forget_destructor_call, guard, is_shutting_down, owned_object, zend_objects_destroy_object};
use crate::error::BridgeError;
use crate::link::{self, Session};
use crate::{exports, objects};

/// The engine ends a half: PHP has let go of it, or of the cycle that it is in, or the request is over.
pub(super) unsafe extern "C" fn destroy(object: *mut zend_object) {
    // SAFETY: the engine passes a live half.
    unsafe {
        if of_own(object).state & WAS_DESTRUCTED == 0 {
            of_own(object).state |= WAS_DESTRUCTED;
            let before = (*object).gc.refcount;
            zend_objects_destroy_object(object);
            if (*object).gc.refcount > before {
                // Its destructor has put it somewhere. When it ends there, only Python is to be asked.
                return forget_destructor_call(&*object);
            }
        }
        guard((), || let_go(&mut *object));
    }
}

fn let_go(object: &mut zend_object) {
    let Some(proxy) = of(object) else { return };
    if proxy.id == 0 || proxy.generation != link::generation() || objects::are_closed() {
        return;
    }
    if is_shutting_down() {
        // Everything ends now, and this as late as it can: its other half may still be used.
        if object.gc.refcount == 1 {
            half::keep(object);
        }
        return;
    }
    if !link::can_ask() {
        forget_destructor_call(object);
        object.gc.refcount += 1;
        // SAFETY: the count that was added is the value's.
        return link::drop_later(unsafe { owned_object(object) });
    }
    match ask(object) {
        Ok(true) => half::lose(object),
        Ok(false) => half::keep(object),
        // The session is gone, or has forgotten it.
        Err(_) => {}
    }
}

/// Whether the session has forgotten the object.
fn ask(object: &zend_object) -> Result<bool, BridgeError> {
    let has_forgotten = ask_once(object)?;
    if has_forgotten || exports::is_exported(object) {
        return Ok(has_forgotten);
    }
    // Python keeps what it has made itself, and must be able to name the PHP half.
    half::tie(object)?;
    ask_once(object)
}

fn ask_once(object: &zend_object) -> Result<bool, BridgeError> {
    let Some(proxy) = of(object) else { return Ok(false) };
    let id = proxy.id;
    let reply = link::exchange(Session::Of(proxy.generation), Kind::LetGo, Kind::Value, |outgoing| {
        outgoing.unsigned(id);
        Ok(())
    })?;
    link::read_boolean(&reply)
}
