//! The room of PHP's engine: what ext-php-rs does not bind, and the few readings of its memory that the rest
//! of the extension needs, each behind a function that says when it is sound.

mod boundary;
mod ffi;
mod frame;
mod memory;
mod reading;

pub(crate) use boundary::guard;
pub(crate) use ffi::*;
pub(crate) use frame::{Arguments, Frame};
pub(crate) use memory::{OverLimit, SMALL_BYTES, check_room};
pub(crate) use reading::{
    Key, bytes_of, class_in_table, class_name, declares, elements, exception_is_pending, ini_text, is_preloading,
    lower_case, object_of, owned_object, text_of, write_result,
};
