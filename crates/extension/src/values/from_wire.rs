//! MessagePack → zval, every value written where it is to lie.

use tortoise_protocol::codec::Short;
use tortoise_protocol::{Depth, Malformed, Reader, Token};

use ext_php_rs::types::Zval;

use super::keys;
use super::segments::Segments;
use super::{big_integers, moments};
use crate::engine::{NewKey, NewString, NewTable, OverLimit, SMALL_BYTES, Slot, Written, check_room, make};
use crate::error::BridgeError;
use crate::exports::{self, Found};
use crate::link::Reply;
use crate::proxy;

/// The value that a session answered with.
///
/// # Errors
/// [`BridgeError`], also of classes that had to be declared for objects in it.
pub(crate) fn read_reply(reply: &Reply) -> Result<Zval, BridgeError> {
    reply.judge(read(reply))
}

fn read(reply: &Reply) -> Result<Zval, BridgeError> {
    Decoder::new(reply)?.last_value()
}

/// What comes behind the items that an answer brought.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rest {
    /// The iterator that has it, in the answer to an `Iterate`.
    pub(crate) iterator: Option<u64>,
    /// Whether there may be any.
    pub(crate) may_come: bool,
}

/// The items that a session answered with. The rest is known even if they cannot be had.
///
/// # Errors
/// [`BridgeError`], also of classes that had to be declared for objects among the items.
pub(crate) fn read_items(reply: &Reply) -> Result<(Rest, Result<NewTable, BridgeError>), BridgeError> {
    let mut decoder = reply.judge(Decoder::new(reply))?;
    let rest = reply.judge(match decoder.reader.token() {
        Ok(Token::Nil) => Ok(Rest { iterator: None, may_come: false }),
        Ok(Token::Boolean(may_come)) => Ok(Rest { iterator: None, may_come }),
        Ok(Token::Object(iterator)) => Ok(Rest { iterator: Some(iterator.id), may_come: true }),
        Ok(other) => Err(unexpected("an iterator, or whether more may come", other.describe())),
        Err(malformed) => Err(malformed.into()),
    })?;
    let items = decoder
        .last_value()
        .and_then(|items| NewTable::from_list(items).ok_or_else(|| unexpected("a list of items", "another value")));
    Ok((rest, reply.judge(items)))
}

/// Reads the values of one answer, or of what Python asks.
pub(crate) struct Decoder<'a> {
    /// What is not a value is read from here.
    pub(crate) reader: Reader<'a>,
    segments: Segments,
    generation: u32,
    /// Where it is next asked whether PHP has room.
    next_check: usize,
}

type Wrote<'s> = Result<Written<'s>, BridgeError>;

impl<'a> Decoder<'a> {
    /// Begins to read. Nothing may have been asked of the session since it came.
    ///
    /// # Errors
    /// [`BridgeError`].
    pub(crate) fn new(reply: &'a Reply) -> Result<Self, BridgeError> {
        let segments = Segments::receive(reply)?;
        Ok(Self {
            reader: Reader::new(reply.payload()),
            segments,
            generation: reply.generation,
            next_check: SMALL_BYTES,
        })
    }

    /// Asks now and then whether PHP has room. PHP ends the request where there is none, and a PHP that lets a native
    /// function run on at first ends the process where there is twice as little: small values alone can go as far.
    #[inline]
    fn check_room(&mut self) -> Result<(), OverLimit> {
        let position = self.reader.position();
        if position < self.next_check {
            return Ok(());
        }
        self.next_check = position + SMALL_BYTES;
        check_room(SMALL_BYTES)
    }

    /// Reads the value behind which nothing may come.
    fn last_value(&mut self) -> Result<Zval, BridgeError> {
        let value = make(|slot| self.value(slot, Depth::ROOT))?;
        self.reader.end()?;
        Ok(value)
    }

    /// Reads the next value.
    ///
    /// # Errors
    /// [`BridgeError`], also of classes that had to be declared for objects in it.
    pub(crate) fn next_value(&mut self) -> Result<Zval, BridgeError> {
        make(|slot| self.value(slot, Depth::ROOT))
    }

