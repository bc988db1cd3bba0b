//! Access to guest memory that turns a host fault into a value.
//!
//! # Safety
//! The assembly below is the only host code allowed to touch guest addresses
//! outside the code cache. Each routine is bracketed by labels; when a SIGSEGV
//! or SIGBUS hits inside the bracket, the host signal handler calls
//! [`fixup`] and resumes at the routine's error exit. Nothing here holds a Rust
//! reference to guest memory, because another guest thread may change it at any time.
//!
//! # What callers uphold
//! The functions are safe to call with any address and any thread running: an address outside
//! guest space is refused here, and whatever the host's page tables refuse becomes a
//! [`MemFault`]. They cannot know whose the memory in guest space is. So:
//!
//! - Whoever writes ([`write()`], [`store`], [`store16`], [`compare_exchange`],
//!   [`compare_exchange_pair`], [`copy_up`], [`copy_down`], [`fill`]) upholds that the guest may
//!   write there. The players of guest instructions do by definition: it is the guest's own store, and
//!   no boundary lies between it and the emulator. Who writes for a system call has first asked
//!   `own::overlaps` (linux-user's `arg::write` and `arg::write_bytes` do).
//! - Whoever reads learns what is there. For a system call the same question comes first
//!   (`arg::read`, `arg::read_bytes`, `arg::read_cstr`), so that the emulator's memory looks unmapped.
//! - Whoever writes guest code drops what was translated from it; that is the memory map's and
//!   IC IVAU's matter, not that of a store.
//! - The engine upholds that its SIGSEGV and SIGBUS handler calls [`fixup`] before it does anything
//!   else with a fault. Without it, a fault here ends the process.
//! - A value may change between two calls; what must be seen at once is read by one call.

mod bulk;
mod wide;

pub use bulk::{Stopped, copy_down, copy_up, fill};
pub use wide::{load16, store16};

use guest::{Access, FaultKind, GUEST_ADDRESS_LIMIT, GuestAddr, MemFault};
use std::arch::global_asm;
use std::sync::atomic::{AtomicU8, Ordering};

// rdi = destination, rsi = source, rdx = count. Returns the bytes not copied.
global_asm!(
    ".globl raemu_copy_begin, raemu_copy_end, raemu_copy_fail, raemu_copy",
    "raemu_copy:",
    "    mov rcx, rdx",
    "raemu_copy_begin:",
    "    rep movsb",
    "raemu_copy_end:",
    "raemu_copy_fail:",
    "    mov rax, rcx",
    "    ret",
);

// Single-copy atomic loads and stores of 1 to 8 bytes.
// Load: rdi = address; returns rax = value, rdx = 0, or rdx = 1 on a fault.
// Store: rdi = address, rsi = value; returns rax = 0, or 1 on a fault.
global_asm!(
    ".globl raemu_scalar_begin, raemu_scalar_end, raemu_scalar_fail",
    ".globl raemu_load1, raemu_load2, raemu_load4, raemu_load8",
    ".globl raemu_store1, raemu_store2, raemu_store4, raemu_store8",
    "raemu_scalar_begin:",
    "raemu_load1: movzx eax, byte ptr [rdi]",
    "    xor edx, edx",
    "    ret",
    "raemu_load2: movzx eax, word ptr [rdi]",
    "    xor edx, edx",
    "    ret",
    "raemu_load4: mov eax, dword ptr [rdi]",
    "    xor edx, edx",
    "    ret",
    "raemu_load8: mov rax, qword ptr [rdi]",
    "    xor edx, edx",
    "    ret",
    "raemu_store1: mov byte ptr [rdi], sil",
    "    xor eax, eax",
    "    ret",
    "raemu_store2: mov word ptr [rdi], si",
    "    xor eax, eax",
    "    ret",
    "raemu_store4: mov dword ptr [rdi], esi",
    "    xor eax, eax",
    "    ret",
    "raemu_store8: mov qword ptr [rdi], rsi",
    "    xor eax, eax",
    "    ret",
    "raemu_scalar_end:",
    "raemu_scalar_fail:",
    "    mov eax, 1",
    "    mov edx, 1",
    "    ret",
);

