//! PHP's own reflection, asked without running any code of the user's.

use std::sync::Arc;

use ext_php_rs::types::{ZendStr, Zval};
use tortoise_protocol::description::Literal;

use super::php_parent::parent_name;
use crate::engine::{
    DefaultOf, Key, NotCalled, View, call_native, call_native_method, class_in_table, default_of, elements, lower_case,
    new_native, object_of, user_method, view,
};
use crate::error::BridgeError;
use crate::synthesis::{Declaring, MethodShape, Passing, PhpParameter, PhpSignature, write_literal};

// The bits of `getModifiers()`.
pub(super) const PUBLIC: i64 = 1;
pub(super) const PROTECTED: i64 = 2;
pub(super) const PRIVATE: i64 = 4;
const STATIC: i64 = 16;
pub(super) const FINAL: i64 = 32;
pub(super) const ABSTRACT: i64 = 64;

/// An object of PHP's reflection.
pub(super) struct Reflected(Zval);

/// The class that declares a member, and its parent.
pub(super) struct DeclaringClass {
    name: String,
    parent: Option<String>,
}

impl DeclaringClass {
    fn names(&self) -> Declaring<'_> {
        Declaring { class: &self.name, parent: self.parent.as_deref() }
    }
}

impl Reflected {
    /// A class.
    pub(super) fn class(name: &str) -> Result<Self, BridgeError> {
        Self::new("reflectionclass", [&text(name)])
    }

    /// A member of a class that has it.
    pub(super) fn member(kind: &str, class: &str, name: &str) -> Result<Self, BridgeError> {
        Self::new(kind, [&text(class), &text(name)])
    }

    fn new<const N: usize>(kind: &str, arguments: [&Zval; N]) -> Result<Self, BridgeError> {
        let class = class_in_table(kind.as_bytes()).ok_or_else(|| refused(NotCalled::Missing))?;
        // SAFETY: reflection is compiled into PHP, so its classes are native and live.
        unsafe { new_native(class, arguments) }.map(Self).map_err(refused)
    }

    fn call<const N: usize>(&self, method: &str, arguments: [&Zval; N]) -> Result<Zval, NotCalled> {
        let object = object_of(&self.0).ok_or(NotCalled::Missing)?;
        // SAFETY: the object is one of reflection's own classes, which are native.
        unsafe { call_native_method(object.ce, object, method, arguments) }
    }

    fn ask(&self, method: &str) -> Result<Zval, BridgeError> {
        self.call(method, []).map_err(refused)
    }

    fn text(&self, method: &str) -> Result<String, BridgeError> {
        Ok(self
            .ask(method)?
            .zend_str()
            .map(|text| String::from_utf8_lossy(text.as_bytes()).into_owned())
            .unwrap_or_default())
    }

    /// What a method without arguments says. False where this PHP does not have what it asks for.
    pub(super) fn is(&self, method: &str) -> Result<bool, BridgeError> {
        match self.call(method, []) {
            Ok(answer) => Ok(answer.bool() == Some(true)),
            Err(NotCalled::Missing) => Ok(false),
            Err(error) => Err(refused(error)),
        }
    }

    /// What a method that takes a name says.
    pub(super) fn has(&self, method: &str, name: &str) -> Result<bool, BridgeError> {
        Ok(self.call(method, [&text(name)]).map_err(refused)?.bool() == Some(true))
    }

    /// The bits of the member's modifiers.
    pub(super) fn modifiers(&self) -> Result<i64, BridgeError> {
        Ok(self.ask("getmodifiers")?.long().unwrap_or(0))
    }

    /// The objects that a method gives, which may take a filter.
    pub(super) fn list(&self, method: &str, filter: Option<i64>) -> Result<Vec<Self>, BridgeError> {
        let found = match filter {
            Some(filter) => {
                let mut bits = Zval::new();
                bits.set_long(filter);
                self.call(method, [&bits]).map_err(refused)?
            }
            None => self.ask(method)?,
        };
        let View::Array(list) = view(&found) else { return Ok(Vec::new()) };
        // SAFETY: the value holds the array.
        Ok(unsafe { elements(list) }.map(|(_, element)| Self(element.shallow_clone())).collect())
    }

    /// The class that declares the member.
    pub(super) fn declaring(&self) -> Result<DeclaringClass, BridgeError> {
        let name = Self(self.ask("getdeclaringclass")?).text("getname")?;
        Ok(DeclaringClass { parent: parent_name(&name), name })
    }

    /// The type that a method gives, with every class name in full; None if there is none.
    pub(super) fn type_(&self, method: &str, declaring: &DeclaringClass) -> Result<Option<Arc<str>>, BridgeError> {
        let found = self.ask(method)?;
        if !found.is_object() {
            return Ok(None);
        }
        let shown = Self(found).text("__tostring")?;
        Ok(Some(declaring.names().full_type(&shown).into()))
    }

