//! Texts, bytes and lists of numbers, made in their final size from the payload or straight out of the channel.

use std::mem::MaybeUninit;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use tortoise_channel::{Channel, ChannelError};
use tortoise_protocol::codec::ELEMENT_BYTES;
use tortoise_protocol::{Segment, SegmentKind};

use super::Read;

/// Bytes of a list of numbers that are taken out of the channel at once: they stay in the processor's cache until they
/// are numbers of Python.
const PART_BYTES: usize = 32 << 10;

/// A `str`, or `bytes` if it is not UTF-8.
pub(super) fn text<'py>(py: Python<'py>, bytes: &[u8]) -> Bound<'py, PyAny> {
    match std::str::from_utf8(bytes) {
        Ok(text) => PyString::new(py, text).into_any(),
        Err(_) => PyBytes::new(py, bytes).into_any(),
    }
}

/// A list that is being filled. Garbage collection does not know it yet, so nobody else can come across the places in it
/// that are still empty.
pub(super) struct NewList<'py> {
    list: Bound<'py, PyAny>,
    filled: usize,
}

impl<'py> NewList<'py> {
    /// A list of so many elements, which all must be set.
    pub(super) fn new(py: Python<'py>, length: usize) -> PyResult<Self> {
        // SAFETY: makes a new list or raises; a length from the wire is below that of a frame. Any list is tracked from
        // the start, and may be untracked as long as it is tracked again before others see it.
        unsafe {
            let list = Bound::from_owned_ptr_or_err(py, ffi::PyList_New(length as ffi::Py_ssize_t))?;
            ffi::PyObject_GC_UnTrack(list.as_ptr().cast());
            Ok(Self { list, filled: 0 })
        }
    }

    /// Sets the next element; there are never more than the list was made for.
    pub(super) fn push(&mut self, element: Bound<'py, PyAny>) {
        // SAFETY: the list is live, and takes the reference over, whatever the index.
        unsafe { ffi::PyList_SetItem(self.list.as_ptr(), self.filled as ffi::Py_ssize_t, element.into_ptr()) };
        self.filled += 1;
    }

    /// The list, whose elements are all set.
    pub(super) fn whole(self) -> Bound<'py, PyAny> {
        // SAFETY: the list is live and untracked since it was made.
        unsafe { ffi::PyObject_GC_Track(self.list.as_ptr().cast()) };
        self.list
    }
}

/// A list of floats.
pub(super) fn floats<'py>(py: Python<'py>, elements: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let mut list = NewList::new(py, elements.len() / ELEMENT_BYTES)?;
    push_all(&mut list, elements, float)?;
    Ok(list.whole())
}

/// A list of integers.
pub(super) fn integers<'py>(py: Python<'py>, elements: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    let mut list = NewList::new(py, elements.len() / ELEMENT_BYTES)?;
    push_all(&mut list, elements, integer)?;
    Ok(list.whole())
}

/// What a segment holds, read where it shall lie.
pub(super) fn segment<'py>(
    py: Python<'py>,
    channel: &mut Channel,
    Segment { kind, bytes }: Segment,
) -> Read<Bound<'py, PyAny>> {
    let bytes = promised(channel, bytes)?;
    match kind {
        SegmentKind::Binary => Ok(received(py, channel, bytes)?.into_any()),
        SegmentKind::Text => {
            // Most of what is large and no text says so at once, and then it lies already where it shall.
            let received = received(py, channel, bytes)?;
            match std::str::from_utf8(received.as_bytes()) {
                Ok(text) => Ok(PyString::new(py, text).into_any()),
                Err(_) => Ok(received.into_any()),
            }
        }
        SegmentKind::Floats => numbers(py, channel, bytes, float),
        SegmentKind::Integers => numbers(py, channel, bytes, integer),
    }
}

/// The length of a segment, if the frame's segments are that long.
pub(super) fn promised(channel: &Channel, bytes: u32) -> Result<usize, ChannelError> {
    let (wanted, left) = (bytes as usize, channel.segment_bytes_left());
    if wanted > left { Err(ChannelError::SegmentsTooShort { wanted, left }) } else { Ok(wanted) }
}

/// The next bytes of the segments as `bytes`.
pub(super) fn received<'py>(py: Python<'py>, channel: &mut Channel, length: usize) -> Read<Bound<'py, PyBytes>> {
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
    // A peer may take its time, and other threads of the user's code need not wait with us.
    py.detach(|| channel.receive_segment(place))?;
    Ok(bytes)
}

fn numbers<'py>(
    py: Python<'py>,
    channel: &mut Channel,
    bytes: usize,
    make: impl Fn(Python<'py>, [u8; ELEMENT_BYTES]) -> PyResult<Bound<'py, PyAny>>,
) -> Read<Bound<'py, PyAny>> {
    let mut list = NewList::new(py, bytes / ELEMENT_BYTES)?;
    let mut part = Vec::<u8>::with_capacity(bytes.min(PART_BYTES));
    let mut left = bytes;
    while left > 0 {
        let length = left.min(PART_BYTES);
        part.clear();
        let place = &mut part.spare_capacity_mut()[..length];
        py.detach(|| channel.receive_segment(place))?;
        // SAFETY: the channel has filled all of the place.
        unsafe { part.set_len(length) };
        push_all(&mut list, &part, &make)?;
        left -= length;
    }
    Ok(list.whole())
}

fn float<'py>(py: Python<'py>, element: [u8; ELEMENT_BYTES]) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: makes a new float or raises.
    unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyFloat_FromDouble(f64::from_le_bytes(element))) }
}

fn integer<'py>(py: Python<'py>, element: [u8; ELEMENT_BYTES]) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: makes an `int` or raises.
    unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyLong_FromLongLong(i64::from_le_bytes(element))) }
}

/// Puts further numbers into a list.
fn push_all<'py>(
    list: &mut NewList<'py>,
    elements: &[u8],
    make: impl Fn(Python<'py>, [u8; ELEMENT_BYTES]) -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<()> {
    let py = list.list.py();
    elements
        .as_chunks::<ELEMENT_BYTES>()
        .0
        .iter()
        .try_for_each(|element| make(py, *element).map(|number| list.push(number)))
}
