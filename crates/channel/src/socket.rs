//! A channel over a blocking stream socket: one syscall to send a call, one to receive a small answer.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::sockopt::{ReceiveTimeout, SendTimeout};
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockaddrLike, SockaddrStorage, UnixAddr, getsockname,
    recv, recvmsg, send, sendmsg, setsockopt,
};
use nix::sys::time::TimeVal;
use tortoise_protocol::frame::{HEADER_BYTES, Header};

use crate::ChannelError;
use crate::channel::Kind;
use crate::deadline::{Deadline, Limit};
use crate::interrupt::Interrupt;
use crate::segments::Left;

/// What one read asks for: a usual answer in one syscall, and small enough to stay in the processor's cache.
const READ_BYTES: usize = 64 << 10;

/// How far a payload's buffer grows ahead of what has arrived, so that a header alone cannot claim memory.
const GROWTH_BYTES: usize = 4 << 20;

/// Parts of a message that the system is given at once.
const PARTS: usize = 32;

/// Descriptors that Linux passes at once (`SCM_MAX_FD`).
const MAX_DESCRIPTORS: usize = 253;

/// What came beside the first bytes of a stream.
#[derive(Debug)]
pub(crate) enum Beside {
    /// Nothing.
    Nothing,
    /// A descriptor that the system could not give us.
    Lost,
    /// A descriptor.
    Descriptor(OwnedFd),
}

/// Frames over a stream socket.
#[derive(Debug)]
pub(crate) struct SocketChannel {
    stream: OwnedFd,
    /// Bytes that came with an earlier frame: `ahead[start..end]`.
    ahead: Box<[u8]>,
    start: usize,
    end: usize,
    left: Left,
    limit: Limit,
    /// How long the system lets a system call wait.
    armed: Option<Duration>,
}

impl SocketChannel {
    pub(crate) fn new(stream: OwnedFd) -> Self {
        Self {
            stream,
            ahead: vec![0; READ_BYTES].into_boxed_slice(),
            start: 0,
            end: 0,
            left: Left::default(),
            limit: Limit::default(),
            armed: None,
        }
    }

    pub(crate) fn set_limit(&mut self, limit: Limit) -> Result<(), ChannelError> {
        self.limit = limit;
        self.arm(limit.timeout)
    }

    /// The deadline of an operation that begins now.
    #[inline(always)]
    fn begin(&mut self) -> Result<Deadline, ChannelError> {
        match self.limit.end {
            None => Ok(Deadline::from_now(self.limit.timeout)),
            Some(end) => self.begin_until(end),
        }
    }

    #[cold]
    fn begin_until(&mut self, end: Instant) -> Result<Deadline, ChannelError> {
        self.arm(Some(end.saturating_duration_since(Instant::now())))?;
        Ok(Deadline::at(end))
    }

    /// Tells the system how long a system call may wait.
    fn arm(&mut self, timeout: Option<Duration>) -> Result<(), ChannelError> {
        // A zero timeout means "forever" to the system.
        let timeout = timeout.map(|timeout| timeout.max(Duration::from_millis(1)));
        if timeout != self.armed {
            let (seconds, microseconds) =
                timeout.map_or((0, 0), |timeout| (timeout.as_secs(), timeout.subsec_micros()));
            let value = TimeVal::new(seconds as i64, i64::from(microseconds));
            setsockopt(&self.stream, ReceiveTimeout, &value).map_err(io::Error::from)?;
            setsockopt(&self.stream, SendTimeout, &value).map_err(io::Error::from)?;
            self.armed = timeout;
        }
        Ok(())
    }

    /// What kind of socket it is.
    pub(crate) fn kind(&self) -> Kind {
        match getsockname::<SockaddrStorage>(self.stream.as_raw_fd()).ok().and_then(|name| name.family()) {
            Some(AddressFamily::Inet | AddressFamily::Inet6) => Kind::TcpSocket,
            _ => Kind::UnixSocket,
        }
    }

    /// Gives the buffer back, of a socket over which no more frames come.
    pub(crate) fn release_buffer(&mut self) {
        (self.ahead, self.start, self.end) = (Box::default(), 0, 0);
    }

    /// Whether more has arrived than was received.
    pub(crate) fn has_more(&self) -> bool {
        self.start < self.end
    }

    pub(crate) fn segment_bytes_left(&self) -> usize {
        self.left.bytes()
    }

