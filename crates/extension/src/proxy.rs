//! A PHP object that stands for a Python object: its memory, its birth and its end.

use std::sync::OnceLock;

use ext_php_rs::ffi::{
    ext_php_rs_zend_object_alloc, object_properties_init, std_object_handlers, zend_class_entry, zend_object,
    zend_object_handlers, zend_object_std_dtor, zend_object_std_init,
};
use ext_php_rs::types::Zval;
use tortoise_protocol::ObjectReference;

use crate::engine::{guard, object_of, owned_object};
use crate::error::BridgeError;
use crate::native::{self, Native};
use crate::{classes, exports, link, objects};

mod end;
mod half;

pub(crate) use half::{
    hold_used, holds_half, initialize, is_to_be_made, lose_half, make_of_value, read_reference, receive as receive_half,
};

/// It is the PHP half of an object whose other half is in Python.
const IS_HALF: u8 = 0b001;
/// Python alone keeps it, and the PHP half with it.
const IS_KEPT: u8 = 0b010;
/// PHP's destructor has run.
const WAS_DESTRUCTED: u8 = 0b100;

/// What stands in front of PHP's own part of the object.
#[repr(C)]
pub(crate) struct Proxy {
    /// The Python object; 0 before it is made.
    id: u64,
    /// How often the session handed it out to us.
    received: u64,
    /// The link that knows the id.
    generation: u32,
    /// `TRAIT_*` bits.
    traits: u8,
    /// `IS_*` and `WAS_*` bits.
    state: u8,
    /// PHP's part. Its property table reaches beyond the end, so it is the last.
    object: zend_object,
}

/// The handlers of every proxy. The engine takes their address.
struct Handlers(zend_object_handlers);

// SAFETY: the table holds function pointers and an offset, and is never written after it was made.
unsafe impl Sync for Handlers {}
// SAFETY: as above.
unsafe impl Send for Handlers {}

static HANDLERS: OnceLock<Handlers> = OnceLock::new();

/// The handlers of those proxies that have no class of their own, and so no interfaces: `Tortoise\PyObject` itself.
static HANDLERS_WITHOUT_CLASS: OnceLock<Handlers> = OnceLock::new();

/// The handlers of those proxies that are the PHP half of an object. An object gets them with its other half.
static HANDLERS_OF_HALVES: OnceLock<Handlers> = OnceLock::new();

/// Sets the handlers up, when the module starts: `fill` adds what this file does not know.
pub(crate) fn set_up(fill: impl FnOnce(&mut zend_object_handlers)) {
    HANDLERS.get_or_init(|| {
        // SAFETY: the engine's table is set when PHP starts and constant.
        let mut handlers = unsafe { std_object_handlers };
        handlers.offset = std::mem::offset_of!(Proxy, object) as i32;
        handlers.free_obj = Some(free);
        fill(&mut handlers);
        Handlers(handlers)
    });
    if let Some(Handlers(handlers)) = HANDLERS.get() {
        HANDLERS_OF_HALVES.get_or_init(|| Handlers(zend_object_handlers { dtor_obj: Some(end::destroy), ..*handlers }));
    }
}

/// Sets up the handlers of proxies without a class of their own, behind [`set_up`]: `fill` adds what only they have.
pub(crate) fn set_up_without_class(fill: impl FnOnce(&mut zend_object_handlers)) {
    if let Some(Handlers(handlers)) = HANDLERS.get() {
        HANDLERS_WITHOUT_CLASS.get_or_init(|| {
            let mut handlers = *handlers;
            fill(&mut handlers);
            Handlers(handlers)
        });
    }
}

/// The handlers of proxies without a class of their own.
fn handlers_without_class() -> *const zend_object_handlers {
    HANDLERS_WITHOUT_CLASS.get().map_or(std::ptr::null(), |handlers| &raw const handlers.0)
}

/// The handlers of the PHP halves of objects.
fn handlers_of_halves() -> *const zend_object_handlers {
    HANDLERS_OF_HALVES.get().map_or(std::ptr::null(), |handlers| &raw const handlers.0)
}

