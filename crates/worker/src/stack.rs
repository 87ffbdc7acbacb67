//! How much of its stack a thread has left: callbacks inside callbacks need it, and nothing else stops them in time.

use std::cell::Cell;
use std::mem::MaybeUninit;

use nix::libc;

/// Bytes that must be left for the deepest callback: code of Python and of its libraries runs there too.
const RESERVE_BYTES: usize = 512 << 10;

thread_local! {
    /// The lowest address of this thread's stack. 0: not looked up, or the system does not say.
    static LOWEST: Cell<usize> = const { Cell::new(0) };
}

/// Whether this thread has too little left.
pub(crate) fn is_nearly_used_up() -> bool {
    if LOWEST.get() == 0 {
        LOWEST.set(lowest().unwrap_or_default());
    }
    let here = std::hint::black_box(0_u8);
    (&raw const here as usize).saturating_sub(LOWEST.get()) < RESERVE_BYTES
}

fn lowest() -> Option<usize> {
    let mut attributes = MaybeUninit::uninit();
    let (mut start, mut bytes) = (std::ptr::null_mut(), 0);
    // SAFETY: the attributes are filled by the first call if it gives 0, read by the second one, and freed once.
    unsafe {
        if libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) != 0 {
            return None;
        }
        let found = libc::pthread_attr_getstack(attributes.as_ptr(), &raw mut start, &raw mut bytes);
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        (found == 0).then_some(start as usize)
    }
}
