//! PHP's memory: its limit, asked before an answer takes more than is left (where PHP itself meets it, the request
//! ends), and how large blocks of it are laid.

use std::ffi::c_void;
use std::ptr::NonNull;

use ext_php_rs::ffi::ext_php_rs_process_globals;
use nix::sys::mman::{MmapAdvise, madvise};

use super::ffi::zend_memory_usage;

/// What PHP's allocator takes from the system at once; more than that is taken alone, and always fresh (the engine's
/// `ZEND_MM_CHUNK_SIZE`). It is also the size of a huge page.
pub(super) const CHUNK_BYTES: usize = 2 << 20;

/// Smaller needs are not asked about one by one.
pub(crate) const SMALL_BYTES: usize = 64 << 10;

/// What does not fit into PHP's memory limit.
#[derive(Debug, thiserror::Error)]
#[error(
    "the answer is too large for PHP's memory_limit of {limit} bytes: {used} are in use, and at least {needed} more are \
     needed"
)]
pub(crate) struct OverLimit {
    limit: usize,
    used: usize,
    needed: usize,
}

/// Whether PHP can allocate `needed` bytes more. What fits only just may still be refused by PHP.
///
/// # Errors
/// [`OverLimit`] with the numbers.
pub(crate) fn check_room(needed: usize) -> Result<(), OverLimit> {
    // SAFETY: the globals are there as long as PHP is; the function reads counters of this thread's allocator.
    let (limit, base) =
        unsafe { ((*ext_php_rs_process_globals()).memory_limit, zend_memory_usage(needed > CHUNK_BYTES)) };
    // A negative limit is none.
    let Ok(limit) = usize::try_from(limit) else { return Ok(()) };
    if base.saturating_add(needed) <= limit {
        return Ok(());
    }
    // SAFETY: as above.
    let used = unsafe { zend_memory_usage(false) };
    Err(OverLimit { limit, used, needed })
}

/// What to ask the allocator for where `bytes` are needed: whole huge pages, where that is at most a quarter more.
pub(super) const fn worth_asking_for(bytes: usize) -> usize {
    let whole = bytes.next_multiple_of(CHUNK_BYTES);
    if whole - bytes <= bytes / 4 { whole } else { bytes }
}

/// Asks the system to lay the whole huge pages of a fresh block as such, before anything is
/// written there. A fault for each small page is most of what
/// large results would cost: 10 MB take 4.3 ms to be written for the first time, and 0.5 ms so.
pub(super) fn advise_huge_pages(block: *mut c_void, bytes: usize) {
    if bytes < CHUNK_BYTES {
        return;
    }
    let first = block.addr().next_multiple_of(CHUNK_BYTES);
    let end = (block.addr() + bytes) / CHUNK_BYTES * CHUNK_BYTES;
    if let Some(place) = NonNull::new(block.with_addr(first)).filter(|_| first < end) {
        // SAFETY: the pages are the block's own, and what they hold stays. A system without huge pages refuses.
        let _ = unsafe { madvise(place, end - first, MmapAdvise::MADV_HUGEPAGE) };
    }
}
