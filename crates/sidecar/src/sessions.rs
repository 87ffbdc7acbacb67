//! Counts who is here: clients that shake hands, clients that wait for a session, and sessions.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use crate::control::Done;
use crate::places::{Place, Places};

/// Tells the workers of one sidecar apart: each has another.
pub(crate) type WorkerId = u64;

/// The count. One exists, and all connections share it.
#[derive(Debug)]
pub(crate) struct Sessions {
    state: Mutex<State>,
    /// How many are here in all, so that idleness can be waited for.
    present: watch::Sender<usize>,
    places: Arc<Places>,
}

#[derive(Debug, Default)]
struct State {
    /// Connections that have not been handed over.
    visitors: usize,
    /// Those of them that wait for a place.
    waiting: usize,
    workers: HashMap<WorkerId, OfWorker>,
    totals: Totals,
}

/// The sessions of one worker.
#[derive(Debug, Default)]
struct OfWorker {
    /// The places of clients that it has been given, and has not yet reported as started.
    starting: Vec<Place>,
    /// By the number of the session: its thread, or its process if it has one of its own.
    alive: HashMap<i32, Alive>,
}

#[derive(Debug)]
struct Alive {
    /// The process of PHP.
    client: u64,
    /// The session's process.
    process: i32,
    /// It was told to leave, because others wait.
    is_recalled: bool,
    /// It was interrupted, because its client left in mid-call.
    is_overdue: bool,
    _place: Place,
}

impl OfWorker {
    fn count(&self) -> usize {
        self.starting.len() + self.alive.len()
    }
}

impl State {
    fn sessions(&self) -> usize {
        self.workers.values().map(OfWorker::count).sum()
    }
}

/// What there was in all, since the sidecar started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Sessions that have begun.
    pub(crate) sessions: u64,
    /// Requests of PHP in sessions that have ended.
    pub(crate) requests: u64,
    /// Calls in sessions that have ended.
    pub(crate) calls: u64,
    /// Sessions that left because of their own bounds.
    pub(crate) recycled: u64,
    /// Sessions that left for clients that waited for a place.
    pub(crate) recalled: u64,
    /// Sessions whose client left in mid-call.
    pub(crate) overdue: u64,
    /// Those of them that had to be killed.
    pub(crate) killed: u64,
}

/// A session that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Its number.
    pub(crate) session: i32,
    /// The process of PHP that it served.
    pub(crate) client: u64,
}

/// Why a client gets no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoPlace {
    /// As many wait as there are places.
    #[error("all {0} sessions are taken (max_sessions), and as many clients wait for one; try again later")]
    Crowded(usize),
    /// None became free in time.
    #[error("all {limit} sessions are taken (max_sessions), and none became free within {} s; try again later", .waited.as_secs_f64())]
    TooLong {
        /// How many places there are.
        limit: usize,
        /// How long it waited.
        waited: Duration,
    },
}

impl Sessions {
    pub(crate) fn new(limit: u32) -> Arc<Self> {
        let places = Places::new(limit as usize);
        Arc::new(Self { state: Mutex::default(), present: watch::Sender::new(0), places })
    }

    /// Changes how many there may be. Those that are too many stay until they end.
    pub(crate) fn set_limit(&self, limit: u32) {
        self.places.resize(limit as usize);
    }

    /// How many there may be.
    pub(crate) fn limit(&self) -> usize {
        self.places.limit()
    }

    /// A connection begins.
    pub(crate) fn visit(self: &Arc<Self>) -> Visitor {
        self.change(|state| state.visitors += 1);
        Visitor { sessions: Arc::clone(self), place: None }
    }

    /// A worker can take sessions.
    pub(crate) fn open(&self, worker: WorkerId) {
        self.change(|state| {
            state.workers.entry(worker).or_default();
        });
    }

