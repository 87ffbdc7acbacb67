//! Functions and variables of the engine that ext-php-rs does not bind.

use std::ffi::{c_char, c_int, c_void};

use ext_php_rs::ffi::{
    _zend_op, zend_array, zend_class_entry, zend_fcall_info, zend_fcall_info_cache, zend_function, zend_long,
    zend_object, zend_object_iterator, zend_prop_purpose, zend_property_info, zend_result, zend_string, zval,
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

    /// Runs an object's destructor, if its class has one.
    pub(crate) fn zend_objects_destroy_object(object: *mut zend_object);

    /// Works out those defaults of a class that are expressions. Failure: an exception is pending.
    pub(crate) fn zend_update_class_constants(class: *mut zend_class_entry) -> zend_result;

    /// By which function an ordinary object is called: its `__invoke`, if it has one.
    pub(crate) fn zend_std_get_closure(
        object: *mut zend_object,
        class: *mut *mut zend_class_entry,
        function: *mut *mut zend_function,
        this: *mut *mut zend_object,
        check_only: bool,
    ) -> zend_result;

    /// `$o[k]` of ordinary objects: `ArrayAccess`, or an error.
    pub(crate) fn zend_std_read_dimension(
        object: *mut zend_object,
        offset: *mut zval,
        purpose: c_int,
        result: *mut zval,
    ) -> *mut zval;

    /// `$o[k] = v` of ordinary objects.
    pub(crate) fn zend_std_write_dimension(object: *mut zend_object, offset: *mut zval, value: *mut zval);

    /// `isset($o[k])` and `empty($o[k])` of ordinary objects.
    pub(crate) fn zend_std_has_dimension(object: *mut zend_object, offset: *mut zval, check_empty: c_int) -> c_int;

    /// `unset($o[k])` of ordinary objects.
    pub(crate) fn zend_std_unset_dimension(object: *mut zend_object, offset: *mut zval);

    /// Casts of ordinary objects: `__toString`, and true.
    pub(crate) fn zend_std_cast_object_tostring(
        object: *mut zend_object,
        result: *mut zval,
        kind: c_int,
    ) -> zend_result;

    /// What dumps and exports see of ordinary objects. The caller owns one count of the table.
    pub(crate) fn zend_std_get_properties_for(object: *mut zend_object, purpose: zend_prop_purpose) -> *mut zend_array;

    /// How `foreach` gets the iterator of an object whose class has a `getIterator` in PHP.
    pub(crate) fn zend_user_it_get_new_iterator(
        class: *mut zend_class_entry,
        object: *mut zval,
        by_reference: c_int,
    ) -> *mut zend_object_iterator;

    /// An `\InternalIterator` over an object. The class that declares the running method says how it is iterated.
    pub(crate) fn zend_create_internal_iterator_zval(result: *mut zval, object: *mut zval) -> zend_result;

    /// Adds an element, unless the key is there: null then.
    pub(crate) fn zend_hash_str_add(
        table: *mut zend_array,
        key: *const c_char,
        length: usize,
        value: *mut zval,
    ) -> *mut zval;

    /// Decodes JSON; what is wrong with it is left in `JSON_G`, unless the options ask for an exception.
    pub(crate) fn php_json_decode_ex(
        result: *mut zval,
        text: *const c_char,
        length: usize,
        options: zend_long,
        depth: zend_long,
    ) -> zend_result;

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

    /// The source of an expression's tree, between two texts.
    pub(crate) fn zend_ast_export(prefix: *const c_char, tree: *mut c_void, suffix: *const c_char) -> *mut zend_string;

    /// Reserves a place in every function's code; -1 if none is left.
    pub(crate) fn zend_get_resource_handle(module: *const c_char) -> c_int;

    /// Sends PHP code to its handler, given null and an exception that waits.
    pub(crate) fn zend_throw_exception_internal(exception: *mut zend_object);

    /// Drops the exception that waits to be handled.
    pub(crate) fn zend_clear_exception();

    /// Whether what waits is no exception but the way out of an `exit()`.
    pub(crate) fn zend_is_unwind_exit(object: *const zend_object) -> bool;

    /// Whether what waits is no exception but the end of a fiber that is destroyed.
    pub(crate) fn zend_is_graceful_exit(object: *const zend_object) -> bool;

    /// Writes a line to PHP's error log, with a severity of syslog(3).
    pub(crate) fn php_log_err_with_severity(message: *const c_char, severity: c_int);

    /// Calls a function; what it throws is pending afterwards.
    pub(crate) fn zend_call_function(call: *mut zend_fcall_info, function: *mut zend_fcall_info_cache) -> zend_result;

    /// What a class says of a property, for the scope that asks: null for none, all bits for one that the scope may not see.
    pub(crate) fn zend_get_property_info(
        class: *mut zend_class_entry,
        name: *mut zend_string,
        is_silent: c_int,
    ) -> *mut zend_property_info;

    /// `==` and `<`: 0 where both are equal.
    pub(crate) fn zend_compare(one: *mut zval, other: *mut zval) -> c_int;

    /// `\Closure`.
    pub(crate) static mut zend_ce_closure: *mut zend_class_entry;

    /// `\RuntimeException`.
    pub(crate) static mut spl_ce_RuntimeException: *mut zend_class_entry;
}
