//! The wire of Tortoise: what PHP, the supervisor and a Python session say to each other, as bytes.
//!
//! This crate knows bytes, never sockets, so that every rule of the wire can be tested with literals
//! and fuzzed without a peer. The layouts are drawn in `docs/protocol.md` and above the types.
//!
//! - [`frame`]: the header in front of every message, and the kinds of message.
//! - [`handshake`]: hello, welcome and refusal; [`ask`]: what an operator asks of the supervisor.
//! - [`codec`]: MessagePack, written and read without a tree in between.
//! - [`request`]: what a client asks of a session; [`operation`]: which of Python's protocols it asks for.
//! - [`thrown`]: what PHP threw while a context manager was entered.
//! - [`callback`]: what a session asks of its client; [`rebound`]: why it got nothing; [`php_class`]: a PHP class as Python needs
//!   to know it.
//! - [`description`]: a Python class as PHP needs to know it.
//! - [`failure`]: what went wrong in a call, on which side, and whether the call can have run; [`traceback`]: where.
//! - [`inheritance`]: objects whose class has ancestors of both languages.
//! - [`limits`]: every bound, checked before anything is allocated.
#![forbid(unsafe_code)]

pub mod ask;
pub mod callback;
pub mod codec;
pub mod description;
pub mod failure;
pub mod frame;
pub mod handshake;
pub mod inheritance;
pub mod limits;
pub mod operation;
pub mod php_class;
pub mod rebound;
pub mod request;
pub mod thrown;
pub mod traceback;

/// The version of the wire. A peer that speaks another one is refused by an answer that names this one.
pub const PROTOCOL_VERSION: u16 = 1;

/// The version of the product. All parts carry the same one, and the handshake compares them.
pub const PRODUCT_VERSION: &str = env!("CARGO_PKG_VERSION");

pub use codec::{Depth, Malformed, ObjectReference, Reader, Segment, SegmentKind, Token, Writer};