// Compare and exchange. rdi = address, rsi = expected, rdx = new.
// Returns rax = old value, rdx = 0, or rdx = 1 on a fault.
global_asm!(
    ".globl raemu_cas_begin, raemu_cas_end, raemu_cas_fail",
    ".globl raemu_cas1, raemu_cas2, raemu_cas4, raemu_cas8",
    "raemu_cas_begin:",
    "raemu_cas1: mov rax, rsi",
    "    lock cmpxchg byte ptr [rdi], dl",
    "    movzx eax, al",
    "    xor edx, edx",
    "    ret",
    "raemu_cas2: mov rax, rsi",
    "    lock cmpxchg word ptr [rdi], dx",
    "    movzx eax, ax",
    "    xor edx, edx",
    "    ret",
    "raemu_cas4: mov rax, rsi",
    "    lock cmpxchg dword ptr [rdi], edx",
    "    mov eax, eax",
    "    xor edx, edx",
    "    ret",
    "raemu_cas8: mov rax, rsi",
    "    lock cmpxchg qword ptr [rdi], rdx",
    "    xor edx, edx",
    "    ret",
    "raemu_cas_end:",
    "raemu_cas_fail:",
    "    mov edx, 1",
    "    ret",
);

// 16-byte compare and exchange. rdi = address, rsi = pointer to [expected, new] as four
// words; the old value is written over `expected`. Returns rax = 0, or 1 on a fault.
global_asm!(
    ".globl raemu_cas16, raemu_cas16_begin, raemu_cas16_end, raemu_cas16_fail",
    "raemu_cas16:",
    "    push rbx",
    "    mov rax, [rsi]",
    "    mov rdx, [rsi + 8]",
    "    mov rbx, [rsi + 16]",
    "    mov rcx, [rsi + 24]",
    "raemu_cas16_begin:",
    "    lock cmpxchg16b [rdi]",
    "raemu_cas16_end:",
    "    mov [rsi], rax",
    "    mov [rsi + 8], rdx",
    "    xor eax, eax",
    "    pop rbx",
    "    ret",
    "raemu_cas16_fail:",
    "    mov eax, 1",
    "    pop rbx",
    "    ret",
);

#[repr(C)]
struct Loaded {
    value: u64,
    failed: u64,
}

unsafe extern "C" {
    fn raemu_copy(dst: *mut u8, src: *const u8, count: usize) -> usize;
    fn raemu_load1(addr: u64) -> Loaded;
    fn raemu_load2(addr: u64) -> Loaded;
    fn raemu_load4(addr: u64) -> Loaded;
    fn raemu_load8(addr: u64) -> Loaded;
    fn raemu_store1(addr: u64, value: u64) -> u64;
    fn raemu_store2(addr: u64, value: u64) -> u64;
    fn raemu_store4(addr: u64, value: u64) -> u64;
    fn raemu_store8(addr: u64, value: u64) -> u64;
    fn raemu_cas1(addr: u64, expected: u64, new: u64) -> Loaded;
    fn raemu_cas2(addr: u64, expected: u64, new: u64) -> Loaded;
    fn raemu_cas4(addr: u64, expected: u64, new: u64) -> Loaded;
    fn raemu_cas8(addr: u64, expected: u64, new: u64) -> Loaded;
    fn raemu_cas16(addr: u64, words: *mut [u64; 4]) -> u64;
    static raemu_copy_begin: u8;
    static raemu_copy_end: u8;
    static raemu_copy_fail: u8;
    static raemu_scalar_begin: u8;
    static raemu_scalar_end: u8;
    static raemu_scalar_fail: u8;
    static raemu_cas_begin: u8;
    static raemu_cas_end: u8;
    static raemu_cas_fail: u8;
    static raemu_cas16_begin: u8;
    static raemu_cas16_end: u8;
    static raemu_cas16_fail: u8;
}

/// What the last fault in this thread's guest access was; set by [`fixup`].
#[derive(Clone, Copy)]
#[repr(u8)]
enum LastFault {
    Unmapped = 0,
    Permission = 1,
    Bus = 2,
}

thread_local! {
    static LAST_FAULT: AtomicU8 = const { AtomicU8::new(0) };
}