    /// Sends a frame and a descriptor beside it. False if the system would not pass the descriptor, only the frame.
    pub(crate) fn send_descriptor(&mut self, frame: &[u8], descriptor: BorrowedFd<'_>) -> Result<bool, ChannelError> {
        let descriptors = [descriptor.as_raw_fd()];
        let rights = [ControlMessage::ScmRights(&descriptors)];
        let sent = loop {
            let parts = [IoSlice::new(frame)];
            match sendmsg::<UnixAddr>(self.stream.as_raw_fd(), &parts, &rights, MsgFlags::MSG_NOSIGNAL, None) {
                Err(Errno::EINTR) => {}
                result => break result,
            }
        };
        match sent {
            Ok(sent) => self.send(&frame[sent..], &[]).map(|()| true),
            // Nothing was sent: too many descriptors are on their way, or a policy forbids it. What else may be wrong
            // shows itself here too.
            Err(_) => self.send(frame, &[]).map(|()| false),
        }
    }

    pub(crate) fn send(&mut self, frame: &[u8], segments: &[&[u8]]) -> Result<(), ChannelError> {
        let mut deadline = self.begin()?;
        self.pass_over_segments(&mut deadline)?;
        let mut parts = [IoSlice::new(&[]); PARTS];
        let mut is_inside = false;
        let mut rest = [frame].into_iter().chain(segments.iter().copied()).filter(|part| !part.is_empty()).peekable();
        while rest.peek().is_some() {
            let count = parts.iter_mut().zip(&mut rest).map(|(to, part)| *to = IoSlice::new(part)).count();
            self.send_parts(&mut parts[..count], &mut is_inside, &mut deadline)?;
        }
        Ok(())
    }

