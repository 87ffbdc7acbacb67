//! Arithmetic: Python's operators, and what is said of one that no operand has.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyInt, PyType};
use tortoise_protocol::failure::Category;

use super::{says_unsupported, unsupported};
use crate::dispatch::Handled;
use crate::failure::Fault;
use crate::names::type_name;

/// The openings of what CPython says when both operands have given up.
const BINARY: &[&str] = &["unsupported operand type(s) for"];
const UNARY: &[&str] = &["bad operand type for unary"];

type Value<'py> = Bound<'py, PyAny>;

/// The result of a binary operator.
///
/// # Errors
/// What Python raised; a fault that names both classes if neither has the operator.
pub(super) fn binary<'py>(
    result: PyResult<Value<'py>>,
    operator: &str,
    a: &Value<'py>,
    b: &Value<'py>,
) -> Handled<Value<'py>> {
    result.map_err(|error| {
        if says_unsupported(&error, a.py(), BINARY) {
            unsupported(format!("Unsupported operand types: {} {operator} {}", type_name(a), type_name(b)))
        } else {
            error.into()
        }
    })
}

/// The result of a unary operator.
///
/// # Errors
/// As [`binary`].
pub(super) fn unary<'py>(result: PyResult<Value<'py>>, operator: &str, a: &Value<'py>) -> Handled<Value<'py>> {
    result.map_err(|error| {
        if says_unsupported(&error, a.py(), UNARY) {
            unsupported(format!("Unsupported operand type: {operator}{}", type_name(a)))
        } else {
            error.into()
        }
    })
}

/// The result of an operator that PHP holds for commutative: its compiler exchanges the operands where the left one is a
/// literal or the result of an expression, so what only the right operand has is asked of it in either order.
///
/// # Errors
/// As [`binary`].
pub(super) fn commutative<'py>(
    operate: impl Fn(&Value<'py>, &Value<'py>) -> PyResult<Value<'py>>,
    operator: &str,
    a: &Value<'py>,
    b: &Value<'py>,
) -> Handled<Value<'py>> {
    let result = operate(a, b).or_else(|error| {
        if !says_unsupported(&error, a.py(), BINARY) {
            return Err(error);
        }
        operate(b, a).map_err(|second| if says_unsupported(&second, a.py(), BINARY) { error } else { second })
    });
    binary(result, operator, a, b)
}

/// `a * b`. PHP compiles `-$a` and `+$a` into products with -1 and 1.
///
/// # Errors
/// As [`binary`].
pub(super) fn product<'py>(a: &Value<'py>, b: &Value<'py>) -> Handled<Value<'py>> {
    let py = a.py();
    let error = match commutative(|a, b| a.mul(b), "*", a, b) {
        Err(error) if b.is_exact_instance_of::<PyInt>() => error,
        result => return result,
    };
    if matches!(&error, Fault::Told(failure) if failure.category == Category::Unsupported) {
        match b.extract::<i64>() {
            Ok(-1) if a.get_type().hasattr(intern!(py, "__neg__"))? => return unary(a.neg(), "-", a),
            Ok(1) if a.get_type().hasattr(intern!(py, "__pos__"))? => return unary(a.pos(), "+", a),
            _ => {}
        }
    }
    Err(error)
}

/// `class(a)`; None if the object's class has none of the methods that it needs.
///
/// # Errors
/// What Python raises.
pub(super) fn converted<'py>(a: &Value<'py>, class: &Bound<'py, PyType>, methods: &[&str]) -> PyResult<Value<'py>> {
    for method in methods {
        if a.get_type().hasattr(*method)? {
            return class.call1((a,));
        }
    }
    Ok(a.py().None().into_bound(a.py()))
}
