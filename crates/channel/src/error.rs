//! Why a channel cannot be used any more.

use std::io;
use std::time::Duration;

use tortoise_protocol::Malformed;

use crate::ring::Corrupted;

/// Why a frame could not be sent or received. The channel is dead afterwards, but for
/// [`Self::SegmentsTooShort`].
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The peer closed the connection between two frames.
    #[error("the peer closed the connection")]
    Closed,
    /// The peer closed the connection inside a frame.
    #[error("the peer went away in the middle of a message")]
    Broken,
    /// The peer did not send, or did not read, within the time given.
    #[error("no answer within {} s", .0.as_secs_f64())]
    TimedOut(Duration),
    /// The peer sent what the wire does not allow.
    #[error("the peer sent a malformed message: {0}")]
    Malformed(#[from] Malformed),
    /// The peer announced segments that it did not send.
    #[error("the peer announced a segment of {wanted} bytes, where {left} are left of the message")]
    SegmentsTooShort {
        /// Bytes asked for.
        wanted: usize,
        /// Bytes left of the frame's segments.
        left: usize,
    },
    /// The peer wrote into the shared memory what cannot be.
    #[error("the peer spoiled the shared memory: {0}")]
    Corrupted(#[from] Corrupted),
    /// The peer offered memory that would be dangerous to share.
    #[error("the peer offered shared memory that is refused: {0}")]
    Offer(&'static str),
    /// The process is a fork of the one that owns the connection.
    #[error("this process is a fork of the one that made the connection")]
    Forked,
    /// The system refused.
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
}

impl ChannelError {
    /// What the end of the peer means inside a frame.
    pub(crate) fn in_frame(self, is_inside: bool) -> Self {
        match self {
            Self::Closed if is_inside => Self::Broken,
            other => other,
        }
    }
}
