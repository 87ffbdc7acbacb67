//! The table's part in objects of two halves: which half in PHP belongs to an object, and who keeps it.
//!
//! As long as PHP has its half, the entry holds the object. When PHP has let go of it and Python has not, the entry is weak,
//! and PHP keeps its half for the object: its release says that the object is gone.

use pyo3::prelude::*;
use pyo3::types::PyWeakrefReference;
use tortoise_protocol::ObjectReference;

use super::Table;
use super::held::Held;

/// The half in PHP.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PhpHalf {
    /// Its id among PHP's objects.
    pub(crate) id: u64,
    /// How often PHP named it.
    pub(crate) received: u64,
}

impl Table {
    /// The id of an object's half in PHP, if it is known to have one.
    pub(crate) fn php_of(&self, object: &Bound<'_, PyAny>) -> Option<u64> {
        self.entries.get(&self.id_of(object)?)?.php.map(|half| half.id)
    }

    /// PHP has named its half of the object of an id. False: the object has another one.
    pub(crate) fn tie(&mut self, id: u64, php: u64) -> bool {
        let Some(entry) = self.entries.get_mut(&id) else { return false };
        let half = entry.php.get_or_insert(PhpHalf { id: php, received: 0 });
        half.received += 1;
        half.id == php
    }

    /// Names an object for which PHP is to make a half. It does not count as given.
    pub(crate) fn name_uncounted(&mut self, object: &Bound<'_, PyAny>) -> ObjectReference {
        let id = self.id_of(object).unwrap_or_else(|| self.insert_next(object));
        self.reference(id, object)
    }

    /// The entry holds its object no more; it is dropped with the doomed.
    pub(crate) fn weaken(&mut self, id: u64, reference: Bound<'_, PyWeakrefReference>) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.handed_out = 0;
            let weak = Held::Weak { address: entry.object.address(), reference: reference.unbind() };
            self.doomed.push(std::mem::replace(&mut entry.object, weak).into_any());
        }
    }

    /// The entry is no more; its object is dropped with the doomed. What comes back is the half that PHP keeps.
    pub(crate) fn forget_half(&mut self, id: u64) -> Option<PhpHalf> {
        self.remove(id)
    }
}
