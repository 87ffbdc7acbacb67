//! Addresses to listen on.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

/// Bytes of a Unix socket's path that fit into the system's `sockaddr_un`, without the closing NUL.
pub const MAX_SOCKET_PATH_BYTES: usize = 107;

/// An address to listen on.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub enum Address {
    /// A Unix socket at an absolute path: `unix:///run/tortoise/tortoise.sock`.
    Unix(PathBuf),
    /// A port of this machine's loopback: `tcp://127.0.0.1:1990`, `tcp://[::1]:1990`, or `tcp://localhost:1990`, which
    /// is the first of them. Port 0: the system chooses one.
    Tcp(SocketAddr),
}

/// Why an address is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// A scheme that is planned.
    #[error(
        "{0}: tls:// addresses are not supported yet; use unix:///absolute/path.sock, or tcp://127.0.0.1:1990 and a \
         tunnel (ssh -L, stunnel) to it"
    )]
    NotYet(String),
    /// Anything else.
    #[error("{0}: not an address; write unix:///absolute/path.sock or tcp://127.0.0.1:1990")]
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
    /// No host, or no port.
    #[error("{0}: a TCP address is a host and a port from 0 to 65535: tcp://127.0.0.1:1990 or tcp://[::1]:1990")]
    NotHostAndPort(String),
    /// A host that others can reach, or may be.
    #[error(
        "{0}: the sidecar listens with tcp:// on this machine's own addresses only (127.0.0.1, [::1], localhost), \
         because the token and all values would travel a network in the clear; use a Unix socket on this machine, and \
         from another one a tunnel (ssh -L, stunnel) to tcp://127.0.0.1:1990"
    )]
    NotLoopback(String),
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        match text.split_once("://") {
            Some(("unix", path)) => unix(text, path),
            Some(("tcp", place)) => tcp(text, place),
            Some(("tls", _)) => Err(AddressError::NotYet(text.to_owned())),
            _ => Err(AddressError::Unknown(text.to_owned())),
        }
    }
}

fn unix(text: &str, path: &str) -> Result<Address, AddressError> {
    if !path.starts_with('/') || path.ends_with('/') {
        return Err(AddressError::NotAbsolute(text.to_owned()));
    }
    if path.contains('\0') {
        return Err(AddressError::Nul(text.to_owned()));
    }
    if path.len() > MAX_SOCKET_PATH_BYTES {
        return Err(AddressError::TooLong { path: path.to_owned(), bytes: path.len() });
    }
    Ok(Address::Unix(path.into()))
}

/// A name other than `localhost` is not looked up: what it means may change, and then lead to a network.
fn tcp(text: &str, place: &str) -> Result<Address, AddressError> {
    if let Ok(address) = place.parse::<SocketAddr>() {
        return match address.ip().is_loopback() {
            true => Ok(Address::Tcp(address)),
            false => Err(AddressError::NotLoopback(text.to_owned())),
        };
    }
    let port = |port: &str| port.parse::<u16>().ok().filter(|_| port.bytes().all(|byte| byte.is_ascii_digit()));
    match place.rsplit_once(':').and_then(|(host, digits)| Some((host, port(digits)?))) {
        Some(("localhost", port)) => Ok(Address::Tcp((Ipv4Addr::LOCALHOST, port).into())),
        Some((host, _)) if !host.is_empty() && !host.contains([':', '/', '[', ']', '@']) => {
            Err(AddressError::NotLoopback(text.to_owned()))
        }
        _ => Err(AddressError::NotHostAndPort(text.to_owned())),
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
            Self::Tcp(address) => write!(formatter, "tcp://{address}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unix_address_is_an_absolute_path() {
        let address: Address = "unix:///run/t.sock".parse().expect("an address");
        assert_eq!(address, Address::Unix("/run/t.sock".into()));
        assert_eq!(address.to_string(), "unix:///run/t.sock");
    }

    #[test]
    fn a_tcp_address_is_a_port_of_this_machine() {
        for (text, shown) in [
            ("tcp://127.0.0.1:1990", "tcp://127.0.0.1:1990"),
            ("tcp://127.9.9.9:0", "tcp://127.9.9.9:0"),
            ("tcp://[::1]:65535", "tcp://[::1]:65535"),
            ("tcp://localhost:1990", "tcp://127.0.0.1:1990"),
        ] {
            let address: Address = text.parse().expect(text);
            assert_eq!(address.to_string(), shown);
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, expected) in [
            ("tcp://0.0.0.0:1990", "in the clear"),
            ("tcp://192.168.0.1:1990", "in the clear"),
            ("tcp://[::]:1990", "in the clear"),
            ("tcp://[::ffff:10.0.0.1]:1990", "in the clear"),
            ("tcp://db.example.org:1990", "a tunnel"),
            ("tcp://127.0.0.1", "a host and a port"),
            ("tcp://127.0.0.1:", "a host and a port"),
            ("tcp://127.0.0.1:65536", "a host and a port"),
            ("tcp://localhost:+80", "a host and a port"),
            ("tcp://localhost:80/", "a host and a port"),
            ("tcp://:80", "a host and a port"),
            ("tcp://::1:80:", "a host and a port"),
            ("tcp://user@localhost:80", "a host and a port"),
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
        let Ok(Address::Unix(path)) = longest.parse() else { panic!("the longest path") };
        nix::sys::socket::UnixAddr::new(&path).expect("the system takes it");
        let error = format!("{longest}a").parse::<Address>().expect_err("too long");
        assert!(error.to_string().contains("has 108 bytes and the system allows 107"), "{error}");
    }
}