/// For the host's SIGSEGV and SIGBUS handler: if `host_pc` lies in an access
/// routine, records `kind` and returns where to resume. Async-signal-safe.
///
/// The caller upholds that `host_pc` is the program counter of a fault of this thread, and
/// that it resumes there with all other registers as they were.
#[must_use]
pub fn fixup(host_pc: u64, kind: FaultKind) -> Option<u64> {
    let brackets = [
        (
            &raw const raemu_copy_begin,
            &raw const raemu_copy_end,
            &raw const raemu_copy_fail,
        ),
        (
            &raw const raemu_scalar_begin,
            &raw const raemu_scalar_end,
            &raw const raemu_scalar_fail,
        ),
        (
            &raw const raemu_cas_begin,
            &raw const raemu_cas_end,
            &raw const raemu_cas_fail,
        ),
        (
            &raw const raemu_cas16_begin,
            &raw const raemu_cas16_end,
            &raw const raemu_cas16_fail,
        ),
    ];
    let hit = brackets
        .into_iter()
        .chain(wide::brackets())
        .chain(bulk::brackets())
        .find(|&(begin, end, _)| (begin as u64..end as u64).contains(&host_pc))?;
    let last = match kind {
        FaultKind::Permission => LastFault::Permission,
        FaultKind::Bus => LastFault::Bus,
        FaultKind::Unmapped | FaultKind::Alignment => LastFault::Unmapped,
    };
    LAST_FAULT.with(|slot| slot.store(last as u8, Ordering::Relaxed));
    Some(hit.2 as u64)
}

/// The fault just seen by a failing routine, as a value.
fn fault(addr: GuestAddr, access: Access) -> MemFault {
    let kind = match LAST_FAULT.with(|slot| slot.load(Ordering::Relaxed)) {
        1 => FaultKind::Permission,
        2 => FaultKind::Bus,
        _ => FaultKind::Unmapped,
    };
    MemFault { addr, access, kind }
}

/// As [`fault`], for an access of a few bytes: if it reaches into a second page and
/// the first is accessible, the address is where that page begins, as the CPU
/// reports it.
fn scalar_fault(addr: GuestAddr, size: usize, access: Access) -> MemFault {
    let next_page = addr.offset(size as i64 - 1).page();
    if next_page != addr.page() {
        // SAFETY: the address is in guest space and a fault there is caught by `fixup`.
        let failed = unsafe {
            match access {
                Access::Write => raemu_cas1(addr.0, 0, 0).failed,
                Access::Read | Access::Execute => raemu_load1(addr.0).failed,
            }
        };
        if failed == 0 {
            return fault(next_page, access);
        }
    }
    fault(addr, access)
}

fn in_guest_space(addr: GuestAddr, len: usize, access: Access) -> Result<(), MemFault> {
    let end = addr.0.checked_add(len as u64);
    match end {
        Some(end) if end <= GUEST_ADDRESS_LIMIT => Ok(()),
        _ => Err(MemFault {
            addr,
            access,
            kind: FaultKind::Unmapped,
        }),
    }
}

/// Removes a top-byte-ignore tag (Arm ARM D8.8), giving the address that is accessed.
#[must_use]
pub const fn untag(addr: GuestAddr) -> GuestAddr {
    // Bit 55 selects the half of the address space. Linux ignores the top byte in the
    // user half only (TCR_EL1.TBI0), so an address of the other half stays as it is.
    if addr.0 >> 55 & 1 == 0 {
        GuestAddr(addr.0 << 8 >> 8)
    } else {
        addr
    }
}

/// Copies guest bytes into `buf`, not as one access: another thread may write in between.
/// After a fault the bytes before it are in `buf`.
///
/// # Errors
/// The address of the first byte that could not be read.
pub fn read(addr: GuestAddr, buf: &mut [u8]) -> Result<(), MemFault> {
    let from = untag(addr);
    in_guest_space(from, buf.len(), Access::Read)?;
    // SAFETY: `buf` is writable for its length; a fault on the guest side is caught by `fixup`.
    let left = unsafe { raemu_copy(buf.as_mut_ptr(), from.0 as *const u8, buf.len()) };
    if left == 0 {
        return Ok(());
    }
    Err(fault(from.offset((buf.len() - left) as i64), Access::Read))
}

/// Copies `bytes` into guest memory, not as one access. The caller upholds that the guest
/// may write there.
///
/// # Errors
/// The address of the first byte that could not be written; earlier bytes have been.
pub fn write(addr: GuestAddr, bytes: &[u8]) -> Result<(), MemFault> {
    let to = untag(addr);
    in_guest_space(to, bytes.len(), Access::Write)?;
    // SAFETY: `bytes` is readable for its length; the destination lies in the guest's
    // part of the address space, and a fault there is caught by `fixup`.
    let left = unsafe { raemu_copy(to.0 as *mut u8, bytes.as_ptr(), bytes.len()) };
    if left == 0 {
        return Ok(());
    }
    Err(fault(to.offset((bytes.len() - left) as i64), Access::Write))
}

