//! Values between a session and the process of the shared objects: from Python to Python, so that nothing is changed.
//!
//! They are MessagePack as everywhere. What MessagePack has no word for is an array that begins with empty bytes:
//!
//! ```text
//! tagged value    [ b"" | tag: a text | parts ... ]
//! ```
//!
//! What its tag and parts are is Python's to say (`tortoise_worker.shared_values`). A list that begins with empty bytes itself is
//! tagged too.

mod caller;
mod encoder;
mod requests;
mod watch;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use tortoise_protocol::codec::Malformed;
use tortoise_protocol::{Depth, Reader, Token};

pub(crate) use caller::Caller;
pub(crate) use encoder::encode;
pub(crate) use watch::Watch;

/// Reads the values that stand in `bytes` one behind the other. `rebuild(tag, parts)` makes what is tagged.
///
/// # Errors
/// ValueError for what [`encode`] never writes, and what `rebuild` raises.
pub(crate) fn decode<'py>(py: Python<'py>, bytes: &[u8], rebuild: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
    let mut decoder = Decoder { py, reader: Reader::new(bytes), rebuild };
    let values = PyList::empty(py);
    while decoder.reader.position() < bytes.len() {
        values.append(decoder.value(Depth::ROOT)?)?;
    }
    Ok(values)
}

struct Decoder<'a, 'py> {
    py: Python<'py>,
    reader: Reader<'a>,
    rebuild: &'a Bound<'py, PyAny>,
}

impl<'py> Decoder<'_, 'py> {
    fn value(&mut self, depth: Depth) -> PyResult<Bound<'py, PyAny>> {
        let py = self.py;
        Ok(match self.reader.token().map_err(malformed)? {
            Token::Nil => py.None().into_bound(py),
            Token::Boolean(value) => PyBool::new(py, value).to_owned().into_any(),
            Token::Integer(value) => PyInt::new(py, value).into_any(),
            Token::Float(value) => PyFloat::new(py, value).into_any(),
            Token::Text(bytes) => text(py, bytes)?.into_any(),
            Token::Binary(bytes) => PyBytes::new(py, bytes).into_any(),
            Token::Array(count) => self.array(depth.enter().map_err(malformed)?, count)?,
            Token::Map(count) => {
                let depth = depth.enter().map_err(malformed)?;
                let dict = PyDict::new(py);
                for _ in 0..count {
                    let key = match self.reader.token().map_err(malformed)? {
                        Token::Text(bytes) => text(py, bytes)?,
                        other => return Err(unexpected("a key that is a text", &other)),
                    };
                    dict.set_item(key, self.value(depth)?)?;
                }
                dict.into_any()
            }
            other => return Err(unexpected("a shared value", &other)),
        })
    }

    fn array(&mut self, depth: Depth, count: usize) -> PyResult<Bound<'py, PyAny>> {
        let is_tagged = count > 0 && matches!(self.reader.clone().token(), Ok(Token::Binary(b"")));
        if !is_tagged {
            let list = PyList::empty(self.py);
            for _ in 0..count {
                list.append(self.value(depth)?)?;
            }
            return Ok(list.into_any());
        }
        self.reader.token().map_err(malformed)?;
        let tag = match self.reader.token().map_err(malformed)? {
            Token::Text(bytes) if count > 1 => text(self.py, bytes)?,
            other => return Err(unexpected("a tag", &other)),
        };
        let parts = (2..count).map(|_| self.value(depth)).collect::<PyResult<Vec<_>>>()?;
        self.rebuild.call1((tag, PyTuple::new(self.py, parts)?))
    }
}

fn text<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyString>> {
    let text = std::str::from_utf8(bytes).map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(PyString::new(py, text))
}

fn malformed(error: Malformed) -> PyErr {
    PyValueError::new_err(format!("a malformed value: {error}"))
}

fn unexpected(expected: &'static str, found: &Token<'_>) -> PyErr {
    malformed(Malformed::Unexpected { expected, found: found.describe() })
}
