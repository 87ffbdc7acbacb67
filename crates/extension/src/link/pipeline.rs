//! Requests that are sent at once and whose answers are fetched later, each by its own ticket.
//!
//! The session answers methods in the order in which it was asked, and coroutines when they are done. Whoever waits for an
//! answer takes those in that come before it, and sets them aside. The time that `tortoise.timeout` gives counts for each
//! answer from the moment when it is waited for, or when the last one came.

use std::mem;

use tortoise_protocol::failure::{Category, Failure};
use tortoise_protocol::frame::{FLAG_ASYNC, Header, Kind};
use tortoise_protocol::operation::Operation;

use super::callback::Step;
use super::flight::Answer;
use super::queue::{Fate, Queue};
use super::state::{Link, check_kind, generation, with};
use super::{
    Buffer, Composed, Outgoing, Reply, compose, flush_releases_if_due, follow_settings, lose_if_broken, loss,
    make_half, notify, renew, scopes, stale,
};
use crate::error::BridgeError;
use crate::{engine, objects};

/// Characters of an error that are logged.
const LOGGED_CHARACTERS: usize = 500;

/// What writes a request. The calls that wait at once have code of their own for each; these share theirs.
pub(super) type Write<'a> = dyn Fn(&mut Outgoing<'_>) -> Result<(), BridgeError> + 'a;

/// A request that was sent, and the session that it went to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket {
    call: u64,
    generation: u32,
}

