//! Comparison as PHP has it: one answer to "equal, less or greater" where Python has six operators.

use pyo3::basic::CompareOp;
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyBool;

use super::{says_unsupported, unsupported};
use crate::dispatch::Handled;
use crate::names::type_name;

/// `a == b`
///
/// # Errors
/// What Python raises, and a fault for a result that is many truth values.
pub(super) fn are_equal(a: &Bound<'_, PyAny>, b: &Bound<'_, PyAny>) -> Handled<bool> {
    truth(&a.rich_compare(b, CompareOp::Eq)?, a, b)
}

/// 0 if both are equal, else -1 if `a` is less, else 1; None if Python has no order for them.
///
/// `is_search`: whoever asks may want equality only, so that any TypeError counts as no order.
///
/// # Errors
/// As [`are_equal`].
pub(super) fn order(a: &Bound<'_, PyAny>, b: &Bound<'_, PyAny>, is_search: bool) -> Handled<Option<i64>> {
    if are_equal(a, b)? {
        return Ok(Some(0));
    }
    let py = a.py();
    let is_no_order = |error: &PyErr| {
        says_unsupported(error, py, &["'<' not supported"]) || (is_search && error.is_instance_of::<PyTypeError>(py))
    };
    match a.rich_compare(b, CompareOp::Lt) {
        Ok(less) => Ok(Some(if truth(&less, a, b)? { -1 } else { 1 })),
        Err(error) if is_no_order(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The truth value of a comparison's result. An array of them is no truth value, whatever its length.
fn truth(result: &Bound<'_, PyAny>, a: &Bound<'_, PyAny>, b: &Bound<'_, PyAny>) -> Handled<bool> {
    if let Ok(truth) = result.cast_exact::<PyBool>() {
        return Ok(truth.is_true());
    }
    if is_array(result)? {
        return Err(unsupported(format!(
            "comparing {} with {} gives {}, a truth value for each element, where PHP's comparison needs one; call a \
             function that says which, such as numpy.array_equal(a, b) or numpy.equal(a, b)",
            type_name(a),
            type_name(b),
            type_name(result)
        )));
    }
    Ok(result.is_truthy()?)
}

fn is_array(result: &Bound<'_, PyAny>) -> PyResult<bool> {
    let (py, class) = (result.py(), result.get_type());
    if class.hasattr(intern!(py, "__len__"))? {
        return Ok(true);
    }
    // numpy's scalars can be made arrays too, of no dimension.
    Ok(class.hasattr(intern!(py, "__array__"))?
        && result.getattr(intern!(py, "ndim")).is_ok_and(|dimensions| dimensions.extract::<i64>().is_ok_and(|n| n > 0)))
}
