//! What was sent without waiting for its answer: which requests have none yet, and the answers that came while another was
//! waited for.
//!
//! While PHP runs a callback for Python it may ask again, and those requests are answered first: see [`Flight::enter`].

use std::collections::HashMap;
use std::mem::MaybeUninit;

use tortoise_protocol::failure::{Category, Failure, Ran};
use tortoise_protocol::frame::Kind;
use tortoise_protocol::limits::MAX_FRAME_BYTES;
use tortoise_protocol::{Reader, Token};

use super::queue::{Fate, Queue};
use crate::error::BridgeError;

/// Bytes of answers that are kept for those who have not asked for them yet.
const MAX_ASIDE_BYTES: usize = MAX_FRAME_BYTES;

/// What a call comes to that PHP cancels, which is nobody's error.
const CANCELLED: &str = "asyncio.exceptions.CancelledError";

/// An answer that was set aside, whole.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) kind: Kind,
    pub(super) payload: Vec<u8>,
    pub(super) segments: Box<[MaybeUninit<u8>]>,
}

impl Answer {
    /// In place of one of so many bytes, which cannot be kept.
    pub(super) fn too_much(bytes: usize) -> Self {
        let message = format!(
            "the answer of {bytes} bytes was not kept: it came while another was awaited, and with it more than \
             {MAX_ASIDE_BYTES} bytes of answers would wait to be awaited. Await futures with large values sooner"
        );
        let mut payload = Vec::new();
        Failure::new(Category::Conversion, Ran::Yes, message).write(&mut payload);
        Self { kind: Kind::Failure, payload, segments: Box::default() }
    }

    fn bytes(&self) -> usize {
        self.payload.len() + self.segments.len()
    }
}

/// Requests in flight, and their answers.
#[derive(Debug, Default)]
pub(super) struct Flight {
    /// Those of the innermost callback that is under way, or of no callback.
    pub(super) queue: Queue,
    /// The callback whose they are, and its thread; 0 if they are of none.
    parent: (u64, u32),
    /// What is further out, outermost first.
    levels: Vec<Level>,
    aside: HashMap<u64, Answer>,
    aside_bytes: usize,
    /// The segments of the answer that is being read, and how many bytes of them were.
    reading: (Box<[MaybeUninit<u8>]>, usize),
    unheard: Unheard,
    /// The session reads, and sends nothing before the next frame.
    pub(super) is_clear: bool,
}

/// What waits while a callback is under way.
#[derive(Debug)]
struct Level {
    queue: Queue,
    parent: (u64, u32),
}

/// What is left of answers that nobody asked for.
#[derive(Debug, Default)]
pub(super) struct Unheard {
    /// The objects in them.
    pub(super) objects: Vec<u64>,
    /// What they say went wrong.
    pub(super) errors: Vec<String>,
}

