//! Connects to a sidecar and says hello.

use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tortoise_channel::{Channel, ChannelError};
use tortoise_protocol::PRODUCT_VERSION;
use tortoise_protocol::frame::{Header, Kind, begin, finish};
use tortoise_protocol::handshake::{Hello, Refusal, Welcome};
use tortoise_protocol::limits::MAX_HELLO_BYTES;

use super::address::Address;
use super::autostart::{self, Place};
use super::state::{self, Link, Wanted};
use super::{scopes, tcp, token};
use crate::error::BridgeError;
use crate::{engine, exports, settings};

/// How long a sidecar may take to start, or to find room for one more session.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long nobody may listen at an address: where one sidecar leaves and another is about to come.
const ABSENCE: Duration = Duration::from_secs(1);

/// How often a sidecar may close the connection without a word: one that is leaving does, and a worker that dies.
const MAX_SILENCES: u32 = 8;

/// The first pause before another try; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Makes the link.
///
/// # Errors
/// [`BridgeError::Connection`] says what was tried and where to look; [`BridgeError::Timeout`]: the time of a
/// `Tortoise\timeout()` was over before.
pub(super) fn establish() -> Result<(), BridgeError> {
    let scope = scopes::current();
    let patience = Instant::now() + PATIENCE;
    let give_up = scope.map_or(patience, |scope| scope.end.min(patience));
    establish_until(give_up, scope.is_some()).map_err(|error| match (scope, error) {
        (Some(scope), BridgeError::Connection(why)) if scope.end <= Instant::now() => BridgeError::Timeout(format!(
            "no Python session within {} s, the limit that Tortoise\\timeout() sets; nothing was called: {why}",
            scope.seconds
        )),
        (_, error) => error,
    })
}

/// `is_strict`: nothing may take longer than until `give_up`.
fn establish_until(give_up: Instant, is_strict: bool) -> Result<(), BridgeError> {
    // What the session before this one had of PHP's.
    exports::settle();
    if engine::is_preloading() {
        return Err(BridgeError::Connection(
            "no Python session during opcache.preload: what is declared then is shared by all requests".to_owned(),
        ));
    }
    let settings_version = settings::version();
    let wanted = Wanted::now();
    let address = Address::parse(&wanted.server)?;
    let timeout = settings::timeout()?;
    let roots = settings::roots();
    let is_tcp = matches!(address, Address::Tcp(..));
    let hello = Hello {
        product: PRODUCT_VERSION.to_owned(),
        process: u64::from(std::process::id()),
        roots: path_texts(&roots)?,
        modules: wanted.modules.clone(),
        shared_memory: wanted.shared_memory && !is_tcp,
        token: if is_tcp { Some(token::read(&wanted.server)?) } else { None },
    };
    let absence = Instant::now() + ABSENCE;
    let mut pause = FIRST_PAUSE;
    let mut silences = 0;
    let (mut channel, welcome, place) = loop {
        let (socket, place) = match open(&address, &wanted, give_up) {
            Ok(opened) => opened,
            Err(Unreached::Absent(_)) if Instant::now() < absence.min(give_up) => {
                rest(&mut pause, give_up);
                continue;
            }
            Err(Unreached::Absent(why)) => return Err(BridgeError::Connection(why)),
            Err(Unreached::Failed(error)) => return Err(error),
        };
        let mut channel = Channel::over_socket(socket);
        // A private sidecar may just have taken its time to start. What lies behind a port may swallow everything, and
        // has had a part of the time for that.
        channel.set_timeout(Some(if is_tcp || is_strict { left_until(give_up) } else { PATIENCE }))?;
        let greeting = match greet(&mut channel, &hello) {
            Err(Greeting::Silence(why)) => {
                silences += 1;
                if silences < MAX_SILENCES { Greeting::Retry(why) } else { Greeting::Refused(why) }
            }
            Err(greeting) => greeting,
            Ok(welcome) => break (channel, welcome, place),
        };
        match greeting {
            // It was leaving just then, or is full for a moment.
            Greeting::Retry(_) if Instant::now() < give_up => rest(&mut pause, give_up),
            Greeting::Retry(why) | Greeting::Refused(why) | Greeting::Silence(why) => {
                let Place { server, .. } = &place;
                return Err(BridgeError::Connection(format!("the sidecar at {server} says: {why}; {}", place.hint())));
            }
        }
    };
    channel.set_timeout(timeout)?;
    state::put(Link {
        channel,
        next_call: 0,
        next_object: 1,
        roots,
        request: Default::default(),
        flight: Default::default(),
        is_used: false,
        first_call: 1,
        needs_care: true,
        owes_drops: false,
        deadline: None,
        takes_big_integers: engine::has_native("gmp_import"),
        welcome,
        place,
        wanted,
        settings_version,
    });
    Ok(())
}

