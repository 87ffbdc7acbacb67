//! The one table of settings: each with its key in the settings file, its environment variable, its flag, and what it
//! means. The help of the command line and docs/configuration.md are made from it.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use serde::{Deserialize, Serialize, Serializer};

use super::choices::{Isolation, ReloadWhen, SessionSpan};
use super::units::{Seconds, Size};
use crate::address::{Address, AddressError};
use crate::interpreter;
use crate::limits::{MAX_SESSIONS, MAX_SPINNING_SESSIONS, MAX_WORKERS};
use crate::log::LogLevel;

/// The settings of one place: the file, the environment and flags, or what holds where nothing is set.
#[derive(Debug, Clone, Default, PartialEq, Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Values {
    /// Class roots, searched in this order; clients see no others
    ///
    /// PHP's own `tortoise.path` can only choose among them.
    #[arg(long, value_name = "DIR:DIR", env = "TORTOISE_PATH", value_delimiter = ':')]
    pub path: Option<Vec<PathBuf>>,

    /// Patterns of the modules that clients may open
    ///
    /// A pattern is a module's name, in which `*` stands for anything: `numpy`, `json`, `scipy.*`. PHP's own
    /// `tortoise.modules` can only narrow them.
    #[arg(long, value_name = "PATTERN,PATTERN", env = "TORTOISE_MODULES", value_delimiter = ',')]
    pub modules: Option<Vec<String>>,

    /// Python interpreter, 3.11 or newer, such as a venv's bin/python
    ///
    /// A name without a slash is looked up in `PATH`.
    #[arg(long, value_name = "FILE", env = "TORTOISE_PYTHON")]
    pub python: Option<PathBuf>,

    /// Address to listen on, as unix:///run/tortoise/tortoise.sock or tcp://127.0.0.1:1990; may be given more than once
    ///
    /// A Unix socket is for processes of the sidecar's own user. A port is for this machine and for who knows the
    /// token.
    #[arg(long, value_name = "ADDRESS", env = "TORTOISE_LISTEN", value_delimiter = ',')]
    pub listen: Option<Vec<Listen>>,

    /// File with the token that clients over TCP must know, 32 to 4096 bytes, readable for its owner alone
    #[arg(long, value_name = "FILE", env = "TORTOISE_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,

    /// What keeps sessions apart: each a process, or each a thread of a few processes
    ///
    /// `process`: a session may crash, hang or be killed without any other noticing, and no session waits for another's
    /// interpreter lock. `thread`: sessions share modules, their state and memory; whoever hangs while holding the
    /// interpreter's lock stops the others of its process, and is ended together with them.
    #[arg(long, value_name = "KIND", env = "TORTOISE_ISOLATION")]
    pub isolation: Option<Isolation>,

    /// With isolation = thread: processes among which the sessions are spread [default: the CPUs]
    #[arg(
        long,
        value_name = "COUNT",
        env = "TORTOISE_WORKERS",
        value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_WORKERS)),
    )]
    pub workers: Option<u32>,

    /// Modules that are imported once, before the first session, in this order
    ///
    /// Sessions begin with them, so they cost each session neither time nor memory of its own. Code of class roots may
    /// be among them. A module that starts a thread when it is imported cannot be: threads do not survive the fork that
    /// makes a session.
    #[arg(long, value_name = "MODULE,MODULE", env = "TORTOISE_PRELOAD", value_delimiter = ',')]
    pub preload: Option<Vec<String>>,

    /// Sessions at once; clients beyond it wait a moment and are then told to try again
    #[arg(
        long,
        value_name = "COUNT",
        env = "TORTOISE_MAX_SESSIONS",
        value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_SESSIONS)),
    )]
    pub max_sessions: Option<u32>,

    /// Sessions that are kept ready for clients to come; a private sidecar keeps 1
    ///
    /// A client that finds one need not wait for a process to be made.
    #[arg(long, value_name = "COUNT", env = "TORTOISE_SPARE_SESSIONS")]
    pub spare_sessions: Option<u32>,

    /// Sessions at once that may wait for their next call without sleeping, which is what makes calls fast; 0: none
    /// [default: the CPUs]
    #[arg(
        long,
        value_name = "COUNT",
        env = "TORTOISE_SPINNING_SESSIONS",
        value_parser = clap::value_parser!(u32).range(0..=i64::from(MAX_SPINNING_SESSIONS)),
    )]
    pub spinning_sessions: Option<u32>,

    /// How long a session serves its PHP process: all its requests, or one
    ///
    /// Objects end with PHP's request in any case. With `connection`, modules and class attributes stay as the request
    /// left them, as in any long-running Python. With `request` each request begins with what was preloaded, at the
    /// price of importing the rest again.
    #[arg(long, value_name = "SPAN", env = "TORTOISE_SESSION")]
    pub session: Option<SessionSpan>,

    /// Requests of PHP after which a session is replaced by a new one; 0: no bound
    ///
    /// Between two requests, and never in one.
    #[arg(long, value_name = "COUNT", env = "TORTOISE_MAX_REQUESTS")]
    pub max_requests: Option<u64>,

    /// Seconds after which a session is replaced by a new one, when its request has ended; 0: no bound
    #[arg(long, value_name = "SECONDS", env = "TORTOISE_MAX_AGE")]
    pub max_age: Option<Seconds>,

    /// Resident memory of more than this many bytes has a session replaced by a new one, when its request has ended;
    /// 0: no bound
    ///
    /// Bytes, with K, M or G behind them. What sessions share counts for each.
    #[arg(long, value_name = "SIZE", env = "TORTOISE_MAX_MEMORY")]
    pub max_memory: Option<Size>,

    /// Memory that a session can allocate; beyond it Python raises MemoryError; 0: no bound
    ///
    /// Bytes, with K, M or G behind them. What was preloaded counts too. With `isolation = "thread"` it is for each
    /// process.
    #[arg(long, value_name = "SIZE", env = "TORTOISE_MEMORY_LIMIT")]
    pub memory_limit: Option<Size>,

    /// Seconds that a call has, once it has been interrupted, before its session is killed
    ///
    /// A call is interrupted when PHP does not wait for it any more: because `tortoise.timeout` is over, or because
    /// PHP has ended. In these seconds its `finally` blocks run.
    #[arg(long, value_name = "SECONDS", env = "TORTOISE_GRACE")]
    pub grace: Option<Seconds>,

    /// Seconds that requests have to end when the sidecar stops, restarts or reloads; what runs longer is killed
    #[arg(long, value_name = "SECONDS", env = "TORTOISE_DRAIN")]
    pub drain: Option<Seconds>,

    /// Whether sessions load changed code by themselves; for development, and what a private sidecar does
    ///
    /// With `on-change`, files are looked at before each request of PHP. With `never`, changed code is served after
    /// `tortoise reload`.
    #[arg(long, value_name = "WHEN", env = "TORTOISE_RELOAD")]
    pub reload: Option<ReloadWhen>,

    /// Leave after this many seconds without a session; 0: never; a private sidecar leaves after 300
    ///
    /// A sidecar that PHP starts by itself inherits PHP's environment, so the variable reaches it too.
    #[arg(long, value_name = "SECONDS", env = "TORTOISE_IDLE_EXIT")]
    pub idle_exit: Option<Seconds>,

    /// File for the Python stacks of calls that took too long; without it they stand in the log
    #[arg(long, value_name = "FILE", env = "TORTOISE_SLOW_LOG")]
    pub slow_log: Option<PathBuf>,

    /// How much to log
    #[arg(long, value_name = "LEVEL", env = "TORTOISE_LOG_LEVEL")]
    pub log_level: Option<LogLevel>,

    /// Log file of a sidecar that `tortoise start` runs [default: beside the first Unix socket, as .log]
    ///
    /// When it has 10 MiB it becomes `FILE.1`. `tortoise serve` logs to standard error.
    #[arg(long, value_name = "FILE", env = "TORTOISE_LOG_FILE")]
    pub log_file: Option<PathBuf>,

    /// File that holds the process id while the sidecar runs [default with `start`: beside the first Unix socket, as
    /// .pid]
    ///
    /// The sidecar keeps it locked, so that a second one with the same file is refused, and one that was left behind by a
    /// crash is not.
    #[arg(long, value_name = "FILE", env = "TORTOISE_PID_FILE")]
    pub pid_file: Option<PathBuf>,
}

