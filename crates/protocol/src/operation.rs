//! What an `Operate` asks for: Python's protocols, one number for each.
//!
//! ```text
//! Operate     operation · operands                                                      (an array)
//! ```
//!
//! The operands are values, in the order in which the operation takes them; objects among them are handles. The answer
//! is a `Value`. An operation that none of its operands has is a `Failure` of the category `Unsupported`.

use crate::codec::{Malformed, Reader, Writer};

/// Operations with their numbers, which count from 0, and how many operands each takes.
macro_rules! operations {
    (
        $(#[$of_all:meta])+ $operation:ident
        $($(#[$documentation:meta])+ $name:ident = $number:literal, $operands:literal;)+
    ) => {
        $(#[$of_all])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub enum $operation {
            $($(#[$documentation])+ $name = $number,)+
        }

        impl $operation {
            /// All of them, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// How many operands it takes, beside an object that is named apart.
            #[must_use]
            pub const fn operands(self) -> usize {
                match self {
                    $(Self::$name => $operands,)+
                }
            }
        }
    };
}

pub(crate) use operations;

operations! {
    /// One of Python's protocols.
    Operation
    /// `o[k]`; a text is a slice (`"1:3"`) if the class of `o` has no `keys`.
    GetItem = 0, 2;
    /// `o[k]`, or None where that is a `LookupError`.
    FindItem = 1, 2;
    /// Whether `o[k]` is there and not None.
    HasItem = 2, 2;
    /// `o[k] = v`; answered by None.
    SetItem = 3, 3;
    /// `del o[k]`; answered by None.
    DeleteItem = 4, 2;
    /// `o.append(v)`; answered by None.
    Append = 5, 2;
    /// `len(o)`
    Length = 6, 1;
    /// `str(o)`
    Text = 7, 1;
    /// `int(o)`, or None where the class has no such conversion.
    Integer = 8, 1;
    /// `float(o)`, or None where the class has no such conversion.
    Float = 9, 1;
    /// `o` as a text in JSON.
    Json = 10, 1;
    /// `copy.copy(o)`
    Copy = 11, 1;
    /// `slice(start, stop, step)`
    Slice = 12, 3;
    /// `a == b` as one truth value.
    Equal = 13, 2;
    /// 0 where `a == b`, else -1 where `a < b`, else 1; None where Python has no order for them.
    Order = 14, 2;
    /// As [`Self::Order`], but also None where `a < b` is a `TypeError` of whatever kind.
    Compare = 15, 2;
    /// `a + b`
    Add = 16, 2;
    /// `a - b`
    Subtract = 17, 2;
    /// `a * b`; by 1 and -1 also `+a` and `-a`, which PHP does not tell apart.
    Multiply = 18, 2;
    /// `a / b`
    Divide = 19, 2;
    /// `a % b`
    Modulo = 20, 2;
    /// `a ** b`
    Power = 21, 2;
    /// `a << b`
    ShiftLeft = 22, 2;
    /// `a >> b`
    ShiftRight = 23, 2;
    /// `a & b`
    And = 24, 2;
    /// `a | b`
    Or = 25, 2;
    /// `a ^ b`
    ExclusiveOr = 26, 2;
    /// `~a`
    Invert = 27, 1;
}

impl Operation {
    /// Writes the operation and announces its operands; so many values must follow.
    pub fn write(self, writer: &mut Writer<'_>) {
        writer.unsigned(self as u64);
        writer.array(self.operands());
    }

    /// Reads the operation; so many values follow as it has operands.
    ///
    /// # Errors
    /// [`Malformed`], also for an unknown operation and for another number of operands.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let number = reader.unsigned("an operation")?;
        let operation = usize::try_from(number).ok().and_then(|number| Self::ALL.get(number)).copied();
        let operation = operation
            .ok_or(Malformed::Unexpected { expected: "an operation from 0 to 27", found: "another number" })?;
        match reader.array("the operands of an operation", operation.operands())? {
            count if count == operation.operands() => Ok(operation),
            _ => Err(Malformed::Unexpected { expected: "all operands of the operation", found: "fewer" }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_places() {
        for (place, operation) in Operation::ALL.iter().enumerate() {
            assert_eq!(*operation as usize, place);
        }
        assert_eq!(Operation::ALL.len(), 28, "the error of an unknown number names the last one");
    }

    #[test]
    fn another_number_of_operands_is_refused() {
        for operation in Operation::ALL {
            for count in 0..5 {
                let mut bytes = vec![*operation as u8, 0x90 + count];
                bytes.resize(2 + usize::from(count), 0xc0);
                let is_right = usize::from(count) == operation.operands();
                assert_eq!(Operation::read(&mut Reader::new(&bytes)).is_ok(), is_right, "{operation:?} of {count}");
            }
        }
        assert!(Operation::read(&mut Reader::new(&[28, 0x90])).is_err());
    }
}
