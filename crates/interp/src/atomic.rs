//! Ordered accesses, exclusives and atomics of the interpreter.
//!
//! Alignment (Arm ARM B2.8.2, with FEAT_LSE2 and SCTLR_EL1.nAA = 0): exclusive, atomic,
//! load-acquire and store-release accesses fault if they reach across a multiple of 16
//! bytes; plain accesses may be misaligned. What lies within 16 aligned bytes lies within a
//! cache line of the host, where its accesses are of one piece.
//!
//! The exclusive monitor compares values: a store-exclusive succeeds if it goes to
//! the marked address with the marked size and memory still holds what the
//! load-exclusive saw. A write that puts the same value back goes unnoticed, as under
//! every translator that maps the pair to a compare-and-exchange.

use crate::memory::{load_v, store_v};
use crate::watch::Touch;
use crate::{Player, Stop};
use guest::cpu_model::Feature;
use guest::{Access, CpuState, FaultKind, GuestAddr, MemFault};
use guest_memory::access;
use semantics::ops::{AtomicOps, Barrier, MemSize, Order, Rmw};
use std::sync::atomic::{Ordering, fence};

/// [`CpuState::exclusive_addr`] of an open monitor.
const OPEN: u64 = u64::MAX;

/// Faults unless the `bytes` at `addr` lie within 16 aligned ones: the rule of FEAT_LSE2, and part of the
/// stricter one without it.
fn check_aligned(addr: GuestAddr, bytes: usize, access: Access) -> Result<GuestAddr, MemFault> {
    let addr = access::untag(addr);
    if addr.0 % 16 + bytes as u64 <= 16 {
        return Ok(addr);
    }
    Err(MemFault {
        addr,
        access,
        kind: FaultKind::Alignment,
    })
}

fn load_acquire(size: MemSize, addr: GuestAddr) -> Result<u64, MemFault> {
    let addr = check_aligned(addr, size.bytes(), Access::Read)?;
    let value = access::load(addr, size.bytes())?;
    fence(Ordering::Acquire);
    Ok(value)
}

fn store_release(size: MemSize, addr: GuestAddr, value: u64) -> Result<(), MemFault> {
    let addr = check_aligned(addr, size.bytes(), Access::Write)?;
    fence(Ordering::Release);
    access::store(addr, size.bytes(), value)?;
    // A later load-acquire must not be satisfied before this store (RCsc).
    fence(Ordering::SeqCst);
    Ok(())
}

fn load_acquire_v(size: MemSize, addr: GuestAddr) -> Result<u128, MemFault> {
    let addr = check_aligned(addr, size.bytes(), Access::Read)?;
    let value = load_v(size, addr)?;
    fence(Ordering::Acquire);
    Ok(value)
}

fn store_release_v(size: MemSize, addr: GuestAddr, value: u128) -> Result<(), MemFault> {
    let addr = check_aligned(addr, size.bytes(), Access::Write)?;
    fence(Ordering::Release);
    store_v(size, addr, value)?;
    fence(Ordering::SeqCst);
    Ok(())
}

