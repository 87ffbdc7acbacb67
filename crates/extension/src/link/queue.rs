//! The requests that have no answer yet, in the order in which they were sent, which is that of their ids. Answers to those
//! that nobody waits for at once may come in any order: coroutines run side by side.

use std::collections::VecDeque;

use tortoise_protocol::frame::HEADER_BYTES;

/// Bytes of requests that the session may not have read. The session may be blocked on a large answer, which we do not read
/// while we send: a request must never wait for room then, or both sides would wait for ever.
///
/// The ring holds 1 MiB. A Unix socket holds 208 KiB (Linux's `wmem_default`), of which the system takes up to twice a
/// large frame's bytes, and 768 for a small one ([`FRAME_BYTES`]): at most 128 KiB for what is allowed here. Over TCP the
/// sender's buffer and the receiver's hold more than that together. Where a system is set up with less, the timeout ends
/// the wait.
const UNANSWERED_BYTES: usize = 64 << 10;

/// What a request counts beside its bytes, for what a socket keeps of each.
const FRAME_BYTES: usize = 512;

/// What is to become of an answer that is still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Somebody will ask for it.
    Wanted,
    /// Nobody will: its objects are given back.
    Dropped,
    /// The PHP request that asked is over, and the session has forgotten its objects.
    Late,
}

#[derive(Debug)]
struct Waiting {
    call: u64,
    /// 0 once the session is known to have read it.
    cost: usize,
    fate: Fate,
    /// Whether its answer may come at any time.
    is_async: bool,
}

/// Requests without an answer.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Waiting>,
    /// Up to this call the session has read all.
    read: u64,
    /// What these and `loose` cost.
    unanswered: usize,
    /// The last request that only asks whether all before it was read.
    probe: u64,
    /// Of frames without an answer: the session has read them when the next request is answered.
    loose: usize,
}

impl Queue {
    /// Whether every request has its answer.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether a frame of so many bytes can be sent now.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.is_empty() || self.unanswered + bytes + FRAME_BYTES <= UNANSWERED_BYTES
    }

    /// Whether a frame of so many bytes has room once those before it are read. Coroutines may take their time to answer, so
    /// whether they are read must be asked then.
    pub(super) fn needs_probe(&self, bytes: usize) -> bool {
        !Self::is_long(bytes) && !self.has_room(bytes) && !self.contains(self.probe)
    }

    /// Whether a frame of so many bytes is too long to be sent beside others.
    pub(super) fn is_long(bytes: usize) -> bool {
        bytes + FRAME_BYTES > UNANSWERED_BYTES
    }

    /// A request was sent that only asks whether all before it was read.
    pub(super) fn sent_probe(&mut self, call: u64, bytes: usize) {
        self.sent(call, bytes, false);
        self.abandon(call);
        self.probe = call;
    }

    /// Whether there are answers still to come for a PHP request that is over.
    pub(super) fn has_late(&self) -> bool {
        self.waiting.front().is_some_and(|waiting| waiting.fate == Fate::Late)
    }

    /// A request was sent whose answer nobody has got yet.
    pub(super) fn sent(&mut self, call: u64, bytes: usize, is_async: bool) {
        let loose = std::mem::take(&mut self.loose);
        self.unanswered += bytes + FRAME_BYTES;
        self.waiting.push_back(Waiting { call, cost: bytes + FRAME_BYTES + loose, fate: Fate::Wanted, is_async });
    }

    /// A frame was sent that has no answer.
    pub(super) fn sent_loose(&mut self, bytes: usize) {
        self.loose += bytes + FRAME_BYTES;
        self.unanswered += bytes + FRAME_BYTES;
    }

    /// The answer to this call has come. None: none was to come.
    pub(super) fn came(&mut self, call: u64) -> Option<Fate> {
        let waiting = self.waiting.remove(self.place(call)?)?;
        self.unanswered -= waiting.cost;
        if call > self.read {
            // The session reads in order.
            let first = self.waiting.partition_point(|waiting| waiting.call <= self.read);
            self.read = call;
            for waiting in self.waiting.range_mut(first..).take_while(|waiting| waiting.call < call) {
                self.unanswered -= std::mem::take(&mut waiting.cost);
            }
        }
        if self.waiting.is_empty() {
            // Whoever has sent its last answer listens.
            (self.unanswered, self.loose) = (0, 0);
        }
        Some(waiting.fate)
    }

    /// Whether the answer to this call may come at any time, and has not.
    pub(super) fn is_async(&self, call: u64) -> bool {
        self.place(call).is_some_and(|at| self.waiting[at].is_async)
    }

    /// Whether the answer to this call is still to come.
    pub(super) fn contains(&self, call: u64) -> bool {
        self.place(call).is_some()
    }

    /// Nobody will ask for the answer to this call, if it is one of these.
    pub(super) fn abandon(&mut self, call: u64) {
        if let Some(at) = self.place(call)
            && self.waiting[at].fate == Fate::Wanted
        {
            self.waiting[at].fate = Fate::Dropped;
        }
    }

    /// Nobody will ask for anything any more.
    pub(super) fn end_request(&mut self) {
        for waiting in &mut self.waiting {
            waiting.fate = Fate::Late;
        }
    }

    fn place(&self, call: u64) -> Option<usize> {
        self.waiting.binary_search_by_key(&call, |waiting| waiting.call).ok()
    }
}

const _: () = assert!(FRAME_BYTES + HEADER_BYTES < UNANSWERED_BYTES, "there is room for more than one request");
