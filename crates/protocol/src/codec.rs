//! MessagePack, written and read without a tree in between: the values of both languages are walked once.
//!
//! Two extension types carry what MessagePack has no word for:
//!
//! ```text
//! object (session → client)    C7 11 01 | id: 8 bytes | class: 8 bytes | traits: 1 byte
//! handle (client → session)    D7 02    | id: 8 bytes
//! ```

mod malformed;
mod reader;
mod writer;

pub use malformed::Malformed;
pub use reader::{Reader, Token};
pub use writer::Writer;

use crate::limits::MAX_DEPTH;

/// MessagePack extension type of an object that a session hands out.
pub const EXTENSION_OBJECT: i8 = 1;
/// MessagePack extension type of an object that a client hands back.
pub const EXTENSION_HANDLE: i8 = 2;

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
