//! What the parameters of functions want to be given, where their annotations say so.

use std::sync::Arc;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType, PyWeakrefMethods, PyWeakrefReference};
use rustc_hash::FxHashMap;

use crate::gil::GilCell;

/// Functions whose annotations are known. A program has fewer that are called with texts or lists.
const MAX_KNOWN: usize = 4096;

/// Functions that were called lately, a power of two.
const RECENT: usize = 64;

/// What a parameter wants instead of a list, a text or bytes.
pub(crate) enum Wanted {
    /// `bytes`, also of what is a text.
    Bytes,
    /// A `memoryview` of bytes.
    MemoryView,
    /// A `bytearray`.
    ByteArray,
    /// An array of numpy.
    Array,
    /// What a `parameters.Adapter` makes of the plain value.
    Adapted(Py<PyAny>),
}

/// The parameters of a function some of which want something.
pub(crate) struct Parameters {
    positional: Vec<Option<Wanted>>,
    rest: Option<Wanted>,
    named: FxHashMap<Box<str>, Wanted>,
}

/// The functions whose annotations have been looked at.
pub(crate) struct Known {
    /// `parameters.special(function)`.
    special: Py<PyAny>,
    /// `types.FunctionType` and `types.MethodType`: other callables have no annotations.
    function: Py<PyType>,
    method: Py<PyType>,
    memory: GilCell<Memory>,
}

/// What is known of functions.
struct Memory {
    /// By the address of the function's code, which is kept with it: a function itself may hold anything alive.
    known: FxHashMap<usize, (Py<PyAny>, Option<Arc<Parameters>>)>,
    /// Functions themselves, each in its place: to ask one for its code takes longer than a small call may.
    recent: [Option<Recent>; RECENT],
}

/// A function, as long as it lives, and its parameters.
struct Recent {
    function: Py<PyWeakrefReference>,
    parameters: Option<Arc<Parameters>>,
}

/// A function with the parameters that want something, and how many arguments stand before those of the client.
#[derive(Clone, Default)]
pub(crate) struct Wishes {
    parameters: Option<Arc<Parameters>>,
    before: usize,
}

impl Wishes {
    /// What the positional parameter that takes the client's argument of this index wants.
    pub(crate) fn positional(&self, index: usize) -> Option<&Wanted> {
        let parameters = self.parameters.as_ref()?;
        parameters.positional.get(self.before + index).unwrap_or(&parameters.rest).as_ref()
    }

    /// What the parameter of this name wants.
    pub(crate) fn named(&self, name: &str) -> Option<&Wanted> {
        self.parameters.as_ref()?.named.get(name)
    }
}

impl Known {
    /// Nothing is known yet.
    pub(crate) fn new(special: Py<PyAny>, function: Py<PyType>, method: Py<PyType>) -> Self {
        let memory = Memory { known: FxHashMap::default(), recent: [const { None }; RECENT] };
        Self { special, function, method, memory: GilCell::new(memory) }
    }

    /// What `callable` wants, which is about to be called. Nothing that is odd about it is an error here.
    pub(crate) fn of(&self, callable: &Bound<'_, PyAny>) -> Wishes {
        let kind = callable.get_type_ptr().cast();
        if kind == self.function.as_ptr() {
            Wishes { parameters: self.of_function(callable), before: 0 }
        } else if kind == self.method.as_ptr() {
            // What a method is of may be any callable.
            match callable.getattr_opt(intern!(callable.py(), "__func__")) {
                Ok(Some(function)) if function.get_type_ptr().cast() == self.function.as_ptr() => {
                    Wishes { parameters: self.of_function(&function), before: 1 }
                }
                _ => Wishes::default(),
            }
        } else if let Ok(class) = callable.cast::<PyType>() {
            // What a class is called with goes to its constructor, behind the new object.
            match class.getattr_opt(intern!(class.py(), "__init__")) {
                Ok(Some(function)) if function.get_type_ptr().cast() == self.function.as_ptr() => {
                    Wishes { parameters: self.of_function(&function), before: 1 }
                }
                _ => Wishes::default(),
            }
        } else {
            Wishes::default()
        }
    }

    fn of_function(&self, function: &Bound<'_, PyAny>) -> Option<Arc<Parameters>> {
        let py = function.py();
        let place = place_of(function.as_ptr() as usize);
        if let Some(recent) = &self.memory.borrow(py).ok()?.recent[place]
            && recent.function.bind(py).upgrade().is_some_and(|known| known.is(function))
        {
            return recent.parameters.clone();
        }
        let code = function.getattr_opt(intern!(py, "__code__")).ok().flatten()?;
        let parameters = self.look(function, code);
        let reference = PyWeakrefReference::new(function).ok();
        let recent = reference.map(|function| Recent { function: function.unbind(), parameters: parameters.clone() });
        // What was there before goes without a borrow, as everywhere here: it may be the last to hold user code's objects.
        let before = std::mem::replace(&mut self.memory.borrow(py).ok()?.recent[place], recent);
        drop(before);
        parameters
    }

    fn look(&self, function: &Bound<'_, PyAny>, code: Bound<'_, PyAny>) -> Option<Arc<Parameters>> {
        let (py, address) = (function.py(), code.as_ptr() as usize);
        if let Some((_, parameters)) = self.memory.borrow(py).ok()?.known.get(&address) {
            return parameters.clone();
        }
        let found = self.special.bind(py).call1((function,));
        let parameters = found.ok().as_ref().and_then(Parameters::of).map(Arc::new);
        let mut memory = self.memory.borrow(py).ok()?;
        let full = (memory.known.len() >= MAX_KNOWN).then(|| std::mem::take(&mut memory.known));
        let before = memory.known.insert(address, (code.unbind(), parameters.clone()));
        drop(memory);
        drop((full, before));
        parameters
    }
}

/// Where a function of this address is remembered: Fibonacci hashing, because objects lie at even distances.
const fn place_of(address: usize) -> usize {
    ((address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - RECENT.ilog2())) as usize
}

impl Parameters {
    fn of<'py>(found: &Bound<'py, PyAny>) -> Option<Self> {
        type Special<'py> =
            (Vec<Option<Bound<'py, PyAny>>>, Option<Bound<'py, PyAny>>, FxHashMap<String, Bound<'py, PyAny>>);
        let (positional, rest, named): Special<'py> = found.extract().ok()?;
        let wanted = |want: Bound<'py, PyAny>| match want.cast::<PyString>().map(ToString::to_string).as_deref() {
            Err(_) => Some(Wanted::Adapted(want.unbind())),
            Ok("bytes") => Some(Wanted::Bytes),
            Ok("memoryview") => Some(Wanted::MemoryView),
            Ok("bytearray") => Some(Wanted::ByteArray),
            Ok("array") => Some(Wanted::Array),
            Ok(_) => None,
        };
        Some(Self {
            positional: positional.into_iter().map(|want| want.and_then(wanted)).collect(),
            rest: rest.and_then(wanted),
            named: named.into_iter().filter_map(|(key, want)| Some((key.into(), wanted(want)?))).collect(),
        })
    }
}
