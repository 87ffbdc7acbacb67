//! What a sidecar does: what `tortoise status` is told, as JSON.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use tortoise_channel::{Activity, Glimpse, monotonic_milliseconds};

use crate::followed::Followed;
use crate::sessions::Totals;
use crate::states::WorkerState;

/// Sessions that are listed; more are only counted, so that the answer is not longer than a frame may be.
const MAX_LISTED: usize = 1000;

/// What the keeper knows.
#[derive(Debug)]
pub(crate) struct KeeperStatus {
    pub(crate) state: WorkerState,
    pub(crate) reloads: u64,
    pub(crate) restarts: u64,
    pub(crate) is_reloading: bool,
    pub(crate) last_failure: Option<String>,
    pub(crate) python: PathBuf,
    pub(crate) workers: Vec<WorkerStatus>,
}

/// One worker, and what its board showed.
#[derive(Debug)]
pub(crate) struct WorkerStatus {
    pid: i32,
    state: WorkerState,
    python: String,
    age: Duration,
    glimpses: Vec<Glimpse>,
}

impl WorkerStatus {
    pub(crate) fn of(state: WorkerState, worker: &Followed) -> Self {
        Self {
            pid: worker.ready.pid,
            state,
            python: worker.ready.python.clone(),
            age: worker.since.elapsed(),
            glimpses: worker.board.glimpses().map(|(_, seen)| seen).collect(),
        }
    }
}

impl KeeperStatus {
    /// Whether a session that is to retire has not left yet, though no request of PHP keeps it.
    pub(crate) fn has_idle_among_retiring(&self) -> bool {
        let retiring = self.workers.iter().filter(|worker| worker.state == WorkerState::Retiring);
        retiring.flat_map(|worker| &worker.glimpses).any(|seen| seen.activity == Activity::Idle)
    }
}

/// What the supervisor knows beside it.
#[derive(Debug)]
pub(crate) struct Surroundings {
    pub(crate) uptime: Duration,
    pub(crate) addresses: Vec<String>,
    pub(crate) log: Option<String>,
    pub(crate) max_sessions: usize,
    /// Sessions, and clients that are about to have one.
    pub(crate) sessions: usize,
    pub(crate) waiting: usize,
    pub(crate) refused: u64,
    pub(crate) totals: Totals,
}

/// The whole answer.
#[derive(Debug, Serialize)]
struct Status {
    version: &'static str,
    pid: u32,
    /// Seconds.
    uptime: f64,
    /// `ready`, `reloading`, `starting`, `broken` (workers do not start) or `draining`.
    state: &'static str,
    /// Why the last worker failed, unless one is ready.
    error: Option<String>,
    addresses: Vec<String>,
    log: Option<String>,
    python: String,
    workers: Vec<WorkerLine>,
    reloads: u64,
    worker_restarts: u64,
    sessions: Counts,
    waiting: usize,
    refused: u64,
    sessions_started: u64,
    requests: u64,
    calls: u64,
    recycled: u64,
    recalled: u64,
    overdue: u64,
    killed: u64,
    list: Vec<SessionLine>,
}

#[derive(Debug, Serialize)]
struct WorkerLine {
    pid: i32,
    state: WorkerState,
    /// Seconds since it was ready.
    since: f64,
    sessions: usize,
    python: String,
}

#[derive(Debug, Default, Serialize)]
struct Counts {
    max: usize,
    all: usize,
    busy: usize,
    idle: usize,
    spare: usize,
    leaving: usize,
}

#[derive(Debug, Serialize)]
struct SessionLine {
    pid: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    thread: Option<u32>,
    worker: i32,
    client: Option<u64>,
    state: &'static str,
    /// Whether a call is going on.
    calling: bool,
    /// Seconds in this state.
    since: f64,
    requests: u32,
    calls: u64,
    /// Bytes of memory; None: nobody has looked.
    resident: Option<u64>,
}

/// The status as JSON.
pub(crate) fn as_json(keeper: &KeeperStatus, around: &Surroundings) -> serde_json::Value {
    let now = monotonic_milliseconds();
    let mut counts = Counts { max: around.max_sessions, all: around.sessions, ..Counts::default() };
    let (mut requests, mut calls) = (around.totals.requests, around.totals.calls);
    let mut list = Vec::new();
    for worker in &keeper.workers {
        for seen in &worker.glimpses {
            match seen.activity {
                Activity::Free => continue,
                Activity::Spare => counts.spare += 1,
                Activity::Idle => counts.idle += 1,
                Activity::Busy => counts.busy += 1,
                Activity::Leaving => counts.leaving += 1,
            }
            // The numbers are what user code may have written.
            requests = requests.saturating_add(u64::from(seen.requests));
            calls = calls.saturating_add(seen.calls);
            if list.len() < MAX_LISTED {
                list.push(session_line(worker.pid, seen, now));
            }
        }
    }
    let status = Status {
        version: tortoise_protocol::PRODUCT_VERSION,
        pid: std::process::id(),
        uptime: around.uptime.as_secs_f64(),
        state: state_name(keeper),
        error: keeper.last_failure.clone().filter(|_| keeper.state != WorkerState::Ready),
        addresses: around.addresses.clone(),
        log: around.log.clone(),
        python: match keeper.workers.first() {
            Some(worker) => format!("{} at {}", worker.python, keeper.python.display()),
            None => keeper.python.display().to_string(),
        },
        workers: keeper.workers.iter().map(worker_line).collect(),
        reloads: keeper.reloads,
        worker_restarts: keeper.restarts,
        sessions: counts,
        waiting: around.waiting,
        refused: around.refused,
        sessions_started: around.totals.sessions,
        requests,
        calls,
        recycled: around.totals.recycled,
        recalled: around.totals.recalled,
        overdue: around.totals.overdue,
        killed: around.totals.killed,
        list,
    };
    serde_json::to_value(status).unwrap_or_else(|error| serde_json::json!({ "error": error.to_string() }))
}

fn state_name(keeper: &KeeperStatus) -> &'static str {
    match keeper.state {
        WorkerState::Ready if keeper.is_reloading => "reloading",
        WorkerState::Ready => "ready",
        WorkerState::Broken => "broken",
        WorkerState::Starting | WorkerState::Backoff => "starting",
        WorkerState::Retiring | WorkerState::Left => "draining",
    }
}

fn worker_line(worker: &WorkerStatus) -> WorkerLine {
    let has_client = |seen: &&Glimpse| matches!(seen.activity, Activity::Idle | Activity::Busy);
    WorkerLine {
        pid: worker.pid,
        state: worker.state,
        since: worker.age.as_secs_f64(),
        sessions: worker.glimpses.iter().filter(has_client).count(),
        python: worker.python.clone(),
    }
}

fn session_line(worker: i32, seen: &Glimpse, now: u64) -> SessionLine {
    SessionLine {
        pid: seen.process,
        thread: (seen.thread != seen.process).then_some(seen.thread),
        worker,
        client: (seen.client != 0).then_some(seen.client),
        state: match seen.activity {
            Activity::Free => "free",
            Activity::Spare => "spare",
            Activity::Idle => "idle",
            Activity::Busy => "busy",
            Activity::Leaving => "leaving",
        },
        calling: seen.is_calling,
        since: Duration::from_millis(now.saturating_sub(seen.since)).as_secs_f64(),
        requests: seen.requests,
        calls: seen.calls,
        resident: (seen.resident != 0).then_some(seen.resident),
    }
}
