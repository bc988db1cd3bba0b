//! Host system calls: no libc wrapper, no errno variable.
//!
//! [`raw`] is the one way into the kernel (with [`interruptible`], its twin for calls that
//! wait). It is unsafe: a system call can write anywhere, and unmap what Rust code stands on.
//! What the emulator itself needs has a safe wrapper in [`calls`], whose types say what
//! memory is passed; what a guest asks for is made by its row in the table, whose argument
//! types guard every address (`syscall::arg`).
//!
//! # Safety
//! The kernel takes addresses as numbers. A call is sound if all that the kernel may write
//! for it is either the caller's own, and borrowed for the call, or the guest's; and if it
//! changes no mapping but the guest's.

mod calls;

pub use calls::*;

use linux_abi::{Errno, SysResult, errno};
use std::arch::{asm, global_asm};
use std::sync::atomic::AtomicU32;

/// Makes one host system call.
///
/// # Safety
/// What the kernel may write for this call is the caller's own memory, exclusively borrowed
/// as long as the kernel may write it, or guest memory that was checked not to be the
/// emulator's. No mapping of the emulator's is changed. Descriptors of the emulator's that
/// others rely on stay open.
///
/// # Errors
/// The errno the kernel returns.
#[inline]
pub unsafe fn raw(nr: u64, args: [u64; 6]) -> SysResult {
    let value: u64;
    // SAFETY: only rax, rcx and r11 change, as declared; what else the kernel does with the
    // arguments is this function's own contract.
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

/// "Execute the guest's SVC again": the kernel's ERESTARTSYS, which no program ever sees.
pub const ERESTART: Errno = Errno(512);
/// That and its siblings, up to ERESTART_RESTARTBLOCK. The kernel lets only a tracer see them.
pub const RESTARTS: std::ops::RangeInclusive<i32> = 512..=516;

/// From the three arguments of the calls below: rcx = the pending word, r11 = where the arguments are, the rest as SYSCALL
/// takes it.
macro_rules! load_arguments {
    () => {
        "
        mov rcx, rdi
        mov rax, rsi
        mov r11, rdx
        mov rdi, [r11]
        mov rsi, [r11 + 8]
        mov rdx, [r11 + 16]
        mov r10, [r11 + 24]
        mov r8, [r11 + 32]
        mov r9, [r11 + 40]
        "
    };
}

// rdi = the pending word, rsi = call number, rdx = the six arguments.
// A signal handler that arms the pending word while rip is in [begin, syscall] moves rip to
// `abort`. rip is at `syscall` also when the kernel decided to restart the call (SA_RESTART,
// ERESTARTNOINTR): it then put rip back there before it ran the handler.
global_asm!(
    ".globl raemu_blocking_call, raemu_blocking_begin, raemu_blocking_syscall, raemu_blocking_abort",
    "raemu_blocking_call:",
    load_arguments!(),
    "raemu_blocking_begin:",
    "    cmp dword ptr [rcx], 0",
    "    jne raemu_blocking_abort",
    "raemu_blocking_syscall:",
    "    syscall",
    "    ret",
    "raemu_blocking_abort:",
    "    mov rax, -512",
    "    ret",
);

// As raemu_blocking_call, but rdx = the six arguments and the stub that makes the call. A stub is a system call and a
// return in eight bytes, and their page begins at a page of memory, so that the lower bits of an instruction pointer tell
// which stub it is in.
global_asm!(
    ".globl raemu_supervised_call, raemu_supervised_begin, raemu_supervised_jump, raemu_supervised_stubs",
    "raemu_supervised_call:",
    load_arguments!(),
    "    mov r11, [r11 + 48]",
    "raemu_supervised_begin:",
    "    cmp dword ptr [rcx], 0",
    "    jne raemu_blocking_abort",
    "raemu_supervised_jump:",
    "    jmp r11",
    ".balign 4096",
    "raemu_supervised_stubs:",
    ".rept 512",
    "    syscall",
    "    ret",
    "    .balign 8",
    ".endr",
);

unsafe extern "C" {
    fn raemu_blocking_call(pending: *const AtomicU32, nr: u64, args: *const [u64; 6]) -> u64;
    static raemu_blocking_begin: u8;
    static raemu_blocking_syscall: u8;
    static raemu_blocking_abort: u8;
    fn raemu_supervised_call(pending: *const AtomicU32, nr: u64, args: *const [u64; 7]) -> u64;
    static raemu_supervised_begin: u8;
    static raemu_supervised_jump: u8;
    static raemu_supervised_stubs: [[u8; STUB_SIZE as usize]; STUBS as usize];
}

/// Makes a host call unless `pending` is armed, with no window between the two.
///
/// # Safety
/// As for [`raw`].
///
/// # Errors
/// The errno the kernel returns, or [`ERESTART`] when the call was not made or is to be
/// made again after a signal was handled.
pub unsafe fn interruptible(pending: &AtomicU32, nr: u64, args: [u64; 6]) -> SysResult {
    // SAFETY: both pointers are valid for the call; what the kernel does with the arguments is
    // this function's own contract.
    errno::from_register(unsafe { raemu_blocking_call(pending, nr, &raw const args) })
}

/// Where such a call begins, where its SYSCALL stands, and where it is abandoned.
#[must_use]
pub fn window() -> [u64; 3] {
    [
        (&raw const raemu_blocking_begin) as u64,
        (&raw const raemu_blocking_syscall) as u64,
        (&raw const raemu_blocking_abort) as u64,
    ]
}

const STUBS: u32 = 512;
const STUB_SIZE: u64 = 8;
const STUB_PAGE: u64 = STUBS as u64 * STUB_SIZE;

fn stubs() -> u64 {
    (&raw const raemu_supervised_stubs) as u64
}

/// Makes a host call that takes no arguments with the guest's, from the stub of a number of the guest's; numbers above
/// all calls share the last one. Interruptible as [`interruptible`].
///
/// # Errors
/// What the call's supervisor says; [`ERESTART`].
pub fn supervised(pending: &AtomicU32, nr: u64, number: u32, args: [u64; 6]) -> SysResult {
    let stub = stubs() + u64::from(number.min(STUBS - 1)) * STUB_SIZE;
    let [a, b, c, d, e, f] = args;
    let args = [a, b, c, d, e, f, stub];
    // SAFETY: both pointers are valid for the call; the host's kernel is not to look at the arguments.
    errno::from_register(unsafe { raemu_supervised_call(pending, nr, &raw const args) })
}

/// The number of the guest's whose stub an instruction pointer is in, also in another process; -1 for those that share
/// one.
#[must_use]
pub fn supervised_number(rip: u64) -> i32 {
    let stub = (rip % STUB_PAGE / STUB_SIZE) as i32;
    if stub == STUBS as i32 - 1 { -1 } else { stub }
}

/// How much higher than here the emulator stands in the process of this instruction pointer.
#[must_use]
pub fn supervised_offset(rip: u64) -> u64 {
    (rip - rip % STUB_PAGE).wrapping_sub(stubs())
}

/// For signal handlers whose signal the guest is not to notice: what a call of [`interruptible`]'s that has just ended in
/// rax is to give instead, so that it is made again. A call that the kernel restarts needs nothing.
#[must_use]
pub fn unnoticed(rip: u64, rax: u64) -> Option<u64> {
    const SYSCALL_SIZE: u64 = 2;
    let ended = rip == (&raw const raemu_blocking_syscall) as u64 + SYSCALL_SIZE;
    (ended && rax == errno::to_register(Err(Errno::EINTR))).then(|| errno::to_register(Err(ERESTART)))
}

/// For signal handlers that armed the pending word: where to resume instead of `rip`, if
/// it stands before a blocking call that has had no effect yet.
#[must_use]
pub fn rewind(rip: u64) -> Option<u64> {
    let window = (&raw const raemu_blocking_begin) as u64..=(&raw const raemu_blocking_syscall) as u64;
    let supervised = (&raw const raemu_supervised_begin) as u64..=(&raw const raemu_supervised_jump) as u64;
    let at_stub = (stubs()..stubs() + STUB_PAGE).contains(&rip) && rip.is_multiple_of(STUB_SIZE);
    (window.contains(&rip) || supervised.contains(&rip) || at_stub)
        .then_some((&raw const raemu_blocking_abort) as u64)
}
