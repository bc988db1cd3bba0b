//! Copying and filling by the main stage of FEAT_MOPS: routines for generated code.
//!
//! # Safety
//! As in the parent module: the assembly touches guest addresses, and a fault in it resumes
//! at an error exit.
//!
//! What they take and leave is said in [`crate::routines`]: `CopyForward`, `CopyEither` and `Fill`. A fault leaves what
//! is not done in rcx. rdi is put back after REP STOSB.
//!
//! Copies go through vector registers at any size: REP MOVSB takes two to four times as long
//! where the addresses are not aligned alike. For sets REP STOSB wins from about 1 KiB on.
//!
//! What is left must be right, because a copy with overlap cannot be repeated: a step of
//! several stores is made only within one page of the destination, so that the first of them
//! faults or none.

use super::{LAST_FAULT, fault, raemu_copy, raemu_load1, untag};
use guest::{Access, GUEST_ADDRESS_LIMIT, GuestAddr, MemFault, PAGE_SIZE};
use std::arch::global_asm;
use std::sync::atomic::Ordering;

global_asm!(
    ".globl raemu_mops_copy, raemu_mops_copy_forward",
    ".globl raemu_mops_copy_begin, raemu_mops_copy_end, raemu_mops_copy_fail",
    "raemu_mops_copy:",
    "    test rcx, rcx",
    "    jns 30f",
    "raemu_mops_copy_forward:",
    "    vpcmpeqd xmm15, xmm15, xmm15",
    "    add rdx, rcx",
    "    add rsi, rcx",
    "    neg rcx",
    "    mov rax, rdx",
    "    sub rax, rsi",
    "    je 10f",
    "    cmp rax, rcx",
    "    jb raemu_mops_copy_fail",
    // rcx bytes from rsi to rdx, upwards.
    "10: cmp rcx, 64",
    "    ja 20f",
    "    mov eax, edx",
    "    and eax, 4095",
    "    add eax, ecx",
    "    cmp eax, 4096",
    "    ja 25f",
    // At most 64 bytes to one page: all loads come before the stores.
    "raemu_mops_copy_begin:",
    "11: cmp ecx, 16",
    "    jb 13f",
    "    vmovdqu xmm11, [rsi]",
    "    vmovdqu xmm12, [rsi + rcx - 16]",
    "    cmp ecx, 32",
    "    jbe 12f",
    "    vmovdqu xmm13, [rsi + 16]",
    "    vmovdqu xmm14, [rsi + rcx - 32]",
    "    vmovdqu [rdx + 16], xmm13",
    "    vmovdqu [rdx + rcx - 32], xmm14",
    "12: vmovdqu [rdx], xmm11",
    "    vmovdqu [rdx + rcx - 16], xmm12",
    "    xor ecx, ecx",
    "    ret",
    "13: cmp ecx, 8",
    "    jb 14f",
    "    vmovq xmm11, qword ptr [rsi]",
    "    vmovq xmm12, qword ptr [rsi + rcx - 8]",
    "    vmovq qword ptr [rdx], xmm11",
    "    vmovq qword ptr [rdx + rcx - 8], xmm12",
    "    xor ecx, ecx",
    "    ret",
    "14: cmp ecx, 4",
    "    jb 15f",
    "    vmovd xmm11, dword ptr [rsi]",
    "    vmovd xmm12, dword ptr [rsi + rcx - 4]",
    "    vmovd dword ptr [rdx], xmm11",
    "    vmovd dword ptr [rdx + rcx - 4], xmm12",
    "    xor ecx, ecx",
    "    ret",
    "15: cmp ecx, 1",
    "    jbe 16f",
    "    movzx eax, word ptr [rsi]",
    "    vpinsrb xmm11, xmm11, byte ptr [rsi + rcx - 1], 0",
    "    mov word ptr [rdx], ax",
    "    vpextrb byte ptr [rdx + rcx - 1], xmm11, 0",
    "    xor ecx, ecx",
    "    ret",
    "16: jb 17f",
    "    movzx eax, byte ptr [rsi]",
    "    mov byte ptr [rdx], al",
    "    xor ecx, ecx",
    "17: ret",
    // More.
    "20:",
    "22: lea rax, [rdx + 127]",
    "    xor rax, rdx",
    "    test rax, -4096",
    "    jne 24f",
    "    cmp rcx, 128",
    "    jb 24f",
    "    vmovdqu ymm11, [rsi]",
    "    vmovdqu ymm12, [rsi + 32]",
    "    vmovdqu ymm13, [rsi + 64]",
    "    vmovdqu ymm14, [rsi + 96]",
    "    vmovdqu [rdx], ymm11",
    "    vmovdqu [rdx + 32], ymm12",
    "    vmovdqu [rdx + 64], ymm13",
    "    vmovdqu [rdx + 96], ymm14",
    "    sub rsi, -128",
    "    sub rdx, -128",
    "    add rcx, -128",
    "    jmp 22b",
    "24: cmp rcx, 64",
    "    jbe 26f",
    "    vmovdqu ymm11, [rsi]",
    "    vmovdqu [rdx], ymm11",
    "    add rsi, 32",
    "    add rdx, 32",
    "    sub rcx, 32",
    "    jmp 22b",
    "26: vzeroupper",
    "    jmp 10b",
    // At most 64 bytes to two pages: one store at a time.
    "25: cmp ecx, 16",
    "    jb 29f",
    "    vmovdqu xmm11, [rsi]",
    "    vmovdqu [rdx], xmm11",
    "    add rsi, 16",
    "    add rdx, 16",
    "    sub ecx, 16",
    "    jmp 25b",
    "28: movzx eax, byte ptr [rsi]",
    "    mov byte ptr [rdx], al",
    "    inc rsi",
    "    inc rdx",
    "    dec ecx",
    "29: test ecx, ecx",
    "    jne 28b",
    "    ret",
    // Downwards, from the ends.
    "30: vpxor xmm15, xmm15, xmm15",
    "    add rdx, rcx",
    "    add rsi, rcx",
    "    mov rax, rsi",
    "    sub rax, rdx",
    "    je 31f",
    "    cmp rax, rcx",
    "    jb 39f",
    "31: cmp rcx, 64",
    "    ja 32f",
    "    mov rax, rdx",
    "    sub rax, rcx",
    "    xor rax, rdx",
    "    test rax, -4096",
    "    jne 35f",
    "    sub rsi, rcx",
    "    sub rdx, rcx",
    "    jmp 11b",
    "32: lea rax, [rdx - 128]",
    "    xor rax, rdx",
    "    test rax, -4096",
    "    jne 34f",
    "    cmp rcx, 128",
    "    jb 34f",
    "    vmovdqu ymm11, [rsi - 32]",
    "    vmovdqu ymm12, [rsi - 64]",
    "    vmovdqu ymm13, [rsi - 96]",
    "    vmovdqu ymm14, [rsi - 128]",
    "    vmovdqu [rdx - 32], ymm11",
    "    vmovdqu [rdx - 64], ymm12",
    "    vmovdqu [rdx - 96], ymm13",
    "    vmovdqu [rdx - 128], ymm14",
    "    add rsi, -128",
    "    add rdx, -128",
    "    add rcx, -128",
    "    jmp 32b",
    "34: cmp rcx, 64",
    "    jbe 36f",
    "    vmovdqu ymm11, [rsi - 32]",
    "    vmovdqu [rdx - 32], ymm11",
    "    sub rsi, 32",
    "    sub rdx, 32",
    "    sub rcx, 32",
    "    jmp 32b",
    "36: vzeroupper",
    "    jmp 31b",
    "35: cmp ecx, 16",
    "    jb 38f",
    "    vmovdqu xmm11, [rsi - 16]",
    "    vmovdqu [rdx - 16], xmm11",
    "    sub rsi, 16",
    "    sub rdx, 16",
    "    sub ecx, 16",
    "    jmp 35b",
    "37: movzx eax, byte ptr [rsi - 1]",
    "    mov byte ptr [rdx - 1], al",
    "    dec rsi",
    "    dec rdx",
    "    dec ecx",
    "38: test ecx, ecx",
    "    jne 37b",
    "39: ret",
    "raemu_mops_copy_end:",
    "raemu_mops_copy_fail:",
    "    vzeroupper",
    // What is left is negative going up: xmm15 says.
    "    vmovq rax, xmm15",
    "    test rax, rax",
    "    jns 41f",
    "    neg rcx",
    "41: ret",
);

