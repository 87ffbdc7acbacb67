//! Python values into MessagePack for the client, in one walk.

mod buffers;
mod elements;
mod maps;
mod segments;
mod unconvertible;
mod vectors;

use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyDict, PyList, PyTuple};
use tortoise_protocol::codec::MIN_VECTOR_ELEMENTS;
use tortoise_protocol::limits::{MAX_FRAME_BYTES, MAX_INTEGER_BYTES};
use tortoise_protocol::{Depth, Writer};

pub(crate) use segments::Segments;
pub(crate) use unconvertible::{Unconvertible, below, refused, step_of};

use crate::answer::Answer;
use crate::dispatch::State;
use crate::moments::write_big_integer;
use crate::names::type_name;
use crate::path::Step;
use crate::php::PhpObject;
use crate::raw::{self, Kind, Seen, Sequence};
use maps::Row;
use segments::MIN_SEGMENT_BYTES;

type Written = Result<(), Box<Unconvertible>>;

/// What an answer may use, and a description not.
struct Context<'a> {
    /// Where objects go that have no value in PHP.
    state: &'a State,
    /// What is sent behind the payload.
    segments: &'a mut Segments,
    /// Ids of the objects that go by reference.
    given: &'a mut Vec<u64>,
    /// PHP objects that go home.
    held: &'a mut Vec<Py<PhpObject>>,
    /// Whether integers of more than 64 bits are values too.
    takes_big_integers: bool,
    /// Where a coroutine goes that is the whole value; None if it goes by reference like others.
    coroutine: Option<&'a mut Option<Py<PyAny>>>,
}

/// Writes values; what has no value in PHP goes by reference, into the table.
pub(crate) struct Encoder<'a, 'py> {
    buffer: &'a mut Vec<u8>,
    /// None for a description: it is all values, and plain MessagePack.
    context: Option<Context<'a>>,
    /// The keys of the last map in each of the arrays that are being written, the innermost array's last.
    keys: Vec<Bound<'py, PyAny>>,
}

impl<'a, 'py> Encoder<'a, 'py> {
    /// Appends plain values to `buffer`.
    pub(crate) fn plain(buffer: &'a mut Vec<u8>) -> Self {
        Self { buffer, context: None, keys: Vec::new() }
    }

    /// Appends to an answer.
    pub(crate) fn of_answer(answer: &'a mut Answer, state: &'a State) -> Self {
        let Answer { frame, segments, given, held, takes_big_integers, .. } = answer;
        let takes_big_integers = *takes_big_integers;
        let context = Context { state, segments, given, held, takes_big_integers, coroutine: None };
        Self { buffer: frame, context: Some(context), keys: Vec::new() }
    }

    /// Appends what a call gives to an answer. A coroutine is set aside there, and nothing is written.
    pub(crate) fn of_call(answer: &'a mut Answer, state: &'a State) -> Self {
        let Answer { frame, segments, given, held, takes_big_integers, coroutine, .. } = answer;
        let takes_big_integers = *takes_big_integers;
        let context = Context { state, segments, given, held, takes_big_integers, coroutine: Some(coroutine) };
        Self { buffer: frame, context: Some(context), keys: Vec::new() }
    }

    /// Writes one value. `depth` is that of what holds it.
    ///
    /// Only exact types are values: a subclass has methods that a copy would lose.
    ///
    /// # Errors
    /// [`Unconvertible`]; the buffer then ends in the middle.
    pub(crate) fn value(&mut self, value: &Bound<'py, PyAny>, depth: Depth) -> Written {
        self.element(value.as_borrowed(), depth, None)
    }

    /// Writes a value that its container holds now, but perhaps not any more when code of Python has run.
    fn element(&mut self, value: Seen<'_, 'py>, depth: Depth, row: Row) -> Written {
        if self.scalar(value)? { Ok(()) } else { self.compound(&value.to_owned(), depth, row) }
    }

