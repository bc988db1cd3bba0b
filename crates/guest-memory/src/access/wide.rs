//! Accesses of 16 bytes: loads and stores that are of one piece where they are aligned, and
//! the compare-and-exchange that generated code calls.
//!
//! # Safety
//! As in the parent module: the assembly touches guest addresses, and a fault in it
//! resumes at its error exit.

use super::{Loaded, in_guest_space, scalar_fault, untag};
use guest::{Access, GuestAddr, MemFault};
use std::arch::global_asm;

// AVX makes aligned loads and stores of 16 bytes atomic; it is part of the host baseline.
// Load: rdi = address, rsi = where the two words go. Store: rdi = address, rsi = the words.
// Both return rax = 0 and rdx = 0, or 1 on a fault.
global_asm!(
    ".globl raemu_wide_begin, raemu_wide_end, raemu_wide_fail, raemu_load16, raemu_store16",
    "raemu_wide_begin:",
    "raemu_load16: vmovdqu xmm0, xmmword ptr [rdi]",
    "    vmovdqu xmmword ptr [rsi], xmm0",
    "    xor eax, eax",
    "    xor edx, edx",
    "    ret",
    "raemu_store16: vmovdqu xmm0, xmmword ptr [rsi]",
    "    vmovdqu xmmword ptr [rdi], xmm0",
    "    xor eax, eax",
    "    xor edx, edx",
    "    ret",
    "raemu_wide_end:",
    "raemu_wide_fail:",
    "    mov eax, 1",
    "    mov edx, 1",
    "    ret",
);

// For generated code: `routines::Cas16`. It touches no more of the stack than the return address.
global_asm!(
    ".globl raemu_jit_cas16, raemu_jit_cas16_begin, raemu_jit_cas16_end, raemu_jit_cas16_fail",
    "raemu_jit_cas16:",
    "    clc",
    "raemu_jit_cas16_begin:",
    "    lock cmpxchg16b [rsi]",
    "raemu_jit_cas16_end:",
    "    ret",
    "raemu_jit_cas16_fail:",
    "    stc",
    "    ret",
);

unsafe extern "C" {
    fn raemu_load16(addr: u64, words: *mut [u64; 2]) -> Loaded;
    fn raemu_store16(addr: u64, words: *const [u64; 2]) -> Loaded;
    static raemu_wide_begin: u8;
    static raemu_wide_end: u8;
    static raemu_wide_fail: u8;
    static raemu_jit_cas16_begin: u8;
    static raemu_jit_cas16_end: u8;
    static raemu_jit_cas16_fail: u8;
}

/// Begin, end and error exit of the routines here.
pub(super) fn brackets() -> [(*const u8, *const u8, *const u8); 2] {
    [
        (
            &raw const raemu_wide_begin,
            &raw const raemu_wide_end,
            &raw const raemu_wide_fail,
        ),
        (
            &raw const raemu_jit_cas16_begin,
            &raw const raemu_jit_cas16_end,
            &raw const raemu_jit_cas16_fail,
        ),
    ]
}

/// Loads 16 bytes, low word first: in one access where they are aligned.
///
/// # Errors
/// The fault, if the bytes cannot be read.
pub fn load16(addr: GuestAddr) -> Result<[u64; 2], MemFault> {
    let from = untag(addr);
    in_guest_space(from, 16, Access::Read)?;
    let mut words = [0; 2];
    // SAFETY: `words` is ours; the address is in guest space and a fault there is caught by `fixup`.
    let failed = unsafe { raemu_load16(from.0, &raw mut words) }.failed;
    if failed == 0 {
        Ok(words)
    } else {
        Err(scalar_fault(from, 16, Access::Read))
    }
}

/// Stores 16 bytes, all or none of them: in one access where they are aligned. The caller
/// upholds that the guest may write there.
///
/// # Errors
/// The fault, if the bytes cannot be written.
pub fn store16(addr: GuestAddr, words: [u64; 2]) -> Result<(), MemFault> {
    let to = untag(addr);
    in_guest_space(to, 16, Access::Write)?;
    // SAFETY: `words` is ours; the address is in guest space and a fault there is caught by `fixup`.
    let failed = unsafe { raemu_store16(to.0, &raw const words) }.failed;
    if failed == 0 {
        Ok(())
    } else {
        Err(scalar_fault(to, 16, Access::Write))
    }
}
