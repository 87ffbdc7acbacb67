//! How many sessions of one worker may wait for their next call without sleeping.

use std::sync::OnceLock;

use tortoise_channel::{SpinPolicy, SpinSlots};

/// Made by the zygote; its forks share the slots.
static SLOTS: OnceLock<Option<SpinSlots>> = OnceLock::new();

/// Bounds the sessions that are forked from now on. The first bound is for good.
pub(crate) fn limit(sessions: usize) {
    // Without slots nobody spins: calls are slower then, and no CPU is taken from anyone.
    let _ = SLOTS.set(SpinSlots::create(sessions).ok());
}

/// How a session may spin. Without a bound, in a session that no zygote forked, as a single one may.
pub(crate) fn policy() -> SpinPolicy {
    match SLOTS.get() {
        None => SpinPolicy::for_this_machine(),
        Some(Some(slots)) => SpinPolicy::for_this_machine().within(slots.clone()),
        Some(None) => SpinPolicy::NEVER,
    }
}