/// Loads `size` (1, 2, 4 or 8; any other counts as 8) bytes, zero-extended, in one access:
/// single-copy atomic where it is aligned. Order with other accesses is the caller's matter.
///
/// # Errors
/// The fault, if the bytes cannot be read.
pub fn load(addr: GuestAddr, size: usize) -> Result<u64, MemFault> {
    let from = untag(addr);
    in_guest_space(from, size, Access::Read)?;
    // SAFETY: the address is in guest space and a fault there is caught by `fixup`.
    let loaded = unsafe {
        match size {
            1 => raemu_load1(from.0),
            2 => raemu_load2(from.0),
            4 => raemu_load4(from.0),
            _ => raemu_load8(from.0),
        }
    };
    if loaded.failed == 0 {
        Ok(loaded.value)
    } else {
        Err(scalar_fault(from, size, Access::Read))
    }
}

/// Stores the low `size` (1, 2, 4 or 8; any other counts as 8) bytes of `value` in one
/// access, all of them or none: single-copy atomic where it is aligned. The caller upholds
/// that the guest may write there.
///
/// # Errors
/// The fault, if the bytes cannot be written.
pub fn store(addr: GuestAddr, size: usize, value: u64) -> Result<(), MemFault> {
    let to = untag(addr);
    in_guest_space(to, size, Access::Write)?;
    // SAFETY: the address is in guest space and a fault there is caught by `fixup`.
    let failed = unsafe {
        match size {
            1 => raemu_store1(to.0, value),
            2 => raemu_store2(to.0, value),
            4 => raemu_store4(to.0, value),
            _ => raemu_store8(to.0, value),
        }
    };
    if failed == 0 {
        Ok(())
    } else {
        Err(scalar_fault(to, size, Access::Write))
    }
}

/// Compares `size` (1, 2, 4 or 8) bytes with `expected` and, if equal, writes `new`,
/// as one sequentially consistent access. Returns the bytes found. Memory that cannot be written
/// faults whether or not they are equal.
///
/// The caller upholds that the guest may write there, and has checked the alignment that the
/// instruction asks for: here any address will do.
///
/// # Errors
/// The fault, if the bytes cannot be written.
pub fn compare_exchange(addr: GuestAddr, size: usize, expected: u64, new: u64) -> Result<u64, MemFault> {
    let to = untag(addr);
    in_guest_space(to, size, Access::Write)?;
    // SAFETY: the address is in guest space and a fault there is caught by `fixup`.
    let old = unsafe {
        match size {
            1 => raemu_cas1(to.0, expected, new),
            2 => raemu_cas2(to.0, expected, new),
            4 => raemu_cas4(to.0, expected, new),
            _ => raemu_cas8(to.0, expected, new),
        }
    };
    if old.failed == 0 {
        Ok(old.value)
    } else {
        Err(fault(to, Access::Write))
    }
}

/// As [`compare_exchange`] for 16 bytes; `addr` must be 16-byte aligned (else a host
/// fault is reported as a guest one, and its kind is not that of the architecture).
///
/// # Errors
/// The fault, if the bytes cannot be written.
pub fn compare_exchange_pair(
    addr: GuestAddr,
    expected: [u64; 2],
    new: [u64; 2],
) -> Result<[u64; 2], MemFault> {
    let to = untag(addr);
    in_guest_space(to, 16, Access::Write)?;
    let mut words = [expected[0], expected[1], new[0], new[1]];
    // SAFETY: `words` is ours; the guest address is in guest space and a fault is caught by `fixup`.
    let failed = unsafe { raemu_cas16(to.0, &raw mut words) };
    if failed == 0 {
        Ok([words[0], words[1]])
    } else {
        Err(fault(to, Access::Write))
    }
}

/// Reads a NUL-terminated string of at most `max` bytes (without the NUL). It touches no page
/// behind the one with the NUL.
///
/// # Errors
/// `Ok(None)` when no NUL stands within `max` bytes; the fault if memory ends first.
pub fn read_cstr(addr: GuestAddr, max: usize) -> Result<Option<Vec<u8>>, MemFault> {
    let mut out = Vec::new();
    let mut at = addr;
    while out.len() <= max {
        // Never cross a page in one copy: the string may end just before an unmapped one.
        let chunk = (guest::PAGE_SIZE - (at.0 % guest::PAGE_SIZE)).min(256) as usize;
        let mut buf = [0u8; 256];
        read(at, &mut buf[..chunk])?;
        if let Some(end) = buf[..chunk].iter().position(|&b| b == 0) {
            out.extend_from_slice(&buf[..end]);
            return Ok((out.len() <= max).then_some(out));
        }
        out.extend_from_slice(&buf[..chunk]);
        at = at.offset(chunk as i64);
    }
    Ok(None)
}
