//! Bytes between two processes: frames go in on one side and come out on the other.
//!
//! [`Channel`] is what the extension and the worker hold; what is behind it is their peer's business. Today that
//! is a blocking Unix socket ([`socket`]); shared memory will stand behind the same four methods. A channel
//! belongs to one thread, blocks, and is never used again after an error.

mod error;
mod socket;

use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use tortoise_protocol::frame::Header;

pub use error::ChannelError;

/// One side of a connection between a PHP process and its session.
#[derive(Debug)]
pub struct Channel {
    socket: socket::SocketChannel,
}

impl Channel {
    /// A channel over a connected, blocking socket.
    #[must_use]
    pub fn over_socket(stream: UnixStream) -> Self {
        Self { socket: socket::SocketChannel::new(stream) }
    }

    /// Sends a whole frame (see [`tortoise_protocol::frame::finish`]).
    ///
    /// # Errors
    /// [`ChannelError`]. The peer may have received a part of it.
    pub fn send(&mut self, frame: &[u8]) -> Result<(), ChannelError> {
        self.socket.send(frame)
    }

    /// Waits for a frame and puts its payload, of at most `limit` bytes, in place of what `payload` holds.
    ///
    /// # Errors
    /// [`ChannelError::Closed`] if the peer ended the connection between two frames; others say what broke.
    pub fn receive(&mut self, payload: &mut Vec<u8>, limit: usize) -> Result<Header, ChannelError> {
        self.socket.receive(payload, limit)
    }

    /// Bounds how long a send or a receive may take as a whole; None: as long as it takes.
    ///
    /// # Errors
    /// [`ChannelError::Io`] if the system refuses.
    pub fn set_timeout(&mut self, timeout: Option<Duration>) -> Result<(), ChannelError> {
        self.socket.set_timeout(timeout)
    }
}

impl AsFd for Channel {
    /// The socket that lives as long as the connection does, to see the end of a peer.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
