//! How a side of the shared memory sleeps and is woken, without a system call while both are awake.

use crate::sync::{AtomicU32, Ordering, fence};

/// Why a side sleeps, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Rest {
    /// Waits for words, in a futex.
    DataInFutex = 1,
    /// Waits for words, in `poll` on the socket.
    DataAtSocket = 2,
    /// Waits for room, in a futex.
    RoomInFutex = 3,
    /// Waits for room, in `poll` on the socket.
    RoomAtSocket = 4,
}

/// What is to be done about a peer after something was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wake {
    /// Nothing: it is awake.
    Nothing,
    /// Wake it in its futex, which is the bell itself.
    Futex,
    /// Write a byte to the socket.
    Socket,
    /// It has left and will never read.
    Gone,
}

/// What was published, which only whoever waits for that needs to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    /// Words.
    Data,
    /// Room.
    Room,
}

/// Says whether a side sleeps; it is the word of its futex.
#[repr(C, align(128))]
pub(crate) struct Bell {
    state: AtomicU32,
}

const AWAKE: u32 = 0;
const GONE: u32 = 5;

impl Bell {
    #[cfg(loom)]
    pub(crate) fn new() -> Self {
        Self { state: AtomicU32::new(AWAKE) }
    }

    /// One sleep of this bell's side: `block` gets the bell's word and the value with which it may sleep, and is not
    /// called if `ready` says that what is waited for is there. It may return too early.
    ///
    /// No wake-up is lost: either `ready`, which looks behind the fence, sees what the peer published before the fence
    /// of [`Self::after_news`], or the peer sees the bell, and whatever it does to the bell's word keeps a futex from
    /// falling asleep.
    pub(crate) fn sleep<E>(
        &self,
        rest: Rest,
        ready: impl FnOnce() -> Result<bool, E>,
        block: impl FnOnce(&AtomicU32, u32) -> Result<(), E>,
    ) -> Result<(), E> {
        self.state.store(rest as u32, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        let result = match ready() {
            Ok(true) => Ok(()),
            Ok(false) => block(&self.state, rest as u32),
            Err(error) => Err(error),
        };
        self.state.store(AWAKE, Ordering::Relaxed);
        result
    }

    /// To be called by this bell's peer after it published `news`: what it must do.
    pub(crate) fn after_news(&self, news: News) -> Wake {
        fence(Ordering::SeqCst);
        let state = self.state.load(Ordering::Relaxed);
        let wake = match (state, news) {
            (AWAKE, _) => return Wake::Nothing,
            (GONE, _) => return Wake::Gone,
            _ if state == Rest::DataInFutex as u32 && news == News::Data => Wake::Futex,
            _ if state == Rest::RoomInFutex as u32 && news == News::Room => Wake::Futex,
            _ if state == Rest::DataAtSocket as u32 && news == News::Data => Wake::Socket,
            _ if state == Rest::RoomAtSocket as u32 && news == News::Room => Wake::Socket,
            _ => return Wake::Nothing,
        };
        // Whoever changes the word wakes; if it changed meanwhile, its owner is awake and looks for itself.
        match self.state.compare_exchange(state, AWAKE, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => wake,
            Err(_) => Wake::Nothing,
        }
    }

    /// Says for good that this bell's side has left.
    pub(crate) fn leave(&self) {
        self.state.store(GONE, Ordering::Release);
    }

    /// Whether this bell's side has left. What it published before can be seen afterwards.
    pub(crate) fn is_gone(&self) -> bool {
        self.state.load(Ordering::Acquire) == GONE
    }

    /// The word to wake in the futex.
    pub(crate) fn word(&self) -> &AtomicU32 {
        &self.state
    }
}
