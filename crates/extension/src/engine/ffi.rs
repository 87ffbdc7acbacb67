//! Functions and variables of the engine that ext-php-rs does not bind.

use std::ffi::{c_char, c_int};

use ext_php_rs::ffi::{
    _zend_op, zend_array, zend_class_entry, zend_function, zend_object, zend_object_iterator, zend_string, zval,
};

/// PHP's `zend_autoload`: gives the class, or null and perhaps a pending exception.
pub(crate) type Autoload =
    Option<unsafe extern "C" fn(name: *mut zend_string, lower_name: *mut zend_string) -> *mut zend_class_entry>;

unsafe extern "C" {
    /// What the engine calls for a class it does not know. SPL's autoloaders stand here.
    pub(crate) static mut zend_autoload: Autoload;

    /// Compiles and runs `source`; `file_name` is what reflection and traces show.
    pub(crate) fn zend_eval_stringl(
        source: *const c_char,
        length: usize,
        result: *mut zval,
        file_name: *const c_char,
    ) -> c_int;

    /// Sets the opcode's handler for its `opcode` and operand types.
    pub(crate) fn zend_vm_set_opcode_handler(operation: *mut _zend_op);

    /// Adds a second name to a class.
    pub(crate) fn zend_register_class_alias_ex(
        name: *const c_char,
        length: usize,
        class: *mut zend_class_entry,
        persistent: bool,
    ) -> c_int;

    /// The method lookup of ordinary objects, with visibility and `__call`.
    pub(crate) fn zend_std_get_method(
        object: *mut *mut zend_object,
        name: *mut zend_string,
        lower_name: *const zval,
    ) -> *mut zend_function;

    /// The lookup of static methods of ordinary classes.
    pub(crate) fn zend_std_get_static_method(
        class: *mut zend_class_entry,
        name: *mut zend_string,
        lower_name: *const zval,
    ) -> *mut zend_function;

    /// Writes a property from the scope of `scope`.
    pub(crate) fn zend_update_property(
        scope: *mut zend_class_entry,
        object: *mut zend_object,
        name: *const c_char,
        length: usize,
        value: *mut zval,
    );

    /// An ini setting's value as C text; null if there is no such setting.
    pub(crate) fn zend_ini_string(name: *const c_char, length: usize, original: c_int) -> *mut c_char;

    /// Lays the places of a table without elements as a list's.
    pub(crate) fn zend_hash_real_init_packed(table: *mut zend_array);

    /// Lays the places of a table without elements with room for keys.
    pub(crate) fn zend_hash_real_init_mixed(table: *mut zend_array);

    /// Sets up what the engine needs of an iterator of `foreach`, as an object of its own.
    pub(crate) fn zend_iterator_init(iterator: *mut zend_object_iterator);

    /// Makes an object without calling its constructor.
    pub(crate) fn object_init_ex(result: *mut zval, class: *mut zend_class_entry) -> c_int;

    /// Bytes that this request's allocator has given out, or (`real`) has taken from the system.
    pub(crate) fn zend_memory_usage(real: bool) -> usize;

    /// Reserves a place in every function's code; -1 if none is left.
    pub(crate) fn zend_get_resource_handle(module: *const c_char) -> c_int;

    /// Drops the exception that waits to be handled.
    pub(crate) fn zend_clear_exception();

    /// Whether what waits is no exception but the way out of an `exit()`.
    pub(crate) fn zend_is_unwind_exit(object: *const zend_object) -> bool;

    /// Whether what waits is no exception but the end of a fiber that is destroyed.
    pub(crate) fn zend_is_graceful_exit(object: *const zend_object) -> bool;

    /// `\RuntimeException`.
    pub(crate) static mut spl_ce_RuntimeException: *mut zend_class_entry;
}
