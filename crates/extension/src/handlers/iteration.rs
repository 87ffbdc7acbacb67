//! `foreach` over a proxy: Python's own iteration, an item at a time where it may be seen, else in growing chunks.

use std::ffi::c_int;

use ext_php_rs::ffi::{
    _emalloc, zend_array, zend_class_entry, zend_object, zend_object_iterator, zend_object_iterator_funcs, zval,
    zval_ptr_dtor,
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
    /// Whether it moves on right now. That can load a class and so run any PHP code, from where nobody may look at it.
    is_busy: bool,
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
    get_gc: Some(contents),
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
        (&raw mut (*iteration).is_busy).write(false);
        base
    }
}

/// An iterator that does not move on right now.
///
/// # Safety
/// `iterator` is one that [`get_iterator`] made.
unsafe fn at_rest<'a>(iterator: *mut zend_object_iterator) -> Option<&'a mut Iteration> {
    let iteration = iterator.cast::<Iteration>();
    // SAFETY: the caller's promise; the engine's part is the first one. Nobody else has an iterator that is not busy.
    unsafe { if (*iteration).is_busy { None } else { Some(&mut *iteration) } }
}

/// Lets an iterator move on. What `action` takes out of it is dropped when it is at rest again: that can run destructors.
///
/// # Safety
/// As [`at_rest`].
unsafe fn step<T>(
    iterator: *mut zend_object_iterator,
    action: impl FnOnce(&mut Iteration) -> (T, Result<(), BridgeError>),
) {
    guard((), || {
        // SAFETY: the caller's promise. The flag keeps everyone else away from the iterator while `action` has it.
        let (taken, outcome) = unsafe {
            if at_rest(iterator).is_none() {
                return throw(BridgeError::Access(
                    "this iterator is busy with its next item: it was asked again while the class of that was loaded"
                        .to_owned(),
                ));
            }
            let iteration = iterator.cast::<Iteration>();
            (*iteration).is_busy = true;
            let done = action(&mut *iteration);
            (*iteration).is_busy = false;
            done
        };
        drop(taken);
        if let Err(error) = outcome {
            throw(error);
        }
    });
}

/// The loop begins: nothing was asked of Python before.
unsafe extern "C" fn begin(iterator: *mut zend_object_iterator) {
    // SAFETY: the engine passes an iterator of ours.
    unsafe {
        step(iterator, |iteration| {
            iteration.release();
            (iteration.items.take(), iteration.iterate())
        });
    }
}

unsafe extern "C" fn is_valid(iterator: *mut zend_object_iterator) -> c_int {
    // SAFETY: as above.
    let is_there = unsafe { at_rest(iterator) }.is_some_and(|iteration| iteration.has_items());
    if is_there { SUCCESS } else { FAILURE }
}

unsafe extern "C" fn current(iterator: *mut zend_object_iterator) -> *mut zval {
    // SAFETY: as above; the place stays until the iterator moves on.
    let iteration = unsafe { at_rest(iterator) };
    let place = iteration.and_then(|iteration| iteration.items.as_mut()?.place(iteration.at));
    place.unwrap_or(std::ptr::null_mut())
}

unsafe extern "C" fn advance(iterator: *mut zend_object_iterator) {
    // SAFETY: as above.
    unsafe {
        // An item that the loop has let go of is not to live until the chunk ends, nor until the next one is there.
        let done = at_rest(iterator).and_then(|iteration| {
            let done = iteration.items.as_mut()?.take(iteration.at);
            iteration.at += 1;
            done
        });
        guard((), || drop(done));
        step(iterator, |iteration| ((), iteration.fetch()));
    }
}

/// What an iterator holds, for the garbage collection. One that is busy is left alone: its items change.
unsafe extern "C" fn contents(
    iterator: *mut zend_object_iterator,
    values: *mut *mut zval,
    count: *mut c_int,
) -> *mut zend_array {
    // SAFETY: as above; the engine passes places for the answer.
    unsafe {
        let Some(iteration) = at_rest(iterator) else {
            values.write(std::ptr::null_mut());
            count.write(0);
            return std::ptr::null_mut();
        };
        values.write(&raw mut iteration.base.data);
        count.write(1);
        iteration.items.as_ref().map_or(std::ptr::null_mut(), |items| items.as_ptr().cast_mut())
    }
}

/// The loop is over, or was left.
unsafe extern "C" fn end(iterator: *mut zend_object_iterator) {
    // SAFETY: as above; the engine frees the block next, and only once. Whoever lets it move on holds it.
    let iteration = unsafe { &mut *iterator.cast::<Iteration>() };
    let generation = iteration.iterator.map(|(_, generation)| generation);
    guard((), || iteration.forget());
    drop(iteration.items.take());
    // A generator is its own iterator, so that this can be the last hold of it.
    // SAFETY: the value is live, and given up here.
    unsafe { zval_ptr_dtor(&raw mut iteration.base.data) };
    if let Some(generation) = generation {
        guard((), || wait_until_released(generation));
    }
}

/// Waits until the session has let go of an iterator: what is behind the loop finds a generator's `finally` done.
fn wait_until_released(generation: u32) {
    // Releases have no answer. A question about an object that never is has one, which comes after them.
    let _ = link::exchange(Session::Of(generation), Kind::Next, Kind::Value, |outgoing| {
        write_iteration(outgoing, NO_OBJECT, 0);
        Ok(())
    });
}

impl Iteration {
    fn object(&self) -> Option<&zend_object> {
        object_of(&self.base.data).map(|object| &*object)
    }

    fn has_items(&self) -> bool {
        self.at < self.items.as_ref().map_or(0, NewTable::len)
    }

    /// Asks the object for an iterator. There are no items.
    fn iterate(&mut self) -> Result<(), BridgeError> {
        (self.at, self.wanted) = (0, FIRST_ITEMS);
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
        while !self.has_items() {
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

    /// Lets go of an iterator, and waits until the session has let go of it too.
    fn release(&mut self) {
        if let Some((_, generation)) = self.iterator {
            self.forget();
            wait_until_released(generation);
        }
    }
}