/// Sends a request to the session of `wanted` and does not wait for the answer.
///
/// # Errors
/// [`BridgeError`]; the request was not sent, or the link is gone.
pub(crate) fn begin(
    wanted: u32,
    kind: Kind,
    write: impl Fn(&mut Outgoing<'_>) -> Result<(), BridgeError>,
) -> Result<Ticket, BridgeError> {
    check_open()?;
    follow_settings()?;
    if wanted != generation() {
        return Err(stale());
    }
    if with(|link| link.is_some_and(|link| link.needs_care)) {
        renew::attend(wanted)?;
    }
    let sent = loop {
        match send(wanted, kind, &write, true) {
            Err(BridgeError::Unmade(half)) => make_half(&half)?,
            sent => break sent,
        }
    };
    settle();
    sent
}

/// Sends a request when it has room beside those that are not answered yet.
fn send(wanted: u32, kind: Kind, write: &Write<'_>, is_async: bool) -> Result<Ticket, BridgeError> {
    loop {
        let begun =
            compose(kind, write).and_then(|composed| with(|link| link.ok_or_else(stale)?.begin(composed, is_async)));
        let begun = begun.map_err(lose_if_broken).inspect_err(|_| {
            // The session waits for a request that does not come.
            if with(|link| link.is_some_and(|link| link.flight.is_clear)) {
                notify(Kind::Release);
            }
        });
        match begun? {
            Begun::Sent(call) => return Ok(Ticket { call, generation: wanted }),
            // PHP may run callbacks meanwhile, so that what was written is not the request any more.
            Begun::Full(bytes) => make_room_for(wanted, bytes)?,
        }
    }
}

/// Waits until there is room for so many bytes.
fn make_room_for(wanted: u32, bytes: usize) -> Result<(), BridgeError> {
    if Queue::is_long(bytes) {
        let write: &Write<'_> = &|_| Ok(());
        let hold = compose(Kind::Hold, write).and_then(|composed| with(|link| link.ok_or_else(stale)?.ask(composed)));
        wait_for(Ticket { call: hold.map_err(lose_if_broken)?, generation: wanted }, Kind::Value)?;
        with(|link| {
            if let Some(link) = link {
                link.flight.is_clear = true;
            }
        });
        return Ok(());
    }
    with(|link| link.ok_or_else(stale)?.probe_for(bytes)).map_err(lose_if_broken)?;
    make_room(wanted, |queue| queue.has_room(bytes))
}

/// Sends a request while others are in flight, and waits for its answer behind theirs.
#[cold]
#[inline(never)]
pub(super) fn exchange_among(wanted: u32, kind: Kind, expected: Kind, write: &Write<'_>) -> Result<Reply, BridgeError> {
    let reply = send(wanted, kind, write, false).and_then(|ticket| wait_for(ticket, expected));
    settle();
    reply
}

/// Takes in all answers to what was sent in the innermost callback.
///
/// # Errors
/// [`BridgeError`]; the link is gone then.
pub(super) fn take_in_all(wanted: u32) -> Result<(), BridgeError> {
    if with(|link| link.is_none_or(|link| link.flight.is_idle())) {
        return Ok(());
    }
    make_room(wanted, Queue::is_empty)
}

/// Takes answers in until there is room.
fn make_room(wanted: u32, is_enough: impl Fn(&Queue) -> bool) -> Result<(), BridgeError> {
    let again = |link: &mut Link| {
        while !is_enough(&link.flight.queue) {
            if let Step::Asked(incoming) = link.take_in()? {
                return Ok(Step::Asked(incoming));
            }
        }
        Ok(Step::Done(()))
    };
    let first = with(|link| again(link.ok_or_else(stale)?)).map_err(lose_if_broken)?;
    first.then(wanted, again)
}

/// Waits for the answer to a request, which must be of the kind `expected`. A ticket can be used once.
///
/// # Errors
/// [`BridgeError`]; all requests that a lost link leaves without an answer get the same.
pub(crate) fn finish(ticket: Ticket, expected: Kind) -> Result<Reply, BridgeError> {
    check_open()?;
    follow_settings()?;
    check_current(ticket)?;
    scopes::follow()?;
    let reply = wait_for(ticket, expected);
    settle();
    reply
}

fn wait_for(ticket: Ticket, expected: Kind) -> Result<Reply, BridgeError> {
    let step = with(|link| link.ok_or_else(stale)?.finish(ticket, expected)).map_err(lose_if_broken)?;
    step.then(ticket.generation, |link| link.finish(ticket, expected))
}

/// Waits until one of these has its answer, or cannot get one any more.
///
/// # Errors
/// [`BridgeError`]; the link is gone then, or PHP leaves.
pub(crate) fn wait_for_any(tickets: &[Ticket]) -> Result<(), BridgeError> {
    check_open()?;
    follow_settings()?;
    scopes::follow()?;
    let current = generation();
    let again = |link: &mut Link| {
        while tickets.iter().all(|ticket| ticket.generation == current && link.flight.queue.contains(ticket.call)) {
            if let Step::Asked(incoming) = link.take_in()? {
                return Ok(Step::Asked(incoming));
            }
        }
        Ok(Step::Done(()))
    };
    let first = with(|link| link.map_or(Ok(Step::Done(())), again)).map_err(lose_if_broken);
    let waited = first.and_then(|first| first.then(current, again));
    settle();
    waited
}

/// Whether the answer to a request is still to come, as far as has been read.
pub(crate) fn is_to_come(ticket: Ticket) -> bool {
    ticket.generation == generation()
        && !objects::are_closed()
        && with(|link| link.is_some_and(|link| link.flight.is_to_come(ticket.call)))
}

/// Tells the session that the answer to a request is not wanted any more. It comes all the same.
///
/// # Errors
/// [`BridgeError`]; the link is gone then, or PHP leaves.
pub(crate) fn cancel(ticket: Ticket) -> Result<(), BridgeError> {
    check_open()?;
    let wanted = ticket.generation;
    let write: &Write<'_> = &|outgoing| {
        outgoing.unsigned(ticket.call);
        Ok(())
    };
    while is_to_come(ticket) {
        let composed = compose(Kind::Cancel, write)?;
        let told = with(|link| link.ok_or_else(stale)?.tell(composed)).map_err(lose_if_broken)?;
        match told {
            Begun::Sent(_) => break,
            Begun::Full(bytes) => make_room_for(wanted, bytes)?,
        }
    }
    settle();
    Ok(())
}

/// Whether the answer to a request can come before what PHP is doing now is over.
///
/// # Errors
/// [`BridgeError::Access`] if it comes behind the callback that is under way.
pub(crate) fn check_in_reach(ticket: Ticket) -> Result<(), BridgeError> {
    let is_further_out = ticket.generation == generation()
        && with(|link| link.is_some_and(|link| link.flight.is_further_out(ticket.call)));
    if is_further_out { Err(further_out()) } else { Ok(()) }
}

/// Whether [`finish`] would wait for no Python code.
pub(crate) fn is_ready(ticket: Ticket) -> bool {
    if check_open().and_then(|()| check_current(ticket)).is_err() {
        return true;
    }
    let followed = scopes::follow();
    let first = followed.and_then(|()| with(|link| link.ok_or_else(stale)?.look(ticket.call))).map_err(lose_if_broken);
    let answer = first.and_then(|first| first.then(ticket.generation, |link| link.look(ticket.call)));
    settle();
    answer.unwrap_or(true)
}

