//! The settings as they were given: the settings file, the environment and flags merged, and nothing looked for yet.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use tortoise_protocol::handshake::AccessToken;

use super::{DEFAULT_MAX_SESSIONS, SettingsError, in_range};
use crate::address::Address;
use crate::cli::Flags;
use crate::interpreter;
use crate::log::LogLevel;
use crate::token;

/// Bytes of a settings file. Larger ones are something else.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// What a settings file may hold.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    path: Option<Vec<PathBuf>>,
    modules: Option<Vec<String>>,
    python: Option<PathBuf>,
    listen: Option<Vec<Listen>>,
    token_file: Option<PathBuf>,
    idle_exit: Option<u64>,
    max_sessions: Option<u32>,
    spinning_sessions: Option<u32>,
    log_level: Option<LogLevel>,
}

/// One `[[listen]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listen {
    address: Address,
}

/// The settings as they were given: merged, defaults filled in, and nothing looked for yet.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) path: Vec<PathBuf>,
    pub(crate) modules: Vec<String>,
    pub(crate) python: PathBuf,
    pub(crate) listen: Vec<Address>,
    pub(crate) token_file: Option<PathBuf>,
    pub(super) idle_exit: Option<u64>,
    pub(super) max_sessions: u32,
    pub(super) spinning_sessions: Option<u32>,
    pub(super) log_level: LogLevel,
}

impl Given {
    /// Merges. Relative paths count from the current folder, or from the settings file's own if they stand in it.
    ///
    /// # Errors
    /// Those of the settings file.
    pub(crate) fn read(flags: &Flags) -> Result<Self, SettingsError> {
        let (file, folder) = match &flags.config {
            Some(path) => (File::read(path)?, path.parent().unwrap_or(Path::new(""))),
            None => (File::default(), Path::new("")),
        };
        let paths = pick(&flags.path, file.path.map(|paths| paths.iter().map(|path| folder.join(path)).collect()));
        let python = match (&flags.python, file.python) {
            (Some(python), _) => python.clone(),
            (None, Some(python)) if interpreter::is_path(&python) => folder.join(python),
            (None, python) => python.unwrap_or_else(|| "python3".into()),
        };
        let listen = file.listen.map(|listen| listen.into_iter().map(|listen| listen.address).collect());
        Ok(Self {
            path: paths.unwrap_or_default(),
            modules: pick(&flags.modules, file.modules).unwrap_or_default(),
            python,
            listen: pick(&flags.listen, listen).unwrap_or_default(),
            token_file: pick(&flags.token_file, file.token_file.map(|path| folder.join(path))),
            idle_exit: flags.idle_exit.or(file.idle_exit),
            max_sessions: flags.max_sessions.or(file.max_sessions).unwrap_or(DEFAULT_MAX_SESSIONS),
            spinning_sessions: flags.spinning_sessions.or(file.spinning_sessions),
            log_level: flags.log_level.or(file.log_level).unwrap_or_default(),
        })
    }

    /// The token for clients over TCP, if there is an address for them.
    ///
    /// # Errors
    /// [`SettingsError::NoToken`], [`SettingsError::TokenFile`].
    pub(crate) fn token(&self) -> Result<Option<AccessToken>, SettingsError> {
        let Some(address) = self.listen.iter().find(|address| matches!(address, Address::Tcp(_))) else {
            return Ok(None);
        };
        match &self.token_file {
            Some(path) => Ok(Some(token::read(path)?)),
            None => Err(SettingsError::NoToken(address.clone())),
        }
    }
}

impl File {
    fn read(path: &Path) -> Result<Self, SettingsError> {
        let failed = |error| SettingsError::Read { path: path.to_owned(), error };
        let bytes = std::fs::metadata(path).map_err(failed)?.len();
        in_range("the settings file's size in bytes", bytes, 0, MAX_FILE_BYTES)?;
        let text = std::fs::read_to_string(path).map_err(failed)?;
        toml::from_str(&text).map_err(|error| SettingsError::Toml { path: path.to_owned(), error: Box::new(error) })
    }
}

fn pick<T: Clone>(flag: &Option<T>, file: Option<T>) -> Option<T> {
    flag.clone().or(file)
}
