//! Does one request of the client, from its first byte to the last one of the answer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;

use pyo3::prelude::*;
use tortoise_channel::ChannelError;
use tortoise_protocol::Malformed;
use tortoise_protocol::failure::{Category, Failure, Ran};
use tortoise_protocol::frame::{FLAG_ASYNC, FLAG_BIG_INTEGERS, FLAG_RELEASES, Header, Kind, finish};
use tortoise_protocol::request::read_releases;

use crate::answer::Answer;
use crate::conversation::{CANCELLED, End, Levels};
use crate::dispatch::State;
use crate::failure::{Fault, of_exception};
use crate::from_wire::Request;
use crate::gil::Busy;

impl State {
    /// Whether a frame that has come outside of any callback is a request, which is being done from now on. False: it is an
    /// answer that nobody waits for any more.
    ///
    /// # Errors
    /// The inner one is [`Malformed`]: the client lost count.
    #[inline]
    pub(crate) fn accept(&self, py: Python<'_>, header: Header) -> Result<Result<bool, Malformed>, Busy> {
        let mut levels = self.conversation.levels.borrow(py)?;
        Ok(match Self::admit(&mut levels, header) {
            Ok(true) if header.kind.is_answered() => {
                levels.enter_call(header.call);
                self.conversation.waiting.wake(py);
                Ok(true)
            }
            admitted => admitted,
        })
    }

    /// As [`Self::accept`], but the request is not being done yet.
    ///
    /// # Errors
    /// [`Malformed`]: the client lost count.
    #[inline(always)]
    pub(crate) fn admit(levels: &mut Levels, header: Header) -> Result<bool, Malformed> {
        match header.kind {
            Kind::Release | Kind::EndRequest | Kind::Cancel => Ok(true),
            Kind::Returned | Kind::Threw if levels.is_given_up(header.call) => Ok(false),
            Kind::Returned | Kind::Threw => {
                let found = "the answer to no callback";
                Err(Malformed::Unexpected { expected: "a request", found })
            }
            _ => levels.count(header.call).map(|()| true),
        }
    }

    /// Does a request that has been entered. Leaves in `answer` the frame that answers, or nothing where nothing is to be
    /// answered.
    ///
    /// # Errors
    /// Why the conversation is over. `answer` then holds what the client is to be told of that, if anything.
    pub(crate) fn answer(
        &self,
        py: Python<'_>,
        header: Header,
        mut request: Request<'_>,
        answer: &mut Answer,
    ) -> Result<(), End> {
        let handled = catch_unwind(AssertUnwindSafe(|| self.try_answer(py, header, &mut request, answer)));
        drop(request);
        let handled = handled.unwrap_or_else(|_| {
            Err(give_up(format!("the session failed at a {:?} request", header.kind), header.call, answer))
        });
        self.drop_doomed(py);
        if header.kind.is_answered() && !self.conversation.leave_call(py, header.call, !answer.frame.is_empty())? {
            answer.take_back(py, self);
            return self.conversation.end(py)?.map_or(Ok(()), Err);
        }
        handled
    }

    fn try_answer(
        &self,
        py: Python<'_>,
        header: Header,
        request: &mut Request<'_>,
        answer: &mut Answer,
    ) -> Result<(), End> {
        let fault = match self.request(py, header, request, answer) {
            Ok(None) => {
                answer.clear();
                return Ok(());
            }
            Ok(Some(kind)) => match answer.finish(py, self, Header::new(kind, header.call)) {
                Ok(()) => return Ok(()),
                Err(too_large) => {
                    Fault::Told(Box::new(Failure::new(Category::Conversion, Ran::Yes, too_large.to_string())))
                }
            },
            Err(fault) => fault,
        };
        // What PHP sent with a call that is not made, it has sent.
        self.pass_over(py, &mut request.reader);
        self.write_fault(py, header.call, fault, answer)
    }

    /// Leaves in `answer` the frame by which the client is told what went wrong.
    ///
    /// # Errors
    /// As [`Self::answer`].
    pub(crate) fn write_fault(&self, py: Python<'_>, call: u64, fault: Fault, answer: &mut Answer) -> Result<(), End> {
        answer.take_back(py, self);
        let failure = match fault {
            Fault::Malformed(malformed) => return Err(give_up(malformed.to_string(), call, answer)),
            Fault::Lost(error @ ChannelError::SegmentsTooShort { .. }) => {
                return Err(give_up(error.to_string(), call, answer));
            }
            Fault::Lost(error) => return Err(error.into()),
            Fault::Told(failure) => *failure,
            Fault::Raised(error) => match self.conversion_failure(py, &error) {
                Some(failure) => failure,
                None => of_exception(py, error, self, answer)
                    .unwrap_or_else(|busy| Failure::new(Category::Access, Ran::Yes, busy.to_string())),
            },
        };
        answer.begin();
        failure.write(&mut answer.frame);
        let written = answer.finish(py, self, Header::new(Kind::Failure, call));
        written.map_err(|error| give_up(error.to_string(), call, answer))
    }

    /// None for a request that is not answered.
    fn request(
        &self,
        py: Python<'_>,
        header: Header,
        request: &mut Request<'_>,
        answer: &mut Answer,
    ) -> Result<Option<Kind>, Fault> {
        if header.flags & FLAG_RELEASES != 0 {
            let mut table = self.table.borrow(py)?;
            read_releases(&mut request.reader, |id, count| table.release(id, count))?;
            drop(table);
            self.drop_doomed(py);
        }
        let takes_big_integers = header.flags & FLAG_BIG_INTEGERS != 0;
        match header.kind {
            Kind::Release => {}
            Kind::EndRequest => {
                if self.conversation.is_shared() {
                    self.end_coroutines(py)?;
                }
                self.end_request(py)?;
                self.end_php_request(py)?;
                self.conversation.is_ending.store(false, Ordering::Relaxed);
            }
            Kind::Cancel => {
                let call = request.reader.unsigned("a call id")?;
                self.cancel(py, call)?;
            }
            _ if header.flags & CANCELLED != 0 => return Err(self.cancelled(py).into()),
            kind => {
                answer.is_async = header.flags & FLAG_ASYNC != 0;
                answer.takes_big_integers = takes_big_integers;
                self.conversation.takes_big_integers.store(takes_big_integers, Ordering::Relaxed);
                answer.begin();
                let kind = self.handle(py, kind, request, answer)?;
                if answer.coroutine.is_none() {
                    return Ok(Some(kind));
                }
                return self.begin_coroutine(py, header.call, answer).map(|()| None);
            }
        }
        request.end()?;
        Ok(None)
    }

    /// Drops what the client has let go of, which may run `__del__`.
    pub(crate) fn drop_doomed(&self, py: Python<'_>) {
        if self.php.has_gone.load(Ordering::Relaxed) {
            self.drop_gone(py);
        }
        let doomed = match self.table.borrow(py) {
            Ok(mut table) if table.has_doomed() => table.doomed(),
            _ => return,
        };
        drop(doomed);
    }
}

/// Tells the client that the connection is of no use any more.
pub(crate) fn give_up(reason: String, call: u64, answer: &mut Answer) -> End {
    answer.clear();
    let failure = Failure::new(Category::Protocol, Ran::No, reason.as_str());
    answer.begin();
    failure.write(&mut answer.frame);
    // A short text always fits a frame.
    if finish(&mut answer.frame, Header::new(Kind::Failure, call)).is_err() {
        answer.clear();
    }
    End::Broken(reason)
}
