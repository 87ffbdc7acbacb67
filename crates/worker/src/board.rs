//! The board of a worker: the zygote opens it, and each process that it forks has a slot.

use std::os::fd::OwnedFd;
use std::sync::OnceLock;

use tortoise_channel::{Board, Glimpse, Slot};

/// Opened by the zygote; its forks share it. None: the supervisor gave none.
static BOARD: OnceLock<Board> = OnceLock::new();

/// Opens the board that the supervisor made. How many slots it has.
///
/// # Errors
/// If it is none.
pub(crate) fn open(descriptor: OwnedFd) -> std::io::Result<usize> {
    let board = Board::open(descriptor)?;
    Ok(BOARD.get_or_init(|| board).slots())
}

/// A slot; None: there is no such one.
pub(crate) fn slot(number: usize) -> Option<Slot> {
    BOARD.get().and_then(|board| board.slot(number))
}

/// Frees a slot, and gives what it showed at the end.
pub(crate) fn free(number: usize) -> Option<Glimpse> {
    let slot = slot(number)?;
    let seen = slot.glimpse();
    slot.free();
    Some(seen)
}
