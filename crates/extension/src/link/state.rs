//! The state of the link: the connection to the session, and which session it is.

use std::cell::{Cell, RefCell};
use std::mem::{self, MaybeUninit};
use std::path::PathBuf;
use std::time::Instant;

use tortoise_channel::{Channel, Process};
use tortoise_protocol::Malformed;
use tortoise_protocol::failure::{Category, Failure};
use tortoise_protocol::frame::{FLAG_BIG_INTEGERS, Header, Kind, finish};
use tortoise_protocol::handshake::Welcome;
use tortoise_protocol::limits::MAX_FRAME_BYTES;

use super::autostart::Place;
use super::callback::Step;
use super::flight::Flight;
use super::outgoing::{Composed, Outbox, Outgoing};
use super::{Buffer, scopes};
use crate::engine::{call_in_progress, take_panic};
use crate::error::BridgeError;
use crate::{exports, objects, settings};

thread_local! {
    static LINK: RefCell<Option<Link>> = const { RefCell::new(None) };
    /// The link's number; 0 while there is none. Objects remember it, to know that they are of this session.
    static GENERATION: Cell<u32> = const { Cell::new(0) };
    static LAST_GENERATION: Cell<u32> = const { Cell::new(0) };
    /// The process that made the link: to a fork it does not belong.
    static OWNER: Cell<Option<Process>> = const { Cell::new(None) };
}

pub(super) struct Link {
    pub(super) channel: Channel,
    pub(super) next_call: u64,
    pub(super) next_object: u64,
    /// The roots that the session searches.
    pub(super) roots: Vec<PathBuf>,
    pub(super) request: Outbox,
    /// What was sent without waiting.
    pub(super) flight: Flight,
    /// Whether this PHP request has spoken to the session.
    pub(super) is_used: bool,
    /// The id of the first frame of this PHP request: only in place of its answer may the session say that it retires.
    pub(super) first_call: u64,
    /// Whether something is to be looked at before the next frame: see [`super::renew::attend`].
    pub(super) needs_care: bool,
    /// Whether something waits to be dropped before the next request.
    pub(super) owes_drops: bool,
    /// When the `Tortoise\\timeout()` is over that the channel obeys.
    pub(super) deadline: Option<Instant>,
    pub(super) welcome: Welcome,
    /// Whether PHP can hold integers of more than 64 bits.
    pub(super) takes_big_integers: bool,
    /// Where it was found, and where to look when the session is gone.
    pub(super) place: Place,
    /// What the settings said when it was made.
    pub(super) wanted: Wanted,
    /// [`settings::version`] when they were last read.
    pub(super) settings_version: u64,
}

/// What the settings say about whom to speak to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) server: String,
    /// The interpreter of a private sidecar.
    pub(super) python: PathBuf,
    pub(super) modules: Vec<String>,
    /// Whether calls may go through shared memory.
    pub(super) shared_memory: bool,
}

impl Wanted {
    pub(super) fn now() -> Self {
        Self {
            server: settings::server(),
            python: settings::python(),
            modules: settings::modules(),
            shared_memory: settings::shared_memory(),
        }
    }
}

/// The current session's generation, or 0.
pub(crate) fn generation() -> u32 {
    let is_lost = OWNER.get().is_some_and(|owner| !owner.is_current()) || take_panic();
    if is_lost && GENERATION.get() != 0 {
        forsake();
    }
    GENERATION.get()
}

/// Whether this PHP request has spoken to a session.
pub(crate) fn is_in_use() -> bool {
    generation() != 0 && LINK.with_borrow(|link| link.as_ref().is_some_and(|link| link.is_used))
}

/// Makes `link` the one that is used.
pub(super) fn put(link: Link) {
    let generation = LAST_GENERATION.get() + 1;
    LAST_GENERATION.set(generation);
    GENERATION.set(generation);
    OWNER.set(Some(Process::current()));
    objects::forget_all();
    exports::forget_all();
    LINK.with_borrow_mut(|current| *current = Some(link));
}

/// Looks at the link, if there is one, or changes it.
pub(super) fn with<R>(action: impl FnOnce(Option<&mut Link>) -> R) -> R {
    LINK.with_borrow_mut(|link| action(link.as_mut()))
}

