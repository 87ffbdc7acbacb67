//! What classes are called in messages.

use pyo3::prelude::*;
use pyo3::types::PyType;

/// Characters of a class's name that a message shows: a name may be as long as user code likes.
const SHOWN_CHARACTERS: usize = 200;

/// The name of an object's class.
pub(crate) fn type_name(object: &Bound<'_, PyAny>) -> String {
    class_name(&object.get_type())
}

/// The name of a class.
pub(crate) fn class_name(class: &Bound<'_, PyType>) -> String {
    class.name().map_or_else(|_| "?".to_owned(), |name| name.to_string_lossy().chars().take(SHOWN_CHARACTERS).collect())
}
