//! Whether the system gives memory that PHP and its session can share.

use std::io;

use super::Check;

const NAME: &str = "shared memory";

/// Makes such memory as a session does.
pub(super) fn check() -> Check {
    match tortoise_channel::try_shared_memory() {
        Ok(()) => Check::ok(NAME, "can be made, sealed and mapped"),
        Err(error) => refused(&error),
    }
}

fn refused(error: &io::Error) -> Check {
    let cause = match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported => {
            "memfd_create, its seals or mmap are forbidden, mostly by a seccomp profile of the container or of systemd \
             (SystemCallFilter=, MemoryDenyWriteExecute=); allow them"
        }
        io::ErrorKind::FileTooLarge => "the limit on the size of files (ulimit -f, LimitFSIZE=) is too low; raise it",
        io::ErrorKind::OutOfMemory | io::ErrorKind::StorageFull => {
            "memory is short, or the memory limit of the container is; give it more"
        }
        _ => "see memfd_create(2), fcntl(2) under F_ADD_SEALS, and mmap(2) for what refuses",
    };
    Check::warning(
        NAME,
        format!("refused ({error}); calls will go over the Unix socket, which is right but many times slower"),
        cause,
    )
}

#[cfg(test)]
mod tests {
    use nix::errno::Errno;

    use super::*;

    #[test]
    fn a_refusal_names_what_refuses() {
        for (errno, expected) in [
            (Errno::EPERM, "seccomp"),
            (Errno::ENOSYS, "seccomp"),
            (Errno::EFBIG, "ulimit -f"),
            (Errno::ENOSPC, "memory is short"),
            (Errno::EMFILE, "memfd_create(2)"),
        ] {
            let check = refused(&errno.into());
            assert!(check.advice.contains(expected), "{check:?}");
            assert!(!check.is_failure() && check.finding.contains("over the Unix socket"), "{check:?}");
        }
    }
}
