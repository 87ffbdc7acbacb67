//! A frame that is being written: an answer, or a callback. Each has its own, because one may be begun while another is
//! not finished.

use pyo3::prelude::*;
use tortoise_protocol::frame::{Header, Kind, begin, finish};
use tortoise_protocol::{Malformed, Writer};

use crate::dispatch::State;
use crate::to_wire::{Encoder, Segments};

/// Bytes that a buffer keeps from one call to the next.
pub(crate) const KEPT_BUFFER_BYTES: usize = 1 << 20;

/// A frame, with what goes behind it.
#[derive(Default)]
pub(crate) struct Answer {
    /// Header and payload; empty if nothing is to be sent.
    pub(crate) frame: Vec<u8>,
    /// What is sent behind the payload.
    pub(crate) segments: Segments,
    /// Ids of the objects in it, once for each time, so that they can be taken back.
    pub(crate) given: Vec<u64>,
    /// Whether the client takes integers of more than 64 bits in it.
    pub(crate) takes_big_integers: bool,
}

impl Answer {
    /// Makes room for the header.
    pub(crate) fn begin(&mut self) {
        begin(&mut self.frame);
    }

    /// Writes behind what is there.
    pub(crate) fn writer(&mut self) -> Writer<'_> {
        Writer::new(&mut self.frame)
    }

    /// Writes values behind what is there.
    pub(crate) fn encoder<'a, 'py>(&'a mut self, state: &'a State) -> Encoder<'a, 'py> {
        Encoder::of_answer(self, state)
    }

    /// Writes the header; the frame can be sent then.
    ///
    /// # Errors
    /// [`Malformed`] if the frame is too large.
    pub(crate) fn finish(&mut self, kind: Kind, call: u64) -> Result<(), Malformed> {
        // What is too much for a frame was refused when it was written.
        let segment_bytes = self.segments.bytes() as u32;
        finish(&mut self.frame, Header { segment_bytes, ..Header::new(kind, call) })
    }

    /// It does not go out: the client never sees the objects in it.
    pub(crate) fn take_back(&mut self, py: Python<'_>, state: &State) {
        if let Ok(mut table) = state.table.borrow(py) {
            table.take_back(&mut self.given);
        }
        self.clear();
    }

    /// It has been sent, or there is nothing to send.
    pub(crate) fn clear(&mut self) {
        self.frame.clear();
        self.frame.shrink_to(KEPT_BUFFER_BYTES);
        self.segments.clear();
        self.given.clear();
    }
}
