//! The texts that were keys of arrays lately: the next array with such a key needs neither to allocate nor to hash it.

use std::cell::Cell;

use crate::engine::NewString;
use crate::engine::OverLimit;

/// Keys that are remembered: those of a few kinds of rows.
const PLACES: usize = 256;

/// Longer keys are data rather than names.
const MAX_BYTES: usize = 64;

/// The engine has all texts of one byte itself.
const MIN_BYTES: usize = 2;

thread_local! {
    /// Strings of this request. A key has one place where it can be.
    static KEYS: [Cell<Option<NewString>>; PLACES] = const { [const { Cell::new(None) }; PLACES] };
}

/// The string of a key: one that is known, or a new one.
///
/// # Errors
/// [`OverLimit`] if PHP's memory limit leaves no room for it.
pub(super) fn find(key: &[u8]) -> Result<NewString, OverLimit> {
    if !(MIN_BYTES..=MAX_BYTES).contains(&key.len()) {
        return NewString::copy(key);
    }
    KEYS.with(|keys| {
        let place = &keys[place_of(key)];
        let found = match place.take().filter(|known| known.bytes() == key) {
            Some(known) => known,
            None => NewString::copy(key)?,
        };
        let shared = found.share();
        place.set(Some(found));
        Ok(shared)
    })
}

/// Forgets the keys: the request is over, and its strings with it.
pub(crate) fn forget_keys() {
    KEYS.with(|keys| keys.iter().for_each(|place| drop(place.take())));
}

/// Where a key is looked for: its length and both ends tell the names of a program apart well enough.
fn place_of(key: &[u8]) -> usize {
    // Both may overlap: then all bytes are in them.
    let ends = if let (Some(first), Some(last)) = (key.first_chunk::<8>(), key.last_chunk::<8>()) {
        u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(29)
    } else if let (Some(first), Some(last)) = (key.first_chunk::<4>(), key.last_chunk::<4>()) {
        u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last))
    } else if let (Some(first), Some(last)) = (key.first_chunk::<2>(), key.last_chunk::<2>()) {
        u64::from(u16::from_le_bytes(*first)) << 16 | u64::from(u16::from_le_bytes(*last))
    } else {
        0
    };
    // Fibonacci hashing, as in `objects`: the upper bits depend on all.
    let spread = (ends ^ (key.len() as u64) << 57).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (spread >> 56) as usize
}
