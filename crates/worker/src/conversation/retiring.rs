//! How a session leaves of its own accord, between two requests.

use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use nix::sys::socket::{Shutdown, shutdown};
use pyo3::prelude::*;
use tortoise_channel::{Channel, ChannelError, Kind as Carrier};
use tortoise_protocol::frame::{Header, Kind, begin, finish};
use tortoise_protocol::limits::MAX_FRAME_BYTES;

use super::Conversation;
use crate::gil::Busy;

/// How long the session reads on, so that a client that is sending now can end that, and sees why there is no answer. It sees
/// it later too: what was said to it waits in its socket, or in the memory.
const LINGER: Duration = Duration::from_millis(100);

/// The same over TCP, where what the session left unread would take from the client what it has not read.
const LINGER_OVER_TCP: Duration = Duration::from_secs(1);

impl Conversation {
    /// Waits until the client sends something: true; or until there is something else to see to: false.
    ///
    /// # Errors
    /// The inner ones are the channel's; the outer one is that of whoever has no business here now.
    pub(crate) fn await_frame(&self, py: Python<'_>) -> Result<Result<bool, ChannelError>, Busy> {
        let Some(mut held) = self.hold_last(py)? else { return Ok(Ok(false)) };
        let channel = &mut *held;
        Ok(py.detach(|| channel.await_frame(&self.signs.bell)))
    }

    /// Tells the client that the session leaves, and that nothing was done of what it may have sent since its last request.
    ///
    /// # Errors
    /// [`Busy`] if the channel is in use.
    pub(crate) fn retire(&self, py: Python<'_>) -> Result<(), Busy> {
        let mut held = self.hold(py)?;
        let channel = &mut *held;
        // Whatever goes wrong here: the client has gone, or learns of it by the end of the connection.
        py.detach(|| {
            let _ = say_retired(channel);
        });
        Ok(())
    }
}

fn say_retired(channel: &mut Channel) -> Result<(), ChannelError> {
    let linger = if channel.kind() == Carrier::TcpSocket { LINGER_OVER_TCP } else { LINGER };
    let end = Instant::now() + linger;
    let mut frame = Vec::new();
    begin(&mut frame);
    finish(&mut frame, Header::new(Kind::Retired, 0))?;
    channel.set_timeout(Some(linger))?;
    channel.send(&frame)?;
    // Whoever looks at the socket before it sends sees this.
    let _ = shutdown(channel.as_fd().as_raw_fd(), Shutdown::Write);
    let mut unread = Vec::new();
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        channel.set_timeout(Some(left))?;
        channel.receive(&mut unread, MAX_FRAME_BYTES)?;
    }
}
