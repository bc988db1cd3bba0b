//! What a start asks of the host's process: who it belongs to, its limits, its layout.
//!
//! # Safety
//! One libc call with a pointer to a local; the rest is nix's.
#![expect(unsafe_code, reason = "getrandom has no safe wrapper here")]

use nix::sys::personality::{self, Persona};
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};
use nix::unistd::{getegid, geteuid, getgid, getuid};

/// Real and effective user, real and effective group.
#[must_use]
pub fn ids() -> [u64; 4] {
    [
        u64::from(getuid().as_raw()),
        u64::from(geteuid().as_raw()),
        u64::from(getgid().as_raw()),
        u64::from(getegid().as_raw()),
    ]
}

/// The soft RLIMIT_STACK in bytes, if there is one.
#[must_use]
pub fn stack_limit() -> Option<u64> {
    let (soft, _) = getrlimit(Resource::RLIMIT_STACK).ok()?;
    (soft != RLIM_INFINITY).then_some(soft)
}

/// Whether the process asked for a layout that does not vary (setarch -R).
#[must_use]
pub fn layout_is_fixed() -> bool {
    personality::get().is_ok_and(|persona| persona.contains(Persona::ADDR_NO_RANDOMIZE))
}

/// A random number of the kernel's; 0 in early boot, before it has any, which only makes a layout known.
#[must_use]
pub fn random() -> u64 {
    let mut number = 0_u64;
    // SAFETY: the buffer is a local of this size. With GRND_NONBLOCK and so small a buffer it is all or nothing.
    unsafe { libc::getrandom((&raw mut number).cast(), size_of::<u64>(), libc::GRND_NONBLOCK) };
    number
}
