//! A channel over shared memory: no system call on the way of a frame while both sides are awake.
//!
//! The socket stays open beside the memory. It says when the peer is gone, and it is where a side sleeps that has
//! waited for long ([`crate::waiting`]).
//!
//! A frame takes whole words of the ring. Its segments follow, one directly behind the other, and take whole words all
//! together: so whoever passes over them need not know where one ends.

use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;

use tortoise_protocol::frame::{HEADER_BYTES, Header};

use crate::ChannelError;
use crate::bell::News;
use crate::deadline::Limit;
use crate::interrupt::Interrupt;
use crate::mapping::{Mapping, Side};
use crate::ring::{Consumer, Producer, Ring, WORD_BYTES};
use crate::segments::{Carry, Left};
use crate::spin::{SpinPolicy, Spinner};
use crate::waiting::{Waiting, wake};

/// Bytes of a large frame that are shown to the peer at once, so that it copies them out while we copy the next in.
/// A multiple of a word. On two cores 32, 64 and 128 KiB took the same; with both sides on one, where each piece is a
/// reason to switch to the other side, 10 MB to and fro took 2.4, 2.3 and 2.0 ms.
const PIECE_BYTES: usize = 128 << 10;

/// How far a payload's buffer grows ahead of what has arrived, so that a header alone cannot claim memory.
const GROWTH_BYTES: usize = 4 << 20;

const HEADER_WORDS: usize = HEADER_BYTES / WORD_BYTES;

/// Frames over shared memory.
#[derive(Debug)]
pub(crate) struct SharedChannel {
    mapping: Mapping,
    side: Side,
    producer: Producer,
    consumer: Consumer,
    left: Left,
    limit: Limit,
    spinner: Spinner,
}

/// One send or receive.
struct Operation<'op> {
    waiting: Waiting<'op>,
    outgoing: Ring<'op>,
    producer: &'op mut Producer,
    incoming: Ring<'op>,
    consumer: &'op mut Consumer,
    /// How far the consumer was when it last gave room back.
    before: u64,
    left: &'op mut Left,
}

impl SharedChannel {
    pub(crate) fn new(mapping: Mapping, side: Side, limit: Limit, policy: SpinPolicy) -> Self {
        Self {
            mapping,
            side,
            producer: Producer::default(),
            consumer: Consumer::default(),
            left: Left::default(),
            limit,
            spinner: Spinner::new(policy),
        }
    }

    pub(crate) fn set_limit(&mut self, limit: Limit) {
        self.limit = limit;
    }

    pub(crate) fn set_spin_policy(&mut self, policy: SpinPolicy) {
        self.spinner = Spinner::new(policy);
    }

    pub(crate) fn segment_bytes_left(&self) -> usize {
        self.left.bytes()
    }

    fn operation<'op>(&'op mut self, socket: BorrowedFd<'op>) -> Result<Operation<'op>, ChannelError> {
        let Self { mapping, side, producer, consumer, left, spinner, limit } = self;
        let memory = mapping.memory().ok_or(ChannelError::Forked)?;
        Ok(Operation {
            waiting: Waiting::new(memory, *side, socket, spinner, limit),
            outgoing: memory.ring_from(*side),
            producer,
            incoming: memory.ring_from(side.peer()),
            before: consumer.position(),
            consumer,
            left,
        })
    }

    pub(crate) fn send(
        &mut self,
        socket: BorrowedFd<'_>,
        frame: &[u8],
        segments: &[&[u8]],
    ) -> Result<(), ChannelError> {
        let mut operation = self.operation(socket)?;
        operation.pass_over_segments()?;
        operation.waiting.say_where();
        operation.put(frame, false)?;
        let mut carry = Carry::default();
        for segment in segments {
            let rest = carry.fill(segment);
            if let Some(word) = carry.take_full() {
                operation.put(&word, true)?;
            }
            let (words, end) = rest.split_at(rest.len() - rest.len() % WORD_BYTES);
            operation.put(words, true)?;
            carry.fill(end);
        }
        operation.put(carry.bytes(), true)
    }

