//! Texts, and bulk that is taken out of the channel straight to where it is to lie.

use std::mem::MaybeUninit;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use tortoise_channel::ChannelError;
use tortoise_protocol::codec::ELEMENT_BYTES;
use tortoise_protocol::{Segment, SegmentKind};

use super::Read;
use super::lists::{Kinds, NewList, Numbers};
use super::request::Incoming;

/// Bytes of a list of numbers that are taken out of the channel at once: they stay in the processor's cache until they
/// are numbers of Python.
const PART_BYTES: usize = 32 << 10;

/// A `str`, or `bytes` if it is not UTF-8.
pub(super) fn text<'py>(py: Python<'py>, bytes: &[u8]) -> Bound<'py, PyAny> {
    // Python looks itself whether it is, and nearly always it is.
    // SAFETY: makes a new `str` of so many bytes, or raises.
    let text = unsafe {
        let (start, length) = (bytes.as_ptr().cast(), bytes.len() as ffi::Py_ssize_t);
        Bound::from_owned_ptr_or_opt(py, ffi::PyUnicode_DecodeUTF8(start, length, std::ptr::null()))
    };
    text.unwrap_or_else(|| {
        drop(PyErr::take(py));
        PyBytes::new(py, bytes).into_any()
    })
}

/// What a segment holds, read where it shall lie.
pub(super) fn segment<'py>(
    py: Python<'py>,
    segments: &mut Incoming<'_>,
    Segment { kind, bytes }: Segment,
) -> Read<Bound<'py, PyAny>> {
    let bytes = promised(segments, bytes)?;
    match kind {
        SegmentKind::Binary => Ok(received(py, segments, bytes)?.into_any()),
        SegmentKind::Text => {
            // Most of what is large and no text says so at once, and then it lies already where it shall.
            let received = received(py, segments, bytes)?;
            match std::str::from_utf8(received.as_bytes()) {
                Ok(text) => Ok(PyString::new(py, text).into_any()),
                Err(_) => Ok(received.into_any()),
            }
        }
        SegmentKind::Floats => numbers(py, segments, bytes, Kinds::Floats),
        SegmentKind::Integers => numbers(py, segments, bytes, Kinds::Integers),
    }
}

/// The length of a segment, if the frame's segments are that long.
pub(super) fn promised(segments: &Incoming<'_>, bytes: u32) -> Result<usize, ChannelError> {
    let (wanted, left) = (bytes as usize, segments.left());
    if wanted > left { Err(ChannelError::SegmentsTooShort { wanted, left }) } else { Ok(wanted) }
}

/// The next bytes of the segments as `bytes`.
pub(super) fn received<'py>(py: Python<'py>, segments: &mut Incoming<'_>, length: usize) -> Read<Bound<'py, PyBytes>> {
    // SAFETY: makes new bytes of that length, not yet filled, or raises.
    let bytes = unsafe {
        let bytes = ffi::PyBytes_FromStringAndSize(std::ptr::null(), length as ffi::Py_ssize_t);
        Bound::from_owned_ptr_or_err(py, bytes)?.cast_into_unchecked::<PyBytes>()
    };
    // SAFETY: the object is new and nobody else has it, so its `length` bytes are ours to write until it is given away.
    let place = unsafe {
        let start = ffi::PyBytes_AsString(bytes.as_ptr()).cast::<MaybeUninit<u8>>();
        std::slice::from_raw_parts_mut(start, length)
    };
    segments.receive(py, place)?;
    Ok(bytes)
}

fn numbers<'py>(
    py: Python<'py>,
    segments: &mut Incoming<'_>,
    bytes: usize,
    kinds: Kinds<'_>,
) -> Read<Bound<'py, PyAny>> {
    let mut list = NewList::new(py, bytes / ELEMENT_BYTES)?;
    let mut part = Vec::<u8>::with_capacity(bytes.min(PART_BYTES));
    let mut left = bytes;
    while left > 0 {
        let length = left.min(PART_BYTES);
        part.clear();
        let place = &mut part.spare_capacity_mut()[..length];
        segments.receive(py, place)?;
        // SAFETY: the channel has filled all of the place.
        unsafe { part.set_len(length) };
        list.push_numbers(Numbers { values: &part, kinds })?;
        left -= length;
    }
    Ok(list.whole_of_numbers())
}
