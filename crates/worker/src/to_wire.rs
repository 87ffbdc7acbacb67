//! Python values into MessagePack for the client, in one walk.

use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString, PyTuple,
};
use tortoise_protocol::limits::MAX_FRAME_BYTES;
use tortoise_protocol::{Depth, Writer};

use crate::names::type_name;
use crate::path::{Path, Step};
use crate::table::Table;

/// Why a value cannot go to the client.
pub(crate) struct Unconvertible {
    /// What is wrong with the element.
    pub(crate) reason: String,
    /// Where it stands.
    pub(crate) path: Path,
}

type Written = Result<(), Box<Unconvertible>>;

/// Writes values; what has no value in PHP goes by reference, into the table.
pub(crate) struct Encoder<'a> {
    buffer: &'a mut Vec<u8>,
    /// None where there is nobody to hold an object: a description is all values.
    table: Option<&'a mut Table>,
}

impl<'a> Encoder<'a> {
    /// Appends to `buffer`.
    pub(crate) fn new(buffer: &'a mut Vec<u8>, table: Option<&'a mut Table>) -> Self {
        Self { buffer, table }
    }

    /// Writes one value. `depth` is that of what holds it.
    ///
    /// Only exact types are values: a subclass has methods that a copy would lose.
    ///
    /// # Errors
    /// [`Unconvertible`]; the buffer then ends in the middle.
    pub(crate) fn value(&mut self, value: &Bound<'_, PyAny>, depth: Depth) -> Written {
        if let Ok(text) = value.cast_exact::<PyString>() {
            let text = text.to_str().map_err(|_| refused("a str with a lone surrogate, which is no UTF-8"))?;
            self.room_for(text.len())?;
            self.writer().text(text);
        } else if let Ok(integer) = value.cast_exact::<PyInt>() {
            match integer.extract::<i64>() {
                Ok(integer) => self.writer().integer(integer),
                Err(_) => self.object(value)?,
            }
        } else if value.is_none() {
            self.writer().nil();
        } else if let Ok(boolean) = value.cast_exact::<PyBool>() {
            self.writer().boolean(boolean.is_true());
        } else if let Ok(float) = value.cast_exact::<PyFloat>() {
            self.writer().float(float.value());
        } else if let Ok(list) = value.cast_exact::<PyList>() {
            self.sequence(list.len(), depth, |index| list.get_item(index))?;
        } else if let Ok(dict) = value.cast_exact::<PyDict>() {
            if php_holds_keys_apart(dict) { self.dict(dict, depth)? } else { self.object(value)? }
        } else if let Ok(tuple) = value.cast_exact::<PyTuple>() {
            self.sequence(tuple.len(), depth, |index| tuple.get_item(index))?;
        } else if let Ok(bytes) = value.cast_exact::<PyBytes>() {
            let bytes = bytes.as_bytes();
            self.room_for(bytes.len())?;
            self.writer().binary(bytes);
        } else if let Ok(array) = value.cast_exact::<PyByteArray>() {
            self.room_for(array.len())?;
            let bytes = array.to_vec();
            self.writer().binary(&bytes);
        } else if value.is_exact_instance_of::<PySet>() || value.is_exact_instance_of::<PyFrozenSet>() {
            self.set(value, depth)?;
        } else {
            self.object(value)?;
        }
        Ok(())
    }

