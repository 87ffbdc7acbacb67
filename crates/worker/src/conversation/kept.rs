//! Requests that PHP sent without waiting, and that came while it was asked for something else. They are done afterwards.

use std::collections::VecDeque;
use std::mem::MaybeUninit;

use tortoise_channel::{Channel, ChannelError};
use tortoise_protocol::Malformed;
use tortoise_protocol::frame::{FLAG_ASYNC, Header};
use tortoise_protocol::limits::MAX_FRAME_BYTES;

/// Frames that are kept at most. A client has 64 KiB of unanswered requests, so fewer than this many.
const MAX_KEPT_FRAMES: usize = 4096;

/// Among the flags of a frame that is kept: the client does not want it any more. No frame comes with it.
pub(crate) const CANCELLED: u8 = 0b1000_0000;

/// A whole frame.
pub(crate) struct KeptFrame {
    /// Its header.
    pub(crate) header: Header,
    /// Its payload.
    pub(crate) payload: Vec<u8>,
    /// The segments behind it.
    pub(crate) segments: Vec<u8>,
}

/// Whole frames, in the order in which they came.
#[derive(Default)]
pub(crate) struct Kept {
    frames: VecDeque<KeptFrame>,
    bytes: usize,
}

impl KeptFrame {
    /// Takes the segments of the frame that was received last out of the channel.
    ///
    /// # Errors
    /// As [`Channel::receive_segment`].
    pub(crate) fn take(header: Header, payload: Vec<u8>, channel: &mut Channel) -> Result<Self, ChannelError> {
        let length = channel.segment_bytes_left();
        let mut segments = Vec::<u8>::with_capacity(length);
        let place: &mut [MaybeUninit<u8>] = &mut segments.spare_capacity_mut()[..length];
        channel.receive_segment(place)?;
        // SAFETY: the channel has filled all of the place.
        unsafe { segments.set_len(length) };
        Ok(Self { header, payload, segments })
    }

    fn bytes(&self) -> usize {
        self.payload.len() + self.segments.len()
    }
}

impl Kept {
    /// Keeps a frame.
    ///
    /// # Errors
    /// [`Malformed::OverLimit`] if the client has asked for more than anybody can want.
    pub(crate) fn push(&mut self, frame: KeptFrame) -> Result<(), Malformed> {
        if self.frames.len() >= MAX_KEPT_FRAMES {
            return Err(Malformed::OverLimit { what: "requests that wait", limit: MAX_KEPT_FRAMES });
        }
        self.bytes += frame.bytes();
        if self.bytes > MAX_FRAME_BYTES {
            return Err(Malformed::OverLimit { what: "bytes of requests that wait", limit: MAX_FRAME_BYTES });
        }
        self.frames.push_back(frame);
        Ok(())
    }

    /// The first that is kept.
    pub(crate) fn pop(&mut self) -> Option<KeptFrame> {
        let frame = self.frames.pop_front()?;
        self.bytes -= frame.bytes();
        Some(frame)
    }

    /// The first that was asked in this callback.
    pub(crate) fn pop_of(&mut self, callback: u64) -> Option<KeptFrame> {
        let place =
            self.frames.iter().position(|frame| frame.header.kind.is_answered() && frame.header.parent == callback)?;
        let frame = self.frames.remove(place)?;
        self.bytes -= frame.bytes();
        Some(frame)
    }

    /// The client does not want this call to be done any more, if it is kept and not waited for.
    pub(crate) fn cancel(&mut self, call: u64) {
        let is_it = |frame: &&mut KeptFrame| frame.header.call == call && frame.header.flags & FLAG_ASYNC != 0;
        if let Some(frame) = self.frames.iter_mut().find(is_it) {
            frame.header.flags |= CANCELLED;
        }
    }

    /// Whether none is kept.
    pub(crate) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }
}
