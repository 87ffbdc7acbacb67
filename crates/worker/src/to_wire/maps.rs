//! Dicts, and rows: dicts in a list that have the keys of the one before.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use tortoise_protocol::Depth;

use super::unconvertible::{below, refused, step_of};
use super::{Encoder, Written};
use crate::raw::{self, Kind, Pairs, Seen};

/// What the keys of a dict are.
enum Keys {
    /// The very objects that are the keys of the dict before, in the same order.
    Same,
    /// Texts.
    Texts,
    /// Others among them.
    Mixed,
}

/// The keys of the last map in an array are those of [`Encoder::keys`] from a place on. None: it stands in no array.
pub(super) type Row = Option<usize>;

impl<'py> Encoder<'_, 'py> {
    /// Writes a dict; one whose keys PHP cannot hold apart goes by reference.
    pub(super) fn dict(&mut self, dict: &Bound<'py, PyDict>, depth: Depth, row: Row) -> Written {
        if row.is_none() {
            return self.single(dict, depth);
        }
        let keys = self.look_at_keys(dict, row);
        if matches!(keys, Keys::Mixed) && !php_holds_keys_apart(dict) {
            return self.object(dict.as_any());
        }
        let depth = self.enter(depth, dict.len())?;
        match (keys, row) {
            (Keys::Same, Some(first)) => self.row(dict, depth, first),
            (keys, row) => self.map(dict, depth, row.filter(|_| matches!(keys, Keys::Texts))),
        }
    }

    /// Writes a dict that stands in no array. Its keys are looked at beforehand only from where code of Python may run:
    /// till then all of it can be taken back.
    fn single(&mut self, dict: &Bound<'py, PyDict>, depth: Depth) -> Written {
        let start = self.buffer.len();
        let segments = self.context.as_ref().map(|context| context.segments.count());
        let (mut pairs, mut written) = (Pairs::of(dict), 0);
        let entered = self.enter(depth, dict.len());
        let begun = entered.and_then(|depth| {
            self.writer().map(dict.len());
            self.scalars(&mut pairs, &mut written).map(|()| depth)
        });
        if written == dict.len() && begun.is_ok() {
            return Ok(());
        }
        if matches!(self.look_at_keys(dict, None), Keys::Mixed) && !php_holds_keys_apart(dict) {
            self.buffer.truncate(start);
            if let (Some(context), Some(count)) = (&mut self.context, segments) {
                context.segments.truncate(count);
            }
            return self.object(dict.as_any());
        }
        begun.and_then(|depth| self.pairs(dict.len(), pairs, written, depth, false))
    }

    /// Writes pairs of texts and of values that hold no others, up to the first of another kind, and counts them.
    fn scalars(&mut self, pairs: &mut Pairs<'_, 'py>, written: &mut usize) -> Written {
        loop {
            let (here, place) = (pairs.clone(), self.buffer.len());
            // SAFETY: nothing in the loop runs code of Python, so the dict stays as it is.
            let Some((key, value)) = (unsafe { pairs.next() }) else { return Ok(()) };
            let is_written = raw::kind(key) == Kind::Text
                && self
                    .text_key(key)
                    .and_then(|()| self.scalar(value))
                    .map_err(|error| below(error, || step_of(key)))?;
            if !is_written {
                self.buffer.truncate(place);
                *pairs = here;
                return Ok(());
            }
            *written += 1;
        }
    }

    /// Looks at the keys, and forgets those of the dict before if this one's are others.
    fn look_at_keys(&mut self, dict: &Bound<'py, PyDict>, row: Row) -> Keys {
        let mut pairs = Pairs::of(dict);
        let mut before = row.map_or(&[][..], |first| &self.keys[first..]).iter();
        let mut is_same = row.is_some() && before.len() == dict.len() && dict.len() != 0;
        let mut keys = Keys::Texts;
        // SAFETY: nothing in the loop runs code of Python, so the dict stays as it is.
        while let Some((key, _)) = unsafe { pairs.next() } {
            is_same = is_same && before.next().is_some_and(|before| before.as_ptr() == key.as_ptr());
            // Keys are remembered only if all of them are texts.
            if !is_same && raw::kind(key) != Kind::Text {
                keys = Keys::Mixed;
                break;
            }
        }
        if is_same {
            return Keys::Same;
        }
        if let Some(first) = row {
            self.keys.truncate(first);
        }
        keys
    }

    /// Writes a dict as a map without keys.
    fn row(&mut self, dict: &Bound<'py, PyDict>, depth: Depth, first: usize) -> Written {
        let count = self.keys.len() - first;
        // Only so many keys are remembered as the count can say.
        self.writer().same_keys(count as u8);
        let mut pairs = Pairs::of(dict);
        for place in first..first + count {
            // SAFETY: what is used behind code of Python is the value, which `element` holds then.
            match unsafe { pairs.next() } {
                Some((key, value)) if key.as_ptr() == self.keys[place].as_ptr() => {
                    let written = self.element(value, depth, None);
                    written.map_err(|error| below(error, || step_of(self.keys[place].as_borrowed())))?;
                }
                _ => return Err(changed()),
            }
        }
        Ok(())
    }

    /// Writes a dict as a map, and remembers its keys if it stands in an array.
    fn map(&mut self, dict: &Bound<'py, PyDict>, depth: Depth, row: Row) -> Written {
        let count = dict.len();
        self.writer().map(count);
        let remembers = row.is_some() && count <= usize::from(u8::MAX) && self.context.is_some();
        self.pairs(count, Pairs::of(dict), 0, depth, remembers)
    }

    /// Writes what is left of a dict of `count` pairs, of which some are `written`.
    fn pairs(
        &mut self,
        count: usize,
        mut pairs: Pairs<'_, 'py>,
        mut written: usize,
        depth: Depth,
        remembers: bool,
    ) -> Written {
        // SAFETY: a key is held where code of Python may run before its last use, and `element` holds the value.
        while let Some((key, value)) = unsafe { pairs.next() } {
            written += 1;
            if written > count {
                break;
            }
            self.key(key).map_err(|error| below(error, || step_of(key)))?;
            if remembers {
                self.keys.push(key.to_owned());
            }
            if !self.scalar(value).map_err(|error| below(error, || step_of(key)))? {
                let (key, value) = (key.to_owned(), value.to_owned());
                self.compound(&value, depth, None).map_err(|error| below(error, || step_of(key.as_borrowed())))?;
            }
        }
        if written == count { Ok(()) } else { Err(changed()) }
    }

    /// Writes a key, which is a text or an integer.
    fn key(&mut self, key: Seen<'_, 'py>) -> Written {
        match raw::kind(key) {
            Kind::Text => self.text_key(key)?,
            _ => self.writer().integer(raw::integer(key).ok_or_else(changed)?),
        }
        Ok(())
    }

    fn text_key(&mut self, key: Seen<'_, 'py>) -> Written {
        let text = raw::utf8(key).ok_or_else(|| refused("a str with a lone surrogate, which is no UTF-8"))?;
        self.room_for(text.len())?;
        self.writer().text_bytes(text);
        Ok(())
    }
}

