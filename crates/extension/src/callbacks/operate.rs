//! PHP's protocols: `Countable`, `ArrayAccess`, `Stringable`, `Traversable`, and `==`.

use ext_php_rs::types::Zval;
use tortoise_protocol::callback::PhpOperation;

use super::{Outcome, target, visible};
use crate::engine::{Foreach, Method, NewTable, View, Visible, call_function, exception_is_pending, make, view};
use crate::error::BridgeError;
use crate::exports::{self, Found};
use crate::values::Decoder;

/// Operands beside the object, at most.
const MAX_OPERANDS: usize = 2;

/// What is asked of an object.
pub(super) struct Asked {
    operation: PhpOperation,
    id: u64,
    operands: [Zval; MAX_OPERANDS],
}

impl Asked {
    pub(super) fn read(decoder: &mut Decoder<'_>) -> Result<Self, BridgeError> {
        let (operation, id) = PhpOperation::read(&mut decoder.reader)?;
        let mut operands = [Zval::null(), Zval::null()];
        for operand in operands.iter_mut().take(operation.operands()) {
            *operand = decoder.next_value()?;
        }
        decoder.reader.end()?;
        Ok(Self { operation, id, operands })
    }

    pub(super) fn run(self) -> Result<Outcome, BridgeError> {
        if self.operation == PhpOperation::Next {
            return next(self.id);
        }
        let held = target(self.id)?;
        let object = visible(&held)?;
        let [mut first, mut second] = self.operands;
        let done = match self.operation {
            PhpOperation::Length => count(object)?,
            PhpOperation::GetItem => object.item(&mut first),
            PhpOperation::SetItem => {
                object.set_item(Some(&mut first), &mut second);
                Some(Zval::null())
            }
            PhpOperation::Append => {
                object.set_item(None, &mut first);
                Some(Zval::null())
            }
            PhpOperation::HasItem => Some(boolean(object.has_item(&mut first))),
            PhpOperation::DeleteItem => {
                object.delete_item(&mut first);
                Some(Zval::null())
            }
            PhpOperation::Text => object.text(),
            PhpOperation::Equal => Some(boolean(object.equals(&mut first))),
            PhpOperation::Iterate | PhpOperation::Next => {
                let View::Object(object) = view(&held) else { return Err(BridgeError::Pending) };
                let iterator = Foreach::begin(object);
                return pending_or(iterator.ok_or_else(|| unsupported(self.operation, visible(&held))))
                    .map(Outcome::Iterator);
            }
        };
        pending_or(done.ok_or_else(|| unsupported(self.operation, Ok(object)))).map(Outcome::Value)
    }
}

/// What PHP threw is said first.
fn pending_or<T>(result: Result<T, BridgeError>) -> Result<T, BridgeError> {
    if exception_is_pending() { Err(BridgeError::Pending) } else { result }
}

fn unsupported(operation: PhpOperation, object: Result<Visible<'_>, BridgeError>) -> BridgeError {
    let class = object.map(|object| object.class_name().into_owned()).unwrap_or_default();
    let what = match operation {
        PhpOperation::Length => "has no count()",
        PhpOperation::Text => "has no __toString()",
        PhpOperation::Iterate | PhpOperation::Next => "cannot be iterated over",
        _ => "has no items",
    };
    BridgeError::Type(format!("an object of the PHP class {class} {what}"))
}

fn boolean(truth: bool) -> Zval {
    let mut value = Zval::new();
    value.set_bool(truth);
    value
}

/// `count($object)`
fn count(object: Visible<'_>) -> Result<Option<Zval>, BridgeError> {
    match object.method("count") {
        // SAFETY: the function is of the object's class, and the object is held.
        Method::Function(function) => unsafe {
            call_function(function, &Zval::null(), &Zval::null()).map(Some).ok_or(BridgeError::Pending)
        },
        _ => Ok(None),
    }
}

/// The next key and value of an iterator as an array of two; null at its end.
fn next(id: u64) -> Result<Outcome, BridgeError> {
    let Some(Found::Iterator(held)) = exports::find(id) else {
        return Err(BridgeError::Stale("this iterator over a PHP object is gone: its PHP request is over".to_owned()));
    };
    // SAFETY: only iterators are handed out as such, and this one is held.
    let step = unsafe { Foreach::of(&held) }.and_then(|iterator| iterator.next());
    pending_or(Ok(()))?;
    let Some((key, value)) = step else { return Ok(Outcome::Value(Zval::null())) };
    let mut pair = NewTable::list(2)?;
    pair.push(|slot| Ok::<_, BridgeError>(slot.value(key)))?;
    pair.push(|slot| Ok::<_, BridgeError>(slot.value(value)))?;
    make(|slot| Ok::<_, BridgeError>(slot.table(pair))).map(Outcome::Value)
}
