//! The header in front of every message, and the kinds of message.
//!
//! ```text
//!  0               4       5       6       8
//! +---------------+-------+-------+-------+
//! | payload bytes | kind  | flags |  cpu  |
//! +---------------+-------+-------+-------+
//! |                call id                | 8
//! +---------------------------------------+
//! |             parent call id            | 16
//! +---------------------------------------+
//! | Python thread id  |   segment bytes   | 24
//! +---------------------------------------+
//! | payload ...                             32
//! | segments ...
//! ```
//!
//! All numbers are big-endian, as in MessagePack. Segments are bulk that the payload announces ([`crate::codec::Segment`]) and
//! that is received where it is to lie.

use crate::codec::Malformed;
use crate::limits::MAX_FRAME_BYTES;

/// Bytes of a header.
pub const HEADER_BYTES: usize = 32;

/// The payload begins with a list of releases (see [`crate::request`]). In a frame of the session: of PHP objects.
pub const FLAG_RELEASES: u8 = 0b0000_0001;

/// The client takes integers of more than 64 bits in the answer; otherwise they go by reference.
pub const FLAG_BIG_INTEGERS: u8 = 0b0000_0010;

/// The client does not wait for the answer, which may come at any time: also behind those to later requests.
pub const FLAG_ASYNC: u8 = 0b0000_0100;

/// What a frame says. Numbers below 16 belong to the handshake, below 64 to the client, others to the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Client: who I am and what I want. The first frame of a connection.
    Hello = 0x01,
    /// Session: you may call. Nothing is sent by the client between hello and welcome.
    Welcome = 0x02,
    /// Supervisor or session: you may not, and why. The connection is closed after it.
    Refusal = 0x03,
    /// Operator, in place of a hello: tell me, or do this (see [`crate::ask`]).
    Ask = 0x04,
    /// Supervisor: what was asked for.
    Told = 0x05,
    /// Client: describe this class.
    Describe = 0x10,
    /// Client: make an object.
    Construct = 0x11,
    /// Client: call a method, or the object itself.
    Call = 0x12,
    /// Client: read an attribute.
    Get = 0x13,
    /// Client: write an attribute.
    Set = 0x14,
    /// Client: is there such an attribute?
    Has = 0x15,
    /// Client: delete an attribute.
    Delete = 0x16,
    /// Client: search these class roots from now on.
    Roots = 0x17,
    /// Client: begin to iterate.
    Iterate = 0x18,
    /// Client: the next items of an iterator.
    Next = 0x19,
    /// Client: an object's elements, by value.
    Values = 0x1a,
    /// Client: one of Python's protocols: an item, a length, an operator (see [`crate::operation`]).
    Operate = 0x1b,
    /// Client, unanswered: forget these objects. (Releases usually ride on another frame.)
    Release = 0x1e,
    /// Client, unanswered: the PHP request is over, forget all its objects.
    EndRequest = 0x1f,
    /// Client: open a module.
    Import = 0x20,
    /// Client: find a function of a script in a class root.
    Script = 0x21,
    /// Client: enter a context manager.
    Enter = 0x22,
    /// Client: leave a context manager that was entered.
    Exit = 0x23,
    /// Client: make a Python class for a PHP class that extends one (see [`crate::inheritance`]).
    Extend = 0x24,
    /// Client: make the Python half of a PHP object, without `__init__`.
    Halve = 0x25,
    /// Client: run the `__init__` of a class on the Python half of a PHP object.
    Initialize = 0x26,
    /// Client: call a method as it is found from a class on.
    CallFrom = 0x27,
    /// Client: PHP has let go of its half of an object; does Python keep the other one?
    LetGo = 0x28,
    /// Client, unanswered: what this call is about is not wanted any more.
    Cancel = 0x29,
    /// Client: a long request comes next; send nothing of your own accord before it.
    Hold = 0x2a,
    /// Client: the object of this name that all sessions share, which is made if it is not there.
    Share = 0x2b,
    /// Client: what a callback came to.
    Returned = 0x30,
    /// Client: a callback came to nothing, and why (see [`crate::rebound`]).
    Threw = 0x31,
    /// Session: the value that was asked for.
    Value = 0x40,
    /// Session: it went wrong.
    Failure = 0x41,
    /// Session: the description that was asked for.
    Described = 0x42,
    /// Session, unasked and unanswered, where no request of PHP is going on: I leave, and what you sent since the last one ended
    /// is not done.
    Retired = 0x43,
    /// Session: call a method of a PHP object, or the object itself.
    PhpCall = 0x50,
    /// Session: read a property of a PHP object.
    PhpGet = 0x51,
    /// Session: write a property.
    PhpSet = 0x52,
    /// Session: is the property set?
    PhpHas = 0x53,
    /// Session: unset a property.
    PhpDelete = 0x54,
    /// Session: one of PHP's protocols: a length, an item, a text (see [`crate::callback`]).
    PhpOperate = 0x55,
    /// Session: call a PHP function or a static method by its name.
    PhpFunction = 0x56,
    /// Session: describe a PHP class.
    PhpClass = 0x57,
    /// Session: call a method of a PHP class itself, on an object of the class.
    PhpCallOwn = 0x58,
    /// Session: read a property that a PHP class declares.
    PhpGetOwn = 0x59,
    /// Session: write a property that a PHP class declares.
    PhpSetOwn = 0x5a,
    /// Session: make the PHP half of a Python object.
    PhpHalve = 0x5b,
    /// Session, unanswered: forget these PHP objects. (Releases usually ride on another frame.)
    PhpRelease = 0x5e,
}

