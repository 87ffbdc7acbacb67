//! Python's exceptions as PHP exceptions: of their own class, with message, place, traceback and causes.

use ext_php_rs::ffi::{
    IS_UNDEF, ext_php_rs_executor_globals, instanceof_function_slow, zend_ce_error, zend_ce_exception,
    zend_ce_throwable, zend_class_entry, zend_hash_str_find, zend_object, zend_property_info,
};
use ext_php_rs::types::{ZendHashTable, ZendStr, Zval};
use tortoise_protocol::ObjectReference;
use tortoise_protocol::failure::RaisedException;

use crate::engine::{object_init_ex, object_of, zend_update_property};
use crate::error::BridgeError;
use crate::exports::{self, Found};
use crate::native::{self, Native};
use crate::proxy::{self, Stale};
use crate::{classes, link, objects};

const CLASS: &str = "pythonClass";
const TRACEBACK: &str = "pythonTraceback";
const EXCEPTION: &str = "pythonException";

/// The private properties of `Tortoise\PythonException`.
pub(crate) const PROPERTIES: [&str; 3] = [CLASS, TRACEBACK, EXCEPTION];

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

/// Lets the pending exception come from another place.
pub(crate) fn move_pending(file: &[u8], line: u32) {
    // SAFETY: a pending exception is a live object of one of the engine's two families.
    unsafe {
        let Some(object) = (*ext_php_rs_executor_globals()).exception.as_mut() else { return };
        let is_error = std::ptr::eq(object.ce, zend_ce_error) || instanceof_function_slow(object.ce, zend_ce_error);
        let base = if is_error { zend_ce_error } else { zend_ce_exception };
        let mut number = Zval::new();
        number.set_long(i64::from(line));
        let mut path = Zval::new();
        path.set_zend_string(ZendStr::new(file, false));
        set(base, object, "file", path);
        set(base, object, "line", number);
        hide_bridge(base, object);
    }
}

/// Takes our own function, which every generated method calls, off the top of an exception's trace.
fn hide_bridge(base: *mut zend_class_entry, object: &mut zend_object) {
    const OWN: &str = "Tortoise\\Bridge\\";
    let Some(frames) = read(base, object, "trace").array() else { return };
    let function = frames.get_index(0).and_then(Zval::array).and_then(|frame| frame.get("function"));
    if !function.and_then(Zval::str).is_some_and(|name| name.starts_with(OWN)) {
        return;
    }
    let mut rest = ZendHashTable::with_capacity(u32::try_from(frames.len()).unwrap_or(0));
    for frame in frames.values().skip(1) {
        // Only an overflow of the array's keys could fail, and there are as many as there were.
        let _ = rest.push(frame.shallow_clone());
    }
    let mut trace = Zval::new();
    trace.set_hashtable(rest);
    set(base, object, "trace", trace);
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

fn make(raised: &RaisedException, previous: Option<Zval>, generation: u32) -> Result<Zval, BridgeError> {
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
    hide_bridge(base, object);
    set(base, object, "message", text(&raised.message));
    if let Some(file) = &raised.file {
        let mut line = Zval::new();
        line.set_long(i64::try_from(raised.line).unwrap_or(0));
        set(base, object, "file", text(file));
        set(base, object, "line", line);
    }
    if let Some(previous) = previous {
        set(base, object, "previous", previous);
    }
    let own = native::class(Native::PythonException);
    set(own, object, CLASS, text(&raised.class_name));
    set(own, object, TRACEBACK, text(&raised.traceback));
    // The exception itself is a plain object: its attributes may have names that PHP's exceptions reserve.
    set(own, object, EXCEPTION, proxy::receive(ObjectReference { class: 0, ..raised.object }, generation)?);
    Ok(exception)
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

/// `message`, `code`, `file` or `line` of any PHP exception.
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
    let class = native::class(Native::PythonException);
    // SAFETY: both classes are live.
    let is_one = std::ptr::eq(object.ce, class) || unsafe { instanceof_function_slow(object.ce, class) };
    is_one.then(|| {
        object_of(get(object, EXCEPTION)).map(|inner| &*inner).ok_or_else(|| {
            BridgeError::Stale("this exception was made in PHP; there is no Python exception behind it".to_owned())
        })
    })
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
