//! What `Tortoise\shared()` does: an object that all sessions share.

use ext_php_rs::types::Zval;
use ext_php_rs::zend::ExecuteData;
use tortoise_protocol::frame::Kind;
use tortoise_protocol::limits::MAX_NAME_BYTES;
use tortoise_protocol::request::write_share;

use crate::arguments::{NativeArguments, WriteArguments};
use crate::engine::{Arguments, Frame, guard, object_of};
use crate::error::BridgeError;
use crate::link::{self, Session};
use crate::modules::{shorten, text_of};
use crate::throw::throw;
use crate::values;

/// `Tortoise\shared(string $name, string $class, mixed ...$args): PyObject` gives the object of that name, and has it made if
/// there is none.
pub(crate) extern "C" fn shared(data: &mut ExecuteData, result: &mut Zval) {
    guard((), || {
        // SAFETY: the engine passes the frame of this very call, of a native function.
        let arguments = unsafe { Frame::new(data).native_arguments() };
        let outcome = match arguments.surplus {
            [name, class, rest @ ..] => ask(name, class, &NativeArguments(Arguments { surplus: rest, ..arguments })),
            few => Err(BridgeError::ArgumentCount(format!(
                "Tortoise\\shared() takes at least 2 arguments, a name and a class, {} given",
                few.len()
            ))),
        };
        match outcome {
            Ok(value) => *result = value,
            Err(error) => throw(error),
        }
    });
}

/// Any session will do, and searches the roots that PHP names now.
fn ask(name: &Zval, class: &Zval, arguments: &NativeArguments<'_>) -> Result<Zval, BridgeError> {
    let (name, class) = (text_of(name.dereference(), "name")?, text_of(class.dereference(), "class")?);
    let class = class.strip_prefix('\\').unwrap_or(&class);
    for (what, text) in [("the name of a shared object", name.as_str()), ("the name of a Python class", class)] {
        if text.is_empty() || text.len() > MAX_NAME_BYTES || text.contains('\0') {
            return Err(BridgeError::Access(format!(
                "\"{}\" is not {what}: that has 1 to {MAX_NAME_BYTES} bytes, and no NUL",
                shorten(text)
            )));
        }
    }
    link::announce_roots()?;
    let reply = link::exchange(Session::Any, Kind::Share, Kind::Value, |outgoing| {
        write_share(outgoing, &name, class);
        arguments.write(outgoing)
    })?;
    let object = values::read_reply(&reply)?;
    match object_of(&object) {
        Some(_) => Ok(object),
        None => Err(BridgeError::Connection("the session answered with a value where an object was due".to_owned())),
    }
}
