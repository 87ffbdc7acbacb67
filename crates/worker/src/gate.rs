//! The one place that decides which names of an object a client may touch.

use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};
use rustc_hash::FxHashMap;
use tortoise_protocol::failure::{Category, Failure, Ran};

use crate::names::{class_name, type_name};

/// Names that are kept ready. A program has fewer; a client that makes names up costs no more than this.
const MAX_KEPT_NAMES: usize = 4096;

/// The names that passed, as Python wants them: a name is looked at and made only once.
#[derive(Default)]
pub(crate) struct Gate {
    passed: FxHashMap<Box<str>, Py<PyString>>,
}

impl Gate {
    /// The name as a Python string, if clients may use it.
    ///
    /// # Errors
    /// A [`Category::Access`] failure that says which name of which class, and why.
    pub(crate) fn pass<'py>(
        &mut self,
        name: &str,
        target: &Bound<'py, PyAny>,
    ) -> Result<Bound<'py, PyString>, Box<Failure>> {
        let py = target.py();
        if let Some(known) = self.passed.get(name) {
            return Ok(known.bind(py).clone());
        }
        if let Some(reason) = refusal(name) {
            let message = format!("{name:?} of {} is not for PHP: {reason}", shown(target));
            return Err(Box::new(Failure::new(Category::Access, Ran::No, message)));
        }
        if self.passed.len() >= MAX_KEPT_NAMES {
            self.passed.clear();
        }
        let interned = PyString::intern(py, name);
        self.passed.insert(name.into(), interned.clone().unbind());
        Ok(interned)
    }

    /// Whether clients may use a name at all.
    pub(crate) fn is_open(name: &str) -> bool {
        refusal(name).is_none()
    }
}

fn refusal(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("a name cannot be empty")
    } else if name.starts_with('_') {
        Some("names with a leading underscore are private")
    } else if name.contains('.') {
        Some("a dot cannot stand in a name")
    } else {
        None
    }
}

fn shown(target: &Bound<'_, PyAny>) -> String {
    target.cast::<PyType>().map_or_else(|_| type_name(target), |class| format!("class {}", class_name(class)))
}
