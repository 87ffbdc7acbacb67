//! How many sessions of one supervisor may spin at the same time, whatever else they do.
//!
//! A slot is a byte of a file in memory, and whoever spins holds a lock on one. The system takes the lock back when its
//! holder dies, so nothing has to be tidied up, and nothing in the file can be spoiled. Taking one costs some system
//! calls, and is not done on the path of a call: a session keeps its slot until it is idle ([`crate::spin`]).

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd};
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
    identity: Identity,
    count: usize,
}

/// Tells our file from any other. A session runs code that may close descriptors which it does not know, and get their
/// numbers for files of its own: those must be neither locked nor closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: libc::dev_t,
    inode: libc::ino_t,
}

impl Identity {
    fn of(status: &libc::stat) -> Self {
        Self { device: status.st_dev, inode: status.st_ino }
    }

    fn is_of(self, file: impl AsFd) -> bool {
        fstat(file).is_ok_and(|status| Self::of(&status) == self)
    }
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
    /// The lock belongs to this opening of the file, and ends with it. Never empty before the end.
    file: Option<File>,
    identity: Identity,
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(file) = self.file.take().filter(|file| !self.identity.is_of(file)) {
            // The number means another file by now, which is not ours to close.
            let _ = file.into_raw_fd();
        }
    }
}

impl SpinSlots {
    /// Makes `count` slots.
    ///
    /// # Errors
    /// The system's refusal.
    pub fn create(count: usize) -> io::Result<Self> {
        let file = memfd_create(c"tortoise-spin", MFdFlags::MFD_CLOEXEC)?;
        nix::unistd::ftruncate(&file, count.min(MAX_SLOTS) as libc::off_t)?;
        Self::open(file)
    }

    /// The slots behind a descriptor that another process made.
    ///
    /// # Errors
    /// The system's refusal.
    pub fn open(descriptor: OwnedFd) -> io::Result<Self> {
        let status = fstat(&descriptor)?;
        let count = usize::try_from(status.st_size).unwrap_or(0).min(MAX_SLOTS);
        Ok(Self { file: Arc::new(descriptor), identity: Identity::of(&status), count })
    }

    /// A free slot, if there is one.
    pub(crate) fn take(&self) -> Option<Slot> {
        if !self.identity.is_of(&self.file) {
            return None;
        }
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
        is_taken.then_some(Slot { file: Some(file), identity: self.identity })
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
    fn a_descriptor_that_means_another_file_by_now_is_left_alone() {
        let slots = SpinSlots::create(2).expect("slots");
        let slot = slots.take().expect("a slot");
        let other = File::open("/dev/null").expect("a file");
        let number = slot.file.as_ref().expect("its file").as_raw_fd();
        // What user code does that closes all descriptors and then opens files: the numbers stay ours in name only.
        for taken in [number, slots.as_fd().as_raw_fd()] {
            // SAFETY: both numbers are open, and whoever owns the taken one expects this.
            assert_eq!(unsafe { libc::dup2(other.as_raw_fd(), taken) }, taken);
        }
        assert!(slots.take().is_none());
        drop(slot);
        // SAFETY: asks only whether the number is open.
        assert_ne!(unsafe { libc::fcntl(number, libc::F_GETFD) }, -1, "somebody else's file was closed");
        // SAFETY: the number is that of our copy of `other`, which nobody owns.
        unsafe { libc::close(number) };
    }

    #[test]
    fn of_no_slots_none_can_be_taken() {
        assert!(SpinSlots::create(0).expect("no slots").take().is_none());
    }
}