global_asm!(
    ".globl raemu_mops_set, raemu_mops_set_begin, raemu_mops_set_end, raemu_mops_set_fail",
    ".globl raemu_mops_stos_begin, raemu_mops_stos_end, raemu_mops_stos_fail",
    "raemu_mops_set:",
    "    add rdx, rcx",
    "    neg rcx",
    "    vmovd xmm11, eax",
    "    vpbroadcastb xmm11, xmm11",
    "    cmp rcx, 64",
    "    ja 20f",
    "raemu_mops_set_begin:",
    "11: cmp ecx, 16",
    "    jb 13f",
    "    vmovdqu [rdx], xmm11",
    "    vmovdqu [rdx + rcx - 16], xmm11",
    "    cmp ecx, 32",
    "    jbe 12f",
    "    vmovdqu [rdx + 16], xmm11",
    "    vmovdqu [rdx + rcx - 32], xmm11",
    "12: xor ecx, ecx",
    "    ret",
    "13: cmp ecx, 8",
    "    jb 14f",
    "    vmovq qword ptr [rdx], xmm11",
    "    vmovq qword ptr [rdx + rcx - 8], xmm11",
    "    xor ecx, ecx",
    "    ret",
    "14: cmp ecx, 4",
    "    jb 15f",
    "    vmovd dword ptr [rdx], xmm11",
    "    vmovd dword ptr [rdx + rcx - 4], xmm11",
    "    xor ecx, ecx",
    "    ret",
    "15: test ecx, ecx",
    "    je 17f",
    "16: mov byte ptr [rdx], al",
    "    inc rdx",
    "    dec ecx",
    "    jne 16b",
    "17: ret",
    "20: cmp rcx, 1024",
    "    jae 27f",
    "    vinserti128 ymm11, ymm11, xmm11, 1",
    "22: cmp rcx, 128",
    "    jb 24f",
    "    vmovdqu [rdx], ymm11",
    "    vmovdqu [rdx + 32], ymm11",
    "    vmovdqu [rdx + 64], ymm11",
    "    vmovdqu [rdx + 96], ymm11",
    "    sub rdx, -128",
    "    add rcx, -128",
    "    jmp 22b",
    "24: cmp rcx, 64",
    "    jbe 26f",
    "    vmovdqu [rdx], ymm11",
    "    add rdx, 32",
    "    sub rcx, 32",
    "    jmp 24b",
    "26: vzeroupper",
    "    jmp 11b",
    "raemu_mops_set_end:",
    "raemu_mops_set_fail:",
    "    vzeroupper",
    "    neg rcx",
    "    ret",
    "27: mov rsi, rdi",
    "    mov rdi, rdx",
    "raemu_mops_stos_begin:",
    "    rep stosb",
    "raemu_mops_stos_end:",
    "raemu_mops_stos_fail:",
    "    mov rdi, rsi",
    "    neg rcx",
    "    ret",
);

