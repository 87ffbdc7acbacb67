//! Python's exceptions as PHP exceptions: of their own class, with message, place, traceback and causes.

mod asked;
mod birth;
mod known;
mod place;

use ext_php_rs::ffi::{
    IS_UNDEF, ext_php_rs_executor_globals, instanceof_function_slow, zend_ce_error, zend_ce_exception,
    zend_ce_throwable, zend_class_entry, zend_hash_str_find, zend_object, zend_property_info,
};
use ext_php_rs::types::{ZendStr, Zval};
use tortoise_protocol::ObjectReference;
use tortoise_protocol::failure::RaisedException;

use crate::engine::{object_init_ex, object_of, owned_object, zend_update_property};
use crate::error::BridgeError;
use crate::exports::{self, Found};
use crate::native::{self, Native};
use crate::proxy::{self, Stale};
use crate::{classes, link, objects};

pub(crate) use asked::{bind, members};
pub(crate) use birth::adopt;
pub(crate) use known::forget_all;
pub(crate) use place::move_pending;

const CLASS: &str = "pythonClass";
const TRACEBACK: &str = "pythonTraceback";
const EXCEPTION: &str = "pythonException";
const MEMBERS: &str = "pythonMembers";

/// The private properties of `Tortoise\PythonException`.
pub(crate) const PROPERTIES: [&str; 4] = [CLASS, TRACEBACK, EXCEPTION, MEMBERS];

/// The PHP exception of a chain of Python exceptions: the raised one first, then its causes.
///
/// # Errors
/// [`BridgeError`] if a class cannot be declared, or there is no exception in the chain.
pub(crate) fn exception(chain: &[RaisedException]) -> Result<Zval, BridgeError> {
    let generation = link::generation();
    let mut outer: Option<Zval> = None;
    for raised in chain.iter().rev() {
        outer = Some(match php_exception(raised) {
            // It has its own causes, as PHP gave them to it.
            Some(exception) => exception,
            None => make(raised, outer.take(), generation)?,
        });
    }
    outer.ok_or_else(|| BridgeError::Connection("the session told of no exception".to_owned()))
}

/// The PHP exception that came back from Python as it had gone there.
fn php_exception(raised: &RaisedException) -> Option<Zval> {
    let Some(Found::Object(exception)) = exports::find(raised.php) else { return None };
    let object = object_of(&exception)?;
    // SAFETY: both classes are live.
    if !unsafe { instanceof_function_slow(object.ce, zend_ce_throwable) } {
        return None;
    }
    // What stood for it in Python was handed out all the same.
    objects::release_id(raised.object.id);
    Some(exception)
}

/// The PHP exception of a Python one: the one that PHP has, or a new one.
fn make(raised: &RaisedException, previous: Option<Zval>, generation: u32) -> Result<Zval, BridgeError> {
    // The exception itself is a plain object: its attributes may have names that PHP's exceptions reserve.
    let python = proxy::receive(ObjectReference { class: 0, ..raised.object }, generation)?;
    if let Some(object) = known::find(raised.object.id) {
        object.gc.refcount += 1;
        // SAFETY: the count that was added is the value's.
        let exception = unsafe { owned_object(object) };
        meet_again(object, raised, previous);
        return Ok(exception);
    }
    let class = match classes::class_of_exception(raised.object.class, generation) {
        // Python can fail again where it is told of a failure, as at the limit of its recursion: the name says enough then.
        Err(BridgeError::Remote(_)) => native::class(Native::PythonException),
        class => class?,
    };
    let mut exception = Zval::new();
    // SAFETY: the class is a concrete exception class, and the slot holds nothing.
    unsafe { object_init_ex(&raw mut exception, class) };
    let Some(object) = object_of(&exception) else { return Err(BridgeError::Pending) };
    // SAFETY: the engine's class of exceptions is there from its start.
    let base = unsafe { zend_ce_exception };
    place::come_from_python(base, object, raised);
    set(native::class(Native::PythonException), object, EXCEPTION, python);
    known::insert(raised.object.id, object);
    meet_again(object, raised, previous);
    Ok(exception)
}

/// Tells an exception what Python tells of it. Its place, its trace and its first message stay.
fn meet_again(object: &mut zend_object, raised: &RaisedException, previous: Option<Zval>) {
    // SAFETY: the engine's class of exceptions is there from its start.
    let base = unsafe { zend_ce_exception };
    let own = native::class(Native::PythonException);
    if get(object, CLASS).is_null() {
        set(base, object, "message", text(&raised.message));
        set(own, object, CLASS, text(&raised.class_name));
    }
    set(own, object, TRACEBACK, text(&raised.traceback.text));
    if let Some(previous) = previous
        && read(base, object, "previous").is_null()
        && !leads_to(&previous, object)
    {
        set(base, object, "previous", previous);
    }
}

