//! Objects whose class has ancestors of both languages: one half in each.
//!
//! ```text
//! Extend       class id of the Python parent · class ([`crate::callback::PhpClassAnswer`]) · what the PHP class declares itself: methods
//!              and properties, as in [`crate::php_class`]                   answered by the id of the Python class
//! Halve        class id · id for the new object · PHP object               answered by the object; `__new__` has run
//! Initialize   class id whose `__init__` is meant · class id of the object · the object's id · PHP object
//!              · arguments · named arguments                                answered by the object
//! CallFrom     class id · target id · method · arguments · named arguments   answered by the method's value
//! LetGo        target id                                                    answered by whether the session forgot it
//! ```
//!
//! A method is never looked up across the border by its name alone: each side asks for the method as it is found from a class
//! on, in the order in which Python searches, or for PHP's own one.

use crate::callback::PhpClassAnswer;
use crate::codec::{Malformed, Reader, Writer};
use crate::php_class::Members;

/// A PHP class that extends a Python class, as an `Extend` tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension<'a> {
    /// The class of Python that it extends, directly or by other PHP classes that were told of before.
    pub parent: u64,
    /// The PHP class.
    pub class: PhpClassAnswer<'a>,
    /// The methods that it declares itself, but for private ones.
    pub methods: Members<'a>,
    /// The properties that it declares itself, but for private and static ones.
    pub properties: Members<'a>,
}

impl<'a> Extension<'a> {
    /// Writes it.
    pub fn write(&self, writer: &mut Writer<'_>) {
        writer.unsigned(self.parent);
        PhpClassAnswer::write(Some(self.class), writer);
        self.methods.write(writer);
        self.properties.write(writer);
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn read(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        let parent = reader.unsigned("a class id")?;
        let class = PhpClassAnswer::read(reader)?;
        Ok(Self {
            parent,
            class: class.ok_or(Malformed::Unexpected { expected: "a PHP class", found: "nil" })?,
            methods: Members::read(reader)?,
            properties: Members::read(reader)?,
        })
    }
}
