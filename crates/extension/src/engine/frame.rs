//! Reads the arguments of a call straight from its frame, so that nothing is copied before it is on the wire.

use std::ffi::c_void;

use ext_php_rs::ffi::{
    _zend_execute_data, ZEND_INTERNAL_FUNCTION, ext_php_rs_executor_globals, zend_array, zend_class_entry, zend_object,
    zend_op_array, zval,
};
use ext_php_rs::types::Zval;

use super::ffi::{zend_create_internal_iterator_zval, zend_user_it_get_new_iterator};
use super::reading::object_of;

/// Zvals that a frame's head takes (the engine's `ZEND_CALL_FRAME_SLOT`).
pub(super) const FRAME_SLOT: usize = size_of::<_zend_execute_data>().div_ceil(size_of::<zval>());

/// A call in progress.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'a> {
    data: &'a _zend_execute_data,
}

/// The arguments of a call as the engine laid them down.
#[derive(Clone, Copy)]
pub(crate) struct Arguments<'a> {
    /// Arguments that the callee declares, as far as they were passed. One that was left out between others holds
    /// its default.
    pub(crate) positional: &'a [Zval],
    /// Arguments beyond those that the callee declares.
    pub(crate) surplus: &'a [Zval],
    /// What the callee's variadic parameter collected: a list, then names.
    pub(crate) collected: Option<&'a zend_array>,
    /// Whether the engine filled in defaults between those that were passed, because some were passed by name.
    pub(crate) has_filled_in: bool,
}

impl<'a> Frame<'a> {
    /// The frame of a running call.
    ///
    /// # Safety
    /// `data` is the frame that the engine passed to a native function, or one below it, and stays on its stack for `'a`.
    pub(crate) const unsafe fn new(data: &'a _zend_execute_data) -> Self {
        Self { data }
    }

    /// By which [`frames_in_progress`] tells it, and the function that runs in it.
    pub(crate) fn place(self) -> (*const c_void, *const c_void) {
        (std::ptr::from_ref(self.data).cast(), self.data.func.cast_const().cast())
    }

    /// The frame that called this one, if it runs PHP code.
    pub(crate) fn caller(self) -> Option<(Self, &'a zend_op_array)> {
        // SAFETY: the engine's chain of frames is intact while this one runs; a user function's union member is op_array.
        unsafe {
            let caller = self.data.prev_execute_data.as_ref()?;
            let function = caller.func.as_ref()?;
            let is_user = u32::from(function.type_) == ext_php_rs::ffi::ZEND_USER_FUNCTION;
            is_user.then_some((Self { data: caller }, &function.op_array))
        }
    }

    /// File and line of the PHP code that made the call, however many native functions stand between.
    pub(crate) fn place_of_call(self) -> Option<(&'a [u8], u32)> {
        let mut data = self.data;
        loop {
            // SAFETY: the engine's chain of frames is intact while this one runs; a user function's frame stands at
            // one of its opcodes, and its code has a file name.
            unsafe {
                data = data.prev_execute_data.as_ref()?;
                let function = data.func.as_ref();
                let user = function.filter(|function| u32::from(function.type_) != ZEND_INTERNAL_FUNCTION);
                if let Some(user) = user {
                    return Some((super::bytes_of(user.op_array.filename), (*data.opline).lineno));
                }
            }
        }
    }

