//! A Unix socket to listen on: made without a moment in which others can connect, removed only while it is ours.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixListener as StdListener, UnixStream as StdStream};
use std::path::{Path, PathBuf};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::sys::socket::{AddressFamily, Backlog, SockFlag, SockType, UnixAddr, bind, listen, socket};
use nix::sys::stat::{Mode, fchmod};
use tokio::net::{UnixListener, UnixStream};

use super::{BACKLOG, ListenError, Owner};
use crate::address::Address;

/// How long to wait for another process that is just making its socket in the same folder.
const FOLDER_ATTEMPTS: u32 = 40;
const FOLDER_PAUSE: Duration = Duration::from_millis(50);

/// A Unix socket that listens.
#[derive(Debug)]
pub(crate) struct Listener {
    path: PathBuf,
    listener: UnixListener,
    /// Device and inode of our socket's file: another one under the same name is not ours to remove.
    identity: (u64, u64),
    /// Who listens there beside us.
    pub(super) owner: Owner,
}

impl Listener {
    /// Listens at `path`; takes the place of a socket that nobody listens on any more.
    pub(super) fn bind(path: &Path) -> Result<Self, ListenError> {
        // Two that start at once would each take the other's fresh socket for a stale one.
        let _folder = lock_folder(path)?;
        let failed = |error| ListenError::Io { address: address(path), error };
        let listener = match bind_new(path) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                remove_stale(path)?;
                bind_new(path).map_err(failed)?
            }
            result => result.map_err(failed)?,
        };
        let identity = identity(path).map_err(failed)?;
        let listener = UnixListener::from_std(listener).map_err(failed)?;
        Ok(Self { path: path.to_owned(), listener, identity, owner: Owner::Ours })
    }

    /// Goes on with a socket that listens at `path` already.
    pub(super) fn adopt(descriptor: OwnedFd, path: &Path, owner: Owner) -> io::Result<Self> {
        let listener = UnixListener::from_std(descriptor.into())?;
        // Somebody may have removed it; then there is nothing of ours to remove.
        let identity = identity(path).unwrap_or_default();
        Ok(Self { path: path.to_owned(), listener, identity, owner })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> Address {
        address(&self.path)
    }

    /// The next client.
    pub(super) fn poll_accept(&self, context: &mut Context<'_>) -> Poll<io::Result<UnixStream>> {
        self.listener.poll_accept(context).map_ok(|(stream, _)| stream)
    }

    /// Clients that wait at this moment, without asking the runtime, which may not have heard of them yet.
    pub(super) fn waiting(&self) -> Vec<UnixStream> {
        match self.listener.as_fd().try_clone_to_owned() {
            Ok(listener) => drain(&StdListener::from(listener)),
            Err(_) => Vec::new(),
        }
    }

    /// Removes the socket's file if it is ours, stops listening, and gives those who came too late.
    pub(super) fn close(self) -> Vec<UnixStream> {
        let path = &self.path;
        // While we still listen, nobody takes this socket for a stale one and puts another in its place.
        if identity(path).is_ok_and(|identity| identity == self.identity)
            && let Err(error) = fs::remove_file(path)
        {
            tracing::warn!("cannot remove {}: {error}", path.display());
        }
        self.listener.into_std().map_or_else(|_| Vec::new(), |listener| drain(&listener))
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

fn address(path: &Path) -> Address {
    Address::Unix(path.to_owned())
}

fn drain(listener: &StdListener) -> Vec<UnixStream> {
    let accept = || {
        let (stream, _) = listener.accept().ok()?;
        stream.set_nonblocking(true).ok()?;
        UnixStream::from_std(stream).ok()
    };
    std::iter::from_fn(accept).collect()
}

fn bind_new(path: &Path) -> io::Result<StdListener> {
    let socket = socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK, None)?;
    // On Linux the file takes its mode from the socket: it is private from its first moment.
    fchmod(&socket, Mode::S_IRUSR | Mode::S_IWUSR)?;
    bind(std::os::fd::AsRawFd::as_raw_fd(&socket), &UnixAddr::new(path)?)?;
    listen(&socket, Backlog::new(BACKLOG)?)?;
    Ok(socket.into())
}

fn remove_stale(path: &Path) -> Result<(), ListenError> {
    let failed = |error| ListenError::Io { address: address(path), error };
    if !fs::symlink_metadata(path).map_err(failed)?.file_type().is_socket() {
        return Err(ListenError::NotASocket(address(path)));
    }
    match StdStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            tracing::info!("replacing the stale socket {}", path.display());
            fs::remove_file(path).map_err(failed)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // Who cannot be reached for another reason (a full queue, no permission) is alive.
        _ => Err(ListenError::InUse(address(path))),
    }
}

