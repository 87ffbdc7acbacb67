//! The memory that both sides share: made, checked and mapped.

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::mem::offset_of;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, OwnedFd};
use std::ptr::NonNull;

use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, FcntlArg, SealFlag, fallocate, fcntl};
use nix::libc;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MapFlags, MmapAdvise, ProtFlags, madvise, mmap, munmap};
use nix::sys::stat::fstat;

use crate::ChannelError;
use crate::bell::Bell;
use crate::fork::Process;
use crate::ring::{Cursors, Ring, WORD_BYTES};
use crate::sync::AtomicU64;

/// Bytes of one direction's ring, a power of two. Larger frames stream through: with a quarter of this 10 MB took 1.3 to
/// 3 times as long to and fro, because the sides had to wait for each other more often; small frames do not care.
const RING_BYTES: usize = 1 << 20;

const RING_WORDS: usize = RING_BYTES / WORD_BYTES;

pub(crate) const PAGE_BYTES: usize = 4096;

/// The memory's bytes, for both sides the same: both are of one build.
pub(crate) const MEMORY_BYTES: usize = size_of::<Memory>();

/// What /proc shows of the memory.
const NAME: &CStr = c"tortoise-channel";

/// Nobody can change the size, which would end the reader with SIGBUS, nor the seals.
const SEALS: SealFlag = SealFlag::F_SEAL_SHRINK.union(SealFlag::F_SEAL_GROW).union(SealFlag::F_SEAL_SEAL);

/// `MFD_NOEXEC_SEAL` of Linux 6.3: some systems refuse memory that could be executed.
const NO_EXECUTION: MFdFlags = MFdFlags::from_bits_retain(0x0008);

/// What lies in the memory. Atomics only, for which any bytes are valid; it begins as zeros.
#[repr(C, align(4096))]
pub(crate) struct Memory {
    /// By direction: what the offering side sends, what the accepting one sends.
    cursors: [Cursors; 2],
    /// By the side that sleeps: the offering one, the accepting one.
    bells: [Bell; 2],
    words: Words,
}

#[repr(C, align(4096))]
struct Words([[AtomicU64; RING_WORDS]; 2]);

const _: () = assert!(RING_WORDS.is_power_of_two());
const _: () = assert!(offset_of!(Memory, words) == PAGE_BYTES && MEMORY_BYTES == PAGE_BYTES + 2 * RING_BYTES);

/// Which side of the memory we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Made the memory.
    Offering = 0,
    /// Was given it.
    Accepting = 1,
}

impl Side {
    pub(crate) fn peer(self) -> Self {
        match self {
            Self::Offering => Self::Accepting,
            Self::Accepting => Self::Offering,
        }
    }
}

impl Memory {
    /// The ring into which `side` writes.
    pub(crate) fn ring_from(&self, side: Side) -> Ring<'_> {
        Ring { cursors: &self.cursors[side as usize], words: &self.words.0[side as usize] }
    }

    /// The bell of `side`, which its peer rings.
    pub(crate) fn bell_of(&self, side: Side) -> &Bell {
        &self.bells[side as usize]
    }
}

/// The memory in our address space, until this is dropped.
#[derive(Debug)]
pub(crate) struct Mapping {
    memory: NonNull<Memory>,
    /// A fork does not inherit the mapping, and may have other things at its address.
    owner: Process,
}

// SAFETY: the memory is not tied to a thread, and consists of atomics.
unsafe impl Send for Mapping {}

impl Mapping {
    /// Makes memory, and the descriptor that the peer needs to map it.
    ///
    /// # Errors
    /// The system's refusal.
    pub(crate) fn create() -> io::Result<(Self, OwnedFd)> {
        let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
        let descriptor = match memfd_create(NAME, flags | NO_EXECUTION) {
            Err(Errno::EINVAL) => memfd_create(NAME, flags),
            result => result,
        }?;
        let file = File::from(descriptor);
        file.set_len(MEMORY_BYTES as u64)?;
        // Where memory is short this is an error here, and not a signal in the middle of a call.
        fallocate(&file, FallocateFlags::empty(), 0, MEMORY_BYTES as libc::off_t)?;
        fcntl(&file, FcntlArg::F_ADD_SEALS(SEALS))?;
        Ok((Self::map(&file)?, file.into()))
    }

    /// Maps memory that a peer made, if it cannot be changed under our feet.
    ///
    /// # Errors
    /// [`ChannelError::Offer`] if it can, or is not what our own peer makes; [`ChannelError::Io`] if the system refuses.
    pub(crate) fn open(descriptor: &OwnedFd) -> Result<Self, ChannelError> {
        // Only memory has seals: of anything else the system says so here.
        let seals = fcntl(descriptor, FcntlArg::F_GET_SEALS).map_err(|_| ChannelError::Offer("it is not memory"))?;
        if !SealFlag::from_bits_retain(seals).contains(SEALS) {
            return Err(ChannelError::Offer("it is not sealed against a change of its size"));
        }
        let status = fstat(descriptor).map_err(io::Error::from)?;
        if usize::try_from(status.st_size) != Ok(MEMORY_BYTES) {
            return Err(ChannelError::Offer("its size is another"));
        }
        Ok(Self::map(descriptor)?)
    }

    fn map(descriptor: impl AsFd) -> io::Result<Self> {
        let length = NonZeroUsize::new(MEMORY_BYTES).ok_or(Errno::EINVAL)?;
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // All pages at once: later each first touch of one would interrupt a call, and look like a leak.
        let flags = MapFlags::MAP_SHARED | MapFlags::MAP_POPULATE;
        // SAFETY: a new mapping at an address of the system's choice, which nothing else uses.
        let memory = unsafe { mmap(None, length, protection, flags, descriptor, 0) }?;
        let mapping = Self { memory: memory.cast(), owner: Process::current() };
        // SAFETY: the range is the mapping just made. A fork that wrote into it would speak in our name.
        unsafe { madvise(memory, MEMORY_BYTES, MmapAdvise::MADV_DONTFORK) }?;
        Ok(mapping)
    }

    /// The memory; nothing in a fork of the process that mapped it.
    pub(crate) fn memory(&self) -> Option<&Memory> {
        if !self.owner.is_current() {
            return None;
        }
        // SAFETY: the mapping is as long as `Memory`, page-aligned, lives until `drop`, and is there, because we are not
        // in a fork. Its size is sealed, so that no access fails. It holds atomics only, which the peer may change.
        Some(unsafe { self.memory.as_ref() })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        if self.owner.is_current() {
            // SAFETY: `map` made this range, of this length; no reference into it outlives `self`. In a fork the range
            // is not there, and what may be there is not ours.
            let _ = unsafe { munmap(self.memory.cast(), MEMORY_BYTES) };
        }
    }
}
