//! How shared memory gets from one side to the other: with the first frame, over the socket.
//!
//! ```text
//! offering side                                   accepting side
//!   first frame, and beside it the memory  ────▶
//!                                          ◀────  one byte: ACCEPTED or DECLINED
//!   frames through the memory, or through the socket, in both directions
//! ```
//!
//! A first frame without memory is answered by nothing. After ACCEPTED the bytes on the socket are doorbells.

use std::os::fd::AsFd;

use tortoise_protocol::frame::Header;

use crate::ChannelError;
use crate::mapping::Mapping;
use crate::socket::{Beside, SocketChannel};

const DECLINED: u8 = 0;
const ACCEPTED: u8 = 1;

/// Sends a frame with memory beside it; the memory, if the peer takes it.
pub(crate) fn offer(socket: &mut SocketChannel, frame: &[u8]) -> Result<Option<Mapping>, ChannelError> {
    // Without memory the socket serves; `Channel::kind` says so.
    let Ok((mapping, descriptor)) = Mapping::create() else {
        socket.send(frame, &[])?;
        return Ok(None);
    };
    if !socket.send_descriptor(frame, descriptor.as_fd())? {
        return Ok(None);
    }
    match socket.receive_byte()? {
        ACCEPTED => Ok(Some(mapping)),
        DECLINED => Ok(None),
        _ => Err(ChannelError::Offer("neither accepted nor declined")),
    }
}

/// Receives a frame, and the memory beside it, if any came and we can map it.
pub(crate) fn accept(
    socket: &mut SocketChannel,
    payload: &mut Vec<u8>,
    limit: usize,
) -> Result<(Header, Option<Mapping>), ChannelError> {
    let (header, beside) = socket.receive_with(payload, limit)?;
    let mapping = match beside {
        Beside::Nothing => return Ok((header, None)),
        _ if socket.has_more() => return Err(ChannelError::Offer("more than one frame came with it")),
        Beside::Lost => None,
        Beside::Descriptor(descriptor) => match Mapping::open(&descriptor) {
            Ok(mapping) => Some(mapping),
            // A system that refuses is no reason to do without the session.
            Err(ChannelError::Io(_)) => None,
            Err(error) => return Err(error),
        },
    };
    socket.send(&[if mapping.is_some() { ACCEPTED } else { DECLINED }], &[])?;
    Ok((header, mapping))
}
