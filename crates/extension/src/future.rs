//! `Tortoise\Future`: the answer to a call that was not waited for.

mod all;
mod any;

use std::cell::Cell;
use std::sync::OnceLock;

use ext_php_rs::args::Arg;
use ext_php_rs::builders::{ClassBuilder, FunctionBuilder};
use ext_php_rs::ffi::{
    ext_php_rs_zend_object_alloc, object_properties_init, std_object_handlers, zend_class_entry, zend_object,
    zend_object_handlers, zend_object_std_dtor, zend_object_std_init, zend_read_property,
};
use ext_php_rs::flags::{ClassFlags, DataType, MethodFlags};
use ext_php_rs::types::Zval;
use ext_php_rs::zend::ExecuteData;
use tortoise_protocol::frame::Kind;

use crate::declarations::private_property;
use crate::engine::{Frame, copy_exception, guard, owned_object, rethrow, zend_update_property};
use crate::error::BridgeError;
use crate::link::{self, Ticket};
use crate::native::{self, Native, keep};
use crate::throw::throw_from;
use crate::values;

/// The private property that holds the value, or what the call threw.
const RESULT: &str = "result";

/// How far a future is.
#[derive(Debug, Clone, Copy)]
enum Stage {
    /// The call was sent, and its answer not fetched.
    Sent(Ticket),
    /// The answer is being fetched, or PHP's end came in the middle of that.
    Fetching,
    /// The value is there.
    Returned,
    /// The call failed.
    Threw,
}

/// What stands in front of PHP's own part of the object.
#[repr(C)]
struct Future {
    stage: Cell<Stage>,
    /// Whether PHP has cancelled the call before it had an answer, and nothing else came of it.
    is_cancelled: Cell<bool>,
    /// PHP's part. Its property table reaches beyond the end, so it is the last.
    object: zend_object,
}

/// The handlers of every future. The engine takes their address.
struct Handlers(zend_object_handlers);

// SAFETY: the table holds function pointers and an offset, and is never written after it was made.
unsafe impl Sync for Handlers {}
// SAFETY: as above.
unsafe impl Send for Handlers {}

static HANDLERS: OnceLock<Handlers> = OnceLock::new();

/// Declares the class, when the module starts.
pub(crate) fn declare() -> ext_php_rs::error::Result<()> {
    ClassBuilder::new("Tortoise\\Future")
        .flags(ClassFlags::Final | ClassFlags::NotSerializable)
        .method(FunctionBuilder::new("__construct", construct), MethodFlags::Private)
        .method(FunctionBuilder::new("await", await_).returns(DataType::Mixed, false, true), MethodFlags::Public)
        .method(FunctionBuilder::new("isReady", is_ready).returns(DataType::Bool, false, false), MethodFlags::Public)
        .method(FunctionBuilder::new("cancel", cancel).returns(DataType::Void, false, false), MethodFlags::Public)
        .method(
            FunctionBuilder::new("isCancelled", is_cancelled).returns(DataType::Bool, false, false),
            MethodFlags::Public,
        )
        .method(
            FunctionBuilder::new("any", any::any).arg(Arg::new("futures", DataType::Iterable)).returns(
                DataType::Mixed,
                false,
                true,
            ),
            MethodFlags::Public | MethodFlags::Static,
        )
        .method(
            FunctionBuilder::new("all", all::all).arg(Arg::new("futures", DataType::Iterable)).returns(
                DataType::Array,
                false,
                false,
            ),
            MethodFlags::Public | MethodFlags::Static,
        )
        .property(private_property(RESULT))
        .registration(|class, arguments| keep(Native::Future, class, arguments))
        .register()?;
    // SAFETY: the class was just registered and nobody has made an object of it.
    unsafe { (*native::class(Native::Future)).__bindgen_anon_2.create_object = Some(create) };
    Ok(())
}

fn handlers() -> *const zend_object_handlers {
    let handlers = HANDLERS.get_or_init(|| {
        // SAFETY: the engine's table is set when PHP starts and constant.
        let mut handlers = unsafe { std_object_handlers };
        handlers.offset = std::mem::offset_of!(Future, object) as i32;
        handlers.free_obj = Some(free);
        handlers.clone_obj = None;
        Handlers(handlers)
    });
    &raw const handlers.0
}

/// A future for the answer to a request that was sent.
pub(crate) fn make(ticket: Ticket) -> Zval {
    // SAFETY: the class is declared; a new object's one count goes to the value.
    unsafe {
        let object = create(native::class(Native::Future));
        of(object).stage.set(Stage::Sent(ticket));
        owned_object(object)
    }
}

unsafe extern "C" fn create(class: *mut zend_class_entry) -> *mut zend_object {
    // SAFETY: the engine passes the class; its allocator leaves room for the class's properties behind the future, and
    // the parts are set up before anyone sees them.
    unsafe {
        let future = ext_php_rs_zend_object_alloc(size_of::<Future>(), class).cast::<Future>();
        (&raw mut (*future).stage).write(Cell::new(Stage::Fetching));
        (&raw mut (*future).is_cancelled).write(Cell::new(false));
        let object = &raw mut (*future).object;
        zend_object_std_init(object, class);
        object_properties_init(object, class);
        (*object).handlers = handlers();
        object
    }
}

