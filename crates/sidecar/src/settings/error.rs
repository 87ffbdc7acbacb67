//! Why settings cannot be used.

use std::io;
use std::path::PathBuf;

use crate::address::Address;
use crate::interpreter::InterpreterError;
use crate::token::TokenFileError;

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
