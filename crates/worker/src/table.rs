//! The objects that a session handed to its client, by id and by identity.

mod halves;
mod held;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;
use rustc_hash::FxHashMap;
use tortoise_protocol::ObjectReference;
use tortoise_protocol::codec::TRAIT_CALLABLE;

pub(crate) use halves::PhpHalf;
use held::Held;

/// Room that the table keeps when a request ends; a request of a million objects gives the rest back.
const KEPT_CAPACITY: usize = 4096;

/// The objects of one session.
///
/// Nothing here runs Python code: what is to be dropped waits in [`Table::doomed`], because a `__del__` may
/// do anything, and is dropped by whoever holds no borrow of the table.
pub(crate) struct Table {
    entries: FxHashMap<u64, Entry>,
    /// From the address of an object to its id. The entry keeps the object alive, so the address is its alone.
    ids: FxHashMap<usize, u64>,
    /// From the address of a type to what PHP is told as the class of its instances: 0 for functions and the like.
    classes: FxHashMap<usize, u64>,
    /// The next id of ours. They are even; odd ones are the client's.
    next: u64,
    doomed: Vec<Py<PyAny>>,
}

struct Entry {
    object: Held,
    /// The object's half in PHP, if it is known to have one.
    php: Option<PhpHalf>,
    /// How often the client was given it and has not let go.
    handed_out: u64,
    /// A class object, which lives as long as the session: descriptions and objects name it.
    pinned: bool,
    /// A module, of which it has not been found out whether PHP may use it.
    gated: bool,
}

impl Table {
    /// An empty table. Instances of `classless` types are shown to PHP without a class.
    pub(crate) fn new(classless: &[Py<PyType>]) -> Self {
        Self {
            entries: FxHashMap::default(),
            ids: FxHashMap::default(),
            classes: classless.iter().map(|class| (class.as_ptr() as usize, 0)).collect(),
            next: 2,
            doomed: Vec::new(),
        }
    }

