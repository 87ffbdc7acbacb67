//! Bytes between two processes: frames go in on one side and come out on the other.
//!
//! [`Channel`] is what the extension and the worker hold; what is behind it is their peer's business. It begins as a
//! blocking Unix socket ([`socket`]). Where both sides want it and the system allows it, the first frame from the
//! session hands shared memory over ([`handover`]), and from then on frames go through that ([`shared`]). A channel
//! belongs to one thread, blocks, and is never used again after an error.
//!
//! - [`ring`]: words from one process to another that it does not trust; [`bell`]: how a side sleeps and is woken.
//! - [`segments`]: bulk, copied from where it lies to where it is to lie, and nowhere in between.
//! - [`interrupt`]: how another thread of this process ends a wait for the peer.
//! - [`waiting`]: how one operation waits for the peer; [`spin`]: whether to spin before sleeping, [`slots`]: and
//!   how many may.
//! - [`board`]: what the sessions of a worker do, for the supervisor to see.
//! - [`board`], [`mapping`], [`copy`], [`futex`], [`fork`]: the rooms of `unsafe`.
//!
//! Under `--cfg loom` there are only the ring and the bell, for their model.
#![cfg_attr(loom, expect(dead_code, reason = "the model uses a part"))]

mod bell;
#[cfg(not(loom))]
mod board;
mod copy;
#[cfg(not(loom))]
mod deadline;
#[cfg(not(loom))]
mod error;
#[cfg(not(loom))]
mod fork;
#[cfg(not(loom))]
mod futex;
#[cfg(not(loom))]
mod handover;
#[cfg(all(test, not(loom)))]
mod hostile;
#[cfg(not(loom))]
mod interrupt;
#[cfg(not(loom))]
mod mapping;
#[cfg(all(loom, test))]
mod model;
mod ring;
#[cfg(not(loom))]
mod segments;
#[cfg(not(loom))]
mod shared;
#[cfg(not(loom))]
mod slots;
#[cfg(not(loom))]
mod socket;
#[cfg(not(loom))]
mod spin;
mod sync;
#[cfg(not(loom))]
mod waiting;

#[cfg(not(loom))]
mod channel;

#[cfg(not(loom))]
pub use board::{Activity, Board, Glimpse, MAX_BOARD_SLOTS, Slot, monotonic_milliseconds};
#[cfg(not(loom))]
pub use channel::{Channel, Kind};
#[cfg(not(loom))]
pub use error::ChannelError;
#[cfg(not(loom))]
pub use fork::Process;
#[cfg(not(loom))]
pub use interrupt::Interrupt;
pub use ring::Corrupted;
#[cfg(not(loom))]
pub use slots::SpinSlots;
#[cfg(not(loom))]
pub use spin::{MAX_SPIN, SpinPolicy};

/// Makes memory of the kind that two processes share, and lets go of it, to tell whether this system gives any.
///
/// # Errors
/// The system's refusal. Where the limit on the size of files (`RLIMIT_FSIZE`) refuses, the process gets SIGXFSZ first.
#[cfg(not(loom))]
pub fn try_shared_memory() -> std::io::Result<()> {
    mapping::Mapping::create().map(drop)
}