/// Whether an exception is another one, or came behind it.
fn leads_to(exception: &Zval, wanted: &zend_object) -> bool {
    let links = std::iter::successors(object_of(exception), |object| object_of(field(object, "previous")));
    links.into_iter().any(|object| std::ptr::eq(object, wanted))
}

fn text(text: &str) -> Zval {
    let mut value = Zval::new();
    value.set_zend_string(ZendStr::new(text, false));
    value
}

fn set(scope: *mut zend_class_entry, object: &mut zend_object, name: &str, mut value: Zval) {
    // SAFETY: object and value are live; the engine takes a count of the value of its own.
    unsafe { zend_update_property(scope, object, name.as_ptr().cast(), name.len(), &raw mut value) };
}

/// `message`, `code`, `file`, `line` or `previous` of any PHP exception.
pub(crate) fn field<'a>(exception: &'a zend_object, name: &str) -> &'a Zval {
    // SAFETY: every exception is of one of the engine's two families, whose classes are there from its start.
    let family = unsafe {
        if instanceof_function_slow(exception.ce, zend_ce_error) { zend_ce_error } else { zend_ce_exception }
    };
    read(family, exception, name)
}

fn get<'a>(object: &'a zend_object, name: &str) -> &'a Zval {
    read(native::class(Native::PythonException), object, name)
}

/// A property that the class `scope`, which the object's class is or extends, declares. Where PHP code has unset it that is
/// null: `__get` is not asked, because it could ask the session, which may be written to just now.
fn read<'a>(scope: *mut zend_class_entry, object: &'a zend_object, name: &str) -> &'a Zval {
    // SAFETY: the class is live, and describes its properties. A property that it declares lies in every object of it and
    // of its heirs, at the place that the description gives. The engine's null is there as long as PHP is.
    unsafe {
        let described = zend_hash_str_find(&raw const (*scope).properties_info, name.as_ptr().cast(), name.len());
        let place = described.as_ref().and_then(|described| described.value.ptr.cast::<zend_property_info>().as_ref());
        let value = place.map(|place| &*std::ptr::from_ref(object).byte_add(place.offset as usize).cast::<Zval>());
        value
            .filter(|value| u32::from(value.u1.v.type_) != IS_UNDEF)
            .unwrap_or(&(*ext_php_rs_executor_globals()).uninitialized_zval)
    }
}

/// The proxy of the Python exception behind a PHP one; None if the object is no Python exception.
pub(crate) fn python_exception_of(object: &zend_object) -> Option<Result<&zend_object, BridgeError>> {
    is_class(object.ce).then(|| {
        object_of(get(object, EXCEPTION)).map(|inner| &*inner).ok_or_else(|| {
            BridgeError::Stale("this exception was made in PHP; there is no Python exception behind it".to_owned())
        })
    })
}

/// The id of the Python exception behind a PHP one, in whichever session.
fn id_of(object: &zend_object) -> Option<u64> {
    proxy::identity(python_exception_of(object)?.ok()?).0
}

/// Whether the object is a Python exception that was constructed.
pub(crate) fn is_constructed(object: &zend_object) -> bool {
    python_exception_of(object).is_some_and(|python| python.is_ok())
}

/// Whether the class is one of Python's exceptions, or extends one.
pub(crate) fn is_class(class: *mut zend_class_entry) -> bool {
    let own = native::class(Native::PythonException);
    // SAFETY: both classes are live.
    std::ptr::eq(class, own) || unsafe { instanceof_function_slow(class, own) }
}

/// The id that names the Python exception behind a PHP one to the session; None if the object is no Python exception.
pub(crate) fn id_to_send(object: &zend_object) -> Option<Result<u64, Stale>> {
    python_exception_of(object)
        .map(|inner| inner.map_or(Err(Stale), |inner| proxy::id_to_send(inner).unwrap_or(Err(Stale))))
}

/// What `getPythonClass()`, `getPythonTraceback()` and `getPythonException()` give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// The class as Python names it.
    Class,
    /// Python's traceback.
    Traceback,
    /// The exception itself.
    Exception,
}

/// What a PHP exception tells of the Python one behind it.
///
/// # Errors
/// [`BridgeError::Stale`] if there is none to give.
pub(crate) fn tell(object: &zend_object, what: Told) -> Result<Zval, BridgeError> {
    let value = match what {
        Told::Class => get(object, CLASS),
        Told::Traceback => get(object, TRACEBACK),
        Told::Exception => {
            if let Some(Err(error)) = python_exception_of(object) {
                return Err(error);
            }
            get(object, EXCEPTION)
        }
    };
    Ok(if value.is_null() { text("") } else { value.shallow_clone() })
}