/// Closes the link, if there is one. Its objects become stale.
pub(crate) fn forsake() {
    // In a fork the socket is the parent's too: closing our copy says nothing to the session.
    LINK.with_borrow_mut(|link| *link = None);
    GENERATION.set(0);
    objects::forget_all();
    exports::forget_all();
}

/// An id for an object that PHP is about to make: odd, never used before on this link.
pub(crate) fn new_object_id() -> u64 {
    LINK.with_borrow_mut(|link| {
        link.as_mut().map_or(0, |link| {
            link.next_object += 2;
            link.next_object
        })
    })
}

/// What `Tortoise\status()` tells of the link: names and values.
pub(crate) fn status() -> Vec<(&'static str, String)> {
    generation();
    LINK.with_borrow(|link| match link {
        Some(link) => vec![
            ("server", link.place.server.clone()),
            ("channel", link.channel.kind().to_string()),
            ("session", link.welcome.process.to_string()),
            ("python", link.welcome.python.clone()),
            ("log", link.place.log.as_ref().map(|log| log.display().to_string()).unwrap_or_default()),
        ],
        None => Vec::new(),
    })
}

impl Link {
    /// Sends the frame that was taken over last, and gives its call id.
    #[inline(always)]
    pub(super) fn send(&mut self) -> Result<u64, BridgeError> {
        let result = self.transmit();
        self.request.end();
        result
    }

