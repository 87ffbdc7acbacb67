//! The link of this PHP process to its Python session: made at first need, kept over requests, never shared with a fork.

mod address;
mod autostart;
mod buffer;
mod callback;
mod connect;
mod flight;
mod later;
mod loss;
mod names;
mod outgoing;
mod pipeline;
mod queue;
mod renew;
mod scopes;
mod state;
mod tcp;
mod token;

use std::mem::{self, MaybeUninit};
use std::sync::OnceLock;

use ext_php_rs::types::Zval;
use tortoise_protocol::Reader;
use tortoise_protocol::failure::{Category, Ran};
use tortoise_protocol::frame::Kind;
use tortoise_protocol::request::write_roots;

pub(crate) use self::buffer::{Buffer, reclaim};
pub(crate) use self::callback::{Incoming, Underway, answer, conclude, enter, is_heard, serve_callbacks_by};
pub(crate) use self::later::{can_ask, drop_at_end, drop_later};
pub(crate) use self::names::KnownIndex;
pub(crate) use self::outgoing::Outgoing;
use self::outgoing::{Composed, Outbox};
pub(crate) use self::pipeline::{
    Ticket, abandon, begin, cancel, check_in_reach, finish, is_ready, is_to_come, wait_for_any,
};
pub(crate) use self::scopes::{close_scope, open_scope};
use self::state::Wanted;
pub(crate) use self::state::{forsake as close, generation, is_in_use, new_object_id, status};
use self::state::{forsake, with};
use crate::error::BridgeError;
use crate::{exports, objects, settings};

/// Which session a request may go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Session {
    /// Any: the request names nothing of an earlier one. A session that has gone, or retires, is replaced.
    Any,
    /// The one that knows the objects of this generation.
    Of(u32),
}

/// A session's answer.
#[derive(Debug)]
pub(crate) struct Reply {
    /// What was received.
    payload: Buffer,
    /// Where in it the payload begins that is the answer.
    start: usize,
    /// Bytes that follow it, which [`receive_segment`] gives.
    pub(crate) segment_bytes: u32,
    /// The session that gave it.
    pub(crate) generation: u32,
}

impl Reply {
    /// The payload.
    pub(crate) fn payload(&self) -> &[u8] {
        &self.payload[self.start..]
    }

    /// Gives what was read of the payload. If it made no sense, nothing more is believed of the session that sent it.
    pub(crate) fn judge<T, E: Into<BridgeError>>(&self, read: Result<T, E>) -> Result<T, BridgeError> {
        let read = read.map_err(Into::into);
        if let Err(error @ BridgeError::Connection(_)) = &read
            && self.generation == generation()
        {
            loss::remember(error);
            forsake();
        }
        if self.start != 0 {
            exports::settle();
        }
        read
    }
}