impl Kind {
    /// The kind of a byte, if there is one.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            0x01 => Self::Hello,
            0x02 => Self::Welcome,
            0x03 => Self::Refusal,
            0x04 => Self::Ask,
            0x05 => Self::Told,
            0x10 => Self::Describe,
            0x11 => Self::Construct,
            0x12 => Self::Call,
            0x13 => Self::Get,
            0x14 => Self::Set,
            0x15 => Self::Has,
            0x16 => Self::Delete,
            0x17 => Self::Roots,
            0x18 => Self::Iterate,
            0x19 => Self::Next,
            0x1a => Self::Values,
            0x1b => Self::Operate,
            0x1e => Self::Release,
            0x1f => Self::EndRequest,
            0x20 => Self::Import,
            0x21 => Self::Script,
            0x22 => Self::Enter,
            0x23 => Self::Exit,
            0x24 => Self::Extend,
            0x25 => Self::Halve,
            0x26 => Self::Initialize,
            0x27 => Self::CallFrom,
            0x28 => Self::LetGo,
            0x29 => Self::Cancel,
            0x2a => Self::Hold,
            0x2b => Self::Share,
            0x30 => Self::Returned,
            0x31 => Self::Threw,
            0x40 => Self::Value,
            0x41 => Self::Failure,
            0x42 => Self::Described,
            0x43 => Self::Retired,
            0x50 => Self::PhpCall,
            0x51 => Self::PhpGet,
            0x52 => Self::PhpSet,
            0x53 => Self::PhpHas,
            0x54 => Self::PhpDelete,
            0x55 => Self::PhpOperate,
            0x56 => Self::PhpFunction,
            0x57 => Self::PhpClass,
            0x58 => Self::PhpCallOwn,
            0x59 => Self::PhpGetOwn,
            0x5a => Self::PhpSetOwn,
            0x5b => Self::PhpHalve,
            0x5e => Self::PhpRelease,
            _ => return None,
        })
    }

    /// Whether a session answers such a frame.
    #[must_use]
    pub const fn is_answered(self) -> bool {
        !matches!(self, Self::Release | Self::EndRequest | Self::Cancel)
    }

    /// Whether a session asks something of its client by such a frame, or tells it what it need not keep.
    #[must_use]
    pub const fn is_callback(self) -> bool {
        self as u8 >= Self::PhpCall as u8
    }
}

/// A frame's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Bytes of the payload, which follows the header.
    pub payload_bytes: u32,
    /// What the frame says.
    pub kind: Kind,
    /// `FLAG_*` bits. Unknown ones are refused.
    pub flags: u8,
    /// The CPU that the sender ran on; 0 where it does not say so. Over shared memory it stands beside the rings, where
    /// whoever waits looks anyway, also before a frame comes.
    pub cpu: u16,
    /// Chosen by the caller, never used twice by it on a connection; an answer carries its call's. 0: not a call. The
    /// callbacks of a session are numbered on their own.
    pub call: u64,
    /// Of a callback: the call in which it is made. Of a client's request: the callback in which it is made. 0: none.
    pub parent: u64,
    /// The Python thread that speaks, so that answers find it. 0: the session's own thread.
    pub thread: u32,
    /// Bytes of the segments behind the payload.
    pub segment_bytes: u32,
}

impl Header {
    /// A header of a client's call. The payload's length is filled in by [`finish`].
    #[must_use]
    pub const fn new(kind: Kind, call: u64) -> Self {
        Self { payload_bytes: 0, kind, flags: 0, cpu: 0, call, parent: 0, thread: 0, segment_bytes: 0 }
    }