    /// How the method may be overridden.
    pub(super) fn shape(&self) -> Result<MethodShape, BridgeError> {
        let modifiers = self.modifiers()?;
        let (name, declaring) = (self.text("getname")?, self.declaring()?);
        let parameters = self.list("getparameters", None)?;
        let parameters = parameters
            .iter()
            .enumerate()
            .map(|(at, parameter)| parameter.parameter(at, &name, &declaring))
            .collect::<Result<Vec<_>, _>>()?;
        let is_variadic = parameters.last().is_some_and(|last| last.is_variadic);
        Ok(MethodShape {
            is_static: modifiers & STATIC != 0,
            is_final: modifiers & FINAL != 0,
            is_abstract: modifiers & ABSTRACT != 0,
            is_php: true,
            required: parameters.iter().take_while(|parameter| !parameter.is_optional).count(),
            parameters: parameters.len() - usize::from(is_variadic),
            is_variadic,
            return_type: self.type_("getreturntype", &declaring)?,
            protocol: None,
            php: Some(Arc::new(PhpSignature {
                is_protected: modifiers & PROTECTED != 0,
                is_free: self.is("isconstructor")? && modifiers & ABSTRACT == 0 && !self.is("hasprototype")?,
                returns_reference: self.is("returnsreference")?,
                parameters,
            })),
            python_name: name,
        })
    }

    fn parameter(&self, at: usize, method: &str, declaring: &DeclaringClass) -> Result<PhpParameter, BridgeError> {
        let is_variadic = self.is("isvariadic")?;
        let is_optional = self.is("isoptional")?;
        Ok(PhpParameter {
            name: self.text("getname")?,
            passing: Passing {
                type_: self.type_("gettype", declaring)?,
                by_reference: self.is("ispassedbyreference")?,
            },
            is_variadic,
            is_optional,
            default: if is_optional && !is_variadic { self.default(at, method, declaring)? } else { None },
        })
    }

    /// The default of a parameter as an expression, if it can be written.
    fn default(&self, at: usize, method: &str, declaring: &DeclaringClass) -> Result<Option<String>, BridgeError> {
        let class = class_in_table(&lower_case(declaring.name.as_bytes()));
        // SAFETY: the class that declares a method is linked and live.
        let code = class.and_then(|class| unsafe { user_method(class, method) });
        let Some(code) = code else {
            // A native method has constants only.
            let has_value = self.is("isdefaultvalueavailable")?;
            return Ok(if has_value { source_of(&self.ask("getdefaultvalue")?) } else { None });
        };
        // SAFETY: as above.
        Ok(match unsafe { default_of(code, at) } {
            None => None,
            Some(DefaultOf::Value(value)) => source_of(value),
            Some(DefaultOf::Expression(exported)) => declaring.names().full_expression(&exported, is_constant),
        })
    }
}

fn is_constant(name: &str) -> bool {
    call_native("defined", [&text(name)]).is_ok_and(|answer| answer.bool() == Some(true))
}

/// A value as a PHP expression; None of what has no literal.
fn source_of(value: &Zval) -> Option<String> {
    let mut source = String::new();
    write_source(&mut source, value)?;
    Some(source)
}

fn write_source(source: &mut String, value: &Zval) -> Option<()> {
    let literal = match view(value) {
        View::Null => Literal::Null,
        View::Boolean(boolean) => Literal::Boolean(boolean),
        View::Integer(integer) => Literal::Integer(integer),
        View::Float(float) => Literal::Float(float),
        View::String(_) => Literal::Text(value.zend_str().map(ZendStr::as_bytes)?.to_vec()),
        View::Array(array) => {
            source.push('[');
            // SAFETY: the value holds the array.
            for (at, (key, element)) in unsafe { elements(array) }.enumerate() {
                source.push_str(if at > 0 { ", " } else { "" });
                match key {
                    Key::Index(index) => write_literal(source, &Literal::Integer(index)),
                    Key::Name(name) => write_literal(source, &Literal::Text(name.to_vec())),
                }
                source.push_str(" => ");
                write_source(source, element)?;
            }
            source.push(']');
            return Some(());
        }
        View::Object(_) | View::Resource => return None,
    };
    write_literal(source, &literal);
    Some(())
}

fn text(text: &str) -> Zval {
    let mut value = Zval::new();
    value.set_zend_string(ZendStr::new(text, false));
    value
}

fn refused(error: NotCalled) -> BridgeError {
    match error {
        NotCalled::Missing => BridgeError::Internal("PHP's reflection lacks a method".to_owned()),
        NotCalled::Raised => BridgeError::Pending,
    }
}
