//! PHP strings that are filled in place: made at their final size, before their bytes are there.

use std::mem::{MaybeUninit, offset_of};

use ext_php_rs::ffi::{
    _emalloc, GC_FLAGS_SHIFT, GC_IMMUTABLE, IS_STRING, ext_php_rs_zend_string_init, ext_php_rs_zend_string_release,
    zend_string,
};

use super::memory::{OverLimit, SMALL_BYTES, advise_huge_pages, check_room, worth_asking_for};
use super::reading::bytes_of;

/// The engine's `GC_NOT_COLLECTABLE`: no string is part of a cycle.
const NOT_COLLECTABLE: u32 = 1 << 4;

/// What a string's head says of it: a string, of this request, counted.
const STRING: u32 = IS_STRING | NOT_COLLECTABLE << GC_FLAGS_SHIFT;

/// Where the bytes begin.
const HEAD_BYTES: usize = offset_of!(zend_string, val);

/// A string of ours: one count of it.
#[derive(Debug)]
pub(crate) struct NewString(*mut zend_string);

impl NewString {
    /// A copy of `bytes`.
    ///
    /// # Errors
    /// [`OverLimit`] if PHP's memory limit leaves no room for it.
    pub(crate) fn copy(bytes: &[u8]) -> Result<Self, OverLimit> {
        if bytes.len() <= SMALL_BYTES {
            // SAFETY: the engine copies the bytes.
            return Ok(Self(unsafe { ext_php_rs_zend_string_init(bytes.as_ptr().cast(), bytes.len(), false) }));
        }
        Self::received(bytes.len(), |place| {
            // SAFETY: the place has as many bytes, of which nobody else knows.
            unsafe { place.as_mut_ptr().cast::<u8>().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
            Ok(())
        })
    }

    /// A string of so many bytes, which `receive` puts in place.
    ///
    /// # Errors
    /// [`OverLimit`] if PHP's memory limit leaves no room for it, and what `receive` gives.
    pub(crate) fn received<E: From<OverLimit>>(
        length: usize,
        receive: impl FnOnce(&mut [MaybeUninit<u8>]) -> Result<(), E>,
    ) -> Result<Self, E> {
        let needed = HEAD_BYTES + length + 1;
        if needed > SMALL_BYTES {
            check_room(needed)?;
        }
        let asked = Some(worth_asking_for(needed)).filter(|asked| check_room(*asked).is_ok()).unwrap_or(needed);
        // SAFETY: the block holds the head, the bytes and the NUL behind them; PHP frees it by its address alone.
        unsafe {
            let string = _emalloc(asked).cast::<zend_string>();
            advise_huge_pages(string.cast(), asked);
            (&raw mut (*string).gc.refcount).write(1);
            (&raw mut (*string).gc.u.type_info).write(STRING);
            (&raw mut (*string).h).write(0);
            (&raw mut (*string).len).write(length);
            let bytes = string.cast::<MaybeUninit<u8>>().add(HEAD_BYTES);
            bytes.add(length).write(MaybeUninit::new(0));
            let string = Self(string);
            receive(std::slice::from_raw_parts_mut(bytes, length))?;
            Ok(string)
        }
    }

    /// A second hold of the same string. Nothing may be written into either.
    pub(crate) fn share(&self) -> Self {
        if !self.is_interned() {
            // SAFETY: the string is live, and counted.
            unsafe { (*self.0).gc.refcount += 1 };
        }
        Self(self.0)
    }

    /// Its bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: the string is live for as long as this one is.
        unsafe { bytes_of(self.0) }
    }

    /// The string, for as long as this hold of it lasts.
    pub(super) const fn as_ptr(&self) -> *mut zend_string {
        self.0
    }

    /// Whether the engine has the string for good, and counts nothing.
    pub(super) fn is_interned(&self) -> bool {
        // SAFETY: the string is live.
        unsafe { (*self.0).gc.u.type_info & GC_IMMUTABLE != 0 }
    }

    /// Gives the string away, with that count.
    pub(super) const fn into_raw(self) -> *mut zend_string {
        let string = self.0;
        std::mem::forget(self);
        string
    }
}

impl Drop for NewString {
    fn drop(&mut self) {
        // SAFETY: the count is ours.
        unsafe { ext_php_rs_zend_string_release(self.0) };
    }
}
