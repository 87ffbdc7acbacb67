//! What PHP threw while a Python context manager was entered, for the manager's `__exit__`.
//!
//! ```text
//! nil                                     nothing: the body came to its end
//! true                                    PHP left the body without an exception: `exit()`, or the end of a fiber
//! handle                                  the Python exception of that id
//! class · message · code · file · line    an exception of PHP's own    (array of 5)
//! ```

use crate::codec::{Malformed, Reader, Token, Writer};
use crate::limits::{MAX_MESSAGE_BYTES, MAX_NAME_BYTES, MAX_PATH_BYTES};

/// What PHP threw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thrown<'a> {
    /// Nothing.
    Nothing,
    /// No exception, and yet the body did not come to its end.
    Left,
    /// A Python exception, by its id.
    Python(u64),
    /// An exception of PHP's own.
    Php(PhpException<'a>),
}

/// An exception of PHP's own, as Python is told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhpException<'a> {
    /// Its class.
    pub class: &'a str,
    /// `getMessage()`.
    pub message: &'a str,
    /// `getCode()`.
    pub code: Code<'a>,
    /// `getFile()`.
    pub file: &'a str,
    /// `getLine()`, from 1; 0 if unknown.
    pub line: u64,
}

/// The code of a PHP exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code<'a> {
    /// What PHP promises.
    Integer(i64),
    /// What `PDOException` has: an SQLSTATE.
    Text(&'a str),
}

impl<'a> Thrown<'a> {
    /// Writes it. Texts beyond the limits of the wire are cut by whoever makes them.
    pub fn write(&self, writer: &mut Writer<'_>) {
        match self {
            Self::Nothing => writer.nil(),
            Self::Left => writer.boolean(true),
            Self::Python(id) => writer.handle(*id),
            Self::Php(exception) => {
                writer.array(5);
                writer.text(exception.class);
                writer.text(exception.message);
                exception.code.write(writer);
                writer.text(exception.file);
                writer.unsigned(exception.line);
            }
        }
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn read(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        Ok(match reader.token()? {
            Token::Nil => Self::Nothing,
            Token::Boolean(true) => Self::Left,
            Token::Handle(id) => Self::Python(id),
            Token::Array(5) => Self::Php(PhpException {
                class: reader.text("the class of an exception", MAX_NAME_BYTES)?,
                message: reader.text("a message", MAX_MESSAGE_BYTES)?,
                code: Code::read(reader)?,
                file: reader.text("a file", MAX_PATH_BYTES)?,
                line: reader.unsigned("a line number")?,
            }),
            other => return Err(Malformed::Unexpected { expected: "what was thrown", found: other.describe() }),
        })
    }
}

impl<'a> Code<'a> {
    pub(crate) fn write(self, writer: &mut Writer<'_>) {
        match self {
            Self::Integer(code) => writer.integer(code),
            Self::Text(code) => writer.text(code),
        }
    }

    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        match reader.clone().token()? {
            Token::Integer(code) => {
                reader.token()?;
                Ok(Self::Integer(code))
            }
            _ => reader.text("the code of an exception", MAX_NAME_BYTES).map(Self::Text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anything_else_is_refused() {
        for bytes in [&b"\xc2"[..], b"\x01", b"\x90", b"\x95\x01", b"\xa1x", b"\x94\xa0\xa0\x00\xa0", b""] {
            assert!(Thrown::read(&mut Reader::new(bytes)).is_err(), "{bytes:02x?}");
        }
    }

    #[test]
    fn texts_over_their_limits_are_refused() {
        let long = "x".repeat(MAX_MESSAGE_BYTES + 1);
        let exception = PhpException { class: "E", message: "", code: Code::Integer(0), file: "", line: 0 };
        for exception in [
            PhpException { class: &long, ..exception },
            PhpException { message: &long, ..exception },
            PhpException { code: Code::Text(&long), ..exception },
            PhpException { file: &long, ..exception },
        ] {
            let mut bytes = Vec::new();
            Thrown::Php(exception).write(&mut Writer::new(&mut bytes));
            let read = Thrown::read(&mut Reader::new(&bytes)).expect_err("over a limit");
            assert!(matches!(read, Malformed::OverLimit { .. }), "{read}");
        }
    }
}
