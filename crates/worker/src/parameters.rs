//! What the parameters of functions want to be given, where their annotations say so.

use std::rc::Rc;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType, PyWeakrefMethods, PyWeakrefReference};
use rustc_hash::FxHashMap;

/// Functions whose annotations are known. A program has fewer that are called with texts or lists.
const MAX_KNOWN: usize = 4096;

/// Functions that were called lately, a power of two.
const RECENT: usize = 64;

/// What a parameter wants instead of a list, a text or bytes.
#[derive(Clone)]
pub(crate) enum Wanted<'py> {
    /// `bytes`, also of what is a text.
    Bytes,
    /// A `memoryview` of bytes.
    MemoryView,
    /// A `bytearray`.
    ByteArray,
    /// An array of numpy.
    Array,
    /// What a `parameters.Adapter` makes of the plain value.
    Adapted(Bound<'py, PyAny>),
}

/// The parameters of a function some of which want something.
pub(crate) struct Parameters<'py> {
    positional: Vec<Option<Wanted<'py>>>,
    rest: Option<Wanted<'py>>,
    named: FxHashMap<Box<str>, Wanted<'py>>,
}

/// The functions whose annotations have been looked at.
pub(crate) struct Known<'py> {
    /// `parameters.special(function)`.
    special: Bound<'py, PyAny>,
    /// `types.FunctionType` and `types.MethodType`: other callables have no annotations.
    function: Bound<'py, PyType>,
    method: Bound<'py, PyType>,
    /// By the address of the function's code, which is kept with it: a function itself may hold anything alive.
    known: FxHashMap<usize, (Bound<'py, PyAny>, Option<Rc<Parameters<'py>>>)>,
    /// Functions themselves, each in its place: to ask one for its code takes longer than a small call may.
    recent: [Option<Recent<'py>>; RECENT],
}

/// A function, as long as it lives, and its parameters.
struct Recent<'py> {
    function: Bound<'py, PyWeakrefReference>,
    parameters: Option<Rc<Parameters<'py>>>,
}

/// A function with the parameters that want something, and how many arguments stand before those of the client.
#[derive(Clone, Default)]
pub(crate) struct Wishes<'py> {
    parameters: Option<Rc<Parameters<'py>>>,
    before: usize,
}

impl<'py> Wishes<'py> {
    /// What the positional parameter that takes the client's argument of this index wants.
    pub(crate) fn positional(&self, index: usize) -> Option<Wanted<'py>> {
        let parameters = self.parameters.as_ref()?;
        parameters.positional.get(self.before + index).unwrap_or(&parameters.rest).clone()
    }

    /// What the parameter of this name wants.
    pub(crate) fn named(&self, name: &str) -> Option<Wanted<'py>> {
        self.parameters.as_ref()?.named.get(name).cloned()
    }
}

impl<'py> Known<'py> {
    /// Nothing is known yet.
    pub(crate) fn new(special: Bound<'py, PyAny>, function: Bound<'py, PyType>, method: Bound<'py, PyType>) -> Self {
        Self { special, function, method, known: FxHashMap::default(), recent: [const { None }; RECENT] }
    }

    /// What `callable` wants, which is about to be called. Nothing that is odd about it is an error here.
    pub(crate) fn of(&mut self, callable: &Bound<'py, PyAny>) -> Wishes<'py> {
        let kind = callable.get_type_ptr();
        if kind == self.function.as_type_ptr() {
            Wishes { parameters: self.of_function(callable), before: 0 }
        } else if kind == self.method.as_type_ptr() {
            // What a method is of may be any callable.
            match callable.getattr_opt(intern!(callable.py(), "__func__")) {
                Ok(Some(function)) if function.get_type_ptr() == self.function.as_type_ptr() => {
                    Wishes { parameters: self.of_function(&function), before: 1 }
                }
                _ => Wishes::default(),
            }
        } else if let Ok(class) = callable.cast::<PyType>() {
            // What a class is called with goes to its constructor, behind the new object.
            match class.getattr_opt(intern!(class.py(), "__init__")) {
                Ok(Some(function)) if function.get_type_ptr() == self.function.as_type_ptr() => {
                    Wishes { parameters: self.of_function(&function), before: 1 }
                }
                _ => Wishes::default(),
            }
        } else {
            Wishes::default()
        }
    }

    fn of_function(&mut self, function: &Bound<'py, PyAny>) -> Option<Rc<Parameters<'py>>> {
        let place = place_of(function.as_ptr() as usize);
        if let Some(recent) = &self.recent[place]
            && recent.function.upgrade().is_some_and(|known| known.is(function))
        {
            return recent.parameters.clone();
        }
        let code = function.getattr_opt(intern!(function.py(), "__code__")).ok().flatten()?;
        let parameters = self.look(function, code);
        let reference = PyWeakrefReference::new(function).ok();
        self.recent[place] = reference.map(|function| Recent { function, parameters: parameters.clone() });
        parameters
    }

    fn look(&mut self, function: &Bound<'py, PyAny>, code: Bound<'py, PyAny>) -> Option<Rc<Parameters<'py>>> {
        let address = code.as_ptr() as usize;
        if let Some((_, parameters)) = self.known.get(&address) {
            return parameters.clone();
        }
        let found = self.special.call1((function,));
        let parameters = found.ok().as_ref().and_then(Parameters::of).map(Rc::new);
        if self.known.len() >= MAX_KNOWN {
            self.known.clear();
        }
        self.known.insert(address, (code, parameters.clone()));
        parameters
    }
}

/// Where a function of this address is remembered: Fibonacci hashing, because objects lie at even distances.
const fn place_of(address: usize) -> usize {
    ((address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - RECENT.ilog2())) as usize
}

impl<'py> Parameters<'py> {
    fn of(found: &Bound<'py, PyAny>) -> Option<Self> {
        type Special<'py> =
            (Vec<Option<Bound<'py, PyAny>>>, Option<Bound<'py, PyAny>>, FxHashMap<String, Bound<'py, PyAny>>);
        let (positional, rest, named): Special<'py> = found.extract().ok()?;
        let wanted = |want: Bound<'py, PyAny>| match want.cast::<PyString>().map(ToString::to_string).as_deref() {
            Err(_) => Some(Wanted::Adapted(want)),
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
