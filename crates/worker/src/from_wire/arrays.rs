//! Arrays of numpy, filled from lists of numbers in one pass.

use std::mem::MaybeUninit;

use pyo3::prelude::*;
use tortoise_protocol::codec::{ELEMENT_BYTES, is_integer};
use tortoise_protocol::{Depth, Token};

use super::lists::{Kinds, Numbers};
use super::{Decoder, Read};
use crate::buffer::Buffer;
use crate::numpy::{self, Number};

impl<'py> Decoder<'_, 'py, '_> {
    /// A list of numbers that has begun as an array; without numpy, as a list.
    pub(super) fn vector(&mut self, token: Token<'_>) -> Read<Bound<'py, PyAny>> {
        if let Some(numbers) = Numbers::of(&token)
            && let Some(array) = numpy::new_array(self.py, numbers.number(), &[numbers.count()])
            && let Some(mut buffer) = Buffer::fill(&array, numbers.values.len())
        {
            numbers.fill(buffer.place(), numbers.number());
            drop(buffer);
            return Ok(array);
        }
        self.value_of(token, Depth::ROOT)
    }

    /// Reads the rows of an array that has begun, if all of them are lists of numbers of one length.
    pub(super) fn matrix(&mut self, rows: usize) -> Read<Option<Bound<'py, PyAny>>> {
        let mut ahead = self.request.reader.clone();
        let (mut number, mut columns) = (Number::Integer, None);
        for _ in 0..rows {
            match Numbers::of(&ahead.token()?) {
                Some(row) if *columns.get_or_insert(row.count()) == row.count() => {
                    if row.number() == Number::Float {
                        number = Number::Float;
                    }
                }
                _ => return Ok(None),
            }
        }
        let Some(columns) = columns else { return Ok(None) };
        let array = numpy::new_array(self.py, number, &[rows, columns]);
        let bytes = columns * ELEMENT_BYTES;
        let Some(mut buffer) = array.as_ref().and_then(|array| Buffer::fill(array, rows * bytes)) else {
            return Ok(None);
        };
        let mut place = buffer.place();
        for _ in 0..rows {
            if let Some(row) = Numbers::of(&self.request.reader.token()?) {
                let (here, further) = place.split_at_mut(bytes);
                row.fill(here, number);
                place = further;
            }
        }
        Ok(array)
    }
}

impl Numbers<'_> {
    /// What the elements of an array of them are: those of numpy's own choice for the same list.
    fn number(&self) -> Number {
        if let Kinds::Integers = self.kinds { Number::Integer } else { Number::Float }
    }

    /// Fills the elements of an array. An integer that is to be a float is rounded to the nearest, ties to even, as by
    /// Python's `float` and by numpy: only those beyond 2⁵³ are not exact.
    fn fill(&self, place: &mut [MaybeUninit<u8>], number: Number) {
        let rounded = |value: [u8; ELEMENT_BYTES]| (i64::from_le_bytes(value) as f64).to_le_bytes();
        let elements = place.as_chunks_mut::<ELEMENT_BYTES>().0.iter_mut();
        let elements = elements.zip(self.values.as_chunks::<ELEMENT_BYTES>().0);
        match (self.kinds, number) {
            (Kinds::Mixed(integers), _) => elements.enumerate().for_each(|(index, (element, value))| {
                let value = if is_integer(integers, index) { rounded(*value) } else { *value };
                *element = value.map(MaybeUninit::new);
            }),
            (Kinds::Integers, Number::Float) => {
                elements.for_each(|(element, value)| *element = rounded(*value).map(MaybeUninit::new));
            }
            _ => elements.for_each(|(element, value)| *element = value.map(MaybeUninit::new)),
        }
    }
}
