//! Callbacks: Python asks something of PHP while PHP waits for an answer.
//!
//! The conversation is a stack. While PHP runs a callback, its requests are made in that callback, and are answered before
//! it is; the answer that PHP waited for comes behind it. `tortoise.timeout` counts each stretch in which PHP waits on its own.
//!
//! What runs the callbacks stands above the link ([`serve_callbacks_by`]). PHP code runs meanwhile, so the link is not held.

use std::mem;
use std::sync::OnceLock;

use ext_php_rs::types::Zval;
use tortoise_protocol::Reader;
use tortoise_protocol::failure::Category;
use tortoise_protocol::frame::{FLAG_RELEASES, Header, Kind};
use tortoise_protocol::rebound::Rebound;
use tortoise_protocol::request::read_releases;

use super::state::{Link, forsake, generation, with};
use super::{Buffer, Composed, Outgoing, Reply, lose_if_broken, loss, make_half, pipeline, scopes, stale};
use crate::engine::leave_by;
use crate::error::BridgeError;
use crate::exports;

/// What a wait for an answer came to.
#[derive(Debug)]
pub(super) enum Step<T> {
    /// The answer.
    Done(T),
    /// Python asks something first.
    Asked(Box<Incoming>),
}

/// A callback that came.
#[derive(Debug)]
pub(crate) struct Incoming {
    /// Its header.
    pub(crate) header: Header,
    /// What it says.
    pub(crate) reply: Reply,
}

/// A callback that is under way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Underway {
    callback: u64,
    thread: u32,
    generation: u32,
}

/// Runs a callback and answers it. It is not run if PHP is leaving its request, which the second argument says. If PHP
/// begins to leave in it, by `exit()`, that is given, to be taken up behind the answer that is waited for.
pub(crate) type Serve = fn(Incoming, bool) -> Result<Option<Zval>, BridgeError>;

static SERVE: OnceLock<Serve> = OnceLock::new();

/// Says who runs callbacks, when the module starts.
pub(crate) fn serve_callbacks_by(serve: Serve) {
    SERVE.get_or_init(|| serve);
}

impl<T> Step<T> {
    /// The answer that is waited for over the link of this generation; `again` goes on to wait behind a callback.
    #[inline(always)]
    pub(super) fn then(
        self,
        generation: u32,
        mut again: impl FnMut(&mut Link) -> Result<Self, BridgeError>,
    ) -> Result<T, BridgeError> {
        match self {
            Self::Done(answer) => Ok(answer),
            Self::Asked(incoming) => serve_until(generation, incoming, &mut again),
        }
    }
}

#[cold]
#[inline(never)]
#[expect(clippy::boxed_local, reason = "what is waited for is small where nobody asks")]
fn serve_until<T>(
    wanted: u32,
    mut incoming: Box<Incoming>,
    again: &mut dyn FnMut(&mut Link) -> Result<Step<T>, BridgeError>,
) -> Result<T, BridgeError> {
    let mut leaving = None;
    let result = loop {
        let serve = SERVE.get().ok_or_else(|| BridgeError::Internal("nobody runs callbacks".to_owned()))?;
        match serve(*incoming, leaving.is_some()) {
            Ok(None) => {}
            Ok(left) => leaving = left,
            Err(error) => break Err(error),
        }
        let here = check_generation(wanted).and_then(|()| scopes::follow());
        let step = here.and_then(|()| with(|link| again(link.ok_or_else(stale)?)));
        match step.map_err(lose_if_broken) {
            Ok(Step::Done(answer)) => break Ok(answer),
            Ok(Step::Asked(next)) => incoming = next,
            Err(error) => break Err(error),
        }
    };
    match leaving {
        Some(exit) => {
            leave_by(exit);
            Err(BridgeError::Leaving)
        }
        None => result,
    }
}

/// # Errors
/// Why the link of that generation is not there any more.
fn check_generation(wanted: u32) -> Result<(), BridgeError> {
    if wanted == generation() { Ok(()) } else { Err(loss::of(wanted).unwrap_or_else(stale)) }
}

