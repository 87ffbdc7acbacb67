//! Addresses to listen on.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Bytes of a Unix socket's path that fit into the system's `sockaddr_un`, without the closing NUL.
pub const MAX_SOCKET_PATH_BYTES: usize = 107;

/// An address to listen on.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub enum Address {
    /// A Unix socket at an absolute path: `unix:///run/tortoise/tortoise.sock`.
    Unix(PathBuf),
}

/// Why an address is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// A scheme that is planned.
    #[error("{0}: {1} addresses are not supported yet; use unix:///absolute/path.sock")]
    NotYet(String, &'static str),
    /// Anything else.
    #[error("{0}: not an address; write unix:///absolute/path.sock")]
    Unknown(String),
    /// A path that depends on the current folder, or none.
    #[error("{0}: the socket's path must be absolute, with three slashes: unix:///absolute/path.sock")]
    NotAbsolute(String),
    /// A path that the system cannot bind.
    #[error(
        "{path}: the socket's path has {bytes} bytes and the system allows {MAX_SOCKET_PATH_BYTES}; choose a shorter folder"
    )]
    TooLong {
        /// The path.
        path: String,
        /// Its length.
        bytes: usize,
    },
    /// A path that no file can have.
    #[error("{0:?}: the socket's path holds a NUL byte")]
    Nul(String),
}

impl Address {
    /// The socket's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Unix(path) => path,
        }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let Some(path) = text.strip_prefix("unix://") else {
            return Err(match text.split_once("://") {
                Some(("tcp", _)) => AddressError::NotYet(text.to_owned(), "tcp://"),
                Some(("tls", _)) => AddressError::NotYet(text.to_owned(), "tls://"),
                _ => AddressError::Unknown(text.to_owned()),
            });
        };
        if !path.starts_with('/') || path.ends_with('/') {
            return Err(AddressError::NotAbsolute(text.to_owned()));
        }
        if path.contains('\0') {
            return Err(AddressError::Nul(text.to_owned()));
        }
        if path.len() > MAX_SOCKET_PATH_BYTES {
            return Err(AddressError::TooLong { path: path.to_owned(), bytes: path.len() });
        }
        Ok(Self::Unix(path.into()))
    }
}

impl TryFrom<String> for Address {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(formatter, "unix://{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unix_address_is_an_absolute_path() {
        let address: Address = "unix:///run/t.sock".parse().expect("an address");
        assert_eq!(address.path(), Path::new("/run/t.sock"));
        assert_eq!(address.to_string(), "unix:///run/t.sock");
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, expected) in [
            ("tcp://127.0.0.1:9000", "tcp:// addresses are not supported yet"),
            ("tls://127.0.0.1:9000", "tls:// addresses are not supported yet"),
            ("/run/t.sock", "not an address"),
            ("unix://run/t.sock", "must be absolute"),
            ("unix:///run/", "must be absolute"),
            ("unix://", "must be absolute"),
            ("unix:///run/\0", "NUL"),
        ] {
            let error = text.parse::<Address>().expect_err(text).to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn a_path_is_as_long_as_the_system_takes_and_no_longer() {
        let longest = format!("unix:///{}", "a".repeat(MAX_SOCKET_PATH_BYTES - 1));
        let address: Address = longest.parse().expect("the longest path");
        nix::sys::socket::UnixAddr::new(address.path()).expect("the system takes it");
        let error = format!("{longest}a").parse::<Address>().expect_err("too long");
        assert!(error.to_string().contains("has 108 bytes and the system allows 107"), "{error}");
    }
}