    pub(crate) fn receive(
        &mut self,
        socket: BorrowedFd<'_>,
        payload: &mut Vec<u8>,
        limit: usize,
    ) -> Result<Header, ChannelError> {
        let mut operation = self.operation(socket)?;
        operation.pass_over_segments()?;
        let header = operation.take_header(limit)?;
        let length = header.payload_bytes as usize;
        if length == 0 {
            operation.give_room();
        }
        payload.clear();
        payload.reserve(length.min(GROWTH_BYTES));
        while payload.len() < length {
            operation.await_words()?;
            let piece = (length - payload.len()).min(PIECE_BYTES).min(operation.consumer.available() * WORD_BYTES);
            operation.consumer.read(operation.incoming, payload, piece);
            operation.give_room();
        }
        *operation.left = Left::new(header.segment_bytes as usize);
        Ok(header)
    }

    /// Whether a frame has begun to come, or the peer has left.
    pub(crate) fn has_frame(&mut self, socket: BorrowedFd<'_>) -> Result<bool, ChannelError> {
        let mut operation = self.operation(socket)?;
        operation.pass_over_segments()?;
        operation.consumer.refresh(operation.incoming)?;
        Ok(operation.consumer.available() > 0 || operation.waiting.is_peer_gone()?)
    }

    /// Whether the peer has left, or sends nothing any more. What it sent before may still be there.
    pub(crate) fn is_peer_gone(&mut self, socket: BorrowedFd<'_>) -> Result<bool, ChannelError> {
        self.operation(socket)?.waiting.is_peer_gone()
    }

    /// Waits until a frame has begun to come, or the peer has left: true; or until the interrupt was rung: false.
    pub(crate) fn await_frame(&mut self, socket: BorrowedFd<'_>, interrupt: &Interrupt) -> Result<bool, ChannelError> {
        let mut operation = self.operation(socket)?;
        operation.pass_over_segments()?;
        let Operation { waiting, incoming, consumer, .. } = &mut operation;
        let is_there = waiting.wait_or(interrupt, || {
            consumer.refresh(*incoming)?;
            Ok(consumer.available() > 0)
        });
        match is_there {
            // Receiving tells of it.
            Err(ChannelError::Closed) => Ok(true),
            is_there => is_there,
        }
    }

    /// Fills `place` with the bytes of segments that come next. Nothing is read if there are fewer.
    pub(crate) fn receive_segment(
        &mut self,
        socket: BorrowedFd<'_>,
        place: &mut [MaybeUninit<u8>],
    ) -> Result<(), ChannelError> {
        self.left.check(place.len())?;
        let mut operation = self.operation(socket)?;
        let mut rest = operation.left.take_carried(place);
        while rest.len() >= WORD_BYTES {
            operation.await_words()?;
            let whole = rest.len() - rest.len() % WORD_BYTES;
            let piece = whole.min(PIECE_BYTES).min(operation.consumer.available() * WORD_BYTES);
            let (now, later) = rest.split_at_mut(piece);
            operation.consumer.fill(operation.incoming, now);
            operation.left.took(piece);
            rest = later;
            operation.give_room();
        }
        if !rest.is_empty() {
            operation.await_words()?;
            let [word] = operation.consumer.read_words(operation.incoming);
            operation.left.carry(word.to_ne_bytes());
            operation.left.take_carried(rest);
            operation.give_room();
        }
        Ok(())
    }
}

