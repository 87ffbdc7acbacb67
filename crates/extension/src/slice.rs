//! `Tortoise\slice()`: a slice of Python, for `$o[…]` and for any argument.

use ext_php_rs::types::Zval;
use ext_php_rs::zend::ExecuteData;
use tortoise_protocol::operation::Operation;

use crate::engine::{Frame, guard};
use crate::error::BridgeError;
use crate::operate::ask_of_values;
use crate::throw::throw;
use crate::{link, values};

/// `Tortoise\slice(mixed $start = null, mixed $stop = null, mixed $step = null): PyObject`
pub(crate) extern "C" fn slice(data: &mut ExecuteData, result: &mut Zval) {
    guard((), || {
        // SAFETY: the engine passes the frame of this very call, of a native function.
        let arguments = unsafe { Frame::new(data).native_arguments().surplus };
        match make(arguments) {
            Ok(value) => *result = value,
            Err(error) => throw(error),
        }
    });
}

fn make(arguments: &[Zval]) -> Result<Zval, BridgeError> {
    if arguments.len() > 3 {
        let given = arguments.len();
        return Err(BridgeError::ArgumentCount(format!("Tortoise\\slice() takes at most 3 arguments, {given} given")));
    }
    let null = Zval::null();
    let bound = |at: usize| arguments.get(at).unwrap_or(&null);
    link::announce_roots()?;
    let operands = [(bound(0), "$start"), (bound(1), "$stop"), (bound(2), "$step")];
    values::read_reply(&ask_of_values(Operation::Slice, &operands)?)
}
