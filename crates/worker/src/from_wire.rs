//! MessagePack from the client into Python values, in one walk.

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString};
use tortoise_protocol::{Depth, Malformed, Reader, Token};

use crate::path::{Path, Step};
use crate::table::Table;

/// Why a value from the client could not be made.
pub(crate) enum Unreadable {
    /// The client broke the rules of the wire.
    Malformed(Malformed),
    /// A handle of no object.
    Stale {
        /// What the client sent.
        id: u64,
        /// Where in the value.
        path: Path,
    },
    /// Python refused: out of memory, in practice.
    Raised(PyErr),
}

impl From<Malformed> for Box<Unreadable> {
    fn from(malformed: Malformed) -> Self {
        Self::new(Unreadable::Malformed(malformed))
    }
}

impl From<PyErr> for Box<Unreadable> {
    fn from(error: PyErr) -> Self {
        Self::new(Unreadable::Raised(error))
    }
}

/// Reads one value. `depth` is that of what holds it.
///
/// A text that is not UTF-8 becomes `bytes`: PHP's strings are bytes, and only this side looks.
///
/// # Errors
/// [`Unreadable`]; half-made containers are dropped.
pub(crate) fn read_value<'py>(
    py: Python<'py>,
    reader: &mut Reader<'_>,
    table: &Table,
    depth: Depth,
) -> Result<Bound<'py, PyAny>, Box<Unreadable>> {
    Ok(match reader.token()? {
        Token::Nil => py.None().into_bound(py),
        Token::Boolean(value) => PyBool::new(py, value).to_owned().into_any(),
        Token::Integer(value) => PyInt::new(py, value).into_any(),
        Token::Unsigned(value) => PyInt::new(py, value).into_any(),
        Token::Float(value) => PyFloat::new(py, value).into_any(),
        Token::Text(bytes) => text(py, bytes),
        Token::Binary(bytes) => PyBytes::new(py, bytes).into_any(),
        Token::Array(count) => read_list(py, reader, table, depth.enter()?, count)?,
        Token::Map(count) => read_dict(py, reader, table, depth.enter()?, count)?,
        Token::Handle(id) => match table.get(py, id) {
            Some(object) => object.clone(),
            None => return Err(Box::new(Unreadable::Stale { id, path: Path::default() })),
        },
        other => return Err(unexpected("a value", &other)),
    })
}

fn read_list<'py>(
    py: Python<'py>,
    reader: &mut Reader<'_>,
    table: &Table,
    depth: Depth,
    count: usize,
) -> Result<Bound<'py, PyAny>, Box<Unreadable>> {
    let mut failed = None;
    // The list is made in its final size and filled in place; behind a bad element it is filled with None and dropped.
    let elements = (0..count).map(|index| {
        if failed.is_some() {
            return py.None().into_bound(py);
        }
        read_value(py, reader, table, depth).unwrap_or_else(|error| {
            failed = Some(below(error, Step::Index(index)));
            py.None().into_bound(py)
        })
    });
    let list = PyList::new(py, elements)?;
    match failed {
        None => Ok(list.into_any()),
        Some(error) => Err(error),
    }
}

fn read_dict<'py>(
    py: Python<'py>,
    reader: &mut Reader<'_>,
    table: &Table,
    depth: Depth,
    count: usize,
) -> Result<Bound<'py, PyAny>, Box<Unreadable>> {
    let dict = PyDict::new(py);
    for _ in 0..count {
        let key = reader.token()?;
        let python_key = match key {
            Token::Text(bytes) => text(py, bytes),
            Token::Integer(value) => PyInt::new(py, value).into_any(),
            other => return Err(unexpected("a text or an integer as a key", &other)),
        };
        let value = read_value(py, reader, table, depth).map_err(|error| below(error, step_of(&key)))?;
        dict.set_item(python_key, value)?;
    }
    if dict.len() != count {
        return Err(Malformed::Unexpected { expected: "different keys in a map", found: "the same key twice" }.into());
    }
    Ok(dict.into_any())
}

fn text<'py>(py: Python<'py>, bytes: &[u8]) -> Bound<'py, PyAny> {
    match std::str::from_utf8(bytes) {
        Ok(text) => PyString::new(py, text).into_any(),
        Err(_) => PyBytes::new(py, bytes).into_any(),
    }
}

fn step_of(key: &Token<'_>) -> Step {
    match key {
        Token::Text(bytes) => Step::key(&String::from_utf8_lossy(bytes)),
        Token::Integer(value) => Step::Number(*value),
        other => Step::key(other.describe()),
    }
}

fn below(mut error: Box<Unreadable>, step: Step) -> Box<Unreadable> {
    if let Unreadable::Stale { path, .. } = &mut *error {
        path.push(step);
    }
    error
}

fn unexpected(expected: &'static str, found: &Token<'_>) -> Box<Unreadable> {
    Malformed::Unexpected { expected, found: found.describe() }.into()
}
