//! Requests that are sent at once and whose answers are fetched later, each by its own ticket.
//!
//! The session answers in the order in which it was asked. Whoever waits for an answer takes those in that come before it,
//! and sets them aside. The time that `tortoise.timeout` gives counts for each answer from the moment when it is waited for,
//! or when the one before it came.

use std::time::{Duration, Instant};

use tortoise_protocol::failure::{Category, Failure};
use tortoise_protocol::frame::Kind;
use tortoise_protocol::limits::MAX_FRAME_BYTES;

use super::flight::{Answer, Fate};
use super::state::{Link, check_kind, generation, with};
use super::{
    Buffer, Composed, Outgoing, Reply, compose, flush_releases_if_due, follow_settings, lose_if_broken, loss, stale,
};
use crate::error::BridgeError;
use crate::{engine, objects, settings};

/// How long the first call of a PHP request waits for a session that is still at work for the one before it. Beyond it a
/// new session is had sooner.
const LATE_PATIENCE: Duration = Duration::from_secs(1);

/// Characters of an error that are logged.
const LOGGED_CHARACTERS: usize = 500;

/// What writes a request. The calls that wait at once have code of their own for each; these share theirs.
type Write<'a> = dyn Fn(&mut Outgoing<'_>) -> Result<(), BridgeError> + 'a;

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
    let write: &Write<'_> = &write;
    let sent = compose(kind, write).and_then(|composed| with(|link| link.ok_or_else(stale)?.begin(composed)));
    let sent = sent.map_err(lose_if_broken);
    settle();
    Ok(Ticket { call: sent?, generation: wanted })
}

/// Waits for the answer to a request, which must be of the kind `expected`. A ticket can be used once.
///
/// # Errors
/// [`BridgeError`]; all requests that a lost link leaves without an answer get the same.
pub(crate) fn finish(ticket: Ticket, expected: Kind) -> Result<Reply, BridgeError> {
    check_open()?;
    follow_settings()?;
    check_current(ticket)?;
    let reply = with(|link| link.ok_or_else(stale)?.finish(ticket, expected)).map_err(lose_if_broken);
    settle();
    reply
}

/// Whether [`finish`] would wait for no Python code.
pub(crate) fn is_ready(ticket: Ticket) -> bool {
    if check_open().and_then(|()| check_current(ticket)).is_err() {
        return true;
    }
    let answer = with(|link| link.ok_or_else(stale)?.look(ticket.call)).map_err(lose_if_broken);
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

impl Link {
    fn begin(&mut self, composed: Composed) -> Result<u64, BridgeError> {
        let bytes = self.take_over(composed)?;
        let call = self.send_with_room(bytes)?;
        self.flight.sent(call, bytes);
        Ok(call)
    }

    /// Sends the request of so many bytes that was written last while others are in flight, and takes in all answers that
    /// come before its own.
    #[cold]
    pub(super) fn send_among(&mut self, bytes: usize) -> Result<u64, BridgeError> {
        self.pass_over_late()?;
        let call = self.send_with_room(bytes)?;
        while !self.flight.is_idle() {
            self.take_in()?;
        }
        Ok(call)
    }

    /// Sends a frame that has no answer while others are in flight.
    #[cold]
    pub(super) fn notify_among(&mut self, kind: Kind) -> Result<(), BridgeError> {
        let bytes = self.compose_empty(kind)?;
        if kind == Kind::EndRequest {
            // A header alone finds room, and nothing is sent behind it before all answers are in.
            return self.send().map(drop);
        }
        self.send_with_room(bytes)?;
        self.flight.sent_loose(bytes);
        Ok(())
    }

    /// Sends the frame of so many bytes that was written last when it has room beside those that are not answered yet;
    /// gives its call id.
    fn send_with_room(&mut self, bytes: usize) -> Result<u64, BridgeError> {
        while !self.flight.has_room(bytes) {
            self.take_in()?;
        }
        self.send()
    }

    fn finish(&mut self, ticket: Ticket, expected: Kind) -> Result<Reply, BridgeError> {
        let mut payload = Buffer::take();
        loop {
            if let Some(answer) = self.flight.take(ticket.call) {
                // Far below 4 GiB: a channel's frame had it.
                let segment_bytes = answer.segments.len() as u32;
                *payload = answer.payload;
                check_kind(answer.kind, expected, &payload)?;
                self.flight.begin_reading(answer.segments);
                return Ok(Reply { payload, segment_bytes, generation: ticket.generation });
            }
            match self.flight.next() {
                Some(next) if next == ticket.call => {
                    let received = self.receive(ticket.call, expected, &mut payload);
                    self.flight.came();
                    let segment_bytes = received?;
                    return Ok(Reply { payload, segment_bytes, generation: ticket.generation });
                }
                Some(next) if next < ticket.call => self.take_in()?,
                _ => return Err(BridgeError::Internal("an answer was asked for twice".to_owned())),
            }
        }
    }

    /// Whether the answer to a call has come, or something that ends the waiting for it.
    fn look(&mut self, call: u64) -> Result<bool, BridgeError> {
        loop {
            if self.flight.has_aside(call) {
                return Ok(true);
            }
            if !self.channel.has_frame().map_err(|error| self.explain(error.into()))? {
                return Ok(false);
            }
            if self.flight.next().is_none_or(|next| next >= call) {
                return Ok(true);
            }
            self.take_in()?;
        }
    }

    /// Waits for the next answer, and sets it aside or passes over it.
    fn take_in(&mut self) -> Result<(), BridgeError> {
        let mut payload = Vec::new();
        let header = self.channel.receive(&mut payload, MAX_FRAME_BYTES);
        let header = header.map_err(|error| self.explain(error.into()))?;
        let due = self.flight.next().unwrap_or(0);
        if header.call != due {
            return Err(BridgeError::Connection(format!(
                "the session answered call {} where call {due} was due",
                header.call
            )));
        }
        if header.kind == Kind::Failure {
            let failure = Failure::read(&payload)?;
            if failure.category == Category::Protocol {
                return Err(BridgeError::Remote(Box::new(failure)));
            }
        }
        let segment_bytes = header.segment_bytes as usize;
        match self.flight.came() {
            Some(Fate::Wanted) if self.flight.has_room_aside(payload.len() + segment_bytes) => {
                let mut segments = Box::new_uninit_slice(segment_bytes);
                self.receive_segment(&mut segments)?;
                self.flight.set_aside(due, Answer { kind: header.kind, payload, segments });
            }
            Some(Fate::Wanted) => {
                let bytes = payload.len() + segment_bytes;
                self.flight.pass_over(header.kind, &payload, false);
                self.flight.set_aside(due, Answer::too_much(bytes));
            }
            fate => self.flight.pass_over(header.kind, &payload, fate == Some(Fate::Late)),
        }
        Ok(())
    }

    /// Takes in what is still to come for a PHP request that is over. That the session takes too long for it, or is gone,
    /// is an error of the connection: the request that is about to be sent can go to a new one.
    fn pass_over_late(&mut self) -> Result<(), BridgeError> {
        if !self.flight.has_late() {
            return Ok(());
        }
        let end = Instant::now() + LATE_PATIENCE;
        while self.flight.has_late() {
            let left = end.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            self.channel.set_timeout(Some(left))?;
            self.take_in().map_err(|error| {
                BridgeError::Connection(format!(
                    "the session is still at work for the PHP request before this one, which awaited nothing: {error}"
                ))
            })?;
        }
        Ok(self.channel.set_timeout(settings::timeout()?)?)
    }
}
