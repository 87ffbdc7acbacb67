//! Why the last link was lost: all that were waiting for an answer over it are told the same.

use std::cell::RefCell;

use super::state::generation;
use crate::error::BridgeError;

thread_local! {
    /// Why the last link of this PHP request was lost, and its generation.
    static LOSS: RefCell<Option<(u32, Loss)>> = const { RefCell::new(None) };
}

#[derive(Debug)]
enum Loss {
    Connection(String),
    Timeout(String),
}

/// Remembers why the link is lost, for those who wait for an answer.
pub(super) fn remember(error: &BridgeError) {
    let loss = match error {
        BridgeError::Connection(why) => Loss::Connection(why.clone()),
        BridgeError::Timeout(why) => Loss::Timeout(why.clone()),
        _ => return,
    };
    // The first one is the cause of all others.
    let lost = generation();
    LOSS.with_borrow_mut(|last| {
        if lost != 0 && last.as_ref().is_none_or(|(generation, _)| *generation != lost) {
            *last = Some((lost, loss));
        }
    });
}

/// Why the link of that generation was lost, if it was the last one.
pub(super) fn of(generation: u32) -> Option<BridgeError> {
    LOSS.with_borrow(|loss| match loss {
        Some((lost, Loss::Connection(why))) if *lost == generation => Some(BridgeError::Connection(why.clone())),
        Some((lost, Loss::Timeout(why))) if *lost == generation => Some(BridgeError::Timeout(why.clone())),
        _ => None,
    })
}

/// The PHP request is over.
pub(super) fn forget() {
    LOSS.with_borrow_mut(|loss| *loss = None);
}
