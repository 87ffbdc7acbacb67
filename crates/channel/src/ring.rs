//! One direction of the shared memory: words go in at the tail and come out at the head.
//!
//! A ring has one producer and one consumer, in two processes that do not trust each other. Each counts in private
//! memory how far it is, publishes that count, and never reads it back. What the other publishes is loaded once and
//! checked before it is used, so that no index out of the ring can be made of it; what the other writes into the
//! words is loaded once too, and is bytes, whatever it is. Counters count words, and only grow.
//!
//! The words are atomics with relaxed access, which on our machines are plain moves ([`crate::copy`]): a peer that
//! writes what we read gives us nonsense, not undefined behaviour.

use std::mem::MaybeUninit;

use crate::copy::{load, store};
use crate::sync::{AtomicU32, AtomicU64, Ordering};

/// Bytes of a word of the ring. A frame takes whole words.
pub(crate) const WORD_BYTES: usize = size_of::<u64>();

/// What one direction publishes. Its two halves never share a cache line, nor a pair of lines that the processor
/// fetches together.
#[repr(C)]
pub(crate) struct Cursors {
    produced: Produced,
    consumed: Consumed,
}

/// Written by the producer.
#[repr(C, align(128))]
struct Produced {
    /// Words that went in.
    tail: AtomicU64,
    /// One more than the CPU on which the producer last ran, 0 before it said so, [`NO_SPINNING`] if nobody is to spin
    /// for it. It stands beside the tail because
    /// whoever waits looks there anyway.
    cpu: AtomicU32,
}

/// Written by the consumer.
#[repr(C, align(128))]
struct Consumed {
    /// Words that came out.
    head: AtomicU64,
}

#[cfg(loom)]
impl Cursors {
    pub(crate) fn new() -> Self {
        Self {
            produced: Produced { tail: AtomicU64::new(0), cpu: AtomicU32::new(0) },
            consumed: Consumed { head: AtomicU64::new(0) },
        }
    }
}

/// Stands in the place of a CPU.
const NO_SPINNING: u32 = u32::MAX;

impl Cursors {
    /// Says where the producer runs; None: that nobody is to spin for it.
    pub(crate) fn set_cpu(&self, cpu: Option<u32>) {
        self.produced.cpu.store(cpu.map_or(NO_SPINNING, |cpu| cpu.wrapping_add(1)), Ordering::Relaxed);
    }

    /// Whether it makes sense to spin for what the producer will write, on the CPU `here`: not if it last ran there too,
    /// and cannot while we do, nor if it said so.
    pub(crate) fn is_worth_spinning(&self, here: u32) -> bool {
        let cpu = self.produced.cpu.load(Ordering::Relaxed);
        cpu != NO_SPINNING && cpu != here.wrapping_add(1)
    }
}

/// One direction as it lies in shared memory.
#[derive(Clone, Copy)]
pub(crate) struct Ring<'memory> {
    pub(crate) cursors: &'memory Cursors,
    /// A power of two of them.
    pub(crate) words: &'memory [AtomicU64],
}

impl<'memory> Ring<'memory> {
    fn capacity(self) -> u64 {
        self.words.len() as u64
    }

    /// The `count` words from the counter `from` on, as the two runs in which they lie.
    fn runs(self, from: u64, count: usize) -> (&'memory [AtomicU64], &'memory [AtomicU64]) {
        let capacity = self.words.len();
        // The remainder is below the capacity, which is a usize.
        let start = (from & (capacity as u64 - 1)) as usize;
        let first = count.min(capacity - start);
        (&self.words[start..start + first], &self.words[..count - first])
    }
}

/// The peer published what cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("its {counter} went from {from} to {to} words, in a ring of {capacity}")]
pub struct Corrupted {
    counter: &'static str,
    from: u64,
    to: u64,
    capacity: u64,
}

/// The private half of a ring's producer.
#[derive(Debug, Default)]
pub(crate) struct Producer {
    /// Words written, published or not.
    tail: u64,
    /// The consumer's head as last seen.
    head: u64,
}

impl Producer {
    /// Words for which there is room, as far as is known.
    pub(crate) fn room(&self, ring: Ring<'_>) -> usize {
        (ring.capacity() - (self.tail - self.head)) as usize
    }

