//! The PHP half of an object whose class has ancestors of both languages: how it and the Python half come together.
//!
//! Each side makes its half at first need. While PHP code holds the PHP half, the session holds the Python half, and the PHP
//! half stands in the exports without being held there. [`super::end`] says what happens when PHP lets go.
//!
//! Objects are pointers here: other code of ours, and PHP's, has them at the same time and changes them. All are live.

use std::mem::offset_of;

use ext_php_rs::ffi::{ZEND_ACC_ABSTRACT, ZEND_ACC_IMPLICIT_ABSTRACT_CLASS, zend_class_entry, zend_object};
use ext_php_rs::types::Zval;
use tortoise_protocol::frame::Kind;
use tortoise_protocol::{ObjectReference, Reader, Token};

use super::{IS_HALF, IS_KEPT, Proxy, WAS_DESTRUCTED, create, handlers_of_halves, of};
use crate::arguments::WriteArguments;
use crate::engine::{
    SUCCESS, View, class_name, elements, forget_destructor_call, is_reference, object_of, owned_object, view,
    was_destructor_called, zend_update_class_constants,
};
use crate::error::BridgeError;
use crate::link::{self, Reply, Session};
use crate::{classes, exports, objects};

/// The proxy around an object, if it is one, to be looked at or changed at once.
fn proxy_of(object: *mut zend_object) -> Option<*mut Proxy> {
    // SAFETY: the object is live, and only proxies are changed by the pointer.
    unsafe {
        of(&*object)?;
        Some(object.byte_sub(offset_of!(Proxy, object)).cast())
    }
}

/// The id of the Python half that an object has, or 0, and the session that knows it.
fn id_of(object: *mut zend_object) -> (u64, u32) {
    // SAFETY: the proxy is live.
    proxy_of(object).map_or((0, 0), |proxy| unsafe { ((*proxy).id, (*proxy).generation) })
}

/// Whether the object has no Python half yet, and can have one.
pub(crate) fn is_to_be_made(object: &zend_object) -> bool {
    of(object).is_some_and(|proxy| proxy.id == 0) && classes::has_two_halves(object.ce)
}

/// Makes the Python half of an object, by `__new__` alone, unless there is one.
///
/// # Errors
/// [`BridgeError`]: Python could not make it.
pub(super) fn make(object: *mut zend_object) -> Result<(), BridgeError> {
    // SAFETY: the object is live.
    let class = unsafe { (*object).ce };
    if id_of(object).0 != 0 || !classes::has_two_halves(class) {
        return Ok(());
    }
    let (class, generation) = classes::target_of(class)?;
    let (reference, generation) = halve(object, class, link::new_object_id(), generation)?;
    if id_of(object).0 == 0 {
        bind(object, reference, generation);
        count_one(object);
    } else {
        // What `__new__` called in PHP made one.
        objects::release_id(reference.id);
    }
    Ok(())
}

/// Whether half of an object is in a value. Of references that is not asked: somebody else has them too.
pub(crate) fn holds_half(value: &Zval) -> bool {
    match view(value) {
        View::Object(object) => of(object).is_some_and(|proxy| proxy.state & IS_HALF != 0),
        View::Array(array) if !is_reference(value) => {
            // SAFETY: the value holds the array, and nothing changes it here.
            let mut elements = unsafe { elements(array) };
            elements.any(|(_, element)| !is_reference(element) && holds_half(element))
        }
        _ => false,
    }
}

/// Makes the Python half of an object in a value, as where it is first used.
///
/// # Errors
/// [`BridgeError`]: Python could not make it.
pub(crate) fn make_of_value(value: &Zval) -> Result<(), BridgeError> {
    object_of(value).map_or(Ok(()), |object| make(std::ptr::from_mut(object)))
}

/// Ties the Python half that a proxy stands for to this PHP object, which is handed out by that.
///
/// # Errors
/// [`BridgeError`].
pub(super) fn tie(object: *mut zend_object) -> Result<(), BridgeError> {
    // SAFETY: the object is live.
    let (class, generation) = classes::target_of(unsafe { (*object).ce })?;
    halve(object, class, id_of(object).0, generation)?;
    count_one(object);
    Ok(())
}