    fn sequence<'py>(
        &mut self,
        length: usize,
        depth: Depth,
        get: impl Fn(usize) -> PyResult<Bound<'py, PyAny>>,
    ) -> Written {
        let depth = self.enter(depth, length)?;
        self.writer().array(length);
        for index in 0..length {
            // Garbage collection can run any `__del__` in here, so the list may be shorter by now.
            let element = get(index).map_err(|_| refused("a list that changed while it was read"))?;
            self.value(&element, depth).map_err(|error| below(error, || Step::Index(index)))?;
        }
        Ok(())
    }

    fn set(&mut self, set: &Bound<'_, PyAny>, depth: Depth) -> Written {
        let changed = |_| refused("a set that changed while it was read");
        let length = set.len().map_err(changed)?;
        let depth = self.enter(depth, length)?;
        self.writer().array(length);
        let mut written = 0;
        for element in set.try_iter().map_err(changed)? {
            self.value(&element.map_err(changed)?, depth).map_err(|error| below(error, || Step::Index(written)))?;
            written += 1;
        }
        if written == length { Ok(()) } else { Err(refused("a set that changed while it was read")) }
    }

    fn dict(&mut self, dict: &Bound<'_, PyDict>, depth: Depth) -> Written {
        let depth = self.enter(depth, dict.len())?;
        self.writer().map(dict.len());
        for (key, value) in dict {
            self.value(&key, depth).map_err(|error| below(error, || step_of(&key)))?;
            self.value(&value, depth).map_err(|error| below(error, || step_of(&key)))?;
        }
        Ok(())
    }

    fn object(&mut self, object: &Bound<'_, PyAny>) -> Written {
        let Some(table) = &mut self.table else {
            return Err(refused(format!("an object of type {}", type_name(object))));
        };
        let reference = table.hand_out(object);
        self.writer().object(reference);
        Ok(())
    }

    fn enter(&self, depth: Depth, elements: usize) -> Result<Depth, Box<Unconvertible>> {
        self.room_for(elements)?;
        depth.enter().map_err(|error| refused(error.to_string()))
    }

    /// Lists that share elements can grow without end when they are copied out.
    fn room_for(&self, bytes: usize) -> Written {
        if self.buffer.len() + bytes > MAX_FRAME_BYTES {
            return Err(refused(format!("too large: an answer is at most {MAX_FRAME_BYTES} bytes")));
        }
        Ok(())
    }

    fn writer(&mut self) -> Writer<'_> {
        Writer::new(self.buffer)
    }
}

/// Whether a dict is a PHP array without two keys falling into one: PHP makes the key `"1"` the same as `1`.
fn php_holds_keys_apart(dict: &Bound<'_, PyDict>) -> bool {
    let (mut integers, mut numeric_texts) = (0_usize, 0_usize);
    for (key, _) in dict {
        if let Ok(text) = key.cast_exact::<PyString>() {
            numeric_texts += usize::from(text.to_str().ok().and_then(php_integer_key).is_some());
        } else if key.is_exact_instance_of::<PyInt>() && key.extract::<i64>().is_ok() {
            integers += 1;
        } else {
            return false;
        }
    }
    integers == 0
        || numeric_texts == 0
        || !dict.keys().iter().any(|key| {
            let text = key.cast_exact::<PyString>().ok();
            let integer = text.and_then(|text| text.to_str().ok().and_then(php_integer_key));
            integer.is_some_and(|integer| dict.contains(integer).unwrap_or(true))
        })
}

/// The integer that PHP makes of a text key, if it does: decimal, in 64 bits, and spelled as PHP itself would.
fn php_integer_key(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let canonical = match digits.as_bytes() {
        [b'0'] => digits.len() == text.len(),
        [b'1'..=b'9', rest @ ..] => rest.len() < 19 && rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if canonical { text.parse().ok() } else { None }
}

fn step_of(key: &Bound<'_, PyAny>) -> Step {
    match key.cast_exact::<PyString>() {
        Ok(text) => Step::key(&text.to_string_lossy()),
        Err(_) => key.extract().map_or_else(|_: PyErr| Step::key("?"), Step::Number),
    }
}

fn refused(reason: impl Into<String>) -> Box<Unconvertible> {
    Box::new(Unconvertible { reason: reason.into(), path: Path::default() })
}

fn below(mut error: Box<Unconvertible>, step: impl FnOnce() -> Step) -> Box<Unconvertible> {
    error.path.push(step());
    error
}
