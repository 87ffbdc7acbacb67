//! Whether, and how long, a side looks again and again before it sleeps.
//!
//! A message that comes while its receiver spins arrives in a fraction of a microsecond; waking a sleeper takes tens.
//! But spinning on the CPU on which the peer should run, or beside others who need the CPU, costs more than it saves. So
//! there are three bounds, none of which costs anything where spinning pays:
//!
//! - The machine: where there is one CPU, or the cgroup's quota gives less than two, nobody spins: while one did, its peer
//!   could not run.
//! - Experience: spins in vain become shorter, end, and stay away for longer and longer. That is what holds between
//!   processes that know nothing of each other, as the children of a web server and their sessions do beside others.
//! - [`SpinSlots`]: where a supervisor hands them out, no more of its sessions spin than there are slots, usually as
//!   many as CPUs. Of the two sides of a busy channel one works while the other spins, so each slot is one CPU that may
//!   be kept busy by waiting. The session holds the slot; a session without one says so beside the ring, and its client
//!   does not spin either. A slot is given back when its session is idle or its spins fail.

use std::sync::OnceLock;
use std::thread::available_parallelism;
use std::time::Duration;

use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::{Pid, SysconfVar, sysconf};

use crate::slots::{Slot, SpinSlots};

/// The longest that a side spins: about what one wake-up costs, so that spinning in vain at most doubles the wait.
pub const MAX_SPIN: Duration = Duration::from_micros(50);

/// Below this, spinning finds only what would have been found without.
const LEAST_SPIN: Duration = Duration::from_micros(2);

/// After so many waits without spinning it is tried once: the peer may have become quick. In vain it costs
/// [`MAX_SPIN`] once, and the next try comes after twice as many.
const WAITS_BEFORE_PROBE: u32 = 16;

/// The most waits between two tries: in vain they cost less than one part in a hundred of the waits themselves.
const MOST_WAITS_BEFORE_PROBE: u32 = 512;

/// How long a side of a channel may spin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpinPolicy {
    /// The upper bound of a spin; zero: never.
    pub max_spin: Duration,
    /// What a session must hold one of while it spins. Without: nothing.
    pub slots: Option<SpinSlots>,
}

impl SpinPolicy {
    /// Never spins.
    pub const NEVER: Self = Self { max_spin: Duration::ZERO, slots: None };

    /// [`MAX_SPIN`], or never where this process may use less than two CPUs.
    #[must_use]
    pub fn for_this_machine() -> Self {
        if Self::cpus() > 1 { Self { max_spin: MAX_SPIN, slots: None } } else { Self::NEVER }
    }

    /// The same, for a session that shares `slots` with others.
    #[must_use]
    pub fn within(self, slots: SpinSlots) -> Self {
        Self { slots: Some(slots), ..self }
    }

    /// Whole CPUs that this process and its peers may keep busy, when it first asked: the usual number of slots. The
    /// quotas of its cgroups (versions 1 and 2) count, and its own affinity does not: its peer may run elsewhere, and if
    /// not, each wait sees that the peer is on the same CPU.
    #[must_use]
    pub fn cpus() -> usize {
        static CPUS: OnceLock<usize> = OnceLock::new();
        *CPUS.get_or_init(|| {
            let usable = available_parallelism().map_or(1, usize::from);
            let allowed = sched_getaffinity(Pid::from_raw(0))
                .map_or(usable, |cpus| (0..CpuSet::count()).filter(|cpu| cpus.is_set(*cpu).unwrap_or(false)).count());
            let online = sysconf(SysconfVar::_NPROCESSORS_ONLN).ok().flatten();
            let online = online.and_then(|count| usize::try_from(count).ok()).unwrap_or(usable);
            // Fewer than the affinity allows: that is a quota.
            if usable < allowed { usable } else { online.max(usable) }
        })
    }
}

impl Default for SpinPolicy {
    fn default() -> Self {
        Self::for_this_machine()
    }
}

/// Learns how long to spin from what came of it.
#[derive(Debug)]
pub(crate) struct Spinner {
    policy: SpinPolicy,
    slot: Option<Slot>,
    budget: Duration,
    waits_without: u32,
    waits_before_probe: u32,
    has_rested: bool,
    /// There was no slot when one was last asked for.
    is_refused: bool,
}

impl Spinner {
    pub(crate) fn new(policy: SpinPolicy) -> Self {
        // Who needs a slot asks for it in its first wait.
        let (budget, waits_before_probe) =
            if policy.slots.is_none() { (policy.max_spin, WAITS_BEFORE_PROBE) } else { (Duration::ZERO, 1) };
        Self { policy, slot: None, budget, waits_without: 0, waits_before_probe, has_rested: false, is_refused: false }
    }

    /// Whether the peer may spin for us: not if we have to do without.
    pub(crate) fn is_allowed(&self) -> bool {
        self.policy.slots.is_none() || self.slot.is_some()
    }

    /// How long to spin in the next wait.
    pub(crate) fn budget(&mut self) -> Duration {
        if self.budget.is_zero() && !self.policy.max_spin.is_zero() {
            self.waits_without += 1;
            if self.waits_without >= self.waits_before_probe {
                self.waits_without = 0;
                if self.take_slot() {
                    return self.policy.max_spin;
                }
                self.wait_longer();
            }
        }
        self.budget
    }

    /// A spin ended with what was waited for.
    pub(crate) fn paid(&mut self) {
        self.budget = self.policy.max_spin;
        self.waits_before_probe = WAITS_BEFORE_PROBE;
    }

