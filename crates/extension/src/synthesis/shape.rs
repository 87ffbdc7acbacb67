//! How the methods that a class inherits may be overridden, so that PHP never refuses a class of ours.

use std::collections::HashMap;
use std::sync::Arc;

use super::interface::Protocol;

/// How one method may be overridden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MethodShape {
    /// The Python method that it stands for; of a PHP method, its own name in its own spelling.
    pub(crate) python_name: String,
    /// Whether it is static: an override must be so too.
    pub(crate) is_static: bool,
    /// Whether it cannot be overridden. Also set this for what Python cannot match, such as a parameter by reference.
    pub(crate) is_final: bool,
    /// Parameters that must be given: an override may not ask for more.
    pub(crate) required: usize,
    /// Parameters but for the variadic: an override may not take fewer.
    pub(crate) parameters: usize,
    /// Whether any number of arguments may follow.
    pub(crate) is_variadic: bool,
    /// The type that an override must give back, as PHP writes it with every class name in full.
    pub(crate) return_type: Option<Arc<str>>,
    /// What it does if it is an interface's.
    pub(crate) protocol: Option<Protocol>,
}

/// The methods of a class, inherited ones included, by their names in lower case.
///
/// A child's copy shares the shapes with its parent's, so it costs no more than two counters for each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shapes(HashMap<Arc<str>, Arc<MethodShape>>);

impl Shapes {
    /// The shape of the method of this name in lower case.
    pub(crate) fn get(&self, lower_name: &str) -> Option<&MethodShape> {
        self.0.get(lower_name).map(|shape| &**shape)
    }

    /// Adds a method, or overrides one.
    pub(crate) fn insert(&mut self, lower_name: &str, shape: MethodShape) {
        self.0.insert(Arc::from(lower_name), Arc::new(shape));
    }
}

/// The methods of `Tortoise\PyObject`: one, which Python may have too.
pub(crate) fn root_shapes_of_object() -> Shapes {
    let mut shapes = Shapes::default();
    shapes.insert("toarray", php_method("toArray", false, 0));
    shapes
}

/// The methods of `Tortoise\PythonException`: those of `\RuntimeException` and its own.
pub(crate) fn root_shapes_of_exception() -> Shapes {
    const FINAL: [&str; 10] = [
        "getMessage",
        "getCode",
        "getPrevious",
        "getFile",
        "getLine",
        "getTrace",
        "getTraceAsString",
        "getPythonClass",
        "getPythonTraceback",
        "getPythonException",
    ];
    let mut shapes = Shapes::default();
    for name in FINAL {
        shapes.insert(&name.to_ascii_lowercase(), php_method(name, true, 0));
    }
    shapes.insert("__construct", php_method("__construct", false, 3));
    shapes
        .insert("__tostring", MethodShape { return_type: Some("string".into()), ..php_method("__toString", false, 0) });
    shapes.insert("__wakeup", php_method("__wakeup", false, 0));
    shapes
}

/// A method of PHP's own.
pub(super) fn php_method(name: &str, is_final: bool, parameters: usize) -> MethodShape {
    MethodShape {
        python_name: name.to_owned(),
        is_static: false,
        is_final,
        required: 0,
        parameters,
        is_variadic: false,
        return_type: None,
        protocol: None,
    }
}
