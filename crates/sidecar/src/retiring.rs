//! A worker that takes no more sessions, from the order to retire until it is gone.

use std::time::Duration;

use tokio::time::Instant;

use crate::control::Order;
use crate::followed::Followed;
use crate::sessions::Sessions;
use crate::states::{Happening, WorkerState};

/// A worker that retires.
#[derive(Debug)]
pub(crate) struct Retiring {
    pub(crate) worker: Followed,
    pub(crate) state: WorkerState,
    /// When it must have gone; None: nothing more can be done.
    pub(crate) until: Option<Instant>,
    stage: Stage,
    drain: Duration,
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Its sessions leave, each at the end of its request.
    Draining,
    /// It has none any more, or they were killed: it ends.
    Ending,
    /// It was killed.
    Killed,
}

impl Retiring {
    /// Tells a worker in this state to retire. Its sessions have the time `drain`, itself has `leave` after them.
    pub(crate) fn begin(
        worker: Followed,
        state: WorkerState,
        sessions: &Sessions,
        drain: Duration,
        leave: Duration,
    ) -> Self {
        worker.control.order(&Order::Retire {}, None);
        let mut retiring = Self { worker, state, until: Some(Instant::now() + drain), stage: Stage::Draining, drain };
        retiring.turn(Happening::Dismissed);
        retiring.hurry_if_empty(sessions, leave);
        retiring
    }

    /// Its process has ended.
    pub(crate) fn ended(&mut self) {
        self.turn(Happening::Ended);
    }

    /// A worker without sessions has no reason to stay.
    pub(crate) fn hurry_if_empty(&mut self, sessions: &Sessions, leave: Duration) {
        if self.stage == Stage::Draining && sessions.count_of(self.worker.id) == 0 {
            self.stage = Stage::Ending;
            self.until = Some(Instant::now() + leave);
        }
    }

    /// The time is over.
    pub(crate) fn press(&mut self, sessions: &Sessions, leave: Duration) {
        let pid = self.worker.ready.pid;
        match self.stage {
            Stage::Draining => {
                let processes = sessions.processes_of(self.worker.id);
                tracing::warn!(
                    "worker {pid} still has sessions after the {} s of drain; they are killed: processes {processes:?}",
                    self.drain.as_secs_f64()
                );
                for process in processes {
                    self.worker.control.order(&Order::Kill(process), None);
                }
                (self.stage, self.until) = (Stage::Ending, Some(Instant::now() + leave));
            }
            Stage::Ending => {
                tracing::warn!("worker {pid} did not leave within {} s and is killed", leave.as_secs_f64());
                self.worker.kill();
                (self.stage, self.until) = (Stage::Killed, None);
            }
            Stage::Killed => self.until = None,
        }
    }

    fn turn(&mut self, happening: Happening) {
        self.state.turn(happening);
    }
}
