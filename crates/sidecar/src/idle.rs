//! When a sidecar that nobody uses may leave.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::libc::O_NOFOLLOW;
use tokio::sync::watch;
use tokio::time::sleep;

/// Waits until nobody has been `present` for the time `after`.
pub(crate) async fn idle_for(after: Duration, present: &mut watch::Receiver<usize>) {
    loop {
        if present.wait_for(|count| *count == 0).await.is_err() {
            return;
        }
        tokio::select! {
            () = sleep(after) => return,
            // Whoever came, even if gone again: the time starts anew.
            _ = present.changed() => {}
        }
    }
}

/// What keeps PHP from starting another sidecar while this one leaves.
#[derive(Debug)]
pub(crate) enum Leave {
    /// Nobody starts one now.
    Granted(Option<Flock<File>>),
    /// Somebody holds the lock and is about to connect.
    Denied,
}

/// Takes the lock that PHP holds while it starts a sidecar, without waiting for it.
pub(crate) fn ask_leave(lock: Option<&Path>) -> Leave {
    let Some(path) = lock else { return Leave::Granted(None) };
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(O_NOFOLLOW)
        .open(path);
    match file {
        Ok(file) => match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => Leave::Granted(Some(lock)),
            Err((_, Errno::EWOULDBLOCK)) => Leave::Denied,
            Err((_, error)) => without(path, &error.into()),
        },
        Err(error) => without(path, &error),
    }
}

/// To stay for ever because of a lost lock file would be worse than a client that has to try again.
fn without(path: &Path, error: &io::Error) -> Leave {
    tracing::warn!("leaving without the lock {}: {error}", path.display());
    Leave::Granted(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn time_starts_anew_with_every_client() {
        let sender = watch::Sender::new(1_usize);
        let mut present = sender.subscribe();
        let begin = tokio::time::Instant::now();
        let coming_and_going = async {
            sleep(Duration::from_secs(5)).await;
            sender.send_replace(0);
            sleep(Duration::from_secs(9)).await;
            sender.send_replace(1);
            sender.send_replace(0);
        };
        tokio::join!(coming_and_going, idle_for(Duration::from_secs(10), &mut present));
        assert_eq!(begin.elapsed().as_secs(), 24);
    }

    #[test]
    fn who_starts_a_sidecar_keeps_the_old_one_from_leaving() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lock");
        let file = File::create(&path).expect("made");
        let starting = Flock::lock(file, FlockArg::LockExclusive).expect("locked");
        assert!(matches!(ask_leave(Some(&path)), Leave::Denied));
        drop(starting);
        assert!(matches!(ask_leave(Some(&path)), Leave::Granted(Some(_))));
    }

    #[test]
    fn a_lost_lock_file_keeps_nobody() {
        assert!(matches!(ask_leave(Some(Path::new("/nowhere/lock"))), Leave::Granted(None)));
        assert!(matches!(ask_leave(None), Leave::Granted(None)));
    }
}
