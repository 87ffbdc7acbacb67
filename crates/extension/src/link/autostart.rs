//! Starts a private sidecar for this user, interpreter and installation, unless one runs.

use std::ffi::CStr;
use std::fs::{DirBuilder, File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, FdFlag, Flock, FlockArg, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::{geteuid, pipe2};
use tortoise_protocol::PRODUCT_VERSION;

use super::address::check_socket_path;
use crate::error::BridgeError;

/// How long a sidecar may take from its start to its readiness.
const READY_TIMEOUT: Duration = Duration::from_secs(40);

/// What a sidecar says on its readiness pipe, at most.
const MAX_READY_BYTES: u64 = 64 << 10;

/// Where a sidecar was found.
pub(super) struct Place {
    pub(super) server: String,
    pub(super) log: Option<PathBuf>,
}

impl Place {
    /// The same, for a part of a sentence.
    pub(super) fn hint(&self) -> String {
        match &self.log {
            Some(log) => format!("the sidecar's log is {}", log.display()),
            None => format!("`tortoise status --address {}` names the sidecar's log", self.server),
        }
    }
}

/// Connects to the private sidecar, and starts it if none answers.
pub(super) fn connect(python: &Path) -> Result<(UnixStream, Place), BridgeError> {
    let binary = binary()?;
    let files = Files::of(&binary, python)?;
    let place = || Place { server: format!("unix://{}", files.socket.display()), log: Some(files.log.clone()) };
    if let Ok(stream) = UnixStream::connect(&files.socket) {
        return Ok((stream, place()));
    }
    // Whoever holds the lock starts it; everybody else finds it running.
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .custom_flags(nix::libc::O_NOFOLLOW | nix::libc::O_CLOEXEC)
        .open(&files.lock)
        .map_err(|error| refused("open the lock file", &files.lock, &error))?;
    let _lock = wait_for_lock(lock).map_err(|error| refused("lock", &files.lock, &error.into()))?;
    if let Ok(stream) = UnixStream::connect(&files.socket) {
        return Ok((stream, place()));
    }
    start(&binary, python, &files)?;
    match UnixStream::connect(&files.socket) {
        Ok(stream) => Ok((stream, place())),
        Err(error) => Err(refused("connect to the sidecar that was just started at", &files.socket, &error)),
    }
}

/// Waits for the lock, however many signals PHP receives meanwhile. Its holder waits for a bounded time only.
fn wait_for_lock(mut file: File) -> Result<Flock<File>, nix::errno::Errno> {
    loop {
        match Flock::lock(file, FlockArg::LockExclusive) {
            Err((unlocked, nix::errno::Errno::EINTR)) => file = unlocked,
            result => return result.map_err(|(_, error)| error),
        }
    }
}

/// The sidecar's binary: beside this extension, wherever that was installed.
fn binary() -> Result<PathBuf, BridgeError> {
    let extension =
        own_path().ok_or_else(|| BridgeError::Connection("tortoise.so cannot tell where it lies".to_owned()))?;
    let folder = extension.parent().unwrap_or(Path::new("/"));
    let binary = folder.join("bin/tortoise");
    if binary.is_file() {
        return Ok(binary);
    }
    Err(BridgeError::Connection(format!(
        "there is no sidecar at {} (it belongs beside {}); install Tortoise whole, or name a running sidecar in \
         tortoise.server",
        binary.display(),
        extension.display()
    )))
}

/// The file that this code was loaded from, links resolved.
fn own_path() -> Option<PathBuf> {
    let mut info = std::mem::MaybeUninit::<nix::libc::Dl_info>::uninit();
    let here: fn() -> Option<PathBuf> = own_path;
    // SAFETY: dladdr fills `info` if it knows the address, and says so; its texts live as long as the library.
    let name = unsafe {
        if nix::libc::dladdr(here as *const _, info.as_mut_ptr()) == 0 {
            return None;
        }
        CStr::from_ptr(info.assume_init().dli_fname)
    };
    std::fs::canonicalize(name.to_str().ok()?).ok()
}

/// The files of a private sidecar.
struct Files {
    socket: PathBuf,
    lock: PathBuf,
    log: PathBuf,
}

impl Files {
    /// One set for each user, interpreter and build, so that a rebuilt sidecar is a new one.
    fn of(binary: &Path, python: &Path) -> Result<Self, BridgeError> {
        let folder = runtime_folder()?;
        let metadata = binary.metadata().map_err(|error| refused("look at", binary, &error))?;
        let mut hasher = DefaultHasher::new();
        (PRODUCT_VERSION, binary, python, metadata.len(), metadata.mtime(), metadata.mtime_nsec()).hash(&mut hasher);
        let file = |ending: &str| folder.join(format!("tortoise-{:016x}.{ending}", hasher.finish()));
        let files = Self { socket: file("sock"), lock: file("lock"), log: file("log") };
        check_socket_path(&files.socket, "the folder of the private sidecar (XDG_RUNTIME_DIR) gives")?;
        Ok(files)
    }
}

/// `$XDG_RUNTIME_DIR`, else a folder of this user's own under the system's temporary one.
fn runtime_folder() -> Result<PathBuf, BridgeError> {
    let user = geteuid().as_raw();
    let folder = match std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|folder| folder.is_absolute()) {
        Some(folder) => folder,
        None => {
            let folder = std::env::temp_dir().join(format!("tortoise-{user}"));
            match DirBuilder::new().mode(0o700).create(&folder) {
                Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                    return Err(refused("make the folder", &folder, &error));
                }
                _ => folder,
            }
        }
    };
    let metadata = folder.symlink_metadata().map_err(|error| refused("look at", &folder, &error))?;
    if !metadata.is_dir() || metadata.uid() != user || metadata.mode() & 0o077 != 0 {
        return Err(BridgeError::Connection(format!(
            "{} must be a folder of user {user} that nobody else may enter (mode 0700), because the sidecar's socket \
             lies in it; remove it, or set XDG_RUNTIME_DIR to such a folder",
            folder.display()
        )));
    }
    Ok(folder)
}