impl Operation<'_> {
    /// Writes bytes, of which only the last may take a part of a word.
    fn put(&mut self, bytes: &[u8], is_inside: bool) -> Result<(), ChannelError> {
        let Self { waiting, outgoing, producer, .. } = self;
        let ring = *outgoing;
        let mut rest = bytes;
        while !rest.is_empty() {
            if producer.room(ring) < rest.len().min(PIECE_BYTES).div_ceil(WORD_BYTES) {
                producer.refresh(ring)?;
                if producer.room(ring) == 0 {
                    waiting
                        .wait(News::Room, || {
                            producer.refresh(ring)?;
                            Ok(producer.room(ring) > 0)
                        })
                        .map_err(|error| error.in_frame(is_inside || rest.len() < bytes.len()))?;
                }
            }
            let (piece, behind) = rest.split_at(rest.len().min(PIECE_BYTES).min(producer.room(ring) * WORD_BYTES));
            producer.write(ring, piece);
            producer.publish(ring);
            waiting.wake_peer(News::Data)?;
            rest = behind;
        }
        Ok(())
    }

    /// Waits for a frame's header.
    fn take_header(&mut self, limit: usize) -> Result<Header, ChannelError> {
        let Self { waiting, incoming, consumer, .. } = self;
        let ring = *incoming;
        if consumer.available() < HEADER_WORDS {
            waiting
                .wait(News::Data, || {
                    consumer.refresh(ring)?;
                    Ok(consumer.available() >= HEADER_WORDS)
                })
                .map_err(|error| error.in_frame(consumer.available() > 0))?;
        }
        let words: [u64; HEADER_WORDS] = consumer.read_words(ring);
        let mut head = [0; HEADER_BYTES];
        for (to, word) in head.chunks_exact_mut(WORD_BYTES).zip(words) {
            to.copy_from_slice(&word.to_ne_bytes());
        }
        let header = Header::decode(&head, limit)?;
        Ok(header)
    }

    /// Waits for more of a frame, if nothing of it is there.
    fn await_words(&mut self) -> Result<(), ChannelError> {
        let Self { waiting, incoming, consumer, .. } = self;
        if consumer.available() > 0 {
            return Ok(());
        }
        waiting
            .wait(News::Data, || {
                consumer.refresh(*incoming)?;
                Ok(consumer.available() > 0)
            })
            .map_err(|error| error.in_frame(true))
    }

    /// Gives the peer the room of what was read.
    fn give_room(&mut self) {
        if self.consumer.publish(self.incoming, self.before) {
            // A peer that has left may still have sent all that is waited for; if not, the next wait says so.
            let _ = self.waiting.wake_peer(News::Room);
        }
        self.before = self.consumer.position();
    }

    /// Reads what is left of a frame's segments, and forgets it.
    fn pass_over_segments(&mut self) -> Result<(), ChannelError> {
        if self.left.bytes() == 0 {
            return Ok(());
        }
        let mut words = self.left.words();
        while words > 0 {
            self.await_words()?;
            let piece = words.min(self.consumer.available());
            self.consumer.skip(piece);
            words -= piece;
            *self.left = Left::new(words * WORD_BYTES);
            self.give_room();
        }
        *self.left = Left::default();
        Ok(())
    }
}

#[cfg(test)]
impl SharedChannel {
    /// Sends what is not a whole frame.
    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        let memory = self.mapping.memory().expect("ours");
        let ring = memory.ring_from(self.side);
        self.producer.write(ring, bytes);
        self.producer.publish(ring);
        if memory.bell_of(self.side.peer()).after_news(News::Data) == crate::bell::Wake::Futex {
            crate::futex::wake(memory.bell_of(self.side.peer()).word());
        }
    }
}

impl SharedChannel {
    /// Says goodbye. The end of the socket would say it too, but not while a fork of this process keeps it open.
    pub(crate) fn leave(&self, socket: BorrowedFd<'_>) {
        if let Some(memory) = self.mapping.memory() {
            memory.bell_of(self.side).leave();
            // Whatever the peer sleeps for, it will not come.
            for news in [News::Data, News::Room] {
                let _ = wake(memory.bell_of(self.side.peer()), news, socket);
            }
        }
    }
}
