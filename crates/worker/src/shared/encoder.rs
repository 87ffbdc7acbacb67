//! Writes a value for another Python, in one walk.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};
use tortoise_protocol::limits::MAX_FRAME_BYTES;
use tortoise_protocol::{Depth, Writer};

use crate::path::{Root, Step};
use crate::raw::{self, Kind, Pairs, Seen, Sequence};
use crate::to_wire::{Unconvertible, below, refused, step_of};

/// Bytes of a number, and of what stands in front of a text, of bytes or of a container, at most.
const HEAD_BYTES: usize = 9;

/// The tag of a dict with keys that are no texts; its parts are keys and values in turn.
const PAIRS: &str = "dict";

/// Why a value is not written.
enum Refused {
    Unconvertible(Box<Unconvertible>),
    Raised(PyErr),
}

impl From<Box<Unconvertible>> for Refused {
    fn from(error: Box<Unconvertible>) -> Self {
        Self::Unconvertible(error)
    }
}

impl From<PyErr> for Refused {
    fn from(error: PyErr) -> Self {
        Self::Raised(error)
    }
}

type Written = Result<(), Refused>;

/// A value as bytes. `reduce(value)` says of what MessagePack has no word for how it is written, `(tag, parts)`, or why it is not.
///
/// # Errors
/// ValueError, which says where in the value that stands, and what `reduce` raises.
pub(crate) fn encode<'py>(value: &Bound<'py, PyAny>, root: &Root, reduce: &Bound<'py, PyAny>) -> PyResult<Vec<u8>> {
    let mut encoder = Encoder { buffer: Vec::new(), reduce };
    match encoder.value(value.as_borrowed(), Depth::ROOT) {
        Ok(()) => Ok(encoder.buffer),
        Err(Refused::Raised(error)) => Err(error),
        Err(Refused::Unconvertible(error)) => {
            Err(PyValueError::new_err(format!("{}: {}", error.path.from(root), error.reason)))
        }
    }
}

struct Encoder<'a, 'py> {
    buffer: Vec<u8>,
    reduce: &'a Bound<'py, PyAny>,
}

