//! Atomic memory operations on 128 bits (FEAT_LSE128): `lse128.isa`.
//!
//! The same register twice (CONSTRAINED UNPREDICTABLE) is undefined, as under QEMU.

use crate::Ops;
use crate::ldst_sync::order;
use crate::ops::{Order, Rmw};
use crate::translate::Translate;
use a64_isa::lse128::*;

impl<O: Ops> Translate<'_, O> {
    fn atomic_pair(&mut self, op: Rmw, order: Order, rn: u8, rt: u8, rt2: u8) {
        let address = self.0.x_or_sp(rn);
        let values = (self.0.x(rt), self.0.x(rt2));
        let old = self.0.atomic_rmw_pair(op, order, address, values);
        self.0.set_x(rt, old.0);
        self.0.set_x(rt2, old.1);
    }
}

impl<O: Ops> a64_isa::Lse128 for Translate<'_, O> {
    fn ldclrp(&mut self, i: Ldclrp) {
        self.atomic_pair(Rmw::Clr, order(i.a, i.r), i.rn, i.rt, i.rt2);
    }

    fn ldsetp(&mut self, i: Ldsetp) {
        self.atomic_pair(Rmw::Set, order(i.a, i.r), i.rn, i.rt, i.rt2);
    }

    fn swpp(&mut self, i: Swpp) {
        self.atomic_pair(Rmw::Swp, order(i.a, i.r), i.rn, i.rt, i.rt2);
    }
}
