//! The conversation with the client: one channel, and a stack of calls and callbacks that says who may use it.
//!
//! PHP does one thing at a time, so at each moment the conversation is a stack: a call of PHP's, a callback that Python makes
//! in it, a call that PHP makes in that, and so on. A callback begins only where a call is on top: PHP waits then. An answer
//! goes out only when its call is on top. The thread whose callback is on top reads the channel, and does what PHP asks of it
//! meanwhile itself. So the channel has one user at a time, and no frame is handed from thread to thread.
//!
//! Coroutines that PHP does not wait for are no part of the stack. While some run, other threads may have something to send
//! too: whoever waits for a frame lets them ([`held`]).

mod held;
mod kept;
mod levels;
mod retiring;
mod waiting;

use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nix::sys::socket::{Shutdown, shutdown};
use pyo3::prelude::*;
use tortoise_channel::{Channel, ChannelError};
use tortoise_protocol::frame::Header;
use tortoise_protocol::limits::MAX_FRAME_BYTES;

pub(crate) use held::Held;
pub(crate) use kept::{CANCELLED, Kept, KeptFrame};
pub(crate) use levels::{Levels, Turn};
pub(crate) use waiting::Waiting;

use crate::answer::Answer;
use crate::gil::{Busy, GilCell};
use crate::signs::Signs;

/// How long an answer waits for threads that want to call PHP first. Without it calls that do not take long would never let
/// one in.
const COURTESY: Duration = Duration::from_millis(1);

/// Why there is nobody to speak to any more.
#[derive(Debug, Clone)]
pub(crate) enum End {
    /// The client has left.
    Gone,
    /// The connection is of no use, for this reason.
    Broken(String),
}

impl From<ChannelError> for End {
    fn from(error: ChannelError) -> Self {
        match error {
            ChannelError::Closed => Self::Gone,
            error => Self::Broken(error.to_string()),
        }
    }
}

impl From<Busy> for End {
    fn from(busy: Busy) -> Self {
        Self::Broken(busy.to_string())
    }
}

/// The conversation of a session.
pub(crate) struct Conversation {
    /// In use while a frame is sent or received, and as long as segments of the last frame are read out of it.
    channel: GilCell<Channel>,
    /// The number of the channel's socket, which lives as long.
    socket: RawFd,
    /// Its bell ends a wait for a frame.
    pub(crate) signs: Arc<Signs>,
    /// How many threads wait for the channel.
    in_line: AtomicUsize,
    /// How many coroutines have no answer yet, and answers of others that are due meanwhile. While it is 0, no thread but the
    /// one that the stack says has something to send.
    shared: AtomicUsize,
    pub(crate) levels: GilCell<Levels>,
    pub(crate) kept: GilCell<Kept>,
    pub(crate) waiting: Waiting,
    /// How many threads wait to call PHP.
    wanting: AtomicUsize,
    /// Whether PHP's request has ended while a call of it is being done: callbacks wait for the next.
    pub(crate) is_ending: AtomicBool,
    /// Set once; every wait ends then.
    end: GilCell<Option<End>>,
    /// Whether the client takes integers of more than 64 bits, as it said last.
    pub(crate) takes_big_integers: AtomicBool,
}

/// What came in, and the channel in which its segments are. None: another thread needed the channel, and
/// everything may be different now.
pub(crate) type Received<'a> = Result<Option<(Header, Held<'a>)>, ChannelError>;

impl Conversation {
    /// Over a channel that has been greeted.
    pub(crate) fn new(channel: Channel, signs: Arc<Signs>) -> Self {
        Self {
            socket: channel.as_fd().as_raw_fd(),
            channel: GilCell::new(channel),
            signs,
            in_line: AtomicUsize::new(0),
            shared: AtomicUsize::new(0),
            levels: GilCell::new(Levels::default()),
            kept: GilCell::new(Kept::default()),
            waiting: Waiting::default(),
            wanting: AtomicUsize::new(0),
            is_ending: AtomicBool::new(false),
            end: GilCell::new(None),
            takes_big_integers: AtomicBool::new(false),
        }
    }

