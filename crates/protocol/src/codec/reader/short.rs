//! What can be told of a value by its first byte.

use super::{Reader, Token};

/// A value of the kinds that come most, see [`Reader::short`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Short<'a> {
    /// Nothing.
    Nil,
    /// A truth value.
    Boolean(bool),
    /// An integer from 0 to 2³² - 1.
    Integer(i64),
    /// A float.
    Float(f64),
    /// A text of less than 32 bytes, as [`Token::Text`].
    Text(&'a [u8]),
}

impl<'a> From<Short<'a>> for Token<'a> {
    fn from(short: Short<'a>) -> Self {
        match short {
            Short::Nil => Self::Nil,
            Short::Boolean(value) => Self::Boolean(value),
            Short::Integer(value) => Self::Integer(value),
            Short::Float(value) => Self::Float(value),
            Short::Text(text) => Self::Text(text),
        }
    }
}

impl<'a> Reader<'a> {
    /// The next value, if it is one of those that come most; otherwise nothing is read, and [`Self::token`] tells what it
    /// is, or what is wrong with it. A walk that asks this first passes over long lists twice as fast.
    #[inline]
    pub fn short(&mut self) -> Option<Short<'a>> {
        let (tag, behind) = self.bytes[self.at..].split_first()?;
        let (bytes, short) = match *tag {
            0x00..=0x7f => (1, Short::Integer(i64::from(*tag))),
            0xa0..=0xbf => {
                let text = behind.get(..usize::from(*tag & 0x1f))?;
                (1 + text.len(), Short::Text(text))
            }
            0xc0 => (1, Short::Nil),
            0xc2 | 0xc3 => (1, Short::Boolean(*tag == 0xc3)),
            0xcb => (9, Short::Float(f64::from_be_bytes(*behind.first_chunk()?))),
            0xcc => (2, Short::Integer(i64::from(*behind.first()?))),
            0xcd => (3, Short::Integer(i64::from(u16::from_be_bytes(*behind.first_chunk()?)))),
            0xce => (5, Short::Integer(i64::from(u32::from_be_bytes(*behind.first_chunk()?)))),
            _ => return None,
        };
        self.at += bytes;
        Some(short)
    }

    /// Whether something else than nil or a handle comes next, by its first byte alone.
    #[must_use]
    pub fn plain_value_is_next(&self) -> bool {
        let tag = self.bytes.get(self.at);
        // The others are nothing at all, and whoever reads them says so.
        tag.is_some_and(|tag| !matches!(tag, 0xc0 | 0xd7 | 0xc1 | 0xc8 | 0xd5 | 0xd6 | 0xd8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_value_is_what_the_token_says() {
        let bytes = [0xa5, 0xcb, 0x93, 0x7f, 0xc0, 0xc2, 0xc3, 0xcc, 0xcd, 0xce, 0xcf, 0xd0, 0xff, 0x00, 0x81, 0xc1];
        for start in 0..bytes.len() {
            for end in start..=bytes.len() {
                let (mut short, mut token) = (Reader::new(&bytes[start..end]), Reader::new(&bytes[start..end]));
                let expected = match short.short() {
                    Some(short) => Token::from(short),
                    None => {
                        assert_eq!(short.position(), 0);
                        continue;
                    }
                };
                let bits =
                    |token: Token<'_>| if let Token::Float(value) = token { Some(value.to_bits()) } else { None };
                let found = token.token().expect("what is short is whole");
                assert!(found == expected || bits(found).is_some() && bits(found) == bits(expected));
                assert_eq!(short.position(), token.position());
            }
        }
    }

    #[test]
    fn the_first_byte_tells_plain_values() {
        for tag in 0..=u8::MAX {
            // Behind the first byte of an extension of 8 bytes, a handle.
            let bytes = [[tag, crate::codec::EXTENSION_HANDLE as u8].as_slice(), &[0; 600]].concat();
            let expected = match Reader::new(&bytes).token() {
                Ok(Token::Nil | Token::Handle(_)) => false,
                Err(crate::Malformed::UnknownValue(unknown)) => unknown != tag,
                _ => true,
            };
            assert_eq!(Reader::new(&bytes).plain_value_is_next(), expected, "{tag:#04x}");
        }
        assert!(!Reader::new(&[]).plain_value_is_next());
    }
}
