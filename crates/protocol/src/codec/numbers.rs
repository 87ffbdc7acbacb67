//! How a list of floats and integers lies: the 8 bytes of each, then one bit for each, which is set where it is an integer.

use super::{ELEMENT_BYTES, Malformed};

/// Numbers that a byte of bits tells apart.
const BITS: usize = u8::BITS as usize;

/// Bytes of so many numbers, with their bits.
#[must_use]
pub const fn numbers_bytes(count: usize) -> usize {
    count * ELEMENT_BYTES + count.div_ceil(BITS)
}

/// Whether the number at `index` is an integer; `integers` are the bits of a list that has it.
#[must_use]
pub const fn is_integer(integers: &[u8], index: usize) -> bool {
    integers[index / BITS] >> (index % BITS) & 1 == 1
}

/// The numbers and the bits of an extension.
pub(super) fn split(bytes: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    // n numbers take 65n bits and at most 7 more, so only one count can be meant.
    let count = (bytes.len() as u64 * BITS as u64 / (BITS * ELEMENT_BYTES + 1) as u64) as usize;
    if numbers_bytes(count) != bytes.len() {
        return Err(Malformed::PartialElement(bytes.len()));
    }
    let (values, integers) = bytes.split_at(count * ELEMENT_BYTES);
    let behind = match (integers.last(), count % BITS) {
        (Some(last), used @ 1..) => last >> used,
        _ => 0,
    };
    if behind == 0 { Ok((values, integers)) } else { Err(Malformed::SpareBits(count)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_lengths_of_some_count_are_taken() {
        let counts = (0..200).map(numbers_bytes).collect::<Vec<_>>();
        for length in 0..=*counts.last().expect("some") {
            let bytes = vec![0; length];
            match counts.iter().position(|known| *known == length) {
                Some(count) => {
                    let (values, integers) = split(&bytes).expect("a count has this length");
                    assert_eq!((values.len(), integers.len()), (count * 8, count.div_ceil(8)));
                }
                None => assert_eq!(split(&bytes), Err(Malformed::PartialElement(length))),
            }
        }
    }

    #[test]
    fn bits_behind_the_last_number_are_refused() {
        for count in 1..=17_usize {
            for bit in 0..8 * count.div_ceil(8) {
                let mut bytes = vec![0; numbers_bytes(count)];
                bytes[count * ELEMENT_BYTES + bit / 8] = 1 << (bit % 8);
                match split(&bytes) {
                    Ok((_, integers)) => assert!(bit < count && is_integer(integers, bit)),
                    Err(error) => assert!(bit >= count && error == Malformed::SpareBits(count)),
                }
            }
        }
    }
}
