//! The loop of a session: receive a request, do it, send the answer.

use std::os::fd::OwnedFd;
use std::process;
use std::sync::OnceLock;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use tortoise_channel::Channel;
use tortoise_protocol::PRODUCT_VERSION;
use tortoise_protocol::frame::{HEADER_BYTES, Header, Kind, finish};
use tortoise_protocol::handshake::Welcome;

use crate::answer::{Answer, KEPT_BUFFER_BYTES};
use crate::callback;
use crate::conversation::{Conversation, End, KeptFrame};
use crate::dispatch::State;
use crate::fork;
use crate::from_wire::Request;
use crate::hooks::Hooks;
use crate::requests::give_up;
use crate::spinning;

/// The session of this process: there is never more than one.
static SESSION: OnceLock<State> = OnceLock::new();

/// The session.
///
/// # Errors
/// RuntimeError if the process serves nobody.
pub(crate) fn running() -> PyResult<&'static State> {
    SESSION.get().ok_or_else(|| PyRuntimeError::new_err("there is no PHP here: this process serves nobody"))
}

/// Serves a client until it leaves. What comes back is why the connection had to be closed, if it had to.
/// User code's exceptions go to the client.
pub(crate) fn serve(py: Python<'_>, client: OwnedFd, hooks: Hooks, shared_memory: bool) -> Option<String> {
    callback::is_sessions_own();
    let mut channel = Channel::over_socket(client);
    channel.set_spin_policy(spinning::policy());
    let welcome = welcome(&hooks.version);
    let greeted =
        py.detach(|| if shared_memory { channel.send_first(&welcome).map(drop) } else { channel.send(&welcome) });
    let end = match greeted {
        Ok(()) => {
            let state = SESSION.get_or_init(|| State::new(py, hooks, Conversation::new(channel)));
            let mut farewell = Answer::default();
            let end = run(py, state, &mut farewell);
            let end = state.conversation.finish(py, end, &mut farewell).unwrap_or_else(End::from);
            state.forget(py);
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
    if !conversation.kept.borrow(py)?.is_empty() {
        return next_kept(py, state, answer);
    }
    let (header, channel) = match conversation.exchange(py, answer, payload)? {
        Ok(received) => received,
        Err(tortoise_channel::ChannelError::Malformed(malformed)) => {
            return Err(give_up(malformed.to_string(), 0, answer));
        }
        Err(error) => return Err(error.into()),
    };
    match state.accept(py, header)? {
        Ok(true) => state.answer(py, header, Request::of_channel(payload, channel), answer),
        Ok(false) => Ok(()),
        Err(malformed) => Err(give_up(malformed.to_string(), header.call, answer)),
    }
}

/// Sends the last answer, and does what has waited the longest.
#[cold]
fn next_kept(py: Python<'_>, state: &State, answer: &mut Answer) -> Result<(), End> {
    let conversation = &state.conversation;
    if !answer.frame.is_empty() {
        conversation.send(py, answer)??;
    }
    let kept = conversation.kept.borrow(py)?.pop();
    let Some(KeptFrame { header, payload, segments }) = kept else { return Ok(()) };
    if header.kind.is_answered() {
        conversation.enter_call(py, header.call)?;
    }
    state.answer(py, header, Request::of_memory(&payload, &segments), answer)
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
