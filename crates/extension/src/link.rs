//! The link of this PHP process to its Python session: made at first need, kept over requests, never shared with a fork.

mod address;
mod autostart;
mod buffer;
mod connect;

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use tortoise_channel::Channel;
use tortoise_protocol::failure::{Category, Failure, Ran};
use tortoise_protocol::frame::{FLAG_RELEASES, Header, Kind, begin, finish};
use tortoise_protocol::handshake::Welcome;
use tortoise_protocol::limits::MAX_FRAME_BYTES;
use tortoise_protocol::request::{write_releases, write_roots};
use tortoise_protocol::{Malformed, Reader, Writer};

pub(crate) use self::buffer::{Buffer, reclaim};
use crate::error::BridgeError;
use crate::{objects, settings};

/// Counts forks of this process: a link of another count belongs to the parent.
static FORKS: AtomicU32 = AtomicU32::new(0);

thread_local! {
    static LINK: RefCell<Option<Link>> = const { RefCell::new(None) };
    /// The link's number; 0 while there is none. Objects remember it, to know that they are of this session.
    static GENERATION: Cell<u32> = const { Cell::new(0) };
    static LAST_GENERATION: Cell<u32> = const { Cell::new(0) };
    /// [`FORKS`] when the link was made.
    static LINK_FORKS: Cell<u32> = const { Cell::new(0) };
}

struct Link {
    channel: Channel,
    next_call: u64,
    next_object: u64,
    /// The roots that the session searches.
    roots: Vec<PathBuf>,
    request: Vec<u8>,
    /// Whether this PHP request has spoken to the session.
    is_used: bool,
    welcome: Welcome,
    server: String,
    /// Where to look when the session is gone.
    log: Option<PathBuf>,
    /// What the settings said when it was made.
    wanted: Wanted,
    /// [`settings::version`] when they were last read.
    settings_version: u64,
}

/// What the settings say about whom to speak to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wanted {
    server: String,
    /// The interpreter of a private sidecar.
    python: PathBuf,
    modules: Vec<String>,
}

impl Wanted {
    fn now() -> Self {
        Self { server: settings::server(), python: settings::python(), modules: settings::modules() }
    }
}

/// Which session a request may go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Session {
    /// Any: the request names nothing of an earlier one. A lost link is made anew.
    Any,
    /// The one that knows the objects of this generation.
    Of(u32),
}

/// A session's answer.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The payload.
    pub(crate) payload: Buffer,
    /// The session that gave it.
    pub(crate) generation: u32,
}

impl Reply {
    /// Gives what was read of the payload. If it made no sense, nothing more is believed of the session that sent it.
    pub(crate) fn judge<T, E: Into<BridgeError>>(&self, read: Result<T, E>) -> Result<T, BridgeError> {
        let read = read.map_err(Into::into);
        if matches!(read, Err(BridgeError::Connection(_))) && self.generation == generation() {
            forsake();
        }
        read
    }
}

/// Sees forks, once, when the module starts.
pub(crate) fn watch_forks() {
    extern "C" fn count() {
        FORKS.fetch_add(1, Ordering::Relaxed);
    }
    // SAFETY: the handler only adds to an atomic, which is allowed between fork and exec.
    unsafe { nix::libc::pthread_atfork(None, None, Some(count)) };
}

/// The current session's generation, or 0.
pub(crate) fn generation() -> u32 {
    if GENERATION.get() != 0 && FORKS.load(Ordering::Relaxed) != LINK_FORKS.get() {
        forsake();
    }
    GENERATION.get()
}

/// Whether this PHP request has spoken to a session.
pub(crate) fn is_in_use() -> bool {
    generation() != 0 && LINK.with_borrow(|link| link.as_ref().is_some_and(|link| link.is_used))
}

