//! `foreach` over a proxy: Python's own iteration, an item at a time where it may be seen, else in growing chunks.

use std::ffi::c_int;

use ext_php_rs::ffi::{
    _emalloc, zend_class_entry, zend_object, zend_object_iterator, zend_object_iterator_funcs, zval, zval_ptr_dtor,
};
use tortoise_protocol::frame::Kind;
use tortoise_protocol::request::write_iteration;

use crate::engine::{FAILURE, NewTable, SUCCESS, guard, object_of, zend_iterator_init};
use crate::error::BridgeError;
use crate::link::{self, Session};
use crate::proxy::target;
use crate::throw::throw;
use crate::{objects, values};

/// Items to ask for first, and at most at once. The session gives fewer where taking ahead could be seen.
const FIRST_ITEMS: usize = 16;
const MOST_ITEMS: usize = 1024;

/// An id that no object has.
const NO_OBJECT: u64 = 0;

/// A loop in progress.
#[repr(C)]
struct Iteration {
    /// The engine's part, which holds the object that is iterated over.
    base: zend_object_iterator,
    /// What Python's `iter()` gave, and the session that knows it; None before the loop, and behind the last item.
    iterator: Option<(u64, u32)>,
    /// The items that came last; those behind are nulls.
    items: Option<NewTable>,
    /// The current one among them.
    at: usize,
    /// How many to ask for next.
    wanted: usize,
    /// Whether the object is its own iterator: what were taken of it ahead would be missing behind the loop.
    is_shared: bool,
}

static FUNCTIONS: zend_object_iterator_funcs = zend_object_iterator_funcs {
    dtor: Some(end),
    valid: Some(is_valid),
    get_current_data: Some(current),
    // Without this one the engine counts.
    get_current_key: None,
    move_forward: Some(advance),
    rewind: Some(begin),
    invalidate_current: None,
    get_gc: None,
};

/// Lets `foreach` iterate over the objects of a class of proxies, and of all that inherit from it.
pub(crate) fn adopt(class: *mut zend_class_entry) {
    // SAFETY: the class was just registered and nobody has made an object of it.
    unsafe { (*class).get_iterator = Some(get_iterator) };
}

unsafe extern "C" fn get_iterator(
    _class: *mut zend_class_entry,
    object: *mut zval,
    by_reference: c_int,
) -> *mut zend_object_iterator {
    if by_reference != 0 {
        guard((), || {
            throw(BridgeError::Conversion(
                "foreach cannot give references to the items of a Python object: they are copies, or objects that need \
                 no reference; write foreach ($object as $item)"
                    .to_owned(),
            ));
        });
        return std::ptr::null_mut();
    }
    // SAFETY: the engine passes a live proxy. The parts are set up before anyone sees them; the engine frees the block.
    unsafe {
        let iteration = _emalloc(size_of::<Iteration>()).cast::<Iteration>();
        let base = &raw mut (*iteration).base;
        zend_iterator_init(base);
        (&raw mut (*base).data).write((*object).shallow_clone());
        (&raw mut (*base).funcs).write(&raw const FUNCTIONS);
        (&raw mut (*iteration).iterator).write(None);
        (&raw mut (*iteration).items).write(None);
        (&raw mut (*iteration).at).write(0);
        (&raw mut (*iteration).wanted).write(FIRST_ITEMS);
        (&raw mut (*iteration).is_shared).write(false);
        base
    }
}

/// # Safety
/// `iterator` is one that [`get_iterator`] made.
unsafe fn of<'a>(iterator: *mut zend_object_iterator) -> &'a mut Iteration {
    // SAFETY: the caller's promise; the engine's part is the first one.
    unsafe { &mut *iterator.cast::<Iteration>() }
}

/// The loop begins: nothing was asked of Python before.
unsafe extern "C" fn begin(iterator: *mut zend_object_iterator) {
    // SAFETY: the engine passes an iterator of ours.
    let iteration = unsafe { of(iterator) };
    guard((), || {
        iteration.release();
        if let Err(error) = iteration.iterate() {
            throw(error);
        }
    });
}

