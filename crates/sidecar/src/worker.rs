//! A worker: the user's Python with our module, from its start until it has left.

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::wait::WaitStatus;
use nix::unistd::Pid;
use tokio::process::Child;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tortoise_channel::Board;
use tortoise_protocol::PRODUCT_VERSION;

use crate::control::{Control, Ready, Received, Report};
use crate::notify;
use crate::orphans::Own;
use crate::output::{self, LastLines};
use crate::process;
use crate::worker_settings::WorkerSettings;

/// How long to wait for the last words and the exit status of a worker whose control socket has closed.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How to start workers.
#[derive(Debug, Clone)]
pub(crate) struct Launch {
    /// The user's interpreter.
    pub(crate) python: PathBuf,
    /// The folder with our Python package.
    pub(crate) library: PathBuf,
    /// How long a worker may take to be ready.
    pub(crate) ready: Duration,
    /// What it is told of the settings.
    pub(crate) settings: WorkerSettings,
    /// How many sessions and spares its board has room for.
    pub(crate) slots: usize,
}

/// Why a worker did not start.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The interpreter cannot be run.
    #[error("cannot run the Python interpreter {}: {error}; set --python (in PHP: tortoise.python)", .python.display())]
    Spawn {
        /// The interpreter.
        python: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
    /// It left before it was ready.
    #[error("the Python interpreter {} could not start a worker ({reason}){}", .python.display(), lines(.output))]
    Left {
        /// The interpreter.
        python: PathBuf,
        /// How it ended.
        reason: String,
        /// What it printed last.
        output: String,
    },
    /// It took too long.
    #[error(
        "the Python interpreter {} did not start a worker within {} s{}",
        .python.display(), .limit.as_secs_f64(), lines(.output)
    )]
    Silent {
        /// The interpreter.
        python: PathBuf,
        /// How long it was given.
        limit: Duration,
        /// What it printed last.
        output: String,
    },
    /// It is of another build.
    #[error(
        "the Python package in {} is of version {worker}, this binary of version {PRODUCT_VERSION}; install both from \
         the same build",
        .library.display()
    )]
    Version {
        /// Where the package stands.
        library: PathBuf,
        /// Its version.
        worker: String,
    },
    /// It does not speak as a worker should.
    #[error("the worker of {} does not speak the control protocol: {error}", .python.display())]
    Protocol {
        /// The interpreter.
        python: PathBuf,
        /// What was wrong.
        error: io::Error,
    },
}

fn lines(output: &str) -> String {
    if output.is_empty() { "; it printed nothing".to_owned() } else { format!("; it printed:\n{output}") }
}

/// A worker that is ready. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Worker {
    /// Where it takes its orders.
    pub(crate) control: Arc<Control>,
    /// Where its sessions write what they do.
    pub(crate) board: Arc<Board>,
    /// What it said of itself.
    pub(crate) ready: Ready,
    /// When it was ready.
    pub(crate) since: Instant,
    child: Child,
    _own: Own,
    printing: JoinHandle<()>,
}

/// What a worker did.
#[derive(Debug)]
pub(crate) enum Event {
    /// It reports.
    Report(Received),
    /// It has died, or must: how.
    Dead(String),
}

/// A worker that has not said anything yet.
struct Spawned {
    control: Control,
    board: Board,
    child: Child,
    own: Own,
    printing: JoinHandle<()>,
    last: LastLines,
}

impl Launch {
    /// Starts a worker and waits until it is ready. Dropping the future kills it.
    pub(crate) async fn start(&self) -> Result<Worker, WorkerError> {
        let Spawned { control, board, mut child, own, printing, last } =
            self.spawn().map_err(|error| WorkerError::Spawn { python: self.python.clone(), error })?;
        match timeout(self.ready, control.receive()).await.map(|said| said.map(|said| said.map(|said| said.report))) {
            Ok(Ok(Some(Report::Ready { ready }))) if ready.product == PRODUCT_VERSION => Ok(Worker {
                control: Arc::new(control),
                board: Arc::new(board),
                ready,
                since: Instant::now(),
                child,
                _own: own,
                printing,
            }),
            Ok(Ok(Some(Report::Ready { ready }))) => {
                Err(WorkerError::Version { library: self.library.clone(), worker: ready.product })
            }
            Ok(Ok(None)) => {
                let reason = end(&mut child).await;
                // Its last words may still be in the pipe.
                let _ = timeout(LAST_WORDS, printing).await;
                Err(WorkerError::Left { python: self.python.clone(), reason, output: last.text() })
            }
            Ok(Ok(Some(other))) => Err(self.protocol(io::Error::other(format!("{other:?} before it was ready")))),
            Ok(Err(error)) => Err(self.protocol(error)),
            Err(_) => Err(WorkerError::Silent { python: self.python.clone(), limit: self.ready, output: last.text() }),
        }
    }

