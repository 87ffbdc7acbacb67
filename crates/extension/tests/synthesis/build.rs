//! Short ways to write the parts of a description.

use tortoise_protocol::description::{
    ClassDescription, Constant, DefaultValue, Literal, Method, MethodKind, Parameter, ParameterKind,
};

pub(crate) fn class(name: &str) -> ClassDescription {
    ClassDescription {
        name: name.to_owned(),
        module: "module".to_owned(),
        qualified_name: "Class".to_owned(),
        file: None,
        line: 0,
        documentation: None,
        traits: 0,
        bases: Vec::new(),
        constants: Vec::new(),
        methods: Vec::new(),
        properties: Vec::new(),
    }
}

pub(crate) fn constant(name: &str, value: Literal) -> Constant {
    Constant { name: name.to_owned(), value }
}

pub(crate) fn method(name: &str, kind: MethodKind, parameters: impl Into<Vec<Parameter>>) -> Method {
    Method { name: name.to_owned(), kind, parameters: Some(parameters.into()), documentation: None, line: 0 }
}

pub(crate) fn instance(name: &str, parameters: impl Into<Vec<Parameter>>) -> Method {
    method(name, MethodKind::Instance, parameters)
}

pub(crate) fn parameter(name: &str, kind: ParameterKind, default: DefaultValue) -> Parameter {
    Parameter { name: name.to_owned(), kind, default }
}

pub(crate) fn required(name: &str) -> Parameter {
    parameter(name, ParameterKind::PositionalOrKeyword, DefaultValue::Required)
}

pub(crate) fn optional(name: &str, value: Literal) -> Parameter {
    parameter(name, ParameterKind::PositionalOrKeyword, DefaultValue::Literal(value))
}

pub(crate) fn opaque(name: &str) -> Parameter {
    parameter(name, ParameterKind::PositionalOrKeyword, DefaultValue::Opaque)
}

pub(crate) fn variadic(name: &str) -> Parameter {
    parameter(name, ParameterKind::VariadicPositional, DefaultValue::Required)
}

pub(crate) fn keyword_only(name: &str, default: DefaultValue) -> Parameter {
    parameter(name, ParameterKind::KeywordOnly, default)
}