unsafe extern "C" fn is_valid(iterator: *mut zend_object_iterator) -> c_int {
    // SAFETY: as above.
    let iteration = unsafe { of(iterator) };
    if iteration.at < iteration.items.as_ref().map_or(0, NewTable::len) { SUCCESS } else { FAILURE }
}

unsafe extern "C" fn current(iterator: *mut zend_object_iterator) -> *mut zval {
    // SAFETY: as above; the place stays until the iterator moves on.
    let iteration = unsafe { of(iterator) };
    iteration.items.as_mut().and_then(|items| items.place(iteration.at)).unwrap_or(std::ptr::null_mut())
}

unsafe extern "C" fn advance(iterator: *mut zend_object_iterator) {
    // SAFETY: as above.
    let iteration = unsafe { of(iterator) };
    guard((), || {
        // An item that the loop has let go of is not to live until the chunk ends.
        let done = iteration.items.as_mut().and_then(|items| items.take(iteration.at));
        iteration.at += 1;
        drop(done);
        if let Err(error) = iteration.fetch() {
            throw(error);
        }
    });
}

/// The loop is over, or was left.
unsafe extern "C" fn end(iterator: *mut zend_object_iterator) {
    // SAFETY: as above; the engine frees the block next, and only once.
    let iteration = unsafe { of(iterator) };
    guard((), || iteration.release());
    iteration.items = None;
    // SAFETY: the value is live, and given up here.
    unsafe { zval_ptr_dtor(&raw mut iteration.base.data) };
}

impl Iteration {
    fn object(&self) -> Option<&zend_object> {
        object_of(&self.base.data).map(|object| &*object)
    }

    /// Asks the object for an iterator.
    fn iterate(&mut self) -> Result<(), BridgeError> {
        (self.items, self.at, self.wanted) = (None, 0, FIRST_ITEMS);
        let Some(object) = self.object() else { return Ok(()) };
        let (asked, generation) = target(object)?;
        let reply = link::exchange(Session::Of(generation), Kind::Iterate, Kind::Value, |outgoing| {
            write_iteration(outgoing, asked, FIRST_ITEMS);
            Ok(())
        })?;
        let (rest, items) = values::read_items(&reply)?;
        if let Some(id) = rest.iterator {
            self.iterator = Some((id, generation));
            self.is_shared = id == asked;
        }
        self.items = Some(items?);
        // What is not a container's gives its items one by one, and perhaps none yet.
        self.fetch()
    }

    /// Asks for more items when there are none left.
    fn fetch(&mut self) -> Result<(), BridgeError> {
        while self.at >= self.items.as_ref().map_or(0, NewTable::len) {
            let Some((id, generation)) = self.iterator else { return Ok(()) };
            self.wanted = if self.is_shared { 1 } else { (2 * self.wanted).min(MOST_ITEMS) };
            match self.next(id, generation) {
                Ok((more, items)) => {
                    (self.items, self.at) = (Some(items), 0);
                    if !more {
                        self.forget();
                    }
                }
                Err(error) => {
                    self.items = None;
                    self.forget();
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    fn next(&self, id: u64, generation: u32) -> Result<(bool, NewTable), BridgeError> {
        let reply = link::exchange(Session::Of(generation), Kind::Next, Kind::Value, |outgoing| {
            write_iteration(outgoing, id, self.wanted);
            Ok(())
        })?;
        let (rest, items) = values::read_items(&reply)?;
        Ok((rest.may_come, items?))
    }

    /// Lets go of an iterator that has nothing more to do: the session hears of it with the next frame.
    fn forget(&mut self) {
        if let Some((id, generation)) = self.iterator.take()
            && generation == link::generation()
        {
            objects::release_id(id);
        }
    }

    /// Lets go of an iterator, and waits until the session has let go of it too: what is behind the loop finds a
    /// generator's `finally` done.
    fn release(&mut self) {
        let Some((_, generation)) = self.iterator else { return };
        self.forget();
        // Releases have no answer. A question about an object that never is has one, which comes after them.
        let _ = link::exchange(Session::Of(generation), Kind::Next, Kind::Value, |outgoing| {
            write_iteration(outgoing, NO_OBJECT, 0);
            Ok(())
        });
    }
}
