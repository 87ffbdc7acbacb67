//! `toArray()`: the elements of a Python object, by value.

use ext_php_rs::types::Zval;
use ext_php_rs::zend::ExecuteData;
use tortoise_protocol::frame::Kind;

use crate::engine::{Frame, View, guard, view};
use crate::error::BridgeError;
use crate::link::{self, Session};
use crate::throw::throw_from;
use crate::{proxy, values};

/// Its name. Python's methods of this name, in this spelling, come first.
pub(crate) const NAME: &str = "toArray";

/// `PyObject::toArray()`
pub(crate) extern "C" fn to_array(data: &mut ExecuteData, result: &mut Zval) {
    guard((), || {
        // SAFETY: the engine passes the frame of this very call, of a native function.
        let (frame, arguments) = unsafe {
            let frame = Frame::new(data);
            (frame, frame.native_arguments().surplus)
        };
        match elements(frame, arguments.len()) {
            Ok(value) => *result = value,
            Err(error) => throw_from(frame, error),
        }
    });
}

fn elements(frame: Frame<'_>, arguments: usize) -> Result<Zval, BridgeError> {
    let object = frame.this().ok_or_else(BridgeError::not_generated)?;
    if arguments > 0 {
        return Err(BridgeError::ArgumentCount(format!(
            "Tortoise\\PyObject::{NAME}() expects exactly 0 arguments, {arguments} given"
        )));
    }
    let (id, generation) = proxy::target(object)?;
    let reply = link::exchange(Session::Of(generation), Kind::Values, Kind::Value, |outgoing| {
        outgoing.unsigned(id);
        Ok(())
    })?;
    let value = values::read_reply(&reply)?;
    match view(&value) {
        View::Array(_) => Ok(value),
        _ => Err(BridgeError::Conversion(format!("{NAME}(): PHP has no array for the elements of this object"))),
    }
}
