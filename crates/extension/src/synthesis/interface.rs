//! PHP's interfaces for Python's protocols: which a class implements, and the methods that this takes.

use tortoise_protocol::description::{
    ClassDescription, MethodKind, TRAIT_COUNTABLE, TRAIT_ITERABLE, TRAIT_JSON, TRAIT_SUBSCRIPTABLE, TRAIT_TEXTUAL,
};

use super::method::{DeclaredMethod, DeclaredParameter, ShownDefault};
use super::php_signature::Passing;
use super::shape::{MethodShape, Shapes};

/// What a method of an interface does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// `count()`: `len(o)`
    Length,
    /// `offsetExists($offset)`: whether `o[k]` is there and not None
    HasItem,
    /// `offsetGet($offset)`: `o[k]`
    GetItem,
    /// `offsetSet($offset, $value)`: `o[k] = v`
    SetItem,
    /// `offsetUnset($offset)`: `del o[k]`
    DeleteItem,
    /// `getIterator()`: `iter(o)`
    Iterator,
    /// `__toString()`: `str(o)`
    Text,
    /// `jsonSerialize()`: the JSON of `o`, decoded
    Json,
}

impl Protocol {
    /// Whether PHP's interface gives nothing back.
    const fn has_no_value(self) -> bool {
        matches!(self, Self::SetItem | Self::DeleteItem)
    }
}

/// An interface of PHP.
#[derive(Debug)]
pub(super) struct Interface {
    /// Its name, as source has it.
    pub(super) name: &'static str,
    /// The bit of a description's traits that asks for it.
    trait_bit: u64,
    /// Its methods.
    pub(super) methods: &'static [InterfaceMethod],
}

/// A method of an interface.
#[derive(Debug)]
pub(super) struct InterfaceMethod {
    pub(super) name: &'static str,
    pub(super) lower_name: &'static str,
    pub(super) protocol: Protocol,
    pub(super) parameters: &'static [&'static str],
}

const fn method(
    name: &'static str,
    lower_name: &'static str,
    protocol: Protocol,
    parameters: &'static [&'static str],
) -> InterfaceMethod {
    InterfaceMethod { name, lower_name, protocol, parameters }
}

const INTERFACES: &[Interface] = &[
    Interface {
        name: "\\Countable",
        trait_bit: TRAIT_COUNTABLE,
        methods: &[method("count", "count", Protocol::Length, &[])],
    },
    Interface {
        name: "\\ArrayAccess",
        trait_bit: TRAIT_SUBSCRIPTABLE,
        methods: &[
            method("offsetExists", "offsetexists", Protocol::HasItem, &["offset"]),
            method("offsetGet", "offsetget", Protocol::GetItem, &["offset"]),
            method("offsetSet", "offsetset", Protocol::SetItem, &["offset", "value"]),
            method("offsetUnset", "offsetunset", Protocol::DeleteItem, &["offset"]),
        ],
    },
    Interface {
        name: "\\IteratorAggregate",
        trait_bit: TRAIT_ITERABLE,
        methods: &[method("getIterator", "getiterator", Protocol::Iterator, &[])],
    },
    Interface {
        name: "\\Stringable",
        trait_bit: TRAIT_TEXTUAL,
        methods: &[method("__toString", "__tostring", Protocol::Text, &[])],
    },
    Interface {
        name: "\\JsonSerializable",
        trait_bit: TRAIT_JSON,
        methods: &[method("jsonSerialize", "jsonserialize", Protocol::Json, &[])],
    },
];

impl InterfaceMethod {
    /// How the interface lets the method be declared.
    pub(super) fn shape(&self) -> MethodShape {
        MethodShape {
            python_name: self.name.to_owned(),
            required: self.parameters.len(),
            parameters: self.parameters.len(),
            protocol: Some(self.protocol),
            ..MethodShape::default()
        }
    }

