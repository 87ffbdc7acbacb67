//! The methods of PHP's interfaces: with the interface's arguments Python's protocol, with others Python's own method.

use ext_php_rs::ffi::{zend_class_entry, zend_object};
use ext_php_rs::types::{ZendStr, Zval};
use ext_php_rs::zend::ExecuteData;
use tortoise_protocol::operation::Operation;

use crate::arguments::PassedArguments;
use crate::calls::{call_from, call_generated, deliver, generated, target_of_object};
use crate::engine::{Frame, guard, php_json_decode_ex, user_method};
use crate::error::BridgeError;
use crate::operate::{ask, text_of, truth_of, value_of};
use crate::synthesis::Protocol;
use crate::{classes, observers};

/// The engine's `PHP_JSON_BIGINT_AS_STRING` and `PHP_JSON_THROW_ON_ERROR`.
const DECODE: i64 = 1 << 1 | 1 << 22;

/// Nesting that PHP's `json_encode` takes by default.
const JSON_DEPTH: i64 = 512;

/// `Tortoise\Bridge\protocol()`, the body of every generated method of an interface.
pub(crate) extern "C" fn bridge_protocol(data: &mut ExecuteData, result: &mut Zval) {
    if observers::are_watching() && is_own_method(data) {
        return observers::tell(data, result, run);
    }
    run(data, result);
}

/// Whether it is a call of Python's own method of that name.
fn is_own_method(data: &ExecuteData) -> bool {
    guard(false, || {
        // SAFETY: the engine passes the frame of this very call.
        let called = generated(unsafe { Frame::new(data) });
        called.is_ok_and(|(_, of, arguments)| {
            let protocol = of.method().protocol;
            protocol.is_some_and(|protocol| arguments.arguments.exactly(arguments_of(protocol)).is_none())
        })
    })
}

extern "C" fn run(data: &mut ExecuteData, result: &mut Zval) {
    guard((), || {
        // SAFETY: the engine passes the frame of this very call.
        let frame = unsafe { Frame::new(data) };
        let outcome = generated(frame).and_then(|(caller, of, arguments)| {
            let method = of.method();
            let Some((protocol, object)) = method.protocol.zip(caller.this()) else {
                return Err(BridgeError::not_generated());
            };
            match arguments.arguments.exactly(arguments_of(protocol)) {
                Some(given) => match overridden(caller, object, protocol) {
                    Some(from) => follow_from(from, protocol, object, &arguments),
                    None => follow(protocol, caller, object, given),
                },
                None => {
                    arguments.check(caller, method)?;
                    call_generated(target_of_object(object)?, of, &arguments)
                }
            }
        });
        deliver(frame.caller().map_or(frame, |(caller, _)| caller), outcome, result);
    });
}

/// How many arguments the interface's method takes. With another number Python's own method of that name is meant.
const fn arguments_of(protocol: Protocol) -> usize {
    match protocol {
        Protocol::Length | Protocol::Iterator | Protocol::Text | Protocol::Json => 0,
        Protocol::HasItem | Protocol::GetItem | Protocol::DeleteItem => 1,
        Protocol::SetItem => 2,
    }
}

fn follow(
    protocol: Protocol,
    caller: Frame<'_>,
    object: &mut zend_object,
    [first, second]: [Option<&Zval>; 2],
) -> Result<Zval, BridgeError> {
    let null = Zval::null();
    let (key, value) = (first.unwrap_or(&null), second.unwrap_or(&null));
    match protocol {
        Protocol::Length => value_of(object, Operation::Length, &[]),
        Protocol::Text => text_of(object, Operation::Text),
        Protocol::GetItem => value_of(object, Operation::GetItem, &[key]),
        Protocol::HasItem => truth_of(object, Operation::HasItem, &[key]).map(|has| {
            let mut answer = Zval::new();
            answer.set_bool(has);
            answer
        }),
        Protocol::SetItem => {
            // `$o[] = $value` arrives here with null where PHP code calls on to its parent.
            let operation = if key.is_null() { Operation::Append } else { Operation::SetItem };
            let operands = [key, value];
            ask(object, operation, if key.is_null() { &operands[1..] } else { &operands }).map(|_| null)
        }
        Protocol::DeleteItem => ask(object, Operation::DeleteItem, &[key]).map(|_| null),
        Protocol::Json => decoded(&text_of(object, Operation::Json)?),
        Protocol::Iterator => caller.iterator_over(object).ok_or_else(|| {
            BridgeError::Internal("a class whose getIterator() is generated has no iterator".to_owned())
        }),
    }
}

/// Where PHP code below has the protocol's method too, and calls this one by `parent::`: the class from which Python must
/// look for its own.
fn overridden(caller: Frame<'_>, object: &zend_object, protocol: Protocol) -> Option<*mut zend_class_entry> {
    dunder(protocol)?;
    let from = classes::generated_above(object.ce, caller.scope())?;
    let name = caller.function_name();
    // SAFETY: a live object's class is live.
    let code = std::str::from_utf8(name).ok().and_then(|name| unsafe { user_method(object.ce, name) });
    code.is_some_and(|code| !std::ptr::eq(code.scope, caller.scope())).then_some(from)
}

/// Python's method of a protocol; None of what is none of one method.
const fn dunder(protocol: Protocol) -> Option<&'static str> {
    Some(match protocol {
        Protocol::Length => "__len__",
        Protocol::HasItem => "__contains__",
        Protocol::GetItem => "__getitem__",
        Protocol::SetItem => "__setitem__",
        Protocol::DeleteItem => "__delitem__",
        Protocol::Iterator => "__iter__",
        Protocol::Text => "__str__",
        Protocol::Json => return None,
    })
}

fn follow_from(
    from: *mut zend_class_entry,
    protocol: Protocol,
    object: &zend_object,
    arguments: &PassedArguments<'_>,
) -> Result<Zval, BridgeError> {
    let name = dunder(protocol).ok_or_else(BridgeError::not_generated)?;
    call_from(from, target_of_object(object)?, name, arguments)
}

/// JSON as PHP decodes it: objects for mappings, so that an empty one stays one. Integers beyond 64 bits are texts.
fn decoded(text: &Zval) -> Result<Zval, BridgeError> {
    let text = text.zend_str().map(ZendStr::as_bytes).unwrap_or_default();
    let mut value = Zval::new();
    // SAFETY: the text lives through the call, and the slot holds nothing that must be freed.
    unsafe { php_json_decode_ex(&raw mut value, text.as_ptr().cast(), text.len(), DECODE, JSON_DEPTH) };
    if crate::engine::exception_is_pending() { Err(BridgeError::Pending) } else { Ok(value) }
}
