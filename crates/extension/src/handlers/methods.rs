//! Methods that PHP's class does not declare: `__getattr__`, instance attributes that are functions, and names that
//! PHP cannot tell apart. They are looked for at the call, and are native functions with one variadic parameter.

use std::cell::RefCell;
use std::collections::HashMap;

use ext_php_rs::ffi::{
    ZEND_ACC_NEVER_CACHE, ZEND_ACC_PUBLIC, ZEND_ACC_STATIC, ZEND_ACC_VARIADIC, ZEND_RESULT_CODE_FAILURE,
    ZEND_RESULT_CODE_SUCCESS, ext_php_rs_executor_globals, zend_class_entry, zend_function, zend_hash_str_find,
    zend_internal_function, zend_object, zend_result, zend_string, zval,
};
use ext_php_rs::types::{ZendStr, Zval};
use ext_php_rs::zend::ExecuteData;
use tortoise_protocol::frame::Kind;
use tortoise_protocol::request::Question;

use super::to_array;
use crate::engine::{
    Frame, exception_is_pending, guard, lower_case, running_this, text_of, user_method, zend_std_get_closure,
    zend_std_get_method, zend_std_get_static_method,
};
use crate::error::BridgeError;
use crate::link::{self, Session};
use crate::native::{self, Native};
use crate::proxy::{is_callable, is_to_be_made, target};
use crate::throw::throw;
use crate::{calls, classes, observers, values};

/// The native functions that all dynamic methods are copies of, by their lower-case names.
const TEMPLATE: &str = "tortoise\\bridge\\dynamic";

/// The name under which an object is called itself.
const INVOKE: &str = "__invoke";

type Key = (*mut zend_class_entry, bool, Vec<u8>);

thread_local! {
    /// The dynamic methods of this request. The engine holds their addresses until the request is over.
    static DYNAMIC: RefCell<HashMap<Key, Box<zend_internal_function>>> = RefCell::new(HashMap::new());
}

/// Forgets the dynamic methods, when nothing of the request can run any more.
pub(crate) fn forget_dynamic() {
    DYNAMIC.with_borrow_mut(|dynamic| {
        for function in dynamic.values() {
            // SAFETY: the name was made persistent in `dynamic_function`, and this is its only owner.
            drop(unsafe { ext_php_rs::boxed::ZBox::<ZendStr>::from_raw(function.function_name) });
        }
        dynamic.clear();
    });
}

/// The engine asks for a method of a proxy.
pub(super) unsafe extern "C" fn get(
    object: *mut *mut zend_object,
    name: *mut zend_string,
    lower_name: *const zval,
) -> *mut zend_function {
    // SAFETY: the engine passes a live proxy and a name.
    unsafe {
        let class = (**object).ce;
        guard(std::ptr::null_mut(), || {
            let Some(text) = text_of(name) else { return zend_std_get_method(object, name, lower_name) };
            let is_declared = is_declared(class, text);
            // A function or a module may have one of its own, which no class of PHP's shows.
            if text == to_array::NAME && std::ptr::eq(class, native::class(Native::PyObject)) {
                let found = find(class, target(&**object), text, false);
                let is_answer = !found.is_null() || exception_is_pending();
                return if is_answer { found } else { zend_std_get_method(object, name, lower_name) };
            }
            let is_php = is_declared || !(*class).__call.is_null();
            if is_php && !(is_declared && classes::undeclared(class, text).is_some_and(|method| !method.is_protocol)) {
                return zend_std_get_method(object, name, lower_name);
            }
            if text.eq_ignore_ascii_case(INVOKE) && is_callable(&**object) {
                return dynamic_function(class, INVOKE, false);
            }
            find(class, target(&**object), text, false)
        })
    }
}

/// The engine asks for a static method of a synthesized class.
pub(crate) unsafe extern "C" fn get_static(class: *mut zend_class_entry, name: *mut zend_string) -> *mut zend_function {
    // SAFETY: the engine passes a live class and a name.
    unsafe {
        guard(std::ptr::null_mut(), || {
            let Some(text) = text_of(name) else { return std::ptr::null_mut() };
            let is_declared = is_declared(class, text);
            match classes::undeclared(class, text).filter(|_| is_declared) {
                // Of `parent::` the engine asks for an object, as it does for every method that is not static.
                Some(method) if !method.is_static => dynamic_function(class, text, false),
                None if is_declared || !(*class).__callstatic.is_null() => {
                    zend_std_get_static_method(class, name, std::ptr::null())
                }
                _ => {
                    // Of `parent::` the engine asks for an object where the method is not static.
                    let is_parents = running_this()
                        .is_some_and(|this| this.ce != class && classes::generated_above(this.ce, class).is_some());
                    find(class, classes::target_of(class), text, !is_parents)
                }
            }
        })
    }
}