/// Nobody will ask for the answer: its objects are given back, and its error is logged.
pub(crate) fn abandon(ticket: Ticket) {
    if ticket.generation != generation() || objects::are_closed() {
        return;
    }
    with(|link| {
        if let Some(link) = link {
            link.flight.abandon(ticket.call);
        }
    });
    settle();
}

/// The PHP request is over.
pub(super) fn end_request() {
    settle();
    loss::forget();
}

/// Does for the answers that nobody asked for what is left to do. PHP may log, so the link is not borrowed here.
pub(super) fn settle() {
    let Some(unheard) = with(|link| link.map(|link| link.flight.take_unheard())) else { return };
    if unheard.objects.is_empty() && unheard.errors.is_empty() {
        return;
    }
    for id in unheard.objects {
        objects::release_id(id);
    }
    for error in unheard.errors {
        let shown: String =
            error.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LOGGED_CHARACTERS).collect();
        engine::log(&format!("tortoise: an asynchronous call that nobody awaited failed: {shown}"));
    }
    flush_releases_if_due();
}

fn check_open() -> Result<(), BridgeError> {
    if objects::are_closed() {
        return Err(BridgeError::Stale("the PHP request is over: its Python objects are gone".to_owned()));
    }
    Ok(())
}

/// # Errors
/// Why the ticket's session is gone, if it is.
fn check_current(ticket: Ticket) -> Result<(), BridgeError> {
    if ticket.generation == generation() {
        return Ok(());
    }
    Err(loss::of(ticket.generation).unwrap_or_else(stale))
}

/// What became of a request that was to be sent.
enum Begun {
    /// It was sent, with this call id.
    Sent(u64),
    /// There is no room yet for its so many bytes.
    Full(usize),
}

fn further_out() -> BridgeError {
    BridgeError::Access(
        "this future cannot be awaited here: its call was sent before the callback that is under way, and is answered behind \
         it. Await it when the callback has returned"
            .to_owned(),
    )
}

impl Link {
    fn begin(&mut self, mut composed: Composed, is_async: bool) -> Result<Begun, BridgeError> {
        let bytes = composed.bytes();
        if !self.flight.queue.has_room(bytes) && !self.flight.is_clear {
            self.request = composed.outbox;
            self.request.give_up();
            return Ok(Begun::Full(bytes));
        }
        if is_async && let Ok(header) = &mut composed.header {
            header.flags |= FLAG_ASYNC;
        }
        let bytes = self.take_over(composed)?;
        let call = self.send()?;
        self.flight.queue.sent(call, bytes, is_async);
        Ok(Begun::Sent(call))
    }

    /// Sends a short request beside others. A socket has room for it.
    fn ask(&mut self, composed: Composed) -> Result<u64, BridgeError> {
        let bytes = self.take_over(composed)?;
        let call = self.send()?;
        self.flight.queue.sent(call, bytes, false);
        Ok(call)
    }

    /// Sends a frame that has no answer.
    fn tell(&mut self, composed: Composed) -> Result<Begun, BridgeError> {
        let bytes = composed.bytes();
        if !self.flight.queue.has_room(bytes) {
            self.request = composed.outbox;
            self.request.give_up();
            return Ok(Begun::Full(bytes));
        }
        let bytes = self.take_over(composed)?;
        let call = self.send()?;
        if !self.flight.is_idle() {
            self.flight.queue.sent_loose(bytes);
        }
        Ok(Begun::Sent(call))
    }

