//! The token file: what a client over TCP must know.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::libc::O_NONBLOCK;
use tortoise_protocol::handshake::{AccessToken, TokenError};
use tortoise_protocol::limits::MAX_TOKEN_BYTES;

/// Bytes of the file: a token of any length, and blanks behind it.
const MAX_FILE_BYTES: u64 = 2 * MAX_TOKEN_BYTES as u64;

/// Permissions that nobody but the owner may have.
const FOREIGN_MODE: u32 = 0o077;

/// Why the token file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenFileError {
    /// It cannot be read.
    #[error("cannot read the token file {}: {error}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
    /// Others can read or write it.
    #[error(
        "the token file {} has mode {mode:04o}, so that others than its owner can use it; run: chmod 600 {}",
        .path.display(), .path.display()
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// What it holds is no token.
    #[error(
        "the token file {}: {error}; make one with: (umask 077; head -c 32 /dev/urandom | base64 > {})",
        .path.display(), .path.display()
    )]
    Content {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: TokenError,
    },
}

/// Reads the token, from a file that is its owner's alone.
pub(crate) fn read(path: &Path) -> Result<AccessToken, TokenFileError> {
    let failed = |error| TokenFileError::Read { path: path.to_owned(), error };
    // Opening a pipe would wait for its other end.
    let file = OpenOptions::new().read(true).custom_flags(O_NONBLOCK).open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(failed(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")));
    }
    let mode = metadata.mode() & 0o7777;
    if mode & FOREIGN_MODE != 0 {
        return Err(TokenFileError::Open { path: path.to_owned(), mode });
    }
    let wrong = |error| TokenFileError::Content { path: path.to_owned(), error };
    let mut content = Vec::new();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut content).map_err(failed)?;
    if content.len() as u64 > MAX_FILE_BYTES {
        return Err(wrong(TokenError::TooLong));
    }
    AccessToken::from_file_content(&content).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn file(content: &[u8], mode: u32) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("token");
        fs::write(&path, content).expect("written");
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("set");
        (folder, path)
    }

    #[test]
    fn a_private_file_is_read_and_what_stands_behind_the_token_is_not_part_of_it() {
        let (_folder, path) = file(format!("{SECRET}\n").as_bytes(), 0o600);
        let expected = AccessToken::from_file_content(SECRET.as_bytes()).expect("a token");
        assert_eq!(read(&path).expect("a token"), expected);
        let (_folder, path) = file(SECRET.as_bytes(), 0o400);
        assert_eq!(read(&path).expect("a token"), expected);
    }

    #[test]
    fn a_file_that_others_can_use_is_refused() {
        for mode in [0o640, 0o604, 0o620, 0o602, 0o644] {
            let (_folder, path) = file(SECRET.as_bytes(), mode);
            let error = read(&path).expect_err("too open").to_string();
            for part in [&format!("mode {mode:04o}"), &format!("chmod 600 {}", path.display())] {
                assert!(error.contains(part), "{error}");
            }
            assert!(!error.contains(SECRET), "{error}");
        }
    }

    #[test]
    fn what_is_no_token_is_named_and_not_shown() {
        for (content, expected) in [
            (SECRET[1..].to_owned(), "holds 31 bytes"),
            ("\n".repeat(40), "holds 0 bytes"),
            (SECRET.repeat(1000), "more than the 4096 bytes"),
            (format!("{SECRET}{}", "\n".repeat(9000)), "more than the 4096 bytes"),
        ] {
            let (_folder, path) = file(content.as_bytes(), 0o600);
            let error = read(&path).expect_err("no token").to_string();
            for part in [expected, "umask 077", &path.display().to_string()] {
                assert!(error.contains(part), "{part}: {error}");
            }
            assert!(!error.contains("0123"), "{error}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let pipe = folder.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
        for (path, expected) in [
            (Path::new("/nowhere/token"), "/nowhere/token: No such file"),
            (Path::new("/dev/zero"), "/dev/zero: it is not a regular file"),
            (folder.path(), "not a regular file"),
            (&pipe, "not a regular file"),
        ] {
            let error = read(path).expect_err("unreadable").to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
