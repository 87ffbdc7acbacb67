//! One method of a Python class as PHP declares it: its parameters, widened where PHP would refuse them.

use std::collections::HashSet;
use std::sync::Arc;

use tortoise_protocol::description::{DefaultValue, Literal, Method, MethodKind, Parameter, ParameterKind};

use super::docblock::docblock;
use super::interface::Protocol;
use super::literal;
use super::php_signature::{Passing, PhpSignature};
use super::shape::MethodShape;

/// What a parameter of Python's default is in PHP: the constant that tells the extension to leave it out.
const LEFT_OUT: &str = "\\Tortoise\\LEFT_OUT";

/// Variables that PHP refuses as a parameter.
const REFUSED_PARAMETERS: [&str; 10] =
    ["this", "GLOBALS", "_GET", "_POST", "_COOKIE", "_FILES", "_SERVER", "_ENV", "_REQUEST", "_SESSION"];

/// A method that PHP declares.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DeclaredMethod {
    /// Its name in PHP.
    pub(crate) php_name: String,
    /// The name in lower case, under which PHP keeps it.
    pub(crate) lower_name: String,
    /// Its name in Python; `__construct` for the constructor.
    pub(crate) python_name: String,
    /// How it is bound.
    pub(crate) kind: MethodKind,
    /// The parameters but for the variadic, in PHP's order, which is Python's.
    pub(crate) parameters: Vec<DeclaredParameter>,
    /// The name of the variadic parameter, which takes all other arguments.
    pub(crate) variadic: Option<String>,
    /// Python's keyword-only parameters. They are among the named arguments of the variadic.
    pub(crate) keyword_only: Vec<KeywordOnly>,
    /// What stands before the variadic's name.
    pub(crate) variadic_passing: Passing,
    /// How many parameters at least are passed on: Python needs a default that PHP fills in.
    pub(crate) always_passed: usize,
    /// How many parameters PHP shows as required.
    pub(crate) required: usize,
    /// The type that PHP's parent asks for.
    pub(crate) return_type: Option<Arc<str>>,
    /// The PHP method that it overrides, here or in a parent.
    pub(crate) php: Option<Arc<PhpSignature>>,
    /// What it does instead if it is called with the arguments of an interface's method.
    pub(crate) protocol: Option<Protocol>,
    /// The docblock.
    pub(crate) documentation: Option<String>,
    /// The line of Python's definition; 0 if unknown.
    pub(crate) line: u64,
}

/// A parameter that PHP declares.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DeclaredParameter {
    /// Its name in PHP, without the dollar sign.
    pub(crate) php_name: String,
    /// Its name in Python, under which it travels as a named argument.
    pub(crate) python_name: String,
    /// Whether Python takes it by position only, so that nothing before it can be left out.
    pub(crate) is_positional_only: bool,
    /// Whether Python must be given it. PHP may show it as optional nevertheless.
    pub(crate) is_required: bool,
    /// What PHP shows as its default.
    pub(crate) default: ShownDefault,
    /// What stands before its name.
    pub(crate) passing: Passing,
}

/// The default of a parameter, as PHP shows it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ShownDefault {
    /// It has none.
    None,
    /// The constant that says that the argument is left out.
    LeftOut,
    /// This value.
    Value(Literal),
    /// This expression of the PHP method that is overridden.
    Source(String),
}

/// A parameter that Python takes by name only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeywordOnly {
    /// Its name.
    pub(crate) name: String,
    /// Whether Python must be given it.
    pub(crate) is_required: bool,
}

impl DeclaredMethod {
    /// `method` as PHP declares it under `php_name`, before any parent has a say.
    pub(super) fn new(method: &Method, php_name: &str) -> Self {
        let parameters = method.parameters.as_deref().filter(|parameters| are_distinct(parameters));
        let all = parameters.unwrap_or_default();
        let keyword_only: Vec<_> = all
            .iter()
            .filter(|parameter| parameter.kind == ParameterKind::KeywordOnly)
            .map(|parameter| KeywordOnly { name: parameter.name.clone(), is_required: is_required(parameter) })
            .collect();
        let documented = keyword_only.iter().map(|parameter| (parameter.name.as_str(), parameter.is_required));
        let mut declared = Self {
            php_name: php_name.to_owned(),
            lower_name: php_name.to_ascii_lowercase(),
            python_name: if method.kind == MethodKind::Constructor { php_name } else { &method.name }.to_owned(),
            kind: method.kind,
            parameters: all.iter().filter(|parameter| is_positional(parameter)).map(|p| declare(p, all)).collect(),
            variadic: variadic(parameters),
            documentation: docblock(method.documentation.as_deref(), documented),
            keyword_only,
            variadic_passing: Passing::default(),
            always_passed: 0,
            required: 0,
            return_type: None,
            php: None,
            protocol: None,
            line: method.line,
        };
        declared.require_only_the_first(usize::MAX);
        declared
    }

