//! MessagePack from the client into Python values, in one walk.

mod adapted;
mod arrays;
mod bulk;
mod lists;
mod request;
mod unreadable;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt};
use tortoise_protocol::codec::Short;
use tortoise_protocol::{Depth, Malformed, Reader, Token};

pub(crate) use request::{Converting, Request};
pub(crate) use unreadable::Unreadable;

use crate::dispatch::State;
use crate::moments;
use crate::path::{Path, Step};
use bulk::text;
use lists::{Kinds, NewList, Numbers};
use unreadable::{below, unexpected, unfit, unreceivable};

/// Reads the values of a request.
pub(crate) struct Decoder<'a, 'py, 'r> {
    py: Python<'py>,
    request: &'a mut Request<'r>,
    state: &'a State,
    _converting: Converting,
    /// The keys of the last map in each of the arrays that are being read, the innermost array's last.
    keys: Vec<Bound<'py, PyAny>>,
}

type Read<T> = Result<T, Box<Unreadable>>;

impl<'a, 'py, 'r> Decoder<'a, 'py, 'r> {
    /// Reads on where `request` stands.
    pub(crate) fn new(py: Python<'py>, request: &'a mut Request<'r>, state: &'a State) -> Self {
        Self { py, request, state, _converting: Converting::begin(), keys: Vec::new() }
    }