    /// The header as bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[0..4].copy_from_slice(&self.payload_bytes.to_be_bytes());
        bytes[4] = self.kind as u8;
        bytes[5] = self.flags;
        bytes[6..8].copy_from_slice(&self.cpu.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.call.to_be_bytes());
        bytes[16..24].copy_from_slice(&self.parent.to_be_bytes());
        bytes[24..28].copy_from_slice(&self.thread.to_be_bytes());
        bytes[28..32].copy_from_slice(&self.segment_bytes.to_be_bytes());
        bytes
    }

    /// Reads a header, and refuses a length over `limit`, an unknown kind and unknown flags.
    ///
    /// # Errors
    /// [`Malformed`] names what was wrong; the stream cannot be trusted afterwards.
    pub fn decode(bytes: &[u8; HEADER_BYTES], limit: usize) -> Result<Self, Malformed> {
        let payload_bytes = u32::from_be_bytes(field(bytes, 0));
        let segment_bytes = u32::from_be_bytes(field(bytes, 28));
        let frame = payload_bytes as usize + segment_bytes as usize;
        if frame > limit.min(MAX_FRAME_BYTES) {
            return Err(Malformed::FrameTooLarge { bytes: frame, limit: limit.min(MAX_FRAME_BYTES) });
        }
        let kind = Kind::from_byte(bytes[4]).ok_or(Malformed::UnknownKind(bytes[4]))?;
        let flags = bytes[5];
        if flags & !(FLAG_RELEASES | FLAG_BIG_INTEGERS | FLAG_ASYNC) != 0 {
            return Err(Malformed::UnknownFlags(flags));
        }
        Ok(Self {
            payload_bytes,
            kind,
            flags,
            cpu: u16::from_be_bytes(field(bytes, 6)),
            call: u64::from_be_bytes(field(bytes, 8)),
            parent: u64::from_be_bytes(field(bytes, 16)),
            thread: u32::from_be_bytes(field(bytes, 24)),
            segment_bytes,
        })
    }
}

/// Copies the `N` bytes at `at`; the caller names constant places within the header.
fn field<const N: usize>(bytes: &[u8; HEADER_BYTES], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}

/// Empties `buffer` and leaves room for a header, so that a payload can be written behind it.
pub fn begin(buffer: &mut Vec<u8>) {
    buffer.clear();
    buffer.resize(HEADER_BYTES, 0);
}

/// Writes the header in front of the payload that stands behind [`begin`]'s room. The length of the segments that will
/// be sent behind it must stand in `header`.
///
/// # Errors
/// [`Malformed::FrameTooLarge`] if the payload is over the limit; nothing may be sent then.
///
/// # Panics
/// If `buffer` was not begun.
pub fn finish(buffer: &mut [u8], mut header: Header) -> Result<(), Malformed> {
    let payload = buffer.len() - HEADER_BYTES;
    let frame = payload + header.segment_bytes as usize;
    header.payload_bytes = u32::try_from(payload)
        .ok()
        .filter(|_| frame <= MAX_FRAME_BYTES)
        .ok_or(Malformed::FrameTooLarge { bytes: frame, limit: MAX_FRAME_BYTES })?;
    buffer[..HEADER_BYTES].copy_from_slice(&header.encode());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: [u8; HEADER_BYTES] = [
        0, 0, 0, 5, 0x12, 1, 0, 3, // 5 bytes, call, releases, cpu 3
        0, 0, 0, 0, 0, 0, 0, 9, // call 9
        0, 0, 0, 0, 0, 0, 0, 8, // parent 8
        0, 0, 1, 0, 0, 0, 0, 7, // thread 256, 7 bytes of segments
    ];

    #[test]
    fn a_header_is_these_bytes() {
        let header = Header {
            payload_bytes: 5,
            kind: Kind::Call,
            flags: FLAG_RELEASES,
            cpu: 3,
            call: 9,
            parent: 8,
            thread: 256,
            segment_bytes: 7,
        };
        assert_eq!(header.encode(), CALL);
        assert_eq!(Header::decode(&CALL, 12), Ok(header));
    }

    #[test]
    fn a_length_over_the_limit_is_refused_before_anything_else() {
        assert_eq!(Header::decode(&CALL, 11), Err(Malformed::FrameTooLarge { bytes: 12, limit: 11 }));
        let mut huge = CALL;
        huge[..4].fill(0xff);
        assert_eq!(
            Header::decode(&huge, usize::MAX),
            Err(Malformed::FrameTooLarge { bytes: 0xffff_ffff + 7, limit: MAX_FRAME_BYTES })
        );
    }

    #[test]
    fn unknown_kinds_and_flags_are_named() {
        let mut bytes = CALL;
        bytes[4] = 0x7f;
        assert_eq!(Header::decode(&bytes, 100), Err(Malformed::UnknownKind(0x7f)));
        bytes = CALL;
        bytes[5] = 0x81;
        assert_eq!(Header::decode(&bytes, 100), Err(Malformed::UnknownFlags(0x81)));
    }

    #[test]
    fn every_kind_survives_its_byte() {
        let known: Vec<Kind> = (0..=255).filter_map(Kind::from_byte).collect();
        assert_eq!(known.len(), 50);
        assert!(known.iter().all(|kind| Kind::from_byte(*kind as u8) == Some(*kind)));
    }

    #[test]
    fn finish_writes_the_length_of_what_was_written() {
        let mut buffer = vec![1, 2, 3];
        begin(&mut buffer);
        buffer.extend_from_slice(b"hello");
        finish(&mut buffer, Header::new(Kind::Value, 7)).expect("small");
        let head: [u8; HEADER_BYTES] = buffer[..HEADER_BYTES].try_into().expect("a header");
        assert_eq!(Header::decode(&head, 5).map(|header| (header.payload_bytes, header.call)), Ok((5, 7)));
    }
}
