//! Which PHP objects Python has, by reference: each is kept for as long as Python has it, and for the PHP request at most.

mod describe;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use ext_php_rs::ffi::{zend_class_entry, zend_object};
use ext_php_rs::types::Zval;
use tortoise_protocol::codec::{PhpReference, PhpTraits};

use crate::engine::owned_object;
use crate::proxy;

pub(crate) use describe::own_members;

thread_local! {
    static EXPORTS: RefCell<Exports> = RefCell::new(Exports::default());
}

#[derive(Default)]
struct Exports {
    by_id: HashMap<u64, Export>,
    by_object: HashMap<*mut zend_object, u64>,
    /// Ids are never used twice.
    last_id: u64,
    /// The numbers of the classes of this request.
    by_class: HashMap<*mut zend_class_entry, (u32, PhpTraits)>,
    /// The number of each description that was met on this link: a class that is declared again in every request is one.
    by_description: HashMap<Rc<[u8]>, u32>,
    /// The descriptions, by their numbers, which begin with 1.
    classes: Vec<ClassOnWire>,
    /// What Python has let go of, and how often it was handed that; not yet dropped.
    releases: Vec<(u64, u64)>,
    /// What is to be dropped, which can run PHP code.
    doomed: Vec<*mut zend_object>,
    /// PHP halves that only Python keeps, and that a callback used: PHP code may hold them again.
    used: Vec<*mut zend_object>,
}

/// A PHP object that Python has.
struct Export {
    object: *mut zend_object,
    /// How often it was handed out.
    handed_out: u64,
    hold: Hold,
}

/// As what an object is handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hold {
    /// An object of PHP code. One count of it is ours.
    Object,
    /// An iterator of `foreach`, which no PHP code may see. One count of it is ours.
    Iterator,
    /// The PHP half of an object that PHP code holds: it takes itself out when PHP frees it.
    Half,
    /// The PHP half of an object that only Python keeps. One count of it is ours.
    KeptHalf,
}

impl Hold {
    const fn has_count(self) -> bool {
        !matches!(self, Self::Half)
    }
}

struct ClassOnWire {
    /// The description, and the traits behind it as one byte more.
    description: Rc<[u8]>,
    /// Whether the session has it.
    is_known: bool,
}

/// An object that stands in a frame.
#[derive(Debug)]
pub(crate) struct Exported {
    id: u64,
    class: u32,
}

/// What Python names by an id.
pub(crate) enum Found {
    /// An object.
    Object(Zval),
    /// An iterator of `foreach`: see [`crate::engine::Foreach`].
    Iterator(Zval),
}

