//! The stack of what has been asked and not been answered, by either side.

use tortoise_protocol::Malformed;
use tortoise_protocol::limits::MAX_CALLBACK_DEPTH;

/// What one side waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// PHP waits for the answer to a call.
    Call {
        /// Its id.
        id: u64,
        /// The answer is there, and goes out as soon as nothing stands above.
        is_done: bool,
    },
    /// A thread of Python waits for the answer to a callback of this id.
    Callback(u64),
}

/// The stack, and the numbers that were given.
#[derive(Default)]
pub(crate) struct Levels {
    stack: Vec<Level>,
    callbacks: usize,
    /// Ids of calls only grow, so one that comes again is a client that lost count.
    last_call: u64,
    /// That of the last call of the request before.
    last_of_before: u64,
    last_callback: u64,
}

/// Whether a callback may begin.
pub(crate) enum Turn {
    /// It has begun, under this id, in this call.
    Begun {
        /// Its own id.
        id: u64,
        /// The id of the call.
        parent: u64,
    },
    /// Somebody else is at it, or PHP is not waiting; `is_waiting`: PHP waits for a call at all.
    NotYet {
        /// Whether PHP waits for any call.
        is_waiting: bool,
    },
    /// Too many are under way.
    TooDeep,
}

impl Levels {
    /// A call has come.
    ///
    /// # Errors
    /// [`Malformed`] if its id is not new.
    pub(crate) fn count(&mut self, call: u64) -> Result<(), Malformed> {
        if call <= self.last_call {
            let found = "one that is 0 or not over the last";
            return Err(Malformed::Unexpected { expected: "a new call id", found });
        }
        self.last_call = call;
        Ok(())
    }

    /// A call is being done from now on.
    pub(crate) fn enter_call(&mut self, id: u64) {
        self.stack.push(Level::Call { id, is_done: false });
    }

    /// A call is done. True: its answer is due now; false: something stands above it; None: PHP waits no more.
    pub(crate) fn leave_call(&mut self, id: u64) -> Option<bool> {
        match self.stack.last() {
            Some(Level::Call { id: top, .. }) if *top == id => {
                self.stack.pop();
                return Some(true);
            }
            _ => {}
        }
        let place =
            self.stack.iter().rposition(|level| matches!(level, Level::Call { id: other, .. } if *other == id))?;
        // Callbacks that began now would keep the answer from going out, perhaps for good.
        self.stack[place] = Level::Call { id, is_done: true };
        Some(false)
    }

    /// A callback begins, if it may.
    pub(crate) fn begin_callback(&mut self) -> Turn {
        if self.callbacks >= MAX_CALLBACK_DEPTH {
            return Turn::TooDeep;
        }
        match self.stack.last() {
            Some(Level::Call { id: parent, is_done: false }) => {
                let parent = *parent;
                self.last_callback += 1;
                self.callbacks += 1;
                self.stack.push(Level::Callback(self.last_callback));
                Turn::Begun { id: self.last_callback, parent }
            }
            top => Turn::NotYet { is_waiting: top.is_some() },
        }
    }

    /// A callback, which is on top, has its answer.
    pub(crate) fn end_callback(&mut self, id: u64) {
        if self.stack.last() == Some(&Level::Callback(id)) {
            self.stack.pop();
            self.callbacks -= 1;
        }
    }

    /// Whether a call is being done, and nothing stands above it.
    pub(crate) fn is_call_on_top(&self, id: u64) -> bool {
        self.stack.last() == Some(&Level::Call { id, is_done: false })
    }

    /// Whether a callback's answer is still to come, and nothing stands above it.
    pub(crate) fn is_on_top(&self, callback: u64) -> bool {
        self.stack.last() == Some(&Level::Callback(callback))
    }

    /// Whether the answer to a callback is one that nobody waits for any more.
    pub(crate) fn is_given_up(&self, callback: u64) -> bool {
        (1..=self.last_callback).contains(&callback) && !self.stack.contains(&Level::Callback(callback))
    }

    /// Whether a request is under way: it has made a call.
    pub(crate) fn is_in_request(&self) -> bool {
        self.last_call > self.last_of_before
    }

    /// PHP's request is over. No callback gets an answer any more; calls are answered as they always are.
    pub(crate) fn end_request(&mut self) {
        self.last_of_before = self.last_call;
        self.stack.retain(|level| matches!(level, Level::Call { .. }));
        self.callbacks = 0;
    }

    /// Nobody gets an answer any more.
    pub(crate) fn forsake(&mut self) {
        self.stack.clear();
        self.callbacks = 0;
    }
}
