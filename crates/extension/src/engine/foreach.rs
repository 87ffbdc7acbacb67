//! A `foreach` over a PHP object, one step at a time.

use std::mem::ManuallyDrop;

use ext_php_rs::ffi::{zend_object, zend_object_iterator};
use ext_php_rs::types::Zval;

use super::SUCCESS;
use super::reading::{borrowed, exception_is_pending, object_of, owned_object};

/// Where an iterator stands that has not begun: one step more is its first element, as the engine counts too.
const BEFORE: u64 = u64::MAX;

/// Where one stands that has come to its end.
const BEHIND: u64 = u64::MAX - 1;

/// An iterator of `foreach`. To the engine it is an object; no PHP code may see it.
pub(crate) struct Foreach(*mut zend_object_iterator);

impl Foreach {
    /// Begins; nothing of the object's runs but what gives the iterator. None: the object has none, or it threw.
    pub(crate) fn begin(object: &zend_object) -> Option<Zval> {
        let mut subject = borrowed(object);
        // SAFETY: a live object's class is live; the engine takes a count of the object of its own. The new iterator's one
        // count goes to the value.
        unsafe {
            let get = (*object.ce).get_iterator?;
            let iterator = get(object.ce, &raw mut *subject, 0).as_mut()?;
            iterator.index = BEFORE;
            let value = owned_object(&raw mut iterator.std);
            (!exception_is_pending()).then_some(value)
        }
    }

    /// The iterator that [`Self::begin`] gave.
    ///
    /// # Safety
    /// The value is such a one, and lives longer than this.
    pub(crate) unsafe fn of(iterator: &Zval) -> Option<Self> {
        object_of(iterator).map(|object| Self(std::ptr::from_mut::<zend_object>(object).cast()))
    }

    /// The next key and value. None: there are no more, or it threw.
    pub(crate) fn next(&self) -> Option<(Zval, Zval)> {
        // SAFETY: the iterator is live and has its functions; each is asked only if none before it threw.
        unsafe {
            let iterator = self.0;
            let functions = &*(*iterator).funcs;
            if (*iterator).index == BEHIND {
                return None;
            }
            (*iterator).index = (*iterator).index.wrapping_add(1);
            let step = if (*iterator).index == 0 { functions.rewind } else { functions.move_forward };
            if let Some(step) = step {
                step(iterator);
            }
            if exception_is_pending() || functions.valid?(iterator) != SUCCESS || exception_is_pending() {
                (*iterator).index = BEHIND;
                return None;
            }
            let value = functions.get_current_data?(iterator).as_ref();
            let value = value.filter(|_| !exception_is_pending())?.dereference().shallow_clone();
            let mut key = ManuallyDrop::new(Zval::new());
            match functions.get_current_key {
                Some(get) => get(iterator, &raw mut *key),
                None => key.set_long(i64::try_from((*iterator).index).unwrap_or(i64::MAX)),
            }
            let key = ManuallyDrop::into_inner(key);
            (!exception_is_pending()).then_some((key, value))
        }
    }
}