    /// The object of an id.
    pub(crate) fn get<'py>(&self, py: Python<'py>, id: u64) -> Option<Bound<'py, PyAny>> {
        self.entries.get(&id)?.object.get(py)
    }

    /// The object of an id that is about to be used, and whether it is a module that must be asked for first.
    pub(crate) fn target<'py>(&self, py: Python<'py>, id: u64) -> Option<(Bound<'py, PyAny>, bool)> {
        let entry = self.entries.get(&id)?;
        Some((entry.object.get(py)?, entry.gated))
    }

    /// PHP may use the module, for as long as it holds it.
    pub(crate) fn open(&mut self, id: u64) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.gated = false;
        }
    }

    /// Names an object to the client, once more if it has it already. Its id is added to those that are `given` with a frame.
    pub(crate) fn hand_out(&mut self, object: &Bound<'_, PyAny>, given: &mut Vec<u64>) -> ObjectReference {
        let id = self.id_of(object).unwrap_or_else(|| self.insert_next(object));
        self.name(id, object, given)
    }

    /// Names a new object to the client, under the id that the client chose, unless it has the object already.
    pub(crate) fn hand_out_as(&mut self, id: u64, object: &Bound<'_, PyAny>, given: &mut Vec<u64>) -> ObjectReference {
        if self.id_of(object).is_none() {
            self.insert(id, object);
        }
        self.hand_out(object, given)
    }

    /// Whether an object has this id now.
    pub(crate) fn holds(&self, id: u64) -> bool {
        self.entries.contains_key(&id)
    }

    /// Whether an object of the type at this address was handed out before.
    pub(crate) fn has_seen(&self, kind: usize) -> bool {
        self.classes.contains_key(&kind)
    }

    /// Whether the table keeps the object alive.
    pub(crate) fn keeps(&self, object: &Bound<'_, PyAny>) -> bool {
        let entry = self.ids.get(&address(object)).and_then(|id| self.entries.get(id));
        entry.is_some_and(|entry| matches!(entry.object, Held::Strong(_)))
    }

    /// The id of a class, which stays for the life of the session.
    pub(crate) fn pin(&mut self, class: &Bound<'_, PyAny>) -> u64 {
        let id = self.id_of(class).unwrap_or_else(|| self.insert_next(class));
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.pinned = true;
        }
        id
    }

    /// The client let go of an object `count` times. What was never handed out so often counts as all of it.
    pub(crate) fn release(&mut self, id: u64, count: u64) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        entry.handed_out = entry.handed_out.saturating_sub(count);
        if entry.handed_out == 0 && !entry.pinned {
            self.remove(id);
        }
    }

    /// A frame does not go out: the client never saw what it named.
    pub(crate) fn take_back(&mut self, given: &mut Vec<u64>) {
        for id in given.drain(..) {
            match self.entries.get_mut(&id) {
                // PHP may keep its half for it.
                Some(entry) if entry.php.is_some() => entry.handed_out = entry.handed_out.saturating_sub(1),
                _ => self.release(id, 1),
            }
        }
    }

    /// The request is over: everything but classes goes.
    pub(crate) fn end_request(&mut self) {
        let Self { entries, ids, doomed, .. } = self;
        let (kept, gone): (Vec<_>, Vec<_>) = entries.drain().partition(|(_, entry)| entry.pinned);
        doomed.extend(gone.into_iter().map(|(_, entry)| entry.object.into_any()));
        entries.extend(kept.into_iter().map(|(id, entry)| (id, Entry { handed_out: 0, ..entry })));
        ids.retain(|_, id| entries.contains_key(id));
        entries.shrink_to(KEPT_CAPACITY);
        ids.shrink_to(KEPT_CAPACITY);
    }

    /// The session is over: everything goes.
    pub(crate) fn forget(&mut self) {
        self.ids.clear();
        self.doomed.extend(self.entries.drain().map(|(_, entry)| entry.object.into_any()));
    }

    /// Whether something has been let go of.
    #[inline]
    pub(crate) fn has_doomed(&self) -> bool {
        !self.doomed.is_empty()
    }

    /// What has been let go of. Dropping it can run `__del__`: only without a borrow of the table.
    pub(crate) fn doomed(&mut self) -> Vec<Py<PyAny>> {
        std::mem::take(&mut self.doomed)
    }

    fn insert(&mut self, id: u64, object: &Bound<'_, PyAny>) {
        self.ids.insert(address(object), id);
        let (gated, object) = (is_module(object), Held::Strong(object.clone().unbind()));
        self.entries.insert(id, Entry { object, php: None, handed_out: 0, pinned: false, gated });
    }

    fn insert_next(&mut self, object: &Bound<'_, PyAny>) -> u64 {
        let id = self.next;
        self.next += 2;
        self.insert(id, object);
        id
    }

    /// The id of an object. Behind a weak reference there may be another one at the address by now.
    #[inline]
    fn id_of(&self, object: &Bound<'_, PyAny>) -> Option<u64> {
        let id = *self.ids.get(&address(object))?;
        self.entries.get(&id).is_some_and(|entry| entry.object.is(object)).then_some(id)
    }

    fn remove(&mut self, id: u64) -> Option<PhpHalf> {
        let entry = self.entries.remove(&id)?;
        self.forget_address(id, &entry.object);
        self.doomed.push(entry.object.into_any());
        entry.php
    }

    /// The address is another object's, where there is one with the address now.
    fn forget_address(&mut self, id: u64, object: &Held) {
        if self.ids.get(&object.address()) == Some(&id) {
            self.ids.remove(&object.address());
        }
    }

    fn name(&mut self, id: u64, object: &Bound<'_, PyAny>, given: &mut Vec<u64>) -> ObjectReference {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.handed_out += 1;
            entry.object.hold(object);
            given.push(id);
        }
        self.reference(id, object)
    }

    fn reference(&mut self, id: u64, object: &Bound<'_, PyAny>) -> ObjectReference {
        let traits = if object.is_callable() { TRAIT_CALLABLE } else { 0 };
        ObjectReference { id, class: self.class_of(object), traits }
    }

    fn class_of(&mut self, object: &Bound<'_, PyAny>) -> u64 {
        if object.is_instance_of::<PyType>() {
            return 0;
        }
        let class = object.get_type();
        let address = address(&class);
        if let Some(id) = self.classes.get(&address) {
            return *id;
        }
        let id = if is_module(object) { 0 } else { self.pin(&class) };
        if id != 0 {
            self.classes.insert(address, id);
        }
        id
    }
}

/// Whether an object is a module, and not only poses as one.
fn is_module(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: `object` is a live object, and a check of its type's flags and bases touches nothing else.
    unsafe { ffi::PyModule_Check(object.as_ptr()) != 0 }
}

fn address<T>(object: &Bound<'_, T>) -> usize {
    object.as_ptr() as usize
}
