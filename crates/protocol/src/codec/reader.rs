//! Reads MessagePack from a peer that is not trusted.

mod short;

use super::{
    BigInteger, Depth, Duration, ELEMENT_BYTES, EXTENSION_BIG_INTEGER, EXTENSION_DURATION, EXTENSION_FLOATS,
    EXTENSION_HANDLE, EXTENSION_INTEGERS, EXTENSION_MOMENT, EXTENSION_NUMBERS, EXTENSION_OBJECT, EXTENSION_PHP_HANDLE,
    EXTENSION_PHP_OBJECT, EXTENSION_SAME_KEYS, EXTENSION_SEGMENT, Malformed, Moment, ObjectReference, PhpReference,
    Segment, SegmentKind, Token, numbers,
};
use crate::limits::{MAX_INTEGER_BYTES, MAX_NAME_BYTES};

pub use short::Short;

/// Walks over MessagePack values. Every count is held against the bytes that are left before it is believed.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Reads from the start of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bytes read so far.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.at
    }

    /// Checks that nothing is left.
    ///
    /// # Errors
    /// [`Malformed::Trailing`].
    pub const fn end(&self) -> Result<(), Malformed> {
        match self.bytes.len() - self.at {
            0 => Ok(()),
            left => Err(Malformed::Trailing(left)),
        }
    }

    /// The next token.
    ///
    /// # Errors
    /// [`Malformed`], with nothing allocated.
    pub fn token(&mut self) -> Result<Token<'a>, Malformed> {
        let [tag] = self.fixed()?;
        Ok(match tag {
            0x00..=0x7f => Token::Integer(i64::from(tag)),
            0x80..=0x8f => self.map_of(usize::from(tag & 0x0f))?,
            0x90..=0x9f => self.array_of(usize::from(tag & 0x0f))?,
            0xa0..=0xbf => Token::Text(self.take(usize::from(tag & 0x1f))?),
            0xc0 => Token::Nil,
            0xc2 => Token::Boolean(false),
            0xc3 => Token::Boolean(true),
            0xc4 => self.length8().and_then(|n| self.take(n)).map(Token::Binary)?,
            0xc5 => self.length16().and_then(|n| self.take(n)).map(Token::Binary)?,
            0xc6 => self.length32().and_then(|n| self.take(n)).map(Token::Binary)?,
            0xc7 => {
                let length = self.length8()?;
                self.extension(length)?
            }
            0xc9 => {
                let length = self.length32()?;
                self.extension(length)?
            }
            0xca => Token::Float(f64::from(f32::from_be_bytes(self.fixed()?))),
            0xcb => Token::Float(f64::from_be_bytes(self.fixed()?)),
            0xcc => Token::Integer(i64::from(u8::from_be_bytes(self.fixed()?))),
            0xcd => Token::Integer(i64::from(u16::from_be_bytes(self.fixed()?))),
            0xce => Token::Integer(i64::from(u32::from_be_bytes(self.fixed()?))),
            0xcf => {
                let value = u64::from_be_bytes(self.fixed()?);
                i64::try_from(value).map_or(Token::Unsigned(value), Token::Integer)
            }
            0xd0 => Token::Integer(i64::from(i8::from_be_bytes(self.fixed()?))),
            0xd1 => Token::Integer(i64::from(i16::from_be_bytes(self.fixed()?))),
            0xd2 => Token::Integer(i64::from(i32::from_be_bytes(self.fixed()?))),
            0xd3 => Token::Integer(i64::from_be_bytes(self.fixed()?)),
            0xd4 => self.extension(1)?,
            0xd7 => self.extension(8)?,
            0xd9 => self.length8().and_then(|n| self.take(n)).map(Token::Text)?,
            0xda => self.length16().and_then(|n| self.take(n)).map(Token::Text)?,
            0xdb => self.length32().and_then(|n| self.take(n)).map(Token::Text)?,
            0xdc => self.length16().and_then(|n| self.array_of(n))?,
            0xdd => self.length32().and_then(|n| self.array_of(n))?,
            0xde => self.length16().and_then(|n| self.map_of(n))?,
            0xdf => self.length32().and_then(|n| self.map_of(n))?,
            0xe0..=0xff => Token::Integer(i64::from(tag as i8)),
            _ => return Err(Malformed::UnknownValue(tag)),
        })
    }

    /// An array's count, of at most `limit`.
    ///
    /// # Errors
    /// [`Malformed`] if something else comes, or more.
    pub fn array(&mut self, what: &'static str, limit: usize) -> Result<usize, Malformed> {
        match self.token()? {
            Token::Array(count) if count <= limit => Ok(count),
            Token::Array(_) => Err(Malformed::OverLimit { what, limit }),
            other => Err(Malformed::Unexpected { expected: what, found: other.describe() }),
        }
    }

    /// A map's count, of at most `limit`.
    ///
    /// # Errors
    /// [`Malformed`] if something else comes, or more.
    pub fn map(&mut self, what: &'static str, limit: usize) -> Result<usize, Malformed> {
        match self.token()? {
            Token::Map(count) if count <= limit => Ok(count),
            Token::Map(_) => Err(Malformed::OverLimit { what, limit }),
            other => Err(Malformed::Unexpected { expected: what, found: other.describe() }),
        }
    }

    /// An integer that is not negative.
    ///
    /// # Errors
    /// [`Malformed`] if something else comes.
    pub fn unsigned(&mut self, what: &'static str) -> Result<u64, Malformed> {
        match self.token()? {
            Token::Integer(value @ 0..) => Ok(value.unsigned_abs()),
            Token::Unsigned(value) => Ok(value),
            other => Err(Malformed::Unexpected { expected: what, found: other.describe() }),
        }
    }

    /// A truth value.
    ///
    /// # Errors
    /// [`Malformed`] if something else comes.
    pub fn boolean(&mut self, what: &'static str) -> Result<bool, Malformed> {
        match self.token()? {
            Token::Boolean(value) => Ok(value),
            other => Err(Malformed::Unexpected { expected: what, found: other.describe() }),
        }
    }

    /// A text in UTF-8 of at most `limit` bytes.
    ///
    /// # Errors
    /// [`Malformed`] if something else comes, or more.
    pub fn text(&mut self, what: &'static str, limit: usize) -> Result<&'a str, Malformed> {
        match self.token()? {
            Token::Text(bytes) if bytes.len() > limit => Err(Malformed::OverLimit { what, limit }),
            Token::Text(bytes) => std::str::from_utf8(bytes).map_err(|_| Malformed::NotText(what)),
            other => Err(Malformed::Unexpected { expected: what, found: other.describe() }),
        }
    }

    /// A text or nil.
    ///
    /// # Errors
    /// [`Malformed`] if something else comes, or more than `limit` bytes.
    pub fn optional_text(&mut self, what: &'static str, limit: usize) -> Result<Option<&'a str>, Malformed> {
        if self.bytes.get(self.at) == Some(&0xc0) {
            self.at += 1;
            return Ok(None);
        }
        self.text(what, limit).map(Some)
    }

    /// The name of a class, method, attribute or argument.
    ///
    /// # Errors
    /// [`Malformed`] if something else comes, it is too long, or a NUL stands in it.
    pub fn name(&mut self, what: &'static str) -> Result<&'a str, Malformed> {
        let name = self.text(what, MAX_NAME_BYTES)?;
        if name.contains('\0') { Err(Malformed::NotAnIdentifier(what)) } else { Ok(name) }
    }

    /// Bytes or nil, of at most `limit`.
    ///
    /// # Errors
    /// [`Malformed`] if something else comes, or more.
    pub fn optional_binary(&mut self, what: &'static str, limit: usize) -> Result<Option<&'a [u8]>, Malformed> {
        match self.token()? {
            Token::Nil => Ok(None),
            Token::Binary(bytes) if bytes.len() <= limit => Ok(Some(bytes)),
            Token::Binary(_) => Err(Malformed::OverLimit { what, limit }),
            other => Err(Malformed::Unexpected { expected: what, found: other.describe() }),
        }
    }

    /// Passes over one value and gives its bytes.
    ///
    /// # Errors
    /// [`Malformed`] if it is not one whole value.
    pub fn value(&mut self) -> Result<&'a [u8], Malformed> {
        let start = self.at;
        self.skip(Depth::ROOT)?;
        Ok(&self.bytes[start..self.at])
    }

    fn skip(&mut self, depth: Depth) -> Result<(), Malformed> {
        let elements = match self.token()? {
            Token::Array(count) => count,
            Token::Map(count) => 2 * count,
            Token::SameKeys(count) => count,
            _ => return Ok(()),
        };
        let depth = depth.enter()?;
        (0..elements).try_for_each(|_| self.skip(depth))
    }

    fn array_of(&self, count: usize) -> Result<Token<'a>, Malformed> {
        self.holds(count, 1).map(|()| Token::Array(count))
    }

    fn map_of(&self, count: usize) -> Result<Token<'a>, Malformed> {
        self.holds(count, 2).map(|()| Token::Map(count))
    }

    /// Every element takes at least one byte, so that a short payload cannot make anyone allocate much.
    fn holds(&self, count: usize, bytes_each: usize) -> Result<(), Malformed> {
        let left = self.bytes.len() - self.at;
        if count > left / bytes_each { Err(Malformed::CountTooLarge { count, left }) } else { Ok(()) }
    }

    fn extension(&mut self, length: usize) -> Result<Token<'a>, Malformed> {
        let [kind] = self.fixed()?;
        match (kind as i8, length) {
            (EXTENSION_OBJECT, 17) => {
                let id = u64::from_be_bytes(self.fixed()?);
                let class = u64::from_be_bytes(self.fixed()?);
                let [traits] = self.fixed()?;
                Ok(Token::Object(ObjectReference { id, class, traits }))
            }
            (EXTENSION_SEGMENT, 5) => {
                let [what] = self.fixed()?;
                let bytes = u32::from_be_bytes(self.fixed()?);
                let is_vector = what == SegmentKind::Floats as u8 || what == SegmentKind::Integers as u8;
                let kind = match what {
                    0 => SegmentKind::Text,
                    1 => SegmentKind::Binary,
                    2 => SegmentKind::Floats,
                    3 => SegmentKind::Integers,
                    _ => return Err(Malformed::UnknownSegment(what)),
                };
                if is_vector && !bytes.is_multiple_of(ELEMENT_BYTES as u32) {
                    return Err(Malformed::PartialElement(bytes as usize));
                }
                Ok(Token::Segment(Segment { kind, bytes }))
            }
            (EXTENSION_FLOATS | EXTENSION_INTEGERS, _) if !length.is_multiple_of(ELEMENT_BYTES) => {
                Err(Malformed::PartialElement(length))
            }
            (EXTENSION_FLOATS, _) => self.take(length).map(Token::Floats),
            (EXTENSION_INTEGERS, _) => self.take(length).map(Token::Integers),
            (EXTENSION_NUMBERS, _) => {
                let (values, integers) = numbers::split(self.take(length)?)?;
                Ok(Token::Numbers { values, integers })
            }
            (EXTENSION_SAME_KEYS, 1) => {
                let [count] = self.fixed()?;
                self.holds(usize::from(count), 1).map(|()| Token::SameKeys(usize::from(count)))
            }
            (EXTENSION_BIG_INTEGER, _) if length > 1 + MAX_INTEGER_BYTES => {
                Err(Malformed::OverLimit { what: "a big integer", limit: MAX_INTEGER_BYTES })
            }
            (EXTENSION_BIG_INTEGER, _) => match self.take(length)? {
                [sign @ (0 | 1), magnitude @ ..] if !magnitude.is_empty() => {
                    Ok(Token::BigInteger(BigInteger { is_negative: *sign == 1, magnitude }))
                }
                _ => Err(Malformed::NoInteger),
            },
            (EXTENSION_MOMENT, _) => Moment::read(self.take(length)?).map(Token::Moment),
            (EXTENSION_DURATION, 12) => Duration::read(self.fixed()?, self.fixed()?).map(Token::Duration),
            (EXTENSION_PHP_OBJECT, _) => PhpReference::read(self.take(length)?).map(Token::PhpObject),
            (EXTENSION_PHP_HANDLE, 8) => Ok(Token::PhpHandle(u64::from_be_bytes(self.fixed()?))),
            (EXTENSION_HANDLE, 8) => Ok(Token::Handle(u64::from_be_bytes(self.fixed()?))),
            _ => Err(Malformed::UnknownValue(kind)),
        }
    }

    fn length8(&mut self) -> Result<usize, Malformed> {
        self.fixed().map(|bytes| usize::from(u8::from_be_bytes(bytes)))
    }

    fn length16(&mut self) -> Result<usize, Malformed> {
        self.fixed().map(|bytes| usize::from(u16::from_be_bytes(bytes)))
    }

    fn length32(&mut self) -> Result<usize, Malformed> {
        self.fixed().map(|bytes| u32::from_be_bytes(bytes) as usize)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let bytes = self.bytes[self.at..].first_chunk::<N>().ok_or(Malformed::Truncated(self.bytes.len()))?;
        self.at += N;
        Ok(*bytes)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let bytes = self.bytes[self.at..].get(..length).ok_or(Malformed::Truncated(self.bytes.len()))?;
        self.at += length;
        Ok(bytes)
    }
}
