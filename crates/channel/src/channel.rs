//! The channel: a socket, and the shared memory that may take its place.

use std::fmt;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use tortoise_protocol::frame::Header;

use crate::deadline::Limit;
use crate::mapping::{Mapping, Side};
use crate::shared::SharedChannel;
use crate::socket::SocketChannel;
use crate::spin::SpinPolicy;
use crate::{ChannelError, Interrupt, copy, handover};

/// One side of a connection between a PHP process and its session.
#[derive(Debug)]
pub struct Channel {
    shared: Option<SharedChannel>,
    socket: SocketChannel,
    policy: SpinPolicy,
    limit: Limit,
}

/// What the frames of a channel go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Memory that both processes have mapped.
    SharedMemory,
    /// A socket of this machine.
    UnixSocket,
    /// A socket of the network.
    TcpSocket,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::SharedMemory => "shared memory",
            Self::UnixSocket => "unix socket",
            Self::TcpSocket => "tcp socket",
        })
    }
}

impl Channel {
    /// A channel over a connected, blocking stream socket.
    #[must_use]
    pub fn over_socket(stream: impl Into<OwnedFd>) -> Self {
        Self {
            shared: None,
            socket: SocketChannel::new(stream.into()),
            policy: SpinPolicy::default(),
            limit: Limit::default(),
        }
    }

    /// Sends a whole frame (see [`tortoise_protocol::frame::finish`]) without segments.
    ///
    /// # Errors
    /// [`ChannelError`]. The peer may have received a part of it.
    pub fn send(&mut self, frame: &[u8]) -> Result<(), ChannelError> {
        self.send_with(frame, &[])
    }

