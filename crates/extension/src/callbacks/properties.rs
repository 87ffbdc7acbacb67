//! Properties of a PHP object: read, written, asked for and unset.

use ext_php_rs::types::{ZendStr, Zval};
use tortoise_protocol::frame::Kind;
use tortoise_protocol::limits::MAX_NAME_BYTES;

use super::{target, visible};
use crate::error::BridgeError;
use crate::values::Decoder;

/// What is asked of a property.
pub(super) struct Asked<'a> {
    kind: Kind,
    target: Zval,
    name: &'a str,
    value: Zval,
}

impl<'a> Asked<'a> {
    pub(super) fn read(kind: Kind, decoder: &mut Decoder<'a>) -> Result<Self, BridgeError> {
        let target = target(decoder.reader.unsigned("the id of a PHP object")?);
        let name = decoder.reader.text("the name of a PHP property", MAX_NAME_BYTES)?;
        let value = if kind == Kind::PhpSet { decoder.next_value()? } else { Zval::null() };
        decoder.reader.end()?;
        Ok(Self { kind, target: target?, name, value })
    }

    pub(super) fn run(mut self) -> Result<Zval, BridgeError> {
        let object = visible(&self.target)?;
        let name = &mut *ZendStr::new(self.name, false);
        let class = || object.class_name();
        let done = match self.kind {
            Kind::PhpGet => object.get(name),
            Kind::PhpSet => object.set(name, &mut self.value).map(|()| Some(Zval::null())),
            Kind::PhpDelete => object.delete(name).map(|()| Some(Zval::null())),
            _ => {
                let mut answer = Zval::new();
                answer.set_bool(object.has(name));
                Ok(Some(answer))
            }
        };
        if crate::engine::exception_is_pending() {
            return Err(BridgeError::Pending);
        }
        match done {
            Ok(Some(value)) => Ok(value),
            Ok(None) => Err(BridgeError::Access(format!("the PHP class {} has no property ${}", class(), self.name))),
            Err(_) => Err(BridgeError::Access(format!(
                "the property {}::${} is not public: Python may use what any PHP code may",
                class(),
                self.name
            ))),
        }
    }
}
