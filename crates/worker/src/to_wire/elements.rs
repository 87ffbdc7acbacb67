//! An object's elements by value, for a client that asks for them.

use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyMapping};
use tortoise_protocol::Depth;

use super::maps::php_holds_keys_apart;
use super::unconvertible::refused;
use super::{Encoder, Written};
use crate::buffer::Buffer;
use crate::names::type_name;

impl<'py> Encoder<'_, 'py> {
    /// Writes the elements of an object: the numbers of a buffer, the pairs of a mapping, the items of what has a length.
    /// They follow the usual rules themselves.
    ///
    /// # Errors
    /// What the object's own code raises; and inside, what has no elements that PHP could hold.
    pub(crate) fn elements(&mut self, object: &Bound<'py, PyAny>) -> PyResult<Written> {
        let written = Buffer::read(object).map_or(Ok(false), |buffer| self.buffer(&buffer, Depth::ROOT));
        match written {
            Ok(false) => {}
            Ok(true) => return Ok(Ok(())),
            Err(error) => return Ok(Err(error)),
        }
        if object.cast::<PyMapping>().is_ok() {
            let dict = object.py().get_type::<PyDict>().call1((object,))?.cast_into::<PyDict>()?;
            return Ok(if php_holds_keys_apart(&dict) {
                self.dict(&dict, Depth::ROOT, None)
            } else {
                Err(keys(object))
            });
        }
        if let Some(to_list) = object.getattr_opt(intern!(object.py(), "tolist"))?
            && to_list.is_callable()
        {
            let list = to_list.call0()?;
            return Ok(self.value(&list, Depth::ROOT));
        }
        match object.len() {
            Ok(_) => {}
            Err(error) if error.is_instance_of::<PyTypeError>(object.py()) => return Ok(Err(endless(object))),
            Err(error) => return Err(error),
        }
        let list = PyList::empty(object.py());
        for item in object.try_iter()? {
            list.append(item?)?;
        }
        Ok(self.sequence(&list, Depth::ROOT))
    }
}

fn keys(object: &Bound<'_, PyAny>) -> Box<super::Unconvertible> {
    refused(format!(
        "the keys of this {} are no keys of a PHP array: those are texts and integers of 64 bits, and \"1\" is the same \
         as 1. Iterate over it, or give its items in Python",
        type_name(object)
    ))
}

fn endless(object: &Bound<'_, PyAny>) -> Box<super::Unconvertible> {
    refused(format!(
        "a {} has no length, so it may have no end. Iterate over it, or make a list of it in Python",
        type_name(object)
    ))
}
