//! PHP arrays that are filled in place: made at their final size, and every value written where it is to lie.

mod numbers;

use std::ffi::c_void;
use std::mem::MaybeUninit;

use ext_php_rs::ffi::{
    _Bucket, _emalloc, _zend_new_array, GC_IMMUTABLE, HT_MIN_SIZE, zend_array, zend_array_destroy, zend_array_dup,
    zend_hash_index_update, zend_hash_update,
};
use ext_php_rs::types::Zval;

use super::ffi::{zend_hash_real_init_mixed, zend_hash_real_init_packed};
use super::memory::{CHUNK_BYTES, OverLimit, advise_huge_pages, check_room};
use super::slot::{Slot, Written, fill};
use super::string::NewString;
use super::view::{View, packed_elements, view};

/// The engine's `HASH_FLAG_PACKED | HASH_FLAG_STATIC_KEYS`.
const LIST_FLAGS: u8 = 1 << 2 | 1 << 4;

/// An array that nobody else has seen yet. Its elements are whole at any time.
#[derive(Debug)]
pub(crate) struct NewTable(*mut zend_array);

/// What a key of a new array is.
#[derive(Debug)]
pub(crate) enum NewKey {
    /// An integer.
    Index(i64),
    /// A text, of which the array takes a count of its own.
    Name(NewString),
}

impl NewTable {
    /// A list with room for `capacity` elements.
    ///
    /// # Errors
    /// [`OverLimit`] if PHP's memory limit leaves no room for it.
    pub(crate) fn list(capacity: usize) -> Result<Self, OverLimit> {
        let (size, bytes) = checked(capacity, size_of::<Zval>())?;
        // SAFETY: the new table has no elements yet.
        unsafe {
            let table = _zend_new_array(size);
            if bytes < CHUNK_BYTES {
                zend_hash_real_init_packed(table);
            } else {
                lay_large_list(&mut *table, bytes);
            }
            Ok(Self(table))
        }
    }

    /// An array with room for `capacity` elements and their keys.
    ///
    /// # Errors
    /// [`OverLimit`] if PHP's memory limit leaves no room for it.
    pub(crate) fn map(capacity: usize) -> Result<Self, OverLimit> {
        let (size, bytes) = checked(capacity, size_of::<_Bucket>())?;
        // SAFETY: the new table has no elements yet.
        unsafe {
            let table = _zend_new_array(size);
            zend_hash_real_init_mixed(table);
            advise_huge_pages(block_of(table), bytes);
            Ok(Self(table))
        }
    }

    /// The keys of `table`, which was made by [`Self::map`], with null for every value.
    ///
    /// # Safety
    /// `table` is live, was made so, and nobody has changed it since.
    pub(crate) unsafe fn keys_of(table: *const zend_array) -> Self {
        // SAFETY: the caller's promise; the values of the copy are its own.
        unsafe {
            let keys = Self(zend_array_dup(table.cast_mut()));
            for at in 0..keys.len() {
                *keys.bucket_value(at) = Zval::null();
            }
            keys
        }
    }

