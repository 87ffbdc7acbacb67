//! The loop of a session: receive a request, do it, send the answer.

use std::os::fd::{AsRawFd, OwnedFd};
use std::process;
use std::sync::Arc;

use pyo3::prelude::*;
use tortoise_channel::{Channel, ChannelError};
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
use crate::spinning;

/// Whose process a session runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Process {
    /// Its own.
    Own,
    /// That of other sessions too.
    Shared,
}

/// Serves a client until it leaves. What comes back is why the connection had to be closed, if it had to.
/// User code's exceptions go to the client.
pub(crate) fn serve(
    py: Python<'_>,
    client: OwnedFd,
    hooks: Hooks,
    shared_memory: bool,
    process: Process,
) -> Option<String> {
    callback::is_sessions_own();
    let socket = client.as_raw_fd();
    let mut channel = Channel::over_socket(client);
    channel.set_spin_policy(spinning::policy());
    let welcome = welcome(&hooks.version);
    let greeted =
        py.detach(|| if shared_memory { channel.send_first(&welcome).map(drop) } else { channel.send(&welcome) });
    let end = match greeted.and_then(|()| Conversation::new(channel)) {
        Ok(conversation) => {
            let state = State::new(py, hooks, conversation);
            let _inside = match process {
                Process::Own => {
                    sessions::is_sole(&state);
                    None
                }
                Process::Shared => Some(Inside::of(Arc::downgrade(&state))),
            };
            let mut farewell = Answer::default();
            let end = run(py, &state, &mut farewell);
            let end = state.conversation.finish(py, end, &mut farewell).unwrap_or_else(End::from);
            state.forget(py);
            if process == Process::Shared {
                fork::forget(py, socket);
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
fn run(py: Python<'_>, state: &State, answer: &mut Answer) -> End {
    let mut payload = Vec::new();
    loop {
        let handled = next(py, state, &mut payload, answer);
        fork::end_if_forked();
        if let Err(end) = handled {
            return end;
        }
        payload.clear();
        payload.shrink_to(KEPT_BUFFER_BYTES);
    }
}

/// Sends the last answer, and does what the client asks next.
fn next(py: Python<'_>, state: &State, payload: &mut Vec<u8>, answer: &mut Answer) -> Result<(), End> {
    let conversation = &state.conversation;
    if conversation.is_shared() || !conversation.kept.borrow(py)?.is_empty() {
        if !answer.frame.is_empty() {
            conversation.send(py, answer)??;
        }
        wait_for_callbacks(py, state)?;
        if !conversation.kept.borrow(py)?.is_empty() {
            return next_kept(py, state, answer);
        }
    }
    let (header, channel) = match conversation.exchange(py, answer, payload)? {
        Ok(Some(received)) => received,
        // A coroutine had something to say.
        Ok(None) => return Ok(()),
        Err(ChannelError::Malformed(malformed)) => {
            return Err(give_up(malformed.to_string(), 0, answer));
        }
        Err(error) => return Err(error.into()),
    };
    if header.flags & FLAG_ASYNC != 0 || conversation.is_shared() {
        return keep(py, state, header, channel, std::mem::take(payload), answer);
    }
    match state.accept(py, header)? {
        Ok(true) => state.answer(py, header, Request::of_channel(payload, channel), answer),
        Ok(false) => Ok(()),
        Err(malformed) => Err(give_up(malformed.to_string(), header.call, answer)),
    }
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
fn next_kept(py: Python<'_>, state: &State, answer: &mut Answer) -> Result<(), End> {
    let conversation = &state.conversation;
    read_ahead(py, state, answer)?;
    let mut levels = conversation.levels.borrow(py)?;
    if !levels.is_idle() {
        return Ok(());
    }
    let Some(frame) = conversation.kept.borrow(py)?.pop() else { return Ok(()) };
    if frame.header.kind.is_answered() {
        levels.enter_call(frame.header.call);
        conversation.waiting.wake(py);
    }
    drop(levels);
    state.answer(py, frame.header, Request::of_kept(&frame), answer)
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
