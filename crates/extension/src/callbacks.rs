//! What Python asks of PHP while PHP waits for it: to call, to read, to count, to go on.
//!
//! A reference allows what PHP's public surface allows, and nothing more.

mod call;
mod operate;
mod own;
mod properties;

use ext_php_rs::ffi::zend_class_entry;
use ext_php_rs::types::Zval;
use ext_php_rs::zend::ExecuteData;
use tortoise_protocol::callback::PhpClassAnswer;
use tortoise_protocol::failure::Category;
use tortoise_protocol::frame::Kind;
use tortoise_protocol::limits::{MAX_CALLBACK_DEPTH, MAX_MESSAGE_BYTES, MAX_NAME_BYTES};
use tortoise_protocol::rebound::Rebound;

use crate::engine::{View, Visible, guard, interlude, is_exit, is_leaving, object_of, stack_bytes, view};
use crate::error::BridgeError;
use crate::exports::{self, Found};
use crate::link::{self, Incoming, Underway};
use crate::native::{self, Native};
use crate::throw::throw;
use crate::values::{self, Decoder, write_value};
use crate::{classes, modules, proxy, thrown};

/// The function that callbacks are shown to be called by, in lower case.
const CALLER: &str = "tortoise\\bridge\\callback";

/// The stack that one callback is given, with the PHP code in it, before there are too many.
const STACK_BYTES_EACH: usize = 6 << 10;

/// What a callback comes to.
enum Outcome {
    /// A value.
    Value(Zval),
    /// An iterator of `foreach`.
    Iterator(Zval),
    /// A class, or that there is none.
    Class(Option<*mut zend_class_entry>),
    /// A class that Python has itself, by the session's id.
    PythonClass(u64),
    /// The PHP half of an object.
    Half(Zval),
    /// PHP threw.
    Threw(Zval),
    /// PHP leaves its request, now or already.
    Left(Option<Zval>),
    /// It was not done.
    Refused(Category, String),
}

/// Runs a callback, and answers it: see [`link::serve_callbacks_by`].
///
/// # Errors
/// [`BridgeError`]: there is nobody any more to answer to.
pub(crate) fn serve(incoming: Incoming, has_left: bool) -> Result<Option<Zval>, BridgeError> {
    let (underway, depth) = link::enter(&incoming);
    let outcome = if has_left || is_leaving() {
        Outcome::Left(None)
    } else if depth > MAX_CALLBACK_DEPTH.min(stack_bytes() / STACK_BYTES_EACH) {
        Outcome::Refused(
            Category::Access,
            format!(
                "{} callbacks are under way already, each inside the call of another, which is too deep",
                depth - 1
            ),
        )
    } else {
        run_apart(&incoming)
    };
    drop(incoming);
    let returned = if let Outcome::Value(value) = &outcome { Some(value) } else { None };
    let (concluded, thrown) = interlude(CALLER, || {
        // What Python let go of goes before it is told that the callback is over.
        exports::settle();
        proxy::hold_used(returned)?;
        link::conclude(underway)
    });
    let outcome = thrown.map_or(outcome, thrown_outcome);
    let answered = concluded.and_then(|()| answer(underway, &outcome));
    match outcome {
        // PHP leaves, whoever hears of it.
        Outcome::Left(Some(exit)) => Ok(Some(exit)),
        // It is Python's turn: PHP can ask nothing where this is the last reference to half of an object.
        Outcome::Threw(value) => {
            link::drop_later(value);
            answered.map(|()| None)
        }
        Outcome::Value(value) if proxy::holds_half(&value) => {
            link::drop_later(value);
            answered.map(|()| None)
        }
        _ => answered.map(|()| None),
    }
}

/// Runs a callback, whatever PHP is in the middle of.
fn run_apart(incoming: &Incoming) -> Outcome {
    let (done, thrown) = interlude(CALLER, || {
        guard(None, || match run(incoming) {
            Ok(outcome) => Some(outcome),
            Err(error) => refused(error),
        })
    });
    match (thrown, done) {
        (Some(thrown), _) => thrown_outcome(thrown),
        (None, Some(outcome)) => outcome,
        (None, None) => Outcome::Value(Zval::null()),
    }
}

fn thrown_outcome(thrown: Zval) -> Outcome {
    if is_exit(&thrown) { Outcome::Left(Some(thrown)) } else { Outcome::Threw(thrown) }
}

/// What an error means to Python. None: it is a PHP exception now, which waits.
fn refused(error: BridgeError) -> Option<Outcome> {
    let category = match error {
        BridgeError::Access(_) => Category::Access,
        BridgeError::Conversion(_) => Category::Conversion,
        BridgeError::Stale(_) => Category::Stale,
        BridgeError::Type(_) => Category::Unsupported,
        error => {
            throw(error);
            return None;
        }
    };
    Some(Outcome::Refused(category, error.to_string()))
}