    /// A worker reports a session.
    pub(crate) fn started(&self, worker: WorkerId, session: i32, process: i32, client: u64) {
        self.change(|state| {
            state.totals.sessions += 1;
            if let Some(of) = state.workers.get_mut(&worker)
                && let Some(place) = of.starting.pop()
            {
                let alive = Alive { client, process, is_recalled: false, is_overdue: false, _place: place };
                of.alive.insert(session, alive);
            }
        });
    }

    /// A worker reports that a client gets no session after all.
    pub(crate) fn failed(&self, worker: WorkerId) {
        self.change(|state| state.workers.get_mut(&worker).and_then(|of| of.starting.pop()));
    }

    /// A worker reports the end of a session, or of a process and all its sessions.
    pub(crate) fn ended(&self, worker: WorkerId, number: i32, done: Done, is_killed: bool) -> Vec<Ended> {
        self.change(|state| {
            state.totals.requests += done.requests;
            state.totals.calls += done.calls;
            state.totals.recycled += u64::from(done.recycled);
            let Some(of) = state.workers.get_mut(&worker) else { return Vec::new() };
            let gone = of.alive.extract_if(|session, alive| *session == number || alive.process == number);
            gone.map(|(session, alive)| {
                state.totals.killed += u64::from(alive.is_overdue && is_killed);
                Ended { session, client: alive.client }
            })
            .collect()
        })
    }

    /// A session was interrupted, because its client left in mid-call. False: there is no such one.
    pub(crate) fn is_overdue(&self, worker: WorkerId, session: i32) -> bool {
        self.change(|state| {
            let Some(alive) = state.workers.get_mut(&worker).and_then(|of| of.alive.get_mut(&session)) else {
                return false;
            };
            state.totals.overdue += u64::from(!alive.is_overdue);
            alive.is_overdue = true;
            true
        })
    }

    /// The process of a session that still is there.
    pub(crate) fn process_of(&self, worker: WorkerId, session: i32) -> Option<i32> {
        self.lock().workers.get(&worker)?.alive.get(&session).map(|alive| alive.process)
    }

    /// The processes of a worker's sessions, each once.
    pub(crate) fn processes_of(&self, worker: WorkerId) -> Vec<i32> {
        let state = self.lock();
        let alive = state.workers.get(&worker).into_iter().flat_map(|of| of.alive.values());
        let processes: BTreeSet<_> = alive.map(|alive| alive.process).collect();
        processes.into_iter().collect()
    }

    /// The worker is gone and will report nothing any more. Gives how many sessions it had.
    pub(crate) fn forget(&self, worker: WorkerId) -> usize {
        self.change(|state| state.workers.remove(&worker)).map_or(0, |of| of.count())
    }

    /// How many sessions there are, and clients that will get one.
    pub(crate) fn count(&self) -> usize {
        self.lock().sessions()
    }

    /// How many sessions a worker has.
    pub(crate) fn count_of(&self, worker: WorkerId) -> usize {
        self.lock().workers.get(&worker).map_or(0, OfWorker::count)
    }

    /// How many clients wait for a place.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().waiting
    }

    /// How many more sessions should leave for those who wait.
    pub(crate) fn wanted(&self) -> usize {
        let state = self.lock();
        let alive = state.workers.values().flat_map(|of| of.alive.values());
        state.waiting.saturating_sub(alive.filter(|alive| alive.is_recalled).count())
    }

    /// Marks a session as told to leave. False: there is no such one, or it has been told.
    pub(crate) fn recall(&self, worker: WorkerId, session: i32) -> bool {
        self.change(|state| {
            let Some(alive) = state.workers.get_mut(&worker).and_then(|of| of.alive.get_mut(&session)) else {
                return false;
            };
            let is_new = !std::mem::replace(&mut alive.is_recalled, true);
            state.totals.recalled += u64::from(is_new);
            is_new
        })
    }

    /// What there was in all.
    pub(crate) fn totals(&self) -> Totals {
        self.lock().totals
    }

    /// Follows how many connections and sessions there are.
    pub(crate) fn present(&self) -> watch::Receiver<usize> {
        self.present.subscribe()
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let result = change(&mut state);
        self.present.send_replace(state.visitors + state.sessions());
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
    place: Option<Place>,
}

