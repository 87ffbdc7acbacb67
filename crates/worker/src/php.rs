//! PHP's objects in Python: which the session holds, and what is let go of.

mod functions;
mod halves;
mod import;
mod methods;
mod object;
mod properties;
mod thrown;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use pyo3::prelude::*;
use pyo3::types::{PyType, PyWeakrefMethods, PyWeakrefReference};
use rustc_hash::FxHashMap;
use tortoise_protocol::Malformed;
use tortoise_protocol::codec::PhpReference;
use tortoise_protocol::php_class::PhpClass;

pub(crate) use functions::PhpFunction;
pub(crate) use halves::{is_of_two, read_half};
pub(crate) use import::{php_class, php_request};
pub(crate) use methods::{PhpMethod, PhpMethodOf};
pub(crate) use object::{PhpObject, has_property, new_half, operate};
pub(crate) use properties::{PhpProperty, is_half};

use crate::dispatch::State;
use crate::failure::Fault;
use crate::gil::{Busy, GilCell};

/// The objects of PHP that Python holds.
pub(crate) struct PhpObjects {
    /// By id. The same PHP object is the same Python object, as long as that lives.
    objects: GilCell<FxHashMap<u64, Py<PyWeakrefReference>>>,
    /// Python's classes by PHP's numbers of them.
    classes: GilCell<FxHashMap<u32, Py<PyType>>>,
    /// What Python has let go of, with how often it was received; said with the next frame.
    releases: GilCell<Vec<(u64, u64)>>,
    /// Ids of Python's own objects that are gone, and that PHP keeps its half of; those of which the table could not be told.
    gone: GilCell<Vec<u64>>,
    /// Whether there are any.
    pub(crate) has_gone: AtomicBool,
    /// The number of PHP's request: an object of another is none any more.
    request: AtomicU64,
}

/// The number of the last request that one has: the sessions of a process have no two of the same number.
static LAST_REQUEST: AtomicU64 = AtomicU64::new(0);

impl PhpObjects {
    /// Before PHP has handed anything out.
    pub(crate) fn new() -> Self {
        Self {
            objects: GilCell::new(FxHashMap::default()),
            classes: GilCell::new(FxHashMap::default()),
            releases: GilCell::new(Vec::new()),
            gone: GilCell::new(Vec::new()),
            has_gone: AtomicBool::new(false),
            request: AtomicU64::new(next_request()),
        }
    }

    /// The number of PHP's request.
    pub(crate) fn request(&self) -> u64 {
        self.request.load(Ordering::Relaxed)
    }

    /// PHP's request is over, and has taken its objects with it.
    pub(crate) fn end_request(&self, py: Python<'_>) -> Result<(), Busy> {
        self.request.store(next_request(), Ordering::Relaxed);
        let gone = std::mem::take(&mut *self.objects.borrow(py)?);
        self.releases.borrow(py)?.clear();
        drop(gone);
        Ok(())
    }

    /// What Python has let go of since it was asked last.
    #[inline]
    pub(crate) fn take_releases(&self, py: Python<'_>) -> Vec<(u64, u64)> {
        match self.releases.borrow(py) {
            Ok(mut releases) if !releases.is_empty() => std::mem::take(&mut *releases),
            _ => Vec::new(),
        }
    }

    /// Says again what could not be said.
    pub(crate) fn put_back(&self, py: Python<'_>, unsaid: Vec<(u64, u64)>) {
        if let Ok(mut releases) = self.releases.borrow(py) {
            releases.extend(unsaid);
        }
    }

    /// Python has let go of an object that was received so often.
    fn let_go(&self, py: Python<'_>, id: u64, request: u64, received: u64) {
        if request != self.request() {
            return;
        }
        let dead = self.objects.borrow(py).ok().and_then(|mut objects| {
            let is_dead = objects.get(&id).is_some_and(|reference| reference.bind(py).upgrade().is_none());
            if is_dead { objects.remove(&id) } else { None }
        });
        drop(dead);
        if let Ok(mut releases) = self.releases.borrow(py) {
            releases.push((id, received));
        }
    }
}

fn next_request() -> u64 {
    LAST_REQUEST.fetch_add(1, Ordering::Relaxed) + 1
}

impl State {
    /// The Python object of a PHP object.
    ///
    /// # Errors
    /// [`Fault::Malformed`] for what cannot be, and what Python raises.
    pub(crate) fn receive<'py>(
        &self,
        py: Python<'py>,
        reference: PhpReference<'_>,
    ) -> Result<Bound<'py, PyAny>, Fault> {
        let PhpReference { id, class, traits, description } = reference;
        if !description.is_empty() {
            self.learn(py, class, traits.0, description)?;
        }
        let known = self.php.objects.borrow(py)?.get(&id).and_then(|reference| reference.bind(py).upgrade());
        if let Some(object) = known {
            object.cast::<PhpObject>().map_err(PyErr::from)?.get().receive();
            return Ok(object);
        }
        let object = PhpObject::make(&self.numbered(py, class)?, id, self)?;
        let reference = PyWeakrefReference::new(&object)?.unbind();
        let before = self.php.objects.borrow(py)?.insert(id, reference);
        drop(before);
        Ok(object)
    }

    /// PHP describes a class of its own.
    fn learn(&self, py: Python<'_>, number: u32, traits: u8, description: &[u8]) -> Result<(), Fault> {
        let PhpClass { name, flags, parents, methods, properties } = PhpClass::read(description)?;
        let arguments = (name, parents, flags, methods.0, properties.0, traits);
        let class = self.hooks.php_class.bind(py).call1(arguments)?;
        self.number(py, number, class.cast_into::<PyType>().map_err(PyErr::from)?)?;
        Ok(())
    }

    /// PHP calls a class by a number.
    pub(crate) fn number(&self, py: Python<'_>, number: u32, class: Bound<'_, PyType>) -> Result<(), Busy> {
        let before = self.php.classes.borrow(py)?.insert(number, class.unbind());
        drop(before);
        Ok(())
    }

    /// The Python class of a number.
    pub(crate) fn numbered<'py>(&self, py: Python<'py>, number: u32) -> Result<Bound<'py, PyType>, Fault> {
        let class = self.php.classes.borrow(py)?.get(&number).map(|class| class.bind(py).clone());
        let expected = "a PHP object of a class that was described";
        Ok(class.ok_or(Malformed::Unexpected { expected, found: "one of another" })?)
    }

    /// Takes note of the PHP objects in what is left of a payload that will not be read: PHP counts them as received, and
    /// describes their classes only once.
    pub(crate) fn pass_over(&self, py: Python<'_>, reader: &mut tortoise_protocol::Reader<'_>) {
        while reader.clone().end().is_err() {
            match reader.token() {
                Ok(tortoise_protocol::Token::PhpObject(reference)) => drop(self.receive(py, reference)),
                Ok(_) => {}
                Err(_) => return,
            }
        }
    }
}