impl Unheard {
    /// Keeps of an answer what somebody must hear of. The objects are none of anybody's if the session forgot them.
    pub(super) fn add(&mut self, kind: Kind, payload: &[u8], are_forgotten: bool) {
        let mut reader = Reader::new(payload);
        while !are_forgotten && reader.position() < payload.len() {
            match reader.token() {
                Ok(Token::Object(reference)) => self.objects.push(reference.id),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        if kind == Kind::Failure
            && let Ok(failure) = Failure::read(payload)
        {
            if failure.exceptions.first().is_some_and(|raised| raised.class_name == CANCELLED) {
                return;
            }
            let class = failure.exceptions.first().map(|raised| format!("{}: ", raised.class_name));
            self.errors.push(class.unwrap_or_default() + &failure.message);
        }
    }
}

impl Flight {
    /// Whether every request of this level has its answer.
    pub(super) fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// The callback in which requests are made now, and the Python thread that waits for it; 0 if there is none.
    pub(super) const fn parent(&self) -> (u64, u32) {
        self.parent
    }

    /// How many callbacks are under way, each inside the call of another.
    pub(super) fn depth(&self) -> usize {
        self.levels.len()
    }

    /// A callback begins: what was sent before is answered behind it.
    pub(super) fn enter(&mut self, callback: u64, thread: u32) {
        let outer = Level { queue: std::mem::take(&mut self.queue), parent: self.parent };
        self.levels.push(outer);
        self.parent = (callback, thread);
    }

    /// The callback that began last was answered. All that was sent in it has its answer.
    pub(super) fn leave(&mut self) {
        if let Some(Level { queue, parent }) = self.levels.pop() {
            (self.queue, self.parent) = (queue, parent);
        }
    }

    /// Whether the answer to a call comes only behind the callback that is under way.
    pub(super) fn is_further_out(&self, call: u64) -> bool {
        self.levels.iter().any(|level| level.queue.contains(call))
    }

    /// Whether the answer to this call may come at any time, and has not.
    pub(super) fn is_async(&self, call: u64) -> bool {
        self.queue.is_async(call) || self.levels.iter().any(|level| level.queue.is_async(call))
    }

    /// Whether the answer to this call is still to come.
    pub(super) fn is_to_come(&self, call: u64) -> bool {
        self.queue.contains(call) || self.is_further_out(call)
    }

    /// The answer to this call has come. None: none was to come now.
    pub(super) fn came(&mut self, call: u64) -> Option<Fate> {
        self.queue.came(call).or_else(|| {
            let mut further_out = self.levels.iter_mut().map(|level| &mut level.queue);
            further_out.find(|queue| queue.is_async(call))?.came(call)
        })
    }

    /// Whether an answer of so many bytes can be kept.
    pub(super) fn has_room_aside(&self, bytes: usize) -> bool {
        self.aside_bytes + bytes <= MAX_ASIDE_BYTES
    }

    /// Keeps an answer.
    pub(super) fn set_aside(&mut self, call: u64, answer: Answer) {
        self.aside_bytes += answer.bytes();
        self.aside.insert(call, answer);
    }

    /// Whether any answer was set aside, which may bring objects.
    pub(super) fn has_any_aside(&self) -> bool {
        !self.aside.is_empty()
    }

    /// Whether the answer to a call was set aside.
    pub(super) fn has_aside(&self, call: u64) -> bool {
        self.aside.contains_key(&call)
    }

    /// An answer that was set aside.
    pub(super) fn take(&mut self, call: u64) -> Option<Answer> {
        let answer = self.aside.remove(&call)?;
        self.aside_bytes -= answer.bytes();
        Some(answer)
    }

    /// The segments that [`Self::read_segment`] gives from now on. They stay here, so that they are not lost if PHP jumps
    /// over our frames.
    pub(super) fn begin_reading(&mut self, segments: Box<[MaybeUninit<u8>]>) {
        self.reading = (segments, 0);
    }

    /// Whether there are such.
    pub(super) fn is_reading(&self) -> bool {
        !self.reading.0.is_empty()
    }

    /// Fills `place` with the next bytes of the segments that were set aside.
    ///
    /// # Errors
    /// [`BridgeError::Connection`] if there are fewer.
    pub(super) fn read_segment(&mut self, place: &mut [MaybeUninit<u8>]) -> Result<(), BridgeError> {
        let (segments, taken) = &mut self.reading;
        let Some(bytes) = segments.get(*taken..*taken + place.len()) else {
            return Err(BridgeError::Connection("the session's answer brings too few bytes of segments".to_owned()));
        };
        place.copy_from_slice(bytes);
        *taken += place.len();
        if *taken == segments.len() {
            self.reading = Default::default();
        }
        Ok(())
    }

    /// Nobody will ask for the answer to this call.
    pub(super) fn abandon(&mut self, call: u64) {
        if let Some(answer) = self.take(call) {
            self.unheard.add(answer.kind, &answer.payload, false);
        } else {
            self.queue.abandon(call);
            self.levels.iter_mut().for_each(|level| level.queue.abandon(call));
        }
    }

    /// Nobody will ask for anything any more.
    pub(super) fn end_request(&mut self) {
        self.queue.end_request();
        for answer in std::mem::take(&mut self.aside).into_values() {
            self.unheard.add(answer.kind, &answer.payload, true);
        }
        (self.aside_bytes, self.reading) = Default::default();
        self.is_clear = false;
    }

    /// What is left of an answer that came for nobody.
    pub(super) fn pass_over(&mut self, kind: Kind, payload: &[u8], are_forgotten: bool) {
        self.unheard.add(kind, payload, are_forgotten);
    }

    /// What was left of answers since this was last asked.
    pub(super) fn take_unheard(&mut self) -> Unheard {
        std::mem::take(&mut self.unheard)
    }
}
