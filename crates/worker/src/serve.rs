//! The loop of a session: receive a request, do it, send the answer; and between two requests of PHP, see whether to leave.

use std::os::fd::{AsRawFd, OwnedFd};
use std::process;
use std::sync::Arc;

use pyo3::prelude::*;
use tortoise_channel::{Activity, Channel, ChannelError};
use tortoise_protocol::frame::{FLAG_ASYNC, FLAG_RELEASES, HEADER_BYTES, Header, Kind, finish};
use tortoise_protocol::handshake::Welcome;
use tortoise_protocol::limits::MAX_FRAME_BYTES;
use tortoise_protocol::request::read_releases;
use tortoise_protocol::{PRODUCT_VERSION, Reader};

use crate::answer::{Answer, KEPT_BUFFER_BYTES};
use crate::callback;
use crate::conversation::{Conversation, End, Held};
use crate::dispatch::State;
use crate::fork;
use crate::from_wire::Request;
use crate::hooks::Hooks;
use crate::requests::give_up;
use crate::sessions::{self, Inside};
use crate::signs::Signs;
use crate::spinning;
use crate::tenure::{Bounds, Tenure};
use crate::thread;

/// Whose process a session runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Process {
    /// Its own.
    Own,
    /// That of other sessions too.
    Shared,
}

/// What came of one frame.
enum Done {
    /// Nothing was done.
    Nothing,
    /// A request that is not answered.
    Notice,
    /// A call.
    Call,
    /// PHP's request is over.
    EndRequest,
}

/// How a session is served.
pub(crate) struct Service {
    /// Whose process it runs in.
    pub(crate) process: Process,
    /// Whether the client takes shared memory.
    pub(crate) shared_memory: bool,
    /// When the session leaves of its own accord.
    pub(crate) bounds: Bounds,
    /// Whether it is asked before each request if files have changed that it has loaded.
    pub(crate) looks_for_changes: bool,
}

/// Serves a client until it leaves, or the session does. What comes back is why the connection had to be closed, if it had to.
/// User code's exceptions go to the client.
pub(crate) fn serve(
    py: Python<'_>,
    client: OwnedFd,
    signs: Arc<Signs>,
    hooks: Hooks,
    service: &Service,
) -> Option<String> {
    callback::is_sessions_own();
    let socket = client.as_raw_fd();
    let mut channel = Channel::over_socket(client);
    channel.set_spin_policy(spinning::policy());
    let welcome = welcome(&hooks.version);
    let greeted = py
        .detach(|| if service.shared_memory { channel.send_first(&welcome).map(drop) } else { channel.send(&welcome) });
    let end = match greeted {
        Ok(()) => {
            let slot = signs.slot;
            let state = State::new(py, hooks, Conversation::new(channel, signs));
            let _inside = match service.process {
                Process::Own => {
                    sessions::is_sole(&state);
                    None
                }
                Process::Shared => Some(Inside::of(Arc::downgrade(&state))),
            };
            let mut farewell = Answer::default();
            let end = run(py, &state, service, &mut farewell);
            slot.turn(Activity::Leaving);
            let end = state.conversation.finish(py, end, &mut farewell).unwrap_or_else(End::from);
            state.forget(py);
            if service.process == Process::Shared {
                fork::forget(py, socket);
                thread::forget_interrupt(py);
            }
            end
        }
        Err(error) => error.into(),
    };
    match end {
        End::Gone => None,
        End::Broken(reason) => Some(reason),
    }
}