/// The handlers. Null before [`set_up`], when there is no proxy either.
fn handlers() -> *const zend_object_handlers {
    HANDLERS.get().map_or(std::ptr::null(), |handlers| &raw const handlers.0)
}

/// Makes a class, and so all that inherit from it, a class of proxies. Their objects cannot be serialized.
pub(crate) fn adopt(class: *mut zend_class_entry) {
    // SAFETY: the class was just registered and nobody has made an object of it.
    unsafe {
        (*class).__bindgen_anon_2.create_object = Some(create);
        (*class).ce_flags |= ext_php_rs::ffi::ZEND_ACC_NOT_SERIALIZABLE;
    }
}

/// Allocates an object that stands for nothing yet.
///
/// # Safety
/// `class` is a linked class of proxies.
pub(crate) unsafe extern "C" fn create(class: *mut zend_class_entry) -> *mut zend_object {
    // SAFETY: the engine passes a linked class; its allocator leaves room for the class's properties behind the
    // proxy, and the parts are set up before anyone sees them.
    unsafe {
        let proxy = ext_php_rs_zend_object_alloc(size_of::<Proxy>(), class).cast::<Proxy>();
        (&raw mut (*proxy).id).write(0);
        (&raw mut (*proxy).received).write(0);
        (&raw mut (*proxy).generation).write(0);
        (&raw mut (*proxy).traits).write(0);
        (&raw mut (*proxy).state).write(0);
        let object = &raw mut (*proxy).object;
        zend_object_std_init(object, class);
        object_properties_init(object, class);
        let has_class = !std::ptr::eq(class, native::class(Native::PyObject));
        (*object).handlers = if has_class { handlers() } else { handlers_without_class() };
        object
    }
}

/// Whether a class's objects are made here.
pub(crate) fn is_maker(make: unsafe extern "C" fn(class: *mut zend_class_entry) -> *mut zend_object) -> bool {
    std::ptr::fn_addr_eq(make, create as unsafe extern "C" fn(_) -> _)
}

/// PHP has let go of the object.
unsafe extern "C" fn free(object: *mut zend_object) {
    guard((), || {
        // SAFETY: the engine frees an object once, and only our own have this handler.
        let proxy = unsafe { of_own(object) };
        if proxy.id != 0 {
            objects::release(proxy.id, object, proxy.received, proxy.generation == link::generation());
            link::flush_releases_if_due();
        }
        if proxy.state & IS_HALF != 0 {
            exports::forget_half(object);
        }
    });
    // SAFETY: the object's PHP part is whole.
    unsafe { zend_object_std_dtor(object) };
}

/// Whether two PHP objects stand for one Python object, which `new` of a class with a `__new__` of its own can make.
pub(crate) fn are_one_object(one: &zend_object, other: &zend_object) -> bool {
    match (of(one), of(other)) {
        (Some(one), Some(other)) => one.id != 0 && (one.id, one.generation) == (other.id, other.generation),
        _ => false,
    }
}

/// The proxy around an object that is known to be one.
///
/// # Safety
/// `object` is live and has our handlers.
unsafe fn of_own<'a>(object: *mut zend_object) -> &'a mut Proxy {
    // SAFETY: such an object was made by `create`, inside a `Proxy`.
    unsafe { &mut *object.byte_sub(std::mem::offset_of!(Proxy, object)).cast::<Proxy>() }
}

/// The proxy that an object is part of, if it is one.
fn of<'a>(object: &zend_object) -> Option<&'a mut Proxy> {
    let is_proxy = std::ptr::eq(object.handlers, handlers())
        || std::ptr::eq(object.handlers, handlers_of_halves())
        || std::ptr::eq(object.handlers, handlers_without_class());
    // SAFETY: only objects made by `create` have these handlers.
    is_proxy.then(|| unsafe { of_own(std::ptr::from_ref(object).cast_mut()) })
}

/// The object does not belong to the session that would be asked.
pub(crate) struct Stale;

/// The id that names a proxy to the session; None if the object is no proxy.
pub(crate) fn id_to_send(object: &zend_object) -> Option<Result<u64, Stale>> {
    let proxy = of(object)?;
    Some(if proxy.id != 0 && proxy.generation == link::generation() { Ok(proxy.id) } else { Err(Stale) })
}

