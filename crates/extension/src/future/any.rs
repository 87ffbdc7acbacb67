//! `Future::any()`: the value of the first of many futures that has one.

use ext_php_rs::ffi::zend_object;
use ext_php_rs::types::Zval;
use ext_php_rs::zend::ExecuteData;

use super::all::{futures_in, not_iterable};
use super::{Stage, future_in, of, value_of};
use crate::engine::{Frame, View, elements, guard, rethrow, take_exception, view};
use crate::error::BridgeError;
use crate::link::{self, Ticket};
use crate::throw::throw_from;

/// `any(iterable $futures): mixed`
pub(super) extern "C" fn any(data: &mut ExecuteData, result: &mut Zval) {
    guard((), || {
        // SAFETY: the engine passes the frame of this very call, of a native function.
        let (frame, arguments) = unsafe {
            let frame = Frame::new(data);
            (frame, frame.native_arguments().surplus)
        };
        match first_value(frame, arguments) {
            Ok(value) => *result = value,
            Err(error) => throw_from(frame, error),
        }
    });
}

fn first_value(frame: Frame<'_>, arguments: &[Zval]) -> Result<Zval, BridgeError> {
    let futures = futures_in("any", arguments)?;
    let View::Array(array) = view(&futures) else { return Err(not_iterable("any")) };
    // SAFETY: an array with two holders is not changed, and holds the futures.
    let mut open: Vec<*mut zend_object> =
        unsafe { elements(array) }.filter_map(|(_, value)| future_in(value)).collect();
    let count = open.len();
    let mut first = None;
    while !open.is_empty() {
        let mut tickets = Vec::with_capacity(open.len());
        let mut place = 0;
        while place < open.len() {
            if let Some(ticket) = ticket_to_wait_for(open[place]) {
                tickets.push(ticket);
                place += 1;
                continue;
            }
            if let Some(value) = value_of(frame, open[place]) {
                return Ok(value);
            }
            // Without an exception PHP is leaving its request.
            let exception = take_exception().ok_or(BridgeError::Leaving)?;
            first.get_or_insert(exception);
            open.remove(place);
        }
        if !tickets.is_empty() {
            link::wait_for_any(&tickets)?;
        }
    }
    let error = BridgeError::Aggregate(match count {
        0 => "Tortoise\\Future::any() was given no future".to_owned(),
        _ => format!("none of {count} futures has a value; the first of their errors is the previous exception"),
    });
    let Some(first) = first else { return Err(error) };
    throw_from(frame, error);
    if let Some(aggregate) = take_exception() {
        rethrow(first);
        rethrow(aggregate);
    }
    Err(BridgeError::Pending)
}

/// The ticket of a future whose answer is still to come.
fn ticket_to_wait_for(future: *mut zend_object) -> Option<Ticket> {
    // SAFETY: the caller's array holds the future.
    match unsafe { of(future) }.stage.get() {
        Stage::Sent(ticket) if link::is_to_come(ticket) && link::check_in_reach(ticket).is_ok() => Some(ticket),
        _ => None,
    }
}