/// Begins a callback, and says how many are under way with it.
pub(crate) fn enter(incoming: &Incoming) -> (Underway, usize) {
    let Header { call: callback, thread, .. } = incoming.header;
    let depth = with(|link| {
        link.map_or(0, |link| {
            link.flight.enter(callback, thread);
            link.flight.depth()
        })
    });
    (Underway { callback, thread, generation: incoming.reply.generation }, depth)
}

/// Waits for all answers to what was sent in a callback, which its own answer must not overtake.
///
/// # Errors
/// [`BridgeError`]: there is nobody any more to answer to.
pub(crate) fn conclude(underway: Underway) -> Result<(), BridgeError> {
    check_generation(underway.generation)?;
    scopes::follow()?;
    let is_innermost = || with(|link| link.is_some_and(|link| link.flight.parent().0 == underway.callback));
    if is_innermost() {
        pipeline::take_in_all(underway.generation)?;
    }
    if is_innermost() {
        return Ok(());
    }
    let error = BridgeError::Connection(
        "a Fiber came to the end of a callback while another Fiber is suspended in a later one, which Python waits for \
         first. Resume Fibers that Python called in the opposite order. The session is given up, because neither could go on"
            .to_owned(),
    );
    loss::remember(&error);
    forsake();
    Err(error)
}

/// Answers a callback, which is over then. [`conclude`] comes before it.
///
/// # Errors
/// Those of `write`: another answer can be sent; or the link is gone.
pub(crate) fn answer(
    underway: Underway,
    kind: Kind,
    write: impl Fn(&mut Outgoing<'_>) -> Result<(), BridgeError>,
) -> Result<(), BridgeError> {
    loop {
        match answer_once(underway, kind, &write) {
            Err(BridgeError::Unmade(half)) => make_half(&half)?,
            answered => return answered,
        }
    }
}

fn answer_once(
    underway: Underway,
    kind: Kind,
    write: &dyn Fn(&mut Outgoing<'_>) -> Result<(), BridgeError>,
) -> Result<(), BridgeError> {
    let outbox = with(|link| link.map(|link| mem::take(&mut link.request)));
    let mut outbox = outbox.ok_or_else(stale)?;
    let header = outbox.write_answer(kind, write);
    let sent = with(|link| {
        let link = link.ok_or_else(stale)?;
        link.send_answer(Composed { outbox, header }, underway.callback, underway.thread)?;
        link.flight.leave();
        Ok(())
    });
    sent.map_err(lose_if_broken)
}

/// Whether the link on which a callback came is still there.
pub(crate) fn is_heard(underway: Underway) -> bool {
    underway.generation == generation()
}

impl Link {
    /// Reads the releases in front of a frame of the session, and says where the rest begins.
    pub(super) fn take_releases(header: &Header, payload: &[u8]) -> Result<usize, BridgeError> {
        if header.flags & FLAG_RELEASES == 0 {
            return Ok(0);
        }
        let mut reader = Reader::new(payload);
        read_releases(&mut reader, exports::release)?;
        Ok(reader.position())
    }

    /// A callback, whose payload was received. None: it was dealt with, and another frame is to be received.
    pub(super) fn asked(
        &mut self,
        header: Header,
        start: usize,
        payload: &mut Buffer,
    ) -> Result<Option<Box<Incoming>>, BridgeError> {
        if header.kind == Kind::PhpRelease {
            return Ok(None);
        }
        if self.flight.queue.has_late() {
            self.refuse_late(&header)?;
            return Ok(None);
        }
        let payload = mem::replace(payload, Buffer::take());
        let reply = Reply { payload, start, segment_bytes: header.segment_bytes, generation: generation() };
        Ok(Some(Box::new(Incoming { header, reply })))
    }

    /// Answers a callback that Python began for a PHP request that is over.
    fn refuse_late(&mut self, header: &Header) -> Result<(), BridgeError> {
        let mut outbox = mem::take(&mut self.request);
        let written = outbox.write_answer(Kind::Threw, &|outgoing: &mut Outgoing<'_>| {
            Rebound::Refused(Category::Stale, "the PHP request is over").write(outgoing);
            Ok(())
        });
        self.send_answer(Composed { outbox, header: written }, header.call, header.thread)
    }
}
