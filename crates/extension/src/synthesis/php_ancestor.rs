//! What a class has of a PHP ancestor beside methods, and what of a Python class PHP would refuse below one.

use std::sync::Arc;

use tortoise_protocol::description::{ClassDescription, Constant, MethodKind};

use super::php_signature::fits;
use super::shape::Shapes;
use super::{Plan, literal};

/// A PHP class that a Python class extends, directly or not.
#[derive(Debug, Clone, Default)]
pub(crate) struct PhpAncestor {
    /// Its name.
    pub(crate) name: String,
    /// Whether its classes must all be readonly.
    pub(crate) is_readonly: bool,
    /// Whether it implements `\Iterator`, so that it cannot be an `\IteratorAggregate`.
    pub(crate) is_iterator: bool,
    /// Properties that may have another default.
    pub(crate) properties: Vec<PhpProperty>,
    /// Constants that cannot have another value.
    pub(crate) fixed_constants: Vec<String>,
}

/// A property that may be declared anew, with another default.
#[derive(Debug, Clone)]
pub(crate) struct PhpProperty {
    /// Its name, without the dollar sign.
    pub(crate) name: String,
    /// Whether it is protected; it is public otherwise.
    pub(crate) is_protected: bool,
    /// The type, with every class name in full.
    pub(crate) type_: Option<Arc<str>>,
}

impl PhpAncestor {
    fn property(&self, name: &str) -> Option<&PhpProperty> {
        self.properties.iter().find(|property| property.name == name)
    }
}

/// Why PHP would refuse the class of `description` below the PHP class that `inherited` has; None if it would not.
pub(crate) fn refusal(description: &ClassDescription, inherited: &Shapes) -> Option<String> {
    let php = inherited.php.as_deref()?;
    let class = format!("{}.{}", description.module, description.qualified_name);
    let methods = description.methods.iter().filter_map(|method| {
        let is_constructor = method.kind == MethodKind::Constructor;
        let name = if is_constructor { "__construct" } else { &method.name };
        let parent = inherited.get(&name.to_ascii_lowercase())?;
        if !parent.is_php || parent.python_name != name {
            return None;
        }
        let shown = if is_constructor { "__init__" } else { name };
        if parent.is_final {
            return Some(format!(
                "{class}.{shown} cannot override {}::{name}(), which is final; give it another name",
                php.name
            ));
        }
        let is_static = matches!(method.kind, MethodKind::Static | MethodKind::Class);
        (is_static != parent.is_static).then(|| {
            let (is, remedy) = if is_static {
                ("is not", "take its decorator away")
            } else {
                ("is", "make it a @classmethod or @staticmethod")
            };
            format!("{class}.{shown} cannot override {}::{name}(), which {is} static; {remedy}", php.name)
        })
    });
    let properties = description.properties.iter().filter_map(|constant| {
        let type_ = php.property(&constant.name)?.type_.as_deref()?;
        (!fits(&constant.value, type_)).then(|| {
            format!(
                "{class}.{name} cannot be the default of {}::${name}, which is of type {type_}; give it a value of that type",
                php.name,
                name = constant.name
            )
        })
    });
    methods.chain(properties).next()
}

impl Plan {
    /// Declares the properties of the PHP ancestor anew for which Python has a default.
    pub(super) fn add_properties(&mut self, properties: &[Constant], php: &PhpAncestor) {
        for (at, Constant { name, value }) in properties.iter().enumerate() {
            let is_first = !properties[..at].iter().any(|earlier| earlier.name == *name);
            let Some(property) = php.property(name).filter(|_| is_first) else { continue };
            if property.type_.as_deref().is_some_and(|type_| !fits(value, type_)) {
                continue;
            }
            self.source.push_str(if property.is_protected { " protected " } else { " public " });
            if let Some(type_) = &property.type_ {
                self.source.extend([type_, " "]);
            }
            self.source.extend(["$", name, " = "]);
            literal::write(&mut self.source, value);
            self.source.push(';');
        }
    }
}
