//! The bulk of an answer: received as a whole, each piece where it is to lie, before the payload is read.
//!
//! Reading the payload may ask the session about classes, and what is left of the segments is gone with the next request.

use tortoise_protocol::codec::{ELEMENT_BYTES, Segment, SegmentKind};
use tortoise_protocol::{Malformed, Reader, Token};

use ext_php_rs::types::Zval;

use crate::engine::{NewString, NewTable};
use crate::error::BridgeError;
use crate::link::{self, Reply};

/// The values that were segments, in the order of their announcements.
#[derive(Debug)]
pub(super) struct Segments {
    /// In a PHP array, which is not lost if PHP jumps over our frames. None: there are no segments.
    values: Option<NewTable>,
    taken: usize,
}

impl Segments {
    /// Receives those of an answer. Nothing may have been asked of the session since it came.
    ///
    /// # Errors
    /// [`BridgeError`] if they are not what the payload announces, PHP has no room for them, or the link breaks.
    pub(super) fn receive(reply: &Reply) -> Result<Self, BridgeError> {
        if reply.segment_bytes == 0 {
            return Ok(Self { values: None, taken: 0 });
        }
        Self::receive_all(reply).inspect_err(|_| link::pass_over_segments())
    }

    fn receive_all(reply: &Reply) -> Result<Self, BridgeError> {
        let (count, announced) = announcements(reply.payload())
            .try_fold((0, 0), |(count, bytes), segment| Ok((count + 1, bytes + u64::from(segment?.bytes))))
            .map_err(|malformed: Malformed| BridgeError::from(malformed))?;
        if announced != u64::from(reply.segment_bytes) {
            return Err(BridgeError::Connection(format!(
                "the session's answer makes no sense: it announces {announced} bytes of segments, and brings {}",
                reply.segment_bytes
            )));
        }
        let mut values = NewTable::list(count)?;
        for segment in announcements(reply.payload()) {
            let Segment { kind, bytes } = segment?;
            let bytes = bytes as usize;
            values.push(|slot| match kind {
                SegmentKind::Text | SegmentKind::Binary => {
                    Ok::<_, BridgeError>(slot.string(NewString::received(bytes, link::receive_segment)?))
                }
                SegmentKind::Floats | SegmentKind::Integers => {
                    let are_floats = kind == SegmentKind::Floats;
                    Ok(slot.table(NewTable::received(bytes / ELEMENT_BYTES, are_floats, link::receive_segment)?))
                }
            })?;
        }
        Ok(Self { values: Some(values), taken: 0 })
    }

    /// The next value.
    ///
    /// # Errors
    /// [`Malformed`] if the answer brought none.
    pub(super) fn next(&mut self) -> Result<Zval, Malformed> {
        let value = self.values.as_mut().and_then(|values| values.take(self.taken));
        self.taken += 1;
        value.ok_or(Malformed::Unexpected { expected: "an answer with segments", found: "one without" })
    }
}

/// The segments that a payload announces, in order.
fn announcements(payload: &[u8]) -> impl Iterator<Item = Result<Segment, Malformed>> {
    let mut reader = Reader::new(payload);
    std::iter::from_fn(move || {
        loop {
            if reader.position() == payload.len() {
                return None;
            }
            match reader.token() {
                Ok(Token::Segment(segment)) => return Some(Ok(segment)),
                Ok(_) => {}
                Err(malformed) => return Some(Err(malformed)),
            }
        }
    })
}
