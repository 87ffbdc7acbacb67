//! The one place that decides which names of an object a client may touch. (Of a module, [`crate::modules`] decides first
//! whether it may be touched at all.)

use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};
use rustc_hash::FxHashMap;
use tortoise_protocol::Malformed;
use tortoise_protocol::failure::{Category, Failure, Ran};
use tortoise_protocol::request::MethodName;

use crate::dispatch::{Handled, State};
use crate::names::{class_name, type_name};
use crate::php::is_of_two;

/// Names that are kept ready. A program has fewer; a client that makes names up costs no more than this.
const MAX_KEPT_NAMES: usize = 4096;

/// The names that passed, as Python wants them: a name is looked at and made only once.
#[derive(Default)]
pub(crate) struct Gate {
    passed: FxHashMap<Box<str>, Py<PyString>>,
    /// Methods by the indexes that the client gave them.
    indexed: Vec<Option<Indexed>>,
}

enum Indexed {
    /// The target itself is called.
    Itself,
    Open(Py<PyString>),
    Refused(Box<str>),
}

/// What a call calls.
pub(crate) enum Method<'py> {
    /// The target itself.
    Itself,
    /// The target's method of this name.
    Open(Bound<'py, PyString>),
    /// A method that is not for clients.
    Refused(Box<str>),
}

impl State {
    /// A name as [`Gate::pass`] gives it, or one that the object opens.
    ///
    /// # Errors
    /// As [`Gate::pass`].
    #[inline]
    pub(crate) fn passed<'py>(&self, name: &str, target: &Bound<'py, PyAny>) -> Handled<Bound<'py, PyString>> {
        let passed = self.gate.borrow(target.py())?.pass(name, target);
        match passed {
            // Code of a metaclass may run, so the gate is not borrowed here.
            Err(_) if Gate::opens(name, target) => Ok(PyString::intern(target.py(), name)),
            passed => Ok(passed?),
        }
    }
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
        self.known(target.py(), name).ok_or_else(|| refused(name, target))
    }

    /// Whether a private name of an object is one that PHP may use all the same: where PHP's own class is among its classes, a
    /// leading underscore is PHP's way to write what is for subclasses.
    #[cold]
    pub(crate) fn opens(name: &str, target: &Bound<'_, PyAny>) -> bool {
        name.starts_with('_') && !name.starts_with("__") && !name.contains('.') && is_of_two(target)
    }

    /// The method that a call names. An index is given its name here, whatever becomes of the call.
    ///
    /// # Errors
    /// [`Malformed`] if the client never gave the index a name.
    pub(crate) fn method<'py>(&mut self, py: Python<'py>, name: MethodName<'_>) -> Result<Method<'py>, Malformed> {
        match name {
            MethodName::Index(index) => match self.indexed.get(usize::from(index)) {
                Some(Some(Indexed::Open(name))) => Ok(Method::Open(name.bind(py).clone())),
                Some(Some(Indexed::Itself)) => Ok(Method::Itself),
                Some(Some(Indexed::Refused(name))) => Ok(Method::Refused(name.clone())),
                Some(None) | None => {
                    let found = "the index of no name";
                    Err(Malformed::Unexpected { expected: "the index of a method", found })
                }
            },
            MethodName::Text(name) => Ok(self.named(py, name)),
            MethodName::Indexed(index, name) => {
                let method = self.named(py, name);
                let place = usize::from(index);
                if self.indexed.len() <= place {
                    self.indexed.resize_with(place + 1, || None);
                }
                self.indexed[place] = Some(match &method {
                    Method::Itself => Indexed::Itself,
                    Method::Open(name) => Indexed::Open(name.clone().unbind()),
                    Method::Refused(name) => Indexed::Refused(name.clone()),
                });
                Ok(method)
            }
        }
    }

    /// Whether clients may use a name of something that may not be there yet; `of` says what that is.
    ///
    /// # Errors
    /// As [`Self::pass`].
    pub(crate) fn check(name: &str, of: impl FnOnce() -> String) -> Result<(), Box<Failure>> {
        refusal(name).map_or(Ok(()), |reason| {
            let message = format!("{name:?} of {} is not for PHP: {reason}", of());
            Err(Box::new(Failure::new(Category::Access, Ran::No, message)))
        })
    }

    /// Whether clients may use a name at all.
    pub(crate) fn is_open(name: &str) -> bool {
        refusal(name).is_none()
    }

    fn named<'py>(&mut self, py: Python<'py>, name: &str) -> Method<'py> {
        if name.is_empty() {
            return Method::Itself;
        }
        match self.known(py, name) {
            Some(name) => Method::Open(name),
            None => Method::Refused(name.into()),
        }
    }

    /// None if the name is not for clients.
    fn known<'py>(&mut self, py: Python<'py>, name: &str) -> Option<Bound<'py, PyString>> {
        if let Some(known) = self.passed.get(name) {
            return Some(known.bind(py).clone());
        }
        if !Self::is_open(name) {
            return None;
        }
        if self.passed.len() >= MAX_KEPT_NAMES {
            self.passed.clear();
        }
        let interned = PyString::intern(py, name);
        self.passed.insert(name.into(), interned.clone().unbind());
        Some(interned)
    }
}

/// The failure of a name that is not for clients.
pub(crate) fn refused(name: &str, target: &Bound<'_, PyAny>) -> Box<Failure> {
    let reason = refusal(name).unwrap_or_default();
    let message = format!("{name:?} of {} is not for PHP: {reason}", shown(target));
    Box::new(Failure::new(Category::Access, Ran::No, message))
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
