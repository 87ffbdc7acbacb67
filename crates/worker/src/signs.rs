//! What the session's own thread and its watcher tell each other, and the board, the zygote and the supervisor.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use nix::sys::socket::{MsgFlags, send};
use tortoise_channel::{ChannelError, Interrupt, Slot};

/// In `Signs::turns`: the own thread does something for PHP.
const AT_WORK: u64 = 1;

/// In `Signs::turns`: PHP does not wait for that.
const UNAWAITED: u64 = 2;

/// By what `Signs::turns` goes up.
const TURN: u64 = 4;

/// Shared by the two threads.
pub(crate) struct Signs {
    /// The session's place on the board.
    pub(crate) slot: Slot,
    /// Ends the own thread's wait for a frame: there is something else to see to.
    pub(crate) bell: Interrupt,
    /// The socket of the supervisor. Its end is the supervisor's.
    pub(crate) control: OwnedFd,
    /// The socket of the zygote. Its end is the zygote's.
    pub(crate) line: OwnedFd,
    /// Whether the session is to leave between two requests.
    is_retiring: AtomicBool,
    /// Goes up by [`TURN`] when the own thread begins to do something for PHP, and when it is done; what it is at stands below. While it waits for
    /// PHP in a callback it does nothing: there it learns by itself that PHP has gone.
    turns: AtomicU64,
    /// Whether the session has closed the connection itself.
    is_over: AtomicBool,
    /// At which turn the own thread is to be interrupted; 0: it is not.
    interrupted: AtomicU64,
}

impl Signs {
    /// Of a session that has just begun.
    ///
    /// # Errors
    /// The system's, where no more files can be opened.
    pub(crate) fn new(slot: Slot, control: OwnedFd, line: OwnedFd) -> io::Result<Self> {
        let bell = Interrupt::new().map_err(|error| match error {
            ChannelError::Io(error) => error,
            other => io::Error::other(other),
        })?;
        Ok(Self {
            slot,
            bell,
            control,
            line,
            is_retiring: AtomicBool::new(false),
            turns: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
            interrupted: AtomicU64::new(0),
        })
    }

    /// The session is to leave between two requests: now, if it is there.
    pub(crate) fn retire(&self) {
        self.is_retiring.store(true, Ordering::Release);
        self.bell.ring();
    }

    /// Whether it is to leave.
    pub(crate) fn is_retiring(&self) -> bool {
        self.is_retiring.load(Ordering::Acquire)
    }

    /// The own thread begins to do something for PHP, which waits for it.
    #[inline(always)]
    pub(crate) fn begin(&self) {
        self.turn_to(AT_WORK);
    }

    /// The own thread begins to do something that PHP does not wait for: it may have ended behind it, as it should, while
    /// destructors run.
    #[inline(always)]
    pub(crate) fn begin_unawaited(&self) {
        self.turn_to(AT_WORK | UNAWAITED);
    }

    /// The own thread does nothing for PHP any more.
    #[inline(always)]
    pub(crate) fn rest(&self) {
        self.turn_to(0);
    }

    /// Only the own thread calls this, so that it need not be one operation.
    #[inline(always)]
    fn turn_to(&self, state: u64) {
        let turn = (self.turns.load(Ordering::Relaxed) + TURN) & !(TURN - 1);
        self.turns.store(turn | state, Ordering::Relaxed);
    }

    /// The session closes the connection itself: whoever waits for PHP learns of it.
    pub(crate) fn end(&self) {
        self.is_over.store(true, Ordering::Release);
    }

    /// What the own thread does now is to be interrupted, if PHP waited for it, or `whatever` it is. False: it does nothing
    /// of that, or has seen that the connection has ended.
    pub(crate) fn interrupt(&self, whatever: bool) -> bool {
        let turn = self.turns.load(Ordering::Relaxed);
        let is_meant = turn & AT_WORK != 0 && (whatever || turn & UNAWAITED == 0);
        let is_at_work = is_meant && !self.is_over.load(Ordering::Acquire);
        if is_at_work {
            self.interrupted.store(turn, Ordering::Relaxed);
        }
        is_at_work
    }

    /// Whether the own thread does something for PHP.
    pub(crate) fn is_at_work(&self) -> bool {
        self.turns.load(Ordering::Relaxed) % 2 == 1
    }

    /// Whether the own thread still does what is to be interrupted, and has not seen that yet.
    pub(crate) fn is_interrupt_pending(&self) -> bool {
        let interrupted = self.interrupted.load(Ordering::Relaxed);
        interrupted & AT_WORK != 0 && interrupted == self.turns.load(Ordering::Relaxed)
    }

    /// Whether the own thread, which asks, still does what was to be interrupted. It is so once for each interrupt.
    pub(crate) fn take_interrupt(&self) -> bool {
        let interrupted = self.interrupted.swap(0, Ordering::Relaxed);
        interrupted & AT_WORK != 0 && interrupted == self.turns.load(Ordering::Relaxed)
    }

    /// Says something to the zygote.
    pub(crate) fn tell_zygote(&self, packet: &str) {
        tell(&self.line, packet);
    }

    /// Says something to the supervisor.
    pub(crate) fn tell_supervisor(&self, packet: &str) {
        tell(&self.control, packet);
    }
}

/// Who has gone, or does not listen, need not know.
fn tell(socket: &OwnedFd, packet: &str) {
    let _ = send(socket.as_raw_fd(), packet.as_bytes(), MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT);
}
