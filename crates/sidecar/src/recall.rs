//! Whom to ask to leave while clients wait for a place: the sessions that have been idle longest.

use tortoise_channel::Activity;

use crate::control::Order;
use crate::followed::Followed;
use crate::sessions::Sessions;

/// Tells up to `wanted` sessions to leave. What the boards say is only believed of sessions that are known; a session
/// that is busy again when the order arrives leaves at the end of its request.
pub(crate) fn longest_idle<'a>(workers: impl Iterator<Item = &'a Followed>, sessions: &Sessions, wanted: usize) {
    let idle = |worker: &'a Followed| {
        let glimpses = worker.board.glimpses().filter(|(_, seen)| seen.activity == Activity::Idle);
        glimpses.map(move |(_, seen)| (seen.since, worker, seen.thread.cast_signed()))
    };
    let mut idle: Vec<_> = workers.flat_map(idle).collect();
    idle.sort_by_key(|(since, ..)| *since);
    let told = idle.into_iter().filter(|(_, worker, session)| sessions.recall(worker.id, *session));
    for (_, worker, session) in told.take(wanted) {
        tracing::debug!("session {session} is idle and leaves for a client that waits");
        worker.control.order(&Order::Recall(session), None);
    }
}
