//! What a worker is told of the settings: the JSON of its argument `--settings`.

use serde::Serialize;

use crate::settings::{Isolation, ReloadWhen, Settings};

/// The settings of a worker. A bound of 0 is none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct WorkerSettings {
    /// Sessions at once that may spin; None: as many as the worker has CPUs.
    pub(crate) spinning_sessions: Option<u32>,
    /// `process` or `thread`.
    pub(crate) isolation: Isolation,
    /// Under thread isolation: processes with sessions.
    pub(crate) workers: u32,
    /// Modules to import before it is ready, in this order.
    pub(crate) preload: Vec<String>,
    /// Class roots, in the order in which they are searched for those.
    pub(crate) path: Vec<String>,
    /// Processes that wait for their client.
    pub(crate) spare_sessions: u32,
    /// Requests of PHP after which a session is replaced.
    pub(crate) max_requests: u64,
    /// Seconds after which it is.
    pub(crate) max_age: f64,
    /// Bytes of resident memory above which it is.
    pub(crate) max_memory: u64,
    /// Bytes of data that a session may allocate: more is a MemoryError.
    pub(crate) memory_limit: u64,
    /// Seconds between an interrupt and the end.
    pub(crate) grace: f64,
    /// `never` or `on-change`.
    pub(crate) reload: ReloadWhen,
    /// File for the stacks of what took too long.
    pub(crate) slow_log: Option<String>,
    /// The name of the log, for messages.
    pub(crate) log: Option<String>,
}

impl WorkerSettings {
    /// What these settings say. `log`: the file that the sidecar logs to.
    pub(crate) fn of(settings: &Settings, log: Option<String>) -> Self {
        Self {
            spinning_sessions: settings.spinning_sessions,
            isolation: settings.isolation,
            workers: settings.workers,
            preload: settings.preload.clone(),
            path: settings.path.iter().map(|root| root.canonical.clone()).collect(),
            spare_sessions: settings.spare_sessions,
            max_requests: settings.max_requests.unwrap_or(0),
            max_age: settings.max_age.map_or(0.0, |age| age.as_secs_f64()),
            max_memory: settings.max_memory.unwrap_or(0),
            memory_limit: settings.memory_limit.unwrap_or(0),
            grace: settings.grace.as_secs_f64(),
            reload: settings.reload,
            slow_log: settings.slow_log.as_ref().map(|path| path.display().to_string()),
            log,
        }
    }
}