    /// The payload, for what is no value.
    pub(crate) fn reader(&mut self) -> &mut Reader<'r> {
        &mut self.request.reader
    }

    /// Reads one value that stands in no array. `depth` is that of what holds it.
    ///
    /// A text that is not UTF-8 becomes `bytes`: PHP's strings are bytes, and only this side looks.
    ///
    /// # Errors
    /// [`Unreadable`]; half-made containers are dropped.
    pub(crate) fn value(&mut self, depth: Depth) -> Read<Bound<'py, PyAny>> {
        if let Some(short) = self.request.reader.short() {
            return Ok(self.short(short));
        }
        let token = self.request.reader.token()?;
        self.value_of(token, depth)
    }

    #[inline]
    fn short(&self, short: Short<'_>) -> Bound<'py, PyAny> {
        match short {
            Short::Nil => self.py.None().into_bound(self.py),
            Short::Boolean(value) => PyBool::new(self.py, value).to_owned().into_any(),
            Short::Integer(value) => PyInt::new(self.py, value).into_any(),
            Short::Float(value) => PyFloat::new(self.py, value).into_any(),
            Short::Text(bytes) => text(self.py, bytes),
        }
    }

    /// Reads one value of the outermost array, such as that of the arguments.
    ///
    /// # Errors
    /// As [`Self::value`].
    pub(crate) fn element(&mut self) -> Read<Bound<'py, PyAny>> {
        self.element_of(Depth::ROOT, 0)
    }

    fn value_of(&mut self, token: Token<'_>, depth: Depth) -> Read<Bound<'py, PyAny>> {
        let py = self.py;
        Ok(match token {
            Token::Nil => py.None().into_bound(py),
            Token::Boolean(value) => PyBool::new(py, value).to_owned().into_any(),
            Token::Integer(value) => PyInt::new(py, value).into_any(),
            Token::Unsigned(value) => PyInt::new(py, value).into_any(),
            Token::Float(value) => PyFloat::new(py, value).into_any(),
            Token::Text(bytes) => text(py, bytes),
            Token::Binary(bytes) => PyBytes::new(py, bytes).into_any(),
            Token::Array(count) => self.list(depth.enter()?, count)?,
            Token::Map(count) => {
                let below = self.keys.len();
                let dict = self.dict(depth.enter()?, count)?;
                self.keys.truncate(below);
                dict
            }
            Token::Floats(values) => Numbers { values, kinds: Kinds::Floats }.list(py)?,
            Token::Integers(values) => Numbers { values, kinds: Kinds::Integers }.list(py)?,
            Token::Numbers { values, integers } => Numbers { values, kinds: Kinds::Mixed(integers) }.list(py)?,
            Token::Segment(segment) => bulk::segment(py, &mut self.request.segments, segment)?,
            Token::Handle(id) => match self.state.object(py, id)? {
                Some(object) => object,
                None => return Err(Box::new(Unreadable::Stale { id, path: Path::default() })),
            },
            Token::PhpObject(reference) => self.state.receive(py, reference).map_err(unreceivable)?,
            Token::BigInteger(integer) => moments::big_integer(py, integer)?,
            Token::Moment(moment) => {
                self.state.hooks.moments.moment(py, &moment).map_err(|error| unfit(py, "no datetime", &error))?
            }
            Token::Duration(duration) => {
                self.state.hooks.moments.span(py, duration).map_err(|error| unfit(py, "no timedelta", &error))?
            }
            other => return Err(unexpected("a value", &other)),
        })
    }

    /// An element of an array. Behind `below` stand the keys of the array's last map.
    #[inline]
    fn element_of(&mut self, depth: Depth, below: usize) -> Read<Bound<'py, PyAny>> {
        if let Some(short) = self.request.reader.short() {
            return Ok(self.short(short));
        }
        match self.request.reader.token()? {
            Token::Map(count) => {
                self.keys.truncate(below);
                self.dict(depth.enter()?, count)
            }
            Token::SameKeys(count) => self.row(depth.enter()?, below, count),
            token => self.value_of(token, depth),
        }
    }

    fn list(&mut self, depth: Depth, count: usize) -> Read<Bound<'py, PyAny>> {
        let mut list = NewList::new(self.py, count)?;
        let below_here = self.keys.len();
        for index in 0..count {
            list.push(self.element_of(depth, below_here).map_err(|error| below(error, || Step::Index(index)))?);
        }
        self.keys.truncate(below_here);
        Ok(list.whole())
    }

    /// Reads a map, and leaves its keys behind those that are kept.
    fn dict(&mut self, depth: Depth, count: usize) -> Read<Bound<'py, PyAny>> {
        let py = self.py;
        let dict = PyDict::new(py);
        for _ in 0..count {
            let key = self.request.reader.token()?;
            let python_key = match key {
                Token::Text(bytes) => text(py, bytes),
                Token::Integer(value) => PyInt::new(py, value).into_any(),
                other => return Err(unexpected("a text or an integer as a key", &other)),
            };
            let value = self.value(depth).map_err(|error| below(error, || step_of(&key)))?;
            set_item(&dict, &python_key, &value)?;
            self.keys.push(python_key);
        }
        if dict.len() != count {
            let found = "the same key twice";
            return Err(Malformed::Unexpected { expected: "different keys in a map", found }.into());
        }
        Ok(dict.into_any())
    }

    /// Reads a map without keys: they are those behind `below`.
    fn row(&mut self, depth: Depth, below_here: usize, count: usize) -> Read<Bound<'py, PyAny>> {
        if self.keys.len() - below_here != count {
            let expected = "as many values as the map before has keys";
            return Err(Malformed::Unexpected { expected, found: "a map without keys of another length" }.into());
        }
        let dict = PyDict::new(self.py);
        for place in below_here..below_here + count {
            let value = self.value(depth).map_err(|error| below(error, || key_step(&self.keys[place])))?;
            set_item(&dict, &self.keys[place], &value)?;
        }
        Ok(dict.into_any())
    }
}

/// `dict[key] = value`, for a key that is a `str`, `bytes` or `int`.
fn set_item<'py>(dict: &Bound<'py, PyDict>, key: &Bound<'py, PyAny>, value: &Bound<'py, PyAny>) -> PyResult<()> {
    // SAFETY: all three are live objects, and the first is a dict; -1 comes with an exception.
    match unsafe { ffi::PyDict_SetItem(dict.as_ptr(), key.as_ptr(), value.as_ptr()) } {
        0 => Ok(()),
        _ => Err(PyErr::fetch(dict.py())),
    }
}

fn step_of(key: &Token<'_>) -> Step {
    match key {
        Token::Text(bytes) => Step::key(&String::from_utf8_lossy(bytes)),
        Token::Integer(value) => Step::Number(*value),
        other => Step::key(other.describe()),
    }
}

fn key_step(key: &Bound<'_, PyAny>) -> Step {
    match key.extract::<i64>() {
        Ok(number) => Step::Number(number),
        Err(_) => Step::key(&key.to_string()),
    }
}