    /// Sends all of the parts; `is_inside` says whether something was sent before, and is true afterwards.
    fn send_parts(
        &self,
        mut parts: &mut [IoSlice<'_>],
        is_inside: &mut bool,
        deadline: &mut Deadline,
    ) -> Result<(), ChannelError> {
        loop {
            // Of one part the plain call is faster.
            let result = match &*parts {
                [] => return Ok(()),
                [part] => send(self.stream.as_raw_fd(), part, MsgFlags::MSG_NOSIGNAL),
                parts => sendmsg::<UnixAddr>(self.stream.as_raw_fd(), parts, &[], MsgFlags::MSG_NOSIGNAL, None),
            };
            match result {
                Ok(count) => {
                    *is_inside = true;
                    IoSlice::advance_slices(&mut parts, count);
                    if parts.is_empty() {
                        return Ok(());
                    }
                    deadline.check()?;
                }
                Err(Errno::EINTR) => deadline.check()?,
                Err(Errno::EAGAIN) => return Err(deadline.passed()),
                Err(Errno::EPIPE | Errno::ECONNRESET) if *is_inside => return Err(ChannelError::Broken),
                Err(Errno::EPIPE | Errno::ECONNRESET) => return Err(ChannelError::Closed),
                Err(error) => return Err(io::Error::from(error).into()),
            }
        }
    }

    /// Receives one byte that is not part of a frame.
    pub(crate) fn receive_byte(&mut self) -> Result<u8, ChannelError> {
        let mut deadline = self.begin()?;
        while !self.has_more() {
            self.fill(&mut deadline)?;
        }
        let byte = self.ahead[self.start];
        self.start += 1;
        Ok(byte)
    }

    /// Receives the first frame, and what came beside it.
    pub(crate) fn receive_with(
        &mut self,
        payload: &mut Vec<u8>,
        limit: usize,
    ) -> Result<(Header, Beside), ChannelError> {
        let mut deadline = self.begin()?;
        // What lies beside a stream comes with the first of the bytes that it was sent with.
        let beside = if self.has_more() { Beside::Nothing } else { self.fill_with(&mut deadline)? };
        Ok((self.receive(payload, limit)?, beside))
    }

    /// Reads the first bytes of the stream and what lies beside them.
    fn fill_with(&mut self, deadline: &mut Deadline) -> Result<Beside, ChannelError> {
        // Room for as many as the system passes at once, so that none can be lost.
        let mut beside = nix::cmsg_space!([RawFd; MAX_DESCRIPTORS]);
        loop {
            let mut parts = [IoSliceMut::new(&mut self.ahead)];
            let flags = MsgFlags::MSG_CMSG_CLOEXEC;
            let message = match recvmsg::<UnixAddr>(self.stream.as_raw_fd(), &mut parts, Some(&mut beside), flags) {
                Ok(message) => message,
                Err(Errno::EINTR) => {
                    deadline.check()?;
                    continue;
                }
                Err(Errno::EAGAIN) => return Err(deadline.passed()),
                Err(Errno::ECONNRESET) => return Err(ChannelError::Closed),
                Err(error) => return Err(io::Error::from(error).into()),
            };
            if message.bytes == 0 {
                return Err(ChannelError::Closed);
            }
            (self.start, self.end) = (0, message.bytes);
            // Too many files are open here.
            if message.flags.contains(MsgFlags::MSG_CTRUNC) {
                return Ok(Beside::Lost);
            }
            let mut descriptors = Vec::new();
            for control in message.cmsgs().map_err(io::Error::from)? {
                if let ControlMessageOwned::ScmRights(numbers) = control {
                    // SAFETY: the system has just made these descriptors for us, and nobody else knows of them.
                    descriptors.extend(numbers.into_iter().map(|number| unsafe { OwnedFd::from_raw_fd(number) }));
                }
            }
            return Ok(descriptors.into_iter().next().map_or(Beside::Nothing, Beside::Descriptor));
        }
    }

    pub(crate) fn receive(&mut self, payload: &mut Vec<u8>, limit: usize) -> Result<Header, ChannelError> {
        let mut deadline = self.begin()?;
        self.pass_over_segments(&mut deadline)?;
        while self.end - self.start < HEADER_BYTES {
            self.fill(&mut deadline)?;
        }
        let head = self.ahead[self.start..].first_chunk::<HEADER_BYTES>().ok_or(ChannelError::Broken)?;
        let header = Header::decode(head, limit)?;
        self.start += HEADER_BYTES;

        let length = header.payload_bytes as usize;
        payload.clear();
        payload.extend_from_slice(self.take_ahead(length));
        while payload.len() < length {
            let wanted = (length - payload.len()).min(GROWTH_BYTES);
            payload.reserve(wanted);
            self.read_all(&mut payload.spare_capacity_mut()[..wanted], &mut deadline)?;
            // SAFETY: the capacity was reserved, and `read_all` has initialised these bytes.
            unsafe { payload.set_len(payload.len() + wanted) };
        }
        self.left = Left::new(header.segment_bytes as usize);
        Ok(header)
    }

    /// Whether a frame has begun to come, or the peer has left.
    pub(crate) fn has_frame(&mut self) -> Result<bool, ChannelError> {
        let mut deadline = self.begin()?;
        self.pass_over_segments(&mut deadline)?;
        if self.has_more() {
            return Ok(true);
        }
        let mut descriptors = [PollFd::new(self.stream.as_fd(), PollFlags::POLLIN)];
        match poll(&mut descriptors, PollTimeout::ZERO) {
            Ok(count) => Ok(count > 0),
            Err(Errno::EINTR) => Ok(false),
            Err(error) => Err(io::Error::from(error).into()),
        }
    }

    /// Whether the peer has left, or sends nothing any more. What it sent before may still be there.
    pub(crate) fn is_peer_gone(&self) -> Result<bool, ChannelError> {
        let hang_up = PollFlags::from_bits_retain(libc::POLLRDHUP);
        match poll(&mut [PollFd::new(self.stream.as_fd(), hang_up)], PollTimeout::ZERO) {
            Ok(count) => Ok(count > 0),
            Err(Errno::EINTR) => Ok(false),
            Err(error) => Err(io::Error::from(error).into()),
        }
    }

    /// Waits until a frame has begun to come, or the peer has left: true; or until the interrupt was rung: false.
    pub(crate) fn await_frame(&mut self, interrupt: &Interrupt) -> Result<bool, ChannelError> {
        let mut deadline = self.begin()?;
        self.pass_over_segments(&mut deadline)?;
        while !self.has_more() {
            let mut descriptors = [
                PollFd::new(self.stream.as_fd(), PollFlags::POLLIN),
                PollFd::new(interrupt.descriptor(), PollFlags::POLLIN),
            ];
            let limit = deadline.remaining(Instant::now())?;
            let limit = limit.map_or(PollTimeout::NONE, |limit| {
                PollTimeout::try_from(limit + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX)
            });
            match poll(&mut descriptors, limit) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(error) => return Err(io::Error::from(error).into()),
            }
            if descriptors[0].any() == Some(true) {
                return Ok(true);
            }
            if interrupt.take() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Fills `place` with the bytes of segments that come next. Nothing is read if there are fewer.
    pub(crate) fn receive_segment(&mut self, place: &mut [MaybeUninit<u8>]) -> Result<(), ChannelError> {
        self.left.check(place.len())?;
        let mut deadline = self.begin()?;
        self.left.took(place.len());
        let here = self.take_ahead(place.len());
        let (before, behind) = place.split_at_mut(here.len());
        for (to, from) in before.iter_mut().zip(here) {
            to.write(*from);
        }
        if behind.is_empty() {
            return Ok(());
        }
        self.read_all(behind, &mut deadline)
    }

    /// Reads what is left of a frame's segments, and forgets it.
    fn pass_over_segments(&mut self, deadline: &mut Deadline) -> Result<(), ChannelError> {
        let mut left = std::mem::take(&mut self.left).bytes();
        loop {
            left -= self.take_ahead(left).len();
            if left == 0 {
                return Ok(());
            }
            self.fill(deadline).map_err(|error| error.in_frame(true))?;
            // A peer that trickles is timed out too.
            deadline.check()?;
        }
    }

    /// Of the bytes that came ahead the first ones, at most `count`.
    fn take_ahead(&mut self, count: usize) -> &[u8] {
        let start = self.start;
        self.start += count.min(self.end - start);
        &self.ahead[start..self.start]
    }

    /// Reads what is there behind the bytes that are ahead.
    fn fill(&mut self, deadline: &mut Deadline) -> Result<(), ChannelError> {
        self.ahead.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let stream = self.stream.as_raw_fd();
        let place = &mut self.ahead[self.end..];
        match read(deadline, || recv(stream, place, MsgFlags::empty()))? {
            0 if self.end == 0 => Err(ChannelError::Closed),
            0 => Err(ChannelError::Broken),
            count => {
                self.end += count;
                Ok(())
            }
        }
    }

    /// Reads past the bytes that are ahead, of which there must be none, and initialises all of `place`.
    fn read_all(&self, mut place: &mut [MaybeUninit<u8>], deadline: &mut Deadline) -> Result<(), ChannelError> {
        while !place.is_empty() {
            let count = read(deadline, || {
                // SAFETY: the system writes at most as many bytes as the place has, and reads none of them.
                let count = unsafe { libc::recv(self.stream.as_raw_fd(), place.as_mut_ptr().cast(), place.len(), 0) };
                Errno::result(count).map(|count| count as usize)
            })?;
            if count == 0 {
                return Err(ChannelError::Broken);
            }
            place = &mut place[count..];
            if !place.is_empty() {
                deadline.check()?;
            }
        }
        Ok(())
    }
}

/// Reads with `attempt` until something came, or the end.
fn read(deadline: &mut Deadline, mut attempt: impl FnMut() -> nix::Result<usize>) -> Result<usize, ChannelError> {
    loop {
        match attempt() {
            Ok(count) => return Ok(count),
            Err(Errno::EINTR) => deadline.check()?,
            Err(Errno::EAGAIN) => return Err(deadline.passed()),
            Err(Errno::ECONNRESET) => return Ok(0),
            Err(error) => return Err(io::Error::from(error).into()),
        }
    }
}

impl AsFd for SocketChannel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;
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
        (near, SocketChannel::new(far.into()))
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
    fn a_length_over_the_limit_is_refused_and_claims_no_memory() {
        let (mut near, mut far) = pair();
        near.write_all(&frame(1, b"12345")).expect("written");
        let mut payload = Vec::new();
        let error = far.receive(&mut payload, 4).expect_err("over the limit");
        assert!(matches!(error, ChannelError::Malformed(Malformed::FrameTooLarge { bytes: 5, limit: 4 })), "{error}");
        assert_eq!(payload.capacity(), 0);
    }

    #[test]
    fn sending_to_nobody_is_closed_and_raises_no_signal() {
        let (near, mut far) = pair();
        drop(near);
        assert!(matches!(far.send(&frame(1, b"x"), &[]), Err(ChannelError::Closed)));
    }
}
