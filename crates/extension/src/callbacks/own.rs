//! What a PHP class has itself, whatever extends it: its methods and its properties, with its own rights but for private
//! ones. Python asks for those of a class that Python classes extend, or that extends one.

use ext_php_rs::ffi::zend_class_entry;
use ext_php_rs::types::{ZendStr, Zval};
use tortoise_protocol::frame::Kind;
use tortoise_protocol::limits::MAX_NAME_BYTES;

use super::call::Given;
use super::target;
use crate::classes;
use crate::engine::{Method, View, Visible, class_name, exception_is_pending, view};
use crate::error::BridgeError;
use crate::values::Decoder;

/// Whose member is meant.
struct Whose<'a> {
    target: Zval,
    class: &'a str,
    name: &'a str,
}

/// A call of a class's own method.
pub(super) struct AskedToCall<'a> {
    whose: Whose<'a>,
    given: Given,
}

/// A property as its class sees it, to be read or written.
pub(super) struct AskedOfProperty<'a> {
    whose: Whose<'a>,
    value: Option<Zval>,
}

impl<'a> Whose<'a> {
    fn read(decoder: &mut Decoder<'a>) -> Result<Result<Self, BridgeError>, BridgeError> {
        let target = target(decoder.reader.unsigned("the id of a PHP object")?);
        let class = decoder.reader.text("the name of a PHP class", MAX_NAME_BYTES)?;
        let name = decoder.reader.text("the name of a member of a PHP class", MAX_NAME_BYTES)?;
        Ok(target.map(|target| Self { target, class, name }))
    }

    /// The object as the class sees it, and the class.
    fn seen(&self) -> Result<(Visible<'_>, *mut zend_class_entry), BridgeError> {
        let View::Object(object) = view(&self.target) else {
            return Err(BridgeError::Internal("an exported value is no object".to_owned()));
        };
        let class = classes::ancestor_of_name(object.ce, self.class).ok_or_else(|| {
            // SAFETY: a live object's class is live.
            let own = unsafe { class_name(object.ce) };
            BridgeError::Type(format!("an object of the PHP class {own} is none of {}", self.class))
        })?;
        Ok((Visible::new(object, class), class))
    }
}

impl<'a> AskedToCall<'a> {
    pub(super) fn read(decoder: &mut Decoder<'a>) -> Result<Self, BridgeError> {
        let whose = Whose::read(decoder)?;
        let given = Given::read(decoder)?;
        Ok(Self { whose: whose?, given })
    }

    pub(super) fn run(self) -> Result<Zval, BridgeError> {
        let Whose { class: class_name, name, .. } = self.whose;
        let (object, class) = self.whose.seen()?;
        // SAFETY: the functions are of a class that the object is one of, and the object is held.
        unsafe {
            match object.method_of(class, name) {
                Method::Function(function) => self.given.pass_to(function),
                Method::Magic(function) => self.given.for_magic(name)?.pass_to(function),
                Method::Hidden => Err(BridgeError::Access(format!(
                    "the method {class_name}::{name}() is private or abstract: Python may call what a class that extends \
                     {class_name} may"
                ))),
                Method::Missing => {
                    Err(BridgeError::Access(format!("the PHP class {class_name} has no method {name}()")))
                }
            }
        }
    }
}

impl<'a> AskedOfProperty<'a> {
    pub(super) fn read(kind: Kind, decoder: &mut Decoder<'a>) -> Result<Self, BridgeError> {
        let whose = Whose::read(decoder)?;
        let value = if kind == Kind::PhpSetOwn { Some(decoder.next_value()?) } else { None };
        decoder.reader.end()?;
        Ok(Self { whose: whose?, value })
    }

    pub(super) fn run(self) -> Result<Zval, BridgeError> {
        let Whose { class: class_name, name, .. } = self.whose;
        let (object, class) = self.whose.seen()?;
        let missing = || BridgeError::Access(format!("the PHP class {class_name} has no property ${name}"));
        let property = &mut *ZendStr::new(name, false);
        if !object.has_property_of(class, property) {
            return Err(missing());
        }
        let done = match self.value {
            Some(mut value) => object.set(property, &mut value).map(|()| Some(Zval::null())),
            None => object.get(property),
        };
        if exception_is_pending() {
            return Err(BridgeError::Pending);
        }
        done.ok().flatten().ok_or_else(missing)
    }
}
