//! Requests for Python's protocols: items, lengths, texts, operators.

use ext_php_rs::ffi::zend_object;
use ext_php_rs::types::Zval;
use tortoise_protocol::frame::Kind;
use tortoise_protocol::operation::Operation;

use crate::calls::target_of_object;
use crate::engine::{View, object_of, view};
use crate::error::BridgeError;
use crate::link::{self, Reply, Session};
use crate::proxy;
use crate::values::{self, write_value};

/// What the operands behind an object are called in messages.
const PLACES: [&str; 2] = ["the key", "the value"];

/// Asks for an operation on an object.
///
/// # Errors
/// [`BridgeError`], also if an operand cannot go to Python.
pub(crate) fn ask(object: &zend_object, operation: Operation, rest: &[&Zval]) -> Result<Reply, BridgeError> {
    let (id, generation) = target_of_object(object)?;
    link::exchange(Session::Of(generation), Kind::Operate, Kind::Value, |writer| {
        operation.write(writer);
        writer.handle(id);
        for (operand, place) in rest.iter().zip(PLACES) {
            write_value(writer, operand).map_err(|error| error.within(place))?;
        }
        Ok(())
    })
}

/// The result of an operation on an object, as a PHP value.
///
/// # Errors
/// As [`ask`].
pub(crate) fn value_of(object: &zend_object, operation: Operation, rest: &[&Zval]) -> Result<Zval, BridgeError> {
    values::read_reply(&ask(object, operation, rest)?)
}

/// The text that is the result of an operation on an object. The engine reads it as one without looking.
///
/// # Errors
/// As [`ask`].
pub(crate) fn text_of(object: &zend_object, operation: Operation) -> Result<Zval, BridgeError> {
    let reply = ask(object, operation, &[])?;
    reply.judge(values::read_reply(&reply).and_then(|value| match view(&value) {
        View::String(_) => Ok(value),
        _ => Err(BridgeError::Connection("the session answered with another value where a text was due".to_owned())),
    }))
}

/// The truth value that is the result of an operation on an object.
///
/// # Errors
/// As [`ask`].
pub(crate) fn truth_of(object: &zend_object, operation: Operation, rest: &[&Zval]) -> Result<bool, BridgeError> {
    link::read_boolean(&ask(object, operation, rest)?)
}

/// Asks for an operation on operands of which at least one is a proxy.
///
/// # Errors
/// As [`ask`].
pub(crate) fn ask_of_values(operation: Operation, operands: &[(&Zval, &str)]) -> Result<Reply, BridgeError> {
    let mut sessions = operands.iter().filter_map(|(operand, _)| proxy::target_of_proxy(object_of(operand)?));
    let session = match sessions.next() {
        Some(target) => Session::Of(target?.1),
        None => Session::Any,
    };
    link::exchange(session, Kind::Operate, Kind::Value, |writer| {
        operation.write(writer);
        for (operand, place) in operands {
            write_value(writer, operand).map_err(|error| error.within(place))?;
        }
        Ok(())
    })
}