/// One `[[listen]]` of the settings file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listen {
    /// Where.
    #[serde(serialize_with = "as_text")]
    pub address: Address,
}

fn as_text<S: Serializer>(address: &Address, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(address)
}

impl FromStr for Listen {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Ok(Self { address: text.parse()? })
    }
}

impl Values {
    /// What holds where nothing is set. `auto`: in a private sidecar. What is None here has its default in words.
    #[must_use]
    pub fn defaults(auto: bool) -> Self {
        Self {
            path: Some(Vec::new()),
            modules: Some(Vec::new()),
            python: Some("python3".into()),
            listen: Some(Vec::new()),
            token_file: None,
            isolation: Some(Isolation::Process),
            workers: None,
            preload: Some(Vec::new()),
            max_sessions: Some(512),
            spare_sessions: Some(if auto { 1 } else { 2 }),
            spinning_sessions: None,
            session: Some(SessionSpan::Connection),
            max_requests: Some(0),
            max_age: Some(Seconds::whole(0)),
            max_memory: Some(Size(0)),
            memory_limit: Some(Size(0)),
            grace: Some(Seconds::whole(5)),
            drain: Some(Seconds::whole(30)),
            reload: Some(if auto { ReloadWhen::OnChange } else { ReloadWhen::Never }),
            idle_exit: Some(Seconds::whole(if auto { 300 } else { 0 })),
            slow_log: None,
            log_level: Some(LogLevel::Info),
            log_file: None,
            pid_file: None,
        }
    }

