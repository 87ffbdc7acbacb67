//! Hello, welcome and refusal.
//!
//! ```text
//! Hello payload      "TORTOISE" | wire version: 2 bytes | map
//! Welcome payload    map
//! Refusal payload    map
//! ```
//!
//! The first ten bytes of a hello are the same for every version, so that a peer of another version is
//! understood well enough to be told which versions are known.

use std::fmt;

use subtle::ConstantTimeEq;

use crate::codec::{Malformed, Reader, Token, Writer};
use crate::limits::{
    MAX_MESSAGE_BYTES, MAX_MODULE_PATTERNS, MAX_NAME_BYTES, MAX_PATH_BYTES, MAX_TOKEN_BYTES, MIN_TOKEN_BYTES,
};
use crate::request::{read_roots, write_roots};
use crate::{PRODUCT_VERSION, PROTOCOL_VERSION};

/// The first bytes of every hello.
pub const MAGIC: [u8; 8] = *b"TORTOISE";

/// What a client says first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// The client's version of the product.
    pub product: String,
    /// The client's process id, for logs.
    pub process: u64,
    /// Class roots, in the order in which they are searched. Only a private sidecar believes them.
    pub roots: Vec<String>,
    /// Patterns of modules that the client may open. Only a private sidecar believes them.
    pub modules: Vec<String>,
    /// Whether the client takes shared memory, if the session offers it with its welcome.
    pub shared_memory: bool,
    /// What shows that the client may come, where a listener asks for it.
    pub token: Option<AccessToken>,
}

impl Hello {
    /// The payload.
    pub fn write(&self, buffer: &mut Vec<u8>) {
        write_version(buffer);
        let mut writer = Writer::new(buffer);
        writer.map(5 + usize::from(self.token.is_some()));
        writer.text("product");
        writer.text(&self.product);
        writer.text("process");
        writer.unsigned(self.process);
        writer.text("roots");
        write_roots(&mut writer, &self.roots);
        writer.text("modules");
        write_roots(&mut writer, &self.modules);
        writer.text("shared_memory");
        writer.boolean(self.shared_memory);
        if let Some(token) = &self.token {
            writer.text("token");
            token.write(&mut writer);
        }
    }

    /// Reads a hello, of this version of the wire only.
    ///
    /// # Errors
    /// [`HelloError`] says what to answer, if anything.
    pub fn read(payload: &[u8]) -> Result<Self, HelloError> {
        Self::read_map(behind_version(payload)?).map_err(HelloError::Malformed)
    }

    fn read_map(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let mut hello = Self {
            product: String::new(),
            process: 0,
            roots: Vec::new(),
            modules: Vec::new(),
            shared_memory: false,
            token: None,
        };
        for _ in 0..reader.map("a hello", 16)? {
            match reader.text("a key of the hello", MAX_NAME_BYTES)? {
                "product" => hello.product = reader.text("the product's version", MAX_NAME_BYTES)?.to_owned(),
                "process" => hello.process = reader.unsigned("a process id")?,
                "roots" => hello.roots = read_roots(&mut reader)?.into_iter().map(str::to_owned).collect(),
                "modules" => {
                    let count = reader.array("module patterns", MAX_MODULE_PATTERNS)?;
                    hello.modules = (0..count)
                        .map(|_| reader.text("a module pattern", MAX_PATH_BYTES).map(str::to_owned))
                        .collect::<Result<_, _>>()?;
                }
                "shared_memory" => hello.shared_memory = reader.boolean("a truth value")?,
                "token" => hello.token = Some(AccessToken::read(&mut reader)?),
                _ => drop(reader.value()?),
            }
        }
        reader.end()?;
        Ok(hello)
    }
}

/// Begins the payload of whoever speaks first.
pub(crate) fn write_version(buffer: &mut Vec<u8>) {
    buffer.extend_from_slice(&MAGIC);
    buffer.extend_from_slice(&PROTOCOL_VERSION.to_be_bytes());
}

