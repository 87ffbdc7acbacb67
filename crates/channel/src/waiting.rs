//! How one operation on the shared memory waits for the peer, and wakes it.
//!
//! A wait looks again and again for as long as that pays ([`crate::spin`]), then sleeps: first in the futex, where a
//! wake-up is cheaper, for at most [`LONGEST_FUTEX_SLEEP`]; then at the socket, where the end of a peer is seen at once,
//! without a timer.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{MsgFlags, recv, send};

use crate::bell::{Bell, News, Rest, Wake};
use crate::deadline::{Deadline, Limit};
use crate::interrupt::Interrupt;
use crate::mapping::{Memory, Side};
use crate::spin::Spinner;
use crate::{ChannelError, futex};

/// A peer that was killed is seen within this time. Whoever waits for longer sleeps at the socket, where waking up costs a
/// microsecond more.
const LONGEST_FUTEX_SLEEP: Duration = Duration::from_millis(20);

/// Looks before the clock is read for the first time: an answer that is nearly there needs no deadline.
const FIRST_LOOKS: u32 = 64;

/// Looks between two of the clock.
const LOOKS: u32 = 16;

/// Waits of one operation between two checks of its deadline, if none of them was long enough to look at the clock: a
/// peer that trickles is timed out too.
const WAITS_BETWEEN_CHECKS: u32 = 64;

/// Doorbell bytes read at once. There is rarely more than one.
const DOORBELL_BYTES: usize = 64;

/// The CPU that we run on, at this moment. Without a system call on all systems of today.
fn cpu() -> u32 {
    // SAFETY: the function has no preconditions.
    u32::try_from(unsafe { libc::sched_getcpu() }).unwrap_or(0)
}

/// What waits, and wakes, for one operation.
pub(crate) struct Waiting<'op> {
    memory: &'op Memory,
    side: Side,
    socket: BorrowedFd<'op>,
    spinner: &'op mut Spinner,
    limit: &'op Limit,
    /// Begins at the first wait that takes a while.
    deadline: Option<Deadline>,
    waits: u32,
}

impl<'op> Waiting<'op> {
    pub(crate) fn new(
        memory: &'op Memory,
        side: Side,
        socket: BorrowedFd<'op>,
        spinner: &'op mut Spinner,
        limit: &'op Limit,
    ) -> Self {
        Self { memory, side, socket, spinner, limit, deadline: None, waits: 0 }
    }

    /// Says where we run, or that the peer is not to spin for us.
    pub(crate) fn say_where(&self) {
        self.memory.ring_from(self.side).cursors.set_cpu(self.spinner.is_allowed().then(cpu));
    }

    /// Makes sure that the peer hears of what was published.
    pub(crate) fn wake_peer(&mut self, news: News) -> Result<(), ChannelError> {
        wake(self.memory.bell_of(self.side.peer()), news, self.socket)
    }

    /// Whether the peer has left, or was killed.
    pub(crate) fn is_peer_gone(&self) -> Result<bool, ChannelError> {
        if self.memory.bell_of(self.side.peer()).is_gone() {
            return Ok(true);
        }
        let hang_up = PollFlags::from_bits_retain(libc::POLLRDHUP);
        let mut descriptors = [PollFd::new(self.socket, hang_up)];
        match poll(&mut descriptors, PollTimeout::ZERO) {
            Ok(count) => Ok(count > 0),
            Err(Errno::EINTR) => Ok(false),
            Err(error) => Err(io::Error::from(error).into()),
        }
    }

    /// Waits until `ready`.
    ///
    /// Fails with [`ChannelError::Closed`] if the peer has left, and what is waited for is not there.
    pub(crate) fn wait(
        &mut self,
        news: News,
        mut ready: impl FnMut() -> Result<bool, ChannelError>,
    ) -> Result<(), ChannelError> {
        self.waits += 1;
        if self.waits.is_multiple_of(WAITS_BETWEEN_CHECKS) {
            self.remaining(Instant::now())?;
        }
        if ready()? || self.spin(&mut ready)? {
            return Ok(());
        }
        let began = Instant::now();
        let mut now = began;
        loop {
            let left = self.remaining(now)?;
            let bell = self.memory.bell_of(self.side);
            let futex_left = LONGEST_FUTEX_SLEEP.saturating_sub(now - began);
            let peer = self.memory.bell_of(self.side.peer());
            let mut look = || {
                // The peer's leaving first: what it published before is seen then.
                let is_gone = peer.is_gone();
                let is_there = ready()?;
                if is_gone && !is_there { Err(ChannelError::Closed) } else { Ok(is_there) }
            };
            if futex_left.is_zero() {
                self.spinner.rest();
                let rest = if news == News::Data { Rest::DataAtSocket } else { Rest::RoomAtSocket };
                let mut is_hung_up = false;
                bell.sleep(rest, &mut look, |_, _| {
                    is_hung_up = doze_at(self.socket, None, left)?;
                    Ok(())
                })?;
                if is_hung_up && !look()? {
                    return Err(ChannelError::Closed);
                }
            } else {
                let rest = if news == News::Data { Rest::DataInFutex } else { Rest::RoomInFutex };
                let limit = left.map_or(futex_left, |left| left.min(futex_left));
                bell.sleep(rest, &mut look, |word, expected| {
                    futex::wait(word, expected, limit);
                    Ok(())
                })?;
            }
            let is_there = look()?;
            now = Instant::now();
            if is_there {
                break;
            }
        }
        self.spinner.slept(now - began);
        self.say_where();
        Ok(())
    }

