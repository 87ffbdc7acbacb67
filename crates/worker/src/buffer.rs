//! The memory that an object lends through Python's buffer protocol.

use std::ffi::{CStr, c_int};
use std::mem::MaybeUninit;

use pyo3::ffi;
use pyo3::prelude::*;

/// Memory on loan; it is given back when this is dropped.
pub(crate) struct Buffer<'py> {
    /// Boxed, because its owner may have pointers into it.
    view: Box<ffi::Py_buffer>,
    _py: Python<'py>,
}

/// One dimension of a buffer.
#[derive(Clone, Copy)]
pub(crate) struct Dimension {
    /// How many elements there are.
    pub(crate) count: usize,
    /// Bytes from one to the next; 0 and negative ones are possible.
    pub(crate) stride: isize,
}

impl<'py> Buffer<'py> {
    /// Borrows an object's memory to read it; None if the object has none to lend.
    pub(crate) fn read(object: &Bound<'py, PyAny>) -> Option<Self> {
        Self::lent(object, ffi::PyBUF_FULL_RO)
    }

    /// Borrows an object's memory to fill it, if it is in one piece of so many bytes.
    pub(crate) fn fill(object: &Bound<'py, PyAny>, bytes: usize) -> Option<Self> {
        Self::lent(object, ffi::PyBUF_WRITABLE).filter(|buffer| buffer.view.len as usize == bytes)
    }

    fn lent(object: &Bound<'py, PyAny>, flags: c_int) -> Option<Self> {
        let mut view = Box::new(ffi::Py_buffer::new());
        // SAFETY: the object is live, and the view is filled only if 0 comes back; otherwise there is an exception.
        unsafe {
            if ffi::PyObject_CheckBuffer(object.as_ptr()) == 0 {
                return None;
            }
            if ffi::PyObject_GetBuffer(object.as_ptr(), &raw mut *view, flags) != 0 {
                ffi::PyErr_Clear();
                return None;
            }
        }
        Some(Self { view, _py: object.py() })
    }

    /// The format of an element, in the words of Python's `struct`.
    pub(crate) fn format(&self) -> &[u8] {
        if self.view.format.is_null() {
            return b"B";
        }
        // SAFETY: a format is a string that ends with a NUL and lives as long as the loan.
        unsafe { CStr::from_ptr(self.view.format) }.to_bytes()
    }

    /// Bytes of an element.
    pub(crate) fn element_bytes(&self) -> usize {
        self.view.itemsize as usize
    }

    /// The first element.
    pub(crate) fn start(&self) -> *const u8 {
        self.view.buf.cast()
    }

    /// The dimensions, the outermost first; None if elements lie behind further pointers.
    pub(crate) fn dimensions(&self) -> Option<Vec<Dimension>> {
        let rank = self.view.ndim as usize;
        // SAFETY: these are null, or arrays of one number for each dimension that live as long as the loan.
        let numbers = |array: *mut ffi::Py_ssize_t| unsafe {
            if array.is_null() { &[][..] } else { std::slice::from_raw_parts(array, rank) }
        };
        let (shape, strides) = (numbers(self.view.shape), numbers(self.view.strides));
        let is_direct = numbers(self.view.suboffsets).iter().all(|offset| *offset < 0);
        if !is_direct || shape.len() != rank || strides.len() != rank {
            return None;
        }
        let dimension = |(count, stride): (&isize, &isize)| Dimension { count: *count as usize, stride: *stride };
        Some(shape.iter().zip(strides).map(dimension).collect())
    }

    /// The place to fill.
    pub(crate) fn place(&mut self) -> &mut [MaybeUninit<u8>] {
        // SAFETY: the memory was lent to be written, in one piece of that length, to us who have the object first.
        unsafe { std::slice::from_raw_parts_mut(self.view.buf.cast(), self.view.len as usize) }
    }
}

impl Drop for Buffer<'_> {
    fn drop(&mut self) {
        // SAFETY: the view was filled by `PyObject_GetBuffer`, and is released once, with the interpreter's lock held.
        unsafe { ffi::PyBuffer_Release(&raw mut *self.view) };
    }
}
