//! Bounds that nobody sets: how long a sidecar waits at most, and how much it takes.

use std::time::Duration;

/// What the setting `max_sessions` may be at most: each session is a process.
pub const MAX_SESSIONS: u32 = 1 << 16;

/// What the setting `spinning_sessions` may be at most: each of them may keep a CPU busy.
pub const MAX_SPINNING_SESSIONS: u32 = 64;

/// What the setting `workers` may be at most: more processes than CPUs make nothing faster.
pub const MAX_WORKERS: u32 = 256;

/// Names that the setting `preload` may hold.
pub const MAX_PRELOADED_MODULES: usize = 1024;

/// The bounds. Tests choose shorter ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Handshakes at once at each address; further clients wait in the socket's queue.
    pub handshakes: usize,
    /// A hello must be whole within this time.
    pub hello: Duration,
    /// A client waits this long for a worker while none is ready.
    pub worker: Duration,
    /// A worker must be ready within this time: it imports the user's modules first.
    pub ready: Duration,
    /// A client waits this long for a place while all sessions are taken.
    pub queue: Duration,
    /// A successor must be ready within this time: its worker is started first.
    pub restart: Duration,
    /// A worker that has nothing to do any more is killed after this time.
    pub leave: Duration,
    /// The pause before a dead worker is replaced; it doubles each time.
    pub least_backoff: Duration,
    /// The longest such pause.
    pub most_backoff: Duration,
    /// A worker that lived this long was sound: the next pause is the least one again.
    pub sound: Duration,
    /// So many failures in a row, and clients are refused at once.
    pub failures: u32,
    /// The pause between two attempts then.
    pub broken: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshakes: 256,
            hello: Duration::from_secs(5),
            worker: Duration::from_secs(5),
            ready: Duration::from_secs(30),
            queue: Duration::from_secs(5),
            restart: Duration::from_secs(40),
            leave: Duration::from_secs(5),
            least_backoff: Duration::from_millis(100),
            most_backoff: Duration::from_secs(30),
            sound: Duration::from_secs(60),
            failures: 5,
            broken: Duration::from_secs(30),
        }
    }
}