    /// A spin ended in a sleep.
    pub(crate) fn failed(&mut self) {
        if self.budget.is_zero() {
            // It was a probe.
            self.wait_longer();
        }
        self.budget /= 2;
        if self.budget < LEAST_SPIN {
            self.budget = Duration::ZERO;
            self.slot = None;
        }
    }

    /// A wait with a sleep in it was over within `elapsed`: a spin may have been enough.
    pub(crate) fn slept(&mut self, elapsed: Duration) {
        let is_short = elapsed <= self.policy.max_spin && !self.policy.max_spin.is_zero();
        // After a rest a slot is asked for at once, so that the peer hears of it with the first answer. It is not asked
        // for again and again where there is none.
        if (std::mem::take(&mut self.has_rested) || is_short && !self.is_refused) && !self.take_slot() {
            self.budget = Duration::ZERO;
        }
        if is_short && self.is_allowed() {
            self.budget = self.policy.max_spin;
        }
    }

    /// Nothing happens here at present: others may spin.
    pub(crate) fn rest(&mut self) {
        if self.slot.take().is_some() {
            self.has_rested = true;
        }
    }

    fn take_slot(&mut self) -> bool {
        if !self.is_allowed() {
            self.slot = self.policy.slots.as_ref().and_then(SpinSlots::take);
        }
        self.is_refused = !self.is_allowed();
        !self.is_refused
    }

    fn wait_longer(&mut self) {
        self.waits_before_probe = (self.waits_before_probe * 2).clamp(WAITS_BEFORE_PROBE, MOST_WAITS_BEFORE_PROBE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: SpinPolicy = SpinPolicy { max_spin: MAX_SPIN, slots: None };

    #[test]
    fn spinning_that_never_pays_ends_but_for_a_probe_now_and_then() {
        let mut spinner = Spinner::new(POLICY);
        let mut spent = Duration::ZERO;
        let mut spins = 0;
        for _ in 0..10_000 {
            let budget = spinner.budget();
            if !budget.is_zero() {
                spins += 1;
                spent += budget;
                spinner.failed();
            }
        }
        // At the beginning some, each shorter; then rarely.
        assert!(spins <= 12 + 10_000 / MOST_WAITS_BEFORE_PROBE, "{spins}");
        assert!(spent <= MAX_SPIN * spins, "{spent:?}");
    }

    #[test]
    fn a_probe_that_pays_brings_spinning_back() {
        let mut spinner = Spinner::new(POLICY);
        while !spinner.budget().is_zero() {
            spinner.failed();
        }
        let waits = (1..100).find(|_| !spinner.budget().is_zero()).expect("a probe");
        assert!(waits <= WAITS_BEFORE_PROBE);
        spinner.paid();
        assert_eq!(spinner.budget(), MAX_SPIN);
    }

    #[test]
    fn a_short_sleep_brings_spinning_back_and_a_long_one_does_not() {
        let mut spinner = Spinner::new(POLICY);
        while !spinner.budget().is_zero() {
            spinner.failed();
        }
        spinner.slept(MAX_SPIN * 2);
        assert_eq!(spinner.budget(), Duration::ZERO);
        spinner.slept(MAX_SPIN / 2);
        assert_eq!(spinner.budget(), MAX_SPIN);
    }

    #[test]
    fn who_may_not_spin_never_does() {
        let mut spinner = Spinner::new(SpinPolicy::NEVER);
        for _ in 0..100 {
            assert_eq!(spinner.budget(), Duration::ZERO);
            spinner.slept(Duration::ZERO);
            spinner.paid();
        }
    }

    #[test]
    fn no_more_spin_than_there_are_slots() {
        let slots = SpinSlots::create(2).expect("slots");
        let mut spinners: Vec<Spinner> = (0..5).map(|_| Spinner::new(POLICY.within(slots.clone()))).collect();
        let spinning = |spinners: &mut [Spinner]| {
            for spinner in spinners.iter_mut() {
                // Whatever happens to those without a slot, they do not begin to spin by it.
                spinner.slept(Duration::ZERO);
                if !spinner.budget().is_zero() {
                    spinner.paid();
                }
            }
            spinners.iter().filter(|spinner| spinner.is_allowed()).count()
        };
        for _ in 0..1000 {
            assert_eq!(spinning(&mut spinners), 2);
        }
        // Who rests makes room for another, and does without if there is none when it wakes up.
        spinners[0].rest();
        assert!(!spinners[0].is_allowed());
        for _ in 0..2 * MOST_WAITS_BEFORE_PROBE {
            spinning(&mut spinners[1..]);
        }
        assert_eq!(spinning(&mut spinners[1..]), 2);
        spinners[0].slept(MAX_SPIN * 100);
        assert!(!spinners[0].is_allowed());
        assert_eq!(spinners[0].budget(), Duration::ZERO);
        // Who ends makes room too, and who wakes up then has it at once.
        spinners.truncate(1);
        spinners[0].rest();
        for _ in 0..2 * MOST_WAITS_BEFORE_PROBE {
            spinning(&mut spinners);
        }
        assert!(spinners[0].is_allowed());
        spinners[0].rest();
        assert!(!spinners[0].is_allowed());
        spinners[0].slept(MAX_SPIN * 100);
        assert!(spinners[0].is_allowed());
        assert_eq!(spinners[0].budget(), MAX_SPIN);
    }
}