/// PHP has let go of the future.
unsafe extern "C" fn free(object: *mut zend_object) {
    guard((), || {
        // SAFETY: the engine frees an object once, and only futures have this handler.
        if let Stage::Sent(ticket) = unsafe { of(object) }.stage.replace(Stage::Fetching) {
            link::abandon(ticket);
        }
    });
    // SAFETY: the object's PHP part is whole.
    unsafe { zend_object_std_dtor(object) };
}

/// # Safety
/// The object is a live future.
unsafe fn of<'a>(object: *mut zend_object) -> &'a Future {
    // SAFETY: the caller's promise; futures are made by `create` alone.
    unsafe { &*object.byte_sub(std::mem::offset_of!(Future, object)).cast::<Future>() }
}

/// The object, if it is a future. A pointer, because what stands in front of it is not a reference's to reach.
fn future_in(value: &Zval) -> Option<*mut zend_object> {
    let value = value.dereference();
    // SAFETY: the type says that the value holds a live object.
    let object = unsafe { if value.is_object() { value.value.obj } else { return None } };
    // SAFETY: as above.
    std::ptr::eq(unsafe { (*object).handlers }, handlers()).then_some(object)
}

/// The future whose method runs.
fn this(frame: Frame<'_>) -> Option<*mut zend_object> {
    future_in(frame.this_value())
}

/// What the future holds.
fn result_of(object: *mut zend_object) -> Zval {
    let mut unused = Zval::new();
    // SAFETY: the class declares the property, so that the engine gives the property itself and not the slot that is
    // dropped here.
    unsafe {
        let class = native::class(Native::Future);
        (*zend_read_property(class, object, RESULT.as_ptr().cast(), RESULT.len(), true, &raw mut unused))
            .shallow_clone()
    }
}

fn keep_result(object: *mut zend_object, mut value: Zval, stage: Stage) {
    // SAFETY: object and value are live; the engine takes a count of the value of its own.
    unsafe {
        let class = native::class(Native::Future);
        zend_update_property(class, object, RESULT.as_ptr().cast(), RESULT.len(), &raw mut value);
        of(object).stage.set(stage);
    }
}

/// The value of a future. None: an exception is pending.
fn value_of(frame: Frame<'_>, object: *mut zend_object) -> Option<Zval> {
    // SAFETY: the callers have looked.
    let stage = unsafe { &of(object).stage };
    match stage.get() {
        Stage::Returned => return Some(result_of(object)),
        Stage::Threw => {
            rethrow(result_of(object));
            return None;
        }
        Stage::Fetching => {
            let why = "this future has no value: its answer is being fetched, or could not be to the end";
            throw_from(frame, BridgeError::Access(why.to_owned()));
            return None;
        }
        Stage::Sent(ticket) => {
            if let Err(error) = link::check_in_reach(ticket) {
                throw_from(frame, error);
                return None;
            }
            stage.set(Stage::Fetching);
            let reply = link::finish(ticket, Kind::Value).and_then(|reply| values::read_reply(&reply));
            match reply {
                Ok(value) => {
                    // SAFETY: as above.
                    unsafe { of(object) }.is_cancelled.set(false);
                    keep_result(object, value.shallow_clone(), Stage::Returned);
                    return Some(value);
                }
                Err(error) => throw_from(frame, error),
            }
        }
    }
    if let Some(exception) = copy_exception() {
        keep_result(object, exception, Stage::Threw);
    }
    None
}

/// Runs where the constructor would: PHP code cannot call it.
extern "C" fn construct(_data: &mut ExecuteData, _result: &mut Zval) {}

/// `await(): mixed`
extern "C" fn await_(data: &mut ExecuteData, result: &mut Zval) {
    guard((), || {
        // SAFETY: the engine passes the frame of this very call.
        let frame = unsafe { Frame::new(data) };
        if let Some(object) = this(frame)
            && let Some(value) = value_of(frame, object)
        {
            *result = value;
        }
    });
}

/// `isReady(): bool`
extern "C" fn is_ready(data: &mut ExecuteData, result: &mut Zval) {
    guard((), || {
        // SAFETY: the engine passes the frame of this very call.
        let frame = unsafe { Frame::new(data) };
        // SAFETY: the object is a future.
        let stage = this(frame).map(|object| unsafe { of(object) }.stage.get());
        result.set_bool(match stage {
            Some(Stage::Sent(ticket)) => link::is_ready(ticket),
            Some(Stage::Returned | Stage::Threw) => true,
            Some(Stage::Fetching) | None => false,
        });
    });
}

/// `cancel(): void`
extern "C" fn cancel(data: &mut ExecuteData, _result: &mut Zval) {
    guard((), || {
        // SAFETY: the engine passes the frame of this very call.
        let frame = unsafe { Frame::new(data) };
        let Some(object) = this(frame) else { return };
        // SAFETY: the object is a future.
        let Stage::Sent(ticket) = (unsafe { of(object) }).stage.get() else { return };
        if !link::is_to_come(ticket) {
            return;
        }
        match link::cancel(ticket) {
            // SAFETY: as above; `$this` lives as long as its method runs.
            Ok(()) => unsafe { of(object) }.is_cancelled.set(true),
            Err(error) => throw_from(frame, error),
        }
    });
}

/// `isCancelled(): bool`
extern "C" fn is_cancelled(data: &mut ExecuteData, result: &mut Zval) {
    guard((), || {
        // SAFETY: the engine passes the frame of this very call.
        let frame = unsafe { Frame::new(data) };
        // SAFETY: the object is a future.
        result.set_bool(this(frame).is_some_and(|object| unsafe { of(object) }.is_cancelled.get()));
    });
}