/// What stands behind the beginning that is the same in every version, of one who speaks this version.
pub(crate) fn behind_version(payload: &[u8]) -> Result<&[u8], HelloError> {
    let (magic, rest) = payload.split_first_chunk::<8>().ok_or(HelloError::NotTortoise)?;
    let (version, rest) = rest.split_first_chunk::<2>().ok_or(HelloError::NotTortoise)?;
    if *magic != MAGIC {
        return Err(HelloError::NotTortoise);
    }
    match u16::from_be_bytes(*version) {
        PROTOCOL_VERSION => Ok(rest),
        other => Err(HelloError::UnknownVersion(other)),
    }
}

/// The secret that a client and a sidecar share. It is never printed, and compared in a time that tells nothing of it.
#[derive(Clone)]
pub struct AccessToken(Vec<u8>);

impl AccessToken {
    /// The token that a file holds, without the blanks and line ends behind it.
    ///
    /// # Errors
    /// [`TokenError`] says nothing of the content but its length.
    pub fn from_file_content(content: &[u8]) -> Result<Self, TokenError> {
        match content.trim_ascii_end() {
            token if token.len() < MIN_TOKEN_BYTES => Err(TokenError::TooShort(token.len())),
            token if token.len() > MAX_TOKEN_BYTES => Err(TokenError::TooLong),
            token => Ok(Self(token.to_vec())),
        }
    }

    pub(crate) fn write(&self, writer: &mut Writer<'_>) {
        writer.binary(&self.0);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        match reader.token()? {
            Token::Binary(bytes) if bytes.len() <= MAX_TOKEN_BYTES => Ok(Self(bytes.to_vec())),
            Token::Binary(_) => Err(Malformed::OverLimit { what: "a token", limit: MAX_TOKEN_BYTES }),
            other => Err(Malformed::Unexpected { expected: "a token", found: other.describe() }),
        }
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AccessToken(…)")
    }
}

impl PartialEq for AccessToken {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for AccessToken {}

/// Why a file holds no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It could be guessed.
    #[error("it holds {0} bytes, and a token must have at least {MIN_TOKEN_BYTES}")]
    TooShort(usize),
    /// It is something else than a token.
    #[error("it holds more than the {MAX_TOKEN_BYTES} bytes that a token may have")]
    TooLong,
}

/// Why a hello was not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HelloError {
    /// The peer speaks something else; it gets no answer.
    #[error("the peer does not speak Tortoise's protocol")]
    NotTortoise,
    /// The peer speaks another version; it is told which are known.
    #[error("version {0} of the wire is not known here; known: {PROTOCOL_VERSION}")]
    UnknownVersion(u16),
    /// The version is right and the rest is not.
    #[error("the hello is malformed: {0}")]
    Malformed(#[from] Malformed),
}

/// What a session says first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Welcome {
    /// The session's version of the product.
    pub product: String,
    /// The session's process id, for logs and for `Tortoise\status()`.
    pub process: u64,
    /// The version of Python, as `3.11.2`.
    pub python: String,
}

impl Welcome {
    /// The payload.
    pub fn write(&self, buffer: &mut Vec<u8>) {
        let mut writer = Writer::new(buffer);
        writer.map(3);
        writer.text("product");
        writer.text(&self.product);
        writer.text("process");
        writer.unsigned(self.process);
        writer.text("python");
        writer.text(&self.python);
    }

    /// Reads a welcome.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn read(payload: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(payload);
        let mut welcome = Self { product: String::new(), process: 0, python: String::new() };
        for _ in 0..reader.map("a welcome", 16)? {
            match reader.text("a key of the welcome", MAX_NAME_BYTES)? {
                "product" => welcome.product = reader.text("the product's version", MAX_NAME_BYTES)?.to_owned(),
                "process" => welcome.process = reader.unsigned("a process id")?,
                "python" => welcome.python = reader.text("Python's version", MAX_NAME_BYTES)?.to_owned(),
                _ => drop(reader.value()?),
            }
        }
        reader.end()?;
        Ok(welcome)
    }
}

/// Why a client may not call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What went wrong and what to do, for a person.
    pub message: String,
    /// Whether the same hello may be accepted in a moment (the sidecar is leaving, starting or full).
    pub retry: bool,
}

