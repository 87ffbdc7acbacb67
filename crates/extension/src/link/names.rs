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
    /// The index that is given out next. None is given to a second name: a call and what is called back from it may both be
    /// under way with a new name.
    next: u16,
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
            _ => INDEXES.with_borrow_mut(|indexes| indexes.name(name, link)),
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

impl KnownIndex {
    /// A call that named a method so did not reach the session.
    pub(crate) fn was_not_sent(name: MethodName<'_>, link: u32) {
        if let MethodName::Indexed(index, _) = name {
            INDEXES.with_borrow_mut(|indexes| indexes.take_back(index, link));
        }
    }
}

impl Indexes {
    fn name<'a>(&mut self, name: &'a str, link: u32) -> MethodName<'a> {
        if link != generation() {
            return MethodName::Text(name);
        }
        if self.generation != link {
            self.by_name.clear();
            (self.next, self.generation) = (0, link);
        }
        match self.by_name.get(name) {
            Some(index) => MethodName::Index(*index),
            None if usize::from(self.next) < MAX_METHOD_INDEXES => {
                self.next += 1;
                MethodName::Indexed(self.next - 1, name)
            }
            None => MethodName::Text(name),
        }
    }

    fn give(&mut self, index: u16, name: &str, link: u32) {
        if link == self.generation {
            self.by_name.insert(name.to_owned(), index);
        }
    }

    fn take_back(&mut self, index: u16, link: u32) {
        if link == self.generation && index + 1 == self.next {
            self.next = index;
        }
    }
}