    /// Sends a frame, if there is one, and waits for the next, whose payload replaces what `payload` holds.
    ///
    /// # Errors
    /// The inner ones are the channel's; the outer one is that of whoever has no business here now.
    #[inline(always)]
    pub(crate) fn exchange<'a>(
        &'a self,
        py: Python<'a>,
        answer: &mut Answer,
        payload: &mut Vec<u8>,
    ) -> Result<Received<'a>, Busy> {
        if self.is_shared() {
            return self.exchange_shared(py, answer, payload);
        }
        let mut held = Held::new(py, self, self.channel.borrow(py)?);
        let channel = &mut *held;
        let segments = answer.segments.places(py);
        let frame = &answer.frame;
        // The one window without the interpreter's lock: other threads of the user's code run while we wait.
        let received = py.detach(|| {
            if !frame.is_empty() {
                channel.send_with(frame, &segments)?;
            }
            channel.receive(payload, MAX_FRAME_BYTES)
        });
        answer.clear();
        Ok(received.map(|header| Some((header, held))))
    }

    /// As [`Self::exchange`], with an ear for other threads.
    #[cold]
    fn exchange_shared<'a>(
        &'a self,
        py: Python<'a>,
        answer: &mut Answer,
        payload: &mut Vec<u8>,
    ) -> Result<Received<'a>, Busy> {
        if !answer.frame.is_empty()
            && let Err(error) = self.send(py, answer)?
        {
            return Ok(Err(error));
        }
        let Some(mut held) = self.hold_last(py)? else { return Ok(Ok(None)) };
        let (channel, bell) = (&mut *held, &self.signs.bell);
        let received = py.detach(|| match channel.await_frame(bell)? {
            true => channel.receive(payload, MAX_FRAME_BYTES).map(Some),
            false => Ok(None),
        });
        if matches!(received, Ok(Some(_))) && self.levels.borrow(py)?.came() {
            self.waiting.wake(py);
        }
        Ok(received.map(|header| header.map(|header| (header, held))))
    }

    /// Sends a frame, behind which nothing is waited for.
    ///
    /// # Errors
    /// As [`Self::exchange`].
    pub(crate) fn send(&self, py: Python<'_>, answer: &mut Answer) -> Result<Result<(), ChannelError>, Busy> {
        let held = self.hold(py)?;
        let sent = Self::send_by(py, held, answer);
        if self.is_shared() && self.levels.borrow(py)?.answered() {
            self.share_less(py);
        }
        Ok(sent)
    }

    /// Sends a frame by a channel that is held.
    pub(crate) fn send_by(py: Python<'_>, mut held: Held<'_>, answer: &mut Answer) -> Result<(), ChannelError> {
        let channel = &mut *held;
        let segments = answer.segments.places(py);
        let frame = &answer.frame;
        let sent = py.detach(|| channel.send_with(frame, &segments));
        drop(held);
        answer.clear();
        sent
    }

    /// Why the conversation is over, if it is.
    pub(crate) fn end(&self, py: Python<'_>) -> Result<Option<End>, Busy> {
        Ok(self.end.borrow(py)?.clone())
    }

    /// Ends the conversation: nobody gets an answer any more, and who waits is woken. `farewell` is sent to the client.
    ///
    /// What comes back is the reason why it is over, which may be an earlier one.
    pub(crate) fn finish(&self, py: Python<'_>, reason: End, farewell: &mut Answer) -> Result<End, Busy> {
        if !farewell.frame.is_empty() {
            // The client may have gone already; there is nobody else to tell. Nor is there anything to tell while another
            // thread is in the middle of a frame.
            if let Ok(channel) = self.channel.borrow(py) {
                let _ = Self::send_by(py, Held::new(py, self, channel), farewell);
            }
            farewell.clear();
        }
        let reason = self.end.borrow(py)?.get_or_insert(reason).clone();
        self.levels.borrow(py)?.forsake();
        self.waiting.wake(py);
        self.signs.end();
        // The watcher holds the socket too: without this a client that broke the rules would wait for us to exit.
        let _ = shutdown(self.socket, Shutdown::Both);
        Ok(reason)
    }

    /// A call of PHP's is being done from now on: callbacks may begin in it.
    pub(crate) fn enter_call(&self, py: Python<'_>, id: u64) -> Result<(), Busy> {
        self.levels.borrow(py)?.enter_call(id);
        self.waiting.wake(py);
        Ok(())
    }

    /// Waits for a change, as a thread that wants to call PHP. False: the time is over.
    pub(crate) fn wait_for_turn(&self, py: Python<'_>, deadline: Instant) -> bool {
        self.wanting.fetch_add(1, Ordering::Relaxed);
        let has_changed = self.waiting.wait(py, Some(deadline));
        self.wanting.fetch_sub(1, Ordering::Relaxed);
        has_changed
    }

    /// A call is done: waits until its answer is due, if it has one. False: PHP waits for it no more.
    #[inline]
    pub(crate) fn leave_call(&self, py: Python<'_>, id: u64, has_answer: bool) -> Result<bool, Busy> {
        if self.wanting.load(Ordering::Relaxed) > 0 && self.levels.borrow(py)?.is_call_on_top(id) {
            self.waiting.wait(py, Some(Instant::now() + COURTESY));
        }
        loop {
            // Where coroutines run, a callback of theirs must not begin before the answer is sent.
            let is_kept = has_answer && self.is_shared();
            match self.levels.borrow(py)?.leave_call(id, is_kept) {
                Some(true) => {
                    if is_kept {
                        self.share_more();
                    } else if self.is_shared() {
                        self.waiting.wake(py);
                    }
                    return Ok(true);
                }
                Some(false) => {}
                None => return Ok(false),
            }
            self.waiting.wait(py, None);
        }
    }
}