impl Refusal {
    /// The refusal of a wire or product version that is not this one.
    #[must_use]
    pub fn of_version(client: &str) -> Self {
        Self {
            message: format!(
                "the extension ({client}) and the sidecar ({PRODUCT_VERSION}, wire version {PROTOCOL_VERSION}) are of \
                 different versions; install both from the same build and restart PHP and the sidecar"
            ),
            retry: false,
        }
    }

    /// The payload.
    pub fn write(&self, buffer: &mut Vec<u8>) {
        let mut writer = Writer::new(buffer);
        writer.map(3);
        writer.text("message");
        writer.text(&self.message);
        writer.text("retry");
        writer.boolean(self.retry);
        writer.text("versions");
        writer.array(1);
        writer.unsigned(u64::from(PROTOCOL_VERSION));
    }

    /// Reads a refusal.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn read(payload: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(payload);
        let mut refusal = Self { message: String::new(), retry: false };
        for _ in 0..reader.map("a refusal", 16)? {
            match reader.text("a key of the refusal", MAX_NAME_BYTES)? {
                "message" => refusal.message = reader.text("a message", MAX_MESSAGE_BYTES)?.to_owned(),
                "retry" => refusal.retry = reader.boolean("a truth value")?,
                _ => drop(reader.value()?),
            }
        }
        reader.end()?;
        Ok(refusal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

    fn hello(token: Option<AccessToken>) -> Hello {
        Hello {
            product: PRODUCT_VERSION.to_owned(),
            process: 9,
            roots: Vec::new(),
            modules: Vec::new(),
            shared_memory: true,
            token,
        }
    }

    #[test]
    fn a_token_is_what_a_file_holds_without_its_end() {
        let token = AccessToken::from_file_content(&[SECRET, b" \r\n\t"].concat()).expect("a token");
        assert_eq!(token, AccessToken(SECRET.to_vec()));
        assert_ne!(token, AccessToken(SECRET[1..].to_vec()));
        assert_ne!(token, AccessToken([&SECRET[..31], b"e"].concat()));
        for (content, expected) in [
            (SECRET[..31].to_vec(), Err(TokenError::TooShort(31))),
            (vec![b'\n'; 100], Err(TokenError::TooShort(0))),
            (vec![b'x'; MAX_TOKEN_BYTES + 1], Err(TokenError::TooLong)),
            (vec![b'x'; MAX_TOKEN_BYTES], Ok(AccessToken(vec![b'x'; MAX_TOKEN_BYTES]))),
        ] {
            assert_eq!(AccessToken::from_file_content(&content), expected);
        }
    }

    #[test]
    fn a_token_is_never_printed() {
        let printed = format!("{:?}", hello(Some(AccessToken(SECRET.to_vec()))));
        assert!(printed.contains("AccessToken(…)"), "{printed}");
        // Neither as a text nor as a list of numbers.
        assert!(!printed.contains("0123") && !printed.contains("48, 49"), "{printed}");
    }

    #[test]
    fn a_token_over_its_limit_or_of_another_type_is_malformed() {
        let mut longest = Vec::new();
        hello(Some(AccessToken(vec![0; MAX_TOKEN_BYTES]))).write(&mut longest);
        assert!(Hello::read(&longest).is_ok());
        let mut longer = Vec::new();
        hello(Some(AccessToken(vec![0; MAX_TOKEN_BYTES + 1]))).write(&mut longer);
        let over = Malformed::OverLimit { what: "a token", limit: MAX_TOKEN_BYTES };
        assert_eq!(Hello::read(&longer), Err(HelloError::Malformed(over)));
        let mut text = Vec::new();
        hello(Some(AccessToken(vec![0; 4]))).write(&mut text);
        // Behind the key: binary of 4 bytes becomes a text of 4 bytes.
        let at = text.len() - 6;
        text.splice(at..at + 2, [0xa4]);
        assert!(matches!(Hello::read(&text), Err(HelloError::Malformed(Malformed::Unexpected { .. }))));
    }
}
