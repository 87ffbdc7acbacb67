//! PHP's objects in Python: which the session holds, and what is let go of.

mod functions;
mod methods;
mod object;
mod thrown;

use std::sync::atomic::{AtomicU64, Ordering};

use pyo3::prelude::*;
use pyo3::types::{PyType, PyWeakrefMethods, PyWeakrefReference};
use rustc_hash::FxHashMap;
use tortoise_protocol::Malformed;
use tortoise_protocol::codec::PhpReference;
use tortoise_protocol::php_class::PhpClass;

pub(crate) use functions::PhpFunction;
pub(crate) use methods::{PhpMethod, PhpMethodOf};
pub(crate) use object::{PhpObject, has_property, operate};

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
    /// The number of PHP's request: an object of another is none any more.
    request: AtomicU64,
}

impl PhpObjects {
    /// Before PHP has handed anything out.
    pub(crate) fn new() -> Self {
        Self {
            objects: GilCell::new(FxHashMap::default()),
            classes: GilCell::new(FxHashMap::default()),
            releases: GilCell::new(Vec::new()),
            request: AtomicU64::new(1),
        }
    }

    /// The number of PHP's request.
    pub(crate) fn request(&self) -> u64 {
        self.request.load(Ordering::Relaxed)
    }

    /// PHP's request is over, and has taken its objects with it.
    pub(crate) fn end_request(&self, py: Python<'_>) -> Result<(), Busy> {
        self.request.fetch_add(1, Ordering::Relaxed);
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
        let class = self.php.classes.borrow(py)?.get(&class).map(|class| class.clone_ref(py));
        let class = class.ok_or(Malformed::Unexpected {
            expected: "a PHP object of a class that was described",
            found: "one of another",
        })?;
        let object = PhpObject::make(class.bind(py), id, self.php.request())?;
        let reference = PyWeakrefReference::new(&object)?.unbind();
        let before = self.php.objects.borrow(py)?.insert(id, reference);
        drop(before);
        Ok(object)
    }

    /// PHP describes a class of its own.
    fn learn(&self, py: Python<'_>, number: u32, traits: u8, description: &[u8]) -> Result<(), Fault> {
        let PhpClass { name, parents, methods } = PhpClass::read(description)?;
        let class = self.hooks.php_class.bind(py).call1((name, parents, methods, traits))?;
        let class = class.cast_into::<PyType>().map_err(PyErr::from)?.unbind();
        let before = self.php.classes.borrow(py)?.insert(number, class);
        drop(before);
        Ok(())
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