    /// Reads one value, and what it contains.
    #[inline]
    fn value<'s>(&mut self, slot: Slot<'s>, depth: Depth) -> Wrote<'s> {
        if let Some(short) = self.reader.short() {
            return Ok(match short {
                Short::Nil => slot.null(),
                Short::Boolean(boolean) => slot.boolean(boolean),
                Short::Integer(integer) => slot.integer(integer),
                Short::Float(float) => slot.float(float),
                Short::Text(bytes) => slot.string(NewString::copy(bytes)?),
            });
        }
        let token = self.reader.token()?;
        self.value_of(token, slot, depth)
    }

    fn value_of<'s>(&mut self, token: Token<'_>, slot: Slot<'s>, depth: Depth) -> Wrote<'s> {
        Ok(match token {
            Token::Nil => slot.null(),
            Token::Boolean(boolean) => slot.boolean(boolean),
            Token::Integer(integer) => slot.integer(integer),
            Token::Unsigned(number) => {
                return Err(BridgeError::Conversion(format!("the integer {number} does not fit in PHP's 64 bits")));
            }
            Token::Float(float) => slot.float(float),
            Token::Text(bytes) | Token::Binary(bytes) => slot.string(NewString::copy(bytes)?),
            Token::Array(0) | Token::Map(0) => slot.empty_array(),
            Token::Array(count) => slot.table(self.list(count, depth.enter()?)?),
            Token::Map(count) => slot.table(self.map(count, depth.enter()?)?),
            Token::Floats(bytes) => slot.table(NewTable::floats(bytes)?),
            Token::Integers(bytes) => slot.table(NewTable::integers(bytes)?),
            Token::Numbers { values, integers } => slot.table(NewTable::numbers(values, integers)?),
            Token::Object(reference) => slot.value(proxy::receive(reference, self.generation)?),
            Token::BigInteger(integer) => slot.value(big_integers::read(integer)?),
            Token::Moment(moment) => slot.value(moments::read(&moment)?),
            Token::Duration(duration) => slot.value(moments::read_duration(duration)?),
            Token::Segment(_) => slot.value(self.segments.next()?),
            Token::PhpHandle(id) => slot.value(php_object(id)?),
            Token::Handle(_) | Token::SameKeys(_) | Token::PhpObject(_) => {
                return Err(unexpected("a value", token.describe()));
            }
        })
    }

    fn list(&mut self, count: usize, depth: Depth) -> Result<NewTable, BridgeError> {
        let mut list = NewTable::list(count)?;
        let mut keys = Keys::Unknown;
        for _ in 0..count {
            self.check_room()?;
            list.push(|slot| match self.reader.token()? {
                Token::Map(count @ 1..) => {
                    let map = self.map(count, depth.enter()?)?;
                    keys = Keys::Of(map.as_ptr());
                    Ok(slot.table(map))
                }
                Token::SameKeys(count) => {
                    let depth = depth.enter()?;
                    let template = keys.template(count)?;
                    Ok(slot.table(template.with_these_keys(|slot| self.value(slot, depth))?))
                }
                token => self.value_of(token, slot, depth),
            })?;
        }
        Ok(list)
    }

    fn map(&mut self, count: usize, depth: Depth) -> Result<NewTable, BridgeError> {
        let mut map = NewTable::map(count)?;
        for _ in 0..count {
            self.check_room()?;
            let key = match self.reader.short() {
                Some(Short::Text(name)) => key_of(name)?,
                Some(Short::Integer(index)) => NewKey::Index(index),
                Some(other) => return Err(unexpected("a key", Token::from(other).describe())),
                None => match self.reader.token()? {
                    Token::Integer(index) => NewKey::Index(index),
                    Token::Text(name) => key_of(name)?,
                    other => return Err(unexpected("a key", other.describe())),
                },
            };
            map.set(&key, |slot| self.value(slot, depth))?;
        }
        Ok(map)
    }
}

/// The very object that Python was handed.
fn php_object(id: u64) -> Result<Zval, BridgeError> {
    match exports::find(id) {
        Some(Found::Object(object)) => Ok(object),
        Some(Found::Iterator(_)) => Err(BridgeError::Conversion(
            "an iterator that Python began over a PHP object cannot be given to PHP; pass the object".to_owned(),
        )),
        None => Err(BridgeError::Stale("Python has this PHP object no longer: its PHP request is over".to_owned())),
    }
}

/// The key that PHP makes of a text.
fn key_of(name: &[u8]) -> Result<NewKey, OverLimit> {
    Ok(match canonical_integer(name) {
        Some(index) => NewKey::Index(index),
        None => NewKey::Name(keys::find(name)?),
    })
}

/// What is known of the keys of the maps in a list.
enum Keys {
    /// There was no map yet.
    Unknown,
    /// The keys are those of this map, which stands in the list that is being read.
    Of(*const ext_php_rs::ffi::zend_array),
    /// They are those of this array, whose values are all null.
    Template(NewTable),
}

impl Keys {
    /// An array with the keys of the last map, which must have `count` of them.
    fn template(&mut self, count: usize) -> Result<&NewTable, BridgeError> {
        if let Self::Of(map) = *self {
            // SAFETY: the map was made by `NewTable::map`, and the list that holds it is not given away yet.
            *self = Self::Template(unsafe { NewTable::keys_of(map) });
        }
        match self {
            Self::Template(template) if template.len() == count => Ok(template),
            Self::Template(_) => Err(unexpected("a map with as many values as the one before it", "another number")),
            _ => Err(unexpected("a map with keys", "a map without keys")),
        }
    }
}

fn unexpected(expected: &'static str, found: &'static str) -> BridgeError {
    Malformed::Unexpected { expected, found }.into()
}

/// The integer that PHP makes of a text key: decimal, without a sign or zeros in front that the integer would not have.
fn canonical_integer(name: &[u8]) -> Option<i64> {
    // Most keys begin with a letter.
    if !matches!(name.first(), Some(b'-' | b'0'..=b'9')) {
        return None;
    }
    let digits = name.strip_prefix(b"-").unwrap_or(name);
    let may_be = matches!(digits, [b'0'] | [b'1'..=b'9', ..]) && digits.len() <= 19 && name != b"-0";
    if !may_be {
        return None;
    }
    std::str::from_utf8(name).ok()?.parse().ok()
}