    /// Waits until data is `ready`: true; or until the interrupt was rung: false, and the ring is taken back.
    ///
    /// Sleeps at the socket only, since a sleep in the futex has one waker. Fails as [`Self::wait`] does.
    pub(crate) fn wait_or(
        &mut self,
        interrupt: &Interrupt,
        mut ready: impl FnMut() -> Result<bool, ChannelError>,
    ) -> Result<bool, ChannelError> {
        let mut now = None;
        if self.spin(&mut || Ok(interrupt.is_rung() || ready()?))? {
            return Ok(!interrupt.take() || ready()?);
        }
        let began = Instant::now();
        loop {
            let left = self.remaining(now.unwrap_or(began))?;
            let peer = self.memory.bell_of(self.side.peer());
            let mut look = || {
                let is_gone = peer.is_gone();
                let is_there = ready()?;
                if is_gone && !is_there { Err(ChannelError::Closed) } else { Ok(is_there) }
            };
            if look()? {
                break;
            }
            if interrupt.take() {
                return Ok(false);
            }
            self.spinner.rest();
            let mut is_hung_up = false;
            let bell = self.memory.bell_of(self.side);
            let descriptor = interrupt.descriptor();
            bell.sleep(
                Rest::DataAtSocket,
                || Ok(interrupt.is_rung() || look()?),
                |_, _| {
                    is_hung_up = doze_at(self.socket, Some(descriptor), left)?;
                    Ok::<_, ChannelError>(())
                },
            )?;
            if is_hung_up && !look()? {
                return Err(ChannelError::Closed);
            }
            now = Some(Instant::now());
        }
        if let Some(now) = now {
            self.spinner.slept(now - began);
            self.say_where();
        }
        Ok(true)
    }

    /// Looks again and again, for as long as that pays. True if `ready`.
    fn spin(&mut self, ready: &mut impl FnMut() -> Result<bool, ChannelError>) -> Result<bool, ChannelError> {
        let cursors = self.memory.ring_from(self.side.peer()).cursors;
        if !cursors.is_worth_spinning(cpu()) {
            return Ok(false);
        }
        let budget = self.spinner.budget();
        if budget.is_zero() {
            return Ok(false);
        }
        for _ in 0..FIRST_LOOKS {
            std::hint::spin_loop();
            if ready()? {
                self.spinner.paid();
                return Ok(true);
            }
        }
        let began = Instant::now();
        loop {
            for _ in 0..LOOKS {
                std::hint::spin_loop();
                if ready()? {
                    self.spinner.paid();
                    return Ok(true);
                }
            }
            if began.elapsed() >= budget {
                self.spinner.failed();
                return Ok(false);
            }
            // It may have been woken on our CPU, or we may have been moved to its.
            if !cursors.is_worth_spinning(cpu()) {
                return Ok(false);
            }
        }
    }

    /// The time that is left.
    fn remaining(&mut self, now: Instant) -> Result<Option<Duration>, ChannelError> {
        self.deadline.get_or_insert_with(|| Deadline::from_first_check(*self.limit)).remaining(now)
    }
}

/// Wakes the peer whose bell this is, if it sleeps for the news.
pub(crate) fn wake(bell: &Bell, news: News, socket: BorrowedFd<'_>) -> Result<(), ChannelError> {
    match bell.after_news(news) {
        Wake::Nothing => Ok(()),
        Wake::Futex => {
            futex::wake(bell.word());
            Ok(())
        }
        Wake::Gone => Err(ChannelError::Closed),
        Wake::Socket => loop {
            let result = send(socket.as_raw_fd(), &[0], MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT);
            break match result {
                // A full socket has bytes in it that wake the peer as well.
                Ok(_) | Err(Errno::EAGAIN) => Ok(()),
                Err(Errno::EINTR) => continue,
                Err(Errno::EPIPE | Errno::ECONNRESET) => Err(ChannelError::Closed),
                Err(error) => Err(io::Error::from(error).into()),
            };
        },
    }
}

/// Sleeps until the peer rings, hangs up, `also` can be read, or `limit` is over; true if the peer has hung up.
fn doze_at(
    socket: BorrowedFd<'_>,
    also: Option<BorrowedFd<'_>>,
    limit: Option<Duration>,
) -> Result<bool, ChannelError> {
    let timeout = match limit {
        // Rounded up: a sleep that ends too early would be repeated at once.
        Some(limit) => PollTimeout::try_from(limit + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX),
        None => PollTimeout::NONE,
    };
    let hang_up = PollFlags::from_bits_retain(libc::POLLRDHUP);
    let at_socket = PollFd::new(socket, PollFlags::POLLIN | hang_up);
    let polled = match also {
        Some(also) => poll(&mut [at_socket, PollFd::new(also, PollFlags::POLLIN)], timeout),
        None => poll(&mut [at_socket], timeout),
    };
    match polled {
        Ok(0) | Err(Errno::EINTR) => return Ok(false),
        Ok(_) => {}
        Err(error) => return Err(io::Error::from(error).into()),
    }
    let mut doorbells = [0; DOORBELL_BYTES];
    match recv(socket.as_raw_fd(), &mut doorbells, MsgFlags::MSG_DONTWAIT) {
        Ok(0) | Err(Errno::ECONNRESET) => Ok(true),
        Ok(_) | Err(Errno::EAGAIN | Errno::EINTR) => Ok(false),
        Err(error) => Err(io::Error::from(error).into()),
    }
}
