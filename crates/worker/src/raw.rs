//! Looks into Python's built-in objects with one call each, and without taking a reference.

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

/// The built-in types whose objects are values. Only exact ones are: a subclass has methods that a copy would lose.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Integer,
    Float,
    None,
    Boolean,
    List,
    Dict,
    Tuple,
    Bytes,
    ByteArray,
    Set,
    Other,
}

/// An object that someone else keeps alive.
pub(crate) type Seen<'a, 'py> = Borrowed<'a, 'py, PyAny>;

/// What an object is.
pub(crate) fn kind(object: Seen<'_, '_>) -> Kind {
    // SAFETY: a live object has a type, and the addresses of the built-in ones and of None never change.
    unsafe {
        let (object, kind) = (object.as_ptr(), ffi::Py_TYPE(object.as_ptr()));
        if kind == &raw mut ffi::PyUnicode_Type {
            Kind::Text
        } else if kind == &raw mut ffi::PyLong_Type {
            Kind::Integer
        } else if kind == &raw mut ffi::PyFloat_Type {
            Kind::Float
        } else if object == ffi::Py_None() {
            Kind::None
        } else if kind == &raw mut ffi::PyBool_Type {
            Kind::Boolean
        } else if kind == &raw mut ffi::PyDict_Type {
            Kind::Dict
        } else if kind == &raw mut ffi::PyList_Type {
            Kind::List
        } else if kind == &raw mut ffi::PyTuple_Type {
            Kind::Tuple
        } else if kind == &raw mut ffi::PyBytes_Type {
            Kind::Bytes
        } else if kind == &raw mut ffi::PyByteArray_Type {
            Kind::ByteArray
        } else if kind == &raw mut ffi::PySet_Type || kind == &raw mut ffi::PyFrozenSet_Type {
            Kind::Set
        } else {
            Kind::Other
        }
    }
}

/// The number that a float of the exact type, or of a subclass, is.
pub(crate) fn float(float: Seen<'_, '_>) -> f64 {
    // SAFETY: the object is live; for a float this reads its field. For anything else it may raise, and gives -1.0.
    unsafe { ffi::PyFloat_AsDouble(float.as_ptr()) }
}

/// The number that an `int` is, if 64 bits hold it.
pub(crate) fn integer(integer: Seen<'_, '_>) -> Option<i64> {
    let mut overflow = 0;
    // SAFETY: the object is live and an `int`, so this cannot raise.
    let value = unsafe { ffi::PyLong_AsLongLongAndOverflow(integer.as_ptr(), &raw mut overflow) };
    if overflow == 0 { Some(value) } else { None }
}

/// Whether a bool is True.
pub(crate) fn boolean(boolean: Seen<'_, '_>) -> bool {
    // SAFETY: True is one object, at an address that never changes.
    boolean.as_ptr() == unsafe { ffi::Py_True() }
}

/// The UTF-8 of a `str`, which the object keeps as long as it lives. None if it has a lone surrogate.
pub(crate) fn utf8<'a>(text: Seen<'a, '_>) -> Option<&'a [u8]> {
    let mut length = 0;
    // SAFETY: the object is live and a `str`; what comes back lies in it and never changes, or is null with an exception.
    unsafe {
        let start = ffi::PyUnicode_AsUTF8AndSize(text.as_ptr(), &raw mut length);
        if start.is_null() {
            ffi::PyErr_Clear();
            return None;
        }
        Some(std::slice::from_raw_parts(start.cast::<u8>(), length as usize))
    }
}

/// What a `bytes` holds.
pub(crate) fn bytes<'a>(bytes: Seen<'a, '_>) -> &'a [u8] {
    // SAFETY: the object is live and a `bytes`, whose content lies in it and never changes.
    unsafe {
        let start = ffi::PyBytes_AsString(bytes.as_ptr()).cast::<u8>();
        std::slice::from_raw_parts(start, ffi::PyBytes_Size(bytes.as_ptr()) as usize)
    }
}

/// A list or a tuple.
pub(crate) trait Sequence<'py> {
    /// How many elements it has now.
    fn length(&self) -> usize;

    /// An element; None if there is none of that index.
    ///
    /// # Safety
    /// The element is only there until the sequence is changed, which any code of Python may do.
    unsafe fn element(&self, index: usize) -> Option<Seen<'_, 'py>>;
}

impl<'py> Sequence<'py> for Bound<'py, PyList> {
    fn length(&self) -> usize {
        self.len()
    }

    unsafe fn element(&self, index: usize) -> Option<Seen<'_, 'py>> {
        // SAFETY: this is a live list; an index beyond its end gives null and an exception. The caller answers for how
        // long the element is used.
        unsafe {
            let element = ffi::PyList_GetItem(self.as_ptr(), index as ffi::Py_ssize_t);
            if element.is_null() {
                ffi::PyErr_Clear();
                return None;
            }
            Some(Borrowed::from_ptr(self.py(), element))
        }
    }
}

impl<'py> Sequence<'py> for Bound<'py, PyTuple> {
    fn length(&self) -> usize {
        self.len()
    }

    unsafe fn element(&self, index: usize) -> Option<Seen<'_, 'py>> {
        // SAFETY: as for lists.
        unsafe {
            let element = ffi::PyTuple_GetItem(self.as_ptr(), index as ffi::Py_ssize_t);
            if element.is_null() {
                ffi::PyErr_Clear();
                return None;
            }
            Some(Borrowed::from_ptr(self.py(), element))
        }
    }
}

/// A walk over a dict. It stays within the dict even if that changes meanwhile; what it then meets is anyone's guess.
#[derive(Clone)]
pub(crate) struct Pairs<'a, 'py> {
    dict: &'a Bound<'py, PyDict>,
    position: ffi::Py_ssize_t,
}

impl<'a, 'py> Pairs<'a, 'py> {
    /// From the start.
    pub(crate) fn of(dict: &'a Bound<'py, PyDict>) -> Self {
        Self { dict, position: 0 }
    }

    /// The next key and its value.
    ///
    /// # Safety
    /// They are only there until the dict is changed, which any code of Python may do.
    pub(crate) unsafe fn next(&mut self) -> Option<(Seen<'a, 'py>, Seen<'a, 'py>)> {
        let (mut key, mut value) = (std::ptr::null_mut(), std::ptr::null_mut());
        // SAFETY: this is a live dict; the position is held against its size each time. The caller answers for how long
        // key and value are used.
        unsafe {
            match ffi::PyDict_Next(self.dict.as_ptr(), &raw mut self.position, &raw mut key, &raw mut value) {
                0 => None,
                _ => Some((Borrowed::from_ptr(self.dict.py(), key), Borrowed::from_ptr(self.dict.py(), value))),
            }
        }
    }
}
