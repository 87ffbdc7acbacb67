//! The payload of a request that is being written, and the bulk that follows it.

use std::fmt;
use std::ops::{Deref, DerefMut};

use ext_php_rs::ffi::zend_object;
use tortoise_protocol::Writer;
use tortoise_protocol::codec::{PhpReference, Segment, SegmentKind};
use tortoise_protocol::frame::{FLAG_RELEASES, HEADER_BYTES, Header, Kind, begin};

use super::buffer::KEPT_BYTES;
use crate::error::BridgeError;
use crate::exports::{self, Exported};
use crate::objects;

/// A request that was written, outside of the link, and its header without the call id, or why there is none.
#[derive(Debug)]
pub(super) struct Composed {
    pub(super) outbox: Outbox,
    pub(super) header: Result<Header, BridgeError>,
}

/// The PHP objects in a request.
type Journal = Option<Box<Vec<Exported>>>;

impl Composed {
    /// Bytes of the frame, segments included; without meaning if it could not be written.
    pub(super) fn bytes(&self) -> usize {
        self.outbox.frame.len() + self.header.as_ref().map_or(0, |header| header.segment_bytes as usize)
    }
}

/// What requests are written into, one after another.
#[derive(Default)]
pub(super) struct Outbox {
    /// Room for a header, and the payload.
    pub(super) frame: Vec<u8>,
    /// Where the segments lie. Between two requests there are none.
    segments: Vec<*const [u8]>,
    /// The PHP objects in it. Between two requests, and in most of them, there are none.
    exported: Journal,
}

impl Outbox {
    /// Writes the answer to a callback, and gives its header without the call id. What PHP has let go of waits for a request.
    ///
    /// # Errors
    /// Those of `write`.
    pub(super) fn write_answer(
        &mut self,
        kind: Kind,
        write: &dyn Fn(&mut Outgoing<'_>) -> Result<(), BridgeError>,
    ) -> Result<Header, BridgeError> {
        let mut header = Header::new(kind, 0);
        let mut outgoing = self.begin();
        write(&mut outgoing)?;
        header.segment_bytes = u32::try_from(outgoing.segment_bytes()).unwrap_or(u32::MAX);
        Ok(header)
    }

    /// Writes a request, with what PHP has let go of in front, and gives its header without the call id.
    ///
    /// # Errors
    /// Those of `write`.
    pub(super) fn write(
        &mut self,
        kind: Kind,
        write: &(impl Fn(&mut Outgoing<'_>) -> Result<(), BridgeError> + ?Sized),
    ) -> Result<Header, BridgeError> {
        let mut header = Header::new(kind, 0);
        let mut outgoing = self.begin();
        if objects::write_releases(&mut outgoing) {
            header.flags |= FLAG_RELEASES;
        }
        write(&mut outgoing)?;
        header.segment_bytes = u32::try_from(outgoing.segment_bytes()).unwrap_or(u32::MAX);
        Ok(header)
    }

    fn begin(&mut self) -> Outgoing<'_> {
        begin(&mut self.frame);
        self.segments.clear();
        Outgoing {
            writer: Writer::new(&mut self.frame),
            segments: &mut self.segments,
            exported: &mut self.exported,
            segment_bytes: 0,
        }
    }

    /// The segments of the request that was written.
    ///
    /// # Safety
    /// Nothing has run since that could free what was written: see [`Outgoing::segment`].
    pub(super) unsafe fn segments(&self) -> &[&[u8]] {
        let segments: *const [*const [u8]] = &raw const *self.segments;
        // SAFETY: a reference is laid as a pointer is; the bytes are live by the caller's promise.
        unsafe { &*(segments as *const [&[u8]]) }
    }

    /// The request was sent.
    #[inline]
    pub(super) fn end(&mut self) {
        if let Some(exported) = self.exported.take() {
            exports::were_sent(exported.into_iter());
        }
        self.clear();
    }

    /// The request will not be sent.
    pub(super) fn give_up(&mut self) {
        if let Some(exported) = self.exported.take() {
            exports::were_not_sent(exported.into_iter());
        }
        self.clear();
    }

    /// Whether nobody writes into it just now: an empty one stands here then.
    pub(super) fn is_here(&self) -> bool {
        self.frame.capacity() != 0
    }

    #[inline]
    fn clear(&mut self) {
        self.segments.clear();
        if self.frame.capacity() > KEPT_BYTES {
            self.frame = Vec::with_capacity(HEADER_BYTES);
        }
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Outbox").field("bytes", &self.frame.len()).finish_non_exhaustive()
    }
}

/// A payload that is being written: a [`Writer`], and segments.
#[derive(Debug)]
pub(crate) struct Outgoing<'a> {
    writer: Writer<'a>,
    segments: &'a mut Vec<*const [u8]>,
    exported: &'a mut Journal,
    segment_bytes: usize,
}

impl<'a> Outgoing<'a> {
    /// Announces a segment; its bytes are read when the request is sent.
    ///
    /// # Safety
    /// `bytes` stays where it is until then. What a running call was given does: nothing of PHP runs in between.
    pub(crate) unsafe fn segment(&mut self, kind: SegmentKind, bytes: *const [u8]) {
        // Whoever writes a value holds its length against the limit of a frame, which is far below 4 GiB.
        self.writer.segment(Segment { kind, bytes: bytes.len() as u32 });
        self.segments.push(bytes);
        self.segment_bytes += bytes.len();
    }

    /// Writes a PHP object by reference.
    pub(crate) fn export(&mut self, object: &zend_object) {
        self.export_as(object, Writer::php_object);
    }

    /// Writes something with a reference to a PHP object in it.
    pub(crate) fn export_as(&mut self, object: &zend_object, write: impl FnOnce(&mut Writer<'a>, PhpReference<'_>)) {
        exports::export(object, |reference, exported| {
            write(&mut self.writer, reference);
            self.exported.get_or_insert_default().push(exported);
        });
    }

    /// Writes the PHP half of an object as a PHP object.
    pub(crate) fn export_half(&mut self, half: *mut zend_object) {
        exports::export_half(half, |reference, exported| {
            self.writer.php_object(reference);
            self.exported.get_or_insert_default().push(exported);
        });
    }

    /// Writes a reference to an iterator of `foreach`.
    pub(crate) fn export_iterator(&mut self, iterator: &zend_object) {
        exports::export_iterator(iterator, |reference, exported| {
            self.writer.php_object(reference);
            self.exported.get_or_insert_default().push(exported);
        });
    }

    /// Bytes of the segments so far.
    const fn segment_bytes(&self) -> usize {
        self.segment_bytes
    }

    /// Bytes of the frame so far, segments included.
    pub(crate) fn bytes(&self) -> usize {
        self.writer.position() + self.segment_bytes
    }
}

impl<'a> Deref for Outgoing<'a> {
    type Target = Writer<'a>;

    fn deref(&self) -> &Writer<'a> {
        &self.writer
    }
}

impl DerefMut for Outgoing<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.writer
    }
}
