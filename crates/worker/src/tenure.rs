//! How long a session has served, and whether that is enough: it leaves between two requests then.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use nix::unistd::{SysconfVar, sysconf};
use tortoise_channel::Slot;

/// Bytes of /proc/self/statm: seven numbers.
const STATM_BYTES: usize = 160;

/// The bounds of a session. None: there is none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Requests that it serves.
    pub(crate) requests: Option<u64>,
    /// How long it serves.
    pub(crate) age: Option<Duration>,
    /// Bytes of memory at the end of a request.
    pub(crate) memory: Option<u64>,
}

/// What a session has served.
pub(crate) struct Tenure {
    slot: Slot,
    bounds: Bounds,
    began: Instant,
    requests: u64,
    is_in_request: bool,
    /// Where the system tells how much memory the process has; None: it does not.
    statm: Option<File>,
    page_bytes: u64,
}

impl Tenure {
    /// Of a session that begins now.
    pub(crate) fn new(slot: Slot, bounds: Bounds) -> Self {
        let page_bytes = sysconf(SysconfVar::PAGE_SIZE).ok().flatten().and_then(|bytes| u64::try_from(bytes).ok());
        Self {
            slot,
            bounds,
            began: Instant::now(),
            requests: 0,
            is_in_request: false,
            statm: File::open("/proc/self/statm").ok(),
            page_bytes: page_bytes.unwrap_or(4096),
        }
    }

    /// A call is about to be done. The first one of a request begins that.
    #[inline(always)]
    pub(crate) fn enter_request(&mut self) {
        if !self.is_in_request {
            self.is_in_request = true;
            self.requests += 1;
            self.slot.begin_request();
        }
    }

    /// Whether a request is going on.
    pub(crate) fn is_in_request(&self) -> bool {
        self.is_in_request
    }

    /// PHP's request is over. Whether the session has served for long enough.
    pub(crate) fn end_request(&mut self) -> bool {
        self.is_in_request = false;
        let resident = self.resident_bytes();
        self.slot.end_request(resident);
        self.bounds.requests.is_some_and(|most| self.requests >= most)
            || self.bounds.age.is_some_and(|most| self.began.elapsed() >= most)
            || self.bounds.memory.is_some_and(|most| resident > most)
    }

    /// Bytes of memory that the process has; 0: the system does not say.
    fn resident_bytes(&self) -> u64 {
        let mut text = [0; STATM_BYTES];
        let read = self.statm.as_ref().and_then(|statm| statm.read_at(&mut text, 0).ok());
        let text = std::str::from_utf8(&text[..read.unwrap_or(0)]).unwrap_or_default();
        let pages = text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
        pages.unwrap_or(0) * self.page_bytes
    }
}