    /// Looks how far the consumer is.
    pub(crate) fn refresh(&mut self, ring: Ring<'_>) -> Result<(), Corrupted> {
        let head = ring.cursors.consumed.head.load(Ordering::Acquire);
        if head.wrapping_sub(self.head) > self.tail - self.head {
            return Err(Corrupted { counter: "head", from: self.head, to: head, capacity: ring.capacity() });
        }
        self.head = head;
        Ok(())
    }

    /// Copies bytes into the ring, the last word filled up with zeros. There must be room.
    pub(crate) fn write(&mut self, ring: Ring<'_>, bytes: &[u8]) {
        let count = bytes.len().div_ceil(WORD_BYTES);
        assert!(count <= self.room(ring), "room was asked for before");
        let (first, second) = ring.runs(self.tail, count);
        let (before, behind) = bytes.split_at(bytes.len().min(first.len() * WORD_BYTES));
        store(first, before);
        store(second, behind);
        self.tail += count as u64;
    }

    /// Shows the consumer what was written.
    pub(crate) fn publish(&self, ring: Ring<'_>) {
        ring.cursors.produced.tail.store(self.tail, Ordering::Release);
    }
}

/// The private half of a ring's consumer.
#[derive(Debug, Default)]
pub(crate) struct Consumer {
    /// Words read, published or not.
    head: u64,
    /// The producer's tail as last seen.
    tail: u64,
}

impl Consumer {
    /// Words that are there, as far as is known.
    pub(crate) fn available(&self) -> usize {
        (self.tail - self.head) as usize
    }

    /// Looks how far the producer is.
    pub(crate) fn refresh(&mut self, ring: Ring<'_>) -> Result<(), Corrupted> {
        let tail = ring.cursors.produced.tail.load(Ordering::Acquire);
        let capacity = ring.capacity();
        if tail.wrapping_sub(self.tail) > capacity - (self.tail - self.head) {
            return Err(Corrupted { counter: "tail", from: self.tail, to: tail, capacity });
        }
        self.tail = tail;
        Ok(())
    }

    /// Copies words out of the ring. They must be there.
    pub(crate) fn read_words<const N: usize>(&mut self, ring: Ring<'_>) -> [u64; N] {
        assert!(N <= self.available(), "words were waited for before");
        let (first, second) = ring.runs(self.head, N);
        let mut out = [0; N];
        for (to, from) in out.iter_mut().zip(first.iter().chain(second)) {
            *to = from.load(Ordering::Relaxed);
        }
        self.head += N as u64;
        out
    }

    /// Copies bytes out of the ring behind what `out` holds, with the rest of their last word. They must be there.
    pub(crate) fn read(&mut self, ring: Ring<'_>, out: &mut Vec<u8>, bytes: usize) {
        out.reserve(bytes);
        self.fill(ring, &mut out.spare_capacity_mut()[..bytes]);
        // SAFETY: the capacity was reserved, and `fill` has initialised these bytes.
        unsafe { out.set_len(out.len() + bytes) };
    }

    /// Copies bytes out of the ring, with the rest of their last word, and initialises all of `place`. They must be there.
    pub(crate) fn fill(&mut self, ring: Ring<'_>, place: &mut [MaybeUninit<u8>]) {
        let count = place.len().div_ceil(WORD_BYTES);
        assert!(count <= self.available(), "words were waited for before");
        let (first, second) = ring.runs(self.head, count);
        let (before, behind) = place.split_at_mut(place.len().min(first.len() * WORD_BYTES));
        load(first, before);
        load(second, behind);
        self.head += count as u64;
    }

    /// Passes over words. They must be there.
    pub(crate) fn skip(&mut self, count: usize) {
        assert!(count <= self.available(), "words were waited for before");
        self.head += count as u64;
    }

    /// Gives the producer the room of what was read. True if the producer may be asleep for want of it.
    ///
    /// A producer sleeps only in front of a full ring, so between the head that it saw and its waking up lie all the
    /// words of the ring. Whoever looks each time that half a ring was read therefore looks in time.
    #[must_use]
    pub(crate) fn publish(&self, ring: Ring<'_>, before: u64) -> bool {
        ring.cursors.consumed.head.store(self.head, Ordering::Release);
        let half = ring.capacity() / 2;
        before / half != self.head / half
    }

    /// Words read so far.
    pub(crate) fn position(&self) -> u64 {
        self.head
    }
}
