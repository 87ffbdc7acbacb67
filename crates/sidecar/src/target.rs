//! Which sidecar a command means: the one that the same settings would start.

use std::fmt;
use std::io;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use tortoise_channel::Channel;
use tortoise_protocol::handshake::AccessToken;

use crate::address::Address;
use crate::cli::Flags;
use crate::settings::{Given, SettingsError};
use crate::token::{self, TokenFileError};

/// A sidecar, whether it runs or not.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// Where it listens.
    pub(crate) address: Address,
    /// What it asks for over TCP.
    pub(crate) token: Option<AccessToken>,
    /// Where its log may be.
    pub(crate) log: LogPlace,
}

/// Where a sidecar's log may be: its settings do not say how it was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogPlace(Option<PathBuf>);

/// Why there is nobody to talk to.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The settings cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The token file cannot be used.
    #[error(transparent)]
    Token(#[from] TokenFileError),
    /// Nobody said where.
    #[error(
        "no address of a sidecar is set; give the settings that it runs with (--config FILE), or --address \
         unix:///run/tortoise/tortoise.sock"
    )]
    NoAddress,
    /// Nobody listens, or not to us.
    #[error("no sidecar answers at {address} ({error}); {advice}; {log}")]
    Connect {
        /// Where.
        address: Address,
        /// The system's reason.
        error: io::Error,
        /// What to do.
        advice: &'static str,
        /// Where its log may be.
        log: String,
    },
}

impl Target {
    /// The sidecar at a Unix socket, with its log.
    pub(crate) fn at(address: Address, log: PathBuf) -> Self {
        Self { address, token: None, log: LogPlace(Some(log)) }
    }

    /// The sidecar at `address`, or at the first Unix socket of the settings, or at their first port.
    ///
    /// # Errors
    /// [`TargetError`], if there is none, or no token for it.
    pub(crate) fn find(flags: &Flags, address: Option<&Address>) -> Result<Self, TargetError> {
        let given = Given::read(flags, false)?;
        let is_unix = |address: &&Address| matches!(address, Address::Unix(_));
        let address = address.or_else(|| given.listen.iter().find(is_unix)).or_else(|| given.listen.first());
        let address = address.ok_or(TargetError::NoAddress)?.clone();
        let token = match (&address, &given.values.token_file) {
            (Address::Unix(_), _) => None,
            (Address::Tcp(_), Some(file)) => Some(token::read(file)?),
            (Address::Tcp(_), None) => return Err(SettingsError::NoToken(address).into()),
        };
        Ok(Self { log: LogPlace::of(&given), address, token })
    }

    /// Connects.
    ///
    /// # Errors
    /// [`TargetError::Connect`] says what to do, and where the log may be.
    pub(crate) fn connect(&self) -> Result<Channel, TargetError> {
        let connected = match &self.address {
            Address::Unix(path) => UnixStream::connect(path).map(Channel::over_socket),
            Address::Tcp(place) => TcpStream::connect(place).and_then(|stream| {
                stream.set_nodelay(true)?;
                Ok(Channel::over_socket(stream))
            }),
        };
        connected.map_err(|error| TargetError::Connect {
            address: self.address.clone(),
            advice: advice(&error),
            error,
            log: self.log.to_string(),
        })
    }
}

/// What to do about a connection that failed.
pub(crate) fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "run this as the user of the sidecar, as whom PHP must run too",
        io::ErrorKind::NotFound => {
            "it does not run, or listens elsewhere: start it with `tortoise start`, or with systemd"
        }
        _ => "it has ended: start it with `tortoise start`, or with systemd",
    }
}

impl LogPlace {
    /// That of a sidecar with these settings.
    pub(crate) fn of(given: &Given) -> Self {
        Self(given.log_file())
    }
}

impl fmt::Display for LogPlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(path) if path.is_file() => write!(formatter, "its log is {}", path.display()),
            _ => formatter
                .write_str("its log is the standard error of `tortoise serve`, under systemd: journalctl -u tortoise"),
        }
    }
}
