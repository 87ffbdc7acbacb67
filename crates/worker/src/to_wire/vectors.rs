//! Lists of numbers, as typed vectors.

use tortoise_protocol::Writer;
use tortoise_protocol::codec::ELEMENT_BYTES;

use crate::raw::{self, Kind, Seen, Sequence};

/// Writes a list as a typed vector, if all its elements are floats or integers of 64 bits, and says whether they are.
///
/// That is found out on the way: a vector of floats becomes one of both at the first integer, or the other way round.
/// What was written is taken back at the first element of another type, and most lists that are no vectors say so at
/// once.
pub(super) fn try_write<'py>(writer: &mut Writer<'_>, list: &impl Sequence<'py>) -> bool {
    let (count, start) = (list.length(), writer.position());
    // SAFETY: nothing here runs code of Python, so the list stays as it is.
    let written = match unsafe { list.element(0) }.map(raw::kind) {
        Some(Kind::Float) => fill(writer.floats(count), list, float),
        Some(Kind::Integer) => fill(writer.integers(count), list, integer),
        _ => 0,
    };
    let is_written = written == count
        || written > 0 && {
            let (places, bits) = writer.mix(start);
            mix(places, bits, list, written)
        };
    if !is_written {
        writer.truncate(start);
    }
    is_written
}

type Bytes = [u8; ELEMENT_BYTES];

/// Writes elements up to the first that is no `number`, and says how many.
fn fill<'py>(places: &mut [u8], list: &impl Sequence<'py>, number: impl Fn(Seen<'_, 'py>) -> Option<Bytes>) -> usize {
    let (places, _) = places.as_chunks_mut::<ELEMENT_BYTES>();
    for (index, place) in places.iter_mut().enumerate() {
        // SAFETY: as above.
        match unsafe { list.element(index) }.and_then(&number) {
            Some(bytes) => *place = bytes,
            None => return index,
        }
    }
    places.len()
}

/// Writes the elements from `first` on with their bits. False: there is one that is no number.
fn mix<'py>(places: &mut [u8], bits: &mut [u8], list: &impl Sequence<'py>, first: usize) -> bool {
    let (places, _) = places.as_chunks_mut::<ELEMENT_BYTES>();
    for (index, place) in places.iter_mut().enumerate().skip(first) {
        // SAFETY: as above.
        let Some(element) = (unsafe { list.element(index) }) else { return false };
        let bit = 1 << (index % 8);
        if let Some(bytes) = float(element) {
            *place = bytes;
            bits[index / 8] &= !bit;
        } else if let Some(bytes) = integer(element) {
            *place = bytes;
            bits[index / 8] |= bit;
        } else {
            return false;
        }
    }
    true
}

fn float(element: Seen<'_, '_>) -> Option<Bytes> {
    (raw::kind(element) == Kind::Float).then(|| raw::float(element).to_le_bytes())
}

fn integer(element: Seen<'_, '_>) -> Option<Bytes> {
    match raw::kind(element) {
        Kind::Integer => raw::integer(element).map(i64::to_le_bytes),
        _ => None,
    }
}
