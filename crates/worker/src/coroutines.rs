//! Coroutines that PHP calls: they run on a loop of their own, in a thread of Python's (`tortoise_worker.coroutines`).
//!
//! One that PHP waits for is waited for here. What others give is sent when they are done, by a thread that does nothing else,
//! as soon as it may be.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use tortoise_protocol::failure::{Category, Failure, Ran};
use tortoise_protocol::frame::{Header, Kind};
use tortoise_protocol::limits::MAX_COROUTINES;

use crate::answer::Answer;
use crate::conversation::{Conversation, Held};
use crate::dispatch::{Handled, State};
use crate::failure::Fault;
use crate::path::Root;

thread_local! {
    /// Whether this is the thread of the loop.
    static IS_ON_LOOP: Cell<bool> = const { Cell::new(false) };
}

/// What a session knows of its loop.
#[derive(Default)]
pub(crate) struct Coroutines {
    /// How many callbacks the loop waits for.
    blocked: AtomicUsize,
}

/// As long as it lives, the loop waits for PHP.
pub(crate) struct Blocked<'a>(&'a AtomicUsize);

impl Drop for Blocked<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// This thread is the loop's.
pub(crate) fn enter_loop() {
    IS_ON_LOOP.set(true);
}

/// Whether this is the thread of the loop.
pub(crate) fn is_on_loop() -> bool {
    IS_ON_LOOP.get()
}

impl Coroutines {
    /// A callback begins. If it is the loop that makes it, it can do nothing else meanwhile.
    pub(crate) fn block_if_on_loop(&self) -> Option<Blocked<'_>> {
        is_on_loop().then(|| {
            self.blocked.fetch_add(1, Ordering::Relaxed);
            Blocked(&self.blocked)
        })
    }
}

impl State {
    /// Sees to the coroutine that a call has given: it is run to its end, or left in `answer` for
    /// [`Self::begin_coroutine`] if PHP does not wait.
    ///
    /// # Errors
    /// What it raises; RuntimeError if the loop cannot run it.
    #[cold]
    pub(crate) fn attend(&self, py: Python<'_>, answer: &mut Answer) -> Handled {
        let Some(coroutine) = answer.coroutine.take() else { return Ok(()) };
        self.check_loop(py).inspect_err(|_| {
            // It is said that it was not run; Python need not warn of it too.
            let _ = coroutine.bind(py).call_method0("close");
        })?;
        if answer.is_async {
            answer.coroutine = Some(coroutine);
            return Ok(());
        }
        let result = self.hooks.coroutines.bind(py).call_method1("run", (coroutine,))?;
        self.write(&result, answer, || Root::ReturnValue)
    }

    /// Whether the loop can run something that is waited for.
    ///
    /// # Errors
    /// RuntimeError if it waits itself.
    pub(crate) fn check_loop(&self, _py: Python<'_>) -> PyResult<()> {
        if self.coroutines.blocked.load(Ordering::Relaxed) == 0 {
            return Ok(());
        }
        Err(PyRuntimeError::new_err(
            "no coroutine can be run here: a coroutine has called PHP, and the event loop waits until PHP has answered. Call \
             PHP from a thread (await asyncio.to_thread(callback)) if it calls coroutines itself",
        ))
    }

    /// Runs a coroutine for a call that PHP does not wait for.
    #[cold]
    pub(crate) fn begin_coroutine(&self, py: Python<'_>, call: u64, answer: &mut Answer) -> Handled {
        let Some(coroutine) = answer.coroutine.take() else { return Ok(()) };
        let mut levels = self.conversation.levels.borrow(py)?;
        if levels.tasks() >= MAX_COROUTINES {
            drop(levels);
            let _ = coroutine.bind(py).call_method0("close");
            let message = format!("{MAX_COROUTINES} coroutines run in this session already; await some of them first");
            return Err(Fault::not_run(Category::Access, message));
        }
        levels.begin_task(call);
        drop(levels);
        self.conversation.share_more();
        let begun = self.hooks.coroutines.bind(py).call_method1("begin", (call, coroutine));
        if let Err(error) = begun {
            self.end_task(py, call)?;
            return Err(error.into());
        }
        Ok(())
    }

