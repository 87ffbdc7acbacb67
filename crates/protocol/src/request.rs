//! What a client asks of a session: the fixed part of each request's payload.
//!
//! ```text
//! Describe    name or class id · fingerprint or nil
//! Construct   class id · id of the new object · arguments · named arguments
//! Call        target id · method, "" for the target itself · arguments · named arguments
//! Get         target id · attribute
//! Set         target id · attribute · value
//! Has         target id · attribute · question
//! Delete      target id · attribute
//! Roots       paths
//! Iterate     target id · how many items at most
//! Next        iterator id · how many items at most
//! Values      target id
//! Operate     operation · operands (see [`crate::operation`])
//! Release     nothing (its releases stand in front, as in every frame with that flag)
//! EndRequest  nothing
//! Import      module
//! Script      script · function
//! Enter       target id
//! Exit        number of the context · what was thrown ([`crate::thrown`])
//! Share       name · class, as PHP names it · arguments · named arguments
//! Extend      see [`crate::inheritance`], and so Halve, Initialize, CallFrom and LetGo
//! ```
//!
//! A frame with [`crate::frame::FLAG_RELEASES`] begins with an array of pairs, `id, count, id, count, …`:
//! the client let go of an object that it was handed `count` times. The session forgets it when all that it
//! handed out came back, so an object that is on its way to the client at that moment stays alive.

use crate::codec::{Malformed, Reader, Token, Writer};
use crate::limits::{MAX_ARGUMENTS, MAX_ITEMS, MAX_METHOD_INDEXES, MAX_NAME_BYTES, MAX_PATH_BYTES, MAX_ROOTS};

/// Bytes of a [fingerprint](crate::description).
pub const FINGERPRINT_BYTES: usize = 16;

/// Tells whether a client's description is the session's.
pub type Fingerprint = [u8; FINGERPRINT_BYTES];

/// The method that a [`crate::frame::Kind::Call`] names: by a text, or by the index that an earlier call gave the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MethodName<'a> {
    /// The name.
    Text(&'a str),
    /// The name that was given this index.
    Index(u16),
    /// The name, which has this index from now on, whatever becomes of the call.
    Indexed(u16, &'a str),
}

impl<'a> MethodName<'a> {
    /// Writes the name.
    pub fn write(self, writer: &mut Writer<'_>) {
        match self {
            Self::Text(name) => writer.text(name),
            Self::Index(index) => writer.unsigned(u64::from(index)),
            Self::Indexed(index, name) => {
                writer.array(2);
                writer.unsigned(u64::from(index));
                writer.text(name);
            }
        }
    }

    /// Reads a name.
    ///
    /// # Errors
    /// [`Malformed`], also for an index that is not below [`MAX_METHOD_INDEXES`].
    pub fn read(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        match reader.clone().token()? {
            Token::Integer(_) => read_index(reader).map(Self::Index),
            Token::Array(2) => {
                reader.token()?;
                let index = read_index(reader)?;
                Ok(Self::Indexed(index, reader.name("the name of a method")?))
            }
            _ => reader.name("the name of a method").map(Self::Text),
        }
    }
}

fn read_index(reader: &mut Reader<'_>) -> Result<u16, Malformed> {
    let index = reader.unsigned("the index of a method")?;
    match u16::try_from(index) {
        Ok(index) if usize::from(index) < MAX_METHOD_INDEXES => Ok(index),
        _ => Err(Malformed::OverLimit { what: "the index of a method", limit: MAX_METHOD_INDEXES }),
    }
}

/// Which class to describe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selector<'a> {
    /// The class that PHP's autoloader asks for.
    Name(&'a str),
    /// A class that the session named.
    Class(u64),
}

/// What a [`crate::frame::Kind::Has`] asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Question {
    /// PHP's `isset`: there is such an attribute, and it is not None.
    IsSet = 0,
    /// There is such an attribute, and it can be called.
    IsCallable = 1,
    /// There is such an attribute, even if it is None: PHP's `property_exists`.
    Exists = 2,
}

impl Question {
    /// Reads a question.
    ///
    /// # Errors
    /// [`Malformed`] for any other number.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        match reader.unsigned("a question")? {
            0 => Ok(Self::IsSet),
            1 => Ok(Self::IsCallable),
            2 => Ok(Self::Exists),
            _ => Err(Malformed::Unexpected { expected: "a question from 0 to 2", found: "another number" }),
        }
    }
}

/// Writes the payload of a `Describe`.
pub fn write_describe(writer: &mut Writer<'_>, selector: Selector<'_>, held: Option<&Fingerprint>) {
    match selector {
        Selector::Name(name) => writer.text(name),
        Selector::Class(class) => writer.unsigned(class),
    }
    match held {
        Some(fingerprint) => writer.binary(fingerprint),
        None => writer.nil(),
    }
}

