//! The token for a sidecar over TCP, read anew for every connection, so that a rotated one works at once.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::unistd::geteuid;
use tortoise_protocol::handshake::AccessToken;
use tortoise_protocol::limits::MAX_TOKEN_BYTES;

use crate::error::BridgeError;
use crate::settings;

/// Bytes of the file: a token of any length, and blanks behind it.
const MAX_FILE_BYTES: u64 = 2 * MAX_TOKEN_BYTES as u64;

/// Permissions of those who are neither the owner nor in the group. A web server may read the file as its group.
const FOREIGN_MODE: u32 = 0o007;

/// Reads the file that `tortoise.token_file` names.
///
/// # Errors
/// [`BridgeError::Connection`] says what is wrong with the file, and nothing of what it holds.
pub(super) fn read(server: &str) -> Result<AccessToken, BridgeError> {
    let Some(path) = settings::token_file() else {
        return Err(BridgeError::Connection(format!(
            "tortoise.server is {server}, and over TCP a sidecar asks for a token: set tortoise.token_file to a file that \
             holds the same token as the sidecar's token_file"
        )));
    };
    content(&path).map_err(|error| {
        BridgeError::Connection(format!(
            "the token file {} (tortoise.token_file) cannot be used by user {}: {error}",
            path.display(),
            geteuid()
        ))
    })
}

fn content(path: &Path) -> io::Result<AccessToken> {
    // Opening a pipe would wait for its other end.
    let file = OpenOptions::new().read(true).custom_flags(nix::libc::O_NONBLOCK).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mode = metadata.mode() & 0o7777;
    if mode & FOREIGN_MODE != 0 {
        return Err(io::Error::other(format!(
            "its mode is {mode:04o}, so that everybody on this machine can use it; run: chmod 600 {} (640 if PHP reads it \
             as its group)",
            path.display()
        )));
    }
    let mut content = Vec::new();
    file.take(MAX_FILE_BYTES).read_to_end(&mut content)?;
    AccessToken::from_file_content(&content).map_err(io::Error::other)
}
