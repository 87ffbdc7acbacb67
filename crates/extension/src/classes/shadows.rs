//! The Python classes that stand for PHP classes below a synthesized one: told of at first need, once for each session.

use std::cell::RefCell;
use std::collections::HashMap;

use ext_php_rs::ffi::zend_class_entry;
use tortoise_protocol::Reader;
use tortoise_protocol::callback::PhpClassAnswer;
use tortoise_protocol::frame::Kind;
use tortoise_protocol::inheritance::Extension;

use super::target_of;
use crate::error::BridgeError;
use crate::exports;
use crate::link::{self, Session};

thread_local! {
    static SHADOWS: RefCell<Shadows> = RefCell::new(Shadows::default());
}

/// Of one session.
#[derive(Default)]
struct Shadows {
    ids: HashMap<*mut zend_class_entry, u64>,
    classes: HashMap<u64, *mut zend_class_entry>,
    generation: u32,
}

/// The session's id of the Python class that stands for a PHP class, which extends a synthesized one and is none.
///
/// # Errors
/// [`BridgeError`], if Python refuses to make it.
pub(super) fn id_of(class: *mut zend_class_entry) -> Result<(u64, u32), BridgeError> {
    // SAFETY: the class extends one.
    let (parent, generation) = target_of(unsafe { (*class).__bindgen_anon_1.parent })?;
    let known = || {
        SHADOWS.with_borrow(
            |shadows| {
                if shadows.generation == generation { shadows.ids.get(&class).copied() } else { None }
            },
        )
    };
    if let Some(id) = known() {
        return Ok((id, generation));
    }
    let reply = link::exchange(Session::Of(generation), Kind::Extend, Kind::Value, |outgoing| {
        // SAFETY: a linked class is live for the request.
        let (methods, properties) = unsafe { exports::own_members(&*class) };
        exports::class(class, |number, traits, description| {
            let class = PhpClassAnswer { class: number, traits, description };
            Extension { parent, class, methods, properties }.write(outgoing);
        });
        Ok(())
    })?;
    let id = reply.judge(Reader::new(reply.payload()).unsigned("a class id"))?;
    // Making it may have called back, and so have made it.
    if let Some(id) = known() {
        return Ok((id, generation));
    }
    SHADOWS.with_borrow_mut(|shadows| {
        if shadows.generation != generation {
            *shadows = Shadows { generation, ..Shadows::default() };
        }
        shadows.ids.insert(class, id);
        shadows.classes.insert(id, class);
    });
    Ok((id, generation))
}

/// The PHP class for which a class of the session stands.
pub(super) fn find(id: u64, generation: u32) -> Option<*mut zend_class_entry> {
    SHADOWS.with_borrow(
        |shadows| {
            if shadows.generation == generation { shadows.classes.get(&id).copied() } else { None }
        },
    )
}

/// The PHP request is over, and with it its classes.
pub(super) fn forget_all() {
    SHADOWS.with_borrow_mut(|shadows| *shadows = Shadows::default());
}
