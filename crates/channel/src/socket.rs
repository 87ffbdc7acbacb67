//! A channel over a blocking Unix socket: one syscall to send a call, one to receive a small answer.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, recv, send};
use tortoise_protocol::frame::{HEADER_BYTES, Header};

use crate::ChannelError;

/// What one read asks for: a usual answer in one syscall, and small enough to stay in the processor's cache.
const READ_BYTES: usize = 64 << 10;

/// How far a payload's buffer grows ahead of what has arrived, so that a header alone cannot claim memory.
const GROWTH_BYTES: usize = 4 << 20;

/// Frames over a stream socket.
#[derive(Debug)]
pub(crate) struct SocketChannel {
    stream: UnixStream,
    /// Bytes that came with an earlier frame: `ahead[start..end]`.
    ahead: Box<[u8]>,
    start: usize,
    end: usize,
    timeout: Option<Duration>,
}

impl SocketChannel {
    pub(crate) fn new(stream: UnixStream) -> Self {
        Self { stream, ahead: vec![0; READ_BYTES].into_boxed_slice(), start: 0, end: 0, timeout: None }
    }

    pub(crate) fn set_timeout(&mut self, timeout: Option<Duration>) -> Result<(), ChannelError> {
        // A zero timeout means "forever" to the system and is refused by std.
        let timeout = timeout.map(|timeout| timeout.max(Duration::from_millis(1)));
        if timeout != self.timeout {
            self.stream.set_read_timeout(timeout)?;
            self.stream.set_write_timeout(timeout)?;
            self.timeout = timeout;
        }
        Ok(())
    }

    pub(crate) fn send(&mut self, frame: &[u8]) -> Result<(), ChannelError> {
        let deadline = Deadline::new(self.timeout);
        let mut sent = 0;
        while sent < frame.len() {
            match send(self.stream.as_raw_fd(), &frame[sent..], MsgFlags::MSG_NOSIGNAL) {
                Ok(count) => sent += count,
                Err(Errno::EINTR) => deadline.check()?,
                Err(Errno::EAGAIN) => return Err(deadline.passed()),
                Err(Errno::EPIPE | Errno::ECONNRESET) if sent == 0 => return Err(ChannelError::Closed),
                Err(Errno::EPIPE | Errno::ECONNRESET) => return Err(ChannelError::Broken),
                Err(error) => return Err(io::Error::from(error).into()),
            }
            if sent < frame.len() {
                deadline.check()?;
            }
        }
        Ok(())
    }

    pub(crate) fn receive(&mut self, payload: &mut Vec<u8>, limit: usize) -> Result<Header, ChannelError> {
        let deadline = Deadline::new(self.timeout);
        while self.end - self.start < HEADER_BYTES {
            self.fill(&deadline)?;
        }
        let head = self.ahead[self.start..].first_chunk::<HEADER_BYTES>().ok_or(ChannelError::Broken)?;
        let header = Header::decode(head, limit)?;
        self.start += HEADER_BYTES;

        let length = header.payload_bytes as usize;
        payload.clear();
        let here = length.min(self.end - self.start);
        payload.extend_from_slice(&self.ahead[self.start..self.start + here]);
        self.start += here;
        while payload.len() < length {
            let filled = payload.len();
            payload.resize(length.min(filled + GROWTH_BYTES), 0);
            let mut at = filled;
            while at < payload.len() {
                at += match self.read(&mut payload[at..], &deadline)? {
                    0 => return Err(ChannelError::Broken),
                    count => count,
                };
            }
        }
        Ok(header)
    }

    /// Reads what is there behind the bytes that are ahead.
    fn fill(&mut self, deadline: &Deadline) -> Result<(), ChannelError> {
        self.ahead.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let mut ahead = std::mem::take(&mut self.ahead);
        let result = self.read(&mut ahead[self.end..], deadline);
        self.ahead = ahead;
        match result? {
            0 if self.end == 0 => Err(ChannelError::Closed),
            0 => Err(ChannelError::Broken),
            count => {
                self.end += count;
                Ok(())
            }
        }
    }

    fn read(&self, buffer: &mut [u8], deadline: &Deadline) -> Result<usize, ChannelError> {
        loop {
            let result = recv(self.stream.as_raw_fd(), buffer, MsgFlags::empty());
            match result {
                Ok(count) => return Ok(count),
                Err(Errno::EINTR) => deadline.check()?,
                Err(Errno::EAGAIN) => return Err(deadline.passed()),
                Err(Errno::ECONNRESET) => return Ok(0),
                Err(error) => return Err(io::Error::from(error).into()),
            }
        }
    }
}

impl AsFd for SocketChannel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

