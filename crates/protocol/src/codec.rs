//! MessagePack, written and read without a tree in between: the values of both languages are walked once.
//!
//! Extension types carry what MessagePack has no word for:
//!
//! ```text
//! object (session → client)    C7 11 01 | id: 8 bytes | class: 8 bytes | traits: 1 byte
//! handle (client → session)    D7 02    | id: 8 bytes
//! segment                      C7 05 03 | what it is: 1 byte | length in bytes: 4 bytes
//! floats                       C9 | length: 4 bytes | 04 | 8 bytes each, little-endian
//! integers                     C9 | length: 4 bytes | 05 | 8 bytes each, little-endian, signed
//! numbers                      C9 | length: 4 bytes | 07 | 8 bytes each, then one bit each: set for integers
//! same keys                    D4 06    | count: 1 byte | so many values
//! big integer                  C7, C9   | length | 08 | 1 if negative, else 0: 1 byte | magnitude, big-endian
//! moment                       C7       | length | 09 | year: 2 bytes | month, day, hour, minute, second: 1 byte each
//!                                       | microsecond: 4 bytes | offset: 4 bytes, or nothing | zone, or nothing
//! duration                     C7 0C 0A | seconds: 8 bytes, signed | microseconds: 4 bytes
//! PHP object (client → session) C7, C9  | length | 0B | id: 8 bytes | class: 4 bytes | traits: 1 byte
//!                                       | description of the class (see [`crate::php_class`]), or nothing
//! PHP handle (session → client) D7 0C   | id: 8 bytes
//! ```

mod malformed;
mod moment;
mod numbers;
mod php;
mod reader;
mod token;
mod writer;

pub use malformed::Malformed;
pub use moment::{Duration, MAX_ZONE_BYTES, MICROSECONDS, Moment, Zone};
pub use numbers::{is_integer, numbers_bytes};
pub use php::{PhpReference, PhpTraits};
pub use reader::{Reader, Short};
pub use token::Token;
pub use writer::Writer;

use crate::limits::MAX_DEPTH;

/// MessagePack extension type of an object that a session hands out.
pub const EXTENSION_OBJECT: i8 = 1;
/// MessagePack extension type of an object that a client hands back.
pub const EXTENSION_HANDLE: i8 = 2;

/// MessagePack extension type of bulk that follows the payload.
pub const EXTENSION_SEGMENT: i8 = 3;
/// MessagePack extension type of a list of floats.
pub const EXTENSION_FLOATS: i8 = 4;
/// MessagePack extension type of a list of integers.
pub const EXTENSION_INTEGERS: i8 = 5;
/// MessagePack extension type of a map that has the keys, in their order, of the map before it in the same array.
pub const EXTENSION_SAME_KEYS: i8 = 6;
/// MessagePack extension type of a list of floats and integers.
pub const EXTENSION_NUMBERS: i8 = 7;
/// MessagePack extension type of an integer of any size.
pub const EXTENSION_BIG_INTEGER: i8 = 8;
/// MessagePack extension type of a point in time.
pub const EXTENSION_MOMENT: i8 = 9;
/// MessagePack extension type of a span of time.
pub const EXTENSION_DURATION: i8 = 10;
/// MessagePack extension type of a PHP object that a client hands out.
pub const EXTENSION_PHP_OBJECT: i8 = 11;
/// MessagePack extension type of a PHP object that a session hands back.
pub const EXTENSION_PHP_HANDLE: i8 = 12;

/// Bytes of an element of a typed vector.
pub const ELEMENT_BYTES: usize = 8;

/// A list of fewer elements gains nothing from being a typed vector.
pub const MIN_VECTOR_ELEMENTS: usize = 16;

/// The object can be called.
pub const TRAIT_CALLABLE: u8 = 0b0000_0001;

/// A Python object as the session names it to its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectReference {
    /// The object, unique for the life of the session. Odd: chosen by the client, even: by the session.
    pub id: u64,
    /// The object that is its class, or 0 for classes, functions and modules, which PHP shows as plain `PyObject`.
    pub class: u64,
    /// `TRAIT_*` bits; unknown ones are ignored.
    pub traits: u8,
}

/// What the bytes of a segment are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum SegmentKind {
    /// A text; as with [`Token::Text`], whoever needs UTF-8 checks it.
    Text = 0,
    /// Bytes.
    Binary = 1,
    /// A list of floats, little-endian.
    Floats = 2,
    /// A list of signed integers of 64 bits, little-endian.
    Integers = 3,
}

/// An integer of any size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BigInteger<'a> {
    /// Whether it is below 0.
    pub is_negative: bool,
    /// What it is without its sign, big-endian; never empty, and at most [`crate::limits::MAX_INTEGER_BYTES`] long.
    pub magnitude: &'a [u8],
}

/// A value whose bytes follow the payload: the segments of a frame lie behind it one after the other, in the order of
/// their announcements. So bulk is copied from where it lies to where it shall lie, with no message in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// What the bytes are.
    pub kind: SegmentKind,
    /// How many there are.
    pub bytes: u32,
}

/// How deep a recursive walk stands. A copy goes to each deeper level, so it cannot be left unbalanced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth(u32);

impl Depth {
    /// Outside of every container.
    pub const ROOT: Self = Self(0);

    /// One level deeper.
    ///
    /// # Errors
    /// [`Malformed::TooDeep`] below [`MAX_DEPTH`].
    pub const fn enter(self) -> Result<Self, Malformed> {
        if self.0 >= MAX_DEPTH { Err(Malformed::TooDeep) } else { Ok(Self(self.0 + 1)) }
    }
}
