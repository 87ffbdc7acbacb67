//! What ends a wait for a frame from outside: another thread of this process that has something for the peer.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::eventfd::{EfdFlags, EventFd};

use crate::ChannelError;

/// Ends a [`crate::Channel::await_frame`] of this process, now or when it begins.
#[derive(Debug)]
pub struct Interrupt {
    is_rung: AtomicBool,
    /// Readable while it is rung, for whoever sleeps.
    event: EventFd,
}

impl Interrupt {
    /// One that nobody has rung.
    ///
    /// # Errors
    /// The system's, where no more files can be opened.
    pub fn new() -> Result<Self, ChannelError> {
        let event = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK).map_err(io::Error::from)?;
        Ok(Self { is_rung: AtomicBool::new(false), event })
    }

    /// Ends the wait. Rung twice it ends one wait.
    pub fn ring(&self) {
        if !self.is_rung.swap(true, Ordering::AcqRel) {
            // The counter is at 0 or about to be set to it: it cannot overflow, and nothing else can fail.
            let _ = self.event.write(1);
        }
    }

    /// Whether it was rung. What was done before the ring can be seen then.
    pub(crate) fn is_rung(&self) -> bool {
        self.is_rung.load(Ordering::Acquire)
    }

    /// Takes the ring back; true if there was one.
    pub(crate) fn take(&self) -> bool {
        let was_rung = self.is_rung();
        if was_rung {
            // Emptied first: whoever rings in between finds the flag set, and the exchange below sees what they did before.
            let _ = self.event.read();
            self.is_rung.swap(false, Ordering::AcqRel);
        }
        was_rung
    }

    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}
