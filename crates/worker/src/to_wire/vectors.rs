//! Lists that are all floats or all integers, as typed vectors.

use tortoise_protocol::Writer;
use tortoise_protocol::codec::ELEMENT_BYTES;

use crate::raw::{self, Kind, Seen, Sequence};

/// Writes a list as a typed vector, if all its elements are floats, or integers of 64 bits, and says whether they are.
///
/// That is found out on the way: what was written is taken back at the first element of another type, and most lists
/// that are no vectors say so at once.
pub(super) fn try_write<'py>(writer: &mut Writer<'_>, list: &impl Sequence<'py>) -> bool {
    let (count, start) = (list.length(), writer.position());
    // SAFETY: nothing here runs code of Python, so the list stays as it is.
    let written = match unsafe { list.element(0) }.map(raw::kind) {
        Some(Kind::Float) => fill(writer.floats(count), list, |element| {
            (raw::kind(element) == Kind::Float).then(|| raw::float(element).to_le_bytes())
        }),
        Some(Kind::Integer) => fill(writer.integers(count), list, |element| match raw::kind(element) {
            Kind::Integer => raw::integer(element).map(i64::to_le_bytes),
            _ => None,
        }),
        _ => false,
    };
    if !written {
        writer.truncate(start);
    }
    written
}

fn fill<'py>(
    place: &mut [u8],
    list: &impl Sequence<'py>,
    number: impl Fn(Seen<'_, 'py>) -> Option<[u8; ELEMENT_BYTES]>,
) -> bool {
    let (places, _) = place.as_chunks_mut::<ELEMENT_BYTES>();
    places.iter_mut().enumerate().all(|(index, place)| {
        // SAFETY: as above.
        match unsafe { list.element(index) }.and_then(&number) {
            Some(bytes) => {
                *place = bytes;
                true
            }
            None => false,
        }
    })
}
