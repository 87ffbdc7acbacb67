//! Calls: from the frame of a generated or dynamic method to a request, and from the answer to a PHP value.

use ext_php_rs::ffi::{zend_class_entry, zend_object};
use ext_php_rs::types::Zval;
use ext_php_rs::zend::ExecuteData;
use tortoise_protocol::description::MethodKind;
use tortoise_protocol::frame::Kind;
use tortoise_protocol::request::MethodName;

use crate::arguments::{NativeArguments, PassedArguments, WriteArguments};
use crate::classes::{self, MethodOf};
use crate::engine::{Frame, class_name, guard};
use crate::error::BridgeError;
use crate::link::{self, KnownIndex, Reply, Session};
use crate::throw::throw_from;
use crate::{observers, proxy, raised, values};

/// `Tortoise\Bridge\method()`, the body of every generated method.
pub(crate) extern "C" fn bridge_method(data: &mut ExecuteData, result: &mut Zval) {
    observers::watched(data, result, run_method);
}

extern "C" fn run_method(data: &mut ExecuteData, result: &mut Zval) {
    guard((), || {
        // SAFETY: the engine passes the frame of this very call.
        let frame = unsafe { Frame::new(data) };
        let outcome = generated(frame).and_then(|(caller, of, arguments)| {
            let method = of.method();
            arguments.check(caller, method)?;
            let (class, target) = match method.kind {
                MethodKind::Static | MethodKind::Class => {
                    let class = caller.called_class();
                    (class, classes::target_of(class))
                }
                MethodKind::Instance | MethodKind::Constructor => match caller.this() {
                    Some(object) => (object.ce, target_of_object(object)),
                    None => return Err(BridgeError::not_generated()),
                },
            };
            match classes::generated_above(class, caller.scope()) {
                None => call_generated(target?, of, &arguments),
                Some(from) => call_from(from, target?, &method.python_name, &arguments),
            }
        });
        deliver(frame.caller().map_or(frame, |(caller, _)| caller), outcome, result);
    });
}

/// `Tortoise\Bridge\construct()`, the body of every generated constructor.
pub(crate) extern "C" fn bridge_construct(data: &mut ExecuteData, result: &mut Zval) {
    observers::watched(data, result, run_constructor);
}

extern "C" fn run_constructor(data: &mut ExecuteData, result: &mut Zval) {
    guard((), || {
        // SAFETY: the engine passes the frame of this very call.
        let frame = unsafe { Frame::new(data) };
        let outcome = generated(frame).and_then(|(caller, of, arguments)| {
            arguments.check(caller, of.method())?;
            construct(caller.this().ok_or_else(BridgeError::not_generated)?, Some(caller.scope()), &arguments)
        });
        deliver(frame.caller().map_or(frame, |(caller, _)| caller), outcome, result);
    });
}

/// The constructor of a class that inherits Python's.
pub(crate) fn construct_with_native_arguments(frame: Frame<'_>, result: &mut Zval) {
    // SAFETY: the caller's frame is that of a native function.
    let arguments = NativeArguments(unsafe { frame.native_arguments() });
    let outcome = match frame.this() {
        Some(object) => construct(object, None, &arguments),
        None => Err(BridgeError::not_generated()),
    };
    deliver(frame, outcome, result);
}

/// A dynamic method, for an object of `class`, or for that itself.
pub(crate) fn call_with_native_arguments(
    frame: Frame<'_>,
    class: *mut zend_class_entry,
    target: Result<(u64, u32), BridgeError>,
    name: &str,
    result: &mut Zval,
) {
    // SAFETY: the caller's frame is that of a native function.
    let arguments = NativeArguments(unsafe { frame.native_arguments() });
    let outcome = target.and_then(|target| match classes::generated_above(class, frame.scope()) {
        None => call(target, name, &arguments),
        Some(from) => call_from(from, target, name, &arguments),
    });
    deliver(frame, outcome, result);
}

/// The generated method that called us, and what it was called with.
pub(crate) fn generated<'a>(frame: Frame<'a>) -> Result<(Frame<'a>, &'a MethodOf, PassedArguments<'a>), BridgeError> {
    let (caller, code) = frame.caller().ok_or_else(BridgeError::not_generated)?;
    let of = classes::method_of(code).ok_or_else(BridgeError::not_generated)?;
    let method = of.method();
    // SAFETY: the caller's code is a generated method, whose only opcodes before this call receive its arguments.
    let arguments = unsafe { caller.user_arguments(code, method.variadic.is_some(), method.always_passed) };
    Ok((caller, of, PassedArguments { method, arguments }))
}