/// What comes back is why it is over; `answer` then holds the client's last word.
fn run(py: Python<'_>, state: &State, service: &Service, answer: &mut Answer) -> End {
    let signs = &*state.conversation.signs;
    let mut tenure = Tenure::new(signs.slot, service.bounds);
    let mut payload = Vec::new();
    loop {
        if !tenure.is_in_request()
            && let Err(end) = await_request(py, state, service, answer)
        {
            return end;
        }
        let done = next(py, state, &mut tenure, &mut payload, answer);
        fork::end_if_forked();
        signs.rest();
        match done {
            Ok(Done::Call) => signs.slot.step(),
            Ok(Done::EndRequest) if tenure.end_request() => {
                signs.tell_zygote("recycled");
                signs.retire();
            }
            Ok(_) => {}
            Err(end) => {
                if signs.slot.steps() % 2 == 1 {
                    signs.slot.step();
                }
                return end;
            }
        }
        payload.clear();
        payload.shrink_to(KEPT_BUFFER_BYTES);
    }
}

/// Waits for the next request of PHP, or at least something from it.
///
/// # Errors
/// Why the session is over: it may have left.
fn await_request(py: Python<'_>, state: &State, service: &Service, answer: &Answer) -> Result<(), End> {
    let conversation = &state.conversation;
    while answer.frame.is_empty() && conversation.kept.borrow(py)?.is_empty() {
        if conversation.signs.is_retiring() {
            return Err(retire(py, state)?);
        }
        if conversation.is_shared() {
            // Whoever waits there has an ear for the bell too.
            return Ok(());
        }
        if conversation.await_frame(py)?? {
            let has_changed = service.looks_for_changes && state.hooks.has_changed(py);
            if has_changed && service.process == Process::Shared {
                // What is loaded is loaded for all sessions of the process.
                conversation.signs.tell_zygote("recycled");
            }
            return if has_changed { Err(retire(py, state)?) } else { Ok(()) };
        }
    }
    Ok(())
}

/// Leaves: nothing is going on.
#[cold]
fn retire(py: Python<'_>, state: &State) -> Result<End, End> {
    state.conversation.signs.slot.turn(Activity::Leaving);
    state.conversation.retire(py)?;
    Ok(End::Gone)
}

/// Sends the last answer, and does what the client asks next.
fn next(
    py: Python<'_>,
    state: &State,
    tenure: &mut Tenure,
    payload: &mut Vec<u8>,
    answer: &mut Answer,
) -> Result<Done, End> {
    let conversation = &state.conversation;
    if conversation.is_shared() || !conversation.kept.borrow(py)?.is_empty() {
        if !answer.frame.is_empty() {
            conversation.send(py, answer)??;
        }
        wait_for_callbacks(py, state)?;
        if !conversation.kept.borrow(py)?.is_empty() {
            return next_kept(py, state, tenure, answer);
        }
    }
    let (header, channel) = match conversation.exchange(py, answer, payload)? {
        Ok(Some(received)) => received,
        // A coroutine had something to say.
        Ok(None) => return Ok(Done::Nothing),
        Err(ChannelError::Malformed(malformed)) => {
            return Err(give_up(malformed.to_string(), 0, answer));
        }
        Err(error) => return Err(error.into()),
    };
    if header.flags & FLAG_ASYNC != 0 || conversation.is_shared() {
        return keep(py, state, header, channel, std::mem::take(payload), answer).map(|()| Done::Nothing);
    }
    match state.accept(py, header)? {
        Ok(true) => perform(py, state, tenure, header, Request::of_channel(payload, channel), answer),
        Ok(false) => Ok(Done::Nothing),
        Err(malformed) => Err(give_up(malformed.to_string(), header.call, answer)),
    }
}

/// Does a request that has been entered, with an eye on how long the session serves.
#[inline(always)]
fn perform(
    py: Python<'_>,
    state: &State,
    tenure: &mut Tenure,
    header: Header,
    request: Request<'_>,
    answer: &mut Answer,
) -> Result<Done, End> {
    let signs = &*state.conversation.signs;
    if header.kind.is_answered() {
        signs.begin();
        tenure.enter_request();
        signs.slot.step();
        state.answer(py, header, request, answer)?;
        return Ok(Done::Call);
    }
    signs.begin_unawaited();
    state.answer(py, header, request, answer)?;
    Ok(if header.kind == Kind::EndRequest { Done::EndRequest } else { Done::Notice })
}

