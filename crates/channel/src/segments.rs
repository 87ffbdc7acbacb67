//! Where one segment ends and the next begins within a word of the ring.

use std::mem::MaybeUninit;

use crate::ChannelError;
use crate::ring::WORD_BYTES;

/// The bytes of segments that did not fill a word, on the sender's side.
#[derive(Debug, Default)]
pub(crate) struct Carry {
    word: [u8; WORD_BYTES],
    length: usize,
}

impl Carry {
    /// Takes from the beginning of `bytes` what completes the word that was begun; nothing if none was, unless `bytes`
    /// is less than a word itself. The rest of them.
    pub(crate) fn fill<'bytes>(&mut self, bytes: &'bytes [u8]) -> &'bytes [u8] {
        if self.length == 0 && bytes.len() >= WORD_BYTES {
            return bytes;
        }
        let (now, rest) = bytes.split_at(bytes.len().min(WORD_BYTES - self.length));
        self.word[self.length..][..now.len()].copy_from_slice(now);
        self.length += now.len();
        rest
    }

    /// The word, if it is complete; the next one is begun then.
    pub(crate) fn take_full(&mut self) -> Option<[u8; WORD_BYTES]> {
        let is_full = self.length == WORD_BYTES;
        is_full.then(|| {
            self.length = 0;
            self.word
        })
    }

    /// The bytes that are there.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.word[..self.length]
    }
}

/// What is still to come of a frame's segments, on the receiver's side.
#[derive(Debug, Default)]
pub(crate) struct Left {
    bytes: usize,
    /// The last word read, of which `carried` bytes, from `begin` on, were not asked for yet. They are among `bytes`.
    word: [u8; WORD_BYTES],
    begin: usize,
    carried: usize,
}

impl Left {
    pub(crate) fn new(bytes: usize) -> Self {
        Self { bytes, ..Self::default() }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Words that were not read yet.
    pub(crate) fn words(&self) -> usize {
        (self.bytes - self.carried).div_ceil(WORD_BYTES)
    }

    /// Fails if there are fewer bytes than `wanted`.
    pub(crate) fn check(&self, wanted: usize) -> Result<(), ChannelError> {
        if wanted > self.bytes {
            return Err(ChannelError::SegmentsTooShort { wanted, left: self.bytes });
        }
        Ok(())
    }

    /// So many bytes were read, past the carried ones.
    pub(crate) fn took(&mut self, bytes: usize) {
        self.bytes -= bytes;
    }

    /// Keeps a word that was read. Behind the last segment it is padding.
    pub(crate) fn carry(&mut self, word: [u8; WORD_BYTES]) {
        (self.word, self.begin, self.carried) = (word, 0, self.bytes.min(WORD_BYTES));
    }

    /// Moves bytes of the kept word to the beginning of `place`, as many as fit; the rest of the place.
    pub(crate) fn take_carried<'place>(
        &mut self,
        place: &'place mut [MaybeUninit<u8>],
    ) -> &'place mut [MaybeUninit<u8>] {
        let count = place.len().min(self.carried);
        let (now, rest) = place.split_at_mut(count);
        for (to, from) in now.iter_mut().zip(&self.word[self.begin..]) {
            to.write(*from);
        }
        self.begin += count;
        self.carried -= count;
        self.bytes -= count;
        rest
    }
}
