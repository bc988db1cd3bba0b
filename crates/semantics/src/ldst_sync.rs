//! Exclusives, ordered accesses and atomic memory operations (Arm ARM C4.1.97): `ldst_sync.isa`.

use crate::Ops;
use crate::ops::{MemSize, Order, Rmw};
use crate::translate::Translate;
use a64_isa::ldst_sync::*;

/// Order by the acquire and release bits.
pub(crate) fn order(acquire: bool, release: bool) -> Order {
    match (acquire, release) {
        (false, false) => Order::Relaxed,
        (true, false) => Order::Acquire,
        (false, true) => Order::Release,
        (true, true) => Order::AcqRel,
    }
}

/// The size of one register of a pair.
fn pair_size(sz: bool) -> MemSize {
    if sz { MemSize::X } else { MemSize::W }
}

impl<O: Ops> Translate<'_, O> {
    fn store_exclusive_reg(&mut self, size: MemSize, order: Order, rn: u8, rt: u8, rs: u8) {
        let address = self.0.x_or_sp(rn);
        let value = self.0.x(rt);
        let status = self.0.store_exclusive(size, order, address, value);
        self.0.set_x(rs, status);
    }

    fn store_release_reg(&mut self, size: MemSize, rn: u8, rt: u8) {
        let address = self.0.x_or_sp(rn);
        let value = self.0.x(rt);
        self.0.store_release(size, address, value);
    }

    fn load_acquire_reg(&mut self, size: MemSize, rn: u8, rt: u8) {
        let address = self.0.x_or_sp(rn);
        let value = self.0.load_acquire(size, address);
        self.0.set_x(rt, value);
    }

    fn atomic(&mut self, op: Rmw, size: MemSize, order: Order, rn: u8, rs: u8, rt: u8) {
        let address = self.0.x_or_sp(rn);
        let value = self.0.x(rs);
        let old = self.0.atomic_rmw(op, size, order, address, value);
        self.0.set_x(rt, old);
    }
}

