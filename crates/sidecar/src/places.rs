//! The places for sessions: so many at once, and a queue for them whose length others bound.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The places. Their number can change while they are taken.
#[derive(Debug)]
pub(crate) struct Places {
    /// First come, first served.
    free: Arc<Semaphore>,
    limit: Mutex<usize>,
    /// Places that are taken and will not come back: the number was made smaller meanwhile.
    surplus: AtomicUsize,
}

/// A place that is taken, until this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    /// There until `drop`.
    permit: Option<OwnedSemaphorePermit>,
    places: Arc<Places>,
}

impl Places {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        let free = Arc::new(Semaphore::new(limit));
        Arc::new(Self { free, limit: Mutex::new(limit), surplus: AtomicUsize::new(0) })
    }

    pub(crate) fn limit(&self) -> usize {
        *self.limit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place that is free now.
    pub(crate) fn try_take(self: &Arc<Self>) -> Option<Place> {
        let permit = Arc::clone(&self.free).try_acquire_owned().ok()?;
        Some(Place { permit: Some(permit), places: Arc::clone(self) })
    }

    /// Waits for a place.
    pub(crate) async fn take(self: &Arc<Self>) -> Place {
        match Arc::clone(&self.free).acquire_owned().await {
            Ok(permit) => Place { permit: Some(permit), places: Arc::clone(self) },
            // Nobody closes the semaphore.
            Err(_) => std::future::pending().await,
        }
    }

    /// Changes the number of places.
    pub(crate) fn resize(&self, to: usize) {
        let mut limit = self.limit.lock().unwrap_or_else(PoisonError::into_inner);
        let more = to.saturating_sub(*limit);
        let fewer = limit.saturating_sub(to);
        *limit = to;
        // Places that were to vanish when they are left may stay.
        let kept = (0..more).take_while(|_| self.take_surplus()).count();
        self.free.add_permits(more - kept);
        let vanished = self.free.forget_permits(fewer);
        self.surplus.fetch_add(fewer - vanished, Ordering::Relaxed);
    }

    fn take_surplus(&self) -> bool {
        self.surplus.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |surplus| surplus.checked_sub(1)).is_ok()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(permit) = self.permit.take()
            && self.places.take_surplus()
        {
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_can_change_while_places_are_taken() {
        let places = Places::new(3);
        let mut taken: Vec<_> = (0..2).filter_map(|_| places.try_take()).collect();
        places.resize(1);
        assert_eq!((places.limit(), places.free.available_permits()), (1, 0));
        taken.pop();
        assert!(places.try_take().is_none());
        taken.pop();
        let only = places.try_take().expect("one");
        assert!(places.try_take().is_none());
        // Smaller and larger again, before anybody has left.
        places.resize(0);
        places.resize(2);
        let other = places.try_take().expect("the second");
        assert!(places.try_take().is_none());
        drop((only, other));
        assert_eq!(places.free.available_permits(), 2);
    }
}
