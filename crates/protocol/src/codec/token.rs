//! What stands on the wire, piece by piece.

use super::{BigInteger, Duration, Moment, ObjectReference, PhpReference, Segment};

/// One step of a value. Containers say how many elements follow; whoever reads keeps the [`Depth`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Token<'a> {
    /// Nothing.
    Nil,
    /// A truth value.
    Boolean(bool),
    /// An integer that fits in 64 signed bits.
    Integer(i64),
    /// An integer over `i64::MAX`.
    Unsigned(u64),
    /// A float.
    Float(f64),
    /// A text. That it is UTF-8 is checked by the side that needs it: Python when it makes a `str`, PHP not at all.
    Text(&'a [u8]),
    /// Bytes.
    Binary(&'a [u8]),
    /// So many values follow.
    Array(usize),
    /// So many pairs of a key and a value follow.
    Map(usize),
    /// An object that the session hands out.
    Object(ObjectReference),
    /// An object that the client hands back.
    Handle(u64),
    /// A value whose bytes follow the payload.
    Segment(Segment),
    /// A list of floats, 8 little-endian bytes each.
    Floats(&'a [u8]),
    /// A list of signed integers, 8 little-endian bytes each.
    Integers(&'a [u8]),
    /// A list of floats and signed integers.
    Numbers {
        /// 8 little-endian bytes each.
        values: &'a [u8],
        /// A bit for each, see [`super::is_integer`].
        integers: &'a [u8],
    },
    /// So many values follow: a map with the keys, in their order, of the map before it in the same array.
    SameKeys(usize),
    /// An integer of any size.
    BigInteger(BigInteger<'a>),
    /// A point in time.
    Moment(Moment<'a>),
    /// A span of time.
    Duration(Duration),
    /// A PHP object that the client hands out.
    PhpObject(PhpReference<'a>),
    /// A PHP object that the session hands back.
    PhpHandle(u64),
}

impl Token<'_> {
    /// What the token is, for error messages.
    #[must_use]
    pub const fn describe(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Boolean(_) => "a boolean",
            Self::Integer(_) | Self::Unsigned(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Text(_) => "a text",
            Self::Binary(_) => "bytes",
            Self::Array(_) => "an array",
            Self::Map(_) => "a map",
            Self::Object(_) => "an object",
            Self::Handle(_) => "a handle",
            Self::Segment(_) => "a segment",
            Self::Floats(_) => "a list of floats",
            Self::Integers(_) => "a list of integers",
            Self::Numbers { .. } => "a list of numbers",
            Self::SameKeys(_) => "a map without keys",
            Self::BigInteger(_) => "a big integer",
            Self::Moment(_) => "a moment",
            Self::Duration(_) => "a duration",
            Self::PhpObject(_) => "a PHP object",
            Self::PhpHandle(_) => "a handle of a PHP object",
        }
    }
}
