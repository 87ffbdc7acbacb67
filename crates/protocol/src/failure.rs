//! What went wrong in a call: on which side, whether the call can have run, and Python's exceptions.
//!
//! ```text
//! Failure payload   category · ran · message · exceptions, the raised one first, then its causes  (array of 4)
//! exception         object · Python's class name · message · file or nil · line · traceback
//!                   · id of the PHP exception that it is, or 0                                     (array of 7)
//! ```

use crate::codec::{Malformed, ObjectReference, Reader, Token, Writer};
use crate::limits::{MAX_CAUSES, MAX_MESSAGE_BYTES, MAX_NAME_BYTES, MAX_PATH_BYTES};
use crate::traceback::Traceback;

/// Which kind of thing went wrong, and so which PHP exception it becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Category {
    /// Python code raised; [`Failure::exceptions`] is not empty.
    Python = 0,
    /// The name is not for clients.
    Access = 1,
    /// A value has no equal in the other language.
    Conversion = 2,
    /// The object is not, or no longer, one of this session's.
    Stale = 3,
    /// The request made no sense to the session; the connection is closed after it.
    Protocol = 4,
    /// Neither operand has the operator.
    Unsupported = 5,
}

/// Whether the call can have run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Ran {
    /// Nothing has been touched.
    No = 0,
    /// User code has been entered.
    Yes = 1,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Which kind of thing.
    pub category: Category,
    /// Whether the call can have run.
    pub ran: Ran,
    /// For a person. Of a Python exception, the same as the first exception's.
    pub message: String,
    /// The raised exception, then its causes.
    pub exceptions: Vec<RaisedException>,
}

/// One Python exception of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RaisedException {
    /// The exception itself and its class.
    pub object: ObjectReference,
    /// Its class as Python names it, `module.Class`, or `Class` for a built-in one.
    pub class_name: String,
    /// Its text.
    pub message: String,
    /// Where it was raised, if in a file.
    pub file: Option<String>,
    /// The line there, from 1; 0 if unknown.
    pub line: u64,
    /// Python's traceback of this exception alone.
    pub traceback: Traceback,
    /// The PHP exception that was thrown in a callback and that this is; 0: none.
    pub php: u64,
}

impl Failure {
    /// A failure without a Python exception.
    #[must_use]
    pub fn new(category: Category, ran: Ran, message: impl Into<String>) -> Self {
        Self { category, ran, message: message.into(), exceptions: Vec::new() }
    }

    /// Writes the payload.
    pub fn write(&self, buffer: &mut Vec<u8>) {
        let mut writer = Writer::new(buffer);
        writer.array(4);
        writer.unsigned(self.category as u64);
        writer.unsigned(self.ran as u64);
        writer.text(&self.message);
        writer.array(self.exceptions.len());
        for exception in &self.exceptions {
            exception.write(&mut writer);
        }
    }

    /// Reads the payload.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn read(payload: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(payload);
        reader.array("a failure", 4)?;
        let category = Category::read(&mut reader)?;
        let ran = match reader.unsigned("whether the call ran")? {
            0 => Ran::No,
            1 => Ran::Yes,
            _ => return Err(Malformed::Unexpected { expected: "0 or 1", found: "another number" }),
        };
        let message = reader.text("a message", MAX_MESSAGE_BYTES)?.to_owned();
        let count = reader.array("exceptions", MAX_CAUSES)?;
        let exceptions = (0..count).map(|_| RaisedException::read(&mut reader)).collect::<Result<_, _>>()?;
        reader.end()?;
        Ok(Self { category, ran, message, exceptions })
    }
}

impl Category {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(match reader.unsigned("a failure's category")? {
            0 => Self::Python,
            1 => Self::Access,
            2 => Self::Conversion,
            3 => Self::Stale,
            4 => Self::Protocol,
            5 => Self::Unsupported,
            _ => return Err(Malformed::Unexpected { expected: "a category from 0 to 5", found: "another number" }),
        })
    }
}

impl RaisedException {
    fn write(&self, writer: &mut Writer<'_>) {
        writer.array(7);
        writer.object(self.object);
        writer.text(&self.class_name);
        writer.text(&self.message);
        match &self.file {
            Some(file) => writer.text(file),
            None => writer.nil(),
        }
        writer.unsigned(self.line);
        self.traceback.write(writer);
        writer.unsigned(self.php);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        reader.array("an exception", 7)?;
        let object = match reader.token()? {
            Token::Object(object) => object,
            other => return Err(Malformed::Unexpected { expected: "an exception object", found: other.describe() }),
        };
        Ok(Self {
            object,
            class_name: reader.text("a class name", MAX_NAME_BYTES)?.to_owned(),
            message: reader.text("a message", MAX_MESSAGE_BYTES)?.to_owned(),
            file: reader.optional_text("a file", MAX_PATH_BYTES)?.map(str::to_owned),
            line: reader.unsigned("a line number")?,
            traceback: Traceback::read(reader)?,
            php: reader.unsigned("the id of a PHP exception")?,
        })
    }
}
