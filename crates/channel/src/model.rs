//! A model of the ring and the bell, in every order in which two processes can run, with up to [`PREEMPTIONS`]
//! interruptions where a process does not wait.
//!
//! `RUSTFLAGS="--cfg loom" cargo test -p tortoise-channel --release loom`

use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;

use crate::bell::{Bell, News, Rest, Wake};
use crate::ring::{Consumer, Cursors, Producer, Ring, WORD_BYTES};
use crate::sync::{AtomicU32, AtomicU64, Ordering};

/// How often a side may be interrupted where it does not wait.
const PREEMPTIONS: usize = 3;

/// Both sides' memory, with the system's part of a futex.
struct Shared {
    cursors: Cursors,
    words: Vec<AtomicU64>,
    /// Of the producer, of the consumer.
    sleepers: [Sleeper; 2],
}

struct Sleeper {
    bell: Bell,
    /// Who compares the word and goes to sleep does so under a lock of the system's, which the waker takes too.
    lock: Mutex<()>,
    woken: Condvar,
    /// A byte in the socket.
    doorbell: Mutex<bool>,
    rung: Condvar,
}

impl Sleeper {
    fn new() -> Self {
        Self {
            bell: Bell::new(),
            lock: Mutex::new(()),
            woken: Condvar::new(),
            doorbell: Mutex::new(false),
            rung: Condvar::new(),
        }
    }

    /// One sleep. Whoever is never woken is a deadlock, which the checker finds.
    fn sleep(&self, rest: Rest, ready: impl FnOnce() -> bool) {
        let block = |word: &AtomicU32, expected: u32| {
            if matches!(rest, Rest::DataInFutex | Rest::RoomInFutex) {
                let guard = self.lock.lock().unwrap();
                if word.load(Ordering::Relaxed) == expected {
                    drop(self.woken.wait(guard).unwrap());
                }
            } else {
                let mut is_rung = self.doorbell.lock().unwrap();
                while !*is_rung {
                    is_rung = self.rung.wait(is_rung).unwrap();
                }
                *is_rung = false;
            }
            Ok::<_, ()>(())
        };
        self.bell.sleep(rest, || Ok(ready()), block).unwrap();
    }

    fn wake(&self, news: News) {
        match self.bell.after_news(news) {
            Wake::Nothing | Wake::Gone => {}
            Wake::Futex => {
                drop(self.lock.lock().unwrap());
                self.woken.notify_one();
            }
            Wake::Socket => {
                *self.doorbell.lock().unwrap() = true;
                self.rung.notify_one();
            }
        }
    }
}

impl Shared {
    fn new(capacity: usize) -> Arc<Self> {
        Arc::new(Self {
            cursors: Cursors::new(),
            words: (0..capacity).map(|_| AtomicU64::new(0)).collect(),
            sleepers: [Sleeper::new(), Sleeper::new()],
        })
    }

    fn ring(&self) -> Ring<'_> {
        Ring { cursors: &self.cursors, words: &self.words }
    }

    /// Sends words one by one, sleeping when there is no room.
    fn produce(&self, producer: &mut Producer, words: std::ops::Range<u64>, rest: Rest) {
        let ring = self.ring();
        for word in words {
            while producer.room(ring) == 0 {
                self.sleepers[0].sleep(rest, || {
                    producer.refresh(ring).unwrap();
                    producer.room(ring) > 0
                });
                producer.refresh(ring).unwrap();
            }
            producer.write(ring, &word.to_ne_bytes());
            producer.publish(ring);
            self.sleepers[1].wake(News::Data);
        }
    }

    /// Receives words one by one, sleeping when there are none.
    fn consume(&self, consumer: &mut Consumer, words: std::ops::Range<u64>, rest: Rest) {
        let ring = self.ring();
        for word in words {
            while consumer.available() == 0 {
                self.sleepers[1].sleep(rest, || {
                    consumer.refresh(ring).unwrap();
                    consumer.available() > 0
                });
                consumer.refresh(ring).unwrap();
            }
            let before = consumer.position();
            let mut bytes = Vec::new();
            consumer.read(ring, &mut bytes, WORD_BYTES);
            assert_eq!(bytes, word.to_ne_bytes());
            if consumer.publish(ring, before) {
                self.sleepers[0].wake(News::Room);
            }
        }
    }
}

/// Sends more words than the ring holds, so that both sides wait for each other.
fn stream(capacity: usize, words: u64, room: Rest, data: Rest) {
    let mut checker = loom::model::Builder::new();
    // With three the search takes seconds, and finds a missing fence on either side, a wake-up that comes too late and a
    // tail that is published too early. Without a bound it takes longer than anyone waits. It does not find a head that
    // is published too early: the checker does not reorder the reads of the words behind it.
    checker.preemption_bound = Some(PREEMPTIONS);
    checker.check(move || {
        let shared = Shared::new(capacity);
        let producing = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.produce(&mut Producer::default(), 1..words + 1, room))
        };
        shared.consume(&mut Consumer::default(), 1..words + 1, data);
        producing.join().unwrap();
    });
}

#[test]
fn loom_no_wake_up_is_lost_in_futexes() {
    stream(2, 3, Rest::RoomInFutex, Rest::DataInFutex);
}

#[test]
fn loom_no_wake_up_is_lost_at_the_socket() {
    stream(2, 3, Rest::RoomAtSocket, Rest::DataAtSocket);
}

#[test]
fn loom_no_wake_up_is_lost_between_futex_and_socket() {
    stream(2, 3, Rest::RoomInFutex, Rest::DataAtSocket);
}
