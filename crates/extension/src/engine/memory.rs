//! PHP's memory limit, asked before an answer takes more than is left: where PHP itself meets it, the request ends.

use ext_php_rs::ffi::ext_php_rs_process_globals;

use super::ffi::zend_memory_usage;

/// What PHP's allocator takes from the system at once; more than that is taken alone (the engine's `ZEND_MM_CHUNK_SIZE`).
const CHUNK_BYTES: usize = 2 << 20;

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
    // SAFETY: the globals are there as long as PHP is; the functions read counters of this thread's allocator.
    let (limit, used, taken) =
        unsafe { ((*ext_php_rs_process_globals()).memory_limit, zend_memory_usage(false), zend_memory_usage(true)) };
    // A negative limit is none.
    let Ok(limit) = usize::try_from(limit) else { return Ok(()) };
    let base = if needed > CHUNK_BYTES { taken } else { used };
    if base.saturating_add(needed) > limit { Err(OverLimit { limit, used, needed }) } else { Ok(()) }
}
