//! What an operator asks a supervisor, and what he is told: over the addresses that clients use, in place of a hello.
//!
//! ```text
//! Ask payload        "TORTOISE" | wire version: 2 bytes | map
//! Told payload       text: JSON
//! ```

use crate::PRODUCT_VERSION;
use crate::codec::{Malformed, Reader, Writer};
use crate::handshake::{AccessToken, HelloError, behind_version, write_version};
use crate::limits::{MAX_NAME_BYTES, MAX_TOLD_BYTES};

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The asker's version of the product.
    pub product: String,
    /// `status`, `reload`, `restart` or `stop`.
    pub command: String,
    /// What shows that the asker may, where a listener asks for it.
    pub token: Option<AccessToken>,
}

impl Ask {
    /// A question of this version of the product.
    #[must_use]
    pub fn new(command: &str, token: Option<AccessToken>) -> Self {
        Self { product: PRODUCT_VERSION.to_owned(), command: command.to_owned(), token }
    }

    /// The payload.
    pub fn write(&self, buffer: &mut Vec<u8>) {
        write_version(buffer);
        let mut writer = Writer::new(buffer);
        writer.map(2 + usize::from(self.token.is_some()));
        writer.text("product");
        writer.text(&self.product);
        writer.text("command");
        writer.text(&self.command);
        if let Some(token) = &self.token {
            writer.text("token");
            token.write(&mut writer);
        }
    }

    /// Reads a question, of this version of the wire only.
    ///
    /// # Errors
    /// [`HelloError`] says what to answer, if anything.
    pub fn read(payload: &[u8]) -> Result<Self, HelloError> {
        Self::read_map(behind_version(payload)?).map_err(HelloError::Malformed)
    }

    fn read_map(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let mut ask = Self { product: String::new(), command: String::new(), token: None };
        for _ in 0..reader.map("a question", 16)? {
            match reader.text("a key of the question", MAX_NAME_BYTES)? {
                "product" => ask.product = reader.text("the product's version", MAX_NAME_BYTES)?.to_owned(),
                "command" => ask.command = reader.text("a command", MAX_NAME_BYTES)?.to_owned(),
                "token" => ask.token = Some(AccessToken::read(&mut reader)?),
                _ => drop(reader.value()?),
            }
        }
        reader.end()?;
        Ok(ask)
    }
}

/// What the asker is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// JSON: an object. Where something went wrong it has the key `error`, for a person.
    pub json: String,
}

impl Told {
    /// The payload.
    pub fn write(&self, buffer: &mut Vec<u8>) {
        Writer::new(buffer).text(&self.json);
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn read(payload: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(payload);
        let json = reader.text("an answer", MAX_TOLD_BYTES)?.to_owned();
        reader.end()?;
        Ok(Self { json })
    }
}
