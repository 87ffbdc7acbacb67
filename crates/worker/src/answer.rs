//! A frame that is being written: an answer, or a callback. Each has its own, because one may be begun while another is
//! not finished.

use pyo3::prelude::*;
use tortoise_protocol::frame::{FLAG_RELEASES, HEADER_BYTES, Header, begin, finish};
use tortoise_protocol::request::write_releases;
use tortoise_protocol::{Malformed, Writer};

use crate::dispatch::State;
use crate::php::PhpObject;
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
    /// PHP objects in it. What is let go of is said in front of the payload, so these must not be among it.
    pub(crate) held: Vec<Py<PhpObject>>,
    /// Whether the client takes integers of more than 64 bits in it.
    pub(crate) takes_big_integers: bool,
    /// Whether the client does not wait for it.
    pub(crate) is_async: bool,
    /// What will give the value, where that is a coroutine's.
    pub(crate) coroutine: Option<Py<PyAny>>,
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

    /// Writes the header, and what Python has let go of in front of the payload; the frame can be sent then.
    ///
    /// # Errors
    /// [`Malformed`] if the frame is too large.
    #[inline]
    pub(crate) fn finish(&mut self, py: Python<'_>, state: &State, mut header: Header) -> Result<(), Malformed> {
        // What is too much for a frame was refused when it was written.
        header.segment_bytes = self.segments.bytes() as u32;
        let releases = state.php.take_releases(py);
        if releases.is_empty() {
            finish(&mut self.frame, header)
        } else {
            self.finish_with(py, state, header, releases)
        }
    }

    #[cold]
    fn finish_with(
        &mut self,
        py: Python<'_>,
        state: &State,
        mut header: Header,
        releases: Vec<(u64, u64)>,
    ) -> Result<(), Malformed> {
        header.flags |= FLAG_RELEASES;
        let mut front = Vec::new();
        write_releases(&mut Writer::new(&mut front), &releases);
        self.frame.splice(HEADER_BYTES..HEADER_BYTES, front);
        finish(&mut self.frame, header).inspect_err(|_| state.php.put_back(py, releases))
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
        if self.frame.capacity() > KEPT_BUFFER_BYTES {
            self.frame.shrink_to(KEPT_BUFFER_BYTES);
        }
        if self.segments.count() > 0 {
            self.segments.clear();
        }
        self.given.clear();
        if !self.held.is_empty() {
            self.held.clear();
        }
        if self.coroutine.is_some() {
            self.coroutine = None;
        }
    }
}