/// The end of one operation. The system bounds each syscall; this bounds their sum.
struct Deadline {
    timeout: Option<(Duration, Instant)>,
}

impl Deadline {
    fn new(timeout: Option<Duration>) -> Self {
        Self { timeout: timeout.map(|timeout| (timeout, Instant::now() + timeout)) }
    }

    fn check(&self) -> Result<(), ChannelError> {
        match self.timeout {
            Some((timeout, end)) if Instant::now() >= end => Err(ChannelError::TimedOut(timeout)),
            _ => Ok(()),
        }
    }

    fn passed(&self) -> ChannelError {
        ChannelError::TimedOut(self.timeout.map_or(Duration::ZERO, |(timeout, _)| timeout))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::thread;

    use tortoise_protocol::Malformed;
    use tortoise_protocol::frame::{Kind, begin, finish};

    use super::*;

    fn frame(call: u64, payload: &[u8]) -> Vec<u8> {
        let mut buffer = Vec::new();
        begin(&mut buffer);
        buffer.extend_from_slice(payload);
        finish(&mut buffer, Header::new(Kind::Value, call)).expect("within the limit");
        buffer
    }

    fn pair() -> (UnixStream, SocketChannel) {
        let (near, far) = UnixStream::pair().expect("a pair of sockets");
        (near, SocketChannel::new(far))
    }

    #[test]
    fn frames_written_together_come_out_one_by_one() {
        let (mut near, mut far) = pair();
        near.write_all(&[frame(1, b"one"), frame(2, b""), frame(3, b"three")].concat()).expect("written");
        let mut payload = Vec::new();
        for (call, expected) in [(1, &b"one"[..]), (2, b""), (3, b"three")] {
            assert_eq!(far.receive(&mut payload, 100).expect("a frame").call, call);
            assert_eq!(payload, expected);
        }
    }

    #[test]
    fn a_frame_cut_at_every_byte_is_closed_or_broken() {
        let whole = frame(1, b"abc");
        for cut in 0..whole.len() {
            let (mut near, mut far) = pair();
            near.write_all(&whole[..cut]).expect("written");
            drop(near);
            let error = far.receive(&mut Vec::new(), 100).expect_err("not a whole frame");
            match cut {
                0 => assert!(matches!(error, ChannelError::Closed), "{error}"),
                _ => assert!(matches!(error, ChannelError::Broken), "{cut}: {error}"),
            }
        }
    }

    #[test]
    fn a_frame_in_single_bytes_arrives() {
        let (mut near, mut far) = pair();
        let writer = thread::spawn(move || {
            for byte in frame(7, b"slowly") {
                near.write_all(&[byte]).expect("written");
            }
        });
        let mut payload = Vec::new();
        assert_eq!(far.receive(&mut payload, 100).expect("a frame").call, 7);
        assert_eq!(payload, b"slowly");
        writer.join().expect("the writer");
    }

    #[test]
    fn a_large_frame_crosses_in_both_directions() {
        let (near, mut far) = pair();
        let mut near = SocketChannel::new(near);
        let large: Vec<u8> = (0..10_000_000_u32).map(|i| i as u8).collect();
        let sent = frame(1, &large);
        let echo = thread::spawn(move || {
            let mut payload = Vec::new();
            far.receive(&mut payload, usize::MAX).expect("the large frame");
            far.send(&frame(2, &payload)).expect("sent back");
        });
        near.send(&sent).expect("sent");
        let mut payload = Vec::new();
        near.receive(&mut payload, usize::MAX).expect("the echo");
        assert_eq!(payload, large);
        echo.join().expect("the echo");
    }

    #[test]
    fn a_length_over_the_limit_is_refused_and_claims_no_memory() {
        let (mut near, mut far) = pair();
        near.write_all(&frame(1, b"12345")).expect("written");
        let mut payload = Vec::new();
        let error = far.receive(&mut payload, 4).expect_err("over the limit");
        assert!(matches!(error, ChannelError::Malformed(Malformed::FrameTooLarge { bytes: 5, limit: 4 })), "{error}");
        assert_eq!(payload.capacity(), 0);
    }

    #[test]
    fn silence_times_out() {
        let (_near, mut far) = pair();
        far.set_timeout(Some(Duration::from_millis(20))).expect("set");
        let error = far.receive(&mut Vec::new(), 100).expect_err("nobody speaks");
        assert!(matches!(error, ChannelError::TimedOut(_)), "{error}");
    }

    #[test]
    fn sending_to_nobody_is_closed_and_raises_no_signal() {
        let (near, mut far) = pair();
        drop(near);
        assert!(matches!(far.send(&frame(1, b"x")), Err(ChannelError::Closed)));
    }
}