fn run(incoming: &Incoming) -> Result<Outcome, BridgeError> {
    let reply = &incoming.reply;
    let mut decoder = reply.judge(Decoder::new(reply))?;
    match incoming.header.kind {
        Kind::PhpCall => {
            let asked = call::Asked::read(&mut decoder);
            let asked = reply.judge(asked)?;
            asked.run().map(Outcome::Value)
        }
        Kind::PhpFunction => {
            let asked = call::AskedByName::read(&mut decoder);
            let asked = reply.judge(asked)?;
            asked.run().map(Outcome::Value)
        }
        Kind::PhpOperate => {
            let asked = operate::Asked::read(&mut decoder);
            let asked = reply.judge(asked)?;
            asked.run()
        }
        Kind::PhpClass => {
            let name = reply.judge(decoder.reader.text("the name of a PHP class", MAX_NAME_BYTES))?;
            match call::class_of(name)? {
                Some(class) if classes::is_python(class) => {
                    classes::target_of(class).map(|(id, _)| Outcome::PythonClass(id))
                }
                class => Ok(Outcome::Class(class)),
            }
        }
        Kind::PhpCallOwn => {
            let asked = own::AskedToCall::read(&mut decoder);
            let asked = reply.judge(asked)?;
            asked.run().map(Outcome::Value)
        }
        Kind::PhpGetOwn | Kind::PhpSetOwn => {
            let asked = own::AskedOfProperty::read(incoming.header.kind, &mut decoder);
            let asked = reply.judge(asked)?;
            asked.run().map(Outcome::Value)
        }
        Kind::PhpHalve => {
            let reference = proxy::read_reference(reply)?;
            proxy::receive_half(reference, reply.generation).map(Outcome::Half)
        }
        Kind::PhpGet | Kind::PhpSet | Kind::PhpHas | Kind::PhpDelete => {
            let asked = properties::Asked::read(incoming.header.kind, &mut decoder);
            let asked = reply.judge(asked)?;
            asked.run().map(Outcome::Value)
        }
        other => reply.judge(Err(BridgeError::Connection(format!("the session asked for {other:?}")))),
    }
}

/// Sends what a callback came to, or why that cannot be sent.
fn answer(underway: Underway, outcome: &Outcome) -> Result<(), BridgeError> {
    let sent = match outcome {
        Outcome::Value(value) => link::answer(underway, Kind::Returned, |outgoing| {
            write_value(outgoing, value).map_err(|error| error.within("the result"))
        }),
        Outcome::Iterator(iterator) => link::answer(underway, Kind::Returned, |outgoing| {
            match object_of(iterator) {
                Some(iterator) => outgoing.export_iterator(iterator),
                None => outgoing.nil(),
            }
            Ok(())
        }),
        Outcome::PythonClass(id) => link::answer(underway, Kind::Returned, |outgoing| {
            outgoing.handle(*id);
            Ok(())
        }),
        Outcome::Half(half) => link::answer(underway, Kind::Returned, |outgoing| {
            match object_of(half) {
                Some(half) => outgoing.export_half(std::ptr::from_mut(half)),
                None => outgoing.nil(),
            }
            Ok(())
        }),
        Outcome::Class(class) => link::answer(underway, Kind::Returned, |outgoing| {
            match class {
                Some(class) => exports::class(*class, |class, traits, description| {
                    PhpClassAnswer::write(Some(PhpClassAnswer { class, traits, description }), outgoing);
                }),
                None => PhpClassAnswer::write(None, outgoing),
            }
            Ok(())
        }),
        Outcome::Threw(exception) => link::answer(underway, Kind::Threw, |outgoing| {
            if let View::Object(exception) = view(exception) {
                thrown::write_rebound(outgoing, exception);
            }
            Ok(())
        }),
        Outcome::Left(_) => refuse(underway, Rebound::Exit),
        Outcome::Refused(category, message) => {
            refuse(underway, Rebound::Refused(*category, thrown::cut(message, MAX_MESSAGE_BYTES)))
        }
    };
    match sent {
        // It could not be written, and Python still waits.
        Err(error) if link::is_heard(underway) => {
            refuse(underway, Rebound::Refused(Category::Conversion, thrown::cut(&error.to_string(), MAX_MESSAGE_BYTES)))
        }
        sent => sent,
    }
}

fn refuse(underway: Underway, rebound: Rebound<'_>) -> Result<(), BridgeError> {
    link::answer(underway, Kind::Threw, |outgoing| {
        rebound.write(outgoing);
        Ok(())
    })
}

/// A PHP object that Python names.
fn target(id: u64) -> Result<Zval, BridgeError> {
    match exports::find(id) {
        Some(Found::Object(object)) => Ok(object),
        Some(Found::Iterator(_)) => {
            Err(BridgeError::Type("an iterator over a PHP object can only be asked for what comes next".to_owned()))
        }
        None => Err(BridgeError::Stale("this PHP object is gone: its PHP request is over".to_owned())),
    }
}

/// The object in a value that [`target`] gave, as Python sees it.
fn visible(target: &Zval) -> Result<Visible<'_>, BridgeError> {
    match view(target) {
        // The class of futures is final.
        View::Object(object) => Ok(Visible::new(object, native::class(Native::Future))),
        _ => Err(BridgeError::Internal("an exported value is no object".to_owned())),
    }
}

/// `Tortoise\Bridge\callback()`: stands in traces where Python calls PHP.
pub(crate) extern "C" fn refuse_direct_call(_data: &mut ExecuteData, _result: &mut Zval) {
    guard((), || throw(BridgeError::not_generated()));
}
