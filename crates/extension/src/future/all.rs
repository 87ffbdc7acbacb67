//! `Future::all()`: the values of many futures.

use ext_php_rs::ffi::{instanceof_function_slow, zend_ce_traversable};
use ext_php_rs::types::Zval;
use ext_php_rs::zend::{ExecuteData, Function};

use super::{future_in, value_of};
use crate::engine::{
    Frame, Key, NewKey, NewString, NewTable, View, elements, exception_is_pending, guard, make, packed_elements, view,
};
use crate::error::BridgeError;
use crate::throw::throw_from;

/// `all(iterable $futures): array`
pub(super) extern "C" fn all(data: &mut ExecuteData, result: &mut Zval) {
    guard((), || {
        // SAFETY: the engine passes the frame of this very call, of a native function.
        let (frame, arguments) = unsafe {
            let frame = Frame::new(data);
            (frame, frame.native_arguments().surplus)
        };
        match values_of(frame, arguments) {
            Ok(value) => *result = value,
            Err(error) => throw_from(frame, error),
        }
    });
}

fn values_of(frame: Frame<'_>, arguments: &[Zval]) -> Result<Zval, BridgeError> {
    let futures = futures_in("all", arguments)?;
    let View::Array(array) = view(&futures) else { return Err(not_iterable("all")) };
    // SAFETY: an array with two holders is not changed.
    let entries = || unsafe { elements(array) };
    let count = array.nNumOfElements as usize;
    let is_list = packed_elements(array).is_some();
    let mut table = if is_list { NewTable::list(count)? } else { NewTable::map(count)? };
    for (key, value) in entries() {
        let value = future_in(value).and_then(|future| value_of(frame, future)).ok_or(BridgeError::Pending)?;
        let key = match key {
            _ if is_list => {
                table.push(|slot| Ok::<_, BridgeError>(slot.value(value)))?;
                continue;
            }
            Key::Index(index) => NewKey::Index(index),
            Key::Name(name) => NewKey::Name(NewString::copy(name)?),
        };
        table.set(&key, |slot| Ok::<_, BridgeError>(slot.value(value)))?;
    }
    make(|slot| Ok(slot.table(table)))
}

/// The array of futures that the method of this name was given, which nobody changes: what runs while they are awaited may
/// change the caller's.
pub(super) fn futures_in(method: &str, arguments: &[Zval]) -> Result<Zval, BridgeError> {
    let [argument] = arguments else {
        return Err(BridgeError::ArgumentCount(format!(
            "Tortoise\\Future::{method}() expects exactly 1 argument, {} given",
            arguments.len()
        )));
    };
    let futures = array_of(method, argument.dereference())?;
    let View::Array(array) = view(&futures) else { return Err(not_iterable(method)) };
    // SAFETY: an array with two holders is not changed.
    let wrong = unsafe { elements(array) }.position(|(_, value)| future_in(value).is_none());
    match wrong {
        Some(at) => Err(BridgeError::Type(format!(
            "Tortoise\\Future::{method}(): element {at} of $futures is not a Tortoise\\Future"
        ))),
        None => Ok(futures),
    }
}

pub(super) fn not_iterable(method: &str) -> BridgeError {
    BridgeError::Type(format!("Tortoise\\Future::{method}(): Argument #1 ($futures) must be of type iterable"))
}

/// An iterable's elements with their keys.
fn array_of(method: &str, iterable: &Zval) -> Result<Zval, BridgeError> {
    match view(iterable) {
        View::Array(_) => Ok(iterable.shallow_clone()),
        // SAFETY: both classes are live.
        View::Object(object) if unsafe { instanceof_function_slow(object.ce, zend_ce_traversable) } => {
            let function = Function::try_from_function("iterator_to_array").ok_or_else(|| not_iterable(method))?;
            let array = function.try_call(vec![iterable, &true]);
            match array {
                Ok(array) if !exception_is_pending() => Ok(array),
                _ => Err(BridgeError::Pending),
            }
        }
        _ => Err(not_iterable(method)),
    }
}