/// The id and session of a proxy that is about to be used.
///
/// # Errors
/// [`BridgeError::Stale`] if it was never constructed, and not as a half; or why its half cannot be made.
pub(crate) fn target(object: &zend_object) -> Result<(u64, u32), BridgeError> {
    match of(object) {
        Some(proxy) if proxy.id != 0 => Ok((proxy.id, proxy.generation)),
        _ => target_made(std::ptr::from_ref(object).cast_mut()),
    }
}

#[cold]
#[inline(never)]
fn target_made(object: *mut zend_object) -> Result<(u64, u32), BridgeError> {
    half::make(object)?;
    // SAFETY: the caller has the object.
    match of(unsafe { &*object }) {
        Some(proxy) if proxy.id != 0 => Ok((proxy.id, proxy.generation)),
        _ => Err(BridgeError::Stale(format!(
            "this {} was never made in Python: its constructor did not call parent::__construct()",
            // SAFETY: a live object's class is live.
            unsafe { crate::engine::class_name((*object).ce) }
        ))),
    }
}

/// As [`target`], of an object that may be no proxy: None then.
pub(crate) fn target_of_proxy(object: &zend_object) -> Option<Result<(u64, u32), BridgeError>> {
    of(object).map(|_| target(object))
}

/// The id of the Python object, if there is one, and whether the session that knows it is there.
pub(crate) fn identity(object: &zend_object) -> (Option<u64>, bool) {
    let proxy = of(object).filter(|proxy| proxy.id != 0);
    proxy.map_or((None, false), |proxy| (Some(proxy.id), proxy.generation == link::generation()))
}

/// Whether the Python object can be called.
pub(crate) fn is_callable(object: &zend_object) -> bool {
    of(object).is_some_and(|proxy| proxy.traits & tortoise_protocol::codec::TRAIT_CALLABLE != 0)
}

/// Whether the object stands for a Python object already.
pub(crate) fn is_constructed(object: &zend_object) -> bool {
    of(object).is_some_and(|proxy| proxy.id != 0)
}

/// Ties an object that `new` made to the Python object that was constructed for it.
pub(crate) fn bind(object: &mut zend_object, reference: ObjectReference, generation: u32) {
    let Some(proxy) = of(object) else { return };
    proxy.id = reference.id;
    proxy.generation = generation;
    proxy.traits = reference.traits;
    proxy.received = 1;
    objects::insert(reference.id, object);
}

/// As [`bind`], of an object whose class has ancestors of both languages.
pub(crate) fn bind_half(object: &mut zend_object, reference: ObjectReference, generation: u32) {
    bind(object, reference, generation);
    half::become_half(object);
}

/// The PHP object for one that the session hands out: the one that PHP has, or a new one of its true class.
///
/// # Errors
/// [`BridgeError`] if its class cannot be declared.
pub(crate) fn receive(reference: ObjectReference, generation: u32) -> Result<Zval, BridgeError> {
    let known = |object: *mut zend_object| {
        // SAFETY: the table of objects holds live proxies only; the new count is given to the value.
        unsafe {
            of_own(object).received += 1;
            (*object).gc.refcount += 1;
            if of_own(object).state & IS_KEPT != 0 {
                half::take_back(object);
            }
            owned_object(object)
        }
    };
    if let Some(object) = objects::find(reference.id) {
        return Ok(known(object));
    }
    let (class, has_two_halves) = match reference.class {
        0 => (native::class(Native::PyObject), false),
        class => classes::class_of_value(class, generation)?,
    };
    // Declaring the class may have gone to Python and back.
    if let Some(object) = objects::find(reference.id) {
        return Ok(known(object));
    }
    if has_two_halves {
        let half = half::new_of(class)?;
        if let Some(object) = object_of(&half) {
            bind_half(object, reference, generation);
        }
        return Ok(half);
    }
    // SAFETY: the class is one of proxies, so `create` is its maker; a new object's one count goes to the value.
    unsafe {
        let object = create(class);
        bind(&mut *object, reference, generation);
        Ok(owned_object(object))
    }
}
