//! Asks PHP for something, in the middle of a call of PHP's, and does what PHP asks meanwhile.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use pyo3::exceptions::{PyRecursionError, PyRuntimeError, PyTimeoutError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyInt;
use tortoise_channel::ChannelError;
use tortoise_protocol::frame::{FLAG_RELEASES, Header, Kind};
use tortoise_protocol::limits::MAX_CALLBACK_DEPTH;
use tortoise_protocol::request::{read_releases, write_releases};
use tortoise_protocol::{Depth, Malformed, Reader, Writer};

use crate::answer::{Answer, KEPT_BUFFER_BYTES};
use crate::conversation::{End, Held, KeptFrame, Received, Turn};
use crate::coroutines;
use crate::dispatch::State;
use crate::failure::Fault;
use crate::fork;
use crate::from_wire::{Converting, Decoder, Request};
use crate::gil::Busy;
use crate::path::Root;
use crate::php::read_half;
use crate::requests::give_up;
use crate::stack;

/// How long a callback waits for PHP to wait, or for its turn.
const CALLBACK_PATIENCE: Duration = Duration::from_secs(60);

/// Rooms that are kept. Each level of callbacks needs one.
const MAX_ROOMS: usize = 16;

/// The number of the next thread that is not the session's own.
static NEXT_THREAD: AtomicU32 = AtomicU32::new(1);

thread_local! {
    /// The number of this thread, once it has one. The session's own is 0.
    static THREAD: Cell<Option<u32>> = const { Cell::new(None) };

    /// How many calls this thread does that were made in callbacks of its own.
    static NESTED: Cell<u32> = const { Cell::new(0) };
}

/// What a callback needs to write and to read.
#[derive(Default)]
pub(crate) struct Room {
    frame: Answer,
    payload: Vec<u8>,
}

/// This thread is the session's own: it reads what PHP asks outside of any callback.
pub(crate) fn is_sessions_own() {
    THREAD.set(Some(0));
}

fn thread() -> u32 {
    THREAD.get().unwrap_or_else(|| {
        let number = NEXT_THREAD.fetch_add(1, Ordering::Relaxed);
        THREAD.set(Some(number));
        number
    })
}

/// What came out of one frame.
enum Step<'py> {
    /// The callback's answer.
    Done(PyResult<Bound<'py, PyAny>>),
    /// There is more to come.
    Further,
}

