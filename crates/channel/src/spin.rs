//! Whether, and how long, a side looks again and again before it sleeps.
//!
//! A message that comes while its receiver spins arrives in a fraction of a microsecond; waking a sleeper takes tens.
//! But spinning on the CPU on which the peer should run, or beside others who need the CPU, costs more than it saves.

use std::sync::OnceLock;
use std::thread::available_parallelism;
use std::time::Duration;

/// The longest that a side spins: about what one wake-up costs, so that spinning in vain at most doubles the wait.
pub const MAX_SPIN: Duration = Duration::from_micros(50);

/// Below this, spinning finds only what would have been found without.
const LEAST_SPIN: Duration = Duration::from_micros(2);

/// After so many waits without spinning it is tried once: the peer may have become quick. In vain it costs
/// [`MAX_SPIN`] once in so many sleeps.
const WAITS_BETWEEN_PROBES: u32 = 16;

/// How long a side of a channel may spin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpinPolicy {
    /// The upper bound of a spin; zero: never.
    pub max_spin: Duration,
}

impl SpinPolicy {
    /// Never spins.
    pub const NEVER: Self = Self { max_spin: Duration::ZERO };
}

impl Default for SpinPolicy {
    /// [`MAX_SPIN`], or never where this process has one CPU, by its affinity or its cgroup's quota.
    fn default() -> Self {
        static HAS_CPUS: OnceLock<bool> = OnceLock::new();
        let has_cpus = HAS_CPUS.get_or_init(|| available_parallelism().is_ok_and(|cpus| cpus.get() > 1));
        if *has_cpus { Self { max_spin: MAX_SPIN } } else { Self::NEVER }
    }
}

/// Learns how long to spin from what came of it.
#[derive(Debug)]
pub(crate) struct Spinner {
    max: Duration,
    budget: Duration,
    waits_without: u32,
}

impl Spinner {
    pub(crate) fn new(policy: SpinPolicy) -> Self {
        Self { max: policy.max_spin, budget: policy.max_spin, waits_without: 0 }
    }

    /// How long to spin in the next wait.
    pub(crate) fn budget(&mut self) -> Duration {
        if self.budget.is_zero() && !self.max.is_zero() {
            self.waits_without += 1;
            if self.waits_without >= WAITS_BETWEEN_PROBES {
                self.waits_without = 0;
                return self.max;
            }
        }
        self.budget
    }

    /// A spin ended with what was waited for.
    pub(crate) fn paid(&mut self) {
        self.budget = self.max;
    }

    /// A spin ended in a sleep.
    pub(crate) fn failed(&mut self) {
        self.budget /= 2;
        if self.budget < LEAST_SPIN {
            self.budget = Duration::ZERO;
        }
    }

    /// A wait with a sleep in it was over within `elapsed`: a spin may have been enough.
    pub(crate) fn slept(&mut self, elapsed: Duration) {
        if elapsed <= self.max {
            self.budget = self.max;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: SpinPolicy = SpinPolicy { max_spin: MAX_SPIN };

    #[test]
    fn spinning_that_never_pays_ends_but_for_a_probe_now_and_then() {
        let mut spinner = Spinner::new(POLICY);
        let mut spent = Duration::ZERO;
        let mut spins = 0;
        for _ in 0..1000 {
            let budget = spinner.budget();
            if !budget.is_zero() {
                spins += 1;
                spent += budget;
                spinner.failed();
            }
        }
        assert!(spins <= 10 + 1000 / WAITS_BETWEEN_PROBES, "{spins}");
        assert!(spent <= MAX_SPIN * (2 + 1000 / WAITS_BETWEEN_PROBES), "{spent:?}");
    }

    #[test]
    fn a_probe_that_pays_brings_spinning_back() {
        let mut spinner = Spinner::new(POLICY);
        while !spinner.budget().is_zero() {
            spinner.failed();
        }
        let waits = (1..100).find(|_| !spinner.budget().is_zero()).expect("a probe");
        assert!(waits < WAITS_BETWEEN_PROBES);
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
}