    /// Writes a value that holds no others, and says whether it was one. No code of Python runs here.
    fn scalar(&mut self, value: Seen<'_, 'py>) -> Result<bool, Box<Unconvertible>> {
        match raw::kind(value) {
            Kind::Text => self.text(value)?,
            Kind::Integer => match raw::integer(value) {
                Some(integer) => self.writer().integer(integer),
                None => return Ok(false),
            },
            Kind::Float => self.writer().float(raw::float(value)),
            Kind::None => self.writer().nil(),
            Kind::Boolean => self.writer().boolean(raw::boolean(value)),
            Kind::Bytes => self.bytes(value)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Writes what [`Self::scalar`] left.
    fn compound(&mut self, value: &Bound<'py, PyAny>, depth: Depth, row: Row) -> Written {
        if let Ok(dict) = value.cast_exact::<PyDict>() {
            self.dict(dict, depth, row)
        } else if let Ok(list) = value.cast_exact::<PyList>() {
            self.sequence(list, depth)
        } else if let Ok(tuple) = value.cast_exact::<PyTuple>() {
            self.sequence(tuple, depth)
        } else {
            match raw::kind(value.as_borrowed()) {
                Kind::ByteArray => self.byte_array(value),
                Kind::Set => self.set(value, depth),
                Kind::Integer => self.big_integer(value),
                _ if depth == Depth::ROOT && self.set_aside(value) => Ok(()),
                _ => self.object(value),
            }
        }
    }

    /// Whether a value is a coroutine, whose own value is asked for; it is set aside then.
    fn set_aside(&mut self, value: &Bound<'py, PyAny>) -> bool {
        let Some(Context { state, coroutine: Some(place), .. }) = &mut self.context else { return false };
        let is_coroutine = value.get_type().is(&state.hooks.coroutine);
        if is_coroutine {
            **place = Some(value.clone().unbind());
        }
        is_coroutine
    }

    fn text(&mut self, text: Seen<'_, 'py>) -> Written {
        let utf8 = raw::utf8(text).ok_or_else(|| refused("a str with a lone surrogate, which is no UTF-8"))?;
        self.room_for(utf8.len())?;
        match &mut self.context {
            Some(context) if utf8.len() >= MIN_SEGMENT_BYTES => {
                let segment = context.segments.add_text(text, utf8.len());
                self.writer().segment(segment);
            }
            _ => self.writer().text_bytes(utf8),
        }
        Ok(())
    }

    fn bytes(&mut self, bytes: Seen<'_, 'py>) -> Written {
        let content = raw::bytes(bytes);
        self.room_for(content.len())?;
        match &mut self.context {
            Some(context) if content.len() >= MIN_SEGMENT_BYTES => {
                let segment = context.segments.add_bytes(bytes, content.len());
                self.writer().segment(segment);
            }
            _ => self.writer().binary(content),
        }
        Ok(())
    }

    /// Whoever else holds it may change it, so it is copied.
    fn byte_array(&mut self, array: &Bound<'py, PyAny>) -> Written {
        let array = array.cast::<PyByteArray>().map_err(|_| refused("a bytearray that is none"))?;
        self.room_for(array.len())?;
        // SAFETY: the interpreter's lock is held, and nothing runs in here that could change the array.
        let content = unsafe { array.as_bytes() };
        Writer::new(self.buffer).binary(content);
        Ok(())
    }

    fn sequence<S: Sequence<'py>>(&mut self, sequence: &S, depth: Depth) -> Written {
        let length = sequence.length();
        if length >= MIN_VECTOR_ELEMENTS && self.context.is_some() {
            self.room_for(length.saturating_mul(size_of::<f64>()))?;
            if vectors::try_write(&mut self.writer(), sequence) {
                return Ok(());
            }
        }
        let depth = self.enter(depth, length)?;
        self.writer().array(length);
        let row = self.keys.len();
        for index in 0..length {
            // Garbage collection can run any `__del__` in here, so the list may be shorter by now.
            // SAFETY: `element` holds what it uses behind code of Python.
            let element = unsafe { sequence.element(index) };
            let element = element.ok_or_else(|| refused("a list that changed while it was read"))?;
            self.element(element, depth, Some(row)).map_err(|error| below(error, || Step::Index(index)))?;
        }
        self.keys.truncate(row);
        Ok(())
    }

    fn set(&mut self, set: &Bound<'py, PyAny>, depth: Depth) -> Written {
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

    /// Writes an integer of more than 64 bits: as such, or by reference.
    fn big_integer(&mut self, integer: &Bound<'py, PyAny>) -> Written {
        if self.context.as_ref().is_some_and(|context| context.takes_big_integers) {
            self.room_for(MAX_INTEGER_BYTES)?;
            if write_big_integer(integer, &mut self.writer()) {
                return Ok(());
            }
        }
        self.object(integer)
    }

    fn object(&mut self, object: &Bound<'py, PyAny>) -> Written {
        let Some(context) = &mut self.context else {
            return Err(refused(format!("an object of type {}", type_name(object))));
        };
        let writer = &mut Writer::new(self.buffer);
        if let Some(php) = context.state.php_object(object) {
            let id = php.get().id(context.state).ok_or_else(|| refused(php.get().absence(context.state)))?;
            writer.php_handle(id);
            context.held.push(php.unbind());
            return Ok(());
        }
        if object.cast::<PhpObject>().is_ok_and(|half| half.get().is_over(context.state.php.request())) {
            return Err(refused("an object whose PHP half is of an earlier request"));
        }
        let State { hooks, numpy, table, .. } = context.state;
        if hooks.moments.write(object, writer) || numpy.write_scalar(object, table, writer) {
            return Ok(());
        }
        let reference =
            table.borrow(object.py()).map_err(|error| refused(error.to_string()))?.hand_out(object, context.given);
        self.writer().object(reference);
        Ok(())
    }

    fn enter(&self, depth: Depth, elements: usize) -> Result<Depth, Box<Unconvertible>> {
        self.room_for(elements)?;
        depth.enter().map_err(|error| refused(error.to_string()))
    }

    /// Lists that share elements can grow without end when they are copied out.
    fn room_for(&self, bytes: usize) -> Written {
        let segments = self.context.as_ref().map_or(0, |context| context.segments.bytes());
        if self.buffer.len() + segments + bytes > MAX_FRAME_BYTES {
            return Err(refused(format!("too large: an answer is at most {MAX_FRAME_BYTES} bytes")));
        }
        Ok(())
    }

    fn writer(&mut self) -> Writer<'_> {
        Writer::new(self.buffer)
    }
}
