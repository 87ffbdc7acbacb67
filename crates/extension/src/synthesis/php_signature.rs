//! What an override must repeat of the PHP method that it overrides: PHP refuses a class that does not.

use std::sync::Arc;

use tortoise_protocol::description::{Literal, MethodKind};

use super::method::{DeclaredMethod, DeclaredParameter, ShownDefault, free_name};
use super::shape::MethodShape;

/// A method of a PHP class, as an override must declare it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct PhpSignature {
    /// Whether it is protected; it is public otherwise.
    pub(crate) is_protected: bool,
    /// Whether it is a constructor that an override may declare as it likes, but for the visibility.
    pub(crate) is_free: bool,
    /// Whether it gives its result by reference.
    pub(crate) returns_reference: bool,
    /// Its parameters. The last may be variadic.
    pub(crate) parameters: Vec<PhpParameter>,
}

/// A parameter of a PHP method.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct PhpParameter {
    /// Its name, without the dollar sign.
    pub(crate) name: String,
    /// What stands before the name.
    pub(crate) passing: Passing,
    /// Whether it takes all further arguments.
    pub(crate) is_variadic: bool,
    /// Whether it can be left out.
    pub(crate) is_optional: bool,
    /// Its default as a PHP expression that means the same in any class; None if there is none, or it cannot be written.
    pub(crate) default: Option<String>,
}

/// What stands before a parameter's name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Passing {
    /// The type, with every class name in full.
    pub(crate) type_: Option<Arc<str>>,
    /// Whether it is passed by reference.
    pub(crate) by_reference: bool,
}

impl Passing {
    pub(super) fn write(&self, source: &mut String) {
        if let Some(type_) = &self.type_ {
            source.push_str(type_);
            source.push(' ');
        }
        if self.by_reference {
            source.push('&');
        }
    }
}

impl DeclaredMethod {
    /// Takes the signature of the PHP method that it overrides. What Python takes beyond it stays, and is optional.
    ///
    /// A default of Python's own is what counts where the argument is left out; PHP shows it if its type allows it.
    fn follow(&mut self, php: &Arc<PhpSignature>) {
        let own = std::mem::take(&mut self.parameters);
        let (fixed, variadic) = match php.parameters.split_last() {
            Some((last, fixed)) if last.is_variadic => (fixed, Some(last)),
            _ => (&*php.parameters, None),
        };
        self.parameters = fixed.iter().enumerate().map(|(at, shape)| merge(own.get(at), shape)).collect();
        match variadic {
            // It takes what Python has more.
            Some(variadic) => {
                self.variadic = Some(variadic.name.clone());
                self.variadic_passing = variadic.passing.clone();
            }
            None => {
                for mut parameter in own.into_iter().skip(fixed.len()) {
                    if self.has_parameter(&parameter.php_name) {
                        parameter.php_name = free_name(&parameter.php_name, |name| self.has_parameter(name));
                    }
                    self.parameters.push(parameter);
                }
                if let Some(name) = self.variadic.take() {
                    self.variadic = Some(free_name(&name, |name| self.has_parameter(name)));
                }
            }
        }
        let required = fixed.iter().take_while(|parameter| !parameter.is_optional).count();
        self.require_only_the_first(required);
        let is_filled_in = |parameter: &DeclaredParameter| {
            parameter.is_required && matches!(parameter.default, ShownDefault::Source(_))
        };
        self.always_passed = self.parameters.iter().rposition(is_filled_in).map_or(0, |last| last + 1);
        self.php = Some(Arc::clone(php));
    }

    /// Takes what `inherited` asks of an override.
    pub(super) fn override_method(&mut self, inherited: &MethodShape) -> bool {
        match &inherited.php {
            Some(php) if php.is_free => {
                self.php = Some(Arc::clone(php));
                return false;
            }
            Some(php) => self.follow(php),
            // PHP lets a constructor differ from the parent's.
            None if self.kind == MethodKind::Constructor => return false,
            None => {}
        }
        self.widen(inherited)
    }

    fn has_parameter(&self, php_name: &str) -> bool {
        self.parameters.iter().any(|parameter| parameter.php_name == php_name)
    }
}

/// A parameter of PHP's, and the one of Python's that stands in its place.
fn merge(own: Option<&DeclaredParameter>, php: &PhpParameter) -> DeclaredParameter {
    let fits = |value: &Literal| php.passing.type_.as_deref().is_none_or(|type_| fits(value, type_));
    let default = match (own.map(|own| &own.default), &php.default) {
        (Some(ShownDefault::Value(value)), _) if fits(value) => ShownDefault::Value(value.clone()),
        (_, Some(source)) => ShownDefault::Source(source.clone()),
        (Some(ShownDefault::Value(_) | ShownDefault::LeftOut), None) => ShownDefault::LeftOut,
        _ if php.is_optional => ShownDefault::LeftOut,
        _ => ShownDefault::None,
    };
    DeclaredParameter {
        php_name: php.name.clone(),
        python_name: own.map_or(&php.name, |own| &own.python_name).clone(),
        is_positional_only: own.is_none_or(|own| own.is_positional_only),
        is_required: own.is_some_and(|own| own.is_required),
        default,
        passing: php.passing.clone(),
    }
}

/// Whether PHP takes a literal for the default of a parameter or property of a type.
pub(super) fn fits(value: &Literal, type_: &str) -> bool {
    let is_nullable = type_.starts_with('?');
    let mut names = type_.trim_start_matches('?').split('|');
    names.any(|name| {
        name == "mixed"
            || match value {
                Literal::Null => name == "null",
                Literal::Boolean(value) => name == "bool" || name == if *value { "true" } else { "false" },
                Literal::Integer(_) => matches!(name, "int" | "float"),
                Literal::Float(_) => name == "float",
                Literal::Text(_) => name == "string",
                Literal::List(_) | Literal::Map(_) => matches!(name, "array" | "iterable"),
            }
    }) || is_nullable && *value == Literal::Null
}
