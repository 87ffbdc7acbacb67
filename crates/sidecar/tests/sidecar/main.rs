//! The sidecar as others meet it: its binary, its sockets, its messages.

mod background;
mod doctor;
mod private;
mod queue;
mod reload;
mod serve;
mod start;
mod supervise;
mod support;
mod tcp;
