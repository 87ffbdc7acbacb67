//! What the sessions of a worker are doing: memory into which each writes for itself, and the supervisor looks.
//!
//! A session writes a few numbers on its way, by plain stores: nobody waits for anybody. Whoever reads takes them as what they are,
//! a glimpse, and as hostile: a session runs the user's code, which may write what it likes.

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use nix::sys::stat::fstat;
use nix::time::{ClockId, clock_gettime};

/// Slots of one board, at most.
pub const MAX_BOARD_SLOTS: usize = 1 << 17;

/// What /proc shows of the memory.
const NAME: &CStr = c"tortoise-board";

/// Nobody can change the size, which would end the reader with SIGBUS, nor the seals.
const SEALS: SealFlag = SealFlag::F_SEAL_SHRINK.union(SealFlag::F_SEAL_GROW).union(SealFlag::F_SEAL_SEAL);

/// What a session does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Activity {
    /// Nobody has the slot.
    Free = 0,
    /// Waits for its client.
    Spare = 1,
    /// Has a client, of which no request is going on.
    Idle = 2,
    /// In a request of its client.
    Busy = 3,
    /// Is ending.
    Leaving = 4,
}

impl Activity {
    const fn of(number: u32) -> Self {
        match number {
            1 => Self::Spare,
            2 => Self::Idle,
            3 => Self::Busy,
            4 => Self::Leaving,
            _ => Self::Free,
        }
    }
}

/// A slot as it lies in the memory: a line of the cache, so that sessions do not slow each other down.
#[repr(C, align(64))]
#[derive(Default)]
struct Cells {
    process: AtomicU32,
    thread: AtomicU32,
    client: AtomicU64,
    activity: AtomicU32,
    requests: AtomicU32,
    since: AtomicU64,
    steps: AtomicU64,
    resident: AtomicU64,
}

const _: () = assert!(size_of::<Cells>() == 64);

/// What a slot showed at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glimpse {
    /// The session's process.
    pub process: u32,
    /// The session's thread; the process, where each session has one of its own.
    pub thread: u32,
    /// The process of PHP; 0: none yet.
    pub client: u64,
    /// What it does.
    pub activity: Activity,
    /// When it began to, in milliseconds of [`monotonic_milliseconds`].
    pub since: u64,
    /// Requests of PHP that it has begun.
    pub requests: u32,
    /// Calls that it has begun.
    pub calls: u64,
    /// Whether one of them is going on.
    pub is_calling: bool,
    /// Bytes of memory that it had at the end of the last request; 0: nobody looked.
    pub resident: u64,
}

/// The memory, mapped until this is dropped. Forks share it.
#[derive(Debug)]
pub struct Board {
    cells: NonNull<Cells>,
    slots: usize,
    descriptor: OwnedFd,
}

// SAFETY: the memory is not tied to a thread, and consists of atomics.
unsafe impl Send for Board {}
// SAFETY: as above: whoever has a reference can only read and write atomics.
unsafe impl Sync for Board {}

/// Milliseconds of the clock that goes on without jumps, for all processes the same.
#[must_use]
pub fn monotonic_milliseconds() -> u64 {
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC);
    time.map_or(0, |time| time.tv_sec().unsigned_abs() * 1000 + time.tv_nsec().unsigned_abs() / 1_000_000)
}

impl Board {
    /// Makes a board of so many slots, all free.
    ///
    /// # Errors
    /// The system's refusal.
    pub fn create(slots: usize) -> io::Result<Self> {
        let descriptor = memfd_create(NAME, MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?;
        let file = File::from(descriptor);
        file.set_len((slots.clamp(1, MAX_BOARD_SLOTS) * size_of::<Cells>()) as u64)?;
        fcntl(&file, FcntlArg::F_ADD_SEALS(SEALS))?;
        Self::open(file.into())
    }

    /// The board behind a descriptor that the supervisor made.
    ///
    /// # Errors
    /// If it is none, or the system refuses.
    pub fn open(descriptor: OwnedFd) -> io::Result<Self> {
        let seals = fcntl(&descriptor, FcntlArg::F_GET_SEALS)?;
        let bytes = usize::try_from(fstat(&descriptor)?.st_size).unwrap_or(0);
        let slots = bytes / size_of::<Cells>();
        if !SealFlag::from_bits_retain(seals).contains(SEALS) || !(1..=MAX_BOARD_SLOTS).contains(&slots) {
            return Err(io::Error::other("the descriptor is not that of a board"));
        }
        let length = NonZeroUsize::new(bytes).ok_or(Errno::EINVAL)?;
        // SAFETY: a new mapping at an address of the system's choice, which nothing else uses.
        let memory = unsafe {
            mmap(None, length, ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, MapFlags::MAP_SHARED, &descriptor, 0)
        }?;
        Ok(Self { cells: memory.cast(), slots, descriptor })
    }

    /// How many slots there are.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// A slot to write into; None: there is no such one.
    #[must_use]
    pub fn slot(&'static self, number: usize) -> Option<Slot> {
        (number < self.slots).then(|| Slot(self.cells(number)))
    }

    /// What the slots show that somebody has, with their numbers.
    pub fn glimpses(&self) -> impl Iterator<Item = (usize, Glimpse)> + '_ {
        (0..self.slots)
            .map(|number| (number, glimpse(self.cells(number))))
            .filter(|(_, seen)| seen.activity != Activity::Free)
    }

    fn cells(&self, number: usize) -> &Cells {
        assert!(number < self.slots, "a slot of this board");
        // SAFETY: the mapping has so many, lives until `drop`, and begins at a page; its size is sealed, so that no access
        // fails. Any bytes are valid atomics.
        unsafe { self.cells.add(number).as_ref() }
    }
}

