//! Counts who is here: clients that shake hands, clients that wait for a session, and sessions.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// The count. One exists, and all connections share it.
#[derive(Debug)]
pub(crate) struct Sessions {
    state: Mutex<State>,
    /// How many are here in all, so that idleness can be waited for.
    present: watch::Sender<usize>,
    limit: usize,
}

#[derive(Debug, Default)]
struct State {
    /// Connections that have not been handed over.
    visitors: usize,
    /// Those of them that will get a session.
    admitted: usize,
    /// Clients that the worker has been given, and has not yet reported as started.
    starting: usize,
    /// Process ids of sessions, and of their PHP processes.
    alive: HashMap<i32, u64>,
}

impl State {
    fn sessions(&self) -> usize {
        self.admitted + self.starting + self.alive.len()
    }
}

impl Sessions {
    pub(crate) fn new(limit: u32) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), present: watch::Sender::new(0), limit: limit as usize })
    }

    /// A connection begins.
    pub(crate) fn visit(self: &Arc<Self>) -> Visitor {
        self.change(|state| state.visitors += 1);
        Visitor { sessions: Arc::clone(self), admitted: false }
    }

    /// A worker reports the process of a session.
    pub(crate) fn started(&self, process: i32, client: u64) {
        self.change(|state| {
            state.starting = state.starting.saturating_sub(1);
            state.alive.insert(process, client);
        });
    }

    /// A worker reports that a client gets no session after all.
    pub(crate) fn failed(&self) {
        self.change(|state| state.starting = state.starting.saturating_sub(1));
    }

    /// A worker reports the end of a session's process; gives the PHP process that it served.
    pub(crate) fn ended(&self, process: i32) -> Option<u64> {
        self.change(|state| state.alive.remove(&process))
    }

    /// The worker is gone and will report nothing any more. Gives how many sessions it had.
    pub(crate) fn forget(&self) -> usize {
        self.change(|state| std::mem::take(&mut state.starting) + std::mem::take(&mut state.alive).len())
    }

    /// How many sessions there are.
    pub(crate) fn count(&self) -> usize {
        self.lock().sessions()
    }

    /// Follows how many connections and sessions there are.
    pub(crate) fn present(&self) -> watch::Receiver<usize> {
        self.present.subscribe()
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let result = change(&mut state);
        self.present.send_replace(state.visitors + state.starting + state.alive.len());
        result
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is whole before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that has not been handed over. Dropping it takes it out of the count.
#[derive(Debug)]
pub(crate) struct Visitor {
    sessions: Arc<Sessions>,
    admitted: bool,
}

impl Visitor {
    /// Takes a place among the sessions.
    ///
    /// # Errors
    /// The number of places, if all are taken.
    pub(crate) fn admit(&mut self) -> Result<(), usize> {
        let limit = self.sessions.limit;
        self.admitted = self.sessions.change(|state| {
            let free = state.sessions() < limit;
            state.admitted += usize::from(free);
            free
        });
        if self.admitted { Ok(()) } else { Err(limit) }
    }

    /// The worker has been given this client, and will report it.
    pub(crate) fn handed_over(self) {
        self.sessions.change(|state| state.starting += 1);
    }
}

impl Drop for Visitor {
    fn drop(&mut self) {
        self.sessions.change(|state| {
            state.visitors -= 1;
            state.admitted -= usize::from(self.admitted);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_counts_from_its_connection_to_the_end_of_its_session() {
        let sessions = Sessions::new(10);
        let present = sessions.present();
        let mut visitor = sessions.visit();
        assert_eq!((*present.borrow(), sessions.count()), (1, 0));
        assert_eq!(visitor.admit(), Ok(()));
        assert_eq!((*present.borrow(), sessions.count()), (1, 1));
        visitor.handed_over();
        assert_eq!((*present.borrow(), sessions.count()), (1, 1));
        sessions.started(7, 70);
        assert_eq!((*present.borrow(), sessions.count()), (1, 1));
        assert_eq!(sessions.ended(7), Some(70));
        assert_eq!((*present.borrow(), sessions.count()), (0, 0));
        assert_eq!(sessions.ended(7), None);
    }

    #[test]
    fn a_session_that_failed_to_start_takes_no_place() {
        let sessions = Sessions::new(1);
        let mut visitor = sessions.visit();
        assert_eq!(visitor.admit(), Ok(()));
        visitor.handed_over();
        sessions.failed();
        assert_eq!(*sessions.present().borrow(), 0);
        assert_eq!(sessions.visit().admit(), Ok(()));
    }

    #[test]
    fn places_are_limited_and_given_back() {
        let sessions = Sessions::new(2);
        let mut visitors: Vec<_> = (0..3).map(|_| sessions.visit()).collect();
        let admitted: Vec<_> = visitors.iter_mut().map(Visitor::admit).collect();
        assert_eq!(admitted, [Ok(()), Ok(()), Err(2)]);
        drop(visitors.remove(0));
        assert_eq!(visitors[1].admit(), Ok(()));
        drop(visitors);
        assert_eq!(sessions.count(), 0);
    }

    #[test]
    fn a_worker_that_is_gone_leaves_nothing_behind() {
        let sessions = Sessions::new(2);
        sessions.visit().handed_over();
        sessions.started(7, 70);
        sessions.visit().handed_over();
        assert_eq!(sessions.forget(), 2);
        assert_eq!(*sessions.present().borrow(), 0);
    }
}