    /// Sends what a coroutine has come to, once that may be sent. There may be nobody any more to hear it.
    ///
    /// # Errors
    /// RuntimeError if the session is in the middle of something.
    pub(crate) fn finish_coroutine(
        &self,
        py: Python<'_>,
        call: u64,
        outcome: PyResult<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let mut answer = Answer::default();
        let sent = match self.write_outcome(py, call, outcome, &mut answer) {
            Ok(()) => self.wait_to_answer(py, call)?.map(|held| Conversation::send_by(py, held, &mut answer)),
            Err(_) => None,
        };
        match sent {
            Some(Ok(())) => {}
            Some(Err(error)) => {
                self.conversation.finish(py, error.into(), &mut Answer::default())?;
            }
            None => answer.take_back(py, self),
        }
        self.conversation.share_less(py);
        Ok(())
    }

    fn write_outcome(
        &self,
        py: Python<'_>,
        call: u64,
        outcome: PyResult<Bound<'_, PyAny>>,
        answer: &mut Answer,
    ) -> Result<(), crate::conversation::End> {
        answer.takes_big_integers = self.conversation.takes_big_integers.load(Ordering::Relaxed);
        answer.begin();
        let is_late = self.conversation.levels.borrow(py)?.is_late(call);
        let written = match outcome {
            // Nobody looks at it, and its objects would be taken for those of PHP's next request.
            _ if is_late => {
                answer.writer().nil();
                Ok(())
            }
            Ok(value) => self.write(&value, answer, || Root::ReturnValue),
            Err(error) => Err(error.into()),
        };
        let written = written.and_then(|()| {
            answer.finish(py, self, Header::new(Kind::Value, call)).map_err(|too_large| {
                Fault::Told(Box::new(Failure::new(Category::Conversion, Ran::Yes, too_large.to_string())))
            })
        });
        self.drop_doomed(py);
        written.or_else(|fault| self.write_fault(py, call, fault, answer))
    }

    /// The channel, when the answer may be sent, which is so from then on only. None: there is nobody any more to hear it.
    fn wait_to_answer<'a>(&'a self, py: Python<'a>, call: u64) -> PyResult<Option<Held<'a>>> {
        loop {
            if self.conversation.end(py)?.is_some() {
                return Ok(None);
            }
            if self.conversation.levels.borrow(py)?.may_answer(call) {
                let held = self.conversation.hold(py)?;
                let mut levels = self.conversation.levels.borrow(py)?;
                // Others had their turn meanwhile.
                if levels.may_answer(call) {
                    return Ok(levels.end_task(call).then_some(held));
                }
                continue;
            }
            self.conversation.waiting.wait(py, None);
        }
    }

    /// A call that was not waited for has no coroutine, or none any more.
    fn end_task(&self, py: Python<'_>, call: u64) -> PyResult<()> {
        if self.conversation.levels.borrow(py)?.end_task(call) {
            self.conversation.share_less(py);
        }
        Ok(())
    }

    /// PHP does not want a call any more.
    pub(crate) fn cancel(&self, py: Python<'_>, call: u64) -> PyResult<()> {
        self.conversation.kept.borrow(py)?.cancel(call);
        if self.conversation.is_shared() {
            self.hooks.coroutines.bind(py).call_method1("cancel", (call,))?;
        }
        Ok(())
    }

    /// PHP's request is over: its coroutines are cancelled, and waited for.
    pub(crate) fn end_coroutines(&self, py: Python<'_>) -> PyResult<()> {
        self.conversation.is_ending.store(true, Ordering::Relaxed);
        self.end_php_request(py)?;
        // It prints what goes wrong; an interrupt in the middle of that has nobody to be told to.
        let _ = self.hooks.coroutines.bind(py).call_method0("cancel_all");
        Ok(())
    }

    /// The error of what was cancelled.
    pub(crate) fn cancelled(&self, py: Python<'_>) -> PyErr {
        match self.hooks.coroutines.bind(py).call_method0("cancelled") {
            Ok(error) => PyErr::from_value(error),
            Err(error) => error,
        }
    }
}
