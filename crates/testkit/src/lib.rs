//! Scripted peers for tests; never shipped.

pub mod client;
