//! PHP objects on the wire.

use super::{EXTENSION_PHP_HANDLE, EXTENSION_PHP_OBJECT, Malformed, Writer};

/// Bytes of a reference without the description of its class.
const HEAD_BYTES: usize = 13;

/// A PHP object as the client names it to its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhpReference<'a> {
    /// The object. Ids count from 1 and are never used twice on a connection.
    pub id: u64,
    /// Its class: a number that means the same class for the life of the connection.
    pub class: u32,
    /// What the class can do.
    pub traits: PhpTraits,
    /// The class ([`crate::php_class`]), where its number comes for the first time; else empty.
    pub description: &'a [u8],
}

/// What the objects of a PHP class can do: a set of bits. Unknown ones are ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PhpTraits(pub u8);

impl PhpTraits {
    /// It can be called: a closure, or there is an `__invoke`.
    pub const CALLABLE: Self = Self(0b0000_0001);
    /// `Countable`
    pub const COUNTABLE: Self = Self(0b0000_0010);
    /// `ArrayAccess`
    pub const ARRAY_ACCESS: Self = Self(0b0000_0100);
    /// `Traversable`
    pub const TRAVERSABLE: Self = Self(0b0000_1000);
    /// `Stringable`
    pub const STRINGABLE: Self = Self(0b0001_0000);
    /// `Throwable`
    pub const THROWABLE: Self = Self(0b0010_0000);
    /// `Closure`
    pub const CLOSURE: Self = Self(0b0100_0000);
    /// There is a `__call`: methods may be there that are not in the description.
    pub const MAGIC_CALL: Self = Self(0b1000_0000);

    /// Whether all of `other` is in the set.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl<'a> PhpReference<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let (head, description) = bytes.split_first_chunk::<HEAD_BYTES>().ok_or(Malformed::NoPhpObject)?;
        let [i0, i1, i2, i3, i4, i5, i6, i7, c0, c1, c2, c3, traits] = *head;
        Ok(Self {
            id: u64::from_be_bytes([i0, i1, i2, i3, i4, i5, i6, i7]),
            class: u32::from_be_bytes([c0, c1, c2, c3]),
            traits: PhpTraits(traits),
            description,
        })
    }
}

impl Writer<'_> {
    /// Writes a PHP object that the client hands out.
    pub fn php_object(&mut self, object: PhpReference<'_>) {
        let mut head = [0; HEAD_BYTES];
        head[..8].copy_from_slice(&object.id.to_be_bytes());
        head[8..12].copy_from_slice(&object.class.to_be_bytes());
        head[12] = object.traits.0;
        let length = HEAD_BYTES + object.description.len();
        match length {
            0..=0xff => self.raw(&[0xc7, length as u8]),
            _ => {
                self.raw(&[0xc9]);
                self.raw(&(length as u32).to_be_bytes());
            }
        }
        self.raw(&[EXTENSION_PHP_OBJECT as u8]);
        self.raw(&head);
        self.raw(object.description);
    }

    /// Writes a PHP object that the session hands back.
    pub fn php_handle(&mut self, id: u64) {
        self.raw(&[0xd7, EXTENSION_PHP_HANDLE as u8]);
        self.raw(&id.to_be_bytes());
    }
}
