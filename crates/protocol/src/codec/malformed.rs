//! What can be wrong with bytes from a peer.

use crate::limits::MAX_DEPTH;

/// Bytes that do not say what the wire allows. After one of these a stream cannot be trusted any more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// A frame's payload is larger than allowed.
    #[error("a frame of {bytes} bytes is over the limit of {limit}")]
    FrameTooLarge {
        /// Bytes declared, or about to be sent.
        bytes: usize,
        /// Bytes allowed here.
        limit: usize,
    },
    /// No message has this kind.
    #[error("there is no message of kind {0:#04x}")]
    UnknownKind(u8),
    /// Flags that this version does not know.
    #[error("unknown flags {0:#010b}")]
    UnknownFlags(u8),
    /// A known kind in a place where it may not stand.
    #[error("{found} where {expected} was due")]
    Unexpected {
        /// What would have been right.
        expected: &'static str,
        /// What came.
        found: &'static str,
    },
    /// The payload ends inside a value.
    #[error("the payload ends inside a value, at byte {0}")]
    Truncated(usize),
    /// A count that the bytes behind it cannot hold.
    #[error("{count} elements cannot stand in the {left} bytes that are left")]
    CountTooLarge {
        /// Elements declared.
        count: usize,
        /// Bytes left in the payload.
        left: usize,
    },
    /// A MessagePack type byte that is never used, or an extension that is not ours.
    #[error("there is no value of type {0:#04x}")]
    UnknownValue(u8),
    /// A segment of what is not known.
    #[error("there is no segment of kind {0:#04x}")]
    UnknownSegment(u8),
    /// A typed vector that ends inside an element.
    #[error("a list of numbers cannot have {0} bytes, which end inside an element")]
    PartialElement(usize),
    /// A list of mixed numbers with bits for more than there are.
    #[error("a list of {0} numbers has bits for more")]
    SpareBits(usize),
    /// An integer without digits.
    #[error("a big integer has no digits, or a sign that is neither 0 nor 1")]
    NoInteger,
    /// A date or time that no calendar and no clock shows.
    #[error("no calendar and no clock shows such a moment")]
    NoMoment,
    /// A duration with too many microseconds.
    #[error("the microseconds of a duration are less than a second")]
    NoDuration,
    /// A reference to a PHP object that ends too soon.
    #[error("a reference to a PHP object has an id, a class and traits")]
    NoPhpObject,
    /// Bytes behind the last value.
    #[error("{0} bytes stand behind the last value")]
    Trailing(usize),
    /// Nesting beyond [`MAX_DEPTH`].
    #[error("nested more than {MAX_DEPTH} levels deep (is it recursive?)")]
    TooDeep,
    /// A text that is not UTF-8.
    #[error("{0} is not UTF-8")]
    NotText(&'static str),
    /// Something longer or more numerous than its limit.
    #[error("{what} is over the limit of {limit}")]
    OverLimit {
        /// What was counted.
        what: &'static str,
        /// How much is allowed.
        limit: usize,
    },
    /// A name with a character that no name has.
    #[error("{0} is not an identifier")]
    NotAnIdentifier(&'static str),
}