/// Runs the sidecar, which leaves this process's tree, and waits until it says that it is ready.
fn start(binary: &Path, python: &Path, files: &Files) -> Result<(), BridgeError> {
    let (read, write) =
        pipe2(nix::fcntl::OFlag::O_CLOEXEC).map_err(|error| refused("make a pipe for", binary, &error.into()))?;
    let inherited = write.as_raw_fd();
    let mut command = Command::new(binary);
    command
        .args(["serve", "--auto", "--python"])
        .arg(python)
        .arg("--listen")
        .arg(format!("unix://{}", files.socket.display()))
        .arg("--lock")
        .arg(&files.lock)
        .arg("--log")
        .arg(&files.log)
        .arg("--ready-fd")
        .arg(inherited.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // SAFETY: the closure only calls fcntl, which is allowed between fork and exec; the descriptor is open, since
    // `write` lives until the command has run.
    unsafe {
        command.pre_exec(move || {
            let descriptor = std::os::fd::BorrowedFd::borrow_raw(inherited);
            fcntl(descriptor, FcntlArg::F_SETFD(FdFlag::empty()))?;
            Ok(())
        });
    }
    let mut child = command.spawn().map_err(|error| refused("start", binary, &error))?;
    drop(write);
    // It forks and leaves at once. Where somebody else reaps our children (pcntl), there is nothing to wait for.
    let left = child.wait();
    let said = wait_for_readiness(read, files)?;
    let why = match (said.trim_end(), left) {
        ("ready", _) => return Ok(()),
        ("", Ok(status)) if !status.success() => format!("ended before it was ready ({status})"),
        ("", _) => "ended before it was ready".to_owned(),
        (error, _) => format!("did not start: {}", error.trim_start_matches("error: ")),
    };
    // One that could not even run has written none.
    let log = if files.log.exists() { format!("; its log is {}", files.log.display()) } else { String::new() };
    Err(BridgeError::Connection(format!("the sidecar {} {why}{log}", binary.display())))
}

/// Reads what the sidecar says, until it closes the pipe.
fn wait_for_readiness(pipe: OwnedFd, files: &Files) -> Result<String, BridgeError> {
    let end = Instant::now() + READY_TIMEOUT;
    let mut pipe = File::from(pipe);
    let mut said = Vec::new();
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        match poll(&mut [PollFd::new(pipe.as_fd(), PollFlags::POLLIN)], timeout) {
            Ok(0) => {
                return Err(BridgeError::Connection(format!(
                    "the sidecar was not ready after {} s; its log is {}",
                    READY_TIMEOUT.as_secs(),
                    files.log.display()
                )));
            }
            Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(refused("wait for the sidecar at", &files.socket, &error.into())),
            Ok(_) => {
                let mut buffer = [0; 4096];
                let count = pipe
                    .read(&mut buffer)
                    .map_err(|error| refused("hear from the sidecar at", &files.socket, &error))?;
                said.extend_from_slice(&buffer[..count]);
                if count == 0 || said.contains(&b'\n') || said.len() as u64 > MAX_READY_BYTES {
                    return Ok(String::from_utf8_lossy(&said).into_owned());
                }
            }
        }
    }
}

fn refused(what: &str, path: &Path, error: &std::io::Error) -> BridgeError {
    BridgeError::Connection(format!("cannot {what} {}: {error}", path.display()))
}
