//! Asking a supervisor: one question over a connection, and its answer.

use std::io;
use std::time::{Duration, Instant};

use serde_json::Value;
use tortoise_channel::{Channel, ChannelError};
use tortoise_protocol::ask::{Ask, Told};
use tortoise_protocol::frame::{self, Header, Kind};
use tortoise_protocol::handshake::Refusal;
use tortoise_protocol::limits::MAX_TOLD_BYTES;

use crate::target::{Target, TargetError};

/// A new worker, or a successor, imports what is preloaded before it is ready, which has bounds of its own; who takes
/// longer than this for an answer hangs.
const PATIENCE: Duration = Duration::from_secs(180);

/// A process is gone this soon after its connections.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// Why a question has no answer, or not the wanted one.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// There is nobody to ask.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The connection was lost, or it hangs.
    #[error("the sidecar at {address} gave no answer: {error}; {log}")]
    Lost {
        /// Where it listens.
        address: String,
        /// What happened.
        error: ChannelError,
        /// Where its log may be.
        log: String,
    },
    /// It answered something else.
    #[error("what listens at {address} does not answer as a sidecar of this version: {what}")]
    Strange {
        /// Where it listens.
        address: String,
        /// What it said.
        what: String,
    },
    /// It says no.
    #[error("{message}; {log}")]
    Refused {
        /// Its words.
        message: String,
        /// Where its log may be.
        log: String,
    },
    /// Nobody reads what we print.
    #[error("cannot write the answer: {0}")]
    Print(io::Error),
}

/// A connection to a supervisor.
#[derive(Debug)]
pub(crate) struct Admin {
    target: Target,
    channel: Channel,
}

impl Admin {
    /// Connects.
    ///
    /// # Errors
    /// [`AdminError::Target`].
    pub(crate) fn connect(target: Target) -> Result<Self, AdminError> {
        let channel = target.connect()?;
        Ok(Self { target, channel })
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// [`AdminError::Refused`] has what the supervisor says went wrong.
    pub(crate) fn ask(&mut self, command: &str) -> Result<Value, AdminError> {
        let mut question = Vec::new();
        frame::begin(&mut question);
        Ask::new(command, self.target.token.clone()).write(&mut question);
        frame::finish(&mut question, Header::new(Kind::Ask, 0)).map_err(|error| self.strange(&error))?;
        let mut payload = Vec::new();
        self.channel.set_timeout(Some(PATIENCE)).map_err(|error| self.lost(error))?;
        // One that refuses before it reads has still said why.
        let sent = self.channel.send(&question);
        let header = match (self.channel.receive(&mut payload, MAX_TOLD_BYTES + 16), sent) {
            (Ok(header), _) => header,
            (Err(_), Err(error)) | (Err(error), Ok(())) => return Err(self.lost(error)),
        };
        match header.kind {
            Kind::Told => {
                let told = Told::read(&payload).map_err(|error| self.strange(&error))?;
                let told: Value = serde_json::from_str(&told.json).map_err(|error| self.strange(&error))?;
                match told.get("error").and_then(Value::as_str) {
                    Some(message) if told.get("pid").is_none() => Err(self.refused(message)),
                    _ => Ok(told),
                }
            }
            Kind::Refusal => {
                let refusal = Refusal::read(&payload).map_err(|error| self.strange(&error))?;
                Err(self.refused(&refusal.message))
            }
            other => Err(self.strange(&format!("{other:?} where an answer was due"))),
        }
    }

    /// Stops the supervisor, and waits until it has ended; gives its process, if it said that.
    ///
    /// # Errors
    /// [`AdminError`], if it does not want to.
    pub(crate) fn stop(&mut self) -> Result<Option<u64>, AdminError> {
        let process = self.ask("stop")?.get("stopping").and_then(Value::as_u64);
        self.channel.set_timeout(None).map_err(|error| self.lost(error))?;
        match self.channel.receive(&mut Vec::new(), MAX_TOLD_BYTES) {
            Ok(header) => Err(self.strange(&format!("{:?} where it was to end", header.kind))),
            // However it ended, it has.
            Err(_) => {
                process.into_iter().for_each(wait_until_gone);
                Ok(process)
            }
        }
    }

    fn lost(&self, error: ChannelError) -> AdminError {
        AdminError::Lost { address: self.target.address.to_string(), error, log: self.target.log.to_string() }
    }

    fn strange(&self, what: &impl ToString) -> AdminError {
        AdminError::Strange { address: self.target.address.to_string(), what: what.to_string() }
    }

    fn refused(&self, message: &str) -> AdminError {
        AdminError::Refused { message: message.to_owned(), log: self.target.log.to_string() }
    }
}

/// Waits for the last moment of a process, which closes its connections a little before. Where its number cannot be seen,
/// or is another's by now, that is long over.
fn wait_until_gone(process: u64) {
    let is_ending = || {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        // The state stands behind the name, which may hold anything; Z: it waits to be buried.
        stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(" Z"))
    };
    let end = Instant::now() + LAST_MOMENT;
    while is_ending() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(1));
    }
}