    /// Whether a class that inherits `inherited` can have this method: PHP keeps what is static, final or never returns.
    fn can_be_declared(&self, inherited: &Shapes) -> bool {
        inherited.get(self.lower_name).is_none_or(|parent| {
            let has_value = match parent.return_type.as_deref() {
                Some("never") => false,
                Some("void") => parent.php.is_some() && self.protocol.has_no_value(),
                _ => true,
            };
            !parent.is_static && !parent.is_final && has_value
        })
    }
}

/// The names of all methods of all interfaces.
pub(crate) fn interface_method_names<'a>() -> impl Iterator<Item = &'a str> {
    INTERFACES.iter().flat_map(|interface| interface.methods).map(|method| method.name)
}

/// The interfaces of a class.
#[derive(Debug, Default)]
pub(super) struct Interfaces {
    /// Those that the class says that it implements.
    pub(super) own: Vec<&'static Interface>,
    /// Those of its parent that it has a say in.
    inherited: Vec<&'static Interface>,
    /// How many PHP cannot declare, because of what the parent's methods are.
    pub(super) undeclared: usize,
}

impl Interfaces {
    /// The interfaces of the class of `description`, a child of one with the methods `inherited`.
    ///
    /// PHP cannot take an interface back: a child without the protocol stays an instance of what its parent implements,
    /// and its use raises what Python raises.
    pub(super) fn of(description: &ClassDescription, inherited: &Shapes) -> Self {
        let mut interfaces = Self::default();
        for interface in INTERFACES.iter().filter(|interface| description.traits & interface.trait_bit != 0) {
            // An exception's text is PHP's own: message, place and trace. It is no proxy, so `foreach` sees its properties.
            if description.is_exception() && matches!(interface.trait_bit, TRAIT_TEXTUAL | TRAIT_ITERABLE) {
                continue;
            }
            // PHP has one way to iterate an object.
            let is_iterator = inherited.php.as_ref().is_some_and(|php| php.is_iterator);
            if is_iterator && interface.trait_bit == TRAIT_ITERABLE {
                continue;
            }
            let is_inherited = |method: &InterfaceMethod| {
                inherited.get(method.lower_name).is_some_and(|parent| parent.protocol.is_some())
            };
            if interface.methods.iter().all(is_inherited) {
                interfaces.inherited.push(interface);
            } else if interface.methods.iter().all(|method| method.can_be_declared(inherited)) {
                interfaces.own.push(interface);
            } else {
                interfaces.undeclared += 1;
            }
        }
        interfaces
    }

    /// The method of an interface that PHP does not tell apart from one of this name.
    pub(super) fn method(&self, name: &str) -> Option<&'static InterfaceMethod> {
        let all = self.own.iter().chain(&self.inherited).flat_map(|interface| interface.methods);
        all.into_iter().find(|method| method.lower_name.eq_ignore_ascii_case(name))
    }
}

impl DeclaredMethod {
    /// The method of an interface for which Python has no method.
    pub(super) fn of_interface(method: &InterfaceMethod) -> Self {
        let parameter = |name: &&str| DeclaredParameter {
            php_name: (*name).to_owned(),
            python_name: (*name).to_owned(),
            is_positional_only: true,
            is_required: true,
            default: ShownDefault::None,
            passing: Passing::default(),
        };
        Self {
            php_name: method.name.to_owned(),
            lower_name: method.lower_name.to_owned(),
            python_name: method.name.to_owned(),
            kind: MethodKind::Instance,
            parameters: method.parameters.iter().map(parameter).collect(),
            variadic: None,
            keyword_only: Vec::new(),
            variadic_passing: Passing::default(),
            always_passed: 0,
            required: method.parameters.len(),
            return_type: None,
            php: None,
            protocol: Some(method.protocol),
            documentation: None,
            line: 0,
        }
    }

    /// Becomes an interface's method too. Tells whether it can: not if PHP does not tell the two apart and Python does.
    pub(super) fn implement(&mut self, method: &InterfaceMethod) -> bool {
        if self.is_static() || self.python_name != method.name {
            return false;
        }
        self.widen(&method.shape());
        self.protocol = Some(method.protocol);
        true
    }
}