    /// Writes a frame that says no more than its kind, and what PHP has let go of; gives its bytes.
    pub(super) fn compose_empty(&mut self, kind: Kind) -> Result<usize, BridgeError> {
        let mut outbox = mem::take(&mut self.request);
        let header = outbox.write(kind, &|_: &mut Outgoing<'_>| Ok(()));
        self.take_over(Composed { outbox, header })
    }

    /// Takes over a frame that was written, and gives its bytes, segments included. [`Self::send`] must follow before PHP
    /// goes on. An error of what wrote it means that there is nothing to send.
    #[inline(always)]
    pub(super) fn take_over(&mut self, composed: Composed) -> Result<usize, BridgeError> {
        self.request = composed.outbox;
        let result = composed.header.and_then(|mut header| {
            self.next_call += 1;
            header.call = self.next_call;
            (header.parent, header.thread) = self.flight.parent();
            self.finish_frame(header)
        });
        if result.is_err() {
            self.request.give_up();
        }
        result
    }

    /// Sends the answer to a callback that was written.
    pub(super) fn send_answer(&mut self, composed: Composed, callback: u64, thread: u32) -> Result<(), BridgeError> {
        self.request = composed.outbox;
        let finished = composed.header.and_then(|mut header| {
            (header.call, header.thread) = (callback, thread);
            self.finish_frame(header)
        });
        if let Err(error) = finished {
            self.request.give_up();
            return Err(error);
        }
        // SAFETY: what was written is held until here, by whoever answers.
        let sent = self.channel.send_with(&self.request.frame, unsafe { self.request.segments() });
        self.request.end();
        sent.map_err(|error| self.explain(error.into()))
    }

    #[inline(always)]
    fn finish_frame(&mut self, mut header: Header) -> Result<usize, BridgeError> {
        if self.takes_big_integers {
            header.flags |= FLAG_BIG_INTEGERS;
        }
        finish(&mut self.request.frame, header).map_err(too_large)?;
        Ok(self.request.frame.len() + header.segment_bytes as usize)
    }

    #[inline(always)]
    fn transmit(&mut self) -> Result<u64, BridgeError> {
        // SAFETY: what was written is what PHP holds for the call that runs, and nothing has run since but functions of
        // PHP's own that look at such values.
        let sent = self.channel.send_with(&self.request.frame, unsafe { self.request.segments() });
        match sent {
            Ok(()) => {
                self.flight.is_clear = false;
                objects::releases_are_sent();
                Ok(self.next_call)
            }
            Err(error) => Err(self.unsent(error.into())),
        }
    }

    /// Waits for the answer.
    #[inline(always)]
    pub(super) fn receive(
        &mut self,
        call: u64,
        expected: Kind,
        payload: &mut Buffer,
    ) -> Result<Step<Received>, BridgeError> {
        let header = self.receive_frame(payload)?;
        if header.call == call && header.kind == expected && header.flags == 0 {
            return Ok(Step::Done(Received { start: 0, segment_bytes: header.segment_bytes }));
        }
        self.receive_other(header, call, expected, payload)
    }

    /// What a frame means that is not just the answer.
    #[cold]
    fn receive_other(
        &mut self,
        mut header: Header,
        call: u64,
        expected: Kind,
        payload: &mut Buffer,
    ) -> Result<Step<Received>, BridgeError> {
        loop {
            let start = Self::take_releases(&header, payload)?;
            if !header.kind.is_callback() {
                if header.call != call && self.flight.is_async(header.call) {
                    self.keep_answer(header, &payload[start..])?;
                    header = self.receive_frame(payload)?;
                    continue;
                }
                if header.call != call {
                    if header.kind == Kind::Failure {
                        // One that refuses what was said in between ends all.
                        let failure = Failure::read(&payload[start..])?;
                        if failure.category == Category::Protocol {
                            return Err(BridgeError::Remote(Box::new(failure)));
                        }
                    }
                    return Err(BridgeError::Connection(format!(
                        "the session answered call {} while call {call} was waiting",
                        header.call
                    )));
                }
                let segment_bytes = header.segment_bytes;
                return check_kind(header.kind, expected, &payload[start..])
                    .map(|()| Step::Done(Received { start, segment_bytes }));
            }
            if let Some(incoming) = self.asked(header, start, payload)? {
                return Ok(Step::Asked(incoming));
            }
            header = self.receive_frame(payload)?;
        }
    }

    /// Waits for a frame.
    #[inline(always)]
    pub(super) fn receive_frame(&mut self, payload: &mut Buffer) -> Result<Header, BridgeError> {
        self.channel.receive(payload, MAX_FRAME_BYTES).map_err(|error| self.explain(error.into()))
    }

    pub(super) fn receive_segment(&mut self, place: &mut [MaybeUninit<u8>]) -> Result<(), BridgeError> {
        self.channel.receive_segment(place).map_err(|error| self.explain(error.into()))
    }

    /// Says what a broken link means to whoever reads the error.
    #[cold]
    pub(super) fn explain(&self, error: BridgeError) -> BridgeError {
        let session = self.welcome.process;
        match error {
            BridgeError::Connection(what) => BridgeError::Connection(format!(
                "the Python session (process {session}) is lost: {what}. The call may have run. The next `new` gets a new \
                 session; objects of this one are gone; {}",
                self.place.hint()
            )),
            BridgeError::Timeout(what) => {
                let what = match scopes::current().filter(|_| self.deadline.is_some()) {
                    Some(scope) => {
                        format!("no answer within {} s, the limit that Tortoise\\timeout() sets", scope.seconds)
                    }
                    None => format!("{what}, the limit that tortoise.timeout sets"),
                };
                let doing = call_in_progress().map(|call| format!(", in {call}")).unwrap_or_default();
                BridgeError::Timeout(format!(
                    "the Python session (process {session}) gave {what}{doing}. The call has been interrupted; where it was, \
                     its slow log or its log shows. The next `new` gets a new session; objects of this one are gone; {}",
                    self.place.hint()
                ))
            }
            other => other,
        }
    }
}

/// Of an answer: where it begins in its payload, and how many bytes follow that.
#[derive(Debug, Clone, Copy)]
pub(super) struct Received {
    pub(super) start: usize,
    pub(super) segment_bytes: u32,
}

/// Holds an answer against the kind that is due.
///
/// # Errors
/// What the session says went wrong, or that it answered something else.
#[inline(always)]
pub(super) fn check_kind(kind: Kind, expected: Kind, payload: &[u8]) -> Result<(), BridgeError> {
    match kind {
        kind if kind == expected => Ok(()),
        Kind::Failure => Err(BridgeError::Remote(Box::new(Failure::read(payload)?))),
        other => Err(BridgeError::Connection(format!("the session answered {other:?} where {expected:?} was due"))),
    }
}

fn too_large(malformed: Malformed) -> BridgeError {
    BridgeError::Conversion(format!("the arguments are too large: {malformed}"))
}
