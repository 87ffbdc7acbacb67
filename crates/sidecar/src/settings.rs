//! The settings: defaults, then the settings file, then the environment, then flags; later ones win.

mod choices;
mod error;
mod given;
mod reference;
#[cfg(test)]
mod tests;
mod units;
mod values;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tortoise_protocol::handshake::AccessToken;
use tortoise_protocol::limits::{MAX_MODULE_PATTERNS, MAX_ROOTS};

use crate::address::Address;
use crate::cli::Flags;
use crate::interpreter;
use crate::limits::{MAX_PRELOADED_MODULES, MAX_SESSIONS, MAX_SPINNING_SESSIONS, MAX_WORKERS};
use crate::log::LogLevel;

pub use self::choices::{Isolation, ReloadWhen, SessionSpan};
pub use self::error::SettingsError;
pub(crate) use self::given::Given;
pub use self::reference::{reference, with_defaults};
pub use self::units::{Seconds, Size, UnitError};
pub use self::values::{Listen, Values};

/// A class root that the sidecar serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// Without links, as sessions get it.
    pub canonical: String,
    /// As it was set, made absolute: a client may name it like this too.
    pub absolute: String,
}

/// The settings, checked. [`Values`] says what each means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Class roots, in the order in which they are searched.
    pub path: Vec<Root>,
    /// Patterns of modules that clients may open.
    pub modules: Vec<String>,
    /// The Python interpreter: an absolute path, its links kept, because a venv is known by them.
    pub python: PathBuf,
    /// Where to listen.
    pub listen: Vec<Address>,
    /// What clients over TCP must know; read if there is such an address.
    pub token: Option<AccessToken>,
    /// What keeps sessions apart.
    pub isolation: Isolation,
    /// With threads: processes among which sessions are spread, one or more.
    pub workers: u32,
    /// Modules that are imported before the first session, in this order.
    pub preload: Vec<String>,
    /// Sessions at once.
    pub max_sessions: u32,
    /// Sessions that wait for clients to come.
    pub spare_sessions: u32,
    /// Sessions at once that may spin; None: as many as there are CPUs.
    pub spinning_sessions: Option<u32>,
    /// Requests that a session serves; None: no bound. With `session = "request"` it is 1.
    pub max_requests: Option<u64>,
    /// A session's age at which it is replaced; None: no bound.
    pub max_age: Option<Duration>,
    /// A session's resident bytes at which it is replaced; None: no bound.
    pub max_memory: Option<u64>,
    /// Bytes that a session can allocate; None: no bound.
    pub memory_limit: Option<u64>,
    /// What an interrupted call has, before its session is killed.
    pub grace: Duration,
    /// What requests have to end when the sidecar stops, restarts or reloads.
    pub drain: Duration,
    /// When changed code is loaded.
    pub reload: ReloadWhen,
    /// Leave after this long without a session; None: never.
    pub idle_exit: Option<Duration>,
    /// The file for the stacks of slow calls, absolute; None: they go to the log.
    pub slow_log: Option<PathBuf>,
    /// How much is logged.
    pub log_level: LogLevel,
    /// The log file that is set, absolute. [`Service`](crate::supervisor::Service) says where the log really goes.
    pub log_file: Option<PathBuf>,
    /// The file that holds the process id, absolute.
    pub pid_file: Option<PathBuf>,
}

impl Settings {
    /// Merges and checks. Relative paths count from the current folder, or from the settings file's own if they
    /// stand in it. `auto`: for a private sidecar.
    ///
    /// # Errors
    /// [`SettingsError`] names the setting, and the line if it stands in a file.
    pub fn load(flags: &Flags, auto: bool) -> Result<Self, SettingsError> {
        let settings = Self::load_to_check(flags, auto)?;
        if settings.listen.is_empty() { Err(SettingsError::NoAddress) } else { Ok(settings) }
    }

