//! A PHP class as Python needs to know it.
//!
//! ```text
//! description   name · names of its parents, the nearest first, then of its interfaces · names of its public methods
//! ```
//!
//! It travels with the first object of the class, and answers a `PhpClass`.

use crate::codec::{Malformed, Reader, Writer};
use crate::limits::{MAX_METHODS, MAX_PHP_PARENTS};

/// A PHP class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhpClass<'a> {
    /// Its name, as it was declared. An anonymous class has a NUL in it, and all behind that is left out.
    pub name: &'a str,
    /// Its parent classes, the nearest first, and then all its interfaces.
    pub parents: Vec<&'a str>,
    /// Its public methods, as they were declared, inherited ones among them.
    pub methods: Vec<&'a str>,
}

impl<'a> PhpClass<'a> {
    /// Writes the description.
    pub fn write(&self, buffer: &mut Vec<u8>) {
        let mut writer = Writer::new(buffer);
        writer.text(self.name);
        for names in [&self.parents, &self.methods] {
            writer.array(names.len());
            names.iter().for_each(|name| writer.text(name));
        }
    }

    /// Reads the description.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn read(description: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(description);
        let name = reader.name("the name of a PHP class")?;
        let count = reader.array("the parents of a PHP class", MAX_PHP_PARENTS)?;
        let parents = (0..count).map(|_| reader.name("the name of a PHP class")).collect::<Result<_, _>>()?;
        let count = reader.array("the methods of a PHP class", MAX_METHODS)?;
        let methods = (0..count).map(|_| reader.name("the name of a PHP method")).collect::<Result<_, _>>()?;
        reader.end()?;
        Ok(Self { name, parents, methods })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let class = PhpClass { name: "App\\Basket", parents: vec!["Basket", "Countable"], methods: vec!["count"] };
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
        let parents = vec!["P"; MAX_PHP_PARENTS + 1];
        let methods = vec!["m"; MAX_METHODS + 1];
        for class in
            [PhpClass { name: "A", parents, methods: vec![] }, PhpClass { name: "A", parents: vec![], methods }]
        {
            let mut bytes = Vec::new();
            class.write(&mut bytes);
            assert!(matches!(PhpClass::read(&bytes), Err(Malformed::OverLimit { .. })));
        }
    }
}
