//! What a session asks of its client: the fixed part of each callback's payload.
//!
//! ```text
//! PhpCall      PHP object's id · method, "" for the object itself · arguments · named arguments
//! PhpGet       PHP object's id · property
//! PhpSet       PHP object's id · property · value
//! PhpHas       PHP object's id · property
//! PhpDelete    PHP object's id · property
//! PhpOperate   operation · PHP object's id · operands                                          (an array)
//! PhpFunction  name, as "strlen", "A\B::c" or "new A\B" · arguments · named arguments
//! PhpClass     name
//! PhpCallOwn   PHP object's id · class · method · arguments · named arguments
//! PhpGetOwn    PHP object's id · class · property
//! PhpSetOwn    PHP object's id · class · property · value
//! PhpHalve     Python object
//! PhpRelease   nothing (its releases stand in front, as in every frame with that flag)
//! ```
//!
//! The answer is a `Returned` with a value, or a `Threw` ([`crate::rebound`]). That to a `PhpClass` is nil where there is no
//! such class, else its number, its traits, and its description ([`crate::php_class`]), or nil if the session has it
//! (array of 3); or the handle of a Python class, of which it is the PHP name.

use crate::codec::{Malformed, PhpTraits, Reader, Token, Writer};
use crate::operation::operations;

operations! {
    /// One of PHP's protocols.
    PhpOperation
    /// `count($o)`
    Length = 0, 0;
    /// `$o[$k]`
    GetItem = 1, 1;
    /// `$o[$k] = $v`; answered by null.
    SetItem = 2, 2;
    /// `$o[] = $v`; answered by null.
    Append = 3, 1;
    /// `isset($o[$k])`, without a look at the value: `offsetExists`.
    HasItem = 4, 1;
    /// `unset($o[$k])`; answered by null.
    DeleteItem = 5, 1;
    /// `(string) $o`
    Text = 6, 0;
    /// Begins a `foreach` over `$o`: answered by a PHP object, whose only use is `Next`.
    Iterate = 7, 0;
    /// The next key and value of a `foreach` as an array of two, or null at its end.
    Next = 8, 0;
    /// `$o == $v`
    Equal = 9, 1;
}

impl PhpOperation {
    /// Writes the operation and announces its operands; so many values must follow.
    pub fn write(self, writer: &mut Writer<'_>, target: u64) {
        writer.unsigned(self as u64);
        writer.unsigned(target);
        writer.array(self.operands());
    }

    /// Reads the operation and the id of its object; so many values follow as it has operands.
    ///
    /// # Errors
    /// [`Malformed`], also for an unknown operation and for another number of operands.
    pub fn read(reader: &mut Reader<'_>) -> Result<(Self, u64), Malformed> {
        let number = reader.unsigned("an operation")?;
        let operation = usize::try_from(number).ok().and_then(|number| Self::ALL.get(number)).copied();
        let operation =
            operation.ok_or(Malformed::Unexpected { expected: "an operation from 0 to 9", found: "another number" })?;
        let target = reader.unsigned("the id of a PHP object")?;
        match reader.array("the operands of an operation", operation.operands())? {
            count if count == operation.operands() => Ok((operation, target)),
            _ => Err(Malformed::Unexpected { expected: "all operands of the operation", found: "fewer" }),
        }
    }
}

/// What answers a `PhpClass`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhpClassAnswer<'a> {
    /// The class's number.
    pub class: u32,
    /// What its objects can do.
    pub traits: PhpTraits,
    /// Its description ([`crate::php_class`]); empty if the session has it.
    pub description: &'a [u8],
}

impl<'a> PhpClassAnswer<'a> {
    /// Writes the answer; None: there is no such class.
    pub fn write(answer: Option<Self>, writer: &mut Writer<'_>) {
        let Some(Self { class, traits, description }) = answer else { return writer.nil() };
        writer.array(3);
        writer.unsigned(u64::from(class));
        writer.unsigned(u64::from(traits.0));
        match description {
            [] => writer.nil(),
            description => writer.binary(description),
        }
    }

    /// Reads the answer.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn read(reader: &mut Reader<'a>) -> Result<Option<Self>, Malformed> {
        match reader.token()? {
            Token::Nil => return Ok(None),
            Token::Array(3) => {}
            other => return Err(Malformed::Unexpected { expected: "a PHP class", found: other.describe() }),
        }
        let class = reader.unsigned("the number of a PHP class")?;
        let traits = reader.unsigned("the traits of a PHP class")?;
        let limit = |what| Malformed::OverLimit { what, limit: u32::MAX as usize };
        Ok(Some(Self {
            class: u32::try_from(class).map_err(|_| limit("the number of a PHP class"))?,
            traits: PhpTraits(u8::try_from(traits).map_err(|_| limit("the traits of a PHP class"))?),
            description: reader.optional_binary("the description of a PHP class", usize::MAX)?.unwrap_or_default(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_places() {
        for (place, operation) in PhpOperation::ALL.iter().enumerate() {
            assert_eq!(*operation as usize, place);
        }
        assert_eq!(PhpOperation::ALL.len(), 10, "the error of an unknown number names the last one");
    }

    #[test]
    fn another_number_of_operands_is_refused() {
        for operation in PhpOperation::ALL {
            for count in 0..4 {
                let mut bytes = vec![*operation as u8, 7, 0x90 + count];
                bytes.resize(3 + usize::from(count), 0xc0);
                let is_right = usize::from(count) == operation.operands();
                assert_eq!(PhpOperation::read(&mut Reader::new(&bytes)).is_ok(), is_right, "{operation:?} of {count}");
            }
        }
        assert!(PhpOperation::read(&mut Reader::new(&[10, 7, 0x90])).is_err());
    }
}
