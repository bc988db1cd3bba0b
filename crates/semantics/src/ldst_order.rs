//! Ordered loads and stores with offsets, pairs and SIMD&FP registers (FEAT_LRCPC2 and
//! FEAT_LRCPC3): `ldst_order.isa`.
//!
//! Writeback to a register that is loaded or stored (CONSTRAINED UNPREDICTABLE) is as in
//! `ldst.rs`.

use crate::Ops;
use crate::ldst::Mode;
use crate::ops::{Lane, MemSize, Shape, Span, Width};
use crate::translate::Translate;
use a64_isa::ldst_order::*;
use a64_isa::text::v_size;

/// The size of a W or X register.
fn reg_size(sz: bool) -> MemSize {
    if sz { MemSize::X } else { MemSize::W }
}

/// One 64-bit lane.
const DOUBLE: Shape = Shape {
    lane: Lane::D,
    span: Span::Scalar,
};

impl<O: Ops> Translate<'_, O> {
    /// The base register, and the address of an access.
    fn ordered_place(&mut self, mode: Mode, rn: u8) -> (O::Value, O::Value) {
        let base = self.0.x_or_sp(rn);
        let address = match mode.offset() {
            0 => base,
            offset => self.0.add_imm(base, offset),
        };
        (base, address)
    }

    /// Loads, sign-extending to `sign`.
    pub(crate) fn load_ordered(&mut self, size: MemSize, sign: Option<Width>, mode: Mode, rn: u8, rt: u8) {
        let (base, address) = self.ordered_place(mode, rn);
        let value = self.0.load_acquire(size, address);
        let value = match sign {
            Some(w) => self.0.extend(w, true, 8 * size.bytes() as u8, value),
            None => value,
        };
        self.0.set_x(rt, value);
        self.write_back(mode, rn, base);
    }

    pub(crate) fn store_ordered(&mut self, size: MemSize, mode: Mode, rn: u8, rt: u8) {
        let (base, address) = self.ordered_place(mode, rn);
        let value = self.0.x(rt);
        self.0.store_release(size, address, value);
        self.write_back(mode, rn, base);
    }

    pub(crate) fn load_ordered_pair(&mut self, sz: bool, mode: Mode, rn: u8, rt: u8, rt2: u8) {
        let (base, address) = self.ordered_place(mode, rn);
        let (first, second) = if sz {
            let both = self.0.load_acquire_v(MemSize::Q, address);
            let first = self.0.vec_get_lane(Lane::D, both, 0, None);
            (first, self.0.vec_get_lane(Lane::D, both, 1, None))
        } else {
            let both = self.0.load_acquire(MemSize::X, address);
            let first = self.0.extract(Width::X, false, both, 0, 32);
            (first, self.0.extract(Width::X, false, both, 32, 32))
        };
        self.0.set_x(rt, first);
        self.0.set_x(rt2, second);
        self.write_back(mode, rn, base);
    }

    pub(crate) fn store_ordered_pair(&mut self, sz: bool, mode: Mode, rn: u8, rt: u8, rt2: u8) {
        let (base, address) = self.ordered_place(mode, rn);
        let (first, second) = (self.0.x(rt), self.0.x(rt2));
        if sz {
            let low = self.0.vec_dup(DOUBLE, first);
            let both = self.0.vec_set_lane(Lane::D, low, 1, second);
            self.0.store_release_v(MemSize::Q, address, both);
        } else {
            let both = self.0.insert(Width::X, first, second, 32, 32);
            self.0.store_release(MemSize::X, address, both);
        }
        self.write_back(mode, rn, base);
    }
}

/// The offset that a pair's writeback adds.
pub(crate) fn pair_step(sz: bool) -> i64 {
    2 * reg_size(sz).bytes() as i64
}

impl<O: Ops> a64_isa::LdstOrder for Translate<'_, O> {
    fn stlur_v(&mut self, i: StlurV) {
        let size = MemSize::from_log2(v_size(i.opc1, i.size));
        let (_, address) = self.ordered_place(Mode::unscaled(i.imm9), i.rn);
        let value = self.0.v(i.rt);
        self.0.store_release_v(size, address, value);
    }

    fn ldapur_v(&mut self, i: LdapurV) {
        let size = MemSize::from_log2(v_size(i.opc1, i.size));
        let (_, address) = self.ordered_place(Mode::unscaled(i.imm9), i.rn);
        let value = self.0.load_acquire_v(size, address);
        self.0.set_v(i.rt, value);
    }

    fn stlr_pre(&mut self, i: StlrPre) {
        let size = reg_size(i.sz);
        self.store_ordered(size, Mode::Pre(-(size.bytes() as i64)), i.rn, i.rt);
    }

    fn ldapr_post(&mut self, i: LdaprPost) {
        let size = reg_size(i.sz);
        self.load_ordered(size, None, Mode::Post(size.bytes() as i64), i.rn, i.rt);
    }

    fn stl1(&mut self, i: Stl1) {
        let address = self.0.x_or_sp(i.rn);
        let vector = self.0.v(i.rt);
        let value = self.0.vec_get_lane(Lane::D, vector, u8::from(i.q), None);
        self.0.store_release(MemSize::X, address, value);
    }

    fn ldap1(&mut self, i: Ldap1) {
        let address = self.0.x_or_sp(i.rn);
        let value = self.0.load_acquire(MemSize::X, address);
        let old = self.0.v(i.rt);
        let vector = self.0.vec_set_lane(Lane::D, old, u8::from(i.q), value);
        self.0.set_v(i.rt, vector);
    }
}