impl State {
    /// Asks PHP for something, and waits for the answer. `write` appends the payload; `request` is the number of PHP's
    /// request that the thing is of.
    ///
    /// # Errors
    /// What PHP threw; RequestOver if PHP does not listen any more, TimeoutError if it does not wait for too long,
    /// RecursionError if too many callbacks are under way, RuntimeError where this thread cannot ask now, and what `write`
    /// raises.
    pub(crate) fn call_back<'py>(
        &self,
        py: Python<'py>,
        kind: Kind,
        request: u64,
        write: impl FnOnce(&mut Answer) -> PyResult<()>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if fork::is_forked() {
            return Err(PyRuntimeError::new_err("PHP cannot be called from a process that was forked off its session"));
        }
        if Converting::is_under_way() {
            return Err(PyRuntimeError::new_err(
                "PHP cannot be called while a value of its own is being read, by a destructor for example",
            ));
        }
        if stack::is_nearly_used_up() {
            return Err(PyRecursionError::new_err(
                "this thread has too little of its stack left to call PHP: calls and callbacks are nested too deep",
            ));
        }
        let mut room = self.rooms.borrow(py)?.pop().unwrap_or_default();
        let outcome = self.ask(py, kind, request, write, &mut room);
        room.frame.clear();
        room.payload.clear();
        room.payload.shrink_to(KEPT_BUFFER_BYTES);
        let mut rooms = self.rooms.borrow(py)?;
        if rooms.len() < MAX_ROOMS {
            rooms.push(room);
        }
        outcome
    }

    fn ask<'py>(
        &self,
        py: Python<'py>,
        kind: Kind,
        request: u64,
        write: impl FnOnce(&mut Answer) -> PyResult<()>,
        room: &mut Room,
    ) -> PyResult<Bound<'py, PyAny>> {
        let frame = &mut room.frame;
        frame.takes_big_integers = self.conversation.takes_big_integers.load(Ordering::Relaxed);
        frame.begin();
        let begun = write(frame).and_then(|()| self.begin_callback(py, request));
        let (id, parent) = begun.inspect_err(|_| frame.take_back(py, self))?;
        let header = Header { parent, thread: thread(), ..Header::new(kind, id) };
        let _blocked = self.coroutines.block_if_on_loop();
        let outcome = match frame.finish(py, self, header) {
            Ok(()) => self.converse(py, kind, id, room),
            Err(too_large) => {
                frame.take_back(py, self);
                Err(PyValueError::new_err(too_large.to_string()))
            }
        };
        self.conversation.levels.borrow(py)?.end_callback(id);
        self.conversation.waiting.wake(py);
        self.drop_doomed(py);
        outcome
    }

    /// Waits for the turn of a callback. Its id, and that of the call it is in.
    fn begin_callback(&self, py: Python<'_>, request: u64) -> PyResult<(u64, u64)> {
        let mut deadline = None;
        loop {
            if self.conversation.end(py)?.is_some() || self.php.request() != request {
                return Err(self.over(py));
            }
            let is_ending = self.conversation.is_ending.load(Ordering::Relaxed);
            if is_ending && coroutines::is_on_loop() {
                // The end waits for coroutines.
                return Err(self.over(py));
            }
            let turn = if is_ending {
                Turn::NotYet { is_waiting: false }
            } else {
                self.conversation.levels.borrow(py)?.begin_callback()
            };
            match turn {
                Turn::Begun { id, parent } => {
                    // An answer may wait for threads like this one to have had their turn.
                    self.conversation.waiting.wake(py);
                    return Ok((id, parent));
                }
                Turn::TooDeep => {
                    return Err(PyRecursionError::new_err(format!(
                        "too deep: {MAX_CALLBACK_DEPTH} callbacks of PHP are under way, each inside another; is there an end to them?"
                    )));
                }
                // Before PHP makes another call, what this thread is at must be done.
                Turn::NotYet { is_waiting: false } if thread() == 0 || NESTED.get() > 0 => {
                    if is_ending {
                        return Err(self.over(py));
                    }
                    let message = "PHP is not waiting for Python, so it cannot be called here";
                    return Err(PyErr::from_type(self.hooks.php_over.bind(py).clone(), message));
                }
                Turn::NotYet { .. } => {}
            }
            let deadline = *deadline.get_or_insert_with(|| Instant::now() + CALLBACK_PATIENCE);
            if !self.conversation.wait_for_turn(py, deadline) {
                return Err(PyTimeoutError::new_err(format!(
                    "PHP was not waiting for Python for {} s, so it could not be called back",
                    CALLBACK_PATIENCE.as_secs()
                )));
            }
            py.check_signals()?;
        }
    }

    /// Sends what stands in the room, and reads until the callback has its answer.
    fn converse<'py>(&self, py: Python<'py>, kind: Kind, id: u64, room: &mut Room) -> PyResult<Bound<'py, PyAny>> {
        let Room { frame, payload } = room;
        let mut has_asked = false;
        loop {
            self.wait_for_those_above(py, id)?;
            if !self.conversation.levels.borrow(py)?.is_on_top(id) {
                // The answer to a call in this callback is due all the same, where there is somebody to hear it.
                if has_asked && !frame.frame.is_empty() && self.conversation.end(py)?.is_none() {
                    let sent = self.conversation.send(py, frame)?;
                    if let Err(error) = sent {
                        return Err(self.end_conversation(py, error.into(), frame));
                    }
                }
                frame.take_back(py, self);
                return Err(self.over(py));
            }
            has_asked = true;
            let kept = self.conversation.kept.borrow(py)?.pop_of(id);
            if let Some(kept) = kept {
                if !frame.frame.is_empty()
                    && let Err(error) = self.conversation.send(py, frame)?
                {
                    return Err(self.end_conversation(py, error.into(), frame));
                }
                if let Err(end) = self.do_nested(py, kept.header, Request::of_kept(&kept), frame) {
                    return Err(self.end_conversation(py, end, frame));
                }
                continue;
            }
            let (header, channel) = match self.await_php(py, frame, payload)? {
                Ok(Some(received)) => received,
                Ok(None) => continue,
                Err(ChannelError::Malformed(malformed)) => {
                    let end = give_up(malformed.to_string(), 0, frame);
                    return Err(self.end_conversation(py, end, frame));
                }
                Err(error) => return Err(self.end_conversation(py, error.into(), frame)),
            };
            let step = self.step(py, (kind, id), header, channel, payload, frame);
            fork::end_if_forked();
            match step {
                Ok(Step::Done(outcome)) => return outcome,
                Ok(Step::Further) => {}
                Err(end) => return Err(self.end_conversation(py, end, frame)),
            }
        }
    }

    /// Sends what there is, and waits for what PHP sends.
    fn await_php<'a>(
        &'a self,
        py: Python<'a>,
        frame: &mut Answer,
        payload: &mut Vec<u8>,
    ) -> Result<Received<'a>, Busy> {
        if thread() != 0 {
            return self.conversation.exchange(py, frame, payload);
        }
        // If PHP goes now, this is what tells of it, and no interrupt.
        self.conversation.signs.rest();
        let received = self.conversation.exchange(py, frame, payload);
        self.conversation.signs.begin();
        received
    }

    /// Waits for callbacks of coroutines that were called in this one.
    fn wait_for_those_above(&self, py: Python<'_>, id: u64) -> PyResult<()> {
        if self.conversation.is_shared() {
            loop {
                let levels = self.conversation.levels.borrow(py)?;
                if levels.is_on_top(id) || !levels.is_under_way(id) {
                    break;
                }
                drop(levels);
                self.conversation.waiting.wait(py, None);
            }
        }
        Ok(())
    }

    /// Does what one frame asks for. An answer to it stands in `frame` then.
    fn step<'py>(
        &self,
        py: Python<'py>,
        (asked, id): (Kind, u64),
        mut header: Header,
        channel: Held<'_>,
        payload: &mut Vec<u8>,
        frame: &mut Answer,
    ) -> Result<Step<'py>, End> {
        let call = header.call;
        let refused = |malformed: Malformed, frame: &mut Answer| give_up(malformed.to_string(), call, frame);
        match header.kind {
            Kind::Returned | Kind::Threw if header.call == id && self.conversation.levels.borrow(py)?.is_on_top(id) => {
                let mut request = Request::of_channel(payload, channel);
                let released = self.take_releases(py, &mut header, &mut request.reader);
                let read = released.and_then(|()| self.outcome(py, asked, header.kind, &mut request));
                return match read {
                    Ok(outcome) => Ok(Step::Done(outcome)),
                    Err(Fault::Malformed(malformed)) => Err(refused(malformed, frame)),
                    Err(Fault::Lost(error @ ChannelError::SegmentsTooShort { .. })) => {
                        Err(give_up(error.to_string(), header.call, frame))
                    }
                    Err(Fault::Lost(error)) => Err(error.into()),
                    Err(Fault::Raised(error)) => Ok(Step::Done(Err(error))),
                    Err(Fault::Told(failure)) => Ok(Step::Done(Err(PyValueError::new_err(failure.message)))),
                };
            }
            Kind::Returned | Kind::Threw => {
                if self.conversation.levels.borrow(py)?.is_given_up(header.call) {
                    return Ok(Step::Further);
                }
                let found = "one to another";
                return Err(refused(
                    Malformed::Unexpected { expected: "the answer to the last callback", found },
                    frame,
                ));
            }
            Kind::Release | Kind::EndRequest | Kind::Cancel => {}
            _ => {
                let counted = self.conversation.levels.borrow(py)?.count(header.call);
                counted.map_err(|malformed| refused(malformed, frame))?;
            }
        }
        let is_ours = header.parent == id && self.conversation.levels.borrow(py)?.is_on_top(id);
        if !is_ours && header.kind.is_answered() || header.kind == Kind::EndRequest {
            self.keep(py, header, channel, std::mem::take(payload), frame)?;
            return Ok(Step::Further);
        }
        self.do_nested(py, header, Request::of_channel(payload, channel), frame).map(|()| Step::Further)
    }

    /// Does a request that was made in a callback of this thread.
    fn do_nested(
        &self,
        py: Python<'_>,
        mut header: Header,
        mut request: Request<'_>,
        frame: &mut Answer,
    ) -> Result<(), End> {
        match self.take_releases(py, &mut header, &mut request.reader) {
            Ok(()) => {}
            Err(Fault::Malformed(malformed)) => return Err(give_up(malformed.to_string(), header.call, frame)),
            Err(_) => return Err(Busy.into()),
        }
        if header.kind == Kind::Release {
            return request.end().map_err(|malformed| give_up(malformed.to_string(), header.call, frame));
        }
        if header.kind.is_answered() {
            self.conversation.enter_call(py, header.call)?;
        }
        self.drop_doomed(py);
        NESTED.set(NESTED.get() + 1);
        let answered = self.answer(py, header, request, frame);
        NESTED.set(NESTED.get() - 1);
        answered
    }

    /// Takes the releases in front of a frame. What they let go of is dropped when the callback is over, or in a call in it:
    /// until then whatever runs in a destructor could not call PHP.
    fn take_releases(&self, py: Python<'_>, header: &mut Header, reader: &mut Reader<'_>) -> Result<(), Fault> {
        if header.flags & FLAG_RELEASES == 0 {
            return Ok(());
        }
        header.flags &= !FLAG_RELEASES;
        if !self.conversation.kept.borrow(py)?.is_empty() {
            // What waits may still use what is let go of here.
            let later = later_releases(reader)?;
            return Ok(self.conversation.kept.borrow(py)?.push(later)?);
        }
        let mut table = self.table.borrow(py)?;
        Ok(read_releases(reader, |id, count| table.release(id, count))?)
    }

    /// What a callback came to.
    fn outcome<'py>(
        &self,
        py: Python<'py>,
        asked: Kind,
        kind: Kind,
        request: &mut Request<'_>,
    ) -> Result<PyResult<Bound<'py, PyAny>>, Fault> {
        let outcome = if kind == Kind::Returned && asked == Kind::PhpHalve {
            Ok(PyInt::new(py, read_half(&mut request.reader)?).into_any())
        } else if kind == Kind::Returned {
            let value = Decoder::new(py, request, self).value(Depth::ROOT);
            Ok(value.map_err(|error| Fault::unreadable(*error, || Root::ReturnValue))?)
        } else {
            Err(self.thrown(py, request)?)
        };
        request.end()?;
        Ok(outcome)
    }

    /// Keeps a request until what is under way is done.
    ///
    /// # Errors
    /// Why the conversation is over. `frame` then holds what the client is to be told of that, if anything.
    pub(crate) fn keep(
        &self,
        py: Python<'_>,
        header: Header,
        mut channel: Held<'_>,
        payload: Vec<u8>,
        frame: &mut Answer,
    ) -> Result<(), End> {
        let source = &mut *channel;
        let kept = py.detach(|| KeptFrame::take(header, payload, source))?;
        drop(channel);
        let pushed = self.conversation.kept.borrow(py)?.push(kept);
        pushed.map_err(|malformed| give_up(malformed.to_string(), header.call, frame))?;
        if header.kind == Kind::EndRequest {
            self.conversation.is_ending.store(true, Ordering::Relaxed);
            self.end_php_request(py)?;
        }
        Ok(())
    }

    /// Ends the conversation, and gives what the callback raises.
    fn end_conversation(&self, py: Python<'_>, end: End, frame: &mut Answer) -> PyErr {
        match self.conversation.finish(py, end, frame) {
            Ok(_) => self.over(py),
            Err(busy) => busy.into(),
        }
    }

    /// PHP's request is over: its objects are none any more, and what waits for it does so in vain.
    pub(crate) fn end_php_request(&self, py: Python<'_>) -> Result<(), Busy> {
        let mut levels = self.conversation.levels.borrow(py)?;
        levels.end_request();
        levels.end_tasks();
        drop(levels);
        self.php.end_request(py)?;
        self.conversation.waiting.wake(py);
        Ok(())
    }

    /// What is raised where PHP does not listen any more.
    pub(crate) fn over(&self, py: Python<'_>) -> PyErr {
        let message = match self.conversation.end(py) {
            Ok(Some(End::Gone)) => "PHP has gone".to_owned(),
            Ok(Some(End::Broken(reason))) => format!("the connection to PHP is broken: {reason}"),
            _ => "PHP's request is over, and so is the life of its objects".to_owned(),
        };
        PyErr::from_type(self.hooks.php_over.bind(py).clone(), message)
    }
}

/// The releases in front of a frame, as a frame of their own.
fn later_releases(reader: &mut Reader<'_>) -> Result<KeptFrame, Malformed> {
    let mut releases = Vec::new();
    read_releases(reader, |id, count| releases.push((id, count)))?;
    let mut payload = Vec::new();
    write_releases(&mut Writer::new(&mut payload), &releases);
    let header = Header { flags: FLAG_RELEASES, ..Header::new(Kind::Release, 0) };
    Ok(KeptFrame { header, payload, segments: Vec::new() })
}
