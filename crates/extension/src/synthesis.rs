//! From the description of a Python class to the source of a PHP class that PHP always compiles.
//!
//! ```text
//! class Bar extends \Tortoise\PyObject { const SIDES = 2; public function twice($plus = 0) { return \Tortoise\Bridge\method(); } }
//! ```
//!
//! Everything is on one line, and the bodies pass nothing on: the native functions read the frame of their caller.
//! Nothing of a description reaches the source but identifiers, which the protocol checked, and escaped literals.

// The paths are spelled out because the tests include this file from another folder.
#[path = "synthesis/docblock.rs"]
mod docblock;
#[path = "synthesis/interface.rs"]
mod interface;
#[path = "synthesis/literal.rs"]
mod literal;
#[path = "synthesis/method.rs"]
mod method;
#[path = "synthesis/shape.rs"]
mod shape;

use std::collections::HashSet;

use tortoise_protocol::description::{ClassDescription, Method, MethodKind};

use self::interface::Interfaces;
pub(crate) use self::interface::Protocol;
pub(crate) use self::method::DeclaredMethod;
pub(crate) use self::shape::{MethodShape, Shapes, root_shapes_of_exception, root_shapes_of_object};

/// The PHP class that a new one extends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parent<'a> {
    /// Its name, without a leading backslash.
    pub(crate) name: &'a str,
    /// All its methods.
    pub(crate) shapes: &'a Shapes,
}

/// A PHP class, ready to be compiled.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// The source to evaluate, without `<?php`.
    pub(crate) source: String,
    /// The methods that the source declares.
    pub(crate) methods: Vec<DeclaredMethod>,
    /// Python's names of the methods that PHP cannot declare, because PHP tells them not apart from an inherited one or
    /// from another of the class. A call on an object in exactly this spelling is meant for Python.
    pub(crate) undeclared: Vec<Undeclared>,
    /// All methods of the new class, for its children.
    pub(crate) shapes: Shapes,
    /// The docblock of the class.
    pub(crate) documentation: Option<String>,
    /// What PHP shows otherwise than Python.
    pub(crate) report: Report,
}

/// A method that PHP cannot declare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Undeclared {
    /// Its name in Python.
    pub(crate) name: String,
    /// Whether it can be called without an object.
    pub(crate) is_static: bool,
    /// Whether an object has an interface's method of this very name instead.
    pub(crate) is_protocol: bool,
}

/// What a PHP class shows otherwise than the Python class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Methods that take more than in Python, because an inherited one does.
    pub(crate) widened: usize,
    /// Names that PHP refuses: of the class, of methods and of parameters.
    pub(crate) renamed: usize,
    /// Methods and constants that PHP cannot declare.
    pub(crate) undeclared: usize,
    /// Bases that are no PHP parents.
    pub(crate) lost_bases: usize,
}

impl std::ops::AddAssign for Report {
    fn add_assign(&mut self, other: Self) {
        self.widened += other.widened;
        self.renamed += other.renamed;
        self.undeclared += other.undeclared;
        self.lost_bases += other.lost_bases;
    }
}

/// Plans the PHP class of `description` under the name `php_name`, which PHP must be able to declare.
pub(crate) fn plan(description: &ClassDescription, php_name: &str, parent: &Parent<'_>) -> Plan {
    let interfaces = Interfaces::of(description, parent.shapes);
    let mut plan = Plan {
        source: open(php_name, parent.name, &interfaces),
        methods: Vec::with_capacity(description.methods.len()),
        undeclared: Vec::new(),
        shapes: parent.shapes.clone(),
        documentation: docblock::docblock(description.documentation.as_deref(), std::iter::empty()),
        report: Report {
            renamed: usize::from(php_name != description.name),
            lost_bases: description.bases.len().saturating_sub(1),
            undeclared: interfaces.undeclared,
            ..Report::default()
        },
    };
    plan.add_constants(description);
    plan.add_methods(description, parent.shapes, &interfaces);
    plan.add_interface_methods(parent.shapes, &interfaces);
    // Of the two the second has another parent in PHP, and a class may have another parent than the group among its bases.
    let is_group =
        |name: &str| ["Tortoise\\Python\\BaseExceptionGroup", "Tortoise\\Python\\ExceptionGroup"].contains(&name);
    let mut names = description.bases.iter().map(|base| base.name.as_str()).chain([description.name.as_str()]);
    if description.is_exception() && names.any(is_group) {
        plan.add_members();
    }
    plan.source.push_str(" }");
    plan
}

fn open(php_name: &str, parent: &str, interfaces: &Interfaces) -> String {
    let (namespace, class) = php_name.rsplit_once('\\').map_or((None, php_name), |(space, name)| (Some(space), name));
    let mut source = String::with_capacity(1024);
    if let Some(namespace) = namespace {
        source.extend(["namespace ", namespace, "; "]);
    }
    source.extend(["class ", class, " extends \\", parent]);
    for (at, interface) in interfaces.own.iter().enumerate() {
        source.extend([if at == 0 { " implements " } else { ", " }, interface.name]);
    }
    source.push_str(" {");
    source
}

