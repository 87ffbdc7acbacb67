//! Writes MessagePack, always in its shortest form.

use super::{
    BigInteger, ELEMENT_BYTES, EXTENSION_BIG_INTEGER, EXTENSION_FLOATS, EXTENSION_HANDLE, EXTENSION_INTEGERS,
    EXTENSION_NUMBERS, EXTENSION_OBJECT, EXTENSION_SAME_KEYS, EXTENSION_SEGMENT, ObjectReference, Segment,
    numbers_bytes,
};

/// Bytes in front of the elements of a typed vector.
const VECTOR_HEAD_BYTES: usize = 6;

/// Appends MessagePack values to a buffer that its owner keeps and reuses.
#[derive(Debug)]
pub struct Writer<'a> {
    buffer: &'a mut Vec<u8>,
}

impl<'a> Writer<'a> {
    /// Writes behind what `buffer` holds.
    pub const fn new(buffer: &'a mut Vec<u8>) -> Self {
        Self { buffer }
    }

    /// Bytes in the buffer so far, with what stood in it before.
    #[must_use]
    pub fn position(&self) -> usize {
        self.buffer.len()
    }

    /// Writes nothing, null, None.
    pub fn nil(&mut self) {
        self.buffer.push(0xc0);
    }

    /// Writes a truth value.
    pub fn boolean(&mut self, value: bool) {
        self.buffer.push(if value { 0xc3 } else { 0xc2 });
    }

    /// Writes a signed integer.
    pub fn integer(&mut self, value: i64) {
        match value {
            0.. => self.unsigned(value.unsigned_abs()),
            -32..=-1 => self.buffer.push(value as u8),
            -0x80..=-33 => self.tagged(0xd0, [value as u8]),
            -0x8000..=-0x81 => self.tagged(0xd1, (value as i16).to_be_bytes()),
            -0x8000_0000..=-0x8001 => self.tagged(0xd2, (value as i32).to_be_bytes()),
            _ => self.tagged(0xd3, value.to_be_bytes()),
        }
    }

    /// Writes an integer that is not negative.
    pub fn unsigned(&mut self, value: u64) {
        match value {
            0..=0x7f => self.buffer.push(value as u8),
            0x80..=0xff => self.tagged(0xcc, [value as u8]),
            0x100..=0xffff => self.tagged(0xcd, (value as u16).to_be_bytes()),
            0x1_0000..=0xffff_ffff => self.tagged(0xce, (value as u32).to_be_bytes()),
            _ => self.tagged(0xcf, value.to_be_bytes()),
        }
    }

    /// Writes a float of 64 bits; NaN's payload and the sign of zero are kept.
    pub fn float(&mut self, value: f64) {
        self.tagged(0xcb, value.to_be_bytes());
    }

    /// Writes a text.
    pub fn text(&mut self, value: &str) {
        self.text_bytes(value.as_bytes());
    }

    /// Writes a text that the caller knows to be UTF-8.
    pub fn text_bytes(&mut self, value: &[u8]) {
        match value.len() {
            length @ 0..=31 => self.buffer.push(0xa0 | length as u8),
            length @ 32..=0xff => self.tagged(0xd9, [length as u8]),
            length @ 0x100..=0xffff => self.tagged(0xda, (length as u16).to_be_bytes()),
            length => self.tagged(0xdb, (length as u32).to_be_bytes()),
        }
        self.buffer.extend_from_slice(value);
    }

    /// Writes bytes.
    pub fn binary(&mut self, value: &[u8]) {
        match value.len() {
            length @ 0..=0xff => self.tagged(0xc4, [length as u8]),
            length @ 0x100..=0xffff => self.tagged(0xc5, (length as u16).to_be_bytes()),
            length => self.tagged(0xc6, (length as u32).to_be_bytes()),
        }
        self.buffer.extend_from_slice(value);
    }

    /// Begins an array; `count` values must follow.
    pub fn array(&mut self, count: usize) {
        match count {
            0..=15 => self.buffer.push(0x90 | count as u8),
            16..=0xffff => self.tagged(0xdc, (count as u16).to_be_bytes()),
            _ => self.tagged(0xdd, (count as u32).to_be_bytes()),
        }
    }

    /// Begins a map; `count` pairs of a key and a value must follow.
    pub fn map(&mut self, count: usize) {
        match count {
            0..=15 => self.buffer.push(0x80 | count as u8),
            16..=0xffff => self.tagged(0xde, (count as u16).to_be_bytes()),
            _ => self.tagged(0xdf, (count as u32).to_be_bytes()),
        }
    }

