//! A PHP class as Python needs to know it.
//!
//! ```text
//! description   name · flags · names of its parents, the nearest first, then of its interfaces · methods · properties
//! methods       name · flags · name · flags · …                                                  (one array)
//! properties    as methods
//! ```
//!
//! It travels with the first object of the class, and answers a `PhpClass`. Methods and properties are those that are public
//! or protected, inherited ones among them; of static properties there are none.

use crate::codec::{Malformed, Reader, Writer};
use crate::limits::{MAX_METHODS, MAX_PHP_PARENTS};

/// The class is abstract, or an interface.
pub const CLASS_ABSTRACT: u8 = 0b0001;
/// The class is final.
pub const CLASS_FINAL: u8 = 0b0010;
/// It is no class of which there can be objects of other classes: an interface, a trait or an enum.
pub const CLASS_NO_PARENT: u8 = 0b0100;
/// Its objects have memory of PHP's own beside their properties, so that no Python class can extend it.
pub const CLASS_NATIVE: u8 = 0b1000;

/// The method is static.
pub const MEMBER_STATIC: u8 = 0b0001;
/// The method is abstract.
pub const MEMBER_ABSTRACT: u8 = 0b0010;
/// The method or property is protected.
pub const MEMBER_PROTECTED: u8 = 0b0100;
/// The method is final.
pub const MEMBER_FINAL: u8 = 0b1000;

/// A PHP class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhpClass<'a> {
    /// Its name, as it was declared. An anonymous class has a NUL in it, and all behind that is left out.
    pub name: &'a str,
    /// `CLASS_*` bits.
    pub flags: u8,
    /// Its parent classes, the nearest first, and then all its interfaces.
    pub parents: Vec<&'a str>,
    /// Its methods.
    pub methods: Members<'a>,
    /// Its properties.
    pub properties: Members<'a>,
}

/// Methods or properties: names as they were declared, and `MEMBER_*` bits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Members<'a>(pub Vec<(&'a str, u8)>);

impl<'a> Members<'a> {
    /// Writes them.
    pub fn write(&self, writer: &mut Writer<'_>) {
        writer.array(2 * self.0.len());
        for (name, flags) in &self.0 {
            writer.text(name);
            writer.unsigned(u64::from(*flags));
        }
    }

    /// Reads them.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn read(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        let values = reader.array("the members of a PHP class", 2 * MAX_METHODS)?;
        if values % 2 != 0 {
            return Err(Malformed::Unexpected { expected: "pairs of a name and flags", found: "an odd number" });
        }
        (0..values / 2)
            .map(|_| Ok((reader.name("the name of a member")?, read_flags(reader)?)))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

fn read_flags(reader: &mut Reader<'_>) -> Result<u8, Malformed> {
    u8::try_from(reader.unsigned("flags")?)
        .map_err(|_| Malformed::Unexpected { expected: "flags of one byte", found: "more" })
}

impl<'a> PhpClass<'a> {
    /// Writes the description.
    pub fn write(&self, buffer: &mut Vec<u8>) {
        let mut writer = Writer::new(buffer);
        writer.text(self.name);
        writer.unsigned(u64::from(self.flags));
        writer.array(self.parents.len());
        self.parents.iter().for_each(|name| writer.text(name));
        self.methods.write(&mut writer);
        self.properties.write(&mut writer);
    }

    /// Reads the description.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn read(description: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(description);
        let name = reader.name("the name of a PHP class")?;
        let flags = read_flags(&mut reader)?;
        let count = reader.array("the parents of a PHP class", MAX_PHP_PARENTS)?;
        let parents = (0..count).map(|_| reader.name("the name of a PHP class")).collect::<Result<_, _>>()?;
        let (methods, properties) = (Members::read(&mut reader)?, Members::read(&mut reader)?);
        reader.end()?;
        Ok(Self { name, flags, parents, methods, properties })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let class = PhpClass {
            name: "App\\Basket",
            flags: CLASS_FINAL,
            parents: vec!["Basket", "Countable"],
            methods: Members(vec![("count", 0), ("sum", MEMBER_PROTECTED | MEMBER_STATIC)]),
            properties: Members(vec![("size", MEMBER_PROTECTED)]),
        };
        let mut bytes = Vec::new();
        class.write(&mut bytes);
        assert_eq!(PhpClass::read(&bytes), Ok(class));
        for end in 0..bytes.len() {
            assert!(PhpClass::read(&bytes[..end]).is_err(), "cut at {end}");
        }
        bytes.push(0);
        assert_eq!(PhpClass::read(&bytes), Err(Malformed::Trailing(1)));
    }

    #[test]
    fn more_than_the_limits_is_refused() {
        let none = PhpClass {
            name: "A",
            flags: 0,
            parents: vec![],
            methods: Members::default(),
            properties: Members::default(),
        };
        let many = Members(vec![("m", 0); MAX_METHODS + 1]);
        for class in [
            PhpClass { parents: vec!["P"; MAX_PHP_PARENTS + 1], ..none.clone() },
            PhpClass { methods: many.clone(), ..none.clone() },
            PhpClass { properties: many, ..none },
        ] {
            let mut bytes = Vec::new();
            class.write(&mut bytes);
            assert!(matches!(PhpClass::read(&bytes), Err(Malformed::OverLimit { .. })));
        }
    }

    #[test]
    fn odd_members_and_large_flags_are_refused() {
        for bytes in [&b"\x91\xa1m"[..], b"\x92\xa1m\xcd\x01\x00"] {
            assert!(Members::read(&mut Reader::new(bytes)).is_err(), "{bytes:02x?}");
        }
    }
}
