//! Where the classes are that the extension itself declares: the namespace `Tortoise`.

use std::sync::atomic::{AtomicPtr, Ordering};

use ext_php_rs::args::ArgInfoTables as Tables;
use ext_php_rs::ffi::zend_class_entry;
use ext_php_rs::zend::ClassEntry;

/// A class of the extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Native {
    /// Every synthesized class implements it.
    Remote,
    /// Marks everything that the bridge throws.
    Exception,
    /// The parent of synthesized classes without another one.
    PyObject,
    /// A string that is `bytes` in Python.
    Bytes,
    /// A Python object whose calls are not waited for.
    AsyncView,
    /// What such a call gives.
    Future,
    /// The parent of Python's exceptions.
    PythonException,
    /// The sidecar cannot be reached, or the session is lost.
    ConnectionException,
    /// No answer in time.
    TimeoutException,
    /// The object is gone.
    StaleObjectException,
    /// A value cannot cross.
    ConversionException,
    /// The name is not for clients.
    AccessException,
    /// None of many futures has a value.
    AggregateException,
}

const COUNT: usize = 13;
static CLASSES: [AtomicPtr<zend_class_entry>; COUNT] = [const { AtomicPtr::new(std::ptr::null_mut()) }; COUNT];

/// What the engine reads of the classes' methods for as long as the process lives. Nobody reads it here: without the
/// attribute an optimized build leaves it out, and what it holds looks lost to whoever hunts leaks.
#[used]
static TABLES: [AtomicPtr<Tables>; COUNT] = [const { AtomicPtr::new(std::ptr::null_mut()) }; COUNT];

/// The class. Null before it is declared.
pub(crate) fn class(native: Native) -> *mut zend_class_entry {
    CLASSES[native as usize].load(Ordering::Relaxed)
}

/// Remembers a class that was declared, and what the engine reads of it.
pub(crate) fn keep(native: Native, class: &'static mut ClassEntry, arguments: Tables) {
    CLASSES[native as usize].store(class, Ordering::Relaxed);
    TABLES[native as usize].store(Box::into_raw(Box::new(arguments)), Ordering::Relaxed);
}
