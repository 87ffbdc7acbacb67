//! The numbers of a buffer, of any number of dimensions, as lists in lists.

use tortoise_protocol::codec::{ELEMENT_BYTES, MIN_VECTOR_ELEMENTS};
use tortoise_protocol::{Depth, Writer};

use super::unconvertible::{below, refused};
use super::{Encoder, Written};
use crate::buffer::{Buffer, Dimension};
use crate::path::Step;

/// What the elements of a buffer are.
#[derive(Clone, Copy)]
enum Element {
    Boolean,
    Signed(usize),
    Unsigned(usize),
    Float(usize),
}

/// How to read an element.
#[derive(Clone, Copy)]
struct Format {
    element: Element,
    is_big_endian: bool,
}

impl Encoder<'_, '_> {
    /// Writes a buffer, and says whether its elements are numbers that PHP knows.
    ///
    /// # Errors
    /// If a number is over PHP's largest.
    pub(super) fn buffer(&mut self, buffer: &Buffer<'_>, depth: Depth) -> Result<bool, Box<super::Unconvertible>> {
        match (Format::of(buffer), buffer.dimensions()) {
            (Some(format), Some(dimensions)) => {
                // SAFETY: the loan says that its elements lie there, and they do as long as it lasts. Nothing here runs
                // code of Python that could write to them.
                unsafe { self.dimension(buffer.start(), &dimensions, format, depth) }.map(|()| true)
            }
            _ => Ok(false),
        }
    }

    /// # Safety
    /// From `start` on there must be elements as `dimensions` say.
    unsafe fn dimension(
        &mut self,
        start: *const u8,
        dimensions: &[Dimension],
        format: Format,
        depth: Depth,
    ) -> Written {
        let Some((Dimension { count, stride }, inner)) = dimensions.split_first() else {
            // SAFETY: without dimensions there is one element.
            return unsafe { format.write(&mut self.writer(), start) };
        };
        let depth = self.enter(depth, *count)?;
        let place_of = |index: usize| start.wrapping_offset(stride.wrapping_mul(index as isize));
        if inner.is_empty() && *count >= MIN_VECTOR_ELEMENTS && !matches!(format.element, Element::Boolean) {
            self.room_for(count.saturating_mul(ELEMENT_BYTES))?;
            let mut writer = self.writer();
            let (places, _) = match format.element {
                Element::Float(_) => writer.floats(*count),
                _ => writer.integers(*count),
            }
            .as_chunks_mut::<ELEMENT_BYTES>();
            for (index, place) in places.iter_mut().enumerate() {
                // SAFETY: `index` is below the count of this dimension.
                *place =
                    unsafe { format.number(place_of(index)) }.map_err(|error| below(error, || Step::Index(index)))?;
            }
            return Ok(());
        }
        self.writer().array(*count);
        for index in 0..*count {
            // SAFETY: as above; further in the other dimensions hold.
            unsafe { self.dimension(place_of(index), inner, format, depth) }
                .map_err(|error| below(error, || Step::Index(index)))?;
        }
        Ok(())
    }
}

impl Format {
    /// None for elements that are no numbers of PHP: structures, complex and longer ones.
    fn of(buffer: &Buffer<'_>) -> Option<Self> {
        let (order, code) = match *buffer.format() {
            [code] => (b'@', code),
            [order, code] => (order, code),
            _ => return None,
        };
        let bytes = buffer.element_bytes();
        let element = match (code, bytes) {
            (b'?', 1) => Element::Boolean,
            (b'b' | b'h' | b'i' | b'l' | b'q' | b'n', 1 | 2 | 4 | 8) => Element::Signed(bytes),
            (b'B' | b'H' | b'I' | b'L' | b'Q' | b'N', 1 | 2 | 4 | 8) => Element::Unsigned(bytes),
            (b'e', 2) | (b'f', 4) | (b'd', 8) => Element::Float(bytes),
            _ => return None,
        };
        let is_big_endian = match order {
            b'@' | b'=' => cfg!(target_endian = "big"),
            b'<' => false,
            b'>' | b'!' => true,
            _ => return None,
        };
        Some(Self { element, is_big_endian })
    }

    /// # Safety
    /// An element must be there.
    unsafe fn write(self, writer: &mut Writer<'_>, place: *const u8) -> Written {
        // SAFETY: the caller's.
        unsafe {
            match self.element {
                Element::Boolean => writer.boolean(place.read() != 0),
                Element::Float(_) => writer.float(f64::from_le_bytes(self.number(place)?)),
                _ => writer.integer(i64::from_le_bytes(self.number(place)?)),
            }
        }
        Ok(())
    }

    /// An element as a typed vector has it.
    ///
    /// # Safety
    /// As for [`Self::write`].
    #[inline]
    unsafe fn number(self, place: *const u8) -> Result<[u8; ELEMENT_BYTES], Box<super::Unconvertible>> {
        Ok(match self.element {
            // SAFETY: the caller's; an element has so many bytes.
            Element::Boolean => i64::from(unsafe { place.read() } != 0).to_le_bytes(),
            Element::Signed(bytes) => {
                // SAFETY: as above.
                let bits = unsafe { self.bits(place, bytes) };
                let unused = 64 - 8 * bytes as u32;
                ((bits << unused).cast_signed() >> unused).to_le_bytes()
            }
            Element::Unsigned(bytes) => {
                // SAFETY: as above.
                let bits = unsafe { self.bits(place, bytes) };
                let integer = i64::try_from(bits);
                integer.map_err(|_| refused(format!("{bits} is over PHP's largest integer")))?.to_le_bytes()
            }
            Element::Float(bytes) => {
                // SAFETY: as above.
                let bits = unsafe { self.bits(place, bytes) };
                match bytes {
                    2 => half(bits as u16).to_le_bytes(),
                    4 => f64::from(f32::from_bits(bits as u32)).to_le_bytes(),
                    _ => bits.to_le_bytes(),
                }
            }
        })
    }

    /// # Safety
    /// So many bytes must be there.
    #[inline]
    unsafe fn bits(self, place: *const u8, bytes: usize) -> u64 {
        // SAFETY: the caller's.
        let little = unsafe {
            match bytes {
                1 => u64::from(place.read()),
                2 => u64::from(u16::from_le_bytes(place.cast::<[u8; 2]>().read())),
                4 => u64::from(u32::from_le_bytes(place.cast::<[u8; 4]>().read())),
                _ => u64::from_le_bytes(place.cast::<[u8; 8]>().read()),
            }
        };
        if self.is_big_endian { little.swap_bytes() >> (64 - 8 * bytes) } else { little }
    }
}

/// A float of 16 bits: 1 of sign, 5 of exponent, 10 of fraction.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    sign * match exponent {
        0 => fraction * 2_f64.powi(-24),
        0x1f if fraction == 0.0 => f64::INFINITY,
        0x1f => f64::NAN,
        _ => (1.0 + fraction / 1024.0) * 2_f64.powi(exponent - 15),
    }
}
