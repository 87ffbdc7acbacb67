//! PHP code that runs in the middle of something else, wherever that may be: at a property, in a `foreach`, at the very end
//! of a request, while an exception is on its way.

use std::mem::{ManuallyDrop, MaybeUninit};

use ext_php_rs::ffi::{
    _emalloc, _zend_execute_data, IS_REFERENCE, ext_php_rs_executor_globals, zend_fcall_info, zend_fcall_info_cache,
    zend_function, zend_hash_str_find, zend_is_callable_ex, zend_reference,
};
use ext_php_rs::types::Zval;
use nix::sys::resource::{Resource, getrlimit};

use super::ffi::zend_call_function;
use super::reading::owned_object;
use super::view::{View, packed_elements, places, view};

/// The engine's `GC_NOT_COLLECTABLE` in a head's type: a reference.
const REFERENCE: u32 = IS_REFERENCE | 1 << 4;

/// What a value that is a reference says it is: one that is counted.
const IS_REFERENCE_EX: u32 = IS_REFERENCE | 1 << 8;

/// Where the way of passing a parameter stands in its type (the engine's `_ZEND_SEND_MODE_SHIFT`).
const SEND_MODE_SHIFT: u32 = 25;

/// How much stack to believe in where the system sets no limit.
const USUAL_STACK_BYTES: usize = 8 << 20;

/// Runs `action`, in which PHP code runs, as if called by the native function of the lower-case name `caller`; gives what it
/// threw, too. What waits to be handled meanwhile waits on.
pub(crate) fn interlude<R>(caller: &str, action: impl FnOnce() -> R) -> (R, Option<Zval>) {
    let mut frame = MaybeUninit::<_zend_execute_data>::zeroed();
    // SAFETY: a zeroed frame is one without anything; a native function's frame has no opcode that an exception could be
    // told to. It is the running one only until `action` returns; if PHP jumps out of it, the engine forgets all frames.
    unsafe {
        let globals = ext_php_rs_executor_globals();
        let function = zend_hash_str_find((*globals).function_table, caller.as_ptr().cast(), caller.len()).as_ref();
        let frame = frame.as_mut_ptr();
        (*frame).func = function.map_or(std::ptr::null_mut(), |function| function.value.func);
        let outer = (*globals).current_execute_data;
        let waiting = ((*globals).exception, (*globals).opline_before_exception);
        (*frame).prev_execute_data = outer;
        (*globals).current_execute_data = frame;
        (*globals).exception = std::ptr::null_mut();
        let result = action();
        let thrown = (*globals).exception;
        (*globals).current_execute_data = outer;
        ((*globals).exception, (*globals).opline_before_exception) = waiting;
        (result, (!thrown.is_null()).then(|| owned_object(thrown)))
    }
}

/// Bytes of the stack on which PHP runs now.
pub(crate) fn stack_bytes() -> usize {
    // SAFETY: the executor's globals are there as long as PHP is.
    let (is_fiber, of_fibers) = unsafe {
        let globals = ext_php_rs_executor_globals();
        (!(*globals).active_fiber.is_null(), (*globals).fiber_stack_size)
    };
    if is_fiber {
        return usize::try_from(of_fibers).unwrap_or(0);
    }
    let soft = getrlimit(Resource::RLIMIT_STACK).map_or(0, |(soft, _)| soft);
    usize::try_from(soft).unwrap_or(usize::MAX).min(USUAL_STACK_BYTES)
}

/// The function of a text that PHP can call, such as `strlen` or `A::b`.
pub(crate) fn callable(name: &Zval) -> Option<zend_fcall_info_cache> {
    let mut found = MaybeUninit::<zend_fcall_info_cache>::zeroed();
    let name = std::ptr::from_ref(name).cast_mut();
    // SAFETY: the value is live and only looked at; where it can be called the engine fills what was found.
    unsafe {
        let none = std::ptr::null_mut();
        zend_is_callable_ex(name, none, 0, none.cast(), found.as_mut_ptr(), none.cast()).then(|| found.assume_init())
    }
}

/// Calls a function with a list of arguments and an array of named ones. None: it threw, which is pending.
///
/// Nothing in this frame must be dropped if PHP jumps out of the function.
///
/// # Safety
/// The function is live, and its object is what it wants for `$this`.
pub(crate) unsafe fn call_function(
    mut function: zend_fcall_info_cache,
    arguments: &Zval,
    named: &Zval,
) -> Option<Zval> {
    let arrays = [arguments, named].map(|value| match view(value) {
        View::Array(array) if array.nNumOfElements > 0 => Some(array),
        _ => None,
    });
    let [list, names] = arrays;
    let list = list.and_then(packed_elements).unwrap_or_default();
    let mut result = ManuallyDrop::new(Zval::new());
    // SAFETY: the caller's promise. The arguments are nobody else's, so they can be made references; the engine takes counts
    // of its own of them.
    unsafe {
        if takes_references(function.function_handler) {
            arrays.into_iter().flatten().flat_map(places).for_each(|value| refer(value));
        }
        let result_slot: *mut Zval = &raw mut *result;
        let mut call = ManuallyDrop::new(zend_fcall_info {
            size: size_of::<zend_fcall_info>(),
            function_name: Zval::new(),
            retval: result_slot,
            params: list.as_ptr().cast_mut(),
            object: function.object,
            param_count: list.len() as u32,
            named_params: names.map_or(std::ptr::null_mut(), |names| std::ptr::from_ref(names).cast_mut()),
        });
        zend_call_function(&raw mut *call, &raw mut function);
        if super::exception_is_pending() {
            return None;
        }
        let result = ManuallyDrop::into_inner(result);
        Some(if result.u1.type_info == 0 { Zval::null() } else { result })
    }
}

/// Whether any parameter is one by reference. What is passed for it is a value all the same.
///
/// # Safety
/// The function is live.
unsafe fn takes_references(function: *const zend_function) -> bool {
    // SAFETY: the caller's promise; a function with a variadic parameter has one more place for it.
    unsafe {
        let common = &(*function).common;
        let is_variadic = common.fn_flags & ext_php_rs::ffi::ZEND_ACC_VARIADIC != 0;
        let count = common.num_args as usize + usize::from(is_variadic);
        (0..count).any(|at| (*common.arg_info.add(at)).type_.type_mask >> SEND_MODE_SHIFT & 3 != 0)
    }
}

/// Makes a value a reference to itself, with one count.
///
/// # Safety
/// The value is live and nobody else's.
unsafe fn refer(value: *mut Zval) {
    // SAFETY: the caller's promise; the block is one for a reference, which takes the value over.
    unsafe {
        if (*value).is_reference() {
            return;
        }
        let reference = _emalloc(size_of::<zend_reference>()).cast::<zend_reference>();
        (&raw mut (*reference).gc.refcount).write(1);
        (&raw mut (*reference).gc.u.type_info).write(REFERENCE);
        (&raw mut (*reference).val).write(std::ptr::read(value));
        (&raw mut (*reference).sources).write(std::mem::zeroed());
        (*value).value.ref_ = reference;
        (*value).u1.type_info = IS_REFERENCE_EX;
    }
}
