//! What `Tortoise\observe()` does: tells PHP code of each call of a Python method, when it begins and when it ends.

use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;

use ext_php_rs::ffi::{_call_user_function_impl, zend_class_entry, zend_is_callable, zval};
use ext_php_rs::types::{ZendStr, Zval};
use ext_php_rs::zend::ExecuteData;

use crate::classes;
use crate::engine::{Frame, class_name, closure_of, exception_is_pending, guard, is_leaving, rethrow, take_exception};
use crate::error::BridgeError;
use crate::throw::throw;

/// A native function that PHP calls.
pub(crate) type Handler = extern "C" fn(&mut ExecuteData, &mut Zval);

/// What PHP code wants to be told by: closures.
struct Observers {
    begin: Zval,
    /// Null: it does not want to know.
    end: Zval,
}

thread_local! {
    /// Whether calls are told of now: all that a call looks at where there are no observers.
    static WATCHING: Cell<bool> = const { Cell::new(false) };
    /// Observers that run now. Their own calls are not told of.
    static RUNNING: Cell<u32> = const { Cell::new(0) };
    static OBSERVERS: RefCell<Option<Observers>> = const { RefCell::new(None) };
}

/// Makes a call by `run`, and tells observers if there are any.
#[inline]
pub(crate) fn watched(data: &mut ExecuteData, result: &mut Zval, run: Handler) {
    if are_watching() { tell(data, result, run) } else { run(data, result) }
}

/// Whether this call is to be made through [`tell`], if it is one of a method.
#[inline]
pub(crate) fn are_watching() -> bool {
    WATCHING.get()
}

/// Forgets the observers, when the request's code is over.
pub(crate) fn end_request() {
    RUNNING.set(0);
    set(None);
}

/// Nothing of the request is left, so what came behind [`end_request`] is not freed any more.
pub(crate) fn forget_all() {
    WATCHING.set(false);
    std::mem::forget(OBSERVERS.replace(None));
}

fn set(observers: Option<Observers>) {
    // Closures can be the last to hold an object whose destructor calls this again.
    let before = OBSERVERS.replace(observers);
    look();
    drop(before);
}

fn look() {
    WATCHING.set(RUNNING.get() == 0 && OBSERVERS.with_borrow(Option::is_some));
}

/// `Tortoise\observe(?callable $begin, ?callable $end = null): void` tells them of calls in the rest of this request.
pub(crate) extern "C" fn observe(data: &mut ExecuteData, _result: &mut Zval) {
    guard((), || {
        // SAFETY: the engine passes the frame of this very call, of a native function.
        let arguments = unsafe { Frame::new(data).native_arguments().surplus };
        match observers_of(arguments) {
            Ok(observers) => set(observers),
            Err(error) => throw(error),
        }
    });
}

fn observers_of(arguments: &[Zval]) -> Result<Option<Observers>, BridgeError> {
    let null = Zval::null();
    let (begin, end) = match arguments {
        [begin] => (begin, &null),
        [begin, end] => (begin, end),
        _ => {
            let count = arguments.len();
            return Err(BridgeError::ArgumentCount(format!(
                "Tortoise\\observe() takes 1 or 2 arguments, {count} given"
            )));
        }
    };
    let is_null = |value: &Zval| value.dereference().is_null();
    for (value, name) in [(begin, "#1 ($begin)"), (end, "#2 ($end)")] {
        // SAFETY: the argument is live, and is only looked at.
        let is_callable = || unsafe { zend_is_callable(std::ptr::from_ref(value).cast_mut(), 0, std::ptr::null_mut()) };
        if !is_null(value) && !is_callable() {
            return Err(BridgeError::Type(format!("Tortoise\\observe(): Argument {name} must be of type ?callable")));
        }
    }
    if is_null(begin) {
        return if is_null(end) {
            Ok(None)
        } else {
            Err(BridgeError::Access(
                "Tortoise\\observe(): $end has no $begin; give both, or null alone to observe no more".to_owned(),
            ))
        };
    }
    // Who observes may call what this caller may call.
    let closure = |value: &Zval| closure_of(value.dereference()).map_err(|_| BridgeError::Pending);
    let begin = closure(begin)?;
    let end = if is_null(end) { Zval::null() } else { closure(end)? };
    Ok(Some(Observers { begin, end }))
}