    /// Writes an object that the session hands out.
    pub fn object(&mut self, object: ObjectReference) {
        self.buffer.extend_from_slice(&[0xc7, 17, EXTENSION_OBJECT as u8]);
        self.buffer.extend_from_slice(&object.id.to_be_bytes());
        self.buffer.extend_from_slice(&object.class.to_be_bytes());
        self.buffer.push(object.traits);
    }

    /// Writes an object that the client hands back.
    pub fn handle(&mut self, id: u64) {
        self.buffer.extend_from_slice(&[0xd7, EXTENSION_HANDLE as u8]);
        self.buffer.extend_from_slice(&id.to_be_bytes());
    }

    /// Announces a segment. Its bytes must be sent behind the payload, after those announced before.
    pub fn segment(&mut self, segment: Segment) {
        self.buffer.extend_from_slice(&[0xc7, 5, EXTENSION_SEGMENT as u8, segment.kind as u8]);
        self.buffer.extend_from_slice(&segment.bytes.to_be_bytes());
    }

    /// Writes a list of floats and gives the place for its elements, 8 little-endian bytes each.
    pub fn floats(&mut self, count: usize) -> &mut [u8] {
        self.extension(EXTENSION_FLOATS, count * ELEMENT_BYTES)
    }

    /// Writes a list of integers and gives the place for its elements, 8 little-endian bytes each.
    pub fn integers(&mut self, count: usize) -> &mut [u8] {
        self.extension(EXTENSION_INTEGERS, count * ELEMENT_BYTES)
    }

    /// Writes a list of floats and integers and gives the places for its elements, 8 little-endian bytes each, and for
    /// their bits, which are 0.
    pub fn numbers(&mut self, count: usize) -> (&mut [u8], &mut [u8]) {
        self.extension(EXTENSION_NUMBERS, numbers_bytes(count)).split_at_mut(count * ELEMENT_BYTES)
    }

    /// Makes the list of floats or integers that begins at `position`, and behind which nothing has been written, one of
    /// both. Gives the same places as [`Self::numbers`], with what has been written there.
    pub fn mix(&mut self, position: usize) -> (&mut [u8], &mut [u8]) {
        let start = position + VECTOR_HEAD_BYTES;
        let count = (self.buffer.len() - start) / ELEMENT_BYTES;
        let bits = if self.buffer[start - 1] == EXTENSION_INTEGERS as u8 { 0xff } else { 0 };
        let bytes = numbers_bytes(count);
        self.buffer[position..start].copy_from_slice(&vector_head(EXTENSION_NUMBERS, bytes));
        self.buffer.resize(start + bytes, bits);
        if let (Some(last), used @ 1..) = (self.buffer.last_mut(), count % 8) {
            *last &= (1 << used) - 1;
        }
        self.buffer[start..].split_at_mut(count * ELEMENT_BYTES)
    }

    /// Begins a map that has the keys of the map before it in the same array; `count` values must follow.
    pub fn same_keys(&mut self, count: u8) {
        self.buffer.extend_from_slice(&[0xd4, EXTENSION_SAME_KEYS as u8, count]);
    }

    /// Writes an integer of any size.
    pub fn big_integer(&mut self, integer: BigInteger<'_>) {
        let length = 1 + integer.magnitude.len();
        match length {
            0..=0xff => self.tagged(0xc7, [length as u8]),
            _ => self.tagged(0xc9, (length as u32).to_be_bytes()),
        }
        self.buffer.extend_from_slice(&[EXTENSION_BIG_INTEGER as u8, u8::from(integer.is_negative)]);
        self.buffer.extend_from_slice(integer.magnitude);
    }

    /// Takes back what was written from `position` on.
    pub fn truncate(&mut self, position: usize) {
        self.buffer.truncate(position);
    }

    fn extension(&mut self, extension: i8, bytes: usize) -> &mut [u8] {
        self.buffer.extend_from_slice(&vector_head(extension, bytes));
        let start = self.buffer.len();
        self.buffer.resize(start + bytes, 0);
        &mut self.buffer[start..]
    }

    /// Appends values that were written before.
    pub fn raw(&mut self, values: &[u8]) {
        self.buffer.extend_from_slice(values);
    }

    fn tagged<const N: usize>(&mut self, tag: u8, bytes: [u8; N]) {
        // As one piece, because each asks for room.
        let mut value = [tag; 9];
        value[1..=N].copy_from_slice(&bytes);
        self.buffer.extend_from_slice(&value[..=N]);
    }
}

const fn vector_head(extension: i8, bytes: usize) -> [u8; VECTOR_HEAD_BYTES] {
    let [a, b, c, d] = (bytes as u32).to_be_bytes();
    [0xc9, a, b, c, d, extension as u8]
}
