//! Asks the session about an exception that it has not raised: one that PHP constructed, or a member of a group.

use ext_php_rs::ffi::zend_object;
use ext_php_rs::types::{ZendHashTable, Zval};
use tortoise_protocol::ObjectReference;
use tortoise_protocol::frame::Kind;
use tortoise_protocol::thrown::Thrown;

use super::{EXCEPTION, MEMBERS, exception, get, known, python_exception_of, set};
use crate::engine::{View, elements, object_of, view};
use crate::error::BridgeError;
use crate::link::{self, Session};
use crate::native::{self, Native};
use crate::{proxy, values};

/// The number of no context: leaving it with an exception answers with the failure that the exception is.
const NO_CONTEXT: u64 = 0;

/// Ties an exception that `new` made to the Python exception that was constructed for it.
///
/// # Errors
/// [`BridgeError`] if what was constructed is no exception.
pub(crate) fn bind(object: &mut zend_object, reference: ObjectReference, generation: u32) -> Result<(), BridgeError> {
    let python = proxy::receive(ObjectReference { class: 0, ..reference }, generation)?;
    set(native::class(Native::PythonException), object, EXCEPTION, python);
    known::insert(reference.id, object);
    explained((reference.id, generation)).map(drop)
}

/// The exceptions of a group as PHP exceptions, the same ones each time.
///
/// # Errors
/// [`BridgeError`] if there is no Python exception behind the object, or it is no group.
pub(crate) fn members(object: &mut zend_object) -> Result<Zval, BridgeError> {
    let known = get(object, MEMBERS);
    if known.is_array() {
        return Ok(known.shallow_clone());
    }
    let group = python_exception_of(object).ok_or_else(BridgeError::not_generated)??;
    let (id, generation) = proxy::target(group)?;
    let reply = link::exchange(Session::Of(generation), Kind::Get, Kind::Value, |writer| {
        writer.unsigned(id);
        values::write_name(writer, "exceptions")
    })?;
    let members = values::read_reply(&reply)?;
    let View::Array(table) = view(&members) else {
        return Err(BridgeError::Conversion("the exceptions of this group are no sequence of exceptions".to_owned()));
    };
    let mut exceptions = ZendHashTable::with_capacity(table.nNumOfElements);
    // SAFETY: the value keeps the table, and nothing else knows it.
    for (_, member) in unsafe { elements(table) } {
        let member = object_of(member).and_then(|member| proxy::target_of_proxy(member));
        let member = member
            .ok_or_else(|| BridgeError::Conversion("a member of this group is no exception of Python".to_owned()))??;
        // Only an overflow of the array's keys could fail, and there are as many as there were.
        let _ = exceptions.push(explained(member)?);
    }
    let mut list = Zval::new();
    list.set_hashtable(exceptions);
    set(native::class(Native::PythonException), object, MEMBERS, list.shallow_clone());
    Ok(list)
}

/// The PHP exception of a Python one that the session holds.
fn explained((id, generation): (u64, u32)) -> Result<Zval, BridgeError> {
    let reply = link::exchange(Session::Of(generation), Kind::Exit, Kind::Value, |writer| {
        writer.unsigned(NO_CONTEXT);
        Thrown::Python(id).write(writer);
        Ok(())
    });
    match reply {
        Err(BridgeError::Remote(failure)) if !failure.exceptions.is_empty() => exception(&failure.exceptions),
        Err(error) => Err(error),
        Ok(_) => Err(BridgeError::Connection("the session answered an exception with a value".to_owned())),
    }
}
