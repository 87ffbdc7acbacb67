//! Lists of numbers, written as one block.

use ext_php_rs::types::Zval;
use tortoise_protocol::codec::{ELEMENT_BYTES, MIN_VECTOR_ELEMENTS};

use crate::engine::{Elements, elements_of, is_integer, number_bytes};
use crate::link::Outgoing;

/// Writes a list as a vector, if it is long enough and all of it are numbers. False: nothing was written.
pub(super) fn write(outgoing: &mut Outgoing<'_>, list: &[Zval]) -> bool {
    if list.len() < MIN_VECTOR_ELEMENTS {
        return false;
    }
    match elements_of(list) {
        Elements::Floats => fill(outgoing.floats(list.len()), list),
        Elements::Integers => fill(outgoing.integers(list.len()), list),
        Elements::Numbers => {
            let (places, bits) = outgoing.numbers(list.len());
            fill(places, list);
            for (bits, part) in bits.iter_mut().zip(list.chunks(8)) {
                *bits = part.iter().rev().fold(0, |bits, value| bits << 1 | u8::from(is_integer(value)));
            }
        }
        Elements::Others => return false,
    }
    true
}

fn fill(places: &mut [u8], list: &[Zval]) {
    for (place, value) in places.as_chunks_mut::<ELEMENT_BYTES>().0.iter_mut().zip(list) {
        *place = number_bytes(value);
    }
}