/// Locks the folder of the socket.
fn lock_folder(path: &Path) -> Result<Flock<File>, ListenError> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let failed = |error| ListenError::Folder { address: address(path), folder: folder.to_owned(), error };
    let mut file = File::open(folder).map_err(failed)?;
    for _ in 0..FOLDER_ATTEMPTS {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(lock),
            Err((unlocked, Errno::EWOULDBLOCK | Errno::EINTR)) => file = unlocked,
            Err((_, error)) => return Err(failed(error.into())),
        }
        thread::sleep(FOLDER_PAUSE);
    }
    Err(failed(io::Error::other("another process keeps it locked")))
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn place() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("t.sock");
        (folder, path)
    }

    #[tokio::test]
    async fn the_socket_is_private() {
        let (_folder, path) = place();
        let _listener = Listener::bind(&path).expect("bound");
        let mode = fs::metadata(&path).expect("the socket").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[tokio::test]
    async fn a_live_socket_is_refused_and_stays() {
        let (_folder, path) = place();
        let _listener = Listener::bind(&path).expect("bound");
        let error = Listener::bind(&path).expect_err("in use");
        assert!(matches!(error, ListenError::InUse(_)), "{error}");
        StdStream::connect(&path).expect("still there");
    }

    #[tokio::test]
    async fn a_stale_socket_is_replaced() {
        let (_folder, path) = place();
        drop(StdListener::bind(&path).expect("bound"));
        StdStream::connect(&path).expect_err("stale");
        let _listener = Listener::bind(&path).expect("bound");
        StdStream::connect(&path).expect("live");
    }

    #[tokio::test]
    async fn what_is_not_a_socket_stays() {
        let (_folder, path) = place();
        fs::write(&path, "precious").expect("written");
        let error = Listener::bind(&path).expect_err("a file");
        assert!(matches!(error, ListenError::NotASocket(_)), "{error}");
        assert_eq!(fs::read(&path).expect("read"), b"precious");
    }

    #[tokio::test]
    async fn a_missing_folder_is_named() {
        let error = Listener::bind(Path::new("/nowhere/t.sock")).expect_err("no folder").to_string();
        assert!(error.contains("its folder /nowhere: No such file"), "{error}");
    }

    #[tokio::test]
    async fn closing_removes_our_socket_and_finds_those_who_wait() {
        let (_folder, path) = place();
        let listener = Listener::bind(&path).expect("bound");
        let _clients = [(); 2].map(|()| StdStream::connect(&path).expect("connected"));
        assert_eq!(listener.close().len(), 2);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn closing_leaves_the_socket_of_another() {
        let (_folder, path) = place();
        let listener = Listener::bind(&path).expect("bound");
        fs::remove_file(&path).expect("removed");
        let _other = StdListener::bind(&path).expect("bound");
        listener.close();
        StdStream::connect(&path).expect("the other is still there");
    }

    #[tokio::test]
    async fn a_folder_that_another_keeps_locked_is_an_error_in_the_end() {
        let (folder, path) = place();
        let _lock = Flock::lock(File::open(folder.path()).expect("opened"), FlockArg::LockExclusive).expect("locked");
        let error = Listener::bind(&path).expect_err("locked").to_string();
        assert!(error.contains("another process keeps it locked"), "{error}");
    }
}
