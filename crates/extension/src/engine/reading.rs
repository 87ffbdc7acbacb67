//! Small readings of engine memory.

use std::ffi::{CStr, c_char};
use std::mem::ManuallyDrop;

use ext_php_rs::ffi::{
    ZEND_USER_FUNCTION, ext_php_rs_compiler_globals, ext_php_rs_executor_globals, zend_class_entry, zend_empty_array,
    zend_hash_str_find, zend_object, zend_op_array, zend_string, zval,
};
use ext_php_rs::types::{ZendHashTable, Zval};

/// The engine's `ZEND_COMPILE_PRELOAD`.
const COMPILE_PRELOAD: u32 = 1 << 15;

/// The engine's `IS_OBJ_DESTRUCTOR_CALLED`.
const DESTRUCTOR_CALLED: u32 = 1 << 8;

/// The engine's `EG_FLAGS_IN_SHUTDOWN`.
const IN_SHUTDOWN: u8 = 1 << 0;

/// The bytes of a string.
///
/// # Safety
/// `string` is a live string, and stays so while the result is used.
pub(crate) unsafe fn bytes_of<'a>(string: *const zend_string) -> &'a [u8] {
    // SAFETY: the engine keeps `len` bytes behind the head of a live string.
    unsafe { std::slice::from_raw_parts((&raw const (*string).val).cast::<u8>(), (*string).len) }
}

/// The text of a string, if it is UTF-8.
///
/// # Safety
/// As [`bytes_of`].
pub(crate) unsafe fn text_of<'a>(string: *const zend_string) -> Option<&'a str> {
    // SAFETY: the caller's promise.
    std::str::from_utf8(unsafe { bytes_of(string) }).ok()
}

/// PHP's lower case of a name: ASCII only.
pub(crate) fn lower_case(name: &[u8]) -> Vec<u8> {
    name.to_ascii_lowercase()
}

/// A class's name as declared, for people. An anonymous class is `Parent@anonymous`, as in PHP's own messages.
///
/// # Safety
/// `class` is a live class.
pub(crate) unsafe fn class_name<'a>(class: *const zend_class_entry) -> std::borrow::Cow<'a, str> {
    // SAFETY: a live class has a live name.
    let name = unsafe { bytes_of((*class).name) };
    String::from_utf8_lossy(name.split(|byte| *byte == 0).next().unwrap_or(name))
}

/// The class of that lower-case name, if it is declared. Loads nothing.
pub(crate) fn class_in_table(lower_name: &[u8]) -> Option<*mut zend_class_entry> {
    // SAFETY: inside a request the class table is there; its elements are pointers to classes.
    unsafe {
        let table = (*ext_php_rs_executor_globals()).class_table;
        let found = zend_hash_str_find(table, lower_name.as_ptr().cast::<c_char>(), lower_name.len());
        found.as_ref().map(|found| found.value.ce)
    }
}

/// Whether a class itself, and no parent of it, declares a method in exactly this spelling.
///
/// # Safety
/// `class` is a live class.
pub(crate) unsafe fn declares(class: *mut zend_class_entry, name: &str) -> bool {
    let lower_name = lower_case(name.as_bytes());
    // SAFETY: the caller's promise; the class's functions are keyed by lower-case names, and all have names of their own.
    unsafe {
        let table = &raw const (*class).function_table;
        let found = zend_hash_str_find(table, lower_name.as_ptr().cast::<c_char>(), lower_name.len()).as_ref();
        found.is_some_and(|found| {
            let function = &(*found.value.func).common;
            function.scope == class && bytes_of(function.function_name) == name.as_bytes()
        })
    }
}

/// Whether it is the class of closures.
pub(crate) fn is_closure(class: *const zend_class_entry) -> bool {
    // SAFETY: the engine's class is set when PHP starts.
    std::ptr::eq(class, unsafe { super::zend_ce_closure })
}

/// The code of a class's method, its own or inherited, if it is PHP code.
///
/// # Safety
/// `class` is a live class, and stays so while the result is used.
pub(crate) unsafe fn user_method<'a>(class: *mut zend_class_entry, name: &str) -> Option<&'a zend_op_array> {
    let lower_name = lower_case(name.as_bytes());
    // SAFETY: the caller's promise; the class's functions are keyed by lower-case names, and a user function's union
    // member is op_array.
    unsafe {
        let table = &raw const (*class).function_table;
        let found = zend_hash_str_find(table, lower_name.as_ptr().cast::<c_char>(), lower_name.len()).as_ref()?;
        let function = found.value.func.as_ref()?;
        (u32::from(function.type_) == ZEND_USER_FUNCTION).then_some(&function.op_array)
    }
}

/// Whether opcache's preload script runs: what is declared then is shared by all requests, so nothing may be connected.
pub(crate) fn is_preloading() -> bool {
    // SAFETY: the compiler's globals are there as long as PHP is.
    unsafe { (*ext_php_rs_compiler_globals()).compiler_options & COMPILE_PRELOAD != 0 }
}

