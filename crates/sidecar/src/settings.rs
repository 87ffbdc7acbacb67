//! The settings: defaults, then the settings file, then the environment, then flags; later ones win.

mod choices;
mod given;
mod reference;
mod units;
mod values;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tortoise_protocol::handshake::AccessToken;
use tortoise_protocol::limits::{MAX_MODULE_PATTERNS, MAX_ROOTS};

use crate::address::Address;
use crate::cli::Flags;
use crate::interpreter::{self, InterpreterError};
use crate::limits::{MAX_PRELOADED_MODULES, MAX_SESSIONS, MAX_SPINNING_SESSIONS, MAX_WORKERS};
use crate::log::LogLevel;
use crate::token::TokenFileError;

pub use self::choices::{Isolation, ReloadWhen, SessionSpan};
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

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The settings file cannot be read.
    #[error("cannot read the settings file {}: {error}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
    /// The settings file is not what it should be; the error shows the line.
    #[error("in the settings file {}: {error}", .path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// What is wrong and where.
        error: Box<toml::de::Error>,
    },
    /// Nowhere to listen.
    #[error(
        "no address to listen on; give --listen unix:///run/tortoise/tortoise.sock, or [[listen]] in the settings file"
    )]
    NoAddress,
    /// Nothing to serve.
    #[error("no class roots; give --path DIR, or path = [\"DIR\"] in the settings file")]
    NoRoots,
    /// A class root that cannot be used.
    #[error("the class root {}: {error}", .path.display())]
    Root {
        /// The root as it was set, made absolute.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A number that is out of range.
    #[error("{name} is {value}, and must be from {least} to {most}")]
    Range {
        /// The setting.
        name: &'static str,
        /// What it was set to.
        value: u64,
        /// The least that is allowed.
        least: u64,
        /// The most that is allowed.
        most: u64,
    },
    /// What is no module's name.
    #[error("preload: {0:?} is not the name of a module, such as numpy or app.models")]
    NotModule(String),
    /// Two settings that contradict one another.
    #[error(
        "session is \"request\" and max_requests is {0}; with a session for each request leave max_requests out, and for \
         more requests set session to \"connection\""
    )]
    OneRequest(u64),
    /// A path that depends on a current folder that there is not.
    #[error("{}: relative, and the current folder is unknown: {error}", .path.display())]
    Relative {
        /// The path as it was set.
        path: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
    /// The interpreter cannot be found.
    #[error(transparent)]
    Interpreter(#[from] InterpreterError),
    /// Anybody on this machine could come.
    #[error(
        "{0} needs a token, since anybody on this machine can connect to it; make one with: (umask 077; head -c 32 \
         /dev/urandom | base64 > FILE), and name it by --token-file FILE, or token_file = \"FILE\" in the settings file, \
         and by tortoise.token_file in PHP's configuration"
    )]
    NoToken(Address),
    /// The token file cannot be used.
    #[error(transparent)]
    TokenFile(#[from] TokenFileError),
    /// PHP starts its private sidecar on a Unix socket.
    #[error("{0}: a private sidecar (--auto) listens on Unix sockets only")]
    NotPrivate(Address),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(config: Option<PathBuf>) -> Flags {
        Flags { config, ..Flags::default() }
    }

    fn file(text: &str) -> (tempfile::TempDir, Flags) {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("classes")).expect("a root");
        let path = folder.path().join("tortoise.toml");
        std::fs::write(&path, text).expect("written");
        (folder, flags(Some(path)))
    }

    const USUAL: &str = "path = ['classes']\nmodules = ['json']\npython = '/bin/sh'\nidle_exit = 7\nmax_sessions = 3\n\
                         spinning_sessions = 4\nlog_level = 'debug'\n[[listen]]\naddress = 'unix:///run/t.sock'\n";

    #[test]
    fn a_file_is_read_and_its_paths_count_from_its_folder() {
        let (folder, flags) = file(USUAL);
        let settings = Settings::load(&flags, false).expect("settings");
        let root = folder.path().canonicalize().expect("a path").join("classes");
        assert_eq!(settings.path[0].canonical, root.to_str().expect("UTF-8"));
        assert_eq!(settings.modules, ["json"]);
        assert_eq!(settings.python, Path::new("/bin/sh"));
        assert_eq!(settings.listen, [Address::Unix("/run/t.sock".into())]);
        assert_eq!(settings.idle_exit, Some(Duration::from_secs(7)));
        assert_eq!((settings.max_sessions, settings.log_level), (3, LogLevel::Debug));
        assert_eq!(settings.spinning_sessions, Some(4));
    }

    #[test]
    fn a_flag_wins_over_the_file() {
        let (_folder, mut flags) = file(USUAL);
        flags.values.listen = Some(vec![Listen { address: Address::Unix("/run/other.sock".into()) }]);
        flags.values.idle_exit = Some(Seconds::whole(0));
        flags.values.python = Some("/bin/cat".into());
        let settings = Settings::load(&flags, false).expect("settings");
        assert_eq!(settings.listen, [Address::Unix("/run/other.sock".into())]);
        assert_eq!(settings.idle_exit, None);
        assert_eq!(settings.python, Path::new("/bin/cat"));
    }

    #[test]
    fn errors_in_a_file_name_the_line_and_the_key() {
        for (text, line, expected) in [
            ("path = ['classes']\nidle_exitt = 3\n", "line 2", "unknown field `idle_exitt`"),
            ("[[listen]]\naddress = 'unix:///a'\ntls = true\n", "line 3", "unknown field `tls`"),
            ("\n\nidle_exit = 'soon'\n", "line 3", "a number of seconds"),
            ("grace = -1\n", "line 1", "from 0 to 316224000"),
            ("max_memory = '1T'\n", "line 1", "512M"),
            ("memory_limit = -1\n", "line 1", "512M"),
            ("isolation = 'fork'\n", "line 1", "`process` or `thread`"),
            ("reload = 'always'\n", "line 1", "on-change"),
            ("[[listen]]\naddress = 'tls://0.0.0.0:1'\n", "line 2", "not supported yet"),
            ("[[listen]]\naddress = 'tcp://0.0.0.0:1'\n", "line 2", "in the clear"),
            ("path = [\n", "line 1", "array"),
        ] {
            let (_folder, flags) = file(text);
            let error = Settings::load(&flags, false).expect_err(text).to_string();
            for part in [line, expected, "tortoise.toml"] {
                assert!(error.contains(part), "{part} is missing in: {error}");
            }
        }
    }

    #[test]
    fn what_is_not_set_has_its_default_and_a_private_sidecar_its_own() {
        let (_folder, flags) =
            file("path = ['classes']\npython = '/bin/sh'\n[[listen]]\naddress = 'unix:///run/t.sock'\n");
        let settings = Settings::load(&flags, false).expect("settings");
        assert_eq!((settings.isolation, settings.reload), (Isolation::Process, ReloadWhen::Never));
        assert_eq!((settings.max_sessions, settings.spare_sessions), (512, 2));
        assert!(settings.workers >= 1 && settings.preload.is_empty());
        assert_eq!((settings.max_requests, settings.max_age), (None, None));
        assert_eq!((settings.max_memory, settings.memory_limit), (None, None));
        assert_eq!((settings.grace, settings.drain), (Duration::from_secs(5), Duration::from_secs(30)));
        assert_eq!((settings.slow_log, settings.pid_file, settings.log_file), (None, None, None));
        let private = Settings::load(&flags, true).expect("settings");
        assert_eq!((private.spare_sessions, private.reload), (1, ReloadWhen::OnChange));
    }

    #[test]
    fn sizes_and_spans_of_time_have_their_units() {
        let (folder, mut flags) = file(&format!(
            "isolation = 'thread'\nworkers = 3\npreload = ['numpy', 'app.models']\nspare_sessions = 0\nmax_requests = 9\n\
             max_age = 60\nmax_memory = '512M'\nmemory_limit = 1024\ngrace = 0.5\ndrain = 2\nreload = 'on-change'\n\
             slow_log = 'slow.log'\npid_file = '/run/t.pid'\nlog_file = 'log/t.log'\n{USUAL}"
        ));
        let settings = Settings::load(&flags, false).expect("settings");
        assert_eq!((settings.isolation, settings.workers), (Isolation::Thread, 3));
        assert_eq!(settings.preload, ["numpy", "app.models"]);
        assert_eq!((settings.spare_sessions, settings.max_requests), (0, Some(9)));
        assert_eq!(settings.max_age, Some(Duration::from_secs(60)));
        assert_eq!((settings.max_memory, settings.memory_limit), (Some(512 << 20), Some(1024)));
        assert_eq!((settings.grace, settings.drain), (Duration::from_millis(500), Duration::from_secs(2)));
        assert_eq!(settings.reload, ReloadWhen::OnChange);
        assert_eq!(settings.slow_log, Some(folder.path().join("slow.log")));
        assert_eq!(settings.pid_file, Some("/run/t.pid".into()));
        assert_eq!(settings.log_file, Some(folder.path().join("log/t.log")));
        flags.values.max_memory = Some(Size(0));
        assert_eq!(Settings::load(&flags, false).expect("settings").max_memory, None);
    }

    #[test]
    fn a_session_for_each_request_serves_one() {
        let (_folder, mut flags) = file(&format!("session = 'request'\n{USUAL}"));
        assert_eq!(Settings::load(&flags, false).expect("settings").max_requests, Some(1));
        flags.values.max_requests = Some(2);
        let error = Settings::load(&flags, false).expect_err("both").to_string();
        assert!(error.contains("session is \"request\" and max_requests is 2"), "{error}");
    }

    #[test]
    fn what_is_no_module_cannot_be_preloaded() {
        for name in ["", "a..b", "numpy, json", "../x"] {
            let (_folder, mut flags) = file(USUAL);
            flags.values.preload = Some(vec!["json".to_owned(), name.to_owned()]);
            let error = Settings::load(&flags, false).expect_err(name).to_string();
            assert!(error.contains(&format!("{name:?} is not the name of a module")), "{error}");
        }
    }

    const TCP: &str = "path = ['classes']\npython = '/bin/sh'\n[[listen]]\naddress = 'tcp://localhost:0'\n";

    #[test]
    fn tcp_needs_a_token_and_the_error_says_what_to_write() {
        let (folder, mut flags) = file(TCP);
        let error = Settings::load(&flags, false).expect_err("no token").to_string();
        for part in ["tcp://127.0.0.1:0", "--token-file FILE", "token_file = \"FILE\"", "tortoise.token_file"] {
            assert!(error.contains(part), "{part} is missing in: {error}");
        }
        let (_other, flagged) = file(&format!("token_file = 'secret'\n{TCP}"));
        let error = Settings::load(&flagged, false).expect_err("no such file").to_string();
        assert!(error.contains("/secret: No such file"), "{error}");
        // Later ones win.
        let path = folder.path().join("token");
        std::fs::write(&path, [b'x'; 32]).expect("written");
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("set");
        flags.values.token_file = Some(path);
        let settings = Settings::load(&flags, false).expect("settings");
        assert_eq!(settings.token, Some(AccessToken::from_file_content(&[b'x'; 32]).expect("a token")));
        assert!(!format!("{settings:?}").contains("xxx"), "{settings:?}");
    }

    #[test]
    fn without_tcp_the_token_file_is_not_looked_at() {
        let (_folder, flags) = file(&format!("token_file = '/nowhere/secret'\n{USUAL}"));
        assert_eq!(Settings::load(&flags, false).expect("settings").token, None);
    }

    #[test]
    fn a_private_sidecar_does_not_listen_over_tcp() {
        let (_folder, flags) = file(TCP);
        let error = Settings::load(&flags, true).expect_err("refused").to_string();
        assert!(error.contains("Unix sockets only"), "{error}");
    }

    #[test]
    fn values_out_of_range_name_the_setting() {
        for value in ["0", "70000"] {
            let (_folder, flags) = file(&USUAL.replace("max_sessions = 3", &format!("max_sessions = {value}")));
            let error = Settings::load(&flags, false).expect_err(value).to_string();
            assert_eq!(error, format!("max_sessions is {value}, and must be from 1 to 65536"));
        }
    }

    #[test]
    fn a_root_that_is_missing_or_a_file_is_named() {
        let (folder, flags) = file(&USUAL.replace("classes", "nowhere"));
        let error = Settings::load(&flags, false).expect_err("no such root").to_string();
        assert!(error.contains(&format!("{}/nowhere: No such file", folder.path().display())), "{error}");
        let (_folder, flags) = file(&USUAL.replace("classes", "tortoise.toml"));
        let error = Settings::load(&flags, false).expect_err("a file").to_string();
        assert!(error.contains("tortoise.toml: not a directory"), "{error}");
    }

    #[test]
    fn without_addresses_or_roots_there_is_nothing_to_do() {
        let (_folder, flags) = file("path = ['classes']\npython = '/bin/sh'\n");
        assert!(matches!(Settings::load(&flags, false), Err(SettingsError::NoAddress)));
        let (_folder, flags) = file("python = '/bin/sh'\n[[listen]]\naddress = 'unix:///run/t.sock'\n");
        assert!(matches!(Settings::load(&flags, false), Err(SettingsError::NoRoots)));
        let settings = Settings::load(&flags, true).expect("a private sidecar needs no roots");
        assert_eq!(settings.idle_exit, Some(Duration::from_secs(300)));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Settings::load(&flags(Some("/nowhere/t.toml".into())), false).expect_err("missing").to_string();
        assert!(error.contains("/nowhere/t.toml: No such file"), "{error}");
    }
}
