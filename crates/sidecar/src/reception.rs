//! What all connections share: the settings that concern them, and whom they turn to.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;
use tokio::time::Instant;
use tortoise_protocol::handshake::AccessToken;

use crate::admission::Admission;
use crate::keeper::{KeeperHandle, Present};
use crate::limits::Limits;
use crate::refusals::Refusals;
use crate::requests::Request;
use crate::sessions::Sessions;

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Reception {
    pub(crate) policy: Mutex<Arc<Policy>>,
    pub(crate) limits: Limits,
    pub(crate) workers: Present,
    pub(crate) keeper: KeeperHandle,
    pub(crate) sessions: Arc<Sessions>,
    /// Where the operator's requests go.
    pub(crate) desk: mpsc::Sender<Request>,
    /// Clients of other users are refused, over Unix sockets.
    pub(crate) user: u32,
    /// Bounds what is logged of those who are refused.
    pub(crate) refusals: Refusals,
    /// When the sidecar started.
    pub(crate) since: Instant,
    /// Where it listens.
    pub(crate) addresses: Vec<String>,
    /// The file that it logs to; None: standard error.
    pub(crate) log: Option<String>,
}

/// Who may come, and what he gets. A reload changes it.
#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) admission: Admission,
    /// What clients over TCP must know. Without it none may come.
    pub(crate) token: Option<AccessToken>,
}

impl Reception {
    /// The policy of this moment.
    pub(crate) fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.policy.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets a policy count for those who come from now on.
    pub(crate) fn set_policy(&self, policy: Policy) {
        *self.policy.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(policy);
    }

    /// Where to read more, in the words of a message.
    pub(crate) fn log_name(&self) -> String {
        match &self.log {
            Some(log) => format!("the sidecar's log, {log},"),
            None => "the sidecar's log".to_owned(),
        }
    }
}

#[cfg(test)]
impl Reception {
    /// A reception of a private sidecar whose keeper hears nothing.
    pub(crate) fn for_tests(workers: Present, user: u32, limits: Limits) -> Self {
        Self {
            policy: Mutex::new(Arc::new(Policy { admission: Admission::Believe, token: None })),
            limits,
            workers,
            keeper: KeeperHandle::deaf(),
            sessions: Sessions::new(1),
            desk: mpsc::channel(1).0,
            user,
            refusals: Refusals::new(),
            since: Instant::now(),
            addresses: Vec::new(),
            log: None,
        }
    }
}
