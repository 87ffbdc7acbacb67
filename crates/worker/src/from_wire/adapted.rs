//! Arguments for parameters that want something else than the plain value: arrays, `memoryview` and `bytearray` are made
//! in one pass, without a list or bytes in between; the rest is made of the plain value by Python.

use std::mem::MaybeUninit;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes};
use tortoise_protocol::codec::ELEMENT_BYTES;
use tortoise_protocol::{Depth, Segment, SegmentKind, Token};

use super::request::Incoming;
use super::{Decoder, Read, Unreadable, bulk, key_step};
use crate::buffer::Buffer;
use crate::numpy::{self, Number};
use crate::parameters::Wanted;
use crate::path::Path;

impl<'py> Decoder<'_, 'py, '_> {
    /// Whether the next value is one that a parameter may want as something else.
    pub(crate) fn may_be_wanted(&self) -> bool {
        self.request.reader.plain_value_is_next()
    }

    /// Reads one value of the outermost array, for which [`Self::may_be_wanted`], as what a parameter wants. What cannot
    /// be made so is what it would be otherwise.
    ///
    /// # Errors
    /// As [`Self::value`].
    pub(crate) fn wanted(&mut self, wanted: &Wanted) -> Read<Bound<'py, PyAny>> {
        let py = self.py;
        if let Wanted::Adapted(adapter) = wanted {
            return adapted(adapter.bind(py), &self.element()?);
        }
        let token = self.request.reader.token()?;
        match (wanted, token) {
            (Wanted::Bytes, Token::Text(bytes)) => Ok(PyBytes::new(py, bytes).into_any()),
            (Wanted::MemoryView, Token::Text(bytes) | Token::Binary(bytes)) => memory_view(&PyBytes::new(py, bytes)),
            (Wanted::ByteArray, Token::Text(bytes) | Token::Binary(bytes)) => {
                Ok(PyByteArray::new(py, bytes).into_any())
            }
            (Wanted::Array, Token::Floats(_) | Token::Integers(_) | Token::Numbers { .. }) => self.vector(token),
            (wanted, Token::Segment(segment)) => self.wanted_segment(wanted, segment),
            (Wanted::Array, Token::Array(rows)) => match self.matrix(rows)? {
                Some(array) => Ok(array),
                None => {
                    let list = self.value_of(token, Depth::ROOT)?;
                    Ok(numpy::of_list(&list).unwrap_or(list))
                }
            },
            _ => self.value_of(token, Depth::ROOT),
        }
    }

    fn wanted_segment(&mut self, wanted: &Wanted, segment: Segment) -> Read<Bound<'py, PyAny>> {
        use SegmentKind::{Binary, Floats, Integers, Text};
        let py = self.py;
        match (wanted, segment.kind) {
            (Wanted::Bytes, Text) => {
                let segment = Segment { kind: Binary, ..segment };
                self.value_of(Token::Segment(segment), Depth::ROOT)
            }
            (Wanted::MemoryView, Text | Binary) => {
                let length = bulk::promised(&self.request.segments, segment.bytes)?;
                memory_view(&bulk::received(py, &mut self.request.segments, length)?)
            }
            (Wanted::ByteArray, Text | Binary) => {
                let length = bulk::promised(&self.request.segments, segment.bytes)?;
                received_array(py, &mut self.request.segments, length)
            }
            (Wanted::Array, Floats | Integers) => {
                let number = if segment.kind == Floats { Number::Float } else { Number::Integer };
                let length = bulk::promised(&self.request.segments, segment.bytes)?;
                let array = numpy::new_array(py, number, &[length / ELEMENT_BYTES]);
                match array.as_ref().and_then(|array| Buffer::fill(array, length)).zip(array.as_ref()) {
                    Some((mut buffer, array)) => {
                        self.request.segments.receive(py, buffer.place())?;
                        Ok(array.clone())
                    }
                    None => self.value_of(Token::Segment(segment), Depth::ROOT),
                }
            }
            _ => self.value_of(Token::Segment(segment), Depth::ROOT),
        }
    }
}

/// What an adapter makes of a value.
fn adapted<'py>(adapter: &Bound<'py, PyAny>, value: &Bound<'py, PyAny>) -> Read<Bound<'py, PyAny>> {
    type Adapted<'py> = (Bound<'py, PyAny>, Option<(Vec<Bound<'py, PyAny>>, String)>);
    let (value, misfit) = adapter.call1((value,))?.extract::<Adapted<'py>>()?;
    let Some((steps, reason)) = misfit else { return Ok(value) };
    let mut path = Path::default();
    steps.iter().rev().for_each(|step| path.push(key_step(step)));
    Err(Box::new(Unreadable::Unfit { reason, path }))
}

fn memory_view<'py>(bytes: &Bound<'py, PyBytes>) -> Read<Bound<'py, PyAny>> {
    // SAFETY: makes a new object that holds the bytes, or raises.
    Ok(unsafe { Bound::from_owned_ptr_or_err(bytes.py(), ffi::PyMemoryView_FromObject(bytes.as_ptr())) }?)
}

fn received_array<'py>(py: Python<'py>, segments: &mut Incoming<'_>, length: usize) -> Read<Bound<'py, PyAny>> {
    // SAFETY: makes a new array of that length, not yet filled, or raises.
    let array = unsafe {
        let array = ffi::PyByteArray_FromStringAndSize(std::ptr::null(), length as ffi::Py_ssize_t);
        Bound::from_owned_ptr_or_err(py, array)?
    };
    // SAFETY: the object is new and nobody else has it, so its `length` bytes are ours to write until it is given away.
    let place = unsafe {
        let start = ffi::PyByteArray_AsString(array.as_ptr()).cast::<MaybeUninit<u8>>();
        std::slice::from_raw_parts_mut(start, length)
    };
    segments.receive(py, place)?;
    Ok(array)
}