/// Keeps a request: a coroutine may have begun a callback, which comes first; and the request may be cancelled already by what
/// comes behind it.
#[cold]
fn keep(
    py: Python<'_>,
    state: &State,
    header: Header,
    held: Held<'_>,
    payload: Vec<u8>,
    answer: &mut Answer,
) -> Result<(), End> {
    let admitted = State::admit(&mut *state.conversation.levels.borrow(py)?, header);
    match admitted {
        Ok(true) => {}
        Ok(false) => return Ok(()),
        Err(malformed) => return Err(give_up(malformed.to_string(), header.call, answer)),
    }
    if header.kind == Kind::Cancel
        && let Some(call) = cancelled(header, &payload)
    {
        state.conversation.kept.borrow(py)?.cancel(call);
    }
    state.keep(py, header, held, payload, answer)
}

/// Does what has waited the longest, unless a coroutine calls PHP.
#[cold]
fn next_kept(py: Python<'_>, state: &State, tenure: &mut Tenure, answer: &mut Answer) -> Result<Done, End> {
    let conversation = &state.conversation;
    read_ahead(py, state, answer)?;
    let mut levels = conversation.levels.borrow(py)?;
    if !levels.is_idle() {
        return Ok(Done::Nothing);
    }
    let Some(frame) = conversation.kept.borrow(py)?.pop() else { return Ok(Done::Nothing) };
    if frame.header.kind.is_answered() {
        levels.enter_call(frame.header.call);
        conversation.waiting.wake(py);
    }
    drop(levels);
    perform(py, state, tenure, frame.header, Request::of_kept(&frame), answer)
}

/// Waits until coroutines that call PHP are done with that.
fn wait_for_callbacks(py: Python<'_>, state: &State) -> Result<(), End> {
    while !state.conversation.levels.borrow(py)?.is_idle() {
        state.conversation.waiting.wait(py, None);
    }
    Ok(())
}

/// Reads what the client has sent behind requests that wait: it may cancel them.
fn read_ahead(py: Python<'_>, state: &State, answer: &mut Answer) -> Result<(), End> {
    loop {
        let Some(mut held) = state.conversation.hold_last(py)? else { return Ok(()) };
        // What comes in a callback is for who made it.
        if !state.conversation.levels.borrow(py)?.is_idle() || !held.has_frame()? {
            return Ok(());
        }
        let mut payload = Vec::new();
        let channel = &mut *held;
        let header = match py.detach(|| channel.receive(&mut payload, MAX_FRAME_BYTES)) {
            Ok(header) => header,
            Err(ChannelError::Malformed(malformed)) => return Err(give_up(malformed.to_string(), 0, answer)),
            Err(error) => return Err(error.into()),
        };
        if state.conversation.levels.borrow(py)?.came() {
            state.conversation.waiting.wake(py);
        }
        keep(py, state, header, held, payload, answer)?;
    }
}

/// The call that a `Cancel` is about. What makes no sense is found when the frame's turn comes.
fn cancelled(header: Header, payload: &[u8]) -> Option<u64> {
    let mut reader = Reader::new(payload);
    if header.flags & FLAG_RELEASES != 0 {
        read_releases(&mut reader, |_, _| {}).ok()?;
    }
    reader.unsigned("a call id").ok()
}

fn welcome(python: &str) -> Vec<u8> {
    let mut frame = vec![0; HEADER_BYTES];
    let welcome =
        Welcome { product: PRODUCT_VERSION.to_owned(), process: u64::from(process::id()), python: python.to_owned() };
    welcome.write(&mut frame);
    // Three short texts always fit a frame.
    if finish(&mut frame, Header::new(Kind::Welcome, 0)).is_err() {
        frame.clear();
    }
    frame
}
