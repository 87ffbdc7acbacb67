//! A frame of the client that is being read.

use std::cell::Cell;
use std::mem::MaybeUninit;

use pyo3::prelude::*;
use tortoise_channel::ChannelError;
use tortoise_protocol::{Malformed, Reader};

use crate::conversation::{Held, KeptFrame};

thread_local! {
    /// How many guards of this thread there are.
    static CONVERTING: Cell<u32> = const { Cell::new(0) };
}

/// As long as it lives, its thread is in the middle of a frame of the client: it cannot ask the client for something.
pub(crate) struct Converting(());

impl Converting {
    #[inline]
    pub(crate) fn begin() -> Self {
        CONVERTING.with(|guards| guards.set(guards.get() + 1));
        Self(())
    }

    /// Whether this thread is at it.
    pub(crate) fn is_under_way() -> bool {
        CONVERTING.get() > 0
    }
}

impl Drop for Converting {
    #[inline]
    fn drop(&mut self) {
        CONVERTING.with(|guards| guards.set(guards.get() - 1));
    }
}

/// The payload as far as it has not been read, and where its segments wait.
pub(crate) struct Request<'a> {
    /// The payload.
    pub(crate) reader: Reader<'a>,
    /// What the segments come out of.
    pub(crate) segments: Incoming<'a>,
}

/// Where the segments of a frame are.
pub(crate) enum Incoming<'a> {
    /// Still in the channel.
    Channel(Held<'a>, Converting),
    /// In memory, because the frame had to wait; or there are none.
    Kept(&'a [u8]),
}

impl<'a> Request<'a> {
    /// A frame whose segments, if it has any, are still in the channel.
    #[inline]
    pub(crate) fn of_channel(payload: &'a [u8], channel: Held<'a>) -> Self {
        let segments = match channel.segment_bytes_left() {
            0 => Incoming::Kept(&[]),
            _ => Incoming::Channel(channel, Converting::begin()),
        };
        Self { reader: Reader::new(payload), segments }
    }

    /// A frame of which all is in memory, because it had to wait.
    pub(crate) fn of_kept(frame: &'a KeptFrame) -> Self {
        Self { reader: Reader::new(&frame.payload), segments: Incoming::Kept(&frame.segments) }
    }

    /// All of it has been read: the channel is free for callbacks.
    ///
    /// # Errors
    /// [`Malformed`] if something is left of the payload.
    #[inline]
    pub(crate) fn end(&mut self) -> Result<(), Malformed> {
        self.reader.end()?;
        self.segments = Incoming::Kept(&[]);
        Ok(())
    }
}

impl Incoming<'_> {
    /// How many bytes have not been asked for.
    pub(crate) fn left(&self) -> usize {
        match self {
            Self::Channel(channel, _) => channel.segment_bytes_left(),
            Self::Kept(bytes) => bytes.len(),
        }
    }

    /// Fills a place with the next bytes.
    ///
    /// # Errors
    /// As [`Channel::receive_segment`].
    pub(crate) fn receive(&mut self, py: Python<'_>, place: &mut [MaybeUninit<u8>]) -> Result<(), ChannelError> {
        match self {
            Self::Channel(channel, _) => {
                let channel = &mut **channel;
                // A peer may take its time, and other threads of the user's code need not wait with us.
                py.detach(|| channel.receive_segment(place))
            }
            Self::Kept(bytes) => {
                let too_short = ChannelError::SegmentsTooShort { wanted: place.len(), left: bytes.len() };
                let (part, rest) = bytes.split_at_checked(place.len()).ok_or(too_short)?;
                place.iter_mut().zip(part).for_each(|(place, byte)| {
                    place.write(*byte);
                });
                *bytes = rest;
                Ok(())
            }
        }
    }
}