    /// Takes everything that `parent` takes, as PHP asks of an override. Tells whether that changed anything.
    pub(super) fn widen(&mut self, parent: &MethodShape) -> bool {
        let required = self.required;
        self.require_only_the_first(parent.required);
        let lacks_variadic =
            self.variadic.is_none() && (parent.is_variadic || self.parameters.len() < parent.parameters);
        if lacks_variadic {
            let taken = |name: &str| self.parameters.iter().any(|parameter| parameter.php_name == name);
            self.variadic = Some(free_name("arguments", taken));
        }
        self.return_type.clone_from(&parent.return_type);
        lacks_variadic || self.required < required
    }

    /// Makes parameters from `limit` on optional, and those behind an optional one: PHP warns of a required one there.
    pub(super) fn require_only_the_first(&mut self, limit: usize) {
        let leading = self.parameters.iter().take_while(|parameter| parameter.default == ShownDefault::None).count();
        self.required = leading.min(limit);
        for parameter in &mut self.parameters[self.required..] {
            if parameter.default == ShownDefault::None {
                parameter.default = ShownDefault::LeftOut;
            }
            // What stands for a default that only Python can write is of no type but its own.
            if parameter.default == ShownDefault::LeftOut {
                parameter.passing.type_ = None;
            }
        }
    }

    /// Whether PHP calls it on the class.
    pub(crate) const fn is_static(&self) -> bool {
        matches!(self.kind, MethodKind::Static | MethodKind::Class)
    }

    /// How a child may override it.
    pub(super) fn shape(&self) -> MethodShape {
        MethodShape {
            python_name: self.python_name.clone(),
            is_static: self.is_static(),
            is_final: false,
            is_abstract: false,
            is_php: false,
            required: self.required,
            parameters: self.parameters.len(),
            is_variadic: self.variadic.is_some(),
            return_type: self.return_type.clone(),
            protocol: self.protocol,
            php: self.php.clone(),
        }
    }

    /// How many parameters stand under other names than in Python.
    pub(super) fn renamed(&self) -> usize {
        self.parameters.iter().filter(|parameter| parameter.php_name != parameter.python_name).count()
    }

    /// The parameters that Python must be given and was not, by the names that PHP code writes.
    ///
    /// `is_given` tells of a position in [`Self::parameters`] whether it has an argument, `is_named` of a name whether
    /// it is among the variadic's. No allocation if nothing is missing.
    pub(crate) fn missing(&self, is_given: impl Fn(usize) -> bool, is_named: impl Fn(&str) -> bool) -> Vec<&str> {
        let positional = self.parameters.iter().enumerate();
        let positional = positional.filter(|(position, parameter)| parameter.is_required && !is_given(*position));
        let by_name = self.keyword_only.iter().filter(|parameter| parameter.is_required && !is_named(&parameter.name));
        positional
            .map(|(_, parameter)| parameter.php_name.as_str())
            .chain(by_name.map(|parameter| parameter.name.as_str()))
            .collect()
    }

    /// Appends the method to a class's source.
    pub(super) fn write(&self, source: &mut String) {
        // The interface's own type would bind what Python's method of that name gives.
        let is_open = self.protocol.is_some_and(|protocol| protocol != Protocol::Text)
            || self.php.is_some() && self.return_type.is_none() && self.kind != MethodKind::Constructor;
        if is_open {
            source.push_str(" #[\\ReturnTypeWillChange]");
        }
        let php = self.php.as_deref();
        source.push_str(if php.is_some_and(|php| php.is_protected) { " protected" } else { " public" });
        source.push_str(if self.is_static() { " static function " } else { " function " });
        source.push_str(if php.is_some_and(|php| php.returns_reference) { "&" } else { "" });
        source.push_str(&self.php_name);
        self.write_parameters(source);
        if let Some(return_type) = &self.return_type {
            source.push_str(": ");
            source.push_str(return_type);
        }
        self.write_body(source);
    }

