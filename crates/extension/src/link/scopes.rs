//! Which `Tortoise\timeout()` PHP is in, and when its time is over.
//!
//! A scope is known by the frame of the call that opened it: PHP is in it as long as that frame is among those in progress. So a
//! Fiber that is resumed in it is in it, and one that suspends itself takes its scopes with it. The link is told of a scope
//! before the next frame goes, or the next answer is waited for ([`follow`]); outside of all scopes nothing is looked at.

use std::cell::RefCell;
use std::ffi::c_void;
use std::time::{Duration, Instant};

use super::state::with;
use crate::engine::{Frame, frames_in_progress};
use crate::error::BridgeError;

/// What no bound is. Clocks overflow long behind it.
const FOREVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

thread_local! {
    static SCOPES: RefCell<Vec<Scope>> = const { RefCell::new(Vec::new()) };
}

/// The time that some calls have together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope {
    /// The frame of the function that opened it, and that function.
    place: (*const c_void, *const c_void),
    pub(super) end: Instant,
    /// What was asked for, by this scope or by the one around it that ends before it.
    pub(super) seconds: f64,
}

/// Opens a scope of so many seconds for as long as the function of that frame runs; 0: without a bound of its own.
pub(crate) fn open_scope(frame: Frame<'_>, seconds: f64) {
    let now = Instant::now();
    let length = Duration::try_from_secs_f64(seconds).unwrap_or(FOREVER).min(FOREVER);
    let end = now + if length.is_zero() { FOREVER } else { length };
    let outer = current().filter(|outer| outer.end <= end);
    let (end, seconds) = outer.map_or((end, seconds), |outer| (outer.end, outer.seconds));
    SCOPES.with_borrow_mut(|scopes| scopes.push(Scope { place: frame.place(), end, seconds }));
    look_before_next();
}

/// Closes the scope that the function of that frame opened.
pub(crate) fn close_scope(frame: Frame<'_>) {
    SCOPES.with_borrow_mut(|scopes| scopes.retain(|scope| scope.place != frame.place()));
    look_before_next();
}

fn look_before_next() {
    with(|link| {
        if let Some(link) = link {
            link.needs_care = true;
        }
    });
}

/// Whether there is any scope, in whatever Fiber.
pub(super) fn are_open() -> bool {
    SCOPES.with_borrow(|scopes| !scopes.is_empty())
}

/// The scope that PHP is in.
pub(super) fn current() -> Option<Scope> {
    SCOPES.with_borrow(|scopes| {
        if scopes.is_empty() {
            return None;
        }
        // What is around the innermost one ends no sooner.
        frames_in_progress().find_map(|frame| scopes.iter().rev().find(|scope| scope.place == frame)).copied()
    })
}

/// Lets the link obey the scope that PHP is in.
///
/// # Errors
/// The system's.
pub(super) fn follow() -> Result<(), BridgeError> {
    if with(|link| link.is_none_or(|link| !link.needs_care)) {
        return Ok(());
    }
    let end = current().map(|scope| scope.end);
    with(|link| match link {
        Some(link) if link.deadline != end => {
            link.channel.set_deadline(end)?;
            link.deadline = end;
            Ok(())
        }
        _ => Ok(()),
    })
}

/// As [`follow`], before a request is sent: it must not begin when the time is over.
///
/// # Errors
/// [`BridgeError::Timeout`] if it is.
pub(super) fn follow_before_sending() -> Result<(), BridgeError> {
    if let Some(scope) = current().filter(|scope| scope.end <= Instant::now()) {
        return Err(BridgeError::Timeout(format!(
            "the {} s that Tortoise\\timeout() gave are over; this call was not made, and the session and its objects are \
             as they were",
            scope.seconds
        )));
    }
    follow()
}

/// The PHP request is over, or a fatal error has ended all functions.
pub(super) fn end_request() {
    SCOPES.with_borrow_mut(Vec::clear);
    // An error shows itself at the next use.
    let _ = follow();
}
