//! What the service manager is told, and what it gives.

use std::process::Command;

/// By which the service manager and its services find each other.
const VARIABLES: [&str; 6] =
    ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"];

/// Keeps user code from speaking to the service manager in our name.
pub(crate) fn hide_from(command: &mut Command) {
    for name in VARIABLES {
        command.env_remove(name);
    }
}