/// Waits before another try.
fn rest(pause: &mut Duration, end: Instant) {
    std::thread::sleep((*pause).min(end.saturating_duration_since(Instant::now())));
    *pause = (2 * *pause).min(LONGEST_PAUSE);
}

/// In whole seconds where there is one, since an error names it.
fn left_until(end: Instant) -> Duration {
    let left = end.saturating_duration_since(Instant::now());
    if left < Duration::from_secs(1) { left } else { Duration::from_secs(left.as_secs_f64().round() as u64) }
}

/// Why no sidecar was reached.
pub(super) enum Unreached {
    /// Nobody listens there, at this moment.
    Absent(String),
    /// It will not do better.
    Failed(BridgeError),
}

impl From<BridgeError> for Unreached {
    fn from(error: BridgeError) -> Self {
        Self::Failed(error)
    }
}

fn open(address: &Address, wanted: &Wanted, end: Instant) -> Result<(OwnedFd, Place), Unreached> {
    let place = || Place { server: wanted.server.clone(), log: None };
    match address {
        Address::Auto => Ok(autostart::connect(&wanted.python).map(|(stream, place)| (stream.into(), place))?),
        Address::Unix(path) => UnixStream::connect(path).map(|stream| (stream.into(), place())).map_err(|error| {
            let why = format!(
                "no sidecar answers at unix://{} ({error}); start it with `tortoise serve --listen unix://{}`, or set \
                 tortoise.server=auto; `tortoise doctor` looks for what is wrong",
                path.display(),
                path.display()
            );
            match error.kind() {
                ErrorKind::NotFound | ErrorKind::ConnectionRefused => Unreached::Absent(why),
                _ => Unreached::Failed(BridgeError::Connection(why)),
            }
        }),
        Address::Tcp(host, port) => {
            tcp::connect(&wanted.server, host, *port, end).map(|stream| (stream.into(), place()))
        }
    }
}

/// Why there is no welcome.
enum Greeting {
    /// It asks for another try.
    Retry(String),
    /// It says no, or nothing that makes sense.
    Refused(String),
    /// It closed the connection without a word.
    Silence(String),
}

impl From<ChannelError> for Greeting {
    fn from(error: ChannelError) -> Self {
        match error {
            ChannelError::Closed | ChannelError::Broken => Self::Silence(error.to_string()),
            _ => Self::Refused(error.to_string()),
        }
    }
}

fn greet(channel: &mut Channel, hello: &Hello) -> Result<Welcome, Greeting> {
    let malformed = |error| Greeting::Refused(format!("the sidecar's answer makes no sense: {error}"));
    let mut frame = Vec::new();
    begin(&mut frame);
    hello.write(&mut frame);
    finish(&mut frame, Header::new(Kind::Hello, 0)).map_err(malformed)?;
    if let Err(error) = channel.send(&frame) {
        // It may have refused before it read; what it said is still there.
        if !matches!(error, ChannelError::Closed | ChannelError::Broken) {
            return Err(error.into());
        }
    }
    let mut payload = Vec::new();
    let header = channel.receive_first(&mut payload, MAX_HELLO_BYTES)?;
    match header.kind {
        Kind::Welcome => {
            let welcome = Welcome::read(&payload).map_err(malformed)?;
            if welcome.product == PRODUCT_VERSION {
                Ok(welcome)
            } else {
                Err(Greeting::Refused(Refusal::of_version(PRODUCT_VERSION).message))
            }
        }
        Kind::Refusal => {
            let refusal = Refusal::read(&payload).map_err(malformed)?;
            Err(if refusal.retry { Greeting::Retry(refusal.message) } else { Greeting::Refused(refusal.message) })
        }
        other => Err(Greeting::Refused(format!("{other:?} where a welcome was due"))),
    }
}

/// Class roots as the wire has them.
///
/// # Errors
/// [`BridgeError::Access`] if one is not UTF-8.
pub(super) fn path_texts(roots: &[PathBuf]) -> Result<Vec<String>, BridgeError> {
    roots
        .iter()
        .map(|root| {
            root.to_str().map(str::to_owned).ok_or_else(|| {
                BridgeError::Access(format!("the class root {} is not UTF-8, which the wire needs", root.display()))
            })
        })
        .collect()
}
