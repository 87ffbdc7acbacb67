//! What holds for a channel whatever it goes through: the same tests over the socket and over shared memory.

mod interrupts;
mod processes;
mod segments;
mod traffic;

use std::os::unix::net::UnixStream;
use std::thread;

use tortoise_channel::{Channel, Kind};
use tortoise_protocol::frame::{self, Header, begin, finish};

/// Each test runs over both.
const KINDS: [Kind; 2] = [Kind::UnixSocket, Kind::SharedMemory];

/// A frame of a call.
fn frame(call: u64, payload: &[u8]) -> Vec<u8> {
    let mut buffer = Vec::new();
    begin(&mut buffer);
    buffer.extend_from_slice(payload);
    finish(&mut buffer, Header::new(frame::Kind::Value, call)).expect("within the limit");
    buffer
}

/// The offering side's first frame, with an offer if there is to be one.
fn begin_as_session(stream: UnixStream, kind: Kind) -> Channel {
    let mut channel = Channel::over_socket(stream);
    match kind {
        Kind::SharedMemory => assert_eq!(channel.send_first(&frame(0, b"welcome")).expect("an answer"), kind),
        _ => channel.send(&frame(0, b"welcome")).expect("sent"),
    }
    channel
}

/// The other side's.
fn begin_as_client(stream: UnixStream, kind: Kind) -> Channel {
    let mut channel = Channel::over_socket(stream);
    let mut payload = Vec::new();
    channel.receive_first(&mut payload, 100).expect("a first frame");
    assert_eq!((payload.as_slice(), channel.kind()), (&b"welcome"[..], kind));
    channel
}

/// Both sides of a channel of the kind, in this process.
fn pair(kind: Kind) -> (Channel, Channel) {
    let (near, far) = UnixStream::pair().expect("a pair of sockets");
    let session = thread::spawn(move || begin_as_session(far, kind));
    (begin_as_client(near, kind), session.join().expect("the session"))
}
