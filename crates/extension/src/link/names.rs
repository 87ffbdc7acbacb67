//! Method names that the session knows by an index, because an earlier call gave them one.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use tortoise_protocol::limits::MAX_METHOD_INDEXES;
use tortoise_protocol::request::MethodName;

use super::state::generation;

thread_local! {
    static INDEXES: RefCell<Indexes> = RefCell::new(Indexes::default());
}

#[derive(Default)]
struct Indexes {
    by_name: HashMap<String, u16>,
    /// The link whose session knows them.
    generation: u32,
}

/// What a method remembers of its name: the index, and the link on which it has it.
#[derive(Debug, Default)]
pub(crate) struct KnownIndex(Cell<Option<(u32, u16)>>);

impl KnownIndex {
    /// How to name the method to the session of `link`.
    #[inline(always)]
    pub(crate) fn name<'a>(&self, name: &'a str, link: u32) -> MethodName<'a> {
        match self.0.get() {
            Some((known, index)) if known == link => MethodName::Index(index),
            _ => INDEXES.with_borrow(|indexes| indexes.name(name, link)),
        }
    }

    /// A call that named the method so has reached the session of `link`.
    #[inline(always)]
    pub(crate) fn reached(&self, name: MethodName<'_>, link: u32) {
        match name {
            MethodName::Text(_) => {}
            MethodName::Index(index) => self.0.set(Some((link, index))),
            MethodName::Indexed(index, name) => {
                self.0.set(Some((link, index)));
                INDEXES.with_borrow_mut(|indexes| indexes.give(index, name, link));
            }
        }
    }
}

impl Indexes {
    fn name<'a>(&self, name: &'a str, link: u32) -> MethodName<'a> {
        if self.generation != link {
            return MethodName::Indexed(0, name);
        }
        match (self.by_name.get(name), u16::try_from(self.by_name.len())) {
            (Some(index), _) => MethodName::Index(*index),
            (None, Ok(next)) if usize::from(next) < MAX_METHOD_INDEXES => MethodName::Indexed(next, name),
            _ => MethodName::Text(name),
        }
    }

    fn give(&mut self, index: u16, name: &str, link: u32) {
        if link != generation() {
            return;
        }
        if self.generation != link {
            self.by_name.clear();
            self.generation = link;
        }
        self.by_name.insert(name.to_owned(), index);
    }
}
