//! The sidecar as others meet it: its binary, its sockets, its messages.

mod background;
mod doctor;
mod orphans;
mod private;
mod queue;
mod reload;
mod restart;
mod serve;
mod start;
mod supervise;
mod support;
mod systemd;
mod tcp;
