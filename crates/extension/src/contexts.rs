//! What `Tortoise\with()` does: enters a Python context manager, calls PHP, and leaves it whatever PHP did.

use std::mem::ManuallyDrop;

use ext_php_rs::ffi::{_call_user_function_impl, zend_is_callable, zend_object, zval};
use ext_php_rs::types::Zval;
use ext_php_rs::zend::ExecuteData;
use tortoise_protocol::frame::Kind;
use tortoise_protocol::thrown::Thrown;
use tortoise_protocol::{Reader, Writer};

use crate::engine::{Frame, guard, is_leaving, object_of, rethrow, take_exception};
use crate::error::BridgeError;
use crate::link::{self, Reply, Session};
use crate::throw::throw;
use crate::{objects, proxy, raised, thrown, values};

/// What a PHP exception is to Python where Python gives it back: [`thrown`] made it.
const PHP_EXCEPTION: &str = "tortoise_worker.errors.PhpException";

/// A context that the session entered.
#[derive(Clone, Copy)]
struct Context {
    number: u64,
    generation: u32,
}

/// `Tortoise\with(PyObject $manager, callable $body): mixed` gives what the body returns, which is passed what
/// `__enter__` gave; null if `__exit__` took the body's exception upon itself.
///
/// Nothing in this frame must be dropped while the body runs: a fatal error there jumps over it. The session then leaves
/// the context when the request ends.
pub(crate) extern "C" fn with(data: &mut ExecuteData, result: &mut Zval) {
    // SAFETY: the engine passes the frame of this very call, of a native function; its arguments stay there until it ends.
    let arguments = unsafe { Frame::new(data).native_arguments().surplus };
    let Some((context, mut value)) = guard(None, || enter(arguments)) else { return };
    let mut returned = ManuallyDrop::new(Zval::new());
    let body = std::ptr::from_ref(&arguments[1]).cast_mut();
    // SAFETY: the body was found to be callable, and all are live; the engine takes a count of the value of its own.
    unsafe {
        let returned: *mut zval = &raw mut *returned;
        _call_user_function_impl(std::ptr::null_mut(), body, returned, 1, &raw mut *value, std::ptr::null_mut());
    }
    guard((), || {
        drop(ManuallyDrop::into_inner(value));
        leave(context, ManuallyDrop::into_inner(returned), result);
    });
}

/// Enters the context; None if that throws.
fn enter(arguments: &[Zval]) -> Option<(Context, ManuallyDrop<Zval>)> {
    let reply = match try_enter(arguments) {
        Ok(reply) => reply,
        Err(error) => {
            throw(error);
            return None;
        }
    };
    let mut reader = Reader::new(reply.payload());
    let number = reply.judge(reader.array("a context", 2).and_then(|_| reader.unsigned("the number of a context")));
    let context = match number {
        Ok(number) => Context { number, generation: reply.generation },
        Err(error) => {
            throw(error);
            return None;
        }
    };
    let value =
        values::read_reply(&reply).map(|pair| pair.array().and_then(|pair| pair.get_index(1)).map(Zval::shallow_clone));
    match value {
        Ok(value) => Some((context, ManuallyDrop::new(value.unwrap_or_else(Zval::null)))),
        Err(error) => {
            throw(error);
            leave(context, Zval::null(), &mut Zval::null());
            None
        }
    }
}

fn try_enter(arguments: &[Zval]) -> Result<Reply, BridgeError> {
    let [manager, body] = arguments else {
        let count = arguments.len();
        return Err(BridgeError::ArgumentCount(format!("Tortoise\\with() takes exactly 2 arguments, {count} given")));
    };
    let wrong = |what| Err(BridgeError::Type(format!("Tortoise\\with(): {what}")));
    let Some(manager) = object_of(manager.dereference()).filter(|manager| proxy::id_to_send(manager).is_some()) else {
        return wrong("Argument #1 ($manager) must be of type Tortoise\\PyObject");
    };
    // SAFETY: the argument is live, and is only looked at.
    if !unsafe { zend_is_callable(std::ptr::from_ref(body).cast_mut(), 0, std::ptr::null_mut()) } {
        return wrong("Argument #2 ($body) must be of type callable");
    }
    let (id, generation) = proxy::target(manager)?;
    link::exchange(Session::Of(generation), Kind::Enter, Kind::Value, |writer| {
        writer.unsigned(id);
        Ok(())
    })
}

/// Leaves the context with the exception that waits, if one does, and gives PHP what comes of it.
fn leave(context: Context, returned: Zval, result: &mut Zval) {
    if is_leaving() {
        // PHP goes on leaving, whatever Python says to it.
        let _ = exit(context, |writer| Thrown::Left.write(writer));
        return;
    }
    let Some(exception) = take_exception() else {
        match exit(context, |writer| Thrown::Nothing.write(writer)) {
            // A body may return a reference, which is not what this function declares.
            Ok(_) if returned.is_reference() => *result = returned.dereference().shallow_clone(),
            Ok(_) => *result = returned,
            Err(error) => throw(error),
        }
        return;
    };
    let Some(object) = object_of(&exception) else { return };
    match exit(context, |writer| thrown::write(writer, object)) {
        // Swallowed: the result stays null.
        Ok(true) => {}
        Ok(false) => rethrow(exception),
        Err(BridgeError::Leaving) => {}
        Err(error) => match behind(error, object) {
            After::Only(error) => throw(error),
            After::Before(error) => {
                throw(error);
                let newer = take_exception();
                rethrow(exception);
                if let Some(newer) = newer {
                    rethrow(newer);
                }
            }
            After::Nothing => rethrow(exception),
        },
    }
}

/// Whether the manager took the exception upon itself.
fn exit(context: Context, write: impl Fn(&mut Writer<'_>)) -> Result<bool, BridgeError> {
    let reply = link::exchange(Session::Of(context.generation), Kind::Exit, Kind::Value, |writer| {
        writer.unsigned(context.number);
        write(writer);
        Ok(())
    })?;
    link::read_boolean(&reply)
}

/// What is thrown when leaving fails while an exception waits.
enum After {
    /// The new error, without the exception.
    Only(BridgeError),
    /// The new error, with the exception as what came before it.
    Before(BridgeError),
    /// The exception alone.
    Nothing,
}

/// What a failed `__exit__` means for the exception that it was told of.
fn behind(error: BridgeError, exception: &zend_object) -> After {
    match error {
        // The session was lost in the body, and the context with it: the exception says more.
        BridgeError::Stale(_) => After::Nothing,
        BridgeError::Remote(mut failure) if !failure.exceptions.is_empty() => {
            let id = raised::id_to_send(exception).and_then(Result::ok);
            let is_same = |raised: &tortoise_protocol::failure::RaisedException| match id {
                Some(id) => raised.object.id == id,
                None => raised.class_name == PHP_EXCEPTION,
            };
            match failure.exceptions.iter().position(is_same) {
                // Python chains them, or not (`raise … from None`). Where it does, PHP's own object stands for its end.
                Some(at) => {
                    // What is not shown was handed out all the same.
                    failure.exceptions.drain(at..).for_each(|raised| objects::release_id(raised.object.id));
                    if at == 0 { After::Nothing } else { After::Before(BridgeError::Remote(failure)) }
                }
                None => After::Only(BridgeError::Remote(failure)),
            }
        }
        error => After::Before(error),
    }
}
