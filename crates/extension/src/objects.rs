//! Which PHP object stands for which Python object, and what PHP has let go of since the last frame.

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hasher};

use ext_php_rs::ffi::zend_object;
use tortoise_protocol::limits::MAX_PENDING_RELEASES;
use tortoise_protocol::{Writer, request};

thread_local! {
    static OBJECTS: RefCell<Objects> = RefCell::new(Objects::default());
}

#[derive(Default)]
struct Objects {
    /// The proxies of this request. The map does not own them: a proxy takes itself out when PHP frees it.
    by_id: HashMap<u64, *mut zend_object, BuildHasherDefault<IdHasher>>,
    /// Further proxies of an object in `by_id`, which only `new` of a class with a `__new__` of its own makes.
    further: Vec<(u64, *mut zend_object)>,
    /// Object ids and how often each was received.
    releases: Vec<(u64, u64)>,
    /// Between two requests: what PHP frees then, the session has forgotten already.
    is_closed: bool,
}

/// Ids are small distinct numbers: spreading them over the table is all a hash must do.
#[derive(Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(self.0 ^ u64::from(*byte));
        }
    }
    fn write_u64(&mut self, id: u64) {
        // Fibonacci hashing (Knuth, The Art of Computer Programming 6.4): 2^64 divided by the golden ratio.
        self.0 = id.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

/// The proxy of a Python object, if PHP has one.
pub(crate) fn find(id: u64) -> Option<*mut zend_object> {
    OBJECTS.with_borrow(|objects| objects.by_id.get(&id).copied())
}

/// Remembers the proxy of a Python object. The first one stays the one that is found.
pub(crate) fn insert(id: u64, object: *mut zend_object) {
    OBJECTS.with_borrow_mut(|objects| match objects.by_id.entry(id) {
        Entry::Vacant(place) => drop(place.insert(object)),
        Entry::Occupied(_) => objects.further.push((id, object)),
    });
}

/// How many proxies there are.
pub(crate) fn count() -> usize {
    OBJECTS.with_borrow(|objects| objects.by_id.len())
}

/// PHP frees `object`, which it was handed `received` times. The session hears of it with the next frame, unless the
/// object belongs to a link that is gone.
pub(crate) fn release(id: u64, object: *mut zend_object, received: u64, is_current: bool) {
    OBJECTS.with_borrow_mut(|objects| {
        if objects.by_id.get(&id) == Some(&object) {
            objects.by_id.remove(&id);
            if let Some(at) = objects.further.iter().position(|(further, _)| *further == id) {
                let (_, next) = objects.further.swap_remove(at);
                objects.by_id.insert(id, next);
            }
        } else {
            objects.further.retain(|(_, further)| *further != object);
        }
        if is_current && !objects.is_closed {
            objects.releases.push((id, received));
        }
    });
}

/// A proxy stands for its object no more.
pub(crate) fn forget(id: u64, object: *mut zend_object) {
    release(id, object, 0, false);
}

/// The session may forget an object that it handed out once, and that has no proxy.
pub(crate) fn release_id(id: u64) {
    OBJECTS.with_borrow_mut(|objects| {
        if !objects.is_closed {
            objects.releases.push((id, 1));
        }
    });
}

/// Bytes that the releases take in a frame, at most.
pub(crate) fn release_bytes() -> usize {
    const EACH: usize = 2 * 9;
    OBJECTS.with_borrow(|objects| EACH * objects.releases.len())
}

/// Writes what is to be released, if there is anything.
pub(crate) fn write_releases(writer: &mut Writer<'_>) -> bool {
    OBJECTS.with_borrow(|objects| {
        if objects.releases.is_empty() {
            return false;
        }
        request::write_releases(writer, &objects.releases);
        true
    })
}

/// The session has heard of all releases, or forgets the objects anyway.
pub(crate) fn releases_are_sent() {
    OBJECTS.with_borrow_mut(|objects| objects.releases.clear());
}

/// Whether so many releases wait that they should be sent in a frame of their own.
pub(crate) fn releases_are_due() -> bool {
    OBJECTS.with_borrow(|objects| objects.releases.len() >= MAX_PENDING_RELEASES)
}

/// Forgets everything: the request is over, or the link is gone, and the session has forgotten it too.
pub(crate) fn forget_all() {
    OBJECTS.with_borrow_mut(|objects| {
        objects.by_id.clear();
        objects.further.clear();
        objects.releases.clear();
    });
}

/// A request begins.
pub(crate) fn open() {
    OBJECTS.with_borrow_mut(|objects| objects.is_closed = false);
}

/// The request is over: nothing is sent for what PHP frees from now on.
pub(crate) fn close() {
    forget_all();
    OBJECTS.with_borrow_mut(|objects| objects.is_closed = true);
}

/// Whether no request runs.
pub(crate) fn are_closed() -> bool {
    OBJECTS.with_borrow(|objects| objects.is_closed)
}