    /// The name of the native function that runs in this frame.
    pub(crate) fn function_name(self) -> &'a [u8] {
        // SAFETY: a running frame has a function, and a function that is called by name has one.
        unsafe { super::bytes_of((*self.data.func).common.function_name) }
    }

    /// Whether the function that runs in this frame is a class's.
    pub(crate) fn is_method(self) -> bool {
        // SAFETY: a running frame has a function.
        unsafe { !(*self.data.func).common.scope.is_null() }
    }

    /// The class that declares the function that runs in this frame; null if it is none's.
    pub(crate) fn scope(self) -> *mut zend_class_entry {
        // SAFETY: a running frame has a function.
        unsafe { (*self.data.func).common.scope }
    }

    /// `$this`, unless the method is static.
    pub(crate) fn this(self) -> Option<&'a mut zend_object> {
        object_of(&self.data.This)
    }

    /// The slot that holds `$this`, if the frame has one.
    pub(crate) fn this_value(self) -> &'a Zval {
        &self.data.This
    }

    /// The class that a static method was called on.
    pub(crate) fn called_class(self) -> *mut zend_class_entry {
        match self.this() {
            Some(object) => object.ce,
            // SAFETY: without `$this` the slot holds the called scope, or null.
            None => unsafe { self.data.This.value.ce },
        }
    }

    /// An `\InternalIterator` over `object`, whose method runs in this frame. None if that method's class leaves
    /// iteration to `getIterator` in PHP, or an exception is pending.
    pub(crate) fn iterator_over(self, object: &mut zend_object) -> Option<Zval> {
        let mut iterator = Zval::new();
        // SAFETY: a running method has a class. The engine asks it, through the frame on top, how its objects are iterated,
        // so this frame is on top for that long. The slot holds nothing, and the value is used by its address only.
        unsafe {
            let class = (*self.data.func).common.scope.as_ref()?;
            let by_php = zend_user_it_get_new_iterator as *const ();
            class.get_iterator.filter(|get| !std::ptr::eq(*get as *const (), by_php))?;
            let mut subject = Zval::new();
            subject.value.obj = object;
            subject.u1.type_info = ext_php_rs::ffi::IS_OBJECT_EX;
            let mut subject = std::mem::ManuallyDrop::new(subject);
            let globals = ext_php_rs_executor_globals();
            let top = (*globals).current_execute_data;
            (*globals).current_execute_data = std::ptr::from_ref(self.data).cast_mut();
            zend_create_internal_iterator_zval(&raw mut iterator, &raw mut *subject);
            (*globals).current_execute_data = top;
        }
        (!super::exception_is_pending()).then_some(iterator)
    }

    /// How many arguments were passed by position, or by the name of a declared parameter.
    pub(crate) fn passed(self) -> usize {
        // SAFETY: in a frame's `This` slot, u2 is the number of arguments.
        unsafe { self.data.This.u2.num_args as usize }
    }

    /// The arguments of a user function. `collects`: its last parameter is variadic. `always`: how many are given even if
    /// the caller left them out, because they have defaults.
    ///
    /// # Safety
    /// The frame runs `function`, and none of its opcodes after the receiving ones has run yet.
    pub(crate) unsafe fn user_arguments(
        self,
        function: &'a zend_op_array,
        collects: bool,
        always: usize,
    ) -> Arguments<'a> {
        let declared = function.num_args as usize;
        let passed = self.passed();
        // SAFETY: the engine lays parameters in the first variable slots, then the variadic one, and what was passed
        // beyond the declared ones behind all variables and temporaries.
        unsafe {
            let surplus = if passed > declared && !collects {
                let first = usize::try_from(function.last_var).unwrap_or(0) + function.T as usize;
                std::slice::from_raw_parts(self.slot(first), passed - declared)
            } else {
                &[]
            };
            let collected = if collects { (*self.slot(declared)).array_pointer() } else { None };
            Arguments {
                positional: std::slice::from_raw_parts(self.slot(0), passed.max(always).min(declared)),
                surplus,
                collected,
                has_filled_in: self.data.This.u1.type_info & MAY_HAVE_FILLED_IN != 0,
            }
        }
    }

    /// The arguments of the native function of this frame, which declares one variadic parameter.
    ///
    /// # Safety
    /// The frame runs a native function.
    pub(crate) unsafe fn native_arguments(self) -> Arguments<'a> {
        // SAFETY: a native function's arguments stand in the first slots; unknown names, if any, in the frame's table.
        unsafe {
            let has_names = self.data.This.u1.type_info & EXTRA_NAMED_PARAMETERS != 0;
            Arguments {
                positional: &[],
                surplus: std::slice::from_raw_parts(self.slot(0), self.passed()),
                collected: if has_names { self.data.extra_named_params.as_ref() } else { None },
                has_filled_in: false,
            }
        }
    }

    fn slot(self, index: usize) -> *const Zval {
        std::ptr::from_ref(self.data).cast::<Zval>().wrapping_add(FRAME_SLOT + index)
    }
}

/// The frames in progress, innermost first, each with its function. Those of a Fiber that is suspended are not among them.
pub(crate) fn frames_in_progress() -> impl Iterator<Item = (*const c_void, *const c_void)> {
    running().map(Frame::place)
}

/// The method of Python's, or the function of this extension, that PHP code called last, as `Foo_Bar::twice()`; None if it
/// did something else, as reading a property.
pub(crate) fn call_in_progress() -> Option<String> {
    // SAFETY: a frame's function is live; the frame of PHP code that is compiled or ends has none.
    let is_native = |frame: &Frame<'_>| unsafe {
        frame.data.func.as_ref().is_some_and(|function| u32::from(function.type_) == ZEND_INTERNAL_FUNCTION)
    };
    let mut frames = running();
    let mut frame = frames.next().filter(is_native)?;
    // The body of a generated method calls one of these.
    if frame.function_name().starts_with(b"Tortoise\\Bridge\\") {
        frame = frames.next().filter(|frame| is_native(frame) || frame.is_method())?;
    }
    let name = String::from_utf8_lossy(frame.function_name());
    if !frame.is_method() {
        return Some(format!("{name}()"));
    }
    // SAFETY: a method was called on a live object, or a live class.
    let class = unsafe { super::class_name(frame.called_class().as_ref()?) };
    Some(format!("{class}::{name}()"))
}

fn running() -> impl Iterator<Item = Frame<'static>> {
    // SAFETY: the engine's chain of frames is intact, and is walked before PHP goes on.
    unsafe {
        let top = (*ext_php_rs_executor_globals()).current_execute_data.as_ref();
        std::iter::successors(top, |data| data.prev_execute_data.as_ref()).map(|data| Frame { data })
    }
}

/// The engine's `ZEND_CALL_MAY_HAVE_UNDEF`: arguments passed by name left some before them out.
const MAY_HAVE_FILLED_IN: u32 = 1 << 26;

/// The engine's `ZEND_CALL_HAS_EXTRA_NAMED_PARAMS`, where a frame's call information stands in `This`.
const EXTRA_NAMED_PARAMETERS: u32 = 1 << 27;

/// Reads an array out of a zval that the borrow checker cannot tie to a table.
trait ArrayPointer {
    /// The array, if the zval holds one.
    unsafe fn array_pointer<'a>(&self) -> Option<&'a zend_array>;
}

impl ArrayPointer for Zval {
    unsafe fn array_pointer<'a>(&self) -> Option<&'a zend_array> {
        // SAFETY: the type was looked at; the frame keeps the array alive for as long as it runs.
        if self.is_array() { unsafe { self.value.arr.as_ref() } } else { None }
    }
}
