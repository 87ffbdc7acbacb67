//! Comparison: one handler for `==`, `<`, `<=` and `<=>`, and for whatever in PHP compares.

use ext_php_rs::ffi::{zend_std_compare_objects, zval};
use ext_php_rs::types::Zval;
use tortoise_protocol::operation::Operation;

use crate::engine::{guard, object_of, opcode_in_progress};
use crate::error::BridgeError;
use crate::operate::ask_of_values;
use crate::proxy;
use crate::throw::throw;
use crate::values;

/// The engine's `ZEND_UNCOMPARABLE`: neither equal nor less.
const UNCOMPARABLE: i32 = 1;

/// The engine's opcodes `==`, `!=` and a `case`; `<`, `<=` and `<=>`.
const EQUALITIES: [u8; 3] = [18, 19, 48];
const ORDERS: [u8; 3] = [20, 21, 170];

/// The engine asks how two values compare, at least one of which is a proxy.
pub(super) unsafe extern "C" fn compare(left: *mut zval, right: *mut zval) -> i32 {
    // SAFETY: the engine passes two live values.
    let (one, other) = unsafe { ((*left).dereference(), (*right).dereference()) };
    let is_truth = |value: &Zval| value.is_null() || value.is_bool();
    if is_truth(one) || is_truth(other) {
        // Proxies are true and not null, like all objects.
        // SAFETY: as above.
        return unsafe { zend_std_compare_objects(left, right) };
    }
    guard(UNCOMPARABLE, || {
        if let (Some(one), Some(other)) = (object_of(one), object_of(other))
            && (std::ptr::eq(one, other) || proxy::are_one_object(one, other))
        {
            return 0;
        }
        // The handler is not told which operator asks, and where another extension or function of PHP does, none does.
        let operation = match opcode_in_progress() {
            Some(opcode) if EQUALITIES.contains(&opcode) => Operation::Equal,
            Some(opcode) if ORDERS.contains(&opcode) => Operation::Order,
            _ => Operation::Compare,
        };
        match order(operation, one, other) {
            Ok(order) => order,
            // What Python cannot have is not equal to anything in it.
            Err(BridgeError::Conversion(_)) if operation != Operation::Order => UNCOMPARABLE,
            Err(error) => {
                throw(error);
                UNCOMPARABLE
            }
        }
    })
}

fn order(operation: Operation, one: &Zval, other: &Zval) -> Result<i32, BridgeError> {
    let reply = ask_of_values(operation, &[(one, "the left operand"), (other, "the right operand")])?;
    let answer = values::read_reply(&reply)?;
    if let Some(is_equal) = answer.bool() {
        return Ok(if is_equal { 0 } else { UNCOMPARABLE });
    }
    Ok(answer.long().map_or(UNCOMPARABLE, |order| order.signum() as i32))
}