/// Sends a request and waits for its answer, which must be of the kind `expected`.
///
/// # Errors
/// [`BridgeError`]. After [`BridgeError::Connection`] and [`BridgeError::Timeout`] the link is gone.
pub(crate) fn exchange(
    session: Session,
    kind: Kind,
    expected: Kind,
    write: impl Fn(&mut Outgoing<'_>) -> Result<(), BridgeError>,
) -> Result<Reply, BridgeError> {
    match exchange_once(session, kind, expected, &write) {
        Err(BridgeError::Retired) if session == Session::Any => renew::exchange_anew(kind, expected, &write),
        Err(BridgeError::Unmade(half)) => exchange_made(half, session, kind, expected, &write),
        result => result,
    }
}

/// Makes the Python halves of objects that stand in the request first.
#[cold]
#[inline(never)]
fn exchange_made(
    mut half: Zval,
    session: Session,
    kind: Kind,
    expected: Kind,
    write: &pipeline::Write<'_>,
) -> Result<Reply, BridgeError> {
    loop {
        make_half(&half)?;
        let current = generation();
        if current == 0 || matches!(session, Session::Of(wanted) if wanted != current) {
            return Err(stale());
        }
        match pipeline::exchange_among(current, kind, expected, write) {
            Err(BridgeError::Unmade(next)) => half = next,
            result => return result,
        }
    }
}

/// Makes the Python half of an object in a value.
pub(crate) type MakeHalf = fn(&Zval) -> Result<(), BridgeError>;

static MAKE_HALF: OnceLock<MakeHalf> = OnceLock::new();

/// Says who makes Python halves, when the module starts.
pub(crate) fn make_halves_by(make: MakeHalf) {
    MAKE_HALF.get_or_init(|| make);
}

fn make_half(half: &Zval) -> Result<(), BridgeError> {
    let make = MAKE_HALF.get().ok_or_else(|| BridgeError::Internal("nobody makes halves".to_owned()))?;
    make(half)
}

fn exchange_once(
    session: Session,
    kind: Kind,
    expected: Kind,
    write: &impl Fn(&mut Outgoing<'_>) -> Result<(), BridgeError>,
) -> Result<Reply, BridgeError> {
    if objects::are_closed() {
        return Err(BridgeError::Stale("the PHP request is over: its Python objects are gone".to_owned()));
    }
    follow_settings()?;
    let mut current = generation();
    match session {
        Session::Of(generation) if generation != current => return Err(stale()),
        Session::Of(_) if current != 0 => {}
        _ => current = renew::living(current)?,
    }
    let mut payload = Buffer::take();
    let Some(outbox) = open_alone()? else {
        renew::attend(current)?;
        return pipeline::exchange_among(current, kind, expected, write);
    };
    let composed = write_into(outbox, kind, write);
    let sent = with(|link| {
        let link = link.ok_or_else(stale)?;
        link.take_over(composed)?;
        let call = link.send()?;
        Ok((call, link.receive(call, expected, &mut payload)?))
    });
    let (call, step) = sent.map_err(lose_if_broken)?;
    let received = step.then(current, |link| link.receive(call, expected, &mut payload))?;
    let reply = Reply { payload, start: received.start, segment_bytes: received.segment_bytes, generation: current };
    if reply.start != 0 && reply.payload().len() == 1 {
        // Nobody may look at an answer that says nothing.
        exports::settle();
    }
    Ok(reply)
}

/// What a request is written into, if nothing is in flight and nothing is to be looked at first.
#[inline(always)]
fn open_alone() -> Result<Option<Outbox>, BridgeError> {
    with(|link| {
        let link = link.ok_or_else(stale)?;
        let is_alone = link.flight.is_idle() && !link.needs_care;
        Ok(is_alone.then(|| mem::take(&mut link.request)))
    })
}

/// Writes a request for the link, of which no hold is kept meanwhile: PHP's own functions are asked about values, and PHP
/// may end its request in them, for want of memory.
#[inline(always)]
fn compose(
    kind: Kind,
    write: &(impl Fn(&mut Outgoing<'_>) -> Result<(), BridgeError> + ?Sized),
) -> Result<Composed, BridgeError> {
    let outbox = with(|link| {
        let link = link.ok_or_else(stale)?;
        Ok::<_, BridgeError>(mem::take(&mut link.request))
    })?;
    Ok(write_into(outbox, kind, write))
}

#[inline(always)]
fn write_into(
    mut outbox: Outbox,
    kind: Kind,
    write: &(impl Fn(&mut Outgoing<'_>) -> Result<(), BridgeError> + ?Sized),
) -> Composed {
    let header = outbox.write(kind, write);
    Composed { outbox, header }
}

/// Receives the next bytes that follow the last answer. Whatever is left of them is gone with the next request, or with
/// [`pass_over_segments`].
///
/// # Errors
/// [`BridgeError`]; the link is gone then.
pub(crate) fn receive_segment(place: &mut [MaybeUninit<u8>]) -> Result<(), BridgeError> {
    let receive = |link: Option<&mut state::Link>| {
        let link = link.ok_or_else(stale)?;
        // Those of an answer that was set aside are not in the channel any more.
        if link.flight.is_reading() { link.flight.read_segment(place) } else { link.receive_segment(place) }
    };
    with(receive).map_err(lose_if_broken)
}

/// Forgets what is left of an answer's segments.
pub(crate) fn pass_over_segments() {
    with(|link| {
        if let Some(link) = link {
            link.flight.begin_reading(Box::default());
        }
    });
}

/// Lets the link do what the settings say now. Another server, interpreter or choice of modules is for the next
/// request that begins: the objects of this one live in its session.
fn follow_settings() -> Result<(), BridgeError> {
    let version = settings::version();
    if generation() == 0 || with(|link| link.is_none_or(|link| link.settings_version == version)) {
        return Ok(());
    }
    let wanted = Wanted::now();
    let timeout = settings::timeout()?;
    let is_other = with(|link| {
        let Some(link) = link else { return Ok(false) };
        let is_other = link.wanted != wanted;
        link.channel.set_timeout(timeout)?;
        if !is_other {
            link.settings_version = version;
        }
        Ok::<_, BridgeError>(is_other && !link.is_used)
    })?;
    if is_other {
        forsake();
    }
    Ok(())
}

fn stale() -> BridgeError {
    BridgeError::Stale(
        "this object's Python session is gone (it crashed, was restarted or timed out, or this process is a fork); \
         make the object anew"
            .to_owned(),
    )
}

/// After these the stream cannot be trusted any more.
fn lose_if_broken(error: BridgeError) -> BridgeError {
    let is_broken = match &error {
        BridgeError::Connection(_) | BridgeError::Timeout(_) | BridgeError::Retired => true,
        BridgeError::Remote(failure) => failure.category == Category::Protocol,
        _ => false,
    };
    let error = match error {
        BridgeError::Remote(failure) if failure.category == Category::Protocol => {
            let ran = if failure.ran == Ran::No { "It did not run." } else { "It may have run." };
            BridgeError::Connection(format!("the session refused the request: {}. {ran}", failure.message))
        }
        other => other,
    };
    if is_broken {
        loss::remember(&error);
        forsake();
    }
    // What stood in a request that was not sent.
    exports::settle();
    error
}

/// Tells the session which roots to search, if they changed.
pub(crate) fn announce_roots() -> Result<(), BridgeError> {
    let roots = settings::roots();
    if generation() == 0 || with(|link| link.is_some_and(|link| link.roots == roots)) {
        return Ok(());
    }
    let texts = connect::path_texts(&roots)?;
    exchange(Session::Any, Kind::Roots, Kind::Value, |writer| {
        write_roots(writer, &texts);
        Ok(())
    })?;
    with(|link| {
        if let Some(link) = link {
            link.roots = roots;
        }
    });
    Ok(())
}

/// Sends the releases that wait, without an answer, if there are many.
pub(crate) fn flush_releases_if_due() {
    if objects::releases_are_due() && generation() != 0 {
        notify(Kind::Release);
    }
}

/// Tells the session that the PHP request is over. Objects that PHP frees from now on are freed here only.
pub(crate) fn end_request() {
    // A fatal error ended the request in the middle of a callback: Python waits for an answer that nobody will give.
    if with(|link| link.is_some_and(|link| link.flight.depth() != 0)) {
        forsake();
    }
    scopes::end_request();
    if is_in_use() {
        objects::releases_are_sent();
        notify(Kind::EndRequest);
        with(|link| {
            if let Some(link) = link {
                (link.is_used, link.needs_care) = (false, true);
                link.flight.end_request();
            }
        });
    }
    objects::close();
    pipeline::end_request();
}

/// Sends a frame that has no answer. If it cannot be sent the session is gone, and so is what the frame says.
fn notify(kind: Kind) {
    let followed = scopes::follow();
    let result = with(|link| match link {
        Some(_) if followed.is_err() => followed,
        Some(link) if link.flight.is_idle() => link.compose_empty(kind).and_then(|_| link.send()).map(drop),
        Some(link) => link.notify_among(kind),
        None => Ok(()),
    });
    if let Err(error) = result {
        lose_if_broken(error);
        forsake();
    }
}

/// Reads the answer to a request that gives a truth value.
pub(crate) fn read_boolean(reply: &Reply) -> Result<bool, BridgeError> {
    reply.judge(Reader::new(reply.payload()).boolean("a truth value"))
}
