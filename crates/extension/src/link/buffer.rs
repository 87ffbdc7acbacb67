//! Buffers for answers. They are PHP's to walk, and PHP may leave that walk by a jump over our frames.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

/// A buffer that grew beyond this is given back to the system after the call.
pub(super) const KEPT_BYTES: usize = 1 << 20;

thread_local! {
    static BUFFERS: RefCell<Buffers> = const { RefCell::new(Buffers { spare: None, lent: Vec::new() }) };
}

struct Buffers {
    /// The buffer of the last answer, for the next one.
    #[expect(
        clippy::box_collection,
        reason = "lending it moves the box, whose address must stay, and allocates nothing"
    )]
    spare: Option<Box<Vec<u8>>>,
    /// Every buffer in use, so that none is lost when a fatal error jumps over its owner.
    lent: Vec<*mut Vec<u8>>,
}

/// A buffer in use. It goes back when it is dropped, or when the request ends.
#[derive(Debug)]
pub(crate) struct Buffer(*mut Vec<u8>);

impl Buffer {
    /// An empty buffer.
    pub(super) fn take() -> Self {
        BUFFERS.with_borrow_mut(|buffers| {
            let buffer = Box::into_raw(buffers.spare.take().unwrap_or_default());
            buffers.lent.push(buffer);
            Self(buffer)
        })
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        BUFFERS.with_borrow_mut(|buffers| {
            // The last one lent is usually the first to come back.
            let Some(at) = buffers.lent.iter().rposition(|lent| *lent == self.0) else { return };
            buffers.lent.remove(at);
            // SAFETY: the pointer came from a Box in `take`, and leaves the list of lent ones exactly once.
            let mut buffer = unsafe { Box::from_raw(self.0) };
            if buffer.capacity() <= KEPT_BYTES {
                buffer.clear();
                buffers.spare = Some(buffer);
            }
        });
    }
}

impl Deref for Buffer {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        // SAFETY: the buffer lives until this value is dropped; `reclaim` runs only when no frame of ours is left.
        unsafe { &*self.0 }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        // SAFETY: as above, and this value is the buffer's one owner.
        unsafe { &mut *self.0 }
    }
}

/// Frees what a fatal error left behind. Only when nothing of the request can run any more.
pub(crate) fn reclaim() {
    BUFFERS.with_borrow_mut(|buffers| {
        for lost in buffers.lent.drain(..) {
            // SAFETY: as in `drop`; the jump over its owner means that nobody else will free it.
            drop(unsafe { Box::from_raw(lost) });
        }
    });
}
