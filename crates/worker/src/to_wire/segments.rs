//! Bulk that is sent from where it lies in Python's objects.

use pyo3::prelude::*;
use tortoise_protocol::{Segment, SegmentKind};

use crate::raw::{self, Seen};

/// Bytes from which a text or bytes travel behind the payload. Up to 128 KiB there is no difference that could be measured;
/// what is larger must not grow the buffer of the payload.
pub(crate) const MIN_SEGMENT_BYTES: usize = 32 << 10;

/// The segments of one answer, with the objects that they lie in.
#[derive(Default)]
pub(crate) struct Segments {
    /// With the bytes of each.
    owners: Vec<(Owner, usize)>,
    bytes: usize,
}

enum Owner {
    Text(Py<PyAny>),
    Bytes(Py<PyAny>),
}

impl Segments {
    /// Adds an exact `str`, whose UTF-8 is `length` bytes.
    pub(crate) fn add_text(&mut self, text: Seen<'_, '_>, length: usize) -> Segment {
        self.owners.push((Owner::Text(text.to_owned().unbind()), length));
        self.announced(SegmentKind::Text, length)
    }

    /// Adds an exact `bytes` of `length`.
    pub(crate) fn add_bytes(&mut self, bytes: Seen<'_, '_>, length: usize) -> Segment {
        self.owners.push((Owner::Bytes(bytes.to_owned().unbind()), length));
        self.announced(SegmentKind::Binary, length)
    }

    /// How many bytes there are of all segments.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Where they lie, in the order in which they were added. Neither `str` nor `bytes` ever change, so the
    /// interpreter's lock is not needed to read them.
    #[inline]
    pub(crate) fn places<'a>(&'a self, py: Python<'_>) -> Vec<&'a [u8]> {
        if self.owners.is_empty() {
            return Vec::new();
        }
        self.owners
            .iter()
            .map(|(owner, _)| match owner {
                // It had UTF-8 when it was added, and keeps it.
                Owner::Text(text) => raw::utf8(text.bind_borrowed(py)).unwrap_or_default(),
                Owner::Bytes(bytes) => raw::bytes(bytes.bind_borrowed(py)),
            })
            .collect()
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.owners.len()
    }

    /// Takes back those behind the first `count`.
    pub(crate) fn truncate(&mut self, count: usize) {
        for (_, bytes) in self.owners.drain(count..) {
            self.bytes -= bytes;
        }
    }

    /// Forgets all of them: they have been sent, or will not be.
    pub(crate) fn clear(&mut self) {
        self.owners.clear();
        self.bytes = 0;
    }

    fn announced(&mut self, kind: SegmentKind, length: usize) -> Segment {
        self.bytes += length;
        // Whoever adds has compared the length with that of a frame.
        Segment { kind, bytes: length as u32 }
    }
}
