//! Calls functions that PHP's own extensions bring, without running anything of the user's: no signal handler, no
//! observer, no interrupt comes in between, as it may where the engine makes the call.

use std::mem::{MaybeUninit, offset_of};

use ext_php_rs::ffi::{
    _zend_execute_data, ZEND_INTERNAL_FUNCTION, ext_php_rs_executor_globals, zend_array, zend_class_entry,
    zend_function, zend_hash_str_find, zend_object,
};
use ext_php_rs::types::Zval;

use super::ffi::{object_init_ex, zend_ce_closure, zend_throw_exception_internal};
use super::frame::FRAME_SLOT;
use super::reading::{exception_is_pending, object_of};

/// Arguments that a call here can have.
const MAX_ARGUMENTS: usize = 2;

/// The function is not there, or raised an exception, which is pending then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotCalled {
    /// There is no such native function.
    Missing,
    /// A PHP exception is pending.
    Raised,
}

/// A frame of the engine, with the arguments behind it.
#[repr(C)]
struct Call {
    frame: MaybeUninit<_zend_execute_data>,
    arguments: [MaybeUninit<Zval>; MAX_ARGUMENTS],
}

const _: () = assert!(offset_of!(Call, arguments) == FRAME_SLOT * size_of::<Zval>());

/// Whether there is a native function of that lower-case name: it may be of an extension that is not loaded, or disabled.
pub(crate) fn has_native(name: &str) -> bool {
    // SAFETY: inside a request the function table is there.
    unsafe { find((*ext_php_rs_executor_globals()).function_table, name).is_ok() }
}

/// Calls a native function by its lower-case name.
///
/// # Errors
/// [`NotCalled`].
pub(crate) fn call_native<const N: usize>(name: &str, arguments: [&Zval; N]) -> Result<Zval, NotCalled> {
    // SAFETY: inside a request the function table is there.
    unsafe { call(find((*ext_php_rs_executor_globals()).function_table, name)?, None, arguments) }
}

/// Calls a method that a native class declares, by its lower-case name, on an object of that class or of one that extends
/// it: what a user's class overrides is passed over.
///
/// # Safety
/// `class` is a live native class, and the object is one of it.
///
/// # Errors
/// [`NotCalled`].
pub(crate) unsafe fn call_native_method<const N: usize>(
    class: *mut zend_class_entry,
    object: &zend_object,
    name: &str,
    arguments: [&Zval; N],
) -> Result<Zval, NotCalled> {
    // SAFETY: the caller's promise.
    unsafe { call(find(&raw const (*class).function_table, name)?, Some(object), arguments) }
}

/// Makes an object of a native class, by calling its constructor.
///
/// # Safety
/// `class` is a live native class.
///
/// # Errors
/// [`NotCalled`].
pub(crate) unsafe fn new_native<const N: usize>(
    class: *mut zend_class_entry,
    arguments: [&Zval; N],
) -> Result<Zval, NotCalled> {
    let mut object = Zval::new();
    // SAFETY: the slot holds nothing; the caller answers for the class.
    unsafe {
        object_init_ex(&raw mut object, class);
        let made = object_of(&object).ok_or(NotCalled::Raised)?;
        call_native_method(class, made, "__construct", arguments)?;
    }
    Ok(object)
}

/// A closure of what the PHP code that runs now can call, for whoever calls it later.
///
/// # Errors
/// [`NotCalled`].
pub(crate) fn closure_of(callable: &Zval) -> Result<Zval, NotCalled> {
    // SAFETY: the engine's class is set when PHP starts.
    unsafe { call(find(&raw const (*zend_ce_closure).function_table, "fromcallable")?, None, [callable]) }
}

/// # Safety
/// `table` is a live table of functions.
unsafe fn find(table: *const zend_array, name: &str) -> Result<*mut zend_function, NotCalled> {
    // SAFETY: the caller's promise; the elements of such a table are pointers to functions.
    unsafe {
        let found = zend_hash_str_find(table, name.as_ptr().cast(), name.len()).as_ref();
        let function = found.map(|found| found.value.func).ok_or(NotCalled::Missing)?;
        let is_native = u32::from((*function).type_) == ZEND_INTERNAL_FUNCTION;
        if is_native { Ok(function) } else { Err(NotCalled::Missing) }
    }
}

/// # Safety
/// `function` is a live native function; `object` is what it wants for `$this`.
unsafe fn call<const N: usize>(
    function: *mut zend_function,
    object: Option<&zend_object>,
    arguments: [&Zval; N],
) -> Result<Zval, NotCalled> {
    const { assert!(N <= MAX_ARGUMENTS) };
    let mut call = Call { frame: MaybeUninit::zeroed(), arguments: [const { MaybeUninit::uninit() }; MAX_ARGUMENTS] };
    for (slot, argument) in call.arguments.iter_mut().zip(arguments) {
        // SAFETY: the bits are copied into a place that is never dropped: the caller keeps the argument.
        slot.write(unsafe { std::ptr::read(argument) });
    }
    let mut result = Zval::new();
    let call = &raw mut call;
    // SAFETY: a zeroed frame is one without anything; what a native function reads of its frame is set, and its arguments
    // stand where the engine lays them. The frame is the running one only until the function returns; if PHP jumps out of
    // it, the engine forgets all frames.
    unsafe {
        let handler = (*function).internal_function.handler.ok_or(NotCalled::Missing)?;
        let globals = ext_php_rs_executor_globals();
        // Of the whole, so that the arguments behind the frame are within its reach.
        let frame = call.cast::<_zend_execute_data>();
        (*frame).func = function;
        if let Some(object) = object {
            (*frame).This.value.obj = std::ptr::from_ref(object).cast_mut();
            (*frame).This.u1.type_info = ext_php_rs::ffi::IS_OBJECT_EX;
        }
        (*frame).This.u2.num_args = N as u32;
        (*frame).prev_execute_data = (*globals).current_execute_data;
        (*globals).current_execute_data = frame;
        handler(frame, &raw mut result);
        (*globals).current_execute_data = (*frame).prev_execute_data;
        if !exception_is_pending() {
            return Ok(result);
        }
        // PHP code that stands below, at an operator or a property, is told as where the engine makes the call.
        if !(*globals).current_execute_data.is_null() {
            zend_throw_exception_internal(std::ptr::null_mut());
        }
    }
    Err(NotCalled::Raised)
}
