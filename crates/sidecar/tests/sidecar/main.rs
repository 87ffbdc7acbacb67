//! The sidecar as others meet it: its binary, its sockets, its messages.

mod background;
mod breaker;
mod doctor;
mod orphans;
mod private;
mod queue;
mod reload;
mod restart;
mod serve;
mod start;
mod status;
mod supervise;
mod support;
mod systemd;
mod tcp;