    fn spawn(&self) -> io::Result<Spawned> {
        let (control, theirs) = Control::pair()?;
        let board = Board::create(self.slots)?;
        let (pipe, output) = output::pipe()?;
        let mut command = Command::new(&self.python);
        command
            .args(["-m", "tortoise_worker", "--control"])
            .arg(theirs.as_raw_fd().to_string())
            .arg("--board")
            .arg(board.as_fd().as_raw_fd().to_string())
            .arg("--settings")
            .arg(serde_json::to_string(&self.settings)?)
            // Python finds the package in the current folder, unless it is told to be careful.
            .current_dir(&self.library)
            .env_remove("PYTHONSAFEPATH")
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        notify::hide_from(&mut command);
        process::prepare_worker(&mut command, [theirs.as_fd(), board.as_fd()]);
        // The command owns our copies of the pipe: dropped here, so that the pipe ends with its last process.
        let child = tokio::process::Command::from(command).kill_on_drop(true).spawn()?;
        let own = Own::new(child.id());
        let last = LastLines::default();
        let printing = tokio::spawn(output::log_lines(pipe, last.clone()));
        Ok(Spawned { control, board, child, own, printing, last })
    }

    fn protocol(&self, error: io::Error) -> WorkerError {
        WorkerError::Protocol { python: self.python.clone(), error }
    }
}

impl Worker {
    /// What the worker does next.
    pub(crate) async fn next(&mut self) -> Event {
        let report = tokio::select! {
            // What it said before it died comes first.
            biased;
            report = self.control.receive() => report,
            status = self.child.wait() => return Event::Dead(describe(status)),
        };
        match report {
            Ok(Some(received)) => Event::Report(received),
            Ok(None) => Event::Dead(end(&mut self.child).await),
            Err(error) => Event::Dead(format!("it does not speak the control protocol: {error}")),
        }
    }

    /// Kills the zygote.
    pub(crate) async fn kill(&mut self) {
        // It may have died in this moment, which is as good.
        let _ = self.child.kill().await;
    }

    /// Closes the control socket for all who hold it: nobody can give the worker anything any more, and what is left of
    /// its sessions sees that and ends.
    pub(crate) fn close(&self) {
        let _ = nix::sys::socket::shutdown(self.control.as_raw_fd(), nix::sys::socket::Shutdown::Both);
    }

    /// Waits for the end of a worker that has nothing more to say, and kills it after this time.
    pub(crate) async fn see_off(mut self, limit: Duration) {
        match timeout(limit, self.child.wait()).await {
            Ok(status) => tracing::debug!("worker {} has left ({})", self.ready.pid, describe(status)),
            Err(_) => {
                tracing::warn!(
                    "worker {} did not leave within {} s and is killed",
                    self.ready.pid,
                    limit.as_secs_f64()
                );
                self.kill().await;
            }
        }
        let _ = timeout(LAST_WORDS, self.printing).await;
    }
}

async fn end(child: &mut Child) -> String {
    match timeout(LAST_WORDS, child.wait()).await {
        Ok(status) => describe(status),
        Err(_) => "it closed its control socket".to_owned(),
    }
}

fn describe(status: io::Result<ExitStatus>) -> String {
    match status {
        Ok(status) => describe_status(std::os::unix::process::ExitStatusExt::into_raw(status)),
        Err(error) => format!("its exit status is unknown: {error}"),
    }
}

/// A raw status of `waitpid`, in words.
pub(crate) fn describe_status(status: i32) -> String {
    match WaitStatus::from_raw(Pid::from_raw(1), status) {
        Ok(WaitStatus::Exited(_, code)) => format!("exit status {code}"),
        Ok(WaitStatus::Signaled(_, signal, dumped)) => {
            format!("killed by {}{}", signal.as_str(), if dumped { ", core dumped" } else { "" })
        }
        _ => format!("wait status {status:#x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_said_in_words() {
        for (status, expected) in [
            (0, "exit status 0"),
            (3 << 8, "exit status 3"),
            (9, "killed by SIGKILL"),
            (11 | 0x80, "killed by SIGSEGV, core dumped"),
        ] {
            assert_eq!(describe_status(status), expected);
        }
    }
}
