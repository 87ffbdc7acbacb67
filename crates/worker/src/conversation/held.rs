//! Who holds the channel, where several threads may have something to send: whoever waits for a frame makes room for the others.

use std::cell::RefMut;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::Ordering;

use pyo3::prelude::*;
use tortoise_channel::Channel;

use super::Conversation;
use crate::gil::Busy;

/// The channel, as long as one thread needs it.
pub(crate) struct Held<'a> {
    channel: RefMut<'a, Channel>,
    conversation: &'a Conversation,
    py: Python<'a>,
}

impl<'a> Held<'a> {
    pub(super) const fn new(py: Python<'a>, conversation: &'a Conversation, channel: RefMut<'a, Channel>) -> Self {
        Self { channel, conversation, py }
    }
}

impl Deref for Held<'_> {
    type Target = Channel;

    fn deref(&self) -> &Channel {
        &self.channel
    }
}

impl DerefMut for Held<'_> {
    fn deref_mut(&mut self) -> &mut Channel {
        &mut self.channel
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        // Who is woken needs the interpreter's lock before it looks, and the channel is free by then.
        if self.conversation.in_line.load(Ordering::Relaxed) > 0 {
            self.conversation.waiting.wake(self.py);
        }
    }
}

impl Conversation {
    /// Whether other threads than the one that the stack says may have something to send.
    #[inline]
    pub(crate) fn is_shared(&self) -> bool {
        self.shared.load(Ordering::Relaxed) != 0
    }

    /// There is one thing more that makes it so.
    pub(crate) fn share_more(&self) {
        self.shared.fetch_add(1, Ordering::Relaxed);
    }

    /// There is one thing less.
    pub(crate) fn share_less(&self, py: Python<'_>) {
        self.shared.fetch_sub(1, Ordering::Relaxed);
        self.waiting.wake(py);
    }

    /// The channel, once it is free. Whoever waits for a frame frees it.
    ///
    /// # Errors
    /// [`Busy`] if it is this thread that has it, because code of Python runs in the middle of a frame; or if PHP has gone.
    pub(crate) fn hold<'a>(&'a self, py: Python<'a>) -> Result<Held<'a>, Busy> {
        let mut has_waited = false;
        loop {
            match self.channel.borrow(py) {
                Ok(channel) => {
                    if has_waited {
                        // Who waits for a frame lets those in line go first, and waits for them.
                        self.waiting.wake(py);
                    }
                    return Ok(Held::new(py, self, channel));
                }
                Err(busy) if !self.is_shared() => return Err(busy),
                Err(busy) if self.end(py)?.is_some() => return Err(busy),
                Err(_) => {}
            }
            has_waited = true;
            self.in_line.fetch_add(1, Ordering::Relaxed);
            self.signs.bell.ring();
            self.waiting.wait(py, None);
            self.in_line.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// The channel, if nobody else has it or is in line for it. None: somebody was, and is not any more.
    ///
    /// # Errors
    /// As [`Self::hold`].
    pub(crate) fn hold_last<'a>(&'a self, py: Python<'a>) -> Result<Option<Held<'a>>, Busy> {
        if self.in_line.load(Ordering::Relaxed) > 0 {
            self.waiting.wait(py, None);
            return Ok(None);
        }
        if let Ok(channel) = self.channel.borrow(py) {
            return Ok(Some(Held::new(py, self, channel)));
        }
        drop(self.hold(py)?);
        Ok(None)
    }
}
