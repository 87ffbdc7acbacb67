//! PHP values to the wire and back, with nothing in between.

mod big_integers;
mod enums;
mod from_wire;
mod keys;
mod moments;
mod path;
mod segments;
mod to_wire;
mod vectors;

pub(crate) use from_wire::{Decoder, read_items, read_reply};
pub(crate) use keys::forget_keys;
pub(crate) use to_wire::{check_name, write_name, write_value};
