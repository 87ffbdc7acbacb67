//! The settings as they were given: the settings file, the environment and flags merged, and nothing looked for yet.

use std::path::{Path, PathBuf};

use tortoise_protocol::handshake::AccessToken;

use super::values::Values;
use super::{SettingsError, in_range};
use crate::address::Address;
use crate::cli::Flags;
use crate::token;

/// Bytes of a settings file. Larger ones are something else.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// The settings as they were given: merged, defaults filled in, and nothing looked for yet.
#[derive(Debug)]
pub(crate) struct Given {
    /// The class roots.
    pub(crate) path: Vec<PathBuf>,
    /// The interpreter.
    pub(crate) python: PathBuf,
    /// Where to listen.
    pub(crate) listen: Vec<Address>,
    /// The rest.
    pub(crate) values: Values,
}

impl Given {
    /// Merges. Relative paths count from the current folder, or from the settings file's own if they stand in it.
    /// `auto`: for a private sidecar.
    ///
    /// # Errors
    /// Those of the settings file.
    pub(crate) fn read(flags: &Flags, auto: bool) -> Result<Self, SettingsError> {
        let file = match &flags.config {
            Some(path) => file(path)?.in_folder(path.parent().unwrap_or(Path::new(""))),
            None => Values::default(),
        };
        let mut values = flags.values.clone().or(file).or(Values::defaults(auto));
        Ok(Self {
            path: values.path.take().unwrap_or_default(),
            python: values.python.take().unwrap_or_default(),
            listen: values.listen.take().unwrap_or_default().into_iter().map(|listen| listen.address).collect(),
            values,
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
        match &self.values.token_file {
            Some(path) => Ok(Some(token::read(path)?)),
            None => Err(SettingsError::NoToken(address.clone())),
        }
    }

    /// The log of a sidecar that `tortoise start` runs. None: it is not set, and there is no Unix socket to have it beside.
    pub(crate) fn log_file(&self) -> Option<PathBuf> {
        self.values.log_file.clone().or_else(|| self.beside_socket("log"))
    }

    /// The pid file of such a sidecar, likewise.
    pub(crate) fn pid_file(&self) -> Option<PathBuf> {
        self.values.pid_file.clone().or_else(|| self.beside_socket("pid"))
    }

    fn beside_socket(&self, ending: &str) -> Option<PathBuf> {
        self.listen.iter().find_map(|address| match address {
            Address::Unix(path) => Some(path.with_extension(ending)),
            Address::Tcp(_) => None,
        })
    }
}

fn file(path: &Path) -> Result<Values, SettingsError> {
    let failed = |error| SettingsError::Read { path: path.to_owned(), error };
    let bytes = std::fs::metadata(path).map_err(failed)?.len();
    in_range("the settings file's size in bytes", bytes, 0, MAX_FILE_BYTES)?;
    let text = std::fs::read_to_string(path).map_err(failed)?;
    toml::from_str(&text).map_err(|error| SettingsError::Toml { path: path.to_owned(), error: Box::new(error) })
}
