//! What `Tortoise\import()` and `Tortoise\call()` do: a module, a function of a script.

use ext_php_rs::types::Zval;
use ext_php_rs::zend::ExecuteData;
use tortoise_protocol::description::is_identifier;
use tortoise_protocol::frame::Kind;

use crate::arguments::NativeArguments;
use crate::engine::{Arguments, Frame, guard, object_of};
use crate::error::BridgeError;
use crate::link::{self, Session};
use crate::throw::throw;
use crate::{calls, proxy, values};

/// The Python module of a dotted name.
///
/// # Errors
/// [`BridgeError`]: PHP may not use it, or Python cannot import it.
pub(crate) fn import(name: &str) -> Result<Zval, BridgeError> {
    if !name.split('.').all(is_identifier) {
        return Err(BridgeError::Access(format!("\"{}\" is not the name of a Python module", shorten(name))));
    }
    ask(Kind::Import, &[name])
}

/// `Tortoise\call(string $script, string $function, mixed ...$args): mixed` calls a function of a script in a class root.
pub(crate) extern "C" fn call(data: &mut ExecuteData, result: &mut Zval) {
    guard((), || {
        // SAFETY: the engine passes the frame of this very call, of a native function.
        let arguments = unsafe { Frame::new(data).native_arguments() };
        let outcome = match arguments.surplus {
            [script, function, rest @ ..] => {
                call_function(script, function, &NativeArguments(Arguments { surplus: rest, ..arguments }))
            }
            few => Err(BridgeError::ArgumentCount(format!(
                "Tortoise\\call() takes at least 2 arguments, a script and a function, {} given",
                few.len()
            ))),
        };
        match outcome {
            Ok(value) => *result = value,
            Err(error) => throw(error),
        }
    });
}

fn call_function(script: &Zval, function: &Zval, arguments: &NativeArguments<'_>) -> Result<Zval, BridgeError> {
    let function = function_of(script, function)?;
    let target = object_of(&function).map(|function| proxy::target(function));
    calls::call(target.unwrap_or_else(|| Err(BridgeError::not_generated()))?, "", arguments)
}

/// The Python function. It is asked for apart from the call: this can be asked again where the session was lost.
fn function_of(script: &Zval, function: &Zval) -> Result<Zval, BridgeError> {
    let (script, function) = (text_of(script.dereference(), "script")?, text_of(function.dereference(), "function")?);
    for (name, is_sound, what) in [
        (&script, script.split(['/', '.']).all(is_identifier), "a script: its path in a class root, without .py"),
        (&function, is_identifier(&function), "a function"),
    ] {
        if !is_sound {
            return Err(BridgeError::Access(format!("\"{}\" is not the name of {what}", shorten(name))));
        }
    }
    ask(Kind::Script, &[&script, &function])
}

/// Asks for an object by names. Any session will do, and searches the roots that PHP names now.
fn ask(kind: Kind, names: &[&str]) -> Result<Zval, BridgeError> {
    link::announce_roots()?;
    let reply = link::exchange(Session::Any, kind, Kind::Value, |writer| {
        names.iter().try_for_each(|name| values::write_name(writer, name))
    })?;
    let object = values::read_reply(&reply)?;
    match object_of(&object) {
        Some(_) => Ok(object),
        None => Err(BridgeError::Connection("the session answered with a value where an object was due".to_owned())),
    }
}

/// An argument that must be a text.
pub(crate) fn text_of(argument: &Zval, name: &str) -> Result<String, BridgeError> {
    let is_text = argument.is_string();
    argument.string().filter(|_| is_text).ok_or_else(|| BridgeError::Access(format!("${name} must be a text in UTF-8")))
}

/// A name from outside, short enough for a message.
pub(crate) fn shorten(name: &str) -> String {
    let mut shown: String = name.chars().take(100).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if shown.len() < name.len() {
        shown.push('…');
    }
    shown
}
