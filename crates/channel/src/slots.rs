//! How many sessions of one supervisor may spin at the same time, whatever else they do.
//!
//! A slot is a byte of a file in memory, and whoever spins holds a lock on one. The system takes the lock back when its
//! holder dies, so nothing has to be tidied up, and nothing in the file can be spoiled. Taking one costs some system
//! calls, and is not done on the path of a call: a session keeps its slot until it is idle ([`crate::spin`]).

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::stat::fstat;

/// Slots beyond these are not used: finding a free one would take too long.
const MAX_SLOTS: usize = 64;

/// Slots that all share who hold the same descriptor: forks inherit it, other processes may be handed it.
#[derive(Debug, Clone)]
pub struct SpinSlots {
    file: Arc<OwnedFd>,
    count: usize,
}

impl PartialEq for SpinSlots {
    /// Whether they are the same slots of this process.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.file, &other.file)
    }
}

impl Eq for SpinSlots {}

/// The right to spin, until it is dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    /// The lock belongs to this opening of the file, and ends with it.
    _file: File,
}

impl SpinSlots {
    /// Makes `count` slots.
    ///
    /// # Errors
    /// The system's refusal.
    pub fn create(count: usize) -> io::Result<Self> {
        let file = memfd_create(c"tortoise-spin", MFdFlags::MFD_CLOEXEC)?;
        let count = count.min(MAX_SLOTS);
        nix::unistd::ftruncate(&file, count as libc::off_t)?;
        Ok(Self { file: Arc::new(file), count })
    }

    /// The slots behind a descriptor that another process made.
    ///
    /// # Errors
    /// The system's refusal.
    pub fn open(descriptor: OwnedFd) -> io::Result<Self> {
        let count = usize::try_from(fstat(&descriptor)?.st_size).unwrap_or(0).min(MAX_SLOTS);
        Ok(Self { file: Arc::new(descriptor), count })
    }

    /// A free slot, if there is one.
    pub(crate) fn take(&self) -> Option<Slot> {
        // A lock belongs to an opening, so that threads of one process compete too.
        let path = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        let file = OpenOptions::new().read(true).write(true).open(path).ok()?;
        // Not all begin to search at the same slot.
        let begin = std::process::id() as usize;
        let is_taken = (0..self.count).any(|at| {
            let lock = libc::flock {
                l_type: libc::F_WRLCK as libc::c_short,
                l_whence: libc::SEEK_SET as libc::c_short,
                l_start: ((begin + at) % self.count) as libc::off_t,
                l_len: 1,
                l_pid: 0,
            };
            fcntl(&file, FcntlArg::F_OFD_SETLK(&lock)).is_ok()
        });
        is_taken.then_some(Slot { _file: file })
    }
}

impl AsFd for SpinSlots {
    /// The descriptor to hand to another process.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_slots_as_were_made_and_they_come_back() {
        let slots = SpinSlots::create(2).expect("slots");
        let other = SpinSlots::open(slots.as_fd().try_clone_to_owned().expect("a copy")).expect("the same slots");
        let first = slots.take().expect("a slot");
        let second = other.take().expect("the other");
        assert!(slots.take().is_none());
        assert!(other.take().is_none());
        drop(first);
        let third = other.take().expect("the first again");
        assert!(slots.take().is_none());
        drop((second, third));
        assert!(slots.take().is_some());
    }

    #[test]
    fn of_no_slots_none_can_be_taken() {
        assert!(SpinSlots::create(0).expect("no slots").take().is_none());
    }
}