/// Hands an object out, in a frame that `write` writes its reference to.
pub(crate) fn export(object: &zend_object, write: impl FnOnce(PhpReference<'_>, Exported)) {
    hand_out(std::ptr::from_ref(object).cast_mut(), Hold::Object, write);
}

/// Hands the PHP half of an object out. That holds nothing.
pub(crate) fn export_half(half: *mut zend_object, write: impl FnOnce(PhpReference<'_>, Exported)) {
    hand_out(half, Hold::Half, write);
}

/// Hands an iterator of `foreach` out.
pub(crate) fn export_iterator(iterator: &zend_object, write: impl FnOnce(PhpReference<'_>, Exported)) {
    hand_out(std::ptr::from_ref(iterator).cast_mut(), Hold::Iterator, write);
}

#[inline(never)]
fn hand_out(object: *mut zend_object, hold: Hold, write: impl FnOnce(PhpReference<'_>, Exported)) {
    let (id, class, traits, description) = EXPORTS.with_borrow_mut(|exports| {
        // SAFETY: the caller has the object.
        let (class, traits) = exports.class_of(unsafe { (*object).ce }, hold == Hold::Iterator);
        let on_wire = &exports.classes[class as usize - 1];
        let description = (!on_wire.is_known).then(|| Rc::clone(&on_wire.description));
        (exports.id_of(object, hold), class, traits, description)
    });
    let description = description.as_deref().map_or(&[][..], |described| &described[..described.len() - 1]);
    write(PhpReference { id, class, traits, description }, Exported { id, class });
}

/// The number and the traits of a class, and its description if the session does not have it yet.
pub(crate) fn class(class: *mut zend_class_entry, write: impl FnOnce(u32, PhpTraits, &[u8])) {
    let (number, traits, description) = EXPORTS.with_borrow_mut(|exports| {
        let (number, traits) = exports.class_of(class, false);
        (number, traits, Rc::clone(&exports.classes[number as usize - 1].description))
    });
    // It is asked for once, so it is not worth while to know whether it is known.
    write(number, traits, &description[..description.len() - 1]);
}

/// The frame with these objects was sent.
pub(crate) fn were_sent(sent: impl Iterator<Item = Exported>) {
    EXPORTS.with_borrow_mut(|exports| {
        for Exported { class, .. } in sent {
            if let Some(class) = exports.classes.get_mut(class as usize - 1) {
                class.is_known = true;
            }
        }
    });
}

/// The frame with these objects will not be sent.
pub(crate) fn were_not_sent(unsent: impl Iterator<Item = Exported>) {
    EXPORTS.with_borrow_mut(|exports| exports.releases.extend(unsent.map(|exported| (exported.id, 1))));
}

/// Python has let go of an object that it was handed so many times. [`settle`] drops it.
pub(crate) fn release(id: u64, count: u64) {
    EXPORTS.with_borrow_mut(|exports| exports.releases.push((id, count)));
}

/// Drops what Python has let go of. That can run destructors, and so any PHP code.
pub(crate) fn settle() {
    while let Some(object) = EXPORTS.with_borrow_mut(Exports::next_doomed) {
        // SAFETY: the count was ours, and is given up.
        drop(unsafe { owned_object(object) });
    }
}

/// Python alone keeps a PHP half from now on: it stays for as long as Python has it.
pub(crate) fn keep(half: *mut zend_object) {
    EXPORTS.with_borrow_mut(|exports| {
        let id = exports.entry_of(half, Hold::Half);
        if let Some(export) = exports.by_id.get_mut(&id)
            && export.hold == Hold::Half
        {
            export.hold = Hold::KeptHalf;
            // SAFETY: the caller has the object; the count that is added is ours.
            unsafe { (*half).gc.refcount += 1 };
        }
    });
}

/// PHP code holds a half again that Python alone kept. The caller gets the count that was ours; if there was none, false.
#[must_use]
pub(crate) fn hand_back(half: *mut zend_object) -> bool {
    EXPORTS.with_borrow_mut(|exports| {
        let id = exports.by_object.get(&half).copied();
        let export = id.and_then(|id| exports.by_id.get_mut(&id)).filter(|export| export.hold == Hold::KeptHalf);
        export.is_some_and(|export| {
            export.hold = Hold::Half;
            true
        })
    })
}

/// Whether Python knows a PHP half.
pub(crate) fn is_exported(half: *mut zend_object) -> bool {
    EXPORTS.with_borrow(|exports| exports.by_object.contains_key(&half))
}

/// PHP frees a half, or it has no Python half any more.
pub(crate) fn forget_half(half: *mut zend_object) {
    EXPORTS.with_borrow_mut(|exports| {
        let is_half = |id: &u64| exports.by_id.get(id).is_some_and(|export| export.hold == Hold::Half);
        if let Some(id) = exports.by_object.get(&half).copied().filter(is_half) {
            exports.by_id.remove(&id);
            exports.by_object.remove(&half);
        }
    });
}

/// The next half that Python alone keeps and that a callback used, with a count of its own.
pub(crate) fn next_used() -> Option<Zval> {
    EXPORTS.with_borrow_mut(|exports| {
        while let Some(half) = exports.used.pop() {
            let id = exports.by_object.get(&half);
            if id.and_then(|id| exports.by_id.get(id)).is_some_and(|export| export.hold == Hold::KeptHalf) {
                // SAFETY: it is kept, and so live; the count that is added is the value's.
                return Some(unsafe {
                    (*half).gc.refcount += 1;
                    owned_object(half)
                });
            }
        }
        None
    })
}

/// What Python names by an id, if it has it.
pub(crate) fn find(id: u64) -> Option<Found> {
    EXPORTS.with_borrow_mut(|exports| {
        let export = exports.by_id.get(&id)?;
        if export.hold == Hold::KeptHalf && !exports.used.contains(&export.object) {
            exports.used.push(export.object);
        }
        // SAFETY: the object is held, and so live; the new count is the value's.
        let value = unsafe {
            (*export.object).gc.refcount += 1;
            owned_object(export.object)
        };
        Some(if export.hold == Hold::Iterator { Found::Iterator(value) } else { Found::Object(value) })
    })
}

/// How many PHP objects Python has.
pub(crate) fn count() -> usize {
    EXPORTS.with_borrow(|exports| exports.by_id.len())
}

/// The link is gone, and whoever was told of objects over it. They are dropped by the next [`settle`].
pub(crate) fn forget_all() {
    EXPORTS.with_borrow_mut(|exports| {
        exports.doom_all();
        exports.by_class.clear();
        exports.by_description.clear();
        exports.classes.clear();
    });
}

/// The PHP request is over. The classes may not be there in the next one.
pub(crate) fn end_request() {
    EXPORTS.with_borrow_mut(|exports| {
        exports.doom_all();
        exports.by_class.clear();
    });
    settle();
}

impl Exports {
    /// The id of an object that is handed out once more.
    fn id_of(&mut self, object: *mut zend_object, hold: Hold) -> u64 {
        let id = self.entry_of(object, hold);
        if let Some(export) = self.by_id.get_mut(&id) {
            export.handed_out += 1;
        }
        id
    }

    fn entry_of(&mut self, object: *mut zend_object, hold: Hold) -> u64 {
        if let Some(id) = self.by_object.get(&object) {
            return *id;
        }
        self.last_id += 1;
        if hold.has_count() {
            // SAFETY: the caller has the object; the count that is added is ours.
            unsafe { (*object).gc.refcount += 1 };
        }
        self.by_object.insert(object, self.last_id);
        self.by_id.insert(self.last_id, Export { object, handed_out: 0, hold });
        self.last_id
    }

    fn class_of(&mut self, class: *mut zend_class_entry, is_iterator: bool) -> (u32, PhpTraits) {
        if let Some(known) = self.by_class.get(&class) {
            return *known;
        }
        let (mut description, traits) = if is_iterator {
            // Theirs is a name alone, and nothing else of it may be looked at.
            describe::iterator()
        } else {
            // SAFETY: an object's class is live.
            unsafe { describe::class(&*class) }
        };
        description.push(traits.0);
        let description: Rc<[u8]> = description.into();
        let next = self.classes.len() as u32 + 1;
        let number = *self.by_description.entry(Rc::clone(&description)).or_insert(next);
        if number == next {
            self.classes.push(ClassOnWire { description, is_known: false });
        }
        self.by_class.insert(class, (number, traits));
        (number, traits)
    }

    fn doom_all(&mut self) {
        let held = self.by_id.drain().filter(|(_, export)| export.hold.has_count());
        self.doomed.extend(held.map(|(_, export)| export.object));
        self.by_object.clear();
        self.used.clear();
        self.releases.clear();
    }

    fn next_doomed(&mut self) -> Option<*mut zend_object> {
        while self.doomed.is_empty() {
            let (id, count) = self.releases.pop()?;
            let Some(export) = self.by_id.get_mut(&id) else { continue };
            export.handed_out = export.handed_out.saturating_sub(count);
            if export.handed_out == 0
                && let Some(export) = self.by_id.remove(&id)
            {
                self.by_object.remove(&export.object);
                if export.hold == Hold::KeptHalf {
                    proxy::lose_half(export.object);
                }
                if export.hold.has_count() {
                    self.doomed.push(export.object);
                }
            }
        }
        self.doomed.pop()
    }
}