pub(crate) fn target_of_object(object: &zend_object) -> Result<(u64, u32), BridgeError> {
    raised::python_exception_of(object).map_or_else(|| proxy::target(object), |inner| proxy::target(inner?))
}

/// Calls a generated method, whose name travels once and is an index from then on.
pub(crate) fn call_generated(
    target: (u64, u32),
    of: &MethodOf,
    arguments: &impl WriteArguments,
) -> Result<Zval, BridgeError> {
    let generation = target.1;
    let name = of.known_index.name(&of.method().python_name, generation);
    let reply = exchange(target, name, arguments);
    match reply {
        Ok(_) | Err(BridgeError::Remote(_) | BridgeError::Leaving) => of.known_index.reached(name, generation),
        // Other errors mean that it was not sent, or that the link is gone.
        Err(_) => KnownIndex::was_not_sent(name, generation),
    }
    values::read_reply(&reply?)
}

/// Calls a method of what the session knows by this id, or that itself by an empty name.
pub(crate) fn call(target: (u64, u32), name: &str, arguments: &impl WriteArguments) -> Result<Zval, BridgeError> {
    values::check_name(name)?;
    values::read_reply(&exchange(target, MethodName::Text(name), arguments)?)
}

/// Calls the method of that name that Python finds from the class `from` on: what `parent::` means.
#[cold]
#[inline(never)]
pub(crate) fn call_from(
    from: *mut zend_class_entry,
    (id, generation): (u64, u32),
    name: &str,
    arguments: &impl WriteArguments,
) -> Result<Zval, BridgeError> {
    values::check_name(name)?;
    let (from, _) = classes::target_of(from)?;
    let reply = link::exchange(Session::Of(generation), Kind::CallFrom, Kind::Value, |outgoing| {
        outgoing.unsigned(from);
        outgoing.unsigned(id);
        outgoing.text(name);
        arguments.write(outgoing)
    })?;
    values::read_reply(&reply)
}

fn exchange(
    (id, generation): (u64, u32),
    name: MethodName<'_>,
    arguments: &impl WriteArguments,
) -> Result<Reply, BridgeError> {
    link::exchange(Session::Of(generation), Kind::Call, Kind::Value, |outgoing| {
        outgoing.unsigned(id);
        name.write(outgoing);
        arguments.write(outgoing)
    })
}

/// Runs the constructor that the generated class `scope` declares; None: the one that all inherit.
fn construct(
    object: &mut zend_object,
    scope: Option<*mut zend_class_entry>,
    arguments: &impl WriteArguments,
) -> Result<Zval, BridgeError> {
    let ((class, generation), has_two_halves) = classes::target_to_construct(object.ce)?;
    if has_two_halves {
        let meant = scope.or_else(|| classes::highest_synthesized(object.ce)).unwrap_or(object.ce);
        proxy::initialize(object, (class, generation), meant, arguments)?;
        return Ok(Zval::null());
    }
    // SAFETY: a live object's class is live.
    let name = || unsafe { class_name(object.ce) };
    if proxy::is_constructed(object) || raised::is_constructed(object) {
        return Err(BridgeError::Access(format!("this {} is constructed already", name())));
    }
    let id = link::new_object_id();
    let reply = link::exchange(Session::Of(generation), Kind::Construct, Kind::Value, |writer| {
        writer.unsigned(class);
        writer.unsigned(id);
        arguments.write(writer)
    })?;
    let reference = proxy::read_reference(&reply)?;
    if raised::is_class(object.ce) {
        raised::bind(object, reference, reply.generation)?;
    } else {
        proxy::bind(object, reference, reply.generation);
    }
    Ok(Zval::null())
}

/// Gives the result to PHP, or throws as from whoever called the method that runs in `frame`.
pub(crate) fn deliver(frame: Frame<'_>, outcome: Result<Zval, BridgeError>, result: &mut Zval) {
    match outcome {
        Ok(value) => *result = value,
        Err(error) => throw_from(frame, error),
    }
}