/// The object was handed out by the session.
fn count_one(object: *mut zend_object) {
    if let Some(proxy) = proxy_of(object) {
        // SAFETY: the proxy is live.
        unsafe { (*proxy).received += 1 };
    }
}

/// Asks for a Python half, or to be tied to the one of this id.
fn halve(
    object: *mut zend_object,
    class: u64,
    id: u64,
    generation: u32,
) -> Result<(ObjectReference, u32), BridgeError> {
    let reply = link::exchange(Session::Of(generation), Kind::Halve, Kind::Value, |outgoing| {
        outgoing.unsigned(class);
        outgoing.unsigned(id);
        outgoing.export_half(object);
        Ok(())
    })?;
    Ok((read_reference(&reply)?, reply.generation))
}

/// The object that answers a construction.
///
/// # Errors
/// [`BridgeError::Connection`] if something else does.
pub(crate) fn read_reference(reply: &Reply) -> Result<ObjectReference, BridgeError> {
    reply.judge(match Reader::new(reply.payload()).token() {
        Ok(Token::Object(reference)) => Ok(reference),
        Ok(other) => {
            Err(BridgeError::Connection(format!("the session answered {} to a construction", other.describe())))
        }
        Err(malformed) => Err(malformed.into()),
    })
}

/// Runs the `__init__` that the Python class of `meant` has, on the Python half of an object of the Python class `class`. The
/// half is made before if there is none.
///
/// # Errors
/// [`BridgeError`], also what `__init__` raises.
pub(crate) fn initialize(
    object: *mut zend_object,
    (class, generation): (u64, u32),
    meant: *mut zend_class_entry,
    arguments: &impl WriteArguments,
) -> Result<(), BridgeError> {
    let (meant, _) = classes::target_of(meant)?;
    let is_new = id_of(object).0 == 0;
    if is_new {
        // Python's constructor calls PHP's methods on it.
        bind(object, ObjectReference { id: link::new_object_id(), class, traits: 0 }, generation);
    }
    let (id, own_generation) = id_of(object);
    if own_generation != generation {
        return Err(BridgeError::Stale("this object's Python session is gone; make the object anew".to_owned()));
    }
    let reply = link::exchange(Session::Of(generation), Kind::Initialize, Kind::Value, |outgoing| {
        outgoing.unsigned(meant);
        outgoing.unsigned(class);
        outgoing.unsigned(id);
        outgoing.export_half(object);
        arguments.write(outgoing)
    });
    let reference = match reply.and_then(|reply| read_reference(&reply)) {
        Ok(reference) => reference,
        Err(error) => {
            if is_new {
                lose(object);
            }
            return Err(error);
        }
    };
    if let Some(proxy) = proxy_of(object) {
        // SAFETY: the proxy is live.
        unsafe {
            (*proxy).traits = reference.traits;
            if (*proxy).id != reference.id {
                // Python's `__new__` gave an object that PHP knows by another id.
                objects::forget((*proxy).id, object);
                objects::insert(reference.id, object);
                (*proxy).id = reference.id;
            }
        }
        count_one(object);
    }
    Ok(())
}

/// The PHP half of a Python object that asks for it: the one that PHP has, or a new one, which Python alone keeps. No
/// constructor runs.
///
/// # Errors
/// [`BridgeError`], also if the object's class cannot have one.
pub(crate) fn receive(reference: ObjectReference, generation: u32) -> Result<Zval, BridgeError> {
    if let Some(known) = known(reference.id) {
        return Ok(known);
    }
    let (class, has_two_halves) = match reference.class {
        0 => (std::ptr::null_mut(), false),
        class => classes::class_of_value(class, generation)?,
    };
    if !has_two_halves {
        return Err(BridgeError::Type("an object without a PHP class among its ancestors has no PHP half".to_owned()));
    }
    if let Some(known) = known(reference.id) {
        return Ok(known);
    }
    let half = new_of(class)?;
    if let Some(object) = object_of(&half) {
        let object = std::ptr::from_mut(object);
        bind(object, reference, generation);
        keep(object);
    }
    Ok(half)
}