impl Visitor {
    /// Takes a place among the sessions, or waits for one at most this long; `wait` is called if it must.
    pub(crate) async fn admit(&mut self, longest: Duration, wait: impl FnOnce()) -> Result<(), NoPlace> {
        let sessions = &self.sessions;
        if let Some(place) = sessions.places.try_take() {
            self.place = Some(place);
            return Ok(());
        }
        let limit = sessions.limit();
        let waiting = Waiting::begin(sessions).ok_or(NoPlace::Crowded(limit))?;
        wait();
        self.place = timeout(longest, sessions.places.take()).await.ok();
        drop(waiting);
        if self.place.is_some() { Ok(()) } else { Err(NoPlace::TooLong { limit, waited: longest }) }
    }

    /// The worker has been given this client, and will report it.
    pub(crate) fn handed_over(mut self, worker: WorkerId) {
        let place = self.place.take();
        self.sessions.change(|state| {
            // A worker that is gone reports nothing.
            if let Some(of) = state.workers.get_mut(&worker) {
                of.starting.extend(place);
            }
        });
    }
}

impl Drop for Visitor {
    fn drop(&mut self) {
        self.place = None;
        self.sessions.change(|state| state.visitors -= 1);
    }
}

/// A client in the queue for a place.
struct Waiting<'a>(&'a Sessions);

