//! Lists that are filled in place, above all of numbers.

use std::sync::{Mutex, PoisonError};

use pyo3::ffi;
use pyo3::prelude::*;
use tortoise_protocol::Token;
use tortoise_protocol::codec::ELEMENT_BYTES;

/// So many numbers take a good third of what Python's allocator takes from the system at once, and gives back as soon as
/// nothing in it is in use (its arenas of 1 MiB).
const KEPT_STRIDE: usize = 16 << 10;

/// Numbers that are kept, so at most as many MiB stay with the session.
const MAX_KEPT: usize = 16;

/// Some of the numbers of the last long list: as long as they live, what they lie in stays. Otherwise every long list would
/// be laid into fresh memory, and most of its time go into page faults (750 for 100,000 floats).
static KEPT: Mutex<Vec<Py<PyAny>>> = Mutex::new(Vec::new());

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

    /// Sets the next elements to numbers.
    ///
    /// # Errors
    /// If there is no memory for them.
    pub(super) fn push_numbers(&mut self, numbers: Numbers<'_>) -> PyResult<()> {
        let (values, _) = numbers.values.as_chunks::<ELEMENT_BYTES>();
        match numbers.kinds {
            Kinds::Floats => self.push_each(values.iter(), |value| float(*value)),
            Kinds::Integers => self.push_each(values.iter(), |value| integer(*value)),
            Kinds::Mixed(integers) => values.chunks(8).zip(integers).try_for_each(|(values, bits)| {
                let bits = (0..8).map(|bit| bits >> bit & 1 == 1);
                self.push_each(
                    values.iter().zip(bits),
                    |(value, is_integer)| {
                        if is_integer { integer(*value) } else { float(*value) }
                    },
                )
            }),
        }
    }

    /// Sets the next elements to what `make` gives: new references, or null with an exception. Half the instructions of
    /// [`Self::push`] for each, and there may be very many.
    #[inline(always)]
    fn push_each<T>(
        &mut self,
        values: impl Iterator<Item = T>,
        make: impl Fn(T) -> *mut ffi::PyObject,
    ) -> PyResult<()> {
        let list = self.list.as_ptr();
        for value in values {
            let element = make(value);
            if element.is_null() {
                return Err(PyErr::fetch(self.list.py()));
            }
            // SAFETY: as in `push`.
            unsafe { ffi::PyList_SetItem(list, self.filled as ffi::Py_ssize_t, element) };
            self.filled += 1;
        }
        Ok(())
    }

    /// The list, whose elements are all numbers and set.
    pub(super) fn whole_of_numbers(self) -> Bound<'py, PyAny> {
        if self.filled >= KEPT_STRIDE {
            let places = (KEPT_STRIDE / 2..self.filled).step_by(KEPT_STRIDE).take(MAX_KEPT);
            // SAFETY: the list is live, and the places are below its length: each has an element.
            let element = |place: usize| unsafe {
                let number = ffi::PyList_GetItem(self.list.as_ptr(), place as ffi::Py_ssize_t);
                Bound::from_borrowed_ptr(self.list.py(), number).unbind()
            };
            let kept = places.map(element).collect();
            // Those before go only now, so what they lie in has been used again.
            drop(std::mem::replace(&mut *KEPT.lock().unwrap_or_else(PoisonError::into_inner), kept));
        }
        self.whole()
    }

    /// The list, whose elements are all set.
    pub(super) fn whole(self) -> Bound<'py, PyAny> {
        // SAFETY: the list is live and untracked since it was made.
        unsafe { ffi::PyObject_GC_Track(self.list.as_ptr().cast()) };
        self.list
    }
}

/// Numbers as the wire has them.
#[derive(Clone, Copy)]
pub(super) struct Numbers<'a> {
    /// 8 little-endian bytes each.
    pub(super) values: &'a [u8],
    /// What they are.
    pub(super) kinds: Kinds<'a>,
}

/// What numbers are.
#[derive(Clone, Copy)]
pub(super) enum Kinds<'a> {
    Floats,
    Integers,
    /// Both, with a bit for each, which is set for integers.
    Mixed(&'a [u8]),
}

impl<'a> Numbers<'a> {
    /// Those of a list of numbers.
    pub(super) fn of(token: &Token<'a>) -> Option<Self> {
        Some(match *token {
            Token::Floats(values) => Self { values, kinds: Kinds::Floats },
            Token::Integers(values) => Self { values, kinds: Kinds::Integers },
            Token::Numbers { values, integers } => Self { values, kinds: Kinds::Mixed(integers) },
            _ => return None,
        })
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.values.len() / ELEMENT_BYTES
    }

    /// A list of them.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub(super) fn list<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let mut list = NewList::new(py, self.count())?;
        list.push_numbers(*self)?;
        Ok(list.whole_of_numbers())
    }
}

fn float(value: [u8; ELEMENT_BYTES]) -> *mut ffi::PyObject {
    // SAFETY: makes a new float or raises; whoever has a list that is being filled has the interpreter.
    unsafe { ffi::PyFloat_FromDouble(f64::from_le_bytes(value)) }
}

fn integer(value: [u8; ELEMENT_BYTES]) -> *mut ffi::PyObject {
    // SAFETY: as above.
    unsafe { ffi::PyLong_FromLongLong(i64::from_le_bytes(value)) }
}