fn known(id: u64) -> Option<Zval> {
    let object = objects::find(id)?;
    // SAFETY: the table of objects holds live proxies only; the new count is given to the value.
    unsafe {
        (*object).gc.refcount += 1;
        Some(owned_object(object))
    }
}

/// A PHP half for nothing yet.
///
/// # Errors
/// [`BridgeError`]: there can be no object of the class.
pub(super) fn new_of(class: *mut zend_class_entry) -> Result<Zval, BridgeError> {
    // SAFETY: the class is one of proxies and linked, so `create` is its maker once its constants are there; a new object's
    // one count goes to the value.
    unsafe {
        if (*class).ce_flags & (ZEND_ACC_IMPLICIT_ABSTRACT_CLASS | ZEND_ACC_ABSTRACT) != 0 {
            return Err(BridgeError::Type(format!(
                "the PHP class {} is abstract: there can be no object of it",
                class_name(class)
            )));
        }
        if zend_update_class_constants(class) != SUCCESS {
            return Err(BridgeError::Pending);
        }
        Ok(owned_object(create(class)))
    }
}

/// Ties a proxy to a Python object of two halves, which was not counted as handed out.
fn bind(object: *mut zend_object, reference: ObjectReference, generation: u32) {
    let Some(proxy) = proxy_of(object) else { return };
    // SAFETY: the proxy is live.
    unsafe {
        (*proxy).id = reference.id;
        (*proxy).generation = generation;
        (*proxy).traits = reference.traits;
        (*proxy).received = 0;
    }
    objects::insert(reference.id, object);
    become_half(object);
}

/// Lets an object end as a half does.
pub(super) fn become_half(object: *mut zend_object) {
    let Some(proxy) = proxy_of(object) else { return };
    // SAFETY: the object is a live proxy; both tables of handlers are for proxies.
    unsafe {
        (*proxy).state |= IS_HALF;
        if was_destructor_called(object) {
            (*proxy).state |= WAS_DESTRUCTED;
            forget_destructor_call(object);
        }
        (*object).handlers = handlers_of_halves();
    }
}

/// Python alone keeps the half from now on.
pub(super) fn keep(object: *mut zend_object) {
    let Some(proxy) = proxy_of(object) else { return };
    // SAFETY: the proxy is live.
    unsafe {
        (*proxy).state |= IS_KEPT;
        (*proxy).received = 0;
    }
    exports::keep(object);
}

/// PHP code holds a kept half again, of which the caller has a count beside that of the exports. That is dropped.
#[cold]
pub(super) fn take_back(object: *mut zend_object) {
    let Some(proxy) = proxy_of(object) else { return };
    // SAFETY: object and proxy are live.
    unsafe {
        (*proxy).state &= !IS_KEPT;
        forget_destructor_call(object);
        if exports::hand_back(object) {
            (*object).gc.refcount -= 1;
        }
    }
}

/// The object has no Python half any more, and Python does not name it.
pub(super) fn lose(object: *mut zend_object) {
    exports::forget_half(object);
    lose_half(object);
}

/// The object has no Python half any more.
pub(crate) fn lose_half(object: *mut zend_object) {
    let Some(proxy) = proxy_of(object) else { return };
    // SAFETY: the proxy is live.
    unsafe {
        objects::forget((*proxy).id, object);
        ((*proxy).id, (*proxy).received) = (0, 0);
        (*proxy).state &= !IS_KEPT;
    }
}

/// Tells the session of those halves, kept by Python alone, that PHP code holds again since a callback ran on them. `returned`
/// is what the callback gives back.
///
/// # Errors
/// [`BridgeError`]: the link is gone.
pub(crate) fn hold_used(returned: Option<&Zval>) -> Result<(), BridgeError> {
    while let Some(value) = exports::next_used() {
        let Some(half) = object_of(&value).map(std::ptr::from_mut) else { continue };
        let is_returned = returned.and_then(object_of).is_some_and(|returned| std::ptr::eq(returned, half));
        // One is that of the exports, and one is this one's.
        // SAFETY: the value holds it.
        if unsafe { (*half).gc.refcount } > 2 + u32::from(is_returned) {
            tie(half)?;
            take_back(half);
        }
    }
    Ok(())
}