/// Sends a request and waits for its answer, which must be of the kind `expected`.
///
/// # Errors
/// [`BridgeError`]. After [`BridgeError::Connection`] and [`BridgeError::Timeout`] the link is gone.
pub(crate) fn exchange(
    session: Session,
    kind: Kind,
    expected: Kind,
    write: impl Fn(&mut Writer<'_>) -> Result<(), BridgeError>,
) -> Result<Reply, BridgeError> {
    let had_link = generation() != 0;
    match exchange_once(session, kind, expected, &write) {
        // The session ended while nobody looked (it was recycled, or killed): a request that names nothing of it
        // goes to a new one.
        Err(BridgeError::Connection(_)) if session == Session::Any && had_link => {
            exchange_once(session, kind, expected, &write)
        }
        result => result,
    }
}

fn exchange_once(
    session: Session,
    kind: Kind,
    expected: Kind,
    write: &impl Fn(&mut Writer<'_>) -> Result<(), BridgeError>,
) -> Result<Reply, BridgeError> {
    if objects::are_closed() {
        return Err(BridgeError::Stale("the PHP request is over: its Python objects are gone".to_owned()));
    }
    follow_settings()?;
    let current = generation();
    match session {
        Session::Of(generation) if generation != current => return Err(stale()),
        _ if current == 0 => connect::establish()?,
        _ => {}
    }
    let releases = objects::take_releases();
    let result = LINK.with_borrow_mut(|link| {
        let link = link.as_mut().ok_or_else(stale)?;
        link.is_used = true;
        let mut payload = Buffer::take();
        let call = link.send(kind, &releases, write)?;
        match link.receive(call, expected, &mut payload) {
            Ok(()) => Ok(payload),
            Err(error) => Err(Sent(error)),
        }
    });
    let error = match result {
        Ok(payload) => return Ok(Reply { payload, generation: GENERATION.get() }),
        Err(error) => error,
    };
    match error {
        // Nothing was sent: what PHP let go of is still to be said.
        NotSent(error) => {
            objects::restore_releases(releases);
            Err(error)
        }
        Sent(error) => Err(lose_if_broken(error)),
    }
}

/// Lets the link do what the settings say now. Another server, interpreter or choice of modules is for the next
/// request that begins: the objects of this one live in its session.
fn follow_settings() -> Result<(), BridgeError> {
    let version = settings::version();
    if generation() == 0 || LINK.with_borrow(|link| link.as_ref().is_none_or(|link| link.settings_version == version)) {
        return Ok(());
    }
    let wanted = Wanted::now();
    let timeout = settings::timeout()?;
    let is_other = LINK.with_borrow_mut(|link| {
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

/// Where an exchange ended.
enum Exchange {
    NotSent(BridgeError),
    Sent(BridgeError),
}
use Exchange::{NotSent, Sent};

impl From<BridgeError> for Exchange {
    fn from(error: BridgeError) -> Self {
        NotSent(error)
    }
}

impl Link {
    /// Writes and sends a frame, and gives its call id.
    fn send(
        &mut self,
        kind: Kind,
        releases: &[(u64, u64)],
        write: &impl Fn(&mut Writer<'_>) -> Result<(), BridgeError>,
    ) -> Result<u64, Exchange> {
        self.next_call += 1;
        let mut header = Header::new(kind, self.next_call);
        begin(&mut self.request);
        let mut writer = Writer::new(&mut self.request);
        if !releases.is_empty() {
            header.flags |= FLAG_RELEASES;
            write_releases(&mut writer, releases);
        }
        write(&mut writer)?;
        finish(&mut self.request, header).map_err(too_large)?;
        let sent = self.channel.send(&self.request);
        if self.request.capacity() > buffer::KEPT_BYTES {
            self.request = Vec::new();
        }
        match sent {
            Ok(()) => Ok(self.next_call),
            Err(error) => Err(Sent(self.explain(error.into()))),
        }
    }

    fn receive(&mut self, call: u64, expected: Kind, payload: &mut Vec<u8>) -> Result<(), BridgeError> {
        let header = self.channel.receive(payload, MAX_FRAME_BYTES).map_err(|error| self.explain(error.into()))?;
        if header.call != call {
            return Err(BridgeError::Connection(format!(
                "the session answered call {} while call {call} was waiting",
                header.call
            )));
        }
        match header.kind {
            kind if kind == expected => Ok(()),
            Kind::Failure => Err(BridgeError::Remote(Box::new(Failure::read(payload)?))),
            other => Err(BridgeError::Connection(format!("the session answered {other:?} where {expected:?} was due"))),
        }
    }

    /// Says what a broken link means to whoever reads the error.
    fn explain(&self, error: BridgeError) -> BridgeError {
        let log = self.log.as_ref().map(|log| format!("; its log is {}", log.display())).unwrap_or_default();
        match error {
            BridgeError::Connection(what) => BridgeError::Connection(format!(
                "the Python session (process {}) is lost: {what}. The call may have run. The next `new` gets a new \
                 session; objects of this one are gone{log}",
                self.welcome.process
            )),
            BridgeError::Timeout(what) => BridgeError::Timeout(format!(
                "the Python session (process {}) gave {what}, the limit that tortoise.timeout sets. The call may still \
                 run; objects of its session are gone{log}",
                self.welcome.process
            )),
            other => other,
        }
    }
}

fn too_large(malformed: Malformed) -> BridgeError {
    BridgeError::Conversion(format!("the arguments are too large: {malformed}"))
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
        BridgeError::Connection(_) | BridgeError::Timeout(_) => true,
        BridgeError::Remote(failure) => failure.category == Category::Protocol,
        _ => false,
    };
    if is_broken {
        forsake();
    }
    match error {
        BridgeError::Remote(failure) if failure.category == Category::Protocol => {
            let ran = if failure.ran == Ran::No { "It did not run." } else { "It may have run." };
            BridgeError::Connection(format!("the session refused the request: {}. {ran}", failure.message))
        }
        other => other,
    }
}

/// Closes the link, if there is one. Its objects become stale.
pub(crate) fn abandon() {
    if LINK.with(|link| link.try_borrow_mut().is_ok()) {
        forsake();
    }
}

fn forsake() {
    // In a fork the socket is the parent's too: closing our copy says nothing to the session.
    LINK.with_borrow_mut(|link| *link = None);
    GENERATION.set(0);
    objects::forget_all();
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

/// Tells the session which roots to search, if they changed.
pub(crate) fn announce_roots() -> Result<(), BridgeError> {
    let roots = settings::roots();
    if generation() == 0 || LINK.with_borrow(|link| link.as_ref().is_some_and(|link| link.roots == roots)) {
        return Ok(());
    }
    let texts = path_texts(&roots)?;
    exchange(Session::Any, Kind::Roots, Kind::Value, |writer| {
        write_roots(writer, &texts);
        Ok(())
    })?;
    LINK.with_borrow_mut(|link| {
        if let Some(link) = link {
            link.roots = roots;
        }
    });
    Ok(())
}

fn path_texts(roots: &[PathBuf]) -> Result<Vec<String>, BridgeError> {
    roots
        .iter()
        .map(|root| {
            root.to_str().map(str::to_owned).ok_or_else(|| {
                BridgeError::Access(format!("the class root {} is not UTF-8, which the wire needs", root.display()))
            })
        })
        .collect()
}

/// Sends the releases that wait, without an answer, if there are many.
pub(crate) fn flush_releases_if_due() {
    if objects::releases_are_due() && generation() != 0 {
        let releases = objects::take_releases();
        notify(Kind::Release, &releases);
    }
}

/// Tells the session that the PHP request is over. Objects that PHP frees from now on are freed here only.
pub(crate) fn end_request() {
    if is_in_use() {
        notify(Kind::EndRequest, &[]);
        LINK.with_borrow_mut(|link| {
            if let Some(link) = link {
                link.is_used = false;
            }
        });
    }
    objects::close();
}

/// Sends a frame that has no answer. If it cannot be sent the session is gone, and so is what the frame says.
fn notify(kind: Kind, releases: &[(u64, u64)]) {
    let result = LINK.with_borrow_mut(|link| match link {
        Some(link) => link.send(kind, releases, &|_: &mut Writer<'_>| Ok(())).map(drop),
        None => Ok(()),
    });
    if result.is_err() {
        forsake();
    }
}

/// What `Tortoise\status()` tells of the link: names and values.
pub(crate) fn status() -> Vec<(&'static str, String)> {
    generation();
    LINK.with_borrow(|link| match link {
        Some(link) => vec![
            ("server", link.server.clone()),
            ("channel", "unix socket".to_owned()),
            ("session", link.welcome.process.to_string()),
            ("python", link.welcome.python.clone()),
            ("log", link.log.as_ref().map(|log| log.display().to_string()).unwrap_or_default()),
        ],
        None => Vec::new(),
    })
}

/// Reads the answer to a request that gives a truth value.
pub(crate) fn read_boolean(reply: &Reply) -> Result<bool, BridgeError> {
    reply.judge(Reader::new(&reply.payload).boolean("a truth value"))
}
