//! The address that `tortoise.server` names.

use std::path::PathBuf;

use crate::error::BridgeError;

/// Bytes of a Unix socket's path (`sun_path` of unix(7), less its NUL).
const MAX_SOCKET_PATH_BYTES: usize = 107;

/// Where a sidecar listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    /// A private one, started at need.
    Auto,
    /// A Unix socket.
    Unix(PathBuf),
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
        let Some(path) = setting.strip_prefix("unix://") else {
            return Err(BridgeError::Access(format!(
                "tortoise.server is \"{setting}\"; it must be \"auto\" or \"unix:///path/to/socket\""
            )));
        };
        check_socket_path(path.as_ref(), "tortoise.server names")?;
        Ok(Self::Unix(PathBuf::from(path)))
    }
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
