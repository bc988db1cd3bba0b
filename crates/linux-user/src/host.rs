//! Raw host system calls: no libc wrapper, no errno variable.
//!
//! # Safety
//! The kernel checks the pointers given to it; what it writes to is the caller's matter,
//! as for any store through a raw pointer. Callers pass either addresses of their own
//! buffers or guest addresses that were checked against the emulator's own memory.

use linux_abi::{SysResult, errno};
use std::arch::asm;

/// Makes one host system call.
///
/// # Errors
/// The errno the kernel returns.
#[inline]
pub fn syscall(nr: u64, args: [u64; 6]) -> SysResult {
    let value: u64;
    // SAFETY: only rax, rcx and r11 change, as declared; memory effects are the module's contract.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") nr => value,
            in("rdi") args[0],
            in("rsi") args[1],
            in("rdx") args[2],
            in("r10") args[3],
            in("r8") args[4],
            in("r9") args[5],
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    errno::from_register(value)
}

/// Reads a clock that the host's vDSO serves without entering the kernel.
#[must_use]
pub fn vdso_clock(clock: u64) -> Option<linux_abi::layout::Timespec> {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `now` is ours to write. clock_gettime is not a cancellation point and, for
    // the clocks the caller passes, fails only if there is no such clock (errno is unused).
    let result = unsafe { libc::clock_gettime(clock as libc::clockid_t, &raw mut now) };
    (result == 0).then_some(linux_abi::layout::Timespec {
        tv_sec: now.tv_sec,
        tv_nsec: now.tv_nsec,
    })
}
