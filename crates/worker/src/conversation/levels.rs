//! The stack of what has been asked and not been answered, by either side; and beside it the coroutines that PHP does not
//! wait for.

use rustc_hash::FxHashMap;
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
    /// Coroutines without an answer, by the ids of their calls.
    tasks: FxHashMap<u64, Task>,
    /// The client is about to send something long: nothing is sent to it until that has come.
    is_held: bool,
}

/// A coroutine that PHP does not wait for.
struct Task {
    /// The callback in which it was called; 0: in none.
    callback: u64,
    /// PHP's request has ended since.
    is_late: bool,
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

    /// A call is done. True: its answer is due now, and stays on the stack until it is sent if `is_kept`; false: something
    /// stands above it; None: PHP waits no more.
    #[inline]
    pub(crate) fn leave_call(&mut self, id: u64, is_kept: bool) -> Option<bool> {
        match self.stack.last() {
            Some(Level::Call { id: top, .. }) if *top == id && !is_kept => {
                self.stack.pop();
                Some(true)
            }
            _ => self.mark_done(id, is_kept),
        }
    }

    #[cold]
    fn mark_done(&mut self, id: u64, is_kept: bool) -> Option<bool> {
        let place =
            self.stack.iter().rposition(|level| matches!(level, Level::Call { id: other, .. } if *other == id))?;
        let is_top = place + 1 == self.stack.len();
        // Callbacks that began now would keep the answer from going out, perhaps for good.
        self.stack[place] = Level::Call { id, is_done: true };
        Some(is_top && is_kept)
    }

    /// An answer was sent. Whether it was one that stayed on the stack.
    pub(crate) fn answered(&mut self) -> bool {
        let is_kept = matches!(self.stack.last(), Some(Level::Call { is_done: true, .. }));
        if is_kept {
            self.stack.pop();
        }
        is_kept
    }

    /// A callback begins, if it may.
    pub(crate) fn begin_callback(&mut self) -> Turn {
        if self.callbacks >= MAX_CALLBACK_DEPTH {
            return Turn::TooDeep;
        }
        let parent = match self.stack.last() {
            Some(Level::Call { is_done: true, .. }) => None,
            Some(Level::Call { id, .. }) => Some(*id),
            _ if self.is_held => None,
            // PHP may be at something else now, but it will wait for these.
            Some(Level::Callback(callback)) => self.task_in(*callback),
            None => self.task_in(0),
        };
        let Some(parent) = parent else {
            return Turn::NotYet { is_waiting: !self.stack.is_empty() };
        };
        self.last_callback += 1;
        self.callbacks += 1;
        self.stack.push(Level::Callback(self.last_callback));
        Turn::Begun { id: self.last_callback, parent }
    }

    /// A callback, which is on top, has its answer.
    pub(crate) fn end_callback(&mut self, id: u64) {
        if self.stack.last() == Some(&Level::Callback(id)) {
            self.stack.pop();
            self.callbacks -= 1;
            if !self.tasks.is_empty() {
                let outer = self.innermost_callback();
                for task in self.tasks.values_mut().filter(|task| task.callback == id) {
                    task.callback = outer;
                }
            }
        }
    }

    /// Whether a call is being done, and nothing stands above it.
    pub(crate) fn is_call_on_top(&self, id: u64) -> bool {
        self.stack.last() == Some(&Level::Call { id, is_done: false })
    }

    /// Whether a callback's answer is still to come, and nothing stands above it but an answer that is due.
    pub(crate) fn is_on_top(&self, callback: u64) -> bool {
        self.top() == Some(&Level::Callback(callback))
    }

    /// Whether a callback's answer is still to come.
    pub(crate) fn is_under_way(&self, callback: u64) -> bool {
        self.stack.contains(&Level::Callback(callback))
    }

    /// Whether nothing is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.stack.is_empty()
    }

    /// A coroutine is run for this call, which PHP does not wait for.
    pub(crate) fn begin_task(&mut self, call: u64) {
        let task = Task { callback: self.innermost_callback(), is_late: false };
        self.tasks.insert(call, task);
    }

    /// How many coroutines have no answer.
    pub(crate) fn tasks(&self) -> usize {
        self.tasks.len()
    }

    /// Whether the answer to this call may be sent now: PHP waits for one, or it comes from where PHP waits for this one
    /// before it sends much.
    pub(crate) fn may_answer(&self, call: u64) -> bool {
        let Some(task) = self.tasks.get(&call) else { return true };
        match self.top() {
            Some(Level::Call { .. }) => true,
            _ if self.is_held => false,
            Some(Level::Callback(callback)) => *callback == task.callback,
            None => true,
        }
    }

    /// The answer to a coroutine's call is being sent. Whether there was still one to come.
    pub(crate) fn end_task(&mut self, call: u64) -> bool {
        self.tasks.remove(&call).is_some()
    }

    /// Something long comes next.
    pub(crate) fn hold(&mut self) {
        self.is_held = true;
    }

    /// A frame has come. Whether it was waited for.
    pub(crate) fn came(&mut self) -> bool {
        std::mem::take(&mut self.is_held)
    }

    /// Whether the PHP request is over in which the coroutine was called.
    pub(crate) fn is_late(&self, call: u64) -> bool {
        self.tasks.get(&call).is_none_or(|task| task.is_late)
    }

    /// PHP's request is over: nobody asks for what the coroutines give.
    pub(crate) fn end_tasks(&mut self) {
        self.tasks.values_mut().for_each(|task| *task = Task { callback: 0, is_late: true });
    }

    /// What stands on top, but for an answer that is due.
    fn top(&self) -> Option<&Level> {
        self.stack.iter().rev().find(|level| !matches!(level, Level::Call { is_done: true, .. }))
    }

    fn innermost_callback(&self) -> u64 {
        let callbacks = self.stack.iter().rev();
        callbacks.filter_map(|level| if let Level::Callback(id) = level { Some(*id) } else { None }).next().unwrap_or(0)
    }

    /// A coroutine that was called in this callback.
    fn task_in(&self, callback: u64) -> Option<u64> {
        self.tasks.iter().find(|(_, task)| task.callback == callback && !task.is_late).map(|(call, _)| *call)
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
        self.tasks.clear();
    }
}