impl<'a> Waiting<'a> {
    /// None: as many wait as there are places.
    fn begin(sessions: &'a Sessions) -> Option<Self> {
        let limit = sessions.limit();
        let has_room = sessions.change(|state| {
            let has_room = state.waiting < limit;
            state.waiting += usize::from(has_room);
            has_room
        });
        // Not made where there is no room: its end would be counted.
        has_room.then(|| Self(sessions))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.change(|state| state.waiting -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORKER: WorkerId = 1;
    const LONGEST: Duration = Duration::from_secs(5);
    const NOTHING: Done = Done { requests: 0, calls: 0, recycled: false };

    fn sessions(limit: u32) -> Arc<Sessions> {
        let sessions = Sessions::new(limit);
        sessions.open(WORKER);
        sessions
    }

    async fn admit(visitor: &mut Visitor) -> Result<(), NoPlace> {
        visitor.admit(LONGEST, || {}).await
    }

    /// A session of this number.
    async fn begin(sessions: &Arc<Sessions>, session: i32, client: u64) {
        let mut visitor = sessions.visit();
        admit(&mut visitor).await.expect("a place");
        visitor.handed_over(WORKER);
        sessions.started(WORKER, session, session, client);
    }

    #[tokio::test]
    async fn a_client_counts_from_its_connection_to_the_end_of_its_session() {
        let sessions = sessions(10);
        let present = sessions.present();
        let mut visitor = sessions.visit();
        assert_eq!(*present.borrow(), 1);
        assert_eq!(admit(&mut visitor).await, Ok(()));
        visitor.handed_over(WORKER);
        assert_eq!((*present.borrow(), sessions.count()), (1, 1));
        sessions.started(WORKER, 7, 7, 70);
        assert_eq!((*present.borrow(), sessions.count()), (1, 1));
        let done = Done { requests: 3, calls: 5, recycled: true };
        assert_eq!(sessions.ended(WORKER, 7, done, false), [Ended { session: 7, client: 70 }]);
        assert_eq!((*present.borrow(), sessions.count()), (0, 0));
        assert_eq!(sessions.ended(WORKER, 7, NOTHING, false), []);
        let expected = Totals { sessions: 1, requests: 3, calls: 5, recycled: 1, ..Totals::default() };
        assert_eq!(sessions.totals(), expected);
    }

    #[tokio::test]
    async fn a_session_that_failed_to_start_takes_no_place() {
        let sessions = sessions(1);
        let mut visitor = sessions.visit();
        assert_eq!(admit(&mut visitor).await, Ok(()));
        visitor.handed_over(WORKER);
        sessions.failed(WORKER);
        assert_eq!(*sessions.present().borrow(), 0);
        assert_eq!(admit(&mut sessions.visit()).await, Ok(()));
    }

    #[tokio::test]
    async fn the_end_of_a_process_is_the_end_of_all_its_sessions() {
        let sessions = sessions(3);
        for thread in [11, 12, 21] {
            let mut visitor = sessions.visit();
            admit(&mut visitor).await.expect("a place");
            visitor.handed_over(WORKER);
            sessions.started(WORKER, thread, thread / 10 * 10, 1);
        }
        assert_eq!(sessions.ended(WORKER, 12, NOTHING, false).len(), 1);
        assert_eq!(sessions.ended(WORKER, 10, NOTHING, true), [Ended { session: 11, client: 1 }]);
        assert_eq!(sessions.count(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn beyond_the_limit_clients_wait_for_the_first_place_in_their_order() {
        let sessions = sessions(1);
        begin(&sessions, 7, 70).await;
        let mut first = sessions.visit();
        let mut second = sessions.visit();
        let begin = tokio::time::Instant::now();
        let leave = async {
            assert_eq!((sessions.waiting(), sessions.wanted()), (1, 1));
            assert!(sessions.recall(WORKER, 7) && !sessions.recall(WORKER, 7) && !sessions.recall(WORKER, 8));
            assert_eq!((sessions.waiting(), sessions.wanted()), (1, 0));
            tokio::time::sleep(Duration::from_secs(1)).await;
            sessions.ended(WORKER, 7, NOTHING, false);
        };
        let (waited, crowded, ()) = tokio::join!(biased; admit(&mut first), admit(&mut second), leave);
        assert_eq!((waited, crowded), (Ok(()), Err(NoPlace::Crowded(1))));
        assert_eq!((begin.elapsed().as_secs(), sessions.waiting()), (1, 0));
        // Who waits in vain is told so.
        let too_long = NoPlace::TooLong { limit: 1, waited: LONGEST };
        assert_eq!(admit(&mut second).await, Err(too_long));
        assert_eq!(begin.elapsed().as_secs(), 6);
        drop(first);
        assert_eq!(admit(&mut second).await, Ok(()));
    }

    #[tokio::test]
    async fn a_session_that_overstays_is_counted_once_and_so_is_its_end() {
        let sessions = sessions(2);
        begin(&sessions, 7, 70).await;
        assert!(sessions.is_overdue(WORKER, 7) && sessions.is_overdue(WORKER, 7) && !sessions.is_overdue(WORKER, 8));
        assert_eq!(sessions.process_of(WORKER, 7), Some(7));
        sessions.ended(WORKER, 7, NOTHING, true);
        assert_eq!(sessions.process_of(WORKER, 7), None);
        begin(&sessions, 8, 80).await;
        sessions.ended(WORKER, 8, NOTHING, true);
        let totals = sessions.totals();
        assert_eq!((totals.overdue, totals.killed), (1, 1));
    }

    #[tokio::test]
    async fn a_worker_that_is_gone_leaves_nothing_behind() {
        let sessions = sessions(3);
        begin(&sessions, 7, 70).await;
        let mut given = sessions.visit();
        admit(&mut given).await.expect("a place");
        given.handed_over(WORKER);
        let mut late = sessions.visit();
        admit(&mut late).await.expect("a place");
        assert_eq!(sessions.forget(WORKER), 2);
        late.handed_over(WORKER);
        assert_eq!((*sessions.present().borrow(), sessions.count()), (0, 0));
        for _ in 0..3 {
            std::mem::forget(sessions.places.try_take().expect("all places are free"));
        }
    }
}