fn changed() -> Box<super::Unconvertible> {
    refused("a dict that changed while it was read")
}

/// Whether a dict is a PHP array without two keys falling into one: PHP makes the key `"1"` the same as `1`.
pub(super) fn php_holds_keys_apart(dict: &Bound<'_, PyDict>) -> bool {
    let (mut integers, mut numeric_texts) = (0_usize, Vec::new());
    let mut pairs = Pairs::of(dict);
    // SAFETY: nothing in the loop runs code of Python, so the dict stays as it is.
    while let Some((key, _)) = unsafe { pairs.next() } {
        match raw::kind(key) {
            Kind::Text => numeric_texts.extend(raw::utf8(key).and_then(php_integer_key)),
            Kind::Integer if raw::integer(key).is_some() => integers += 1,
            _ => return false,
        }
    }
    integers == 0 || !numeric_texts.into_iter().any(|integer| dict.contains(integer).unwrap_or(true))
}

/// The integer that PHP makes of a text key, if it does: decimal, in 64 bits, and spelled as PHP itself would.
fn php_integer_key(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let canonical = match digits {
        [b'0'] => digits.len() == text.len(),
        [b'1'..=b'9', rest @ ..] => rest.len() < 19 && rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if canonical { std::str::from_utf8(text).ok()?.parse().ok() } else { None }
}
