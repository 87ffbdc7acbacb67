//! Where a PHP exception comes from: its file, its line, its trace.

use ext_php_rs::ffi::{
    ext_php_rs_executor_globals, instanceof_function_slow, zend_ce_error, zend_ce_exception, zend_class_entry,
    zend_object,
};
use ext_php_rs::types::{ZendHashTable, ZendStr, Zval};

use tortoise_protocol::failure::RaisedException;
use tortoise_protocol::traceback::Frame;

use super::{field, read, set, text};
use crate::engine::opcode_in_progress;

/// The method that asks for exceptions which were not raised through it.
const GIVES_MEMBERS: &str = "getExceptions";

/// Lets the pending exception come from another place.
pub(crate) fn move_pending(file: &[u8], line: u32) {
    // SAFETY: a pending exception is a live object of one of the engine's two families.
    unsafe {
        let Some(object) = (*ext_php_rs_executor_globals()).exception.as_mut() else { return };
        let is_error = std::ptr::eq(object.ce, zend_ce_error) || instanceof_function_slow(object.ce, zend_ce_error);
        let base = if is_error { zend_ce_error } else { zend_ce_exception };
        let mut number = Zval::new();
        number.set_long(i64::from(line));
        let mut path = Zval::new();
        path.set_zend_string(ZendStr::new(file, false));
        set(base, object, "file", path);
        set(base, object, "line", number);
        hide_bridge(base, object);
    }
}

/// Takes our own function, which every generated method calls, off the top of an exception's trace. Tells whether it was
/// there.
pub(super) fn hide_bridge(base: *mut zend_class_entry, object: &mut zend_object) -> bool {
    const OWN: &str = "Tortoise\\Bridge\\";
    let Some(frames) = read(base, object, "trace").array() else { return false };
    if !function_on_top(frames).is_some_and(|name| name.starts_with(OWN)) {
        return false;
    }
    let rest = listed(frames.values().skip(1).map(Zval::shallow_clone), frames.len());
    set(base, object, "trace", rest);
    true
}

/// Puts Python's frames on top of the trace of an exception that was made just now, and lets it come from `file`.
///
/// A frame of PHP's says which function was called, and where the call stands: that is the next frame's line. PHP's trace
/// begins with the method that PHP code called, so Python's frame of that method is not shown again.
pub(super) fn come_from_python(base: *mut zend_class_entry, object: &mut zend_object, raised: &RaisedException) {
    let is_generated = hide_bridge(base, object);
    let Some(trace) = read(base, object, "trace").array() else { return };
    let top = function_on_top(trace);
    let frames = &raised.traceback.frames;
    let is_shown_by_php = top != Some(GIVES_MEMBERS)
        && frames.last().is_some_and(|outermost| {
            // Where PHP code itself runs it reads an attribute, or iterates: its function is another, whatever its name.
            let is_native = opcode_in_progress().is_none();
            is_generated || is_native && top.is_some_and(|top| top == outermost.function || top == "__construct")
        });
    let shown = &frames[..frames.len() - usize::from(is_shown_by_php)];
    let php_call = if is_generated {
        let call = trace.get_index(0).and_then(Zval::array);
        [call.and_then(|call| call.get("file")), call.and_then(|call| call.get("line"))]
    } else {
        [Some(field(object, "file")), Some(field(object, "line"))]
    };
    let python = shown.iter().enumerate().map(|(at, frame)| {
        let call = match frames.get(at + 1) {
            Some(caller) => [Some(text(&caller.file)), Some(number(caller.line))],
            None => php_call.map(|part| part.map(Zval::shallow_clone)),
        };
        entry(frame, call)
    });
    let merged = listed(python.chain(trace.values().map(Zval::shallow_clone)), shown.len() + trace.len());
    let place = match (&raised.file, php_call) {
        (Some(file), _) => Some((text(file), number(raised.line))),
        // It would seem to come from the generated method, and so from the Python file.
        (None, [Some(file), Some(line)]) => Some((file.shallow_clone(), line.shallow_clone())),
        (None, _) => None,
    };
    if !shown.is_empty() {
        set(base, object, "trace", merged);
    }
    if let Some((file, line)) = place {
        set(base, object, "file", file);
        set(base, object, "line", line);
    }
}

/// A frame as PHP has it.
fn entry(frame: &Frame, [file, line]: [Option<Zval>; 2]) -> Zval {
    let mut entry = ZendHashTable::with_capacity(5);
    // Only a key with a NUL could fail.
    let mut put = |key: &str, value: Zval| drop(entry.insert(key, value));
    if let (Some(file), Some(line)) = (file, line) {
        put("file", file);
        put("line", line);
    }
    put("function", text(&frame.function));
    if let Some(class) = &frame.class {
        put("class", text(class));
        put("type", text("->"));
    }
    let mut value = Zval::new();
    value.set_hashtable(entry);
    value
}

fn function_on_top(frames: &ZendHashTable) -> Option<&str> {
    frames.get_index(0).and_then(Zval::array)?.get("function")?.str()
}

fn listed(values: impl Iterator<Item = Zval>, count: usize) -> Zval {
    let mut list = ZendHashTable::with_capacity(u32::try_from(count).unwrap_or(0));
    for value in values {
        // Only an overflow of the array's keys could fail, and there are no more than fit in memory.
        let _ = list.push(value);
    }
    let mut value = Zval::new();
    value.set_hashtable(list);
    value
}

fn number(number: u64) -> Zval {
    let mut value = Zval::new();
    value.set_long(i64::try_from(number).unwrap_or(0));
    value
}
