//! What was sent without waiting for its answer: which requests have none yet, and the answers that came while another was
//! waited for.

use std::collections::{HashMap, VecDeque};
use std::mem::MaybeUninit;

use tortoise_protocol::failure::{Category, Failure, Ran};
use tortoise_protocol::frame::{HEADER_BYTES, Kind};
use tortoise_protocol::limits::MAX_FRAME_BYTES;
use tortoise_protocol::{Reader, Token};

use crate::error::BridgeError;

/// Bytes of requests that may be without an answer. The session may be blocked on a large answer, which we do not read
/// while we send: a request must never wait for room then, or both sides would wait for ever.
///
/// The ring holds 1 MiB. A Unix socket holds 208 KiB (Linux's `wmem_default`), of which the system takes up to twice a
/// large frame's bytes, and 768 for a small one ([`FRAME_BYTES`]): at most 128 KiB for what is allowed here. Over TCP the
/// sender's buffer and the receiver's hold more than that together. Where a system is set up with less, the timeout ends
/// the wait.
const UNANSWERED_BYTES: usize = 64 << 10;

/// What a request counts beside its bytes, for what a socket keeps of each.
const FRAME_BYTES: usize = 512;

/// Bytes of answers that are kept for those who have not asked for them yet.
const MAX_ASIDE_BYTES: usize = MAX_FRAME_BYTES;

/// What is to become of an answer that is still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Somebody will ask for it.
    Wanted,
    /// Nobody will: its objects are given back.
    Dropped,
    /// The PHP request that asked is over, and the session has forgotten its objects.
    Late,
}

#[derive(Debug)]
struct Waiting {
    call: u64,
    cost: usize,
    fate: Fate,
}

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
    /// In the order in which they were sent, which is that of their ids and of their answers.
    waiting: VecDeque<Waiting>,
    /// What these and `loose` cost.
    unanswered: usize,
    /// Of frames without an answer: the session has read them when the next request is answered.
    loose: usize,
    aside: HashMap<u64, Answer>,
    aside_bytes: usize,
    /// The segments of the answer that is being read, and how many bytes of them were.
    reading: (Box<[MaybeUninit<u8>]>, usize),
    unheard: Unheard,
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
            let class = failure.exceptions.first().map(|raised| format!("{}: ", raised.class_name));
            self.errors.push(class.unwrap_or_default() + &failure.message);
        }
    }
}

impl Flight {
    /// Whether every request has its answer.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether a frame of so many bytes can be sent now.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.is_idle() || self.unanswered + bytes + FRAME_BYTES <= UNANSWERED_BYTES
    }

    /// Whether there are answers still to come for a PHP request that is over.
    pub(super) fn has_late(&self) -> bool {
        self.waiting.front().is_some_and(|waiting| waiting.fate == Fate::Late)
    }

    /// A request was sent whose answer nobody waits for yet.
    pub(super) fn sent(&mut self, call: u64, bytes: usize) {
        let loose = std::mem::take(&mut self.loose);
        self.unanswered += bytes + FRAME_BYTES;
        self.waiting.push_back(Waiting { call, cost: bytes + FRAME_BYTES + loose, fate: Fate::Wanted });
    }

    /// A frame was sent that has no answer.
    pub(super) fn sent_loose(&mut self, bytes: usize) {
        self.loose += bytes + FRAME_BYTES;
        self.unanswered += bytes + FRAME_BYTES;
    }

    /// The call whose answer comes next.
    pub(super) fn next(&self) -> Option<u64> {
        self.waiting.front().map(|waiting| waiting.call)
    }

    /// The next answer has come.
    pub(super) fn came(&mut self) -> Option<Fate> {
        let waiting = self.waiting.pop_front()?;
        self.unanswered -= waiting.cost;
        if self.waiting.is_empty() {
            // Whoever has sent its last answer listens.
            (self.unanswered, self.loose) = (0, 0);
        }
        Some(waiting.fate)
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
        } else if let Ok(at) = self.waiting.binary_search_by_key(&call, |waiting| waiting.call)
            && self.waiting[at].fate == Fate::Wanted
        {
            self.waiting[at].fate = Fate::Dropped;
        }
    }

    /// Nobody will ask for anything any more.
    pub(super) fn end_request(&mut self) {
        for waiting in &mut self.waiting {
            waiting.fate = Fate::Late;
        }
        for answer in std::mem::take(&mut self.aside).into_values() {
            self.unheard.add(answer.kind, &answer.payload, true);
        }
        (self.aside_bytes, self.reading) = Default::default();
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

const _: () = assert!(FRAME_BYTES + HEADER_BYTES < UNANSWERED_BYTES, "there is room for more than one request");