impl<O: Ops> a64_isa::LdstSync for Translate<'_, O> {
    fn stxr(&mut self, i: Stxr) {
        self.store_exclusive_reg(MemSize::from_log2(i.size), Order::Relaxed, i.rn, i.rt, i.rs);
    }

    fn stlxr(&mut self, i: Stlxr) {
        self.store_exclusive_reg(MemSize::from_log2(i.size), Order::Release, i.rn, i.rt, i.rs);
    }

    fn ldxr(&mut self, i: Ldxr) {
        let address = self.0.x_or_sp(i.rn);
        let value = self
            .0
            .load_exclusive(MemSize::from_log2(i.size), Order::Relaxed, address);
        self.0.set_x(i.rt, value);
    }

    fn ldaxr(&mut self, i: Ldaxr) {
        let address = self.0.x_or_sp(i.rn);
        let value = self
            .0
            .load_exclusive(MemSize::from_log2(i.size), Order::Acquire, address);
        self.0.set_x(i.rt, value);
    }

    fn stxp(&mut self, i: Stxp) {
        let address = self.0.x_or_sp(i.rn);
        let values = (self.0.x(i.rt), self.0.x(i.rt2));
        let status = self
            .0
            .store_exclusive_pair(pair_size(i.sz), Order::Relaxed, address, values);
        self.0.set_x(i.rs, status);
    }

    fn stlxp(&mut self, i: Stlxp) {
        let address = self.0.x_or_sp(i.rn);
        let values = (self.0.x(i.rt), self.0.x(i.rt2));
        let status = self
            .0
            .store_exclusive_pair(pair_size(i.sz), Order::Release, address, values);
        self.0.set_x(i.rs, status);
    }

    fn ldxp(&mut self, i: Ldxp) {
        let address = self.0.x_or_sp(i.rn);
        let (first, second) = self
            .0
            .load_exclusive_pair(pair_size(i.sz), Order::Relaxed, address);
        self.0.set_x(i.rt, first);
        self.0.set_x(i.rt2, second);
    }

    fn ldaxp(&mut self, i: Ldaxp) {
        let address = self.0.x_or_sp(i.rn);
        let (first, second) = self
            .0
            .load_exclusive_pair(pair_size(i.sz), Order::Acquire, address);
        self.0.set_x(i.rt, first);
        self.0.set_x(i.rt2, second);
    }

    fn stlr(&mut self, i: Stlr) {
        self.store_release_reg(MemSize::from_log2(i.size), i.rn, i.rt);
    }

    fn stllr(&mut self, i: Stllr) {
        self.store_release_reg(MemSize::from_log2(i.size), i.rn, i.rt);
    }

    fn ldar(&mut self, i: Ldar) {
        self.load_acquire_reg(MemSize::from_log2(i.size), i.rn, i.rt);
    }

    fn ldlar(&mut self, i: Ldlar) {
        self.load_acquire_reg(MemSize::from_log2(i.size), i.rn, i.rt);
    }

    fn ldapr(&mut self, i: Ldapr) {
        self.load_acquire_reg(MemSize::from_log2(i.size), i.rn, i.rt);
    }

    fn cas(&mut self, i: Cas) {
        let address = self.0.x_or_sp(i.rn);
        let (expected, new) = (self.0.x(i.rs), self.0.x(i.rt));
        let old = self.0.compare_swap(
            MemSize::from_log2(i.size),
            order(i.a, i.r),
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
            .compare_swap_pair(pair_size(i.sz), order(i.a, i.r), address, expected, new);
        self.0.set_x(i.rs, old.0);
        self.0.set_x(i.rs + 1, old.1);
    }

    fn ldadd(&mut self, i: Ldadd) {
        self.atomic(
            Rmw::Add,
            MemSize::from_log2(i.size),
            order(i.a, i.r),
            i.rn,
            i.rs,
            i.rt,
        );
    }

    fn ldclr(&mut self, i: Ldclr) {
        self.atomic(
            Rmw::Clr,
            MemSize::from_log2(i.size),
            order(i.a, i.r),
            i.rn,
            i.rs,
            i.rt,
        );
    }

    fn ldeor(&mut self, i: Ldeor) {
        self.atomic(
            Rmw::Eor,
            MemSize::from_log2(i.size),
            order(i.a, i.r),
            i.rn,
            i.rs,
            i.rt,
        );
    }

    fn ldset(&mut self, i: Ldset) {
        self.atomic(
            Rmw::Set,
            MemSize::from_log2(i.size),
            order(i.a, i.r),
            i.rn,
            i.rs,
            i.rt,
        );
    }

    fn ldsmax(&mut self, i: Ldsmax) {
        self.atomic(
            Rmw::Smax,
            MemSize::from_log2(i.size),
            order(i.a, i.r),
            i.rn,
            i.rs,
            i.rt,
        );
    }

    fn ldsmin(&mut self, i: Ldsmin) {
        self.atomic(
            Rmw::Smin,
            MemSize::from_log2(i.size),
            order(i.a, i.r),
            i.rn,
            i.rs,
            i.rt,
        );
    }

    fn ldumax(&mut self, i: Ldumax) {
        self.atomic(
            Rmw::Umax,
            MemSize::from_log2(i.size),
            order(i.a, i.r),
            i.rn,
            i.rs,
            i.rt,
        );
    }

    fn ldumin(&mut self, i: Ldumin) {
        self.atomic(
            Rmw::Umin,
            MemSize::from_log2(i.size),
            order(i.a, i.r),
            i.rn,
            i.rs,
            i.rt,
        );
    }

    fn swp(&mut self, i: Swp) {
        self.atomic(
            Rmw::Swp,
            MemSize::from_log2(i.size),
            order(i.a, i.r),
            i.rn,
            i.rs,
            i.rt,
        );
    }
}
