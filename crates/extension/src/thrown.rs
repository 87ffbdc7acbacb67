//! PHP's exceptions on their way to Python.

use std::borrow::Cow;

use ext_php_rs::ffi::zend_object;
use tortoise_protocol::Writer;
use tortoise_protocol::limits::{MAX_MESSAGE_BYTES, MAX_NAME_BYTES, MAX_PATH_BYTES};
use tortoise_protocol::rebound::{PhpThrowable, Rebound};
use tortoise_protocol::thrown::{Code, PhpException, Thrown};

use crate::engine::class_name;
use crate::link::Outgoing;
use crate::raised::{self, field};

/// Writes an exception: the Python one behind it, if the session knows that, else what PHP itself tells of it.
pub(crate) fn write(writer: &mut Writer<'_>, exception: &zend_object) {
    if let Some(Ok(id)) = raised::id_to_send(exception) {
        return Thrown::Python(id).write(writer);
    }
    tell(exception, |told| Thrown::Php(told).write(writer));
}

/// Writes an exception that a callback threw: the Python one behind it, or a reference to PHP's.
pub(crate) fn write_rebound(outgoing: &mut Outgoing<'_>, exception: &zend_object) {
    if let Some(Ok(id)) = raised::id_to_send(exception) {
        return Rebound::Python(id).write(outgoing);
    }
    tell(exception, |PhpException { message, code, file, line, .. }| {
        outgoing.export_as(exception, |writer, object| {
            Rebound::Php(PhpThrowable { object, message, code, file, line }).write(writer);
        });
    });
}

/// What PHP tells of an exception.
fn tell(exception: &zend_object, write: impl FnOnce(PhpException<'_>)) {
    // SAFETY: a live object's class is live.
    let class = unsafe { class_name(exception.ce) };
    let (message, file) = (text(exception, "message", MAX_MESSAGE_BYTES), text(exception, "file", MAX_PATH_BYTES));
    let code_text = text(exception, "code", MAX_NAME_BYTES);
    write(PhpException {
        class: cut(&class, MAX_NAME_BYTES),
        message: cut(&message, MAX_MESSAGE_BYTES),
        code: field(exception, "code").long().map_or(Code::Text(cut(&code_text, MAX_NAME_BYTES)), Code::Integer),
        file: cut(&file, MAX_PATH_BYTES),
        line: field(exception, "line").long().and_then(|line| u64::try_from(line).ok()).unwrap_or(0),
    });
}

/// A field that is a text, as far as it is wanted; an empty one of other fields. What is no UTF-8 is replaced.
fn text<'a>(exception: &'a zend_object, name: &str, limit: usize) -> Cow<'a, str> {
    let bytes = field(exception, name).zend_str().map_or(&[][..], |text| text.as_bytes());
    String::from_utf8_lossy(&bytes[..bytes.len().min(limit)])
}

/// The beginning of a text, in whole characters.
pub(crate) fn cut(text: &str, limit: usize) -> &str {
    let end = (0..=limit.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}
