//! The settings: defaults, then the settings file, then the environment, then flags; later ones win.

mod given;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tortoise_protocol::handshake::AccessToken;
use tortoise_protocol::limits::{MAX_MODULE_PATTERNS, MAX_ROOTS};

use crate::address::Address;
use crate::cli::Flags;
use crate::interpreter::{self, InterpreterError};
use crate::limits::{MAX_SESSIONS, MAX_SPINNING_SESSIONS};
use crate::log::LogLevel;
use crate::token::TokenFileError;

pub(crate) use self::given::Given;

/// Sessions at once, unless set.
pub const DEFAULT_MAX_SESSIONS: u32 = 512;

/// Seconds without a session after which a private sidecar leaves, unless set.
pub const DEFAULT_AUTO_IDLE_EXIT: u64 = 300;

/// A class root that the sidecar serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// Without links, as sessions get it.
    pub canonical: String,
    /// As it was set, made absolute: a client may name it like this too.
    pub absolute: String,
}

/// The settings, checked.
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
    /// Leave after this long without a session; None: never.
    pub idle_exit: Option<Duration>,
    /// Sessions at once.
    pub max_sessions: u32,
    /// Sessions at once that may spin; None: as many as there are CPUs.
    pub spinning_sessions: Option<u32>,
    /// How much is logged.
    pub log_level: LogLevel,
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
        let given = Given::read(flags)?;
        let tcp = given.listen.iter().find(|address| matches!(address, Address::Tcp(_)));
        if let (true, Some(address)) = (auto, tcp) {
            return Err(SettingsError::NotPrivate(address.clone()));
        }
        let idle_exit = given.idle_exit.unwrap_or(if auto { DEFAULT_AUTO_IDLE_EXIT } else { 0 });
        let settings = Self {
            path: given.path.iter().map(|path| Root::new(path)).collect::<Result<_, _>>()?,
            python: interpreter::find(&given.python)?,
            token: given.token()?,
            modules: given.modules,
            listen: given.listen,
            idle_exit: (idle_exit > 0).then(|| Duration::from_secs(idle_exit)),
            max_sessions: given.max_sessions,
            spinning_sessions: given.spinning_sessions,
            log_level: given.log_level,
        };
        settings.check(auto)?;
        Ok(settings)
    }

    fn check(&self, auto: bool) -> Result<(), SettingsError> {
        if self.listen.is_empty() {
            return Err(SettingsError::NoAddress);
        }
        // A private sidecar is told the roots by its clients.
        if self.path.is_empty() && self.modules.is_empty() && !auto {
            return Err(SettingsError::NoRoots);
        }
        in_range("the number of class roots", self.path.len() as u64, 0, MAX_ROOTS as u64)?;
        in_range("the number of module patterns", self.modules.len() as u64, 0, MAX_MODULE_PATTERNS as u64)?;
        in_range("max_sessions", u64::from(self.max_sessions), 1, u64::from(MAX_SESSIONS))?;
        let spinning = self.spinning_sessions.unwrap_or(0);
        in_range("spinning_sessions", u64::from(spinning), 0, u64::from(MAX_SPINNING_SESSIONS))
    }
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
        flags.listen = Some(vec![Address::Unix("/run/other.sock".into())]);
        flags.idle_exit = Some(0);
        flags.python = Some("/bin/cat".into());
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
            ("\n\nidle_exit = 'soon'\n", "line 3", "idle_exit"),
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
        flags.token_file = Some(path);
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
        assert_eq!(settings.idle_exit, Some(Duration::from_secs(DEFAULT_AUTO_IDLE_EXIT)));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Settings::load(&flags(Some("/nowhere/t.toml".into())), false).expect_err("missing").to_string();
        assert!(error.contains("/nowhere/t.toml: No such file"), "{error}");
    }
}