/// Makes a call by `run`, and tells the observers.
///
/// Nothing in this frame must be dropped while PHP code runs: a fatal error there jumps over it. What it holds is freed
/// with the request then.
#[cold]
#[inline(never)]
pub(crate) fn tell(data: &mut ExecuteData, result: &mut Zval, run: Handler) {
    let Some(call) = guard(None, || prepare(data)) else {
        if !exception_is_pending() {
            run(data, result);
        }
        return;
    };
    let Observers { begin, end } = &call.observers;
    let token = ManuallyDrop::new(call_observer(begin, &call.names));
    if exception_is_pending() {
        guard((), || drop((ManuallyDrop::into_inner(call), ManuallyDrop::into_inner(token))));
        return;
    }
    run(data, result);
    // PHP goes on leaving, whoever would want to know.
    if end.is_null() || is_leaving() {
        guard((), || drop((ManuallyDrop::into_inner(call), ManuallyDrop::into_inner(token))));
        return;
    }
    let exception = ManuallyDrop::new(take_exception());
    let mut failed = Zval::new();
    failed.set_bool(exception.is_some());
    let arguments = ManuallyDrop::new([ManuallyDrop::into_inner(token), failed]);
    let returned = ManuallyDrop::new(call_observer(end, &arguments));
    guard((), || {
        conclude(ManuallyDrop::into_inner(exception), result);
        drop((ManuallyDrop::into_inner(call), ManuallyDrop::into_inner(arguments), ManuallyDrop::into_inner(returned)));
    });
}

/// A call that is told of, and by what. Observers that change meanwhile are for the next one.
struct Call {
    observers: Observers,
    /// Those of the class and of the method.
    names: [Zval; 2],
}

/// None: nobody observes, or it is no call of a method, which whoever runs it says.
fn prepare(data: &ExecuteData) -> Option<ManuallyDrop<Call>> {
    // SAFETY: the engine passes the frame of this very call.
    let (class, name) = method_in(unsafe { Frame::new(data) })?;
    let observers = OBSERVERS.with_borrow(|observers| {
        let Observers { begin, end } = observers.as_ref()?;
        Some(Observers { begin: begin.shallow_clone(), end: end.shallow_clone() })
    })?;
    // SAFETY: a method was called on a live object, or a live class.
    let class = unsafe { class_name(class.as_ref()?) };
    let text = |text: &[u8]| {
        let mut value = Zval::new();
        value.set_zend_string(ZendStr::new(text, false));
        value
    };
    Some(ManuallyDrop::new(Call { observers, names: [text(class.as_bytes()), text(name)] }))
}

/// The method that PHP code called: one that is native itself, or a generated one, whose body calls a native function.
fn method_in(frame: Frame<'_>) -> Option<(*mut zend_class_entry, &[u8])> {
    let called = if frame.is_method() {
        frame
    } else {
        let (caller, code) = frame.caller()?;
        classes::method_of(code)?;
        caller
    };
    Some((called.called_class(), called.function_name()))
}

/// Calls an observer; gives what it returned. What it throws waits then.
fn call_observer(observer: &Zval, arguments: &[Zval; 2]) -> Zval {
    RUNNING.set(RUNNING.get() + 1);
    WATCHING.set(false);
    let mut returned = ManuallyDrop::new(Zval::null());
    // SAFETY: the observer is a closure, and all are live; the engine takes counts of its own of the arguments.
    unsafe {
        let returned: *mut zval = &raw mut *returned;
        _call_user_function_impl(
            std::ptr::null_mut(),
            std::ptr::from_ref(observer).cast_mut(),
            returned,
            arguments.len() as u32,
            arguments.as_ptr().cast_mut(),
            std::ptr::null_mut(),
        );
    }
    RUNNING.set(RUNNING.get() - 1);
    look();
    let returned = ManuallyDrop::into_inner(returned);
    // What threw has returned nothing, not even null.
    // SAFETY: the word of flags is always the union's whole.
    let is_nothing = unsafe { returned.u1.type_info } == 0;
    if is_nothing { Zval::null() } else { returned }
}

/// Throws on what the call threw; with what the observer of its end threw in front of it.
fn conclude(exception: Option<Zval>, result: &mut Zval) {
    if exception_is_pending() {
        *result = Zval::null();
    }
    let Some(exception) = exception else { return };
    if is_leaving() {
        return;
    }
    let newer = take_exception();
    rethrow(exception);
    if let Some(newer) = newer {
        rethrow(newer);
    }
}
