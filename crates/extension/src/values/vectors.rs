//! Lists of numbers, written as one block.

use ext_php_rs::types::Zval;
use tortoise_protocol::Writer;
use tortoise_protocol::codec::{ELEMENT_BYTES, MIN_VECTOR_ELEMENTS};

use crate::engine::{is_float, is_integer, number_bytes};
use crate::link::Outgoing;

/// Writes a list as a vector, if it is long enough and all of it are floats, or integers. False: nothing was written.
pub(super) fn write(outgoing: &mut Outgoing<'_>, list: &[Zval]) -> bool {
    let (Some(first), Some(last)) = (list.first(), list.last()) else { return false };
    if list.len() < MIN_VECTOR_ELEMENTS {
        return false;
    }
    if is_float(first) && is_float(last) {
        write_if(outgoing, list, is_float, |writer, count| writer.floats(count))
    } else if is_integer(first) && is_integer(last) {
        write_if(outgoing, list, is_integer, |writer, count| writer.integers(count))
    } else {
        false
    }
}

/// One pass, which is in vain if an element is not as it must be.
fn write_if(
    outgoing: &mut Outgoing<'_>,
    list: &[Zval],
    is_element: impl Fn(&Zval) -> bool,
    begin: impl for<'a> Fn(&'a mut Writer<'_>, usize) -> &'a mut [u8],
) -> bool {
    let start = outgoing.position();
    let (numbers, _) = begin(outgoing, list.len()).as_chunks_mut::<ELEMENT_BYTES>();
    let mut are_all = true;
    for (number, value) in numbers.iter_mut().zip(list) {
        are_all &= is_element(value);
        *number = number_bytes(value);
    }
    if !are_all {
        outgoing.truncate(start);
    }
    are_all
}
