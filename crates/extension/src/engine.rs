//! The room of PHP's engine: what ext-php-rs does not bind, and the few readings of its memory that the rest
//! of the extension needs, each behind a function that says when it is sound.

mod autoload;
mod boundary;
mod defaults;
mod ffi;
mod foreach;
mod frame;
mod interlude;
mod log;
mod memory;
mod native_call;
mod outside;
mod pending;
mod reading;
mod slot;
mod string;
mod table;
mod view;

pub(crate) use autoload::{ask_php_for_class, chain_autoload, forget_asked, unchain_autoload};
pub(crate) use boundary::{guard, take_panic};
pub(crate) use defaults::{DefaultOf, default_of};
pub(crate) use ffi::*;
pub(crate) use foreach::Foreach;
pub(crate) use frame::{Arguments, Frame, call_in_progress, frames_in_progress};
pub(crate) use interlude::{call_function, callable, interlude, stack_bytes};
pub(crate) use log::log;
pub(crate) use memory::{OverLimit, SMALL_BYTES, check_room};
pub(crate) use native_call::{NotCalled, call_native, call_native_method, closure_of, has_native, new_native};
pub(crate) use outside::{Method, Visible};
pub(crate) use pending::{copy_exception, is_exit, is_leaving, leave_by, rethrow, take_exception};
pub(crate) use reading::{
    borrowed, bytes_of, class_in_table, class_name, declares, exception_is_pending, forget_destructor_call,
    held_object, ini_text, is_closure, is_preloading, is_shutting_down, lower_case, object_of, opcode_in_progress,
    owned_object, properties, running_this, set_property, skip_destructor, text_of, user_method, was_destructor_called,
    write_result,
};
pub(crate) use slot::{Slot, Written, make};
pub(crate) use string::NewString;
pub(crate) use table::{NewKey, NewTable};
pub(crate) use view::{
    Elements, Key, View, elements, elements_of, have_same_keys, is_integer, is_reference, number_bytes,
    packed_elements, view,
};

/// What the engine calls a success.
pub(crate) const SUCCESS: i32 = 0;
/// What the engine calls a failure.
pub(crate) const FAILURE: i32 = -1;