    /// Asks whether what was sent has been read, if so many bytes must wait for that. A socket has room for what asks.
    fn probe_for(&mut self, bytes: usize) -> Result<(), BridgeError> {
        if !self.flight.queue.needs_probe(bytes) {
            return Ok(());
        }
        let mut outbox = mem::take(&mut self.request);
        let header = outbox.write(Kind::Operate, &|outgoing: &mut Outgoing<'_>| {
            Operation::Text.write(outgoing);
            outgoing.text("");
            Ok(())
        });
        let bytes = self.take_over(Composed { outbox, header })?;
        let call = self.send()?;
        self.flight.queue.sent_probe(call, bytes);
        Ok(())
    }

    /// Sends a frame that has no answer while others are in flight. Where there is no room for it, what it would say waits for
    /// another.
    #[cold]
    pub(super) fn notify_among(&mut self, kind: Kind) -> Result<(), BridgeError> {
        // A header alone finds room at the end, and nothing is sent behind it before all answers are in.
        let is_end = kind == Kind::EndRequest;
        if !is_end && !self.flight.queue.has_room(objects::release_bytes()) {
            return Ok(());
        }
        let bytes = self.compose_empty(kind)?;
        self.send()?;
        if !is_end {
            self.flight.queue.sent_loose(bytes);
        }
        Ok(())
    }

    fn finish(&mut self, ticket: Ticket, expected: Kind) -> Result<Step<Reply>, BridgeError> {
        let mut payload = Buffer::take();
        let generation = ticket.generation;
        loop {
            if let Some(answer) = self.flight.take(ticket.call) {
                // Far below 4 GiB: a channel's frame had it.
                let segment_bytes = answer.segments.len() as u32;
                *payload = answer.payload;
                check_kind(answer.kind, expected, &payload)?;
                self.flight.begin_reading(answer.segments);
                return Ok(Step::Done(Reply { payload, start: 0, segment_bytes, generation }));
            }
            if !self.flight.queue.contains(ticket.call) {
                return Err(BridgeError::Internal("an answer was asked for twice".to_owned()));
            }
            let (header, start) = match self.next_answer(&mut payload)? {
                Step::Done(came) => came,
                Step::Asked(incoming) => return Ok(Step::Asked(incoming)),
            };
            if header.call != ticket.call {
                self.keep_answer(header, &payload[start..])?;
                continue;
            }
            self.flight.came(ticket.call);
            check_kind(header.kind, expected, &payload[start..])?;
            return Ok(Step::Done(Reply { payload, start, segment_bytes: header.segment_bytes, generation }));
        }
    }

    /// Whether the answer to a call has come, or something that ends the waiting for it.
    fn look(&mut self, call: u64) -> Result<Step<bool>, BridgeError> {
        loop {
            if self.flight.has_aside(call) {
                return Ok(Step::Done(true));
            }
            if self.flight.is_further_out(call)
                || !self.channel.has_frame().map_err(|error| self.explain(error.into()))?
            {
                return Ok(Step::Done(false));
            }
            if !self.flight.queue.contains(call) {
                return Ok(Step::Done(true));
            }
            // It may be the answer, or a callback in front of it.
            if let Step::Asked(incoming) = self.take_in()? {
                return Ok(Step::Asked(incoming));
            }
        }
    }

    /// Waits for the next answer, and sets it aside or passes over it.
    pub(super) fn take_in(&mut self) -> Result<Step<()>, BridgeError> {
        let mut payload = Buffer::take();
        match self.next_answer(&mut payload)? {
            Step::Done((header, start)) => self.keep_answer(header, &payload[start..]).map(Step::Done),
            Step::Asked(incoming) => Ok(Step::Asked(incoming)),
        }
    }

    /// Waits for the next answer; where it begins in its payload stands beside it.
    fn next_answer(&mut self, payload: &mut Buffer) -> Result<Step<(Header, usize)>, BridgeError> {
        loop {
            let header = self.receive_frame(payload)?;
            let start = Self::take_releases(&header, payload)?;
            if header.kind == Kind::Retired {
                return Err(self.retired());
            }
            if !header.kind.is_callback() {
                return Ok(Step::Done((header, start)));
            }
            if let Some(incoming) = self.asked(header, start, payload)? {
                return Ok(Step::Asked(incoming));
            }
        }
    }

    /// Sets an answer aside that came while another was waited for, or passes over it.
    pub(super) fn keep_answer(&mut self, header: Header, payload: &[u8]) -> Result<(), BridgeError> {
        let call = header.call;
        if header.kind == Kind::Failure {
            let failure = Failure::read(payload)?;
            if failure.category == Category::Protocol {
                return Err(BridgeError::Remote(Box::new(failure)));
            }
        }
        let Some(fate) = self.flight.came(call) else {
            return Err(BridgeError::Connection(format!(
                "the session answered call {call}, which is not one that waits for an answer"
            )));
        };
        let segment_bytes = header.segment_bytes as usize;
        match fate {
            Fate::Wanted if self.flight.has_room_aside(payload.len() + segment_bytes) => {
                let mut segments = Box::new_uninit_slice(segment_bytes);
                self.receive_segment(&mut segments)?;
                self.flight.set_aside(call, Answer { kind: header.kind, payload: payload.to_vec(), segments });
            }
            Fate::Wanted => {
                let bytes = payload.len() + segment_bytes;
                self.flight.pass_over(header.kind, payload, false);
                self.flight.set_aside(call, Answer::too_much(bytes));
            }
            fate => self.flight.pass_over(header.kind, payload, fate == Fate::Late),
        }
        Ok(())
    }
}
