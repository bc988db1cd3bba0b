//! Loads, stores, exclusives and atomics of the interpreter.
//!
//! Alignment (Arm ARM B2.8.2, without FEAT_LSE2): exclusive, atomic, load-acquire
//! and store-release accesses that are not aligned to their size fault; plain
//! accesses may be misaligned.
//!
//! The exclusive monitor compares values: a store-exclusive succeeds if it goes to
//! the marked address with the marked size and memory still holds what the
//! load-exclusive saw. A write that puts the same value back goes unnoticed, as under
//! every translator that maps the pair to a compare-and-exchange.

use guest::{Access, CpuState, FaultKind, GuestAddr, MemFault, access};
use semantics::ops::{Barrier, LoadExt, MemSize, Rmw};
use std::sync::atomic::{Ordering, fence};

/// [`CpuState::exclusive_addr`] of an open monitor.
const OPEN: u64 = u64::MAX;

pub fn load(size: MemSize, ext: LoadExt, addr: GuestAddr) -> Result<u64, MemFault> {
    let value = access::load(addr, size.bytes())?;
    let unused = 64 - 8 * size.bytes() as u32;
    let signed = ((value << unused) as i64 >> unused) as u64;
    Ok(match ext {
        LoadExt::Zero => value,
        LoadExt::SignW => u64::from(signed as u32),
        LoadExt::SignX => signed,
    })
}

pub fn load_v(size: MemSize, addr: GuestAddr) -> Result<u128, MemFault> {
    if size != MemSize::Q {
        return access::load(addr, size.bytes()).map(u128::from);
    }
    let low = access::load(addr, 8)?;
    let high = access::load(addr.offset(8), 8)?;
    Ok(u128::from(high) << 64 | u128::from(low))
}

pub fn store_v(size: MemSize, addr: GuestAddr, value: u128) -> Result<(), MemFault> {
    if size != MemSize::Q {
        return access::store(addr, size.bytes(), value as u64);
    }
    let last_page = addr.offset(15).page();
    if last_page != addr.page() {
        // Find out whether both pages can be written before either is. Writing a
        // byte's own value back changes nothing.
        access::compare_exchange(addr, 1, 0, 0)?;
        access::compare_exchange(last_page, 1, 0, 0)?;
    }
    access::store(addr, 8, value as u64)?;
    access::store(addr.offset(8), 8, (value >> 64) as u64)
}

/// Faults unless `addr` is a multiple of `bytes`.
fn check_aligned(addr: GuestAddr, bytes: usize, access: Access) -> Result<GuestAddr, MemFault> {
    let addr = access::untag(addr);
    if addr.0.is_multiple_of(bytes as u64) {
        return Ok(addr);
    }
    Err(MemFault {
        addr,
        access,
        kind: FaultKind::Alignment,
    })
}

pub fn load_acquire(size: MemSize, addr: GuestAddr) -> Result<u64, MemFault> {
    let addr = check_aligned(addr, size.bytes(), Access::Read)?;
    let value = access::load(addr, size.bytes())?;
    fence(Ordering::Acquire);
    Ok(value)
}

pub fn store_release(size: MemSize, addr: GuestAddr, value: u64) -> Result<(), MemFault> {
    let addr = check_aligned(addr, size.bytes(), Access::Write)?;
    fence(Ordering::Release);
    access::store(addr, size.bytes(), value)?;
    // A later load-acquire must not be satisfied before this store (RCsc).
    fence(Ordering::SeqCst);
    Ok(())
}

/// Loads and marks `bytes` (1 to 16); a pair's first register is in the low bits.
pub fn load_exclusive(state: &mut CpuState, bytes: usize, addr: GuestAddr) -> Result<[u64; 2], MemFault> {
    let addr = check_aligned(addr, bytes, Access::Read)?;
    let value = if bytes == 16 {
        // Two accesses: a pair is only known to be of one piece once the
        // store-exclusive succeeds (Arm ARM B2.2.1), and that compares all 16 bytes.
        [access::load(addr, 8)?, access::load(addr.offset(8), 8)?]
    } else {
        [access::load(addr, bytes)?, 0]
    };
    fence(Ordering::Acquire);
    state.exclusive_addr = addr.0;
    state.exclusive_size = bytes as u64;
    state.exclusive_value = value;
    Ok(value)
}

/// Stores if the monitor is still marked for these bytes; 0 on success, else 1.
pub fn store_exclusive(
    state: &mut CpuState,
    bytes: usize,
    addr: GuestAddr,
    new: [u64; 2],
) -> Result<u64, MemFault> {
    let addr = check_aligned(addr, bytes, Access::Write)?;
    let marked = state.exclusive_addr == addr.0 && state.exclusive_size == bytes as u64;
    let expected = state.exclusive_value;
    if !marked {
        clear_exclusive(state);
        return Ok(1);
    }
    let old = compare_swap(bytes, addr, expected, new)?;
    clear_exclusive(state);
    Ok(u64::from(old != expected))
}

pub fn clear_exclusive(state: &mut CpuState) {
    state.exclusive_addr = OPEN;
}

/// Compares and swaps `bytes` (1 to 16); gives the old bytes.
pub fn compare_swap(
    bytes: usize,
    addr: GuestAddr,
    expected: [u64; 2],
    new: [u64; 2],
) -> Result<[u64; 2], MemFault> {
    let addr = check_aligned(addr, bytes, Access::Write)?;
    if bytes == 16 {
        access::compare_exchange_pair(addr, expected, new)
    } else {
        access::compare_exchange(addr, bytes, expected[0], new[0]).map(|old| [old, 0])
    }
}

/// LSE read-modify-write; gives the old bytes.
pub fn atomic_rmw(op: Rmw, bytes: usize, addr: GuestAddr, value: u64) -> Result<u64, MemFault> {
    let addr = check_aligned(addr, bytes, Access::Write)?;
    // A fault that a read has too is one of a read (Arm ARM D17.2.37, ESR_EL1.WnR).
    let mut old = access::load(addr, bytes)?;
    loop {
        let seen = access::compare_exchange(addr, bytes, old, soft::rmw(op, bytes, old, value))?;
        if seen == old {
            return Ok(old);
        }
        old = seen;
    }
}

/// A pair of W or X registers as the bytes they are in memory.
pub const fn join_pair(size: MemSize, (first, second): (u64, u64)) -> [u64; 2] {
    match size {
        MemSize::X | MemSize::Q => [first, second],
        MemSize::B | MemSize::H | MemSize::W => [first as u32 as u64 | second << 32, 0],
    }
}

/// The inverse of [`join_pair`].
pub const fn split_pair(size: MemSize, bytes: [u64; 2]) -> (u64, u64) {
    match size {
        MemSize::X | MemSize::Q => (bytes[0], bytes[1]),
        MemSize::B | MemSize::H | MemSize::W => (bytes[0] as u32 as u64, bytes[0] >> 32),
    }
}

pub fn barrier(kind: Barrier) {
    match kind {
        Barrier::Full => fence(Ordering::SeqCst),
        Barrier::Load => fence(Ordering::Acquire),
        // Stores are not reordered with stores on the host.
        Barrier::Store => fence(Ordering::Release),
        // Nothing is fetched ahead.
        Barrier::Instruction => {}
    }
}
