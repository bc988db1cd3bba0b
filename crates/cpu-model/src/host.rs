//! What the CPU has from the host: the virtual counter and random numbers.
//!
//! # Safety
//! Calls of the C library, with memory of its own.

use crate::CNTFRQ_EL0;
use a64_isa::random::{STEP, mixed};

/// CNTVCT_EL0: the host's CLOCK_MONOTONIC in ticks of [`CNTFRQ_EL0`], so that it
/// runs alike in all processes.
#[must_use]
pub fn virtual_counter() -> u64 {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `now` is a timespec of ours; CLOCK_MONOTONIC always exists.
    unsafe {
        libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now);
    }
    now.tv_sec as u64 * CNTFRQ_EL0 + now.tv_nsec as u64 / (1_000_000_000 / CNTFRQ_EL0)
}

/// A random number: the next of a repeatable sequence, or of the host's if `state` is 0.
#[must_use]
pub fn random(state: &mut u64) -> u64 {
    if *state == 0 {
        let mut number = 0_u64;
        // SAFETY: the buffer is a local of this size. Up to 256 bytes come whole and without waiting, once the
        // host has booted.
        unsafe {
            libc::getrandom((&raw mut number).cast(), size_of::<u64>(), 0);
        }
        return number;
    }
    // splitmix64, without the state that means the host.
    *state = state.wrapping_add(STEP).max(1);
    mixed(*state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_numbers_repeat_for_a_seed_only() {
        let (mut a, mut b) = (5, 5);
        assert_eq!(random(&mut a), random(&mut b));
        assert_ne!(random(&mut a), random(&mut a));
        assert_ne!(random(&mut 0), random(&mut 0));
    }

    #[test]
    fn counter_advances_at_its_frequency() {
        let before = virtual_counter();
        std::thread::sleep(std::time::Duration::from_millis(20));
        let ticks = virtual_counter() - before;
        assert!(ticks >= CNTFRQ_EL0 / 50, "{ticks}");
    }
}
