//! Bytes into memory that a peer may change at the same time, and out of it.
//!
//! For the compiler the words are atomics, which it never moves more than one at a time. That is the fastest way for
//! small messages. Larger ones are moved by the system's `memcpy`, which knows the processor, two to three times as
//! fast; so that the compiler cannot take it for a copy of its own memory, which nobody else may change, it is called
//! from assembly. Assembly may do what Rust could do with atomics of one byte, and no more is done here: a peer that
//! changes the words meanwhile makes nonsense of the copy, which was its own to make.

use std::mem::MaybeUninit;

#[cfg(not(any(loom, miri)))]
use nix::libc;

use crate::ring::WORD_BYTES;
use crate::sync::{AtomicU64, Ordering};

/// So many bytes in memory of their own. `fill` fills all of the place that it is given, unless it fails.
#[cfg(not(loom))]
pub(crate) fn filled<E>(
    count: usize,
    fill: impl FnOnce(&mut [MaybeUninit<u8>]) -> Result<(), E>,
) -> Result<Vec<u8>, E> {
    let mut bytes = Vec::with_capacity(count);
    fill(&mut bytes.spare_capacity_mut()[..count])?;
    // SAFETY: the capacity is `count` at least, and `fill` has filled so many bytes: its one caller passes
    // `Channel::receive_segment`, which returns without an error only if it has.
    unsafe { bytes.set_len(count) };
    Ok(bytes)
}

/// From so many bytes on the call pays.
#[cfg(not(any(loom, miri)))]
const LARGE_BYTES: usize = 256;

/// Writes `bytes`, which fill all of `words` but for the end of the last.
pub(crate) fn store(words: &[AtomicU64], bytes: &[u8]) {
    let (chunks, rest) = bytes.as_chunks::<WORD_BYTES>();
    assert!(chunks.len() <= words.len(), "words for all bytes");
    #[cfg(not(any(loom, miri)))]
    if bytes.len() >= LARGE_BYTES {
        // SAFETY: there are words for all chunks. They are atomics, so they may be changed by whoever shares them.
        unsafe { move_bytes(words.as_ptr().cast_mut().cast(), chunks.as_ptr().cast(), chunks.len() * WORD_BYTES) };
        return store_end(&words[chunks.len()..], rest);
    }
    for (word, chunk) in words.iter().zip(chunks) {
        word.store(u64::from_ne_bytes(*chunk), Ordering::Relaxed);
    }
    store_end(&words[chunks.len()..], rest);
}

/// Writes less than a word.
fn store_end(words: &[AtomicU64], rest: &[u8]) {
    if !rest.is_empty() {
        let mut word = [0; WORD_BYTES];
        word[..rest.len()].copy_from_slice(rest);
        words[0].store(u64::from_ne_bytes(word), Ordering::Relaxed);
    }
}

/// Initialises all of `bytes`, which end within the last of `words`.
pub(crate) fn load(words: &[AtomicU64], bytes: &mut [MaybeUninit<u8>]) {
    let (chunks, rest) = bytes.as_chunks_mut::<WORD_BYTES>();
    let count = chunks.len();
    assert!(count <= words.len(), "words for all bytes");
    #[cfg(not(any(loom, miri)))]
    if count * WORD_BYTES >= LARGE_BYTES {
        // SAFETY: there are words for all chunks, and the chunks are ours alone.
        unsafe { move_bytes(chunks.as_mut_ptr().cast(), words.as_ptr().cast(), count * WORD_BYTES) };
        return load_end(&words[count..], rest);
    }
    for (word, chunk) in words.iter().zip(chunks) {
        *chunk = word.load(Ordering::Relaxed).to_ne_bytes().map(MaybeUninit::new);
    }
    load_end(&words[count..], rest);
}

/// Reads less than a word.
fn load_end(words: &[AtomicU64], rest: &mut [MaybeUninit<u8>]) {
    if !rest.is_empty() {
        let word = words[0].load(Ordering::Relaxed).to_ne_bytes().map(MaybeUninit::new);
        rest.copy_from_slice(&word[..rest.len()]);
    }
}

/// Copies `count` bytes, of which the compiler learns only that they may be others afterwards.
///
/// # Safety
/// Both places have so many bytes and do not overlap; `to` may be written.
#[cfg(not(any(loom, miri)))]
unsafe fn move_bytes(to: *mut u8, from: *const u8, count: usize) {
    let copy: unsafe extern "C" fn(*mut libc::c_void, *const libc::c_void, usize) -> *mut libc::c_void = libc::memcpy;
    // SAFETY: this is a call by the C convention of a function that copies these bytes and touches nothing else; the
    // registers that it may change are named.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        std::arch::asm!(
            "call {copy}",
            copy = in(reg) copy,
            inout("rdi") to => _,
            inout("rsi") from => _,
            inout("rdx") count => _,
            clobber_abi("C"),
        );
    }
    // SAFETY: as above.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        std::arch::asm!(
            "blr {copy}",
            copy = in(reg) copy,
            inout("x0") to => _,
            inout("x1") from => _,
            inout("x2") count => _,
            clobber_abi("C"),
        );
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_every_length_come_out_as_they_went_in() {
        let bytes: Vec<u8> = (0..2000_u32).map(|at| (at * 31 + at / 251) as u8).collect();
        for begin in [0, 1, 7] {
            for length in (0..300_usize).chain([511, 512, 513, 1023, 1900]) {
                let words: Vec<AtomicU64> = (0..length.div_ceil(WORD_BYTES)).map(|_| AtomicU64::new(!0)).collect();
                store(&words, &bytes[begin..begin + length]);
                let mut out = vec![MaybeUninit::new(0xee); length + 16];
                load(&words, &mut out[begin..begin + length]);
                // SAFETY: all were initialised above.
                let out: Vec<u8> = out.into_iter().map(|byte| unsafe { byte.assume_init() }).collect();
                assert_eq!(out[begin..begin + length], bytes[begin..begin + length]);
                assert!(out[..begin].iter().chain(&out[begin + length..]).all(|byte| *byte == 0xee));
                // What fills the last word up is zeros, not what stood there.
                if let Some(last) = words.last().filter(|_| length % WORD_BYTES > 0) {
                    assert!(last.load(Ordering::Relaxed).to_ne_bytes()[length % WORD_BYTES..].iter().all(|b| *b == 0));
                }
            }
        }
    }
}
