//! Plain loads and stores of the interpreter.

use crate::watch::Touch;
use crate::{Player, bulk};
use guest::{GuestAddr, MemFault};
use guest_memory::access;
use semantics::ops::{BulkOp, BulkRegs, BulkStage, LoadExt, MemSize, MemoryOps};

fn load(size: MemSize, ext: LoadExt, addr: GuestAddr) -> Result<u64, MemFault> {
    let value = access::load(addr, size.bytes())?;
    let unused = 64 - 8 * size.bytes() as u32;
    let signed = ((value << unused) as i64 >> unused) as u64;
    Ok(match ext {
        LoadExt::Zero => value,
        LoadExt::SignW => u64::from(signed as u32),
        LoadExt::SignX => signed,
    })
}

pub(crate) fn load_v(size: MemSize, addr: GuestAddr) -> Result<u128, MemFault> {
    if size != MemSize::Q {
        return access::load(addr, size.bytes()).map(u128::from);
    }
    access::load16(addr).map(join)
}

/// Two words as one value, low word first.
const fn join([low, high]: [u64; 2]) -> u128 {
    (high as u128) << 64 | low as u128
}

const fn split(value: u128) -> [u64; 2] {
    [value as u64, (value >> 64) as u64]
}

pub(crate) fn store_v(size: MemSize, addr: GuestAddr, value: u128) -> Result<(), MemFault> {
    if size != MemSize::Q {
        return access::store(addr, size.bytes(), value as u64);
    }
    access::store16(addr, split(value))
}

impl MemoryOps for Player<'_> {
    fn load(&mut self, size: MemSize, ext: LoadExt, base: u64, offset: i64) -> u64 {
        let addr = GuestAddr(base).offset(offset);
        self.watch(Touch::Load, addr.0, size.bytes() as u64);
        self.memory(|_| load(size, ext, addr))
    }
    fn store(&mut self, size: MemSize, base: u64, offset: i64, value: u64) {
        let addr = GuestAddr(base).offset(offset);
        self.watch(Touch::Store, addr.0, size.bytes() as u64);
        self.memory(|_| access::store(addr, size.bytes(), value));
    }
    fn load_v(&mut self, size: MemSize, base: u64, offset: i64) -> u128 {
        let addr = GuestAddr(base).offset(offset);
        self.watch(Touch::Load, addr.0, size.bytes() as u64);
        self.memory(|_| load_v(size, addr))
    }
    fn store_v(&mut self, size: MemSize, base: u64, offset: i64, value: u128) {
        let addr = GuestAddr(base).offset(offset);
        self.watch(Touch::Store, addr.0, size.bytes() as u64);
        self.memory(|_| store_v(size, addr, value));
    }
    fn load_pair(&mut self, _shared: bool, base: u64, offset: i64) -> (u64, u64) {
        let addr = GuestAddr(base).offset(offset);
        self.watch(Touch::Load, addr.0, 16);
        self.memory(|_| access::load16(addr).map(|[first, second]| (first, second)))
    }
    fn store_pair(&mut self, shared: bool, base: u64, offset: i64, (first, second): (u64, u64)) {
        let addr = GuestAddr(base).offset(offset);
        self.watch(Touch::Store, addr.0, 16);
        if !shared {
            self.store(MemSize::X, base, offset, first);
            return self.store(MemSize::X, base, offset + 8, second);
        }
        self.memory(|_| access::store16(addr, [first, second]));
    }
    fn bulk(&mut self, op: BulkOp, stage: BulkStage, regs: BulkRegs) {
        if !self.watched.is_empty() {
            for (touch, addr, bytes) in bulk::accesses(self.state, op, stage, regs) {
                self.watch(touch, addr, bytes);
            }
        }
        if let Some(target) = self.memory(|state| bulk::run(state, op, stage, regs)) {
            self.next = target;
        }
    }
}
