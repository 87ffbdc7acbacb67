//! The address that `tortoise.server` names.

use std::net::Ipv6Addr;
use std::path::PathBuf;

use crate::error::BridgeError;

/// Bytes of a Unix socket's path (`sun_path` of unix(7), less its NUL).
const MAX_SOCKET_PATH_BYTES: usize = 107;

/// Bytes of a host's name (RFC 1035).
const MAX_HOST_BYTES: usize = 253;

/// Where a sidecar listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    /// A private one, started at need.
    Auto,
    /// A Unix socket.
    Unix(PathBuf),
    /// A port: a name or an address without brackets, and a number.
    Tcp(String, u16),
}

impl Address {
    /// Reads the setting.
    ///
    /// # Errors
    /// [`BridgeError::Access`] says what is wrong with it.
    pub(crate) fn parse(setting: &str) -> Result<Self, BridgeError> {
        if setting == "auto" {
            return Ok(Self::Auto);
        }
        if let Some(path) = setting.strip_prefix("unix://") {
            check_socket_path(path.as_ref(), "tortoise.server names")?;
            return Ok(Self::Unix(PathBuf::from(path)));
        }
        match setting.strip_prefix("tcp://") {
            Some(place) => host_and_port(place).map(|(host, port)| Self::Tcp(host, port)).ok_or_else(|| {
                BridgeError::Access(format!(
                    "tortoise.server is \"{setting}\"; a TCP address is a host and a port, as tcp://127.0.0.1:1990 or \
                     tcp://[::1]:1990"
                ))
            }),
            None => Err(BridgeError::Access(format!(
                "tortoise.server is \"{setting}\"; it must be \"auto\", \"unix:///path/to/socket\" or \"tcp://host:port\""
            ))),
        }
    }
}

fn host_and_port(place: &str) -> Option<(String, u16)> {
    let (host, port) = place.rsplit_once(':')?;
    let host = match host.strip_prefix('[') {
        Some(address) => address.strip_suffix(']').filter(|address| address.parse::<Ipv6Addr>().is_ok())?,
        None => host,
    };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    let is_host = host.parse::<Ipv6Addr>().is_ok() || host.bytes().all(is_name);
    let is_right =
        is_host && (1..=MAX_HOST_BYTES).contains(&host.len()) && port.bytes().all(|byte| byte.is_ascii_digit());
    let port = port.parse().ok().filter(|port| *port != 0)?;
    is_right.then(|| (host.to_owned(), port))
}

/// Checks that the system can bind and connect to a socket of that path. `who` begins the sentence that says it cannot.
///
/// # Errors
/// [`BridgeError::Access`] if it is too long or not absolute.
pub(crate) fn check_socket_path(path: &std::path::Path, who: &str) -> Result<(), BridgeError> {
    let length = path.as_os_str().len();
    if !path.is_absolute() || length > MAX_SOCKET_PATH_BYTES {
        return Err(BridgeError::Access(format!(
            "{who} the socket {}, a path of {length} bytes; it must be absolute and of at most {MAX_SOCKET_PATH_BYTES} \
             bytes",
            path.display()
        )));
    }
    Ok(())
}
