//! Exclusives, ordered accesses and atomic memory operations (Arm ARM C4.1.97): `ldst_sync.isa`
//! and `lse128.isa`.

use crate::Ops;
use crate::ops::{MemSize, Order, Rmw};
use crate::translate::Translate;
use a64_isa::ldst_sync::*;

/// The size of one register of a pair.
fn pair_size(sz: bool) -> MemSize {
    if sz { MemSize::X } else { MemSize::W }
}

impl<O: Ops> Translate<'_, O> {
    pub(crate) fn store_exclusive_reg(&mut self, size: MemSize, order: Order, rn: u8, rt: u8, rs: u8) {
        let address = self.0.x_or_sp(rn);
        let value = self.0.x(rt);
        let status = self.0.store_exclusive(size, order, address, value);
        self.0.set_x(rs, status);
    }

    pub(crate) fn load_exclusive_reg(&mut self, size: MemSize, order: Order, rn: u8, rt: u8) {
        let address = self.0.x_or_sp(rn);
        let value = self.0.load_exclusive(size, order, address);
        self.0.set_x(rt, value);
    }

    pub(crate) fn store_exclusive_pair(
        &mut self,
        size: MemSize,
        order: Order,
        rn: u8,
        (rt, rt2): (u8, u8),
        rs: u8,
    ) {
        let address = self.0.x_or_sp(rn);
        let values = (self.0.x(rt), self.0.x(rt2));
        let status = self.0.store_exclusive_pair(size, order, address, values);
        self.0.set_x(rs, status);
    }

    pub(crate) fn load_exclusive_pair(&mut self, size: MemSize, order: Order, rn: u8, (rt, rt2): (u8, u8)) {
        let address = self.0.x_or_sp(rn);
        let (first, second) = self.0.load_exclusive_pair(size, order, address);
        self.0.set_x(rt, first);
        self.0.set_x(rt2, second);
    }

    pub(crate) fn store_release_reg(&mut self, size: MemSize, rn: u8, rt: u8) {
        let address = self.0.x_or_sp(rn);
        let value = self.0.x(rt);
        self.0.store_release(size, address, value);
    }

    pub(crate) fn load_acquire_reg(&mut self, size: MemSize, rn: u8, rt: u8) {
        let address = self.0.x_or_sp(rn);
        let value = self.0.load_acquire(size, address);
        self.0.set_x(rt, value);
    }

    pub(crate) fn atomic(&mut self, op: Rmw, size: MemSize, order: Order, rn: u8, rs: u8, rt: u8) {
        let address = self.0.x_or_sp(rn);
        let value = self.0.x(rs);
        let old = self.0.atomic_rmw(op, size, order, address, value);
        self.0.set_x(rt, old);
    }

    /// FEAT_LSE128. The same register twice (CONSTRAINED UNPREDICTABLE) is undefined, as under QEMU.
    pub(crate) fn atomic_pair(&mut self, op: Rmw, order: Order, rn: u8, rt: u8, rt2: u8) {
        let address = self.0.x_or_sp(rn);
        let values = (self.0.x(rt), self.0.x(rt2));
        let old = self.0.atomic_rmw_pair(op, order, address, values);
        self.0.set_x(rt, old.0);
        self.0.set_x(rt2, old.1);
    }
}

impl<O: Ops> a64_isa::LdstSync for Translate<'_, O> {
    fn cas(&mut self, i: Cas) {
        let address = self.0.x_or_sp(i.rn);
        let (expected, new) = (self.0.x(i.rs), self.0.x(i.rt));
        let old = self.0.compare_swap(
            MemSize::from_log2(i.size),
            Order::of(i.a, i.r),
            address,
            expected,
            new,
        );
        self.0.set_x(i.rs, old);
    }

    fn casp(&mut self, i: Casp) {
        let address = self.0.x_or_sp(i.rn);
        // The table admits even numbers only; the second of X30 is ZR.
        let expected = (self.0.x(i.rs), self.0.x(i.rs + 1));
        let new = (self.0.x(i.rt), self.0.x(i.rt + 1));
        let old = self
            .0
            .compare_swap_pair(pair_size(i.sz), Order::of(i.a, i.r), address, expected, new);
        self.0.set_x(i.rs, old.0);
        self.0.set_x(i.rs + 1, old.1);
    }
}