    /// Sends a whole frame and the segments that its payload announces, from where they lie. Their lengths must add up to
    /// the header's.
    ///
    /// What is left of the segments that were received last is passed over: the peer may still be sending it, and would
    /// not listen before.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn send_with(&mut self, frame: &[u8], segments: &[&[u8]]) -> Result<(), ChannelError> {
        debug_assert_eq!(
            frame.first_chunk().and_then(|head| Header::decode(head, usize::MAX).ok()).map(|head| head.segment_bytes),
            u32::try_from(segments.iter().map(|segment| segment.len()).sum::<usize>()).ok(),
            "the header says what follows"
        );
        match &mut self.shared {
            Some(shared) => shared.send(self.socket.as_fd(), frame, segments),
            None => self.socket.send(frame, segments),
        }
    }

    /// Waits for a frame and puts its payload in place of what `payload` holds. Payload and segments may have `limit`
    /// bytes together. What is left of the segments that were received last is passed over.
    ///
    /// # Errors
    /// [`ChannelError::Closed`] if the peer ended the connection between two frames; others say what broke.
    pub fn receive(&mut self, payload: &mut Vec<u8>, limit: usize) -> Result<Header, ChannelError> {
        match &mut self.shared {
            Some(shared) => shared.receive(self.socket.as_fd(), payload, limit),
            None => self.socket.receive(payload, limit),
        }
    }

    /// Whether [`Self::receive`] would have a frame to begin with, or an end to tell of, and so would wait at most for bytes
    /// that are on their way. What is left of the segments that were received last is passed over.
    ///
    /// # Errors
    /// As [`Self::receive`].
    pub fn has_frame(&mut self) -> Result<bool, ChannelError> {
        match &mut self.shared {
            Some(shared) => shared.has_frame(self.socket.as_fd()),
            None => self.socket.has_frame(),
        }
    }

    /// Waits until [`Self::receive`] would have a frame to begin with, or an end to tell of: true; or until the interrupt is
    /// rung: false, and the ring is taken back. What is left of the segments that were received last is passed over.
    ///
    /// # Errors
    /// As [`Self::receive`].
    pub fn await_frame(&mut self, interrupt: &Interrupt) -> Result<bool, ChannelError> {
        match &mut self.shared {
            Some(shared) => shared.await_frame(self.socket.as_fd(), interrupt),
            None => self.socket.await_frame(interrupt),
        }
    }

    /// Bytes of the segments of the frame received last that were not asked for yet.
    #[must_use]
    pub fn segment_bytes_left(&self) -> usize {
        match &self.shared {
            Some(shared) => shared.segment_bytes_left(),
            None => self.socket.segment_bytes_left(),
        }
    }

    /// Waits for the next bytes of the segments of the frame received last, and fills all of `place` with them.
    ///
    /// # Errors
    /// [`ChannelError::SegmentsTooShort`] if there are fewer; nothing was read then, and the channel can still be used.
    /// Otherwise as [`Self::receive`], and a part of the place may be filled.
    pub fn receive_segment(&mut self, place: &mut [MaybeUninit<u8>]) -> Result<(), ChannelError> {
        match &mut self.shared {
            Some(shared) => shared.receive_segment(self.socket.as_fd(), place),
            None => self.socket.receive_segment(place),
        }
    }

    /// The next bytes of those segments, in memory of their own.
    ///
    /// # Errors
    /// As [`Self::receive_segment`].
    pub fn receive_segment_bytes(&mut self, count: usize) -> Result<Vec<u8>, ChannelError> {
        let left = self.segment_bytes_left();
        if count > left {
            return Err(ChannelError::SegmentsTooShort { wanted: count, left });
        }
        copy::filled(count, |place| self.receive_segment(place))
    }

    /// Sends this side's first frame and offers shared memory with it, to a peer that receives it by
    /// [`Self::receive_first`] and sends nothing before. Tells what the channel goes through from now on: the socket,
    /// as before, if the system gives no memory or the peer cannot map it.
    ///
    /// # Errors
    /// As [`Self::send`] and [`Self::receive`]: the peer's verdict is waited for.
    pub fn send_first(&mut self, frame: &[u8]) -> Result<Kind, ChannelError> {
        if let Some(mapping) = handover::offer(&mut self.socket, frame)? {
            self.share(mapping, Side::Offering);
        }
        Ok(self.kind())
    }

    /// Waits for the peer's first frame as [`Self::receive`] does, and takes the shared memory that may come with it.
    ///
    /// # Errors
    /// As [`Self::receive`], and [`ChannelError::Offer`] if the memory is dangerous to share.
    pub fn receive_first(&mut self, payload: &mut Vec<u8>, limit: usize) -> Result<Header, ChannelError> {
        let (header, mapping) = handover::accept(&mut self.socket, payload, limit)?;
        if let Some(mapping) = mapping {
            self.share(mapping, Side::Accepting);
        }
        Ok(header)
    }

    fn share(&mut self, mapping: Mapping, side: Side) {
        self.socket.release_buffer();
        self.shared = Some(SharedChannel::new(mapping, side, self.limit, self.policy.clone()));
    }

    /// What the frames go through.
    #[must_use]
    pub fn kind(&self) -> Kind {
        if self.shared.is_some() { Kind::SharedMemory } else { self.socket.kind() }
    }

    /// Whether the peer has left, or sends nothing any more. What it sent before may still be there.
    ///
    /// # Errors
    /// [`ChannelError`].
    pub fn is_peer_gone(&mut self) -> Result<bool, ChannelError> {
        match &mut self.shared {
            Some(shared) => shared.is_peer_gone(self.socket.as_fd()),
            None => self.socket.is_peer_gone(),
        }
    }

    /// Bounds how long each send or receive, also of a segment, may take as a whole; None: as long as it takes.
    ///
    /// # Errors
    /// [`ChannelError::Io`] if the system refuses.
    pub fn set_timeout(&mut self, timeout: Option<Duration>) -> Result<(), ChannelError> {
        self.set_limit(Limit { timeout, ..self.limit })
    }

    /// Lets every send and receive end at this moment, instead of after the timeout; None: the timeout counts again.
    ///
    /// # Errors
    /// [`ChannelError::Io`] if the system refuses.
    pub fn set_deadline(&mut self, end: Option<Instant>) -> Result<(), ChannelError> {
        self.set_limit(Limit { end, ..self.limit })
    }

    fn set_limit(&mut self, limit: Limit) -> Result<(), ChannelError> {
        self.limit = limit;
        match &mut self.shared {
            Some(shared) => shared.set_limit(limit),
            None => self.socket.set_limit(limit)?,
        }
        Ok(())
    }

    /// Bounds how long a wait may spin before it sleeps, over shared memory. Without it: [`SpinPolicy::default`].
    pub fn set_spin_policy(&mut self, policy: SpinPolicy) {
        if let Some(shared) = &mut self.shared {
            shared.set_spin_policy(policy.clone());
        }
        self.policy = policy;
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        if let Some(shared) = &self.shared {
            shared.leave(self.socket.as_fd());
        }
    }
}

impl AsFd for Channel {
    /// The socket that lives as long as the connection does, to see the end of a peer.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
