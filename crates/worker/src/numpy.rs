//! What the session knows of numpy, once the user's code has imported it.

use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};
use rustc_hash::FxHashMap;
use tortoise_protocol::Writer;

use crate::gil::GilCell;
use crate::raw;
use crate::table::Table;

/// numpy, as far as it is there.
pub(crate) struct Numpy {
    /// `arrays.scalar_types()`: numpy's scalar types that are numbers of PHP, with their kind.
    find_scalars: Py<PyAny>,
    /// From the address of such a type, which lives as long as numpy, to what its objects are. Empty until numpy is seen.
    scalars: GilCell<FxHashMap<usize, Scalar>>,
}

#[derive(Clone, Copy)]
enum Scalar {
    Boolean,
    Integer,
    Float,
}

impl Numpy {
    /// Before numpy has been seen. `find_scalars` names its scalar types, when it is there.
    pub(crate) fn new(find_scalars: Py<PyAny>) -> Self {
        Self { find_scalars, scalars: GilCell::new(FxHashMap::default()) }
    }

    /// Writes a numpy scalar that is a truth value, an integer of 64 bits or a float, and says whether it was one.
    pub(crate) fn write_scalar(
        &self,
        object: &Bound<'_, PyAny>,
        table: &GilCell<Table>,
        writer: &mut Writer<'_>,
    ) -> bool {
        let Ok(Some(scalar)) = self.scalar(object, table) else { return false };
        match scalar {
            Scalar::Boolean => object.is_truthy().map(|value| writer.boolean(value)).is_ok(),
            // A subclass of `float`, or convertible to it.
            Scalar::Float => object.extract().map(|value| writer.float(value)).is_ok(),
            Scalar::Integer => {
                // SAFETY: the object is live; a new `int` comes back, or null with an exception.
                let integer =
                    unsafe { Bound::from_owned_ptr_or_err(object.py(), ffi::PyNumber_Index(object.as_ptr())) };
                let integer = integer.ok().and_then(|integer| raw::integer(integer.as_borrowed()));
                integer.map(|value| writer.integer(value)).is_some()
            }
        }
    }

    /// What scalar of numpy an object is.
    fn scalar(&self, object: &Bound<'_, PyAny>, table: &GilCell<Table>) -> PyResult<Option<Scalar>> {
        let (py, kind) = (object.py(), object.get_type_ptr() as usize);
        let scalars = self.scalars.borrow(py)?;
        if !scalars.is_empty() {
            return Ok(scalars.get(&kind).copied());
        }
        drop(scalars);
        if table.borrow(py)?.has_seen(kind) {
            return Ok(None);
        }
        self.look(py)?;
        Ok(self.scalars.borrow(py)?.get(&kind).copied())
    }

    /// Looks whether numpy has come.
    fn look(&self, py: Python<'_>) -> PyResult<()> {
        if module(py).is_none() {
            return Ok(());
        }
        let found = self.find_scalars.bind(py).call0()?.cast_into::<PyDict>()?;
        for (kind, code) in found.iter() {
            let scalar = match code.extract::<&str>() {
                Ok("b") => Scalar::Boolean,
                Ok("f") => Scalar::Float,
                _ => Scalar::Integer,
            };
            if kind.is_instance_of::<PyType>() {
                self.scalars.borrow(py)?.insert(kind.as_ptr() as usize, scalar);
            }
        }
        Ok(())
    }
}

/// What the elements of a new array are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Number {
    /// `float64`.
    Float,
    /// `int64`.
    Integer,
}

/// A new array whose elements are to be filled; None without numpy.
pub(crate) fn new_array<'py>(py: Python<'py>, number: Number, shape: &[usize]) -> Option<Bound<'py, PyAny>> {
    let numpy = module(py)?;
    let kind = match number {
        Number::Float => numpy.getattr(intern!(py, "float64")),
        Number::Integer => numpy.getattr(intern!(py, "int64")),
    };
    numpy.call_method1(intern!(py, "empty"), (PyTuple::new(py, shape).ok()?, kind.ok()?)).ok()
}

/// An array of a list; None if it cannot be one.
pub(crate) fn of_list<'py>(list: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    module(list.py())?.call_method1(intern!(list.py(), "asarray"), (list,)).ok()
}

/// numpy, if it has been imported to its end.
pub(crate) fn module(py: Python<'_>) -> Option<Bound<'_, PyAny>> {
    // SAFETY: looks into `sys.modules`; a new reference comes back, or null, perhaps with an exception.
    let module = unsafe {
        let name = intern!(py, "numpy");
        Bound::from_owned_ptr_or_opt(py, ffi::PyImport_GetModule(name.as_ptr()))
    };
    if module.is_none() {
        drop(PyErr::take(py));
    }
    module.filter(|module| module.hasattr(intern!(py, "ndarray")).unwrap_or(false))
}
