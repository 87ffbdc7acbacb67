//! The keys of `o[k]`: slices, which PHP writes as texts.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyList, PySlice, PyString, PyTuple};

/// The key that Python's `o[k]` gets for one of PHP.
///
/// A text such as `1:3` is a slice, unless the class has `keys` and so may have that key. A list cannot be a key; one
/// that holds a slice is meant as the tuple that `o[1:3, 0]` passes in Python.
///
/// # Errors
/// What Python raises.
pub(super) fn key<'py>(target: &Bound<'py, PyAny>, key: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = target.py();
    if let Ok(text) = key.cast_exact::<PyString>() {
        let bounds = text.to_str().ok().and_then(bounds);
        return match bounds {
            Some(bounds) if !target.get_type().hasattr(intern!(py, "keys"))? => {
                py.get_type::<PySlice>().call1((bounds[0], bounds[1], bounds[2]))
            }
            _ => Ok(key),
        };
    }
    if let Ok(list) = key.cast_exact::<PyList>()
        && list.iter().any(|element| element.is_instance_of::<PySlice>())
    {
        return Ok(PyTuple::new(py, list.iter())?.into_any());
    }
    Ok(key)
}

/// Start, stop and step of a slice that is written as in Python; None if the text is none.
fn bounds(text: &str) -> Option<[Option<i64>; 3]> {
    let mut bounds = [None; 3];
    let mut parts = 0;
    for part in text.split(':') {
        let place = bounds.get_mut(parts)?;
        parts += 1;
        match part.trim_matches(' ') {
            "" => {}
            number => *place = Some(integer(number)?),
        }
    }
    (parts > 1).then_some(bounds)
}

/// Digits with a sign in front or not. (Rust's own parsing takes no other text, but it takes a `+` too, as Python does.)
fn integer(text: &str) -> Option<i64> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::bounds;

    #[test]
    fn slices_are_written_as_in_python() {
        for (text, expected) in [
            ("1:3", [Some(1), Some(3), None]),
            ("::2", [None, None, Some(2)]),
            (":", [None, None, None]),
            ("::", [None, None, None]),
            ("-2:", [Some(-2), None, None]),
            (" 1 : -3 : -1 ", [Some(1), Some(-3), Some(-1)]),
            (":9223372036854775807", [None, Some(i64::MAX), None]),
        ] {
            assert_eq!(bounds(text), Some(expected), "{text:?}");
        }
        for text in ["", "1", "a:b", "1:2:3:4", "1::x", "1.5:2", "1 2:3", "--1:", ":9223372036854775808", "1:2\n"] {
            assert_eq!(bounds(text), None, "{text:?}");
        }
    }
}
