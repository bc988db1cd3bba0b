//! What the C library does with signals 32 and 33 when the process gets its first thread.
//!
//! glibc's pthread_create then installs a handler of its own for 33, with which its set*id functions reach
//! all threads, and unblocks 32 and 33 in the calling thread. Both are the guest's here, whose C library does
//! the same with them. The emulator never calls those functions: its set*id calls are raw.
//!
//! # Safety
//! `__libc_single_threaded` (man: <sys/single_threaded.h>, glibc 2.32 and later) is a byte that tells whether the
//! process is single-threaded for certain. It is written while that still holds, from true to false, as
//! pthread_create itself would a moment later.
#![allow(unsafe_code)]

use std::arch::asm;
use std::ffi::c_int;

/// The two.
pub const SIGNALS: [c_int; 2] = [32, 33];

/// Tells the C library that the process has threads already, so that it prepares nothing for a first one:
/// there is no moment in which a signal meets its handler. Returns whether this was the first, and
/// the signals are to be looked after for a C library that has no such variable.
pub fn announce() -> bool {
    let single_threaded: *mut u8;
    // SAFETY: loads the variable's address from the global offset table, where a weak symbol that is not
    // defined has the address 0.
    unsafe {
        asm!(
            ".weak __libc_single_threaded",
            "mov {address}, qword ptr [rip + __libc_single_threaded@GOTPCREL]",
            address = out(reg) single_threaded,
            options(nostack, preserves_flags, readonly),
        );
    }
    if single_threaded.is_null() {
        return true;
    }
    // SAFETY: the variable is one byte, which only this thread writes as long as it is not 0.
    if unsafe { single_threaded.read_volatile() } == 0 {
        return false;
    }
    // SAFETY: as above.
    unsafe { single_threaded.write_volatile(0) };
    true
}