    fn write_parameters(&self, source: &mut String) {
        source.push('(');
        for (position, parameter) in self.parameters.iter().enumerate() {
            source.push_str(if position > 0 { ", " } else { "" });
            parameter.passing.write(source);
            source.push('$');
            source.push_str(&parameter.php_name);
            match &parameter.default {
                ShownDefault::None => {}
                ShownDefault::LeftOut => {
                    source.push_str(" = ");
                    source.push_str(LEFT_OUT);
                }
                ShownDefault::Value(value) => {
                    source.push_str(" = ");
                    literal::write(source, value);
                }
                ShownDefault::Source(expression) => {
                    source.push_str(" = ");
                    source.push_str(expression);
                }
            }
        }
        if let Some(name) = &self.variadic {
            source.push_str(if self.parameters.is_empty() { "" } else { ", " });
            self.variadic_passing.write(source);
            source.push_str("...$");
            source.push_str(name);
        }
        source.push(')');
    }

    fn write_body(&self, source: &mut String) {
        let function = match self.protocol {
            _ if self.kind == MethodKind::Constructor => "construct",
            Some(_) => "protocol",
            None => "method",
        };
        // PHP refuses to compile `return` with a value for these.
        let has_no_value =
            self.kind == MethodKind::Constructor || matches!(self.return_type.as_deref(), Some("void" | "never"));
        if has_no_value {
            source.extend([" { \\Tortoise\\Bridge\\", function, "(); }"]);
        } else if self.php.as_deref().is_some_and(|php| php.returns_reference) {
            // Only a variable can be given back by reference.
            let is_taken = |name: &str| {
                self.variadic.as_deref() == Some(name)
                    || self.parameters.iter().any(|parameter| parameter.php_name == name)
            };
            let result = free_name("result", is_taken);
            source.extend([" { $", &result, " = \\Tortoise\\Bridge\\", function, "(); return $", &result, "; }"]);
        } else {
            source.extend([" { return \\Tortoise\\Bridge\\", function, "(); }"]);
        }
    }
}

impl DeclaredParameter {
    /// The value that PHP shows as the default, and fills in where a later argument is given by name.
    pub(crate) const fn shown_value(&self) -> Option<&Literal> {
        match &self.default {
            ShownDefault::Value(value) => Some(value),
            ShownDefault::None | ShownDefault::LeftOut | ShownDefault::Source(_) => None,
        }
    }
}

fn declare(parameter: &Parameter, all: &[Parameter]) -> DeclaredParameter {
    DeclaredParameter {
        php_name: parameter_name(&parameter.name, all),
        python_name: parameter.name.clone(),
        is_positional_only: parameter.kind == ParameterKind::PositionalOnly,
        is_required: is_required(parameter),
        default: match &parameter.default {
            DefaultValue::Required => ShownDefault::None,
            // PHP has one kind of array where Python has a tuple, so the value would come back as another.
            DefaultValue::Opaque | DefaultValue::Literal(Literal::List(_) | Literal::Map(_)) => ShownDefault::LeftOut,
            DefaultValue::Literal(value) => ShownDefault::Value(value.clone()),
        },
        passing: Passing::default(),
    }
}

/// The name of the one variadic that takes what PHP has no parameters for, if there is anything.
fn variadic(parameters: Option<&[Parameter]>) -> Option<String> {
    let Some(all) = parameters else { return Some("arguments".to_owned()) };
    let named = |kind| all.iter().find(|parameter| parameter.kind == kind);
    if let Some(parameter) = named(ParameterKind::VariadicPositional).or_else(|| named(ParameterKind::VariadicKeyword))
    {
        return Some(parameter_name(&parameter.name, all));
    }
    named(ParameterKind::KeywordOnly).map(|_| free_name("arguments", |name| is_parameter(name, all)))
}

/// The name in PHP of a parameter: Python's, unless PHP refuses that.
fn parameter_name(name: &str, all: &[Parameter]) -> String {
    let is_refused = REFUSED_PARAMETERS.contains(&name);
    if is_refused { free_name(&format!("{name}_"), |name| is_parameter(name, all)) } else { name.to_owned() }
}

fn is_parameter(name: &str, all: &[Parameter]) -> bool {
    all.iter().any(|parameter| parameter.name == name)
}

pub(super) fn free_name(wanted: &str, taken: impl Fn(&str) -> bool) -> String {
    let mut name = wanted.to_owned();
    while taken(&name) {
        name.push('_');
    }
    name
}

fn is_required(parameter: &Parameter) -> bool {
    parameter.default == DefaultValue::Required
}

const fn is_positional(parameter: &Parameter) -> bool {
    matches!(parameter.kind, ParameterKind::PositionalOnly | ParameterKind::PositionalOrKeyword)
}

/// Python has no two parameters of one name, but the description is not bound to come from Python.
fn are_distinct(parameters: &[Parameter]) -> bool {
    let mut names = HashSet::with_capacity(parameters.len());
    parameters.iter().all(|parameter| names.insert(parameter.name.as_str()))
}
