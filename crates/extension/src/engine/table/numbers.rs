//! Lists of numbers, made of their bytes.

use std::mem::MaybeUninit;

use ext_php_rs::ffi::{IS_DOUBLE, IS_LONG, zend_value};

use super::NewTable;
use crate::engine::memory::OverLimit;
use crate::engine::slot::plain;

/// Bytes of a number in a typed vector.
const NUMBER_BYTES: usize = 8;

impl NewTable {
    /// A list of floats from 8 little-endian bytes each.
    ///
    /// # Errors
    /// [`OverLimit`] if PHP's memory limit leaves no room for it.
    pub(crate) fn floats(values: &[u8]) -> Result<Self, OverLimit> {
        Self::of_kinds(values, std::iter::repeat(IS_DOUBLE))
    }

    /// A list of integers from 8 little-endian bytes each.
    ///
    /// # Errors
    /// [`OverLimit`] if PHP's memory limit leaves no room for it.
    pub(crate) fn integers(values: &[u8]) -> Result<Self, OverLimit> {
        Self::of_kinds(values, std::iter::repeat(IS_LONG))
    }

    /// A list of floats and integers from 8 little-endian bytes each, with a bit for each, which says what it is.
    ///
    /// # Errors
    /// [`OverLimit`] if PHP's memory limit leaves no room for it.
    pub(crate) fn numbers(values: &[u8], integers: &[u8]) -> Result<Self, OverLimit> {
        // The types of both differ by one.
        const { assert!(IS_LONG + 1 == IS_DOUBLE) };
        let kinds = integers.iter().flat_map(|bits| (0..8).map(move |bit| IS_DOUBLE - u32::from(bits >> bit & 1)));
        Self::of_kinds(values, kinds)
    }

    /// A list of numbers with their types.
    fn of_kinds(values: &[u8], kinds: impl Iterator<Item = u32>) -> Result<Self, OverLimit> {
        let (numbers, _) = values.as_chunks::<NUMBER_BYTES>();
        let mut table = Self::list(numbers.len())?;
        let mut written = 0;
        // SAFETY: the list was made with so many places; numbers own nothing, so plain writes lose nothing. `written`
        // counts them.
        unsafe {
            let places = (*table.0).__bindgen_anon_1.arPacked;
            for (bytes, kind) in numbers.iter().zip(kinds) {
                let number = zend_value { lval: i64::from_le_bytes(*bytes) };
                places.add(written).write(plain(number, kind));
                written += 1;
            }
            table.set_list_length(written);
        }
        Ok(table)
    }

    /// A list of so many floats (`are_floats`) or integers, whose bytes `receive` puts in place.
    ///
    /// # Errors
    /// [`OverLimit`] if PHP's memory limit leaves no room for it, and what `receive` gives.
    pub(crate) fn received<E: From<OverLimit>>(
        count: usize,
        are_floats: bool,
        receive: impl FnOnce(&mut [MaybeUninit<u8>]) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut table = Self::list(count)?;
        let kind = if are_floats { IS_DOUBLE } else { IS_LONG };
        // SAFETY: the list was made with `count` places of two numbers' size. The bytes go into the upper half of
        // them; each value is written below every number that was not read yet, or on the last one that was.
        unsafe {
            let places = (*table.0).__bindgen_anon_1.arPacked;
            let numbers = places.cast::<[u8; NUMBER_BYTES]>().add(count);
            receive(std::slice::from_raw_parts_mut(numbers.cast(), count * NUMBER_BYTES))?;
            for at in 0..count {
                let number = i64::from_le_bytes(numbers.add(at).read());
                places.add(at).write(plain(zend_value { lval: number }, kind));
            }
            table.set_list_length(count);
        }
        Ok(table)
    }
}