/// Loads and marks `bytes` (1 to 16); a pair's first register is in the low bits.
fn load_exclusive(state: &mut CpuState, bytes: usize, addr: GuestAddr) -> Result<[u64; 2], MemFault> {
    let addr = check_aligned(addr, bytes, Access::Read)?;
    let value = if bytes == 16 {
        access::load16(addr)?
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
fn store_exclusive(
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

fn clear_exclusive(state: &mut CpuState) {
    state.exclusive_addr = OPEN;
}

/// Compares and swaps `bytes` (1 to 16); gives the old bytes.
fn compare_swap(
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
fn atomic_rmw(op: Rmw, bytes: usize, addr: GuestAddr, value: u64) -> Result<u64, MemFault> {
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

/// LSE128 read-modify-write; gives the old words.
fn atomic_rmw_pair(op: Rmw, addr: GuestAddr, value: [u64; 2]) -> Result<(u64, u64), MemFault> {
    let addr = check_aligned(addr, 16, Access::Write)?;
    let mut old = access::load16(addr)?;
    loop {
        let new = [
            soft::rmw(op, 8, old[0], value[0]),
            soft::rmw(op, 8, old[1], value[1]),
        ];
        let seen = access::compare_exchange_pair(addr, old, new)?;
        if seen == old {
            return Ok((old[0], old[1]));
        }
        old = seen;
    }
}

/// A pair of W or X registers as the bytes they are in memory.
const fn join_pair(size: MemSize, (first, second): (u64, u64)) -> [u64; 2] {
    match size {
        MemSize::X | MemSize::Q => [first, second],
        MemSize::B | MemSize::H | MemSize::W => [first as u32 as u64 | second << 32, 0],
    }
}

/// The inverse of [`join_pair`].
const fn split_pair(size: MemSize, bytes: [u64; 2]) -> (u64, u64) {
    match size {
        MemSize::X | MemSize::Q => (bytes[0], bytes[1]),
        MemSize::B | MemSize::H | MemSize::W => (bytes[0] as u32 as u64, bytes[0] >> 32),
    }
}

impl Player<'_> {
    /// As [`Player::memory`], for accesses that are atomic or ordered, and may be watched. Without FEAT_LSE2 all of them must be aligned
    /// to their size (Arm ARM B2.8.2); with it, `memory` checks what remains.
    fn ordered<T: Default>(
        &mut self,
        touch: Touch,
        bytes: usize,
        addr: u64,
        run: impl FnOnce(&mut CpuState, GuestAddr) -> Result<T, MemFault>,
    ) -> T {
        self.watch(touch, addr, bytes as u64);
        self.memory(|state| {
            if !state.model.features.contains(Feature::Lse2) && !addr.is_multiple_of(bytes as u64) {
                return Err(MemFault {
                    addr: access::untag(GuestAddr(addr)),
                    access: touch.access(),
                    kind: FaultKind::Alignment,
                });
            }
            run(state, GuestAddr(addr))
        })
    }
}

impl AtomicOps for Player<'_> {
    fn load_acquire(&mut self, size: MemSize, addr: u64) -> u64 {
        self.ordered(Touch::Load, size.bytes(), addr, |_, addr| {
            load_acquire(size, addr)
        })
    }
    fn store_release(&mut self, size: MemSize, addr: u64, value: u64) {
        self.ordered(Touch::Store, size.bytes(), addr, |_, addr| {
            store_release(size, addr, value)
        });
    }
    fn load_acquire_v(&mut self, size: MemSize, addr: u64) -> u128 {
        self.ordered(Touch::Load, size.bytes(), addr, |_, addr| {
            load_acquire_v(size, addr)
        })
    }
    fn store_release_v(&mut self, size: MemSize, addr: u64, value: u128) {
        self.ordered(Touch::Store, size.bytes(), addr, |_, addr| {
            store_release_v(size, addr, value)
        });
    }
    fn load_exclusive(&mut self, size: MemSize, _order: Order, addr: u64) -> u64 {
        let bytes = size.bytes();
        self.ordered(Touch::Load, bytes, addr, |state, addr| {
            load_exclusive(state, bytes, addr)
        })[0]
    }
    fn load_exclusive_pair(&mut self, size: MemSize, _order: Order, addr: u64) -> (u64, u64) {
        let bytes = 2 * size.bytes();
        let load = |state: &mut CpuState, addr| load_exclusive(state, bytes, addr);
        let marked = self.ordered(Touch::Load, bytes, addr, load);
        split_pair(size, marked)
    }
    fn store_exclusive(&mut self, size: MemSize, _order: Order, addr: u64, value: u64) -> u64 {
        let bytes = size.bytes();
        let store = |state: &mut CpuState, addr| store_exclusive(state, bytes, addr, [value, 0]);
        self.ordered(Touch::Store, bytes, addr, store)
    }
    fn store_exclusive_pair(&mut self, size: MemSize, _order: Order, addr: u64, values: (u64, u64)) -> u64 {
        let new = join_pair(size, values);
        let bytes = 2 * size.bytes();
        let store = |state: &mut CpuState, addr| store_exclusive(state, bytes, addr, new);
        self.ordered(Touch::Store, bytes, addr, store)
    }
    fn clear_exclusive(&mut self) {
        clear_exclusive(self.state);
    }
    fn atomic_rmw(&mut self, op: Rmw, size: MemSize, _order: Order, addr: u64, value: u64) -> u64 {
        let bytes = size.bytes();
        self.ordered(Touch::Both, bytes, addr, |_, addr| {
            atomic_rmw(op, bytes, addr, value)
        })
    }
    fn atomic_rmw_pair(
        &mut self,
        op: Rmw,
        _order: Order,
        addr: u64,
        (first, second): (u64, u64),
    ) -> (u64, u64) {
        self.ordered(Touch::Both, 16, addr, |_, addr| {
            atomic_rmw_pair(op, addr, [first, second])
        })
    }
    fn compare_swap(&mut self, size: MemSize, _order: Order, addr: u64, expected: u64, new: u64) -> u64 {
        let (expected, new) = ([expected, 0], [new, 0]);
        let bytes = size.bytes();
        self.ordered(Touch::Both, bytes, addr, |_, addr| {
            compare_swap(bytes, addr, expected, new)
        })[0]
    }
    fn compare_swap_pair(
        &mut self,
        size: MemSize,
        _order: Order,
        addr: u64,
        expected: (u64, u64),
        new: (u64, u64),
    ) -> (u64, u64) {
        let (expected, new) = (join_pair(size, expected), join_pair(size, new));
        let bytes = 2 * size.bytes();
        let swap = |_: &mut CpuState, addr| compare_swap(bytes, addr, expected, new);
        let old = self.ordered(Touch::Both, bytes, addr, swap);
        split_pair(size, old)
    }
    fn barrier(&mut self, kind: Barrier) {
        match kind {
            Barrier::Full => fence(Ordering::SeqCst),
            Barrier::Load => fence(Ordering::Acquire),
            // Stores are not reordered with stores on the host.
            Barrier::Store => fence(Ordering::Release),
            Barrier::Instruction => self.exit = Some(Stop::Synchronise),
        }
    }
}