impl AsFd for Board {
    /// The descriptor to hand to another process.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        // SAFETY: `open` made this range, of this length; no reference into it outlives `self`.
        let _ = unsafe { munmap(self.cells.cast(), self.slots * size_of::<Cells>()) };
    }
}

fn glimpse(cells: &Cells) -> Glimpse {
    let steps = cells.steps.load(Ordering::Relaxed);
    Glimpse {
        process: cells.process.load(Ordering::Relaxed),
        thread: cells.thread.load(Ordering::Relaxed),
        client: cells.client.load(Ordering::Relaxed),
        activity: Activity::of(cells.activity.load(Ordering::Relaxed)),
        since: cells.since.load(Ordering::Relaxed),
        requests: cells.requests.load(Ordering::Relaxed),
        calls: steps.div_ceil(2),
        is_calling: steps % 2 == 1,
        resident: cells.resident.load(Ordering::Relaxed),
    }
}

/// One slot, for the one session that has it.
#[derive(Clone, Copy)]
pub struct Slot(&'static Cells);

impl Slot {
    /// A slot on no board, for a session that nobody looks at.
    #[must_use]
    pub fn unseen() -> Self {
        Self(Box::leak(Box::default()))
    }

    /// Takes the slot for a process, which waits for its client; nothing is left of who had it before.
    pub fn take(self, process: u32, thread: u32) {
        let Self(cells) = self;
        cells.process.store(process, Ordering::Relaxed);
        cells.thread.store(thread, Ordering::Relaxed);
        cells.client.store(0, Ordering::Relaxed);
        cells.requests.store(0, Ordering::Relaxed);
        cells.steps.store(0, Ordering::Relaxed);
        cells.resident.store(0, Ordering::Relaxed);
        self.turn(Activity::Spare);
    }

    /// What it shows now.
    #[must_use]
    pub fn glimpse(self) -> Glimpse {
        glimpse(self.0)
    }

    /// Nobody has the slot any more.
    pub fn free(self) {
        self.turn(Activity::Free);
    }

    /// The client has come.
    pub fn serve(self, client: u64) {
        self.0.client.store(client, Ordering::Relaxed);
        self.turn(Activity::Idle);
    }

    /// Something else is done from now on.
    pub fn turn(self, activity: Activity) {
        self.0.since.store(monotonic_milliseconds(), Ordering::Relaxed);
        self.0.activity.store(activity as u32, Ordering::Relaxed);
    }

    /// A request of PHP begins; gives how many have begun.
    pub fn begin_request(self) -> u32 {
        let requests = self.0.requests.load(Ordering::Relaxed).wrapping_add(1);
        self.0.requests.store(requests, Ordering::Relaxed);
        self.turn(Activity::Busy);
        requests
    }

    /// A request of PHP has ended, with so many bytes of memory; 0: nobody looked.
    pub fn end_request(self, resident: u64) {
        self.0.resident.store(resident, Ordering::Relaxed);
        self.turn(Activity::Idle);
    }

    /// A call begins, or ends. Only the session's own thread does this.
    #[inline(always)]
    pub fn step(self) {
        // Nobody else writes it, so that this need not be one operation.
        self.0.steps.store(self.0.steps.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    /// How often it has stepped: odd while a call is going on.
    #[inline]
    #[must_use]
    pub fn steps(self) -> u64 {
        self.0.steps.load(Ordering::Relaxed)
    }
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Slot").field(&glimpse(self.0)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_session_writes_the_supervisor_sees() {
        let supervisor = Board::create(3).expect("a board");
        let copy = supervisor.as_fd().try_clone_to_owned().expect("a copy");
        let worker: &'static Board = Box::leak(Box::new(Board::open(copy).expect("the same board")));
        assert_eq!((supervisor.slots(), worker.slots(), supervisor.glimpses().count()), (3, 3, 0));
        assert!(worker.slot(3).is_none());
        let slot = worker.slot(1).expect("a slot");
        let before = monotonic_milliseconds();
        slot.take(7, 8);
        slot.serve(9);
        assert_eq!(slot.begin_request(), 1);
        slot.step();
        let (number, seen) = supervisor.glimpses().next().expect("one slot");
        assert!((before..=monotonic_milliseconds()).contains(&seen.since));
        let expected = Glimpse {
            process: 7,
            thread: 8,
            client: 9,
            activity: Activity::Busy,
            since: seen.since,
            requests: 1,
            calls: 1,
            is_calling: true,
            resident: 0,
        };
        assert_eq!((number, seen), (1, expected));
        slot.step();
        slot.end_request(4096);
        let (_, seen) = supervisor.glimpses().next().expect("one slot");
        assert_eq!((seen.activity, seen.calls, seen.is_calling, seen.resident), (Activity::Idle, 1, false, 4096));
        slot.free();
        assert_eq!(supervisor.glimpses().count(), 0);
        // The next one finds nothing of it.
        slot.take(10, 10);
        let (_, seen) = supervisor.glimpses().next().expect("one slot");
        assert_eq!((seen.client, seen.requests, seen.calls, seen.resident), (0, 0, 0, 0));
    }

    #[test]
    fn what_is_no_board_is_not_mapped() {
        let file = File::from(memfd_create(c"other", MFdFlags::MFD_ALLOW_SEALING).expect("memory"));
        file.set_len(64).expect("set");
        let error = Board::open(file.into()).expect_err("it can be truncated").to_string();
        assert!(error.contains("not that of a board"), "{error}");
        Board::open(File::open("/dev/null").expect("opened").into()).expect_err("no memory");
    }

    #[test]
    fn a_slot_that_nobody_looks_at_works_all_the_same() {
        let slot = Slot::unseen();
        slot.step();
        assert_eq!(slot.steps(), 1);
        assert_eq!(slot.begin_request(), 1);
    }
}