unsafe extern "C" {
    static raemu_mops_copy_begin: u8;
    static raemu_mops_copy_end: u8;
    static raemu_mops_copy_fail: u8;
    static raemu_mops_set_begin: u8;
    static raemu_mops_set_end: u8;
    static raemu_mops_set_fail: u8;
    static raemu_mops_stos_begin: u8;
    static raemu_mops_stos_end: u8;
    static raemu_mops_stos_fail: u8;
}

/// Begin, end and error exit of the routines here.
pub(super) fn brackets() -> [(*const u8, *const u8, *const u8); 3] {
    [
        (
            &raw const raemu_mops_copy_begin,
            &raw const raemu_mops_copy_end,
            &raw const raemu_mops_copy_fail,
        ),
        (
            &raw const raemu_mops_set_begin,
            &raw const raemu_mops_set_end,
            &raw const raemu_mops_set_fail,
        ),
        (
            &raw const raemu_mops_stos_begin,
            &raw const raemu_mops_stos_end,
            &raw const raemu_mops_stos_fail,
        ),
    ]
}

/// A bulk operation that ended early.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stopped {
    /// Bytes not done.
    pub left: u64,
    pub fault: MemFault,
}

/// How many of `count` bytes from `addr` upwards lie in guest space.
fn room(addr: GuestAddr, count: u64) -> u64 {
    count.min(GUEST_ADDRESS_LIMIT.saturating_sub(addr.0))
}

