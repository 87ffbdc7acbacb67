//! The end of the PHP half of an object: PHP has no reference to it any more, but Python may have the other half.
//!
//! The session is asked to let go. If nobody in Python has the object, both halves go. Else Python alone keeps both from then
//! on: the PHP half is held in the exports, until Python lets go of its half, or PHP code is handed the object again.

use std::mem::offset_of;

use ext_php_rs::ffi::zend_object;
use tortoise_protocol::frame::Kind;

use super::{Proxy, WAS_DESTRUCTED, half};
use crate::engine::{forget_destructor_call, guard, is_shutting_down, owned_object, zend_objects_destroy_object};
use crate::error::BridgeError;
use crate::link::{self, Session};
use crate::{exports, objects};

/// The engine ends a half: PHP has let go of it, or of the cycle that it is in, or the request is over.
pub(super) unsafe extern "C" fn destroy(object: *mut zend_object) {
    // SAFETY: the engine passes a live half.
    unsafe {
        let proxy = object.byte_sub(offset_of!(Proxy, object)).cast::<Proxy>();
        if (*proxy).state & WAS_DESTRUCTED == 0 {
            (*proxy).state |= WAS_DESTRUCTED;
            let before = (*object).gc.refcount;
            zend_objects_destroy_object(object);
            if (*object).gc.refcount > before {
                // Its destructor has put it somewhere. When it ends there, only Python is to be asked.
                return forget_destructor_call(object);
            }
        }
        guard((), || let_go(object, (*proxy).id, (*proxy).generation));
    }
}

/// # Safety
/// The object is a live half, known to that session by that id.
unsafe fn let_go(object: *mut zend_object, id: u64, generation: u32) {
    if id == 0 || generation != link::generation() || objects::are_closed() {
        return;
    }
    // SAFETY: the caller's promise; the count that is added is that of the value.
    unsafe {
        if is_shutting_down() {
            // Everything ends now, and this as late as it can: its other half may still be used.
            if (*object).gc.refcount == 1 {
                half::keep(object);
            }
            return;
        }
        if !link::can_ask() {
            forget_destructor_call(object);
            (*object).gc.refcount += 1;
            return link::drop_later(owned_object(object));
        }
    }
    match ask(object, id, generation) {
        Ok(true) => half::lose(object),
        Ok(false) => half::keep(object),
        // The session is gone, or has forgotten it.
        Err(_) => {}
    }
}

/// Whether the session has forgotten the object.
fn ask(object: *mut zend_object, id: u64, generation: u32) -> Result<bool, BridgeError> {
    let has_forgotten = ask_once(id, generation)?;
    if has_forgotten || exports::is_exported(object) {
        return Ok(has_forgotten);
    }
    // Python keeps what it has made itself, and must be able to name the PHP half.
    half::tie(object)?;
    ask_once(id, generation)
}

fn ask_once(id: u64, generation: u32) -> Result<bool, BridgeError> {
    let reply = link::exchange(Session::Of(generation), Kind::LetGo, Kind::Value, |outgoing| {
        outgoing.unsigned(id);
        Ok(())
    })?;
    link::read_boolean(&reply)
}