impl Plan {
    fn add_constants(&mut self, description: &ClassDescription) {
        let mut names = HashSet::with_capacity(description.constants.len());
        for constant in &description.constants {
            // `Foo::class` is the class's name, and `__halt_compiler` ends the source wherever it stands.
            let is_refused = ["class", "__halt_compiler"].iter().any(|name| constant.name.eq_ignore_ascii_case(name));
            if is_refused || !names.insert(constant.name.as_str()) {
                self.report.undeclared += 1;
                continue;
            }
            self.source.extend([" const ", constant.name.as_str(), " = "]);
            literal::write(&mut self.source, &constant.value);
            self.source.push(';');
        }
    }

    fn add_methods(&mut self, description: &ClassDescription, inherited: &Shapes, interfaces: &Interfaces) {
        let wanted: HashSet<String> =
            description.methods.iter().map(|method| method.name.to_ascii_lowercase()).collect();
        let mut taken = HashSet::with_capacity(description.methods.len());
        for method in &description.methods {
            let Some(name) = declarable_name(method, inherited, &wanted) else { continue };
            let mut declared = DeclaredMethod::new(method, &name);
            let protocol = interfaces.method(&name);
            let is_instead = protocol.is_some_and(|protocol| !declared.implement(protocol));
            let overridden = inherited.get(&declared.lower_name);
            let is_declarable = !is_instead
                && !taken.contains(&declared.lower_name)
                && overridden.is_none_or(|parent| can_override(&declared, parent));
            if !is_declarable {
                self.report.undeclared += 1;
                if declared.kind != MethodKind::Constructor {
                    let is_protocol = protocol.is_some_and(|protocol| protocol.name == declared.python_name);
                    let is_static = declared.is_static();
                    self.undeclared.push(Undeclared { is_static, is_protocol, name: declared.python_name });
                }
                continue;
            }
            // PHP lets a constructor differ from the parent's.
            if let Some(parent) = overridden.filter(|_| declared.kind != MethodKind::Constructor) {
                self.report.widened += usize::from(declared.widen(parent));
            }
            self.report.renamed += declared.renamed() + usize::from(declared.php_name != declared.python_name);
            taken.insert(declared.lower_name.clone());
            self.declare(declared);
        }
    }

    /// Adds those methods of the class's interfaces for which Python has no method of its own.
    fn add_interface_methods(&mut self, inherited: &Shapes, interfaces: &Interfaces) {
        for protocol in interfaces.own.iter().flat_map(|interface| interface.methods) {
            if self.methods.iter().any(|method| method.lower_name == protocol.lower_name) {
                continue;
            }
            let mut declared = DeclaredMethod::of_interface(protocol);
            if let Some(parent) = inherited.get(protocol.lower_name) {
                declared.widen(parent);
                if parent.python_name != protocol.name {
                    let name = parent.python_name.clone();
                    self.undeclared.push(Undeclared { name, is_static: false, is_protocol: false });
                }
            }
            self.declare(declared);
        }
    }

    /// Adds the method that gives the exceptions of a group as exceptions. Python has an attribute for it.
    fn add_members(&mut self) {
        const LOWER_NAME: &str = "getexceptions";
        if self.shapes.get(LOWER_NAME).is_some() {
            return;
        }
        self.source.push_str(" final public function getExceptions(): array { return \\Tortoise\\Bridge\\members(); }");
        self.shapes.insert(LOWER_NAME, shape::php_method("getExceptions", true, 0));
    }

    fn declare(&mut self, method: DeclaredMethod) {
        method.write(&mut self.source);
        self.shapes.insert(&method.lower_name, method.shape());
        self.methods.push(method);
    }
}

/// The name under which PHP can declare a method; None for the names that PHP gives a meaning of its own.
///
/// A name that is final in PHP gets an underscore, so that both methods can be called.
fn declarable_name(method: &Method, inherited: &Shapes, wanted: &HashSet<String>) -> Option<String> {
    if method.kind == MethodKind::Constructor {
        return Some("__construct".to_owned());
    }
    if method.name.starts_with("__") {
        return None;
    }
    let mut name = method.name.clone();
    let mut lower_name = name.to_ascii_lowercase();
    if inherited.get(&lower_name).is_none_or(|parent| !parent.is_final) {
        return Some(name);
    }
    loop {
        name.push('_');
        lower_name.push('_');
        // A parent may have renamed the same method before.
        let is_free = inherited.get(&lower_name).map_or_else(
            || !wanted.contains(&lower_name),
            |parent| !parent.is_final && parent.python_name == method.name,
        );
        if is_free {
            return Some(name);
        }
    }
}

/// Whether PHP can take `declared` for an override: the same method, bound in the same way.
fn can_override(declared: &DeclaredMethod, parent: &MethodShape) -> bool {
    !parent.is_final
        && parent.is_static == declared.is_static()
        && parent.python_name == declared.python_name
        && parent.return_type.as_deref() != Some("never")
}