    /// These, and where one is not set that of `other`.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            path: self.path.or(other.path),
            modules: self.modules.or(other.modules),
            python: self.python.or(other.python),
            listen: self.listen.or(other.listen),
            token_file: self.token_file.or(other.token_file),
            isolation: self.isolation.or(other.isolation),
            workers: self.workers.or(other.workers),
            preload: self.preload.or(other.preload),
            max_sessions: self.max_sessions.or(other.max_sessions),
            spare_sessions: self.spare_sessions.or(other.spare_sessions),
            spinning_sessions: self.spinning_sessions.or(other.spinning_sessions),
            session: self.session.or(other.session),
            max_requests: self.max_requests.or(other.max_requests),
            max_age: self.max_age.or(other.max_age),
            max_memory: self.max_memory.or(other.max_memory),
            memory_limit: self.memory_limit.or(other.memory_limit),
            grace: self.grace.or(other.grace),
            drain: self.drain.or(other.drain),
            reload: self.reload.or(other.reload),
            idle_exit: self.idle_exit.or(other.idle_exit),
            slow_log: self.slow_log.or(other.slow_log),
            log_level: self.log_level.or(other.log_level),
            log_file: self.log_file.or(other.log_file),
            pid_file: self.pid_file.or(other.pid_file),
        }
    }

    /// Relative paths count from `folder`.
    #[must_use]
    pub(crate) fn in_folder(mut self, folder: &Path) -> Self {
        self.python = self.python.map(|python| match interpreter::is_path(&python) {
            true => folder.join(python),
            false => python,
        });
        let files = [&mut self.token_file, &mut self.slow_log, &mut self.log_file, &mut self.pid_file];
        for path in self.path.iter_mut().flatten().chain(files.into_iter().flatten()) {
            *path = folder.join(&*path);
        }
        self
    }
}