/// Reads the payload of a `Describe`.
///
/// # Errors
/// [`Malformed`].
pub fn read_describe<'a>(reader: &mut Reader<'a>) -> Result<(Selector<'a>, Option<Fingerprint>), Malformed> {
    let selector = match reader.token()? {
        Token::Integer(class @ 0..) => Selector::Class(class.unsigned_abs()),
        Token::Text(name) if name.len() <= MAX_NAME_BYTES => {
            Selector::Name(std::str::from_utf8(name).map_err(|_| Malformed::NotText("a class name"))?)
        }
        Token::Text(_) => return Err(Malformed::OverLimit { what: "a class name", limit: MAX_NAME_BYTES }),
        other => return Err(Malformed::Unexpected { expected: "a class", found: other.describe() }),
    };
    let held = reader
        .optional_binary("a fingerprint", FINGERPRINT_BYTES)?
        .map(|bytes| {
            Fingerprint::try_from(bytes)
                .map_err(|_| Malformed::Unexpected { expected: "a fingerprint of 16 bytes", found: "fewer" })
        })
        .transpose()?;
    Ok((selector, held))
}

/// Reads the releases in front of a payload, and hands each to `release(id, count)`.
///
/// # Errors
/// [`Malformed`].
pub fn read_releases(reader: &mut Reader<'_>, mut release: impl FnMut(u64, u64)) -> Result<(), Malformed> {
    let numbers = reader.array("a list of releases", usize::MAX)?;
    if numbers % 2 != 0 {
        return Err(Malformed::Unexpected { expected: "pairs of releases", found: "an odd number" });
    }
    for _ in 0..numbers / 2 {
        let id = reader.unsigned("an object id")?;
        release(id, reader.unsigned("a count")?);
    }
    Ok(())
}

/// Writes the releases in front of a payload.
pub fn write_releases(writer: &mut Writer<'_>, releases: &[(u64, u64)]) {
    writer.array(2 * releases.len());
    for (id, count) in releases {
        writer.unsigned(*id);
        writer.unsigned(*count);
    }
}

/// Writes the payload of an `Iterate` or a `Next`.
pub fn write_iteration(writer: &mut Writer<'_>, target: u64, most: usize) {
    writer.unsigned(target);
    writer.unsigned(most.min(MAX_ITEMS) as u64);
}

/// Reads the payload of an `Iterate` or a `Next`: the target, and how many items may come.
///
/// # Errors
/// [`Malformed`].
pub fn read_iteration(reader: &mut Reader<'_>) -> Result<(u64, usize), Malformed> {
    let target = reader.unsigned("an object id")?;
    match usize::try_from(reader.unsigned("a number of items")?) {
        Ok(most) if most <= MAX_ITEMS => Ok((target, most)),
        _ => Err(Malformed::OverLimit { what: "a number of items", limit: MAX_ITEMS }),
    }
}

/// Reads the count of positional arguments; so many values follow.
///
/// # Errors
/// [`Malformed`].
pub fn read_argument_count(reader: &mut Reader<'_>) -> Result<usize, Malformed> {
    reader.array("the arguments of a call", MAX_ARGUMENTS)
}

/// Reads the count of named arguments; so many pairs of a name and a value follow.
///
/// # Errors
/// [`Malformed`].
pub fn read_named_argument_count(reader: &mut Reader<'_>) -> Result<usize, Malformed> {
    reader.map("the named arguments of a call", MAX_ARGUMENTS)
}

/// Writes what stands in front of the arguments of a `Share`: the name of the object and PHP's name of its class.
pub fn write_share(writer: &mut Writer<'_>, name: &str, class: &str) {
    writer.text(name);
    writer.text(class);
}

/// Reads what [`write_share`] wrote. The arguments follow.
///
/// # Errors
/// [`Malformed`].
pub fn read_share<'a>(reader: &mut Reader<'a>) -> Result<(&'a str, &'a str), Malformed> {
    Ok((reader.name("the name of a shared object")?, reader.name("the name of a class")?))
}

/// Writes class roots.
pub fn write_roots<S: AsRef<str>>(writer: &mut Writer<'_>, roots: &[S]) {
    writer.array(roots.len());
    for root in roots {
        writer.text(root.as_ref());
    }
}

/// Reads class roots.
///
/// # Errors
/// [`Malformed`].
pub fn read_roots<'a>(reader: &mut Reader<'a>) -> Result<Vec<&'a str>, Malformed> {
    let count = reader.array("class roots", MAX_ROOTS)?;
    (0..count).map(|_| reader.text("a class root", MAX_PATH_BYTES)).collect()
}
