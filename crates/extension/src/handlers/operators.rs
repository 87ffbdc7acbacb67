//! Arithmetic: PHP's operators on proxies, on either side.

use ext_php_rs::ffi::{ZEND_RESULT_CODE_FAILURE, ZEND_RESULT_CODE_SUCCESS, zend_result, zend_uchar, zval};
use ext_php_rs::types::Zval;
use tortoise_protocol::operation::Operation;

use crate::engine::guard;
use crate::error::BridgeError;
use crate::operate::ask_of_values;
use crate::throw::throw;
use crate::values;

/// The engine's numbers of opcodes, and what they are in Python. `.` is not among them: it joins texts.
const fn operation_of(opcode: zend_uchar) -> Option<Operation> {
    Some(match opcode {
        1 => Operation::Add,
        2 => Operation::Subtract,
        3 => Operation::Multiply,
        4 => Operation::Divide,
        5 => Operation::Modulo,
        6 => Operation::ShiftLeft,
        7 => Operation::ShiftRight,
        9 => Operation::Or,
        10 => Operation::And,
        11 => Operation::ExclusiveOr,
        12 => Operation::Power,
        13 => Operation::Invert,
        _ => return None,
    })
}

/// The engine asks for an operator. A failure without an exception makes it go on as for any other object.
pub(super) unsafe extern "C" fn operate(
    opcode: zend_uchar,
    result: *mut zval,
    left: *mut zval,
    right: *mut zval,
) -> zend_result {
    let Some(operation) = operation_of(opcode) else { return ZEND_RESULT_CODE_FAILURE };
    guard(ZEND_RESULT_CODE_SUCCESS, || {
        // SAFETY: the engine passes a live operand, and a second one unless the operator is unary.
        let outcome = unsafe { compute(operation, &*left, right.as_ref()) };
        // In `$a += $b` the result's place is the left operand's, and what stands there is given up for the result.
        let is_assignment = std::ptr::eq(result, left);
        match outcome {
            // SAFETY: the place is writable, and holds the left operand or nothing; reading that out gives its count up.
            Ok(value) => unsafe {
                let old = is_assignment.then(|| left.read());
                result.write(value);
                drop(old);
            },
            Err(error) => {
                throw(error);
                if !is_assignment {
                    // SAFETY: as above. The engine wants no value there beside an exception.
                    unsafe { result.write(undefined()) };
                }
            }
        }
        ZEND_RESULT_CODE_SUCCESS
    })
}

fn compute(operation: Operation, left: &Zval, right: Option<&Zval>) -> Result<Zval, BridgeError> {
    let reply = match right {
        Some(right) => ask_of_values(operation, &[(left, "the left operand"), (right, "the right operand")])?,
        None => ask_of_values(operation, &[(left, "the operand")])?,
    };
    values::read_reply(&reply)
}

fn undefined() -> Zval {
    let mut value = Zval::new();
    value.u1.type_info = ext_php_rs::ffi::IS_UNDEF;
    value
}