impl<'py> Encoder<'_, 'py> {
    /// Writes a value that its container holds now, but perhaps not any more when code of Python has run.
    fn value(&mut self, value: Seen<'_, 'py>, depth: Depth) -> Written {
        match raw::kind(value) {
            Kind::Text => match raw::utf8(value) {
                Some(text) => self.room_for(text.len())?.text_bytes(text),
                None => return self.tagged(&value.to_owned(), depth),
            },
            Kind::Integer => match raw::integer(value) {
                Some(integer) => self.room_for(0)?.integer(integer),
                None => return self.tagged(&value.to_owned(), depth),
            },
            Kind::Float => self.room_for(0)?.float(raw::float(value)),
            Kind::None => self.room_for(0)?.nil(),
            Kind::Boolean => self.room_for(0)?.boolean(raw::boolean(value)),
            Kind::Bytes => {
                let content = raw::bytes(value);
                self.room_for(content.len())?.binary(content);
            }
            _ => return self.compound(&value.to_owned(), depth),
        }
        Ok(())
    }

    fn compound(&mut self, value: &Bound<'py, PyAny>, depth: Depth) -> Written {
        if let Ok(list) = value.cast_exact::<PyList>() {
            return if begins_like_a_tag(list) { self.tagged(value, depth) } else { self.list(list, depth) };
        }
        match value.cast_exact::<PyDict>() {
            Ok(dict) if has_text_keys(dict) => self.map(dict, depth),
            _ => self.tagged(value, depth),
        }
    }

    fn list(&mut self, list: &Bound<'py, PyList>, depth: Depth) -> Written {
        let (depth, count) = (enter(depth)?, list.len());
        self.room_for(0)?.array(count);
        self.elements(list, depth, count)
    }

    fn elements<S: Sequence<'py>>(&mut self, sequence: &S, depth: Depth, count: usize) -> Written {
        for index in 0..count {
            // SAFETY: `value` holds what it uses behind code of Python.
            let element = unsafe { sequence.element(index) };
            let element = element.ok_or_else(|| refused("a list that changed while it was read"))?;
            self.value(element, depth).map_err(|error| at(error, || Step::Index(index)))?;
        }
        Ok(())
    }

    fn map(&mut self, dict: &Bound<'py, PyDict>, depth: Depth) -> Written {
        let (depth, count) = (enter(depth)?, dict.len());
        self.room_for(0)?.map(count);
        let (mut pairs, mut written) = (Pairs::of(dict), 0);
        // SAFETY: what is used behind code of Python is the key, which is held, and the value, which `value` holds.
        while let Some((key, value)) = unsafe { pairs.next() } {
            let key = key.to_owned();
            let text =
                raw::utf8(key.as_borrowed()).filter(|_| written < count && key.is_exact_instance_of::<PyString>());
            let text = text.ok_or_else(changed)?;
            self.room_for(text.len())?.text_bytes(text);
            self.value(value, depth).map_err(|error| at(error, || step_of(key.as_borrowed())))?;
            written += 1;
        }
        if written == count { Ok(()) } else { Err(changed().into()) }
    }

    /// Writes what MessagePack has no word for.
    fn tagged(&mut self, value: &Bound<'py, PyAny>, depth: Depth) -> Written {
        let reduced = self.reduce.call1((value,))?;
        if let Ok(reason) = reduced.cast::<PyString>() {
            return Err(refused(reason.to_string_lossy()).into());
        }
        let (tag, parts): (Bound<'py, PyString>, Bound<'py, PyTuple>) = reduced.extract()?;
        let (depth, count) = (enter(depth)?, parts.len());
        let mut writer = self.room_for(0)?;
        writer.array(2 + count);
        writer.binary(b"");
        let tag = tag.to_string_lossy();
        writer.text(&tag);
        if tag != PAIRS {
            return self.elements(&parts, depth, count);
        }
        for (index, part) in parts.iter().enumerate() {
            let step = || parts.get_item(index & !1).map_or_else(|_| Step::key("?"), |key| step_of(key.as_borrowed()));
            self.value(part.as_borrowed(), depth).map_err(|error| at(error, step))?;
        }
        Ok(())
    }

    /// Where so many bytes can be written. Lists that share elements can grow without end when they are copied out.
    fn room_for(&mut self, bytes: usize) -> Result<Writer<'_>, Box<Unconvertible>> {
        if self.buffer.len() + HEAD_BYTES + bytes > MAX_FRAME_BYTES {
            return Err(refused(format!("too large: a message is at most {MAX_FRAME_BYTES} bytes")));
        }
        Ok(Writer::new(&mut self.buffer))
    }
}

/// Whether a list would be read as a tagged value.
fn begins_like_a_tag(list: &Bound<'_, PyList>) -> bool {
    // SAFETY: the element is looked at before any code of Python runs.
    let first = unsafe { list.element(0) };
    first.is_some_and(|first| raw::kind(first) == Kind::Bytes && raw::bytes(first).is_empty())
}

/// Whether all keys are texts in UTF-8.
fn has_text_keys(dict: &Bound<'_, PyDict>) -> bool {
    let mut pairs = Pairs::of(dict);
    // SAFETY: nothing in the loop runs code of Python, so the dict stays as it is.
    while let Some((key, _)) = unsafe { pairs.next() } {
        if raw::kind(key) != Kind::Text || raw::utf8(key).is_none() {
            return false;
        }
    }
    true
}

fn enter(depth: Depth) -> Result<Depth, Box<Unconvertible>> {
    depth.enter().map_err(|error| refused(error.to_string()))
}

fn at(error: Refused, step: impl FnOnce() -> Step) -> Refused {
    match error {
        Refused::Unconvertible(error) => below(error, step).into(),
        raised => raised,
    }
}

fn changed() -> Box<Unconvertible> {
    refused("a dict that changed while it was read")
}