pub(super) fn is_declared(class: *mut zend_class_entry, name: &str) -> bool {
    let lower = lower_case(name.as_bytes());
    // SAFETY: the class is live; its functions are keyed by lower-case names.
    unsafe { !zend_hash_str_find(&raw const (*class).function_table, lower.as_ptr().cast(), lower.len()).is_null() }
}

/// The dynamic method of that name, if Python has something callable there. Null, as the engine expects, if not.
pub(super) fn find(
    class: *mut zend_class_entry,
    target: Result<(u64, u32), BridgeError>,
    name: &str,
    is_static: bool,
) -> *mut zend_function {
    let answer = target.and_then(|(id, generation)| {
        let reply = link::exchange(Session::Of(generation), Kind::Has, Kind::Value, |writer| {
            writer.unsigned(id);
            values::write_name(writer, name)?;
            writer.unsigned(Question::IsCallable as u64);
            Ok(())
        })?;
        link::read_boolean(&reply)
    });
    match answer {
        Ok(true) => dynamic_function(class, name, is_static),
        Ok(false) => std::ptr::null_mut(),
        Err(error) => {
            throw(error);
            std::ptr::null_mut()
        }
    }
}

fn dynamic_function(class: *mut zend_class_entry, name: &str, is_static: bool) -> *mut zend_function {
    DYNAMIC.with_borrow_mut(|dynamic| {
        let key = (class, is_static, name.as_bytes().to_vec());
        let function = dynamic.entry(key).or_insert_with(|| {
            let mut function = Box::new(template(if is_static { "_static" } else { "_method" }));
            function.function_name = ZendStr::new(name, true).into_raw();
            function.scope = class;
            function.fn_flags = ZEND_ACC_PUBLIC | ZEND_ACC_VARIADIC | ZEND_ACC_NEVER_CACHE;
            if is_static {
                function.fn_flags |= ZEND_ACC_STATIC;
            }
            function
        });
        std::ptr::from_mut::<zend_internal_function>(function).cast()
    })
}

/// The native function that the module declares for dynamic methods.
fn template(kind: &str) -> zend_internal_function {
    let name = format!("{TEMPLATE}{kind}");
    // SAFETY: the module declares the function when it starts, and it stays for the life of the process.
    unsafe {
        let table = (*ext_php_rs_executor_globals()).function_table;
        let found = zend_hash_str_find(table, name.as_ptr().cast(), name.len());
        (*(*found).value.func).internal_function
    }
}

/// Runs a dynamic method.
pub(crate) extern "C" fn dynamic_method(data: &mut ExecuteData, result: &mut Zval) {
    observers::watched(data, result, run_method);
}

extern "C" fn run_method(data: &mut ExecuteData, result: &mut Zval) {
    guard((), || {
        // SAFETY: the engine passes the frame of this very call.
        let frame = unsafe { Frame::new(data) };
        // By its full name it is a plain function, even if a closure binds an object to it.
        let Some(object) = frame.this().filter(|_| frame.is_method()) else {
            return throw(BridgeError::not_generated());
        };
        let name = match std::str::from_utf8(frame.function_name()) {
            // The object itself is called.
            Ok(INVOKE) => "",
            Ok(name) => name,
            Err(_) => return,
        };
        calls::call_with_native_arguments(frame, object.ce, target(object), name, result);
    });
}

/// Runs a dynamic static method.
pub(crate) extern "C" fn dynamic_static_method(data: &mut ExecuteData, result: &mut Zval) {
    observers::watched(data, result, run_static_method);
}

extern "C" fn run_static_method(data: &mut ExecuteData, result: &mut Zval) {
    guard((), || {
        // SAFETY: the engine passes the frame of this very call.
        let frame = unsafe { Frame::new(data) };
        let Ok(name) = std::str::from_utf8(frame.function_name()) else { return };
        if !frame.is_method() {
            return throw(BridgeError::not_generated());
        }
        let class = frame.called_class();
        calls::call_with_native_arguments(frame, class, classes::target_of(class), name, result);
    });
}

/// The engine asks whether an object can be called, and by which function.
pub(super) unsafe extern "C" fn closure(
    object: *mut zend_object,
    class: *mut *mut zend_class_entry,
    function: *mut *mut zend_function,
    this: *mut *mut zend_object,
    check_only: bool,
) -> zend_result {
    guard(ZEND_RESULT_CODE_FAILURE, || {
        // SAFETY: the engine passes a live proxy and places for the answer.
        unsafe {
            if user_method((*object).ce, INVOKE).is_some() {
                return zend_std_get_closure(object, class, function, this, check_only);
            }
            if is_to_be_made(&*object)
                && let Err(error) = target(&*object)
            {
                throw(error);
                return ZEND_RESULT_CODE_FAILURE;
            }
            if !is_callable(&*object) {
                return ZEND_RESULT_CODE_FAILURE;
            }
            class.write((*object).ce);
            function.write(dynamic_function((*object).ce, INVOKE, false));
            if !this.is_null() {
                this.write(object);
            }
        }
        ZEND_RESULT_CODE_SUCCESS
    })
}
