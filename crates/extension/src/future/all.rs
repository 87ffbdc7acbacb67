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
    let [argument] = arguments else {
        return Err(BridgeError::ArgumentCount(format!(
            "Tortoise\\Future::all() expects exactly 1 argument, {} given",
            arguments.len()
        )));
    };
    // A hold of our own: what runs while we wait may change the caller's array.
    let futures = array_of(argument.dereference())?;
    let View::Array(array) = view(&futures) else { return Err(not_iterable()) };
    // SAFETY: an array with two holders is not changed.
    let entries = || unsafe { elements(array) };
    if let Some((at, _)) = entries().enumerate().find(|(_, (_, value))| future_in(value).is_none()) {
        return Err(BridgeError::Type(format!(
            "Tortoise\\Future::all(): element {at} of $futures is not a Tortoise\\Future"
        )));
    }
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

fn not_iterable() -> BridgeError {
    BridgeError::Type("Tortoise\\Future::all(): Argument #1 ($futures) must be of type iterable".to_owned())
}

/// An iterable's elements with their keys.
fn array_of(iterable: &Zval) -> Result<Zval, BridgeError> {
    match view(iterable) {
        View::Array(_) => Ok(iterable.shallow_clone()),
        // SAFETY: both classes are live.
        View::Object(object) if unsafe { instanceof_function_slow(object.ce, zend_ce_traversable) } => {
            let function = Function::try_from_function("iterator_to_array").ok_or_else(not_iterable)?;
            let array = function.try_call(vec![iterable, &true]);
            match array {
                Ok(array) if !exception_is_pending() => Ok(array),
                _ => Err(BridgeError::Pending),
            }
        }
        _ => Err(not_iterable()),
    }
}
