//! What PHP lets go of where it is not its turn to speak, and whether it is.

use std::cell::RefCell;

use ext_php_rs::types::Zval;

use super::state::{Link, generation, with};
use crate::objects;

thread_local! {
    static LATER: RefCell<Vec<Zval>> = const { RefCell::new(Vec::new()) };
}

/// Whether a request can be sent and answered at once, wherever PHP is: there is a session, no other request is being
/// written, and no answer is due.
pub(crate) fn can_ask() -> bool {
    !objects::are_closed() && generation() != 0 && with(|link| link.is_some_and(|link| is_free(link)))
}

fn is_free(link: &Link) -> bool {
    link.request.is_here() && link.flight.is_idle() && !link.flight.has_any_aside()
}

/// Drops a value before the next request.
pub(crate) fn drop_later(value: Zval) {
    LATER.with_borrow_mut(|later| later.push(value));
    with(|link| {
        if let Some(link) = link {
            (link.owes_drops, link.needs_care) = (true, true);
        }
    });
}

/// Drops what waits for that, if it is PHP's turn.
#[cold]
pub(super) fn drop_due() {
    let is_due = with(|link| {
        link.is_some_and(|link| {
            let is_due = link.owes_drops && is_free(link);
            link.owes_drops &= !is_due;
            is_due
        })
    });
    if is_due {
        drop_at_end();
    }
}

/// Drops all that waits.
pub(crate) fn drop_at_end() {
    drop(LATER.take());
}