    /// An array with the keys of one that [`Self::keys_of`] gave; `write` gives its values.
    ///
    /// # Errors
    /// [`OverLimit`] if PHP's memory limit leaves no room for it, and what `write` gives.
    pub(crate) fn with_these_keys<E: From<OverLimit>>(
        &self,
        mut write: impl for<'s> FnMut(Slot<'s>) -> Result<Written<'s>, E>,
    ) -> Result<Self, E> {
        // SAFETY: the table is live. The copy holds nulls, which own nothing, so they are overwritten without being freed.
        unsafe {
            check_room((*self.0).nTableSize as usize * size_of::<_Bucket>())?;
            let table = Self(zend_array_dup(self.0));
            for at in 0..table.len() {
                fill(&mut *table.bucket_value(at).cast::<MaybeUninit<Zval>>(), |slot| write(slot))?;
            }
            Ok(table)
        }
    }

    /// The list that a new value is; None if it is something else.
    pub(crate) fn from_list(value: Zval) -> Option<Self> {
        let View::Array(array) = view(&value) else { return None };
        let is_list = packed_elements(array).is_some();
        // SAFETY: the value holds the array; if it is counted at all, and once, nobody else does.
        let is_own = unsafe { array.gc.u.type_info & GC_IMMUTABLE == 0 && array.gc.refcount == 1 };
        match array.nNumOfElements {
            0 => Self::list(0).ok(),
            _ if is_list && is_own => {
                let table = std::ptr::from_ref(array).cast_mut();
                std::mem::forget(value);
                Some(Self(table))
            }
            _ => None,
        }
    }

    /// Puts one value behind the others of a list; there must be room for it.
    ///
    /// # Errors
    /// What `write` gives; the list is as before then.
    pub(crate) fn push<E>(&mut self, write: impl for<'s> FnOnce(Slot<'s>) -> Result<Written<'s>, E>) -> Result<(), E> {
        // SAFETY: the table is a list with places for `nTableSize` elements, of which the first `nNumUsed` are written.
        unsafe {
            let table = &mut *self.0;
            assert!(table.nNumUsed < table.nTableSize, "a list was made too small");
            let place = table.__bindgen_anon_1.arPacked.add(table.nNumUsed as usize);
            fill(&mut *place.cast::<MaybeUninit<Zval>>(), write)?;
            self.set_list_length(self.len() + 1);
        }
        Ok(())
    }

    /// Sets the value of a key, which becomes null before `write` gives the value.
    ///
    /// # Errors
    /// What `write` gives.
    pub(crate) fn set<E>(
        &mut self,
        key: &NewKey,
        write: impl for<'s> FnOnce(Slot<'s>) -> Result<Written<'s>, E>,
    ) -> Result<(), E> {
        let mut null = Zval::null();
        // SAFETY: the table is ours; it gives the place of the value, which stays where it is while nothing is added to
        // the table, and what `write` does cannot reach it.
        unsafe {
            let place = match key {
                NewKey::Index(index) => zend_hash_index_update(self.0, *index as u64, &raw mut null),
                NewKey::Name(name) => zend_hash_update(self.0, name.as_ptr(), &raw mut null),
            };
            fill(&mut *place.cast::<MaybeUninit<Zval>>(), write)
        }
    }

    /// How many elements it has.
    pub(crate) fn len(&self) -> usize {
        // SAFETY: the table is live.
        unsafe { (*self.0).nNumUsed as usize }
    }

    /// Where the array lies, for as long as it lives.
    pub(crate) const fn as_ptr(&self) -> *const zend_array {
        self.0
    }

    /// Where the value at `index` of a list lies, until the list is changed.
    pub(crate) fn place(&mut self, index: usize) -> Option<*mut Zval> {
        // SAFETY: the table is a list; the first `nNumUsed` places are written.
        (index < self.len()).then(|| unsafe { (*self.0).__bindgen_anon_1.arPacked.add(index) })
    }

    /// Takes the value at `index` out of a list and leaves null there.
    pub(crate) fn take(&mut self, index: usize) -> Option<Zval> {
        // SAFETY: the table is a list; the first `nNumUsed` places are written.
        (index < self.len())
            .then(|| unsafe { std::mem::replace(&mut *(*self.0).__bindgen_anon_1.arPacked.add(index), Zval::null()) })
    }

    /// Gives the array away, with its one count.
    pub(super) const fn into_raw(self) -> *mut zend_array {
        let table = self.0;
        std::mem::forget(self);
        table
    }

    /// # Safety
    /// The table is a list whose first `length` places are written.
    unsafe fn set_list_length(&mut self, length: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            let table = &mut *self.0;
            table.nNumUsed = length as u32;
            table.nNumOfElements = length as u32;
            table.nNextFreeElement = length as i64;
        }
    }

    /// # Safety
    /// The table is a map with more than `at` elements.
    unsafe fn bucket_value(&self, at: usize) -> *mut Zval {
        // SAFETY: the caller's promise; a table made by `map` has buckets, without holes.
        unsafe { &raw mut (*(*self.0).__bindgen_anon_1.arData.add(at)).val }
    }
}

impl Drop for NewTable {
    fn drop(&mut self) {
        // SAFETY: nobody else has the table, and its elements are whole.
        unsafe { zend_array_destroy(self.0) };
    }
}

/// Lays the places of a list as the engine's `zend_hash_real_init_packed` does, but asks for huge pages before it writes:
/// behind the first write the system lays no huge page there.
///
/// # Safety
/// The table is new, and has places of that many bytes.
unsafe fn lay_large_list(table: &mut zend_array, bytes: usize) {
    const HASHES: usize = 2;
    // SAFETY: the block holds the two hashes of a list, which lead to no element, and the places behind them.
    unsafe {
        let block = _emalloc(HASHES * size_of::<u32>() + bytes).cast::<u32>();
        advise_huge_pages(block.cast(), bytes);
        block.cast::<[u32; HASHES]>().write([u32::MAX; HASHES]);
        table.__bindgen_anon_1.arHash = block.add(HASHES);
        table.u.v.flags = LIST_FLAGS;
    }
}

/// Where the block begins that holds a table's elements: the hashes stand in front of them.
///
/// # Safety
/// The table's places are laid.
unsafe fn block_of(table: *const zend_array) -> *mut c_void {
    // SAFETY: the caller's promise; the mask is the negative number of hashes.
    unsafe {
        let hashes = (*table).nTableMask.wrapping_neg() as usize;
        (*table).__bindgen_anon_1.arHash.sub(hashes).cast()
    }
}

/// The size to ask the engine for, and the bytes that it will take: the engine rounds up to a power of two.
fn checked(capacity: usize, bytes_each: usize) -> Result<(u32, usize), OverLimit> {
    let bytes = capacity.next_power_of_two().max(HT_MIN_SIZE as usize).saturating_mul(bytes_each);
    check_room(bytes)?;
    Ok((u32::try_from(capacity).unwrap_or(u32::MAX), bytes))
}
