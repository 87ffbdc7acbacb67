//! Why a callback came to nothing: the payload of a `Threw`.
//!
//! ```text
//! handle                                         a Python exception that passed through PHP
//! PHP object · message · code · file · line      a PHP exception                                (array of 5)
//! nil                                            PHP ends its request: `exit()`
//! category · message                             it was not done, and why                       (array of 2)
//! ```

use crate::codec::{Malformed, PhpReference, Reader, Token, Writer};
use crate::failure::Category;
use crate::limits::{MAX_MESSAGE_BYTES, MAX_PATH_BYTES};
use crate::thrown::Code;

/// Why a callback came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rebound<'a> {
    /// A Python exception passed through PHP.
    Python(u64),
    /// PHP threw.
    Php(PhpThrowable<'a>),
    /// PHP ends its request: nothing more of Python is to run in it than what must.
    Exit,
    /// It was not done: the object is gone, the name is not public, a value cannot cross.
    Refused(Category, &'a str),
}

/// A PHP exception, and what Python shows of it without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhpThrowable<'a> {
    /// The exception itself.
    pub object: PhpReference<'a>,
    /// `getMessage()`.
    pub message: &'a str,
    /// `getCode()`.
    pub code: Code<'a>,
    /// `getFile()`.
    pub file: &'a str,
    /// `getLine()`, from 1; 0 if unknown.
    pub line: u64,
}

impl<'a> Rebound<'a> {
    /// Writes it. Texts beyond the limits of the wire are cut by whoever makes them.
    pub fn write(&self, writer: &mut Writer<'_>) {
        match self {
            Self::Python(id) => writer.handle(*id),
            Self::Php(PhpThrowable { object, message, code, file, line }) => {
                writer.array(5);
                writer.php_object(*object);
                writer.text(message);
                code.write(writer);
                writer.text(file);
                writer.unsigned(*line);
            }
            Self::Exit => writer.nil(),
            Self::Refused(category, message) => {
                writer.array(2);
                writer.unsigned(*category as u64);
                writer.text(message);
            }
        }
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn read(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        Ok(match reader.token()? {
            Token::Handle(id) => Self::Python(id),
            Token::Nil => Self::Exit,
            Token::Array(2) => Self::Refused(Category::read(reader)?, reader.text("a message", MAX_MESSAGE_BYTES)?),
            Token::Array(5) => Self::Php(PhpThrowable {
                object: match reader.token()? {
                    Token::PhpObject(object) => object,
                    other => {
                        return Err(Malformed::Unexpected { expected: "a PHP exception", found: other.describe() });
                    }
                },
                message: reader.text("a message", MAX_MESSAGE_BYTES)?,
                code: Code::read(reader)?,
                file: reader.text("a file", MAX_PATH_BYTES)?,
                line: reader.unsigned("a line number")?,
            }),
            other => {
                return Err(Malformed::Unexpected { expected: "why a callback failed", found: other.describe() });
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anything_else_is_refused() {
        for bytes in [&b"\xc2"[..], b"\x01", b"\x90", b"\x92\x09\xa0", b"\x92\x01\x01", b"\x95\x01", b"\x95\xc0", b""] {
            assert!(Rebound::read(&mut Reader::new(bytes)).is_err(), "{bytes:02x?}");
        }
    }
}