fn outside(addr: GuestAddr, access: Access) -> MemFault {
    MemFault {
        addr,
        access,
        kind: guest::FaultKind::Unmapped,
    }
}

/// Copies upwards, byte by byte as far as the guest can tell. The caller upholds that the guest
/// may write to the destination.
///
/// # Errors
/// The fault of the first byte that could not be copied; those before it are.
pub fn copy_up(dst: GuestAddr, src: GuestAddr, count: u64) -> Result<(), Stopped> {
    let (to, from) = (untag(dst), untag(src));
    let allowed = room(to, count).min(room(from, count));
    // SAFETY: both ranges are in guest space, and a fault there is caught by `fixup`.
    let left = unsafe { raemu_copy(to.0 as *mut u8, from.0 as *const u8, allowed as usize) } as u64;
    let done = allowed - left;
    if done == count {
        return Ok(());
    }
    let (to, from) = (to.offset(done as i64), from.offset(done as i64));
    let fault = if left == 0 {
        if room(from, 1) == 0 {
            outside(from, Access::Read)
        } else {
            outside(to, Access::Write)
        }
    } else {
        copy_fault(to, from)
    };
    Err(Stopped {
        left: count - done,
        fault,
    })
}

/// Which of the two accesses of a byte just faulted.
fn copy_fault(to: GuestAddr, from: GuestAddr) -> MemFault {
    let kind = LAST_FAULT.with(|slot| slot.load(Ordering::Relaxed));
    // SAFETY: the address is in guest space and a fault there is caught by `fixup`.
    if unsafe { raemu_load1(from.0) }.failed != 0 {
        return fault(from, Access::Read);
    }
    LAST_FAULT.with(|slot| slot.store(kind, Ordering::Relaxed));
    fault(to, Access::Write)
}

/// Copies downwards from the ends `dst` and `src`. The caller upholds that the guest may write
/// to the destination.
///
/// # Errors
/// The fault of the highest page that could not be copied; all above it is.
pub fn copy_down(dst: GuestAddr, src: GuestAddr, count: u64) -> Result<(), Stopped> {
    const CHUNK: u64 = 256;
    // Bytes from the start of the page up to an end in it.
    let in_page = |end: GuestAddr| (end.0.wrapping_sub(1) % PAGE_SIZE) + 1;
    let (mut to, mut from) = (untag(dst), untag(src));
    let mut left = count;
    let mut buffer = [0; CHUNK as usize];
    while left > 0 {
        let size = left.min(CHUNK).min(in_page(to)).min(in_page(from));
        let (to_start, from_start) = (to.offset(-(size as i64)), from.offset(-(size as i64)));
        let bytes = &mut buffer[..size as usize];
        super::read(from_start, bytes)
            .and_then(|()| super::write(to_start, bytes))
            .map_err(|fault| Stopped { left, fault })?;
        (to, from) = (to_start, from_start);
        left -= size;
    }
    Ok(())
}

/// Fills upwards. The caller upholds that the guest may write there.
///
/// # Errors
/// The fault of the first byte that could not be written; those before it are.
pub fn fill(dst: GuestAddr, value: u8, count: u64) -> Result<(), Stopped> {
    let mut to = untag(dst);
    let mut left = count;
    let buffer = [value; PAGE_SIZE as usize];
    while left > 0 {
        let size = left.min(PAGE_SIZE - to.0 % PAGE_SIZE);
        if let Err(fault) = super::write(to, &buffer[..size as usize]) {
            left -= fault.addr.0.saturating_sub(to.0);
            return Err(Stopped { left, fault });
        }
        to = to.offset(size as i64);
        left -= size;
    }
    Ok(())
}