    /// The same, but there need not be an address to listen on.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub(crate) fn load_to_check(flags: &Flags, auto: bool) -> Result<Self, SettingsError> {
        let given = Given::read(flags, auto)?;
        let tcp = given.listen.iter().find(|address| matches!(address, Address::Tcp(_)));
        if let (true, Some(address)) = (auto, tcp) {
            return Err(SettingsError::NotPrivate(address.clone()));
        }
        let token = given.token()?;
        let Given { path, python, listen, values } = given;
        // What has a default has a value by now.
        let settings = Self {
            path: path.iter().map(|path| Root::new(path)).collect::<Result<_, _>>()?,
            modules: values.modules.unwrap_or_default(),
            python: interpreter::find(&python)?,
            listen,
            token,
            isolation: values.isolation.unwrap_or_default(),
            workers: values.workers.unwrap_or_else(cpus),
            preload: values.preload.unwrap_or_default(),
            max_sessions: values.max_sessions.unwrap_or_default(),
            spare_sessions: values.spare_sessions.unwrap_or_default(),
            spinning_sessions: values.spinning_sessions,
            max_requests: requests(values.session.unwrap_or_default(), values.max_requests.unwrap_or_default())?,
            max_age: values.max_age.and_then(Seconds::bound),
            max_memory: values.max_memory.and_then(Size::bound),
            memory_limit: values.memory_limit.and_then(Size::bound),
            grace: values.grace.unwrap_or_default().0,
            drain: values.drain.unwrap_or_default().0,
            reload: values.reload.unwrap_or_default(),
            idle_exit: values.idle_exit.and_then(Seconds::bound),
            slow_log: absolute(values.slow_log)?,
            log_level: values.log_level.unwrap_or_default(),
            log_file: absolute(values.log_file)?,
            pid_file: absolute(values.pid_file)?,
        };
        settings.check(auto)?;
        Ok(settings)
    }

    fn check(&self, auto: bool) -> Result<(), SettingsError> {
        // A private sidecar is told the roots by its clients.
        if self.path.is_empty() && self.modules.is_empty() && !auto {
            return Err(SettingsError::NoRoots);
        }
        if let Some(name) = self.preload.iter().find(|name| !is_module(name)) {
            return Err(SettingsError::NotModule(name.clone()));
        }
        for (name, value, least, most) in [
            ("the number of class roots", self.path.len() as u64, 0, MAX_ROOTS as u64),
            ("the number of module patterns", self.modules.len() as u64, 0, MAX_MODULE_PATTERNS as u64),
            ("the number of preloaded modules", self.preload.len() as u64, 0, MAX_PRELOADED_MODULES as u64),
            ("workers", u64::from(self.workers), 1, u64::from(MAX_WORKERS)),
            ("max_sessions", u64::from(self.max_sessions), 1, u64::from(MAX_SESSIONS)),
            ("spare_sessions", u64::from(self.spare_sessions), 0, u64::from(MAX_SESSIONS)),
            ("spinning_sessions", u64::from(self.spinning_sessions.unwrap_or(0)), 0, u64::from(MAX_SPINNING_SESSIONS)),
        ] {
            in_range(name, value, least, most)?;
        }
        Ok(())
    }
}

fn requests(span: SessionSpan, max_requests: u64) -> Result<Option<u64>, SettingsError> {
    match (span, max_requests) {
        (SessionSpan::Request, 0 | 1) => Ok(Some(1)),
        (SessionSpan::Request, more) => Err(SettingsError::OneRequest(more)),
        (SessionSpan::Connection, count) => Ok((count > 0).then_some(count)),
    }
}

fn cpus() -> u32 {
    let count = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    u32::try_from(count).unwrap_or(MAX_WORKERS).min(MAX_WORKERS)
}

fn absolute(path: Option<PathBuf>) -> Result<Option<PathBuf>, SettingsError> {
    path.map(|path| std::path::absolute(&path).map_err(|error| SettingsError::Relative { path, error })).transpose()
}

fn is_module(name: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && part.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    name.split('.').all(is_part)
}

impl Root {
    pub(crate) fn new(path: &Path) -> Result<Self, SettingsError> {
        let absolute =
            std::path::absolute(path).map_err(|error| SettingsError::Root { path: path.to_owned(), error })?;
        let failed = |error| SettingsError::Root { path: absolute.clone(), error };
        let canonical = absolute.canonicalize().map_err(failed)?;
        if !canonical.is_dir() {
            return Err(failed(io::Error::from(io::ErrorKind::NotADirectory)));
        }
        match (canonical.into_os_string().into_string(), absolute.to_str()) {
            (Ok(canonical), Some(absolute)) => Ok(Self { canonical, absolute: absolute.to_owned() }),
            _ => Err(failed(io::Error::new(io::ErrorKind::InvalidInput, "the path is not UTF-8"))),
        }
    }
}

fn in_range(name: &'static str, value: u64, least: u64, most: u64) -> Result<(), SettingsError> {
    if (least..=most).contains(&value) { Ok(()) } else { Err(SettingsError::Range { name, value, least, most }) }
}