/// The opcode that PHP code stands at; None if a native function runs.
pub(crate) fn opcode_in_progress() -> Option<u8> {
    // SAFETY: the executor's globals are there as long as PHP is; a running frame has a function, and a user function's
    // frame stands at one of its opcodes.
    unsafe {
        let frame = (*ext_php_rs_executor_globals()).current_execute_data.as_ref()?;
        let is_user = u32::from(frame.func.as_ref()?.type_) == ZEND_USER_FUNCTION;
        is_user.then(|| (*frame.opline).opcode)
    }
}

/// `$this` of the PHP code that runs.
pub(crate) fn running_this<'a>() -> Option<&'a zend_object> {
    // SAFETY: the executor's globals are there as long as PHP is; a running frame holds its object.
    unsafe {
        let frame = (*ext_php_rs_executor_globals()).current_execute_data.as_ref()?;
        object_of(&frame.This).map(|this| &*this)
    }
}

/// Whether an exception waits to be handled.
pub(crate) fn exception_is_pending() -> bool {
    // SAFETY: the executor's globals are there as long as PHP is.
    unsafe { !(*ext_php_rs_executor_globals()).exception.is_null() }
}

/// Whether the engine has ended the object once, by its destructor or what stands for it. It does so no second time.
///
/// # Safety
/// The object is live.
pub(crate) unsafe fn was_destructor_called(object: *const zend_object) -> bool {
    // SAFETY: the word of flags is always the union's whole.
    unsafe { (*object).gc.u.type_info & DESTRUCTOR_CALLED != 0 }
}

/// Keeps the engine from ending the object by its destructor.
///
/// # Safety
/// The object is live.
pub(crate) unsafe fn skip_destructor(object: *mut zend_object) {
    // SAFETY: as above.
    unsafe { (*object).gc.u.type_info |= DESTRUCTOR_CALLED };
}

/// Lets the engine end the object once more.
///
/// # Safety
/// The object is live.
pub(crate) unsafe fn forget_destructor_call(object: *mut zend_object) {
    // SAFETY: as above.
    unsafe { (*object).gc.u.type_info &= !DESTRUCTOR_CALLED };
}

/// Whether the PHP request is at its end: its shutdown functions run, or its last destructors.
pub(crate) fn is_shutting_down() -> bool {
    // SAFETY: the executor's globals are there as long as PHP is.
    unsafe { (*ext_php_rs_executor_globals()).flags & IN_SHUTDOWN != 0 }
}

/// An ini setting's text; empty if it is not set.
pub(crate) fn ini_text(name: &CStr) -> String {
    // SAFETY: the engine gives null or C text that lives until the setting changes; it is copied at once.
    unsafe {
        let value = super::zend_ini_string(name.as_ptr(), name.count_bytes(), 0);
        if value.is_null() { String::new() } else { CStr::from_ptr(value).to_string_lossy().into_owned() }
    }
}

/// The object in a zval.
pub(crate) fn object_of<'a>(value: &Zval) -> Option<&'a mut zend_object> {
    // SAFETY: the type byte says that the value is a live object; PHP objects are shared and never moved.
    unsafe { if value.is_object() { value.value.obj.as_mut() } else { None } }
}

/// A zval that owns one count of `object`.
///
/// # Safety
/// `object` is live; the caller gives one of its counts away.
pub(crate) unsafe fn owned_object(object: *mut zend_object) -> Zval {
    let mut value = Zval::new();
    value.value.obj = object;
    value.u1.type_info = ext_php_rs::ffi::IS_OBJECT_EX;
    value
}

/// A zval with a count of its own of `object`. The count is changed where no caller's reference to the object promises that
/// it stays: the compiler would believe that.
///
/// # Safety
/// `object` is live.
#[inline(never)]
pub(crate) unsafe fn held_object(object: *mut zend_object) -> Zval {
    // SAFETY: the caller's promise; the count that is added is the value's.
    unsafe {
        (*object).gc.refcount += 1;
        owned_object(object)
    }
}

/// A zval for `object`, to show it to someone who only looks: no count of it is taken.
pub(crate) fn borrowed(object: &zend_object) -> ManuallyDrop<Zval> {
    // SAFETY: what is not dropped gives no count back.
    ManuallyDrop::new(unsafe { owned_object(std::ptr::from_ref(object).cast_mut()) })
}

/// What an object of one of PHP's own classes shows of itself as properties.
pub(crate) fn properties(object: &zend_object) -> &ZendHashTable {
    let object = std::ptr::from_ref(object).cast_mut();
    // SAFETY: every object has handlers; those of native classes give a table that the object keeps.
    unsafe {
        let table = (*(*object).handlers).get_properties.and_then(|get| get(object).as_ref());
        table.unwrap_or(&zend_empty_array)
    }
}

/// Sets a public property.
pub(crate) fn set_property(object: &mut zend_object, name: &str, mut value: Zval) {
    // SAFETY: object and value are live; the engine takes a count of the value of its own.
    unsafe { super::zend_update_property(object.ce, object, name.as_ptr().cast(), name.len(), &raw mut value) };
}

/// Puts a value into a slot that PHP gives for a result and that holds nothing yet.
///
/// # Safety
/// `slot` is writable and holds nothing that must be freed.
pub(crate) unsafe fn write_result(slot: *mut zval, value: Zval) {
    // SAFETY: the caller's promise; a plain write drops nothing.
    unsafe { slot.write(value) }
}
